package engine

import (
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"

	"pgregory.net/rapid"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/flow"
)

// drawTree draws a tree as callers send it: nodes of all kinds, loops, subprocesses and policies.
func drawTree(t *rapid.T) *stdops.Object {
	if rapid.IntRange(0, 2).Draw(t, "looping") == 0 {
		return wireTree(drawLooping(t))
	}
	return wireTree(drawGraph(t))
}

// wireTree gives the tree that a graph was, or could have been, compiled of.
func wireTree(g *flow.Graph) *stdops.Object { return (&wire{g}).level(stdops.RootNode) }

type wire struct{ g *flow.Graph }

func nodeWord(n stdops.NodeIndex) string { return fmt.Sprintf("n%d", n) }

func flowWord(f stdops.FlowIndex) string { return fmt.Sprintf("f%d", f) }

func (w *wire) level(holder stdops.NodeIndex) *stdops.Object {
	p := w.g.Nodes[holder].Pipeline
	activities, gateways, flows := &stdops.Object{}, &stdops.Object{}, &stdops.Object{}
	tree := stdops.NewObject("activities", activities, "gateways", gateways, "flows", flows, "outputs", []any{})
	for _, n := range p.Children {
		o := w.node(n)
		switch kind := w.g.Nodes[n].Kind; {
		case kind == stdops.KindStartEvent:
			tree.Set("start_event", o)
		case kind == stdops.KindEndEvent:
			tree.Set("end_event", o)
		case kind.Gateway():
			gateways.Set(nodeWord(n), o)
		default:
			activities.Set(nodeWord(n), o)
		}
		for _, e := range w.g.Nodes[n].Out {
			id := flowWord(e.Flow)
			flows.Set(id, stdops.NewObject("id", id, "source", nodeWord(n), "target", nodeWord(e.Target)))
		}
	}
	tree.Set("constants", w.constants(p))
	return tree
}

func (w *wire) node(n stdops.NodeIndex) *stdops.Object {
	node := &w.g.Nodes[n]
	var in, out []any
	for f, edge := range w.g.Flows {
		if edge.Target == n {
			in = append(in, flowWord(stdops.FlowIndex(f)))
		}
	}
	for _, e := range node.Out {
		out = append(out, flowWord(e.Flow))
	}
	o := stdops.NewObject("id", nodeWord(n), "name", node.Name, "type", node.Kind.String(), "incoming", in, "outgoing", out)
	switch {
	case in == nil:
		o.Set("incoming", "")
	case out == nil:
		o.Set("outgoing", "")
	}
	if a := node.Activity; a != nil {
		w.activity(o, a)
	}
	if node.Pipeline != nil {
		o.Set("pipeline", w.level(n))
	}
	if node.Kind == stdops.KindExclusive || node.Kind == stdops.KindConditionalParallel {
		conditions := &stdops.Object{}
		for _, b := range node.Branches {
			conditions.Set(flowWord(b.Flow), stdops.NewObject("evaluate", b.Evaluate))
		}
		o.Set("conditions", conditions)
		if node.Default != nil {
			conditions.Delete(flowWord(node.Default.Flow))
			o.Set("default_condition", stdops.NewObject("flow_id", flowWord(node.Default.Flow)))
		}
	}
	return o
}

func (w *wire) activity(o *stdops.Object, a *flow.Activity) {
	data := &stdops.Object{}
	for _, in := range a.Inputs { // by other names: the world knows what an input v has to be, unless a tree is damaged
		data.Set("input_"+in.Key, stdops.NewObject("hook", false, "value", in.Value, "need_render", in.Render))
	}
	o.Set("component", stdops.NewObject("code", a.Code, "data", data))
	o.Set("skippable", a.Skippable)
	o.Set("retryable", a.Retryable)
	o.Set("error_ignorable", a.IgnoreErrors)
	if a.AutoRetry.Times > 0 {
		o.Set("auto_retry", stdops.NewObject("enable", true, "times", int64(a.AutoRetry.Times), "interval", int64(a.AutoRetry.Interval.Seconds())))
	} else if a.Timeout.After > 0 && !a.IgnoreErrors {
		action := map[bool]string{true: "forced_fail_and_skip", false: "forced_fail"}[a.Timeout.ThenSkip]
		o.Set("timeout_config", stdops.NewObject("enable", true, "seconds", int64(a.Timeout.After.Seconds()), "action", action))
	}
}

// constants gives the variables of a level: shown ones with a value, and those that are fed from a node.
func (w *wire) constants(p *flow.Pipeline) *stdops.Object {
	all := &stdops.Object{}
	put := func(key, show, source string, info *stdops.Object) {
		all.Set(key, stdops.NewObject("key", key, "name", key, "value", "1", "index", int64(all.Len()), "show_type", show,
			"source_type", source, "source_info", info, "custom_type", "input"))
	}
	for _, key := range slices.Sorted(maps.Keys(p.Variables)) {
		if p.Variables[key].Shown {
			put("${"+key+"}", "show", "custom", &stdops.Object{})
		}
	}
	for _, n := range p.Children {
		if a := w.g.Nodes[n].Activity; a != nil {
			for _, m := range a.Outputs {
				put("${"+m.Variable+"}", "hide", "component_outputs", stdops.NewObject(nodeWord(n), []any{"${" + m.Key + "}"}))
			}
		}
	}
	return all
}

// spot is a value inside of a tree, under a key of an object or at a place of a list.
type spot struct {
	o    *stdops.Object
	key  string
	list []any
	at   int
}

func (s spot) get() any {
	if s.o == nil {
		return s.list[s.at]
	}
	v, _ := s.o.Get(s.key)
	return v
}

func (s spot) set(v any) {
	if s.o == nil {
		s.list[s.at] = v
		return
	}
	s.o.Set(s.key, v)
}

// spots lists all values inside of v.
func spots(v any) (all []spot) {
	switch v := v.(type) {
	case *stdops.Object:
		for _, key := range v.Keys() {
			s := spot{o: v, key: key}
			all = append(append(all, s), spots(s.get())...)
		}
	case []any:
		for i := range v {
			s := spot{list: v, at: i}
			all = append(append(all, s), spots(s.get())...)
		}
	}
	return all
}

// spoil changes a tree in one to four places.
func spoil(t *rapid.T, tree *stdops.Object) {
	for range rapid.IntRange(1, 4).Draw(t, "times") {
		all := spots(tree)
		if len(all) == 0 {
			return
		}
		one := all[rapid.IntRange(0, len(all)-1).Draw(t, "one")]
		other := all[rapid.IntRange(0, len(all)-1).Draw(t, "other")]
		switch rapid.SampledFrom([]string{"drop", "rename", "double", "copy", "swap", "alike", "cross", "junk", "nest"}).Draw(t, "damage") {
		case "drop":
			if one.o != nil {
				one.o.Delete(one.key)
			}
		case "rename":
			if one.o != nil && other.o != nil {
				v := one.get()
				one.o.Delete(one.key)
				one.o.Set(other.key, v)
			}
		case "double":
			if one.o != nil {
				one.o.Set(one.key+"_", copied(one.get()))
			}
		case "copy":
			one.set(copied(other.get()))
		case "swap":
			a, b := copied(one.get()), copied(other.get())
			one.set(b)
			other.set(a)
		case "alike": // a value of the same key elsewhere: another type of node, another condition
			one.set(copied(drawLike(t, all, one).get()))
		case "cross": // an edge that leads elsewhere, with both of its ends
			cross(t, tree)
		case "junk":
			one.set(drawJunk(t))
		case "nest":
			v := copied(one.get())
			for range rapid.SampledFrom([]int{1, 40, 600}).Draw(t, "depth") {
				v = stdops.NewObject("pipeline", v)
			}
			one.set(v)
		}
	}
}

// copied gives a copy of v, so that a tree never holds itself.
func copied(v any) any {
	switch v := v.(type) {
	case *stdops.Object:
		o := &stdops.Object{}
		for _, key := range v.Keys() {
			inner, _ := v.Get(key)
			o.Set(key, copied(inner))
		}
		return o
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = copied(v[i])
		}
		return list
	default:
		return v
	}
}

func drawLike(t *rapid.T, all []spot, one spot) spot {
	var like []spot
	for _, s := range all {
		if s.o != nil && s.key == one.key || s.o == nil && one.o == nil {
			like = append(like, s)
		}
	}
	return like[rapid.IntRange(0, len(like)-1).Draw(t, "like")]
}

// cross lets two flows of the root exchange their targets, and the targets the flows that they name.
func cross(t *rapid.T, tree *stdops.Object) {
	all, _ := tree.Get("flows")
	flows, _ := all.(*stdops.Object)
	if flows.Len() == 0 {
		return
	}
	pick := func(label string) *stdops.Object {
		v, _ := flows.Get(rapid.SampledFrom(flows.Keys()).Draw(t, label))
		o, _ := v.(*stdops.Object)
		return o
	}
	one, other := pick("flow"), pick("other flow")
	if one == nil || other == nil {
		return
	}
	a, b := one.Text("id"), other.Text("id")
	for _, s := range spots(tree) {
		list, _ := s.get().([]any)
		for i, v := range list {
			switch {
			case s.key != "incoming":
			case v == a:
				list[i] = b
			case v == b:
				list[i] = a
			}
		}
	}
	x, _ := one.Get("target")
	y, _ := other.Get("target")
	one.Set("target", y)
	other.Set("target", x)
}

func drawJunk(t *rapid.T) any {
	huge, _ := new(big.Int).SetString("1"+strings.Repeat("0", 400), 10)
	return copied(rapid.SampledFrom([]any{
		nil, true, false, int64(0), int64(-1), int64(1) << 62, 1e300, huge, "", " ", "n1", "n2", "f0", "f1", "${v}", "${_env_x}",
		"${_system.task_id}", "${'a' * 9999999}", "1 == 1", "\u0000\u202e", strings.Repeat("é", 3000),
		[]any{},
		[]any{nil},
		[]any{"f0", "f0"},
		&stdops.Object{}, stdops.NewObject("", nil), stdops.NewObject("id", "n1"), stdops.NewObject("value", "${v}", "hook", true),
		"SubProcess", "ServiceActivity", "ExclusiveGateway", "ParallelGateway", "ConditionalParallelGateway", "ConvergeGateway", "EmptyStartEvent",
	}).Draw(t, "junk"))
}
