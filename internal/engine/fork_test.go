package engine

import (
	"testing"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/flow"
)

func wide(n int, change func(*flow.Activity)) *flow.Graph {
	return build(func(b *builder, p stdops.NodeIndex, heads []head) []head {
		return b.gateway(stdops.KindParallel, p, heads, make([]string, n), func(_ int, h []head) []head {
			return b.activity(p, b.activity(p, h, change), change)
		})
	})
}

// TestDecideWideBranchesBeginInParts: a commit holds about as many changes as it may, and a crash between two parts
// loses and doubles nothing.
func TestDecideWideBranchesBeginInParts(t *testing.T) {
	t.Parallel()
	const branches = 3*maxChanges + 100
	g := wide(branches, nil)
	w := newWorld(t, g, nil, stubs()...)
	var d *delta
	for events := []event{Command{Kind: Start}}; ; events = []event{loaded{out: nil}} {
		var err error
		if d, _, err = decide(w.st, events, env{now: w.now, entropy: w.entropy, plugins: w.plugins, hold: true}); err != nil {
			t.Fatal(err)
		}
		if len(w.st.forks) > 0 && (len(d.change.Nodes) > maxChanges || len(d.change.Forks) > maxChanges) {
			t.Fatalf("a step changes %d nodes and %d forks", len(d.change.Nodes), len(d.change.Forks))
		}
		w.record.store(t, &d.change)
		if w.st, err = restore(&w.record.snap, g, testInfo); err != nil { // every step ends in a crash
			t.Fatal(err)
		}
		if !d.more {
			break
		}
	}
	queued := 0
	for _, n := range w.st.nodes {
		if n != nil && n.Phase == stdops.PhaseQueued {
			queued++
		}
	}
	if queued != branches {
		t.Errorf("%d branches have begun, want %d", queued, branches)
	}
}

// TestDecideRevokesARunInParts: when a task is revoked while threads are on their way that one step could not take along, the
// same commit ends them too.
func TestDecideRevokesARunInParts(t *testing.T) {
	t.Parallel()
	g := wide(3*maxChanges, nil)
	for name, steps := range map[string][][]event{
		"in its first step":    {{Command{Kind: Start}, Command{Kind: Revoke}}},
		"in a later step":      {{Command{Kind: Start}}, {goOn{}, Command{Kind: Revoke}}},
		"in a step of its own": {{Command{Kind: Start}}, {Command{Kind: Revoke}}},
		"after a crash":        {{Command{Kind: Start}}, {loaded{}, Command{Kind: Revoke}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, g, nil, stubs()...)
			for _, events := range steps {
				d, _, err := decide(w.st, events, env{now: w.now, entropy: w.entropy, plugins: w.plugins, hold: true})
				if err != nil {
					t.Fatal(err)
				}
				w.record.store(t, &d.change)
				w.st.apply(d)
			}
			if wrong := Audit(w.record.whole(), g, w.now); len(wrong) > 0 || w.st.root.Live {
				t.Errorf("live %t; %d things are wrong: %.300q", w.st.root.Live, len(wrong), wrong)
			}
		})
	}
}

// TestDecideEndsAThreadAfterARevoke: a result that is decided together with a revoke, when the step may enter no further node.
func TestDecideEndsAThreadAfterARevoke(t *testing.T) {
	t.Parallel()
	g := line(2)
	w := newWorld(t, g, nil, stubs()...)
	mustDo(t, w, Command{Kind: Start})
	c := w.calls[0]
	ended := callEnded{node: c.node, version: c.version, call: c.number, inputs: c.inputs, outputs: c.outputs}
	d, _, err := decide(w.st, []event{Command{Kind: Revoke}, ended}, env{now: w.now, entropy: w.entropy, plugins: w.plugins, changes: 1})
	if err != nil {
		t.Fatal(err)
	}
	w.record.store(t, &d.change)
	if wrong := Audit(w.record.whole(), g, w.now); len(wrong) > 0 {
		t.Errorf("%q", wrong)
	}
}
