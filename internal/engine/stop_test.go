package engine_test

import (
	"strings"
	"testing"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/engine"
	"github.com/stdops/stdops/internal/plugin"
)

// A revoke ends the calls of plugins that want it, and how they end is recorded; others go on.
func TestEngineRevokeStopsCalls(t *testing.T) {
	t.Parallel()
	for _, stops := range []bool{true, false} {
		p := newScripted(plugin.Repeat)
		p.stops = stops
		r := newRig(t, engine.Line(2), p)
		ref := r.create()
		r.do(ref, engine.Command{Kind: engine.Start})
		<-p.began
		r.do(ref, engine.Command{Kind: engine.Revoke, Actor: "ann"})
		state, exData := stdops.StateFailed, `"ex_data":"revoked"`
		if !stops {
			close(p.leave)
			state, exData = stdops.StateFinished, ""
		}
		snap := r.await(ref, func(s *stdops.Snapshot) bool { return !s.Task.Root.Live })
		last := snap.Nodes[len(snap.Nodes)-1]
		if last.State != state || snap.Task.Root.State != stdops.StateRevoked {
			t.Errorf("stops %t: the node is %s, the task %s", stops, last.State, snap.Task.Root.State)
		}
		node, err := r.store.Node(t.Context(), ref, last.Node)
		if err != nil || !strings.Contains(string(node.Data.Outputs), exData) {
			t.Errorf("stops %t: outputs %s, %v", stops, node.Data.Outputs, err)
		}
		p.wantOnce(t, 1)
	}
}

// A script that was failed by force may take a while to end; the retry waits for it.
func TestEngineNeverHasTwoCallsOfANodeOut(t *testing.T) {
	t.Parallel()
	p := newScripted(plugin.Repeat)
	p.slow = make(chan struct{}, 1)
	r := newRig(t, engine.Line(1), p)
	ref := r.create()
	r.do(ref, engine.Command{Kind: engine.Start})
	<-p.began
	node := r.load(ref).Nodes[len(r.load(ref).Nodes)-1].Node
	r.do(ref, engine.Command{Kind: engine.ForceFail, Node: node})
	r.do(ref, engine.Command{Kind: engine.Retry, Node: node}) // its call would panic, were the first still out
	r.await(ref, inState(stdops.StateRunning))
	if out := r.engine.CallsOut(ref, node); len(out) != 2 {
		t.Errorf("out are %v, want the call that is about to end and the one that waits for it", out)
	}
	p.slow <- struct{}{}
	<-p.began
	close(p.leave)
	r.await(ref, finished)
	p.wantOnce(t, 2)
}

// What is ended before it began does not begin: a revoke reaches also the attempt that waits for the end of the one before.
func TestEngineBeginsNothingThatWasEnded(t *testing.T) {
	t.Parallel()
	p := newScripted(plugin.Repeat)
	p.stops = true
	p.slow = make(chan struct{}, 2)
	r := newRig(t, engine.Line(1), p)
	ref := r.create()
	r.do(ref, engine.Command{Kind: engine.Start})
	<-p.began
	node := r.load(ref).Nodes[len(r.load(ref).Nodes)-1].Node
	r.do(ref, engine.Command{Kind: engine.ForceFail, Node: node, Actor: "ann"})
	r.do(ref, engine.Command{Kind: engine.Retry, Node: node, Actor: "ann"})
	r.do(ref, engine.Command{Kind: engine.Revoke, Actor: "ann"})
	p.slow <- struct{}{}
	p.slow <- struct{}{} // for the second, were it to begin
	r.await(ref, inState(stdops.StateFailed))
	p.wantOnce(t, 1)
}
