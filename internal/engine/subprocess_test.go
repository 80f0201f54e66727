package engine

import (
	"testing"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/flow"
	"github.com/stdops/stdops/internal/plugin"
)

// backTo draws an exclusive gateway after heads that leads back to target while again holds, else on.
func backTo(b *builder, p stdops.NodeIndex, heads []head, target stdops.NodeIndex, again string) []head {
	x := b.add(stdops.KindExclusive, p)
	b.join(heads, x)
	back, out := b.open(x), b.open(x)
	node := &b.g.Nodes[x]
	node.Branches = []flow.Branch{{Edge: node.Out[0], Evaluate: again}}
	b.join([]head{back}, target)
	node.Default = &flow.Edge{Flow: node.Out[1].Flow}
	return []head{out}
}

func TestDecideKeepsAttemptsOfAReenteredSubprocess(t *testing.T) {
	t.Parallel()
	var sub stdops.NodeIndex
	g := build(func(b *builder, p stdops.NodeIndex, heads []head) []head {
		sub = stdops.NodeIndex(len(b.g.Nodes))
		heads = b.subprocess(p, heads, func(b *builder, p stdops.NodeIndex, heads []head) []head {
			b.g.Nodes[p].Pipeline.Mapping = []flow.Mapping{{Key: "_loop", Variable: "i"}}
			return b.activity(p, b.activity(p, heads, nil), nil)
		})
		b.g.Nodes[p].Pipeline.Variables["i"] = flow.Variable{Output: true}
		return backTo(b, p, heads, sub, "${i} < 2")
	})
	w := newWorld(t, g, nil, stubs()...)
	mustDo(t, w, Command{Kind: Start})
	for range 3 {
		w.answerCall(0, plugin.Done, false)
	}
	var kept int
	for _, a := range w.record.attempts {
		if a.State.Node > sub && g.Nodes[a.State.Node].Parent == sub {
			kept++
			if a.State.Node != sub+2 {
				continue
			}
			if a.State.InnerLoop != 1 || !a.Archived.IsZero() || a.Data.Outputs == nil { // memory has no longer got its data, the store has
				t.Errorf("attempt of %s was not taken from what is stored: %+v", g.Nodes[a.State.Node].Name, a)
			}
		}
	}
	if kept != 3 { // start event and both activities; the end event is not reached yet
		t.Errorf("%d attempts kept inside the subprocess, want 3", kept)
	}
}

func TestDecideRetriesASubprocessThatFailedOnEntry(t *testing.T) {
	t.Parallel()
	var sub stdops.NodeIndex
	g := build(func(b *builder, p stdops.NodeIndex, heads []head) []head {
		sub = stdops.NodeIndex(len(b.g.Nodes))
		heads = b.subprocess(p, heads, func(b *builder, p stdops.NodeIndex, heads []head) []head { return b.activity(p, heads, nil) })
		b.g.Nodes[p].Pipeline.Variables["big"] = flow.Variable{}
		b.g.Nodes[sub].Pipeline.Params = []flow.Param{{Key: "x", Value: tooMuch, Render: true}}
		return heads
	})
	w := newWorld(t, g, stdops.NewObject("big", "xx"), stubs()...)
	mustDo(t, w, Command{Kind: Start})
	if got := w.st.nodes[sub]; got == nil || got.State != stdops.StateFailed {
		t.Fatalf("subprocess: %+v", got)
	}
	first := w.st.nodes[sub].Version
	mustDo(t, w, Command{Kind: Retry, Node: sub})
	again := w.st.nodes[sub]
	if again.State != stdops.StateFailed || again.Retry != 1 || again.Version == first || len(w.record.attempts) != 1 {
		t.Errorf("after the retry: %+v, %d attempts kept", again, len(w.record.attempts))
	}
}
