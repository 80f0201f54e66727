package engine

import (
	"fmt"
	"testing"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/flow"
)

// tooMuch is a template that exceeds a budget.
const tooMuch = "${big * 3000000}"

func TestDecidePreRenderedVariablesAreFixedAtTheStart(t *testing.T) {
	t.Parallel()
	g := build(func(b *builder, p stdops.NodeIndex, heads []head) []head {
		pipe := b.g.Nodes[p].Pipeline
		pipe.Variables["once"] = flow.Variable{PreRender: true}
		pipe.Variables["base"] = flow.Variable{}
		pipe.Order = []string{"once", "base"}
		return b.activity(p, heads, nil)
	})
	w := newWorld(t, g, stdops.NewObject("once", "${base}-${1+1}", "base", "b"), stubs()...)
	mustDo(t, w, Command{Kind: Start})
	if got := w.st.vars[varKey{0, "once"}]; got.value != "b-2" {
		t.Errorf("once is %v, want b-2", got)
	}
}

func TestDecidePreRenderFailureFailsTheStartEvent(t *testing.T) {
	t.Parallel()
	g := build(func(b *builder, p stdops.NodeIndex, heads []head) []head {
		pipe := b.g.Nodes[p].Pipeline
		pipe.Variables["once"], pipe.Order = flow.Variable{PreRender: true}, []string{"once"}
		pipe.Variables["big"] = flow.Variable{}
		return heads
	})
	w := newWorld(t, g, stdops.NewObject("once", tooMuch, "big", "xx"), stubs()...)
	mustDo(t, w, Command{Kind: Start})
	wantStates(t, w, map[string]string{"root": "RUNNING", "s2": "FAILED"})
	mustDo(t, w, Command{Kind: Skip, Node: w.nodeNamed("s2")})
	if w.st.root.State != stdops.StateFinished {
		t.Errorf("root is %s after the skip", w.st.root.State)
	}
}

// TestDecideVariablesThatNameEachOtherTwice: each is evaluated once for a node, else their number doubles at each level.
func TestDecideVariablesThatNameEachOtherTwice(t *testing.T) {
	t.Parallel()
	const levels = 60
	inputs := stdops.NewObject("v0", "x")
	g := build(func(b *builder, p stdops.NodeIndex, heads []head) []head {
		vars := b.g.Nodes[p].Pipeline.Variables
		vars["v0"] = flow.Variable{}
		for i := 1; i <= levels; i++ {
			vars[fmt.Sprint("v", i)] = flow.Variable{}
			inputs.Set(fmt.Sprint("v", i), fmt.Sprintf("${v%d[:0]}${v%d[0:0]}", i-1, i-1))
		}
		return b.activity(p, heads, func(a *flow.Activity) {
			a.Inputs = []flow.Input{{Key: "in", Value: fmt.Sprintf("${v%d}", levels), Render: true}}
		})
	})
	done := make(chan *world, 1)
	go func() {
		w := newWorld(t, g, inputs, stubs()...)
		mustDo(t, w, Command{Kind: Start})
		done <- w
	}()
	select {
	case w := <-done:
		if got, _ := w.calls[0].inputs.Get("in"); got != "" {
			t.Errorf("input %q", got)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the inputs are still being rendered")
	}
}
