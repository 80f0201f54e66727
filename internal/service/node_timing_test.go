package service

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops"
)

func second(n int64) time.Time { return time.Unix(n, 0).UTC() }

// failedAttempt is one that began, failed and was retried or skipped at some seconds.
func failedAttempt(loop int32, began, ended, left int64) stdops.Attempt {
	return stdops.Attempt{
		State: stdops.NodeState{Node: 3, Order: 1, State: stdops.StateFailed, Loop: loop, Version: "f", Started: second(began), Finished: second(ended)},
		Data:  stdops.NodeData{Node: 3}, Archived: second(left),
	}
}

// TestNodeTiming: what is stored of the attempts of a node tells how long each was waited for, and nothing that is not stored.
func TestNodeTiming(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a := b.access(t)
	const run = stdops.StateRunning
	finished := stdops.NodeState{Node: 3, Order: 1, State: stdops.StateFinished, Loop: 1, Version: "f", Started: second(30), Finished: second(40)}
	attempts := []stdops.Attempt{
		failedAttempt(1, 10, 20, 28),
		{State: finished, Data: stdops.NodeData{Node: 3}, Archived: second(50)}, // the next loop began
		failedAttempt(2, 50, 60, 75),
	}
	log := []stdops.Transition{}
	for _, at := range []int64{12, 15, 33, 62, 90, 95} { // 62: refused by none, but between two attempts it belongs to neither
		log = append(log, stdops.Transition{Node: 3, From: run, To: run, Actor: "ann", Time: second(at)})
	}
	log = append(log, stdops.Transition{Node: 1, From: run, To: run, Actor: "ann", Time: second(99)})
	for name, c := range map[string]struct {
		state   stdops.NodeState
		loop    int32
		current NodeTiming
		earlier []NodeTiming
	}{
		"goes on": {
			state:   stdops.NodeState{State: run, Phase: stdops.PhaseWaiting, Loop: 2, Started: second(80), Due: second(120), Deadline: second(200)},
			current: NodeTiming{Retried: second(75), CalledBack: second(95), Due: second(120), Deadline: second(200)},
			earlier: []NodeTiming{{Left: second(75)}},
		},
		"retried at once, which was stored a moment later": {
			state:   stdops.NodeState{State: run, Loop: 2, Started: second(74)},
			current: NodeTiming{Retried: second(74), CalledBack: second(95)},
			earlier: []NodeTiming{{Left: second(74)}},
		},
		"waits to be entered": {
			state:   stdops.NodeState{State: stdops.StateReady, Loop: 2},
			current: NodeTiming{Retried: second(75)},
			earlier: []NodeTiming{{Left: second(75)}},
		},
		"skipped": {
			state:   stdops.NodeState{State: stdops.StateFinished, Skip: true, Loop: 2, Started: second(50), Finished: second(73)},
			earlier: []NodeTiming{{Left: second(73)}},
		},
		"an earlier loop": {
			state:   stdops.NodeState{State: run, Loop: 2, Started: second(80), Deadline: second(200)},
			loop:    1,
			current: NodeTiming{Retried: second(28), CalledBack: second(33)},
			earlier: []NodeTiming{{CalledBack: second(15), Left: second(28)}},
		},
		"entered anew": {
			state:   stdops.NodeState{State: stdops.StateFailed, Loop: 3, Started: second(92), Finished: second(93), Due: second(130)},
			current: NodeTiming{Due: second(130)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.state.Node, c.state.Order, c.state.Version = 3, 1, "v"
			id := b.running(t, c.state)
			task, err := b.store.Task(t.Context(), a.ref(id))
			must(t, err)
			_, err = b.store.Commit(t.Context(), []stdops.Change{{
				Task: id, Project: 1, Revision: 2, Epoch: 1, Root: task.Root, Nodes: []stdops.NodeState{c.state}, Attempts: attempts, Transitions: log,
			}})
			must(t, err)
			q := NodeQuery{Node: stdops.NodeID(id, 3), Loop: c.loop, Timing: true}
			view, err := b.Node(t.Context(), a, id, q)
			must(t, err)
			var earlier []NodeTiming
			for _, h := range view.Histories {
				earlier = append(earlier, h.Timing)
			}
			if diff := cmp.Diff(c.current, view.Timing) + cmp.Diff(c.earlier, earlier); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
