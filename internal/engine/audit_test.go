package engine

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/stdops/stdops"
)

// damage is one thing that may be wrong with a record; it is false for a record that has nothing of the kind.
type damage struct {
	name string
	do   func(r *stdops.Record, pick func(n int) int) bool
}

// damages change a good record in one place each. Every one has to be found.
func damages(activities []stdops.NodeIndex) []damage {
	return []damage{
		{"a log entry is missing", func(r *stdops.Record, pick func(int) int) bool {
			i := pick(len(r.Log))
			last := i+1 == len(r.Log) || r.Log[i+1].Revision != r.Log[i].Revision
			if last && !r.Log[i].Moved() {
				return false // a command that changed no state: nothing else tells of it
			}
			r.Log = slices.Delete(r.Log, i, i+1)
			return true
		}},
		{"a log entry is there twice", func(r *stdops.Record, pick func(int) int) bool {
			again := r.Log[pick(len(r.Log))]
			again.Revision, again.N = r.Task.Root.Revision, 1000
			r.Log = append(r.Log, again)
			return true
		}},
		{"the log goes beyond the task", func(r *stdops.Record, _ func(int) int) bool {
			r.Task.Root.Revision = r.Log[len(r.Log)-1].Revision - 1
			return true
		}},
		{"an illegal transition is logged and stored", func(r *stdops.Record, pick func(int) int) bool {
			n := &r.Nodes[pick(len(r.Nodes))]
			r.Log = append(r.Log, stdops.LoggedTransition{
				Revision:   r.Task.Root.Revision + 1,
				Transition: stdops.Transition{Node: n.Node, From: n.State, To: stdops.StateCreated, Time: n.Started},
			})
			r.Task.Root.Revision++
			n.State = stdops.StateCreated
			return true
		}},
		{"a node has another state", func(r *stdops.Record, pick func(int) int) bool {
			n := &r.Nodes[pick(len(r.Nodes))]
			n.State = 1 + (n.State+stdops.State(pick(6)))%7
			return true
		}},
		{"a node has another loop", func(r *stdops.Record, pick func(int) int) bool { r.Nodes[pick(len(r.Nodes))].Loop++; return true }},
		{"a node has another inner loop", func(r *stdops.Record, pick func(int) int) bool { r.Nodes[pick(len(r.Nodes))].InnerLoop++; return true }},
		{"a node has another count of retries", func(r *stdops.Record, pick func(int) int) bool { r.Nodes[pick(len(r.Nodes))].Retry++; return true }},
		{"a node was skipped, or was not", func(r *stdops.Record, pick func(int) int) bool {
			n := &r.Nodes[pick(len(r.Nodes))]
			n.Skip = !n.Skip
			return true
		}},
		{"a node began at another time", func(r *stdops.Record, pick func(int) int) bool {
			n := &r.Nodes[pick(len(r.Nodes))]
			n.Started = n.Started.Add(time.Microsecond)
			return true
		}},
		{"a node ended at another time", func(r *stdops.Record, pick func(int) int) bool {
			n := &r.Nodes[pick(len(r.Nodes))]
			n.Finished = n.Started.Add(time.Hour)
			return true
		}},
		{"a node that calls nothing was called", func(r *stdops.Record, _ func(int) int) bool {
			i := slices.IndexFunc(r.Nodes, func(n stdops.NodeState) bool { return !slices.Contains(activities, n.Node) })
			if i >= 0 {
				r.Nodes[i].Called = r.Nodes[i].Started
			}
			return i >= 0
		}},
		{"a node is gone", func(r *stdops.Record, pick func(int) int) bool {
			i := pick(len(r.Nodes))
			r.Nodes = slices.Delete(r.Nodes, i, i+1)
			return true
		}},
		{"two nodes have one version", func(r *stdops.Record, pick func(int) int) bool {
			i := pick(len(r.Nodes))
			r.Nodes[i].Version = r.Nodes[(i+1)%len(r.Nodes)].Version
			return len(r.Nodes) > 1
		}},
		{"a node has no version", func(r *stdops.Record, pick func(int) int) bool { r.Nodes[pick(len(r.Nodes))].Version = ""; return true }},
		{"a node has another place in the order", func(r *stdops.Record, pick func(int) int) bool {
			r.Nodes[pick(len(r.Nodes))].Order += 1000
			return true
		}},
		{"an attempt is gone", func(r *stdops.Record, pick func(int) int) bool {
			if len(r.Attempts) == 0 {
				return false
			}
			i := pick(len(r.Attempts))
			r.Attempts = slices.Delete(r.Attempts, i, i+1)
			return true
		}},
		{"an attempt is kept twice", func(r *stdops.Record, pick func(int) int) bool {
			if len(r.Attempts) == 0 {
				return false
			}
			r.Attempts = append(r.Attempts, r.Attempts[pick(len(r.Attempts))])
			return true
		}},
		{"the outputs of a node are gone", func(r *stdops.Record, _ func(int) int) bool {
			i := slices.IndexFunc(r.Nodes, func(n stdops.NodeState) bool {
				return n.State == stdops.StateFinished && slices.Contains(activities, n.Node)
			})
			if i < 0 {
				return false
			}
			r.Outputs = slices.DeleteFunc(r.Outputs, func(n stdops.NodeIndex) bool { return n == r.Nodes[i].Node })
			return true
		}},
		{"a thread is gone", func(r *stdops.Record, pick func(int) int) bool {
			if len(r.Forks) == 0 || r.Task.Root.State.Ended() {
				return false
			}
			i := pick(len(r.Forks))
			r.Forks = slices.Delete(r.Forks, i, i+1)
			return true
		}},
		{"a thread is doubled", func(r *stdops.Record, pick func(int) int) bool {
			if len(r.Forks) == 0 || r.Task.Root.State.Ended() {
				return false
			}
			f := r.Forks[pick(len(r.Forks))]
			f.Token += 1000
			r.Forks = append(r.Forks, f)
			return true
		}},
		{"a thread goes to a node that is not there", func(r *stdops.Record, pick func(int) int) bool {
			if len(r.Forks) == 0 {
				return false
			}
			f := &r.Forks[pick(len(r.Forks))]
			f.Moving, f.Next = true, 1000
			return true
		}},
		{"a thread was stopped by a node that is not there", func(r *stdops.Record, pick func(int) int) bool {
			if len(r.Forks) == 0 {
				return false
			}
			f := &r.Forks[pick(len(r.Forks))]
			f.Stopped, f.SuspendedBy = true, -1
			return true
		}},
		{"an attempt is of a node that is not there", func(r *stdops.Record, pick func(int) int) bool {
			if len(r.Attempts) == 0 {
				return false
			}
			a := &r.Attempts[pick(len(r.Attempts))]
			a.State.Node = 1000
			return true
		}},
		{"a parent waits for one branch more", func(r *stdops.Record, _ func(int) int) bool {
			i := slices.IndexFunc(r.Forks, func(f stdops.Fork) bool { return f.Need > 0 })
			if i < 0 || r.Task.Root.State.Ended() {
				return false
			}
			r.Forks[i].Need++
			return true
		}},
		{"the task has another state", func(r *stdops.Record, pick func(int) int) bool {
			states := []stdops.State{stdops.StateCreated, stdops.StateRunning, stdops.StateSuspended, stdops.StateFinished, stdops.StateRevoked}
			i := slices.Index(states, r.Task.Root.State)
			r.Task.Root.State = states[(i+1+pick(4))%5]
			return true
		}},
		{"no start would look at a live task", func(r *stdops.Record, _ func(int) int) bool {
			r.Task.Root.Live = !r.Task.Root.Live
			return true
		}},
		{"no start would look at a call that is out", func(r *stdops.Record, _ func(int) int) bool {
			r.Task.Root.WakeAt = time.Time{}
			return slices.ContainsFunc(r.Nodes, func(n stdops.NodeState) bool { return callOut(&n) })
		}},
		{"a timer comes too late", func(r *stdops.Record, _ func(int) int) bool {
			r.Task.Root.WakeAt = r.Task.Root.WakeAt.AddDate(1, 0, 0)
			return r.Task.Root.Live && slices.ContainsFunc(r.Nodes, func(n stdops.NodeState) bool { return hasTime(&n) })
		}},
		{"a callback waits for nobody", func(r *stdops.Record, pick func(int) int) bool {
			n := r.Nodes[pick(len(r.Nodes))]
			r.Callbacks = append(r.Callbacks, stdops.Callback{Seq: 1000, Node: n.Node, Version: n.Version + "x", Data: []byte("1")})
			return true
		}},
	}
}

// TestAuditFindsDamage runs random flows to a random moment, at which nothing is wrong with the record, and damages it.
func TestAuditFindsDamage(t *testing.T) {
	t.Parallel()
	missing := make(map[string]bool)
	for _, d := range damages(nil) {
		missing[d.name] = true
	}
	for range 50 { // few random records hold what some of the damages are done to
		if len(missing) > 0 {
			rapid.Check(t, func(t *rapid.T) { findDamages(t, missing) })
		}
	}
	for name := range missing {
		t.Errorf("%s: no record could be damaged like that", name)
	}
}

// findDamages damages the record of a random task in every way that it can be, and takes each out of missing.
func findDamages(t *rapid.T, missing map[string]bool) {
	w := newWorld(t, drawGraph(t), nil, stubs()...)
	mustStart(t, w)
	for range rapid.IntRange(0, 40).Draw(t, "steps") {
		w.randomStep(t)
	}
	for _, d := range damages(w.activities()) {
		r := clone(w.record.whole())
		if !d.do(r, func(n int) int { return rapid.IntRange(0, n-1).Draw(t, d.name) }) {
			continue
		}
		if wrong := Audit(r, w.graph, w.now); len(wrong) == 0 {
			t.Fatalf("%s, and nothing was found", d.name)
		}
		delete(missing, d.name)
	}
}

// activities gives the indexes of the activities of the graph.
func (w *world) activities() (list []stdops.NodeIndex) {
	for i := range w.graph.Nodes {
		if w.graph.Nodes[i].Kind == stdops.KindActivity {
			list = append(list, stdops.NodeIndex(i))
		}
	}
	return list
}

func clone(r *stdops.Record) *stdops.Record {
	c := *r
	c.Nodes, c.Forks, c.Callbacks = slices.Clone(r.Nodes), slices.Clone(r.Forks), slices.Clone(r.Callbacks)
	c.Attempts, c.Log, c.Outputs = slices.Clone(r.Attempts), slices.Clone(r.Log), slices.Clone(r.Outputs)
	return &c
}
