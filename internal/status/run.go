package status

import (
	"time"

	"github.com/stdops/stdops"
)

// Phase says whether anything goes on in a task: beside its state the second view of how it stands.
type Phase string

// The phases.
const (
	Queued       Phase = "queued"        // not started, or all that could go on waits for room
	Running      Phase = "running"       // something goes on by itself
	Draining     Phase = "draining"      // paused or revoked, while something is still out
	WaitingHuman Phase = "waiting_human" // nothing goes on before a person resumes or answers
	Blocked      Phase = "blocked"       // nothing goes on, and a node FAILED
	Ended        Phase = "ended"
)

// Cause is what a task or a node waits for, or why it does not go on.
type Cause string

// The causes.
const (
	NotStarted Cause = "not_started"
	NotClaimed Cause = "not_claimed"
	Slot       Cause = "slot"     // room for its call, or its turn
	Calling    Cause = "calling"  // its call is out
	Polling    Cause = "polling"  // a poll is out, or comes at a time that is known
	Callback   Cause = "callback" // a program is to call it back
	Timer      Cause = "timer"    // the clock
	RetryAt    Cause = "retry_at" // it failed and tries again by itself
	Child      Cause = "child"    // the task that it has made
	Paused     Cause = "paused"   // the task as a whole
	NodePaused Cause = "node_paused"
	Person     Cause = "person" // is to confirm something
	Failing    Cause = "failed"
	Stopping   Cause = "stopping" // what is still out in a task that was paused or revoked
	Finished   Cause = "finished"
	Revoked    Cause = "revoked"
	Unreadable Cause = "unreadable"
)

// Nature is what the plugin of a node tells about its waiting.
type Nature struct {
	Person bool // it waits for somebody
	Child  bool // it waits for a task that it has made
	Inward bool // its polls look at the clock only
}

// RunRows is what a [Run] is projected from.
type RunRows struct {
	Skeleton *stdops.Skeleton
	Task     *stdops.Task
	Nodes    []stdops.NodeState // in the order of first execution; those that are FINISHED may be left out
	Done     int                // activities that are FINISHED
	Nature   func(code string) Nature
}

// Run is whether anything goes on in a task, and what it waits for.
type Run struct {
	Phase       Phase
	Done, Total int // activities
	Running     Some
	Failed      Some
	Paused      Some
	Why         Why
}

// Some is how many nodes there are of a kind, and the first of them.
type Some struct {
	Nodes []stdops.NodeIndex
	Count int
}

// Why is the cause of a phase. Node is the first node that it is about, the root where it is about none.
type Why struct {
	Cause Cause
	Node  stdops.NodeIndex
	Until time.Time // when it is over by itself, where that is known
	Count int       // nodes that it is about
}

// How many nodes a run names.
const (
	mostRunning = 8
	mostFailed  = 50
	mostPaused  = 50
)

// UnreadableRun is the run of a task whose nodes cannot be read: what its own row tells.
func UnreadableRun(task *stdops.Task) Run {
	phase := Running
	switch {
	case task.Root.State == stdops.StateCreated:
		phase = Queued
	case task.Root.State.Ended():
		phase = Ended
	}
	return Run{Phase: phase, Why: Why{Cause: Unreadable}}
}

// RunOf projects the run of a task.
func RunOf(rows *RunRows) Run {
	if !readable(rows) {
		return UnreadableRun(rows.Task)
	}
	r := Run{Done: rows.Done}
	for i := range rows.Skeleton.Nodes {
		if rows.Skeleton.Nodes[i].Kind == stdops.KindActivity {
			r.Total++
		}
	}
	var found tally
	nodes := rows.Nodes
	if root := rows.Task.Root.State; root == stdops.StateCreated || root == stdops.StateFinished {
		nodes = nil // nothing waits in it
	}
	for i := range nodes {
		n := &nodes[i]
		cause, ok := causeOf(rows, n)
		if !ok {
			continue
		}
		found.add(cause, n)
		switch cause {
		case Failing, RetryAt:
			r.Failed.add(n.Node, mostFailed)
		case NodePaused, Person:
			r.Paused.add(n.Node, mostPaused)
		case Slot:
		default:
			r.Running.add(n.Node, mostRunning)
		}
	}
	r.Phase, r.Why = phaseOf(rows.Task, &found)
	return r
}

// readable reports whether the skeleton has a place for every state.
func readable(rows *RunRows) bool {
	if rows.Skeleton == nil {
		return false
	}
	for i := range rows.Nodes {
		if at := rows.Nodes[i].Node; at <= stdops.RootNode || int(at) >= len(rows.Skeleton.Nodes) {
			return false
		}
	}
	return true
}

func (s *Some) add(n stdops.NodeIndex, most int) {
	if s.Count++; s.Count <= most {
		s.Nodes = append(s.Nodes, n)
	}
}

// tally counts nodes by what they wait for.
type tally struct {
	list []Why // few causes are found at a time
}

func (t *tally) add(c Cause, n *stdops.NodeState) {
	w := t.find(c)
	if w == nil {
		t.list = append(t.list, Why{Cause: c, Node: n.Node, Until: n.Due, Count: 1})
		return
	}
	w.Count++
	if !n.Due.IsZero() && (w.Until.IsZero() || n.Due.Before(w.Until)) {
		w.Until = n.Due
	}
}

func (t *tally) find(c Cause) *Why {
	for i := range t.list {
		if t.list[i].Cause == c {
			return &t.list[i]
		}
	}
	return nil
}

// first gives what is found of some causes: that of the first one, and how many nodes there are of all of them.
func (t *tally) first(of ...Cause) (why Why, found bool) {
	total := 0
	for _, c := range of {
		w := t.find(c)
		if w == nil {
			continue
		}
		if !found {
			why, found = *w, true
		}
		total += w.Count
	}
	why.Count = total
	return why, found
}

// What goes on by itself, the most telling first.
var goesOn = []Cause{Calling, Polling, Timer, Callback, Child}

func phaseOf(task *stdops.Task, found *tally) (Phase, Why) {
	switch root := task.Root.State; {
	case root == stdops.StateCreated && task.CurrentFlow() == "func_claim":
		return Queued, Why{Cause: NotClaimed}
	case root == stdops.StateCreated:
		return Queued, Why{Cause: NotStarted}
	case root == stdops.StateFinished:
		return Ended, Why{Cause: Finished}
	case root == stdops.StateRevoked:
		if out, any := found.first(goesOn...); any {
			return Draining, stopping(out)
		}
		return Ended, Why{Cause: Revoked}
	case root == stdops.StateSuspended:
		return pausedPhase(found)
	}
	for _, c := range append(goesOn[:len(goesOn):len(goesOn)], RetryAt) {
		if why, any := found.first(c); any {
			return Running, why
		}
	}
	if why, any := found.first(Slot); any {
		return Queued, why
	}
	if why, any := found.first(Failing); any {
		return Blocked, why
	}
	if why, any := found.first(Person); any {
		return WaitingHuman, why
	}
	if why, any := found.first(NodePaused); any {
		return WaitingHuman, why
	}
	return Queued, Why{Cause: Slot} // between two nodes: its next step is about to be made
}

// pausedPhase is for a task that is paused as a whole. What was to be tried again by itself waits for the end of the pause.
func pausedPhase(found *tally) (Phase, Why) {
	if out, any := found.first(append(goesOn[:len(goesOn):len(goesOn)], Slot)...); any {
		return Draining, stopping(out)
	}
	if why, any := found.first(Failing); any {
		return Blocked, why
	}
	return WaitingHuman, Why{Cause: Paused}
}

func stopping(out Why) Why {
	return Why{Cause: Stopping, Node: out.Node, Until: out.Until, Count: out.Count}
}

// causeOf tells what a node waits for, if it waits for anything of its own. In a task that has ended nothing begins any
// more, and nobody is waited for; what is out may still end, and so may what only looks at the clock.
func causeOf(rows *RunRows, n *stdops.NodeState) (Cause, bool) {
	ended := rows.Task.Root.State.Ended()
	switch {
	case n.State == stdops.StateFailed && !n.Due.IsZero() && !ended:
		return RetryAt, true
	case n.State == stdops.StateFailed:
		return Failing, true
	case n.State == stdops.StateSuspended && !ended:
		return NodePaused, reached(n) // one that was not reached has a pause appointed only
	case n.State == stdops.StateRunning && rows.Skeleton.Nodes[n.Node].Kind == stdops.KindActivity:
		cause := waitsFor(n, rows.Nature(rows.Skeleton.Nodes[n.Node].Plugin))
		return cause, !ended || cause == Calling || cause == Polling || cause == Timer
	default:
		return "", false
	}
}

// waitsFor tells what a RUNNING activity waits for.
func waitsFor(n *stdops.NodeState, of Nature) Cause {
	switch n.Phase {
	case stdops.PhaseExecuting:
		return Calling
	case stdops.PhaseScheduling:
		if n.Due.IsZero() { // it handles a callback
			return Calling
		}
		return Polling
	case stdops.PhaseWaiting:
	default:
		return Slot
	}
	switch {
	case !n.Due.IsZero() && of.Inward:
		return Timer
	case !n.Due.IsZero():
		return Polling
	case of.Person:
		return Person
	case of.Child:
		return Child
	default:
		return Callback
	}
}

// NodeWhy tells what one node waits for, false when it waits for nothing of its own.
func NodeWhy(task *stdops.Task, place *stdops.SkeletonNode, n *stdops.NodeState, of Nature) (Why, bool) {
	alone := stdops.Skeleton{Nodes: []stdops.SkeletonNode{{}, *place}}
	at := *n
	at.Node = 1
	cause, ok := causeOf(&RunRows{Skeleton: &alone, Task: task, Nature: func(string) Nature { return of }}, &at)
	if !ok {
		return Why{}, false
	}
	if task.Root.State.Ended() && cause != Failing {
		cause = Stopping
	}
	return Why{Cause: cause, Node: n.Node, Until: n.Due, Count: 1}, true
}
