package exchange_test

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/exchange"
	"github.com/stdops/stdops/internal/flow"
)

// drawer draws the tree of a flow that may refer to those drawn before.
type drawer struct {
	*rapid.T
	tree    *stdops.Object
	flows   int // of the tree
	count   int
	earlier []string         // keys of flows
	trees   []*stdops.Object // of the earlier flows
}

// odd draws texts that a format could take for something else.
var odd = rapid.OneOf(rapid.String(), rapid.StringMatching(`[a-z等/😀"\n\t: #-]{0,6}`), rapid.SampledFrom([]string{
	"yes", "NO", "on", "1", "-1", "1.0", "1e3", "0o7", "0x1F", "1_000", ".5", ".inf", "~", "null", "true", "2026-01-01", "12:30:45", "<<", "=",
	"a: b", "a #b", "- x", "? x", "!x", "&a", "*b", "%c", "@d", "`e", "{", "[", "]", "|", ">", "'", `"`, "---", "...", " lead", "trail ", "\n",
	"a\nb", "a\n", "a\n\n", "\na", "a\n b\n", " a\nb", "a \nb", "a\r\nb", "\t", "\u0085", "\u2028", "\ufeff", "\x00", "\x7f", "\x1b", "${a}",
}))

func drawTree(t *rapid.T, earlier []string, trees []*stdops.Object) *stdops.Object {
	d := &drawer{T: t, earlier: earlier, trees: trees}
	d.tree = stdops.NewObject(
		"start_event", stdops.NewObject("id", "s", "name", "", "type", "EmptyStartEvent", "incoming", "", "outgoing", ""),
		"end_event", stdops.NewObject("id", "e", "name", "", "type", "EmptyEndEvent", "incoming", []any{}, "outgoing", ""),
		"activities", &stdops.Object{}, "gateways", &stdops.Object{}, "flows", &stdops.Object{}, "constants", &stdops.Object{},
		"outputs", []any{})
	if rapid.Bool().Draw(t, "given") {
		d.constant("${given}", "custom", "input.input", &stdops.Object{})
	}
	last := d.activity(at(d.tree, "start_event"))
	for range rapid.IntRange(0, 3).Draw(t, "blocks") {
		last = d.block(last)
	}
	d.connect(last, at(d.tree, "end_event"))
	return d.tree
}

func (d *drawer) connect(from, to *stdops.Object) string {
	id := fmt.Sprintf("l%d", d.flows)
	d.flows++
	at(d.tree, "flows").Set(id, stdops.NewObject("id", id, "source", from.Text("id"), "target", to.Text("id"), "is_default", false))
	out, _ := from.Get("outgoing")
	if list, ok := out.([]any); ok {
		from.Set("outgoing", append(list, id))
	} else {
		from.Set("outgoing", id)
	}
	in, _ := to.Get("incoming")
	list, _ := in.([]any)
	to.Set("incoming", append(list, id))
	return id
}

func (d *drawer) node(section, kind string) *stdops.Object {
	d.count++
	id := fmt.Sprintf("n%d", d.count)
	o := stdops.NewObject("id", id, "name", kind+strconv.Itoa(d.count), "type", kind, "incoming", []any{})
	at(d.tree, section).Set(id, o)
	return o
}

func (d *drawer) activity(from *stdops.Object) *stdops.Object {
	if len(d.earlier) > 0 && rapid.Bool().Draw(d.T, "subprocess") {
		return d.subprocess(from)
	}
	o := d.node("activities", "ServiceActivity")
	o.Set("optional", rapid.Bool().Draw(d.T, "optional"))
	o.Set("error_ignorable", rapid.Bool().Draw(d.T, "ignorable"))
	input := stdops.NewObject("hook", false, "value", rapid.SampledFrom([]any{"text", int64(3), 1.5, nil, true, []any{"a"}}).Draw(d.T, "value"))
	if rapid.Bool().Draw(d.T, "hooked") {
		key := fmt.Sprintf("${v%d}", d.count)
		input = stdops.NewObject("hook", true, "value", key)
		d.constant(key, "component_inputs", "x.in", stdops.NewObject(o.Text("id"), []any{"in"}))
	}
	if rapid.Bool().Draw(d.T, "output") {
		key := fmt.Sprintf("${o%d}", d.count)
		d.constant(key, "component_outputs", "", stdops.NewObject(o.Text("id"), []any{"out"}))
		outputs, _ := d.tree.Get("outputs")
		d.tree.Set("outputs", append(outputs.([]any), key))
	}
	o.Set("component", stdops.NewObject("code", "x", "version", "legacy", "data", stdops.NewObject("in", input)))
	d.connect(from, o)
	return o
}

func (d *drawer) constant(key, source, tag string, info *stdops.Object) {
	constants := at(d.tree, "constants")
	constants.Set(key, stdops.NewObject("key", key, "name", key[2:len(key)-1], "index", int64(constants.Len()), "desc", "",
		"value", odd.Draw(d.T, "constant"), "show_type", "show", "source_type", source,
		"source_tag", tag, "custom_type", "", "source_info", info, "validation", "", "version", "legacy"))
}

func (d *drawer) subprocess(from *stdops.Object) *stdops.Object {
	o := d.node("activities", "SubProcess")
	i := rapid.IntRange(0, len(d.earlier)-1).Draw(d.T, "child")
	o.Set("template_id", d.earlier[i])
	o.Set("version", "of somebody else")
	given := &stdops.Object{}
	for _, key := range at(d.trees[i], "constants").Keys() {
		c := at(d.trees[i], "constants "+key).Clone()
		if c.Text("source_type") == "component_outputs" {
			continue
		}
		c.Set("value", rapid.SampledFrom([]any{"1", int64(2), nil}).Draw(d.T, "given"))
		if rapid.Bool().Draw(d.T, "lifted") {
			own := fmt.Sprintf("${up%d_%d}", d.count, given.Len())
			c.Set("value", own)
			d.constant(own, "component_inputs", "x.up", stdops.NewObject(o.Text("id"), []any{key}))
		}
		given.Set(key, c)
	}
	o.Set("constants", given)
	d.connect(from, o)
	return o
}

func (d *drawer) block(from *stdops.Object) *stdops.Object {
	kind := rapid.SampledFrom([]string{"", "ExclusiveGateway", "ParallelGateway", "ConditionalParallelGateway"}).Draw(d.T, "block")
	if kind == "" {
		return d.activity(from)
	}
	gate := d.node("gateways", kind)
	gate.Set("outgoing", []any{})
	d.connect(from, gate)
	join := d.node("gateways", "ConvergeGateway")
	conditions := &stdops.Object{}
	for i := range rapid.IntRange(2, 3).Draw(d.T, "branches") {
		first, last := d.branch()
		id := d.connect(gate, first)
		d.connect(last, join)
		conditions.Set(id, stdops.NewObject("evaluate", fmt.Sprintf("1 == %d", i), "name", fmt.Sprintf("branch %d", i)))
	}
	if kind != "ParallelGateway" {
		gate.Set("conditions", conditions)
	}
	return join
}

func (d *drawer) branch() (first, last *stdops.Object) {
	stub := stdops.NewObject("id", "stub", "outgoing", "") // the flow from it is taken away again
	first = d.activity(stub)
	id := stub.Text("outgoing")
	at(d.tree, "flows").Delete(id)
	first.Set("incoming", []any{})
	last = first
	if rapid.Bool().Draw(d.T, "longer") {
		last = d.activity(first)
	}
	return first, last
}

func drawBundle(t *rapid.T) *stdops.Object {
	rows, flows := &stdops.Object{}, &stdops.Object{}
	var keys []string
	var trees []*stdops.Object
	for i := range rapid.IntRange(1, 4).Draw(t, "flows") {
		key := fmt.Sprintf("p%d", i)
		tree := drawTree(t, keys, trees)
		rows.Set(strconv.Itoa(i+1), stdops.NewObject("pipeline_template_str_id", key, "category", "OpsTools"))
		flows.Set(key, stdops.NewObject("name", "flow "+key, "description", "d", "tree", tree))
		keys, trees = append(keys, key), append(trees, tree)
	}
	return stdops.NewObject("digest", "00000000000000000000000000000000", "template_data", stdops.NewObject(
		"template", rows, "pipeline_template_data", stdops.NewObject("template", flows)))
}

// plain gives a tree with ids that tell only the places of nodes, and without what names other flows.
func plain(t *rapid.T, tree *stdops.Object) string {
	text, err := stdops.EncodeValue(tree)
	if err != nil {
		t.Fatal(err)
	}
	v, err := stdops.DecodeValue(text)
	if err != nil {
		t.Fatal(err)
	}
	o := v.(*stdops.Object)
	o.Delete("line")
	o.Delete("location")
	for _, id := range at(o, "activities").Keys() {
		a := at(o, "activities "+id)
		if a.Text("type") == "SubProcess" {
			a.Set("template_id", int64(1))
			a.Delete("version")
			a.Delete("template_source")
			for _, key := range at(a, "constants").Keys() {
				at(a, "constants "+key).Delete("source_info")
			}
		}
	}
	read, err := flow.Parse(o)
	if err != nil {
		t.Fatal(err)
	}
	text, err = stdops.EncodeValue(read.Renamed(flow.IDs{
		Node: func(i stdops.NodeIndex) string { return fmt.Sprintf("n%d", i) },
		Flow: func(i stdops.FlowIndex) string { return fmt.Sprintf("l%d", i) },
	}))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// What is imported is what was in the bundle but for its ids, and a bundle that is exported and imported under the same
// ids is the same to the byte, versions included.
func TestBundleComesBackTheSame(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		bundle := drawBundle(r)
		set, err := exchange.ReadBundle(envelope(t, bundle), exchange.Reading{})
		if err != nil {
			r.Fatal(err)
		}
		p := placing(set)
		trees := place(t, set, p)
		for i := range set.Flows {
			want := at(bundle, "template_data pipeline_template_data template "+set.Flows[i].Key+" tree")
			if diff := cmp.Diff(plain(r, want), plain(r, trees[i])); diff != "" {
				r.Fatalf("flow %s (-want +got)\n%s", set.Flows[i].Key, diff)
			}
		}
		text, err := exchange.WriteBundle(exchange.SourceProject, stored(set, p, trees), "salt")
		if err != nil {
			r.Fatal(err)
		}
		again, err := exchange.ReadBundle(text, exchange.Reading{Salts: []string{"salt"}})
		if err != nil {
			r.Fatal(err)
		}
		if diff := cmp.Diff(byName(set, bodies(t, set, p)), byName(again, bodies(t, again, samePlaces(set, again, p)))); diff != "" {
			r.Fatalf("(-want +got)\n%s", diff)
		}
	})
}

// samePlaces gives each flow the id that the flow of the same name got before: the order of a file may differ.
func samePlaces(before, set *exchange.Set, p exchange.Placing) exchange.Placing {
	ids := map[string]stdops.TemplateID{}
	for i := range before.Flows {
		ids[before.Flows[i].Name] = p.IDs[i]
	}
	p.IDs = nil
	for i := range set.Flows {
		p.IDs = append(p.IDs, ids[set.Flows[i].Name])
	}
	return p
}

func byName(s *exchange.Set, bodies []string) map[string]string {
	all := map[string]string{}
	for i, body := range bodies {
		all[s.Flows[i].Name] = body
	}
	return all
}
