package engine

import (
	"fmt"
	"testing"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/flow"
	"github.com/stdops/stdops/internal/plugin"
)

// TestDecideComputesLazyVariables looks at a variable that is computed wherever it is taken: in an input, in another
// variable, when it is fixed at the start, and on its way into a subprocess, where it is not computed again.
func TestDecideComputesLazyVariables(t *testing.T) {
	t.Parallel()
	takes := func(a *flow.Activity) {
		a.Inputs = []flow.Input{{Key: "in", Value: "${many}", Render: true}, {Key: "other", Value: "${other}", Render: true}}
	}
	graph := build(func(b *builder, p stdops.NodeIndex, heads []head) []head {
		pipe := b.g.Nodes[p].Pipeline
		pipe.Variables["many"] = flow.Variable{CustomType: "select"}
		pipe.Variables["other"] = flow.Variable{PreRender: true}
		pipe.Order = []string{"many", "other"}
		heads = b.activity(p, heads, takes)
		return b.subprocess(p, heads, func(b *builder, s stdops.NodeIndex, heads []head) []head {
			inner := b.g.Nodes[s].Pipeline
			inner.Variables["many"] = flow.Variable{CustomType: "select", Shown: true}
			inner.Variables["other"] = flow.Variable{CustomType: "select", Value: []any{"${many}", "z"}}
			inner.Params = []flow.Param{{Key: "many", Value: []any{"${many}", "c"}, Render: true, CustomType: "select"}}
			return b.activity(s, heads, takes)
		})
	})
	w := newWorld(t, graph, stdops.NewObject("many", []any{"a", int64(1)}, "other", "<${many}>"), stub("work"))
	if err := w.step(Command{Kind: Start, Actor: "ann"}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"a,1 <a,1>", "a,1,c a,1,c,z"} {
		in, _ := w.calls[0].inputs.Get("in")
		other, _ := w.calls[0].inputs.Get("other")
		if got := fmt.Sprint(in, " ", other); got != want {
			t.Errorf("inputs %q, want %q", got, want)
		}
		w.answerCall(0, plugin.Done, false)
	}
}

func TestDecideRunsAnActivityInTheNameOfItsExecutor(t *testing.T) {
	t.Parallel()
	graph := build(func(b *builder, p stdops.NodeIndex, heads []head) []head {
		heads = b.activity(p, heads, func(a *flow.Activity) {
			a.Executor = "bob"
			a.Inputs = []flow.Input{{Key: "in", Value: "<${_system.executor}>", Render: true}}
		})
		return b.activity(p, heads, nil)
	})
	w := newWorld(t, graph, nil, stub("work"))
	if err := w.step(Command{Kind: Start, Actor: "ann"}); err != nil {
		t.Fatal(err)
	}
	if in, _ := w.calls[0].inputs.Get("in"); in != "<ann>" || w.calls[0].system.Text("executor") != "bob" || w.calls[0].system.Text("operator") != "ann" {
		t.Errorf("input %v, executor %s, operator %s", in, w.calls[0].system.Text("executor"), w.calls[0].system.Text("operator"))
	}
	w.answerCall(0, plugin.Done, false)
	if executor := w.calls[0].system.Text("executor"); executor != "ann" {
		t.Errorf("the next activity runs in the name of %s", executor)
	}
}
