package engine

import (
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/plugin"
)

// TestActionsAreWhatIsAccepted draws flows and what happens to them. After every event each command for each node is
// accepted exactly if it is among the actions.
func TestActionsAreWhatIsAccepted(t *testing.T) {
	t.Parallel()
	seen := make(map[Kind]int)
	rapid.Check(t, func(rt *rapid.T) {
		r := newRace(rt, racePlugins(onlyOnce)...)
		defer r.m.close()
		r.checkActions(seen)
		for range rapid.IntRange(0, 40).Draw(rt, "events") {
			r.event()
			r.checkActions(seen)
		}
	})
	for _, w := range rareWorlds(t) {
		w.checkActions(seen)
	}
	for kind := Start; kind <= CallBack; kind++ {
		if seen[kind] == 0 && kind != SetConstants {
			t.Errorf("%s was never among the actions", kind)
		}
	}
}

// rareWorlds gives tasks in states that races do not come to: one that was not started, gateways that failed, a subprocess
// that is paused, one with a node that waits for its child, and one whose plugin is gone.
func rareWorlds(t *testing.T) []*world {
	t.Helper()
	fresh := newWorld(t, line(1), nil, stub("work"))
	closed := func(kind stdops.NodeKind) *world {
		return newWorld(t, build(func(b *builder, p stdops.NodeIndex, heads []head) []head {
			return b.gateway(kind, p, heads, []string{"1 == 2", "1 == 2"}, func(_ int, heads []head) []head {
				return b.activity(p, heads, nil)
			})
		}), nil, stub("work"))
	}
	one, some := closed(stdops.KindExclusive), closed(stdops.KindConditionalParallel)
	paused := newWorld(t, build(func(b *builder, p stdops.NodeIndex, heads []head) []head {
		return b.subprocess(p, heads, func(b *builder, s stdops.NodeIndex, heads []head) []head { return b.activity(s, heads, nil) })
	}), nil, stub("work"))
	parent := newWorld(t, line(1), nil, stub("work", func(s *plugin.Spec) { s.Child = true }))
	orphan := newWorld(t, line(1), nil, stub("work"))
	for _, w := range []*world{one, some, paused, parent, orphan} {
		if err := w.step(Command{Kind: Start, Actor: "ann"}); err != nil {
			t.Fatal(err)
		}
	}
	for _, w := range []*world{parent, orphan} {
		w.answerCall(0, plugin.Outcome{Next: plugin.Callback}, false)
	}
	orphan.plugins = newWorld(t, line(1), nil).plugins
	if err := paused.step(Command{Kind: SubPause, Actor: "ann", Node: paused.graph.Nodes[paused.calls[0].node].Parent}); err != nil {
		t.Fatal(err)
	}
	return []*world{fresh, one, some, paused, parent, orphan}
}

// checkActions holds the actions of the moment against what decide says; nothing is committed.
func (w *world) checkActions(seen map[Kind]int) {
	w.t.Helper()
	tight := stdops.DefaultLimits()
	tight.Callbacks = 1
	of := TaskActions(w.st.root.State)
	for _, kind := range []Kind{Start, Pause, Resume, Revoke} {
		w.checkAction(Command{Kind: kind, Actor: "ann"}, of, nil, seen)
	}
	var callbacks []stdops.Callback
	for _, c := range w.st.callbacks {
		callbacks = append(callbacks, c.Callback)
	}
	for i := range w.graph.Nodes {
		n := stdops.NodeIndex(i)
		for _, limits := range []*stdops.Limits{nil, &tight} {
			of := NodeActions(&Standing{
				Graph: w.graph, Plugins: w.plugins, Limits: limits, Root: w.st.root.State, Node: n, Own: w.st.nodes[n], Callbacks: callbacks,
			})
			for kind := NodePause; kind <= CallBack; kind++ {
				cmd := Command{Kind: kind, Actor: "ann", Node: n}
				if out := w.graph.Nodes[n].Out; (kind == SkipBranch || kind == SkipBranches) && len(out) > 0 {
					cmd.Flows = []stdops.FlowIndex{out[0].Flow}
				}
				w.checkAction(cmd, of, limits, seen)
			}
		}
	}
}

func (w *world) checkAction(cmd Command, of []Kind, limits *stdops.Limits, seen map[Kind]int) {
	w.t.Helper()
	_, answers, err := decide(w.st, []event{cmd}, env{now: w.now, entropy: rand.NewChaCha8([32]byte{2}), plugins: w.plugins, limits: limits})
	if err != nil {
		w.t.Fatalf("%s of node %d cannot be decided: %v", cmd.Kind, cmd.Node, err)
	}
	is := slices.Contains(of, cmd.Kind)
	if is != (answers[0] == nil) {
		w.t.Fatalf("%s of node %d is among the actions: %t; decide says: %v", cmd.Kind, cmd.Node, is, answers[0])
	}
	if is {
		seen[cmd.Kind]++
	}
}
