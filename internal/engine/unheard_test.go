package engine_test

import (
	"testing"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/engine"
	"github.com/stdops/stdops/internal/plugin"
	"github.com/stdops/stdops/internal/store"
)

// waiting gives the first activity of a task when it waits for its next poll.
func waiting(s *stdops.Snapshot) *stdops.NodeState {
	for i := range s.Nodes {
		if n := &s.Nodes[i]; n.Phase == stdops.PhaseWaiting && n.Call == 1 {
			return n
		}
	}
	return nil
}

// TestEngineHearsOfAChildWhoseCommitWasNotHeardOf: what a child has told is read although nobody learned that it was stored.
func TestEngineHearsOfAChildWhoseCommitWasNotHeardOf(t *testing.T) {
	t.Parallel()
	p := newScripted(plugin.Repeat)
	p.after = time.Hour
	r := newRig(t, engine.Line(1), p)
	parent := r.create()
	r.do(parent, engine.Command{Kind: engine.Start})
	rests := func(s *stdops.Snapshot) bool { return waiting(s) != nil }
	own := waiting(r.await(parent, rests))
	made, err := r.store.CreateTask(t.Context(), store.NewTask{
		Task: stdops.Task{
			Project: 1, Name: "a child", TreeHash: "t", FlowType: stdops.FlowCommon, Created: time.Now(),
			Root:   stdops.RootState{State: stdops.StateCreated},
			Parent: stdops.AttemptRef{Task: parent.Task, Node: own.Node, Version: own.Version},
		},
		Body: []byte("{}"), Inputs: []byte("{}"),
	})
	if err != nil {
		t.Fatal(err)
	}
	child := stdops.TaskRef{Project: 1, Task: made.ID}
	r.do(child, engine.Command{Kind: engine.Start})
	r.await(child, rests)
	lose := func([]stdops.Change) { r.unheard.Store(1) } // when the commit of what was awaited has returned
	r.onCommit.Store(&lose)
	if err := r.engine.Do(t.Context(), child, engine.Command{Kind: engine.Revoke}); stdops.ErrorCode(err) != stdops.CodeUnavailable {
		t.Errorf("the revoke is answered %v", err)
	}
	r.await(parent, inState(stdops.StateFailed))
}
