package flow

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stdops/stdops"
)

// sketch makes a tree of chains of nodes: "S>A>PG PG>B>CG PG>D>CG CG>E". The beginning of a name is its kind: S start
// event, E end event, PG, CPG, EG, CG gateways, SUB a subprocess with one activity, all else activities. Every flow of
// an exclusive or conditional parallel gateway has a condition. Nodes are named by their ids, flows l1, l2 ….
func sketch(chains string) *stdops.Object {
	s := &sketcher{nodes: map[string]*stdops.Object{}, flows: &stdops.Object{}}
	for _, kind := range []string{"activities", "gateways"} {
		s.put(kind, &stdops.Object{})
	}
	for _, chain := range strings.Fields(chains) {
		names := strings.Split(chain, ">")
		s.node(names[0])
		for i := range names[:len(names)-1] {
			s.connect(names[i], names[i+1])
		}
	}
	s.put("flows", s.flows)
	s.put("constants", &stdops.Object{})
	s.put("outputs", []any{})
	return &s.tree
}

type sketcher struct {
	tree  stdops.Object
	nodes map[string]*stdops.Object
	flows *stdops.Object
}

func (s *sketcher) put(key string, v any) { s.tree.Set(key, v) }

func kindOf(name string) stdops.NodeKind {
	for _, k := range []struct {
		prefix string
		kind   stdops.NodeKind
	}{
		{"CPG", stdops.KindConditionalParallel},
		{"PG", stdops.KindParallel},
		{"EG", stdops.KindExclusive},
		{"CG", stdops.KindConverge},
		{"SUB", stdops.KindSubprocess},
	} {
		if strings.HasPrefix(name, k.prefix) {
			return k.kind
		}
	}
	switch name {
	case "S":
		return stdops.KindStartEvent
	case "E":
		return stdops.KindEndEvent
	}
	return stdops.KindActivity
}

func (s *sketcher) node(name string) *stdops.Object {
	if o := s.nodes[name]; o != nil {
		return o
	}
	kind := kindOf(name)
	o := stdops.NewObject("id", name, "type", kind.String(), "name", name, "incoming", []any{}, "outgoing", "")
	s.nodes[name] = o
	section := "activities"
	switch {
	case kind == stdops.KindStartEvent:
		o.Set("incoming", "")
		s.put("start_event", o)
		return o
	case kind == stdops.KindEndEvent:
		s.put("end_event", o)
		return o
	case kind == stdops.KindSubprocess:
		o.Set("pipeline", sketch("S>inner>E"))
	case kind == stdops.KindActivity:
		o.Set("component", stdops.NewObject("code", "debug_node", "data", &stdops.Object{}))
	case kind != stdops.KindConverge:
		o.Set("outgoing", []any{})
	}
	if kind.Gateway() {
		section = "gateways"
	}
	if conditional(kind) {
		o.Set("conditions", &stdops.Object{})
	}
	all, _ := s.tree.Get(section)
	all.(*stdops.Object).Set(name, o)
	return o
}

func (s *sketcher) connect(from, to string) {
	id := fmt.Sprintf("l%d", s.flows.Len()+1)
	source, target := s.node(from), s.node(to)
	s.flows.Set(id, stdops.NewObject("id", id, "source", from, "target", to))
	in, _ := target.Get("incoming")
	list, _ := in.([]any)
	target.Set("incoming", append(list, id))
	if out, _ := source.Get("outgoing"); isText(out) && out == "" {
		source.Set("outgoing", id)
	} else {
		list, ok := out.([]any)
		if !ok {
			list = []any{out}
		}
		source.Set("outgoing", append(list, id))
	}
	if c, had := source.Get("conditions"); had {
		c.(*stdops.Object).Set(id, stdops.NewObject("evaluate", "1 == 1"))
	}
}

// at gives the value at a path of keys ("activities.A.name").
func at(t testing.TB, o *stdops.Object, path string) any {
	t.Helper()
	var v any = o
	for key := range strings.SplitSeq(path, ".") {
		inner, ok := v.(*stdops.Object)
		if !ok {
			t.Fatalf("nothing at %s", path)
		}
		v, _ = inner.Get(key)
	}
	return v
}

// set gives the tree with the value at a path replaced by JSON text; "" deletes.
func set(t testing.TB, o *stdops.Object, path, text string) *stdops.Object {
	t.Helper()
	place, key := o, path
	if i := strings.LastIndex(path, "."); i >= 0 {
		place, key = at(t, o, path[:i]).(*stdops.Object), path[i+1:]
	}
	if text == "" {
		place.Delete(key)
		return o
	}
	place.Set(key, value(t, text))
	return o
}

func value(t testing.TB, text string) any {
	t.Helper()
	v, err := stdops.DecodeValue([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

// constant puts a shown custom constant with a value (JSON text) and further fields into the tree.
func constant(t testing.TB, o *stdops.Object, key, text string, fields ...any) {
	t.Helper()
	c := stdops.NewObject("key", key, "name", "x", "value", value(t, text), "source_type", "custom", "show_type", "show",
		"custom_type", "input", "source_info", &stdops.Object{}, "index", int64(0))
	for i := 0; i < len(fields); i += 2 {
		c.Set(fields[i].(string), fields[i+1])
	}
	all, _ := o.Get("constants")
	all.(*stdops.Object).Set(key, c)
}

func mustParse(t testing.TB, o *stdops.Object) *Tree {
	t.Helper()
	tree, err := Parse(o)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// mustCompile validates and compiles.
func mustCompile(t testing.TB, tree *Tree) *Graph {
	t.Helper()
	if err := tree.Validate(); err != nil {
		t.Fatal(err)
	}
	g, err := Compile(tree)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func text(t testing.TB, v any) string {
	t.Helper()
	b, err := stdops.EncodeValue(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
