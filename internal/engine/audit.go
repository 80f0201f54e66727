package engine

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/flow"
)

// Audit holds the record of a task against its log and against what always holds, and gives what is wrong, a sentence for
// each. Nothing is wrong with a record that this package has written, whenever its process ended. The time is that of the
// look: what was to happen before it happens at the next start.
func Audit(record *stdops.Record, graph *flow.Graph, now time.Time) []string {
	a := &audit{Record: record, graph: graph, now: now, states: make(map[stdops.NodeIndex]*stdops.NodeState, len(record.Nodes))}
	if _, err := restore(&record.Snapshot, graph, Info{Zone: time.UTC}); err != nil {
		a.wrong("no server could go on with it: %v", err)
		return a.problems
	}
	for i := range record.Nodes {
		a.states[record.Nodes[i].Node] = &record.Nodes[i]
	}
	if a.Task.Archived.IsZero() { // else there is no log any more
		a.compare(a.replay())
	}
	a.checkNodes()
	a.checkVersions()
	a.checkLive()
	a.checkCallbacks()
	switch record.Task.Root.State {
	case stdops.StateCreated:
		if len(record.Nodes)+len(record.Forks)+len(record.Callbacks) > 0 || slices.ContainsFunc(record.Log, movedIn) {
			a.wrong("it was not started, but has nodes, threads, callbacks, or transitions in its log")
		}
	case stdops.StateRunning, stdops.StateSuspended:
		a.checkThreads()
	default:
		a.checkEnded()
	}
	if !a.Task.Archived.IsZero() {
		a.checkArchived()
	}
	return a.problems
}

func movedIn(l stdops.LoggedTransition) bool { return l.Moved() }

// audit is one run of [Audit].
type audit struct {
	*stdops.Record
	graph    *flow.Graph
	now      time.Time
	states   map[stdops.NodeIndex]*stdops.NodeState
	problems []string
}

func (a *audit) wrong(format string, args ...any) {
	a.problems = append(a.problems, fmt.Sprintf(format, args...))
}

func (a *audit) subprocess(n stdops.NodeIndex) bool {
	return a.graph.Nodes[n].Kind == stdops.KindSubprocess
}

// checkNodes looks at each node by itself.
func (a *audit) checkNodes() {
	orders := make(map[int32]stdops.NodeIndex)
	for i := range a.Nodes {
		n := &a.Nodes[i]
		name := a.name(n.Node)
		activity := a.graph.Nodes[n.Node].Kind == stdops.KindActivity
		if (n.Phase != stdops.PhaseNone) != (n.State == stdops.StateRunning && activity) {
			a.wrong("%s is %s in phase %q", name, n.State, n.Phase)
		}
		if !n.Finished.IsZero() && n.Finished.Before(n.Started) {
			a.wrong("%s finished before it started", name)
		}
		if !n.Called.IsZero() && !activity {
			a.wrong("%s calls nothing, but it is noted down when its call began", name)
		}
		if n.State == stdops.StateFinished && activity && a.Task.Archived.IsZero() && !slices.Contains(a.Outputs, n.Node) {
			a.wrong("%s is FINISHED, but its outputs are not stored", name)
		}
		if n.Order == 0 {
			if !n.Started.IsZero() {
				a.wrong("%s has begun, but has no place in the order of execution", name)
			}
			continue
		}
		if other, taken := orders[n.Order]; taken {
			a.wrong("%s and %s have one place in the order of execution", a.name(other), name)
		}
		orders[n.Order] = n.Node
	}
	for place := range int32(len(orders)) {
		if _, there := orders[place+1]; !there {
			a.wrong("nobody has place %d in the order of execution", place+1)
		}
	}
}

// checkVersions makes sure that each version names one attempt of one node.
func (a *audit) checkVersions() {
	owner := make(map[stdops.Version]string)
	check := func(n *stdops.NodeState, what string) {
		if before := owner[n.Version]; n.Version == "" || before != "" {
			a.wrong("%s has version %q, which is that of %s", what, n.Version, before)
		}
		owner[n.Version] = what
	}
	for i := range a.Attempts {
		n := &a.Attempts[i].State
		what := fmt.Sprintf("attempt %d of %s", a.Attempts[i].ID, a.name(n.Node))
		if n.Node <= stdops.RootNode || int(n.Node) >= len(a.graph.Nodes) {
			a.wrong("%s is kept", what)
		}
		check(n, what)
	}
	for i := range a.Nodes {
		check(&a.Nodes[i], a.name(a.Nodes[i].Node))
	}
}

// checkLive makes sure that a task in which something is to happen is known to the next start, and is woken in time.
func (a *audit) checkLive() {
	problems, _ := a.sleep()
	for _, text := range problems {
		a.wrong("%s", text)
	}
}

// sleep gives what is wrong with how the record says that the task has to be looked at. It wakes when all of that is that
// nobody would look, or too late.
func (a *audit) sleep() (problems []string, wakes bool) {
	root := &a.Task.Root
	calls, moving, queued, waits := false, false, false, false
	var due time.Time
	for i := range a.Nodes {
		n := &a.Nodes[i]
		calls = calls || callOut(n)
		queued = queued || n.Phase == stdops.PhaseQueued
		waits = waits || n.State == stdops.StateFailed || n.State == stdops.StateSuspended || n.Phase == stdops.PhaseWaiting
		due = earliest(due, earliest(n.Due, n.Deadline))
	}
	for i := range a.Forks {
		moving = moving || a.Forks[i].Moving
	}
	open := root.State == stdops.StateRunning || root.State == stdops.StateSuspended
	live := open || root.State.Ended() && (calls || moving || !due.IsZero())
	if root.Live != live {
		problems = append(problems, fmt.Sprintf("whether something happens in it is noted as %t, it should be %t", root.Live, live))
		wakes = live
	}
	switch {
	case !live:
	case root.WakeAt.IsZero() && (calls || moving || open && (queued || len(a.own()) > 0)):
		return append(problems, "something is under way in it, but no start would look at it"), true
	case !due.IsZero() && (root.WakeAt.IsZero() || root.WakeAt.After(due) && root.WakeAt.After(a.now)):
		return append(problems, fmt.Sprintf("something is due at %s, but it is woken at %s", moment(due), moment(root.WakeAt))), true
	case root.WakeAt.IsZero() && root.State == stdops.StateRunning && !waits:
		return append(problems, "it is RUNNING, but nothing is under way and it waits for nobody"), false
	}
	return problems, wakes
}

// own gives the callbacks that the driver of the task has accepted. What children told is stored by others: it may come
// when nobody waits for it any more, and a start looks at the task for its sake.
func (a *audit) own() (own []stdops.Callback) {
	for _, c := range a.Callbacks {
		if c.Seq > 0 {
			own = append(own, c)
		}
	}
	return own
}

func (a *audit) checkCallbacks() {
	for _, c := range a.own() {
		n := a.states[c.Node]
		if n == nil || n.State != stdops.StateRunning || n.Version != c.Version {
			a.wrong("callback %d waits for version %s of node %d, which does not run", c.Seq, c.Version, c.Node)
		}
	}
}

// threads is where the threads of execution of a task are.
type threads struct {
	forks    map[stdops.Token]*stdops.Fork
	places   map[stdops.Token][]stdops.NodeIndex // that a thread rests on, or is about to enter
	branches map[stdops.Token]int32              // that come from a thread
}

// findThreads looks where the threads are. The first one has a row of its own only while it does not simply rest.
func (a *audit) findThreads() *threads {
	t := &threads{
		forks:    make(map[stdops.Token]*stdops.Fork),
		places:   map[stdops.Token][]stdops.NodeIndex{mainToken: nil},
		branches: make(map[stdops.Token]int32),
	}
	for i := range a.Forks {
		f := &a.Forks[i]
		t.forks[f.Token] = f
		t.branches[f.Parent]++
		t.places[f.Token] = nil
		if f.Stopped || f.Moving {
			t.places[f.Token] = []stdops.NodeIndex{f.Next}
		}
	}
	for i := range a.Nodes {
		n := &a.Nodes[i]
		if n.State == stdops.StateFailed || n.State == stdops.StateRunning && !a.subprocess(n.Node) {
			t.places[n.Token] = append(t.places[n.Token], n.Node)
		}
	}
	return t
}

// checkThreads makes sure that no thread of execution was lost or doubled: each is in one place, and whoever waits for
// branches waits for as many as there are.
func (a *audit) checkThreads() {
	t := a.findThreads()
	inside := make(map[stdops.NodeIndex]bool)
	for _, token := range slices.Sorted(maps.Keys(t.places)) {
		f, at := t.forks[token], t.places[token]
		if f == nil && token != mainToken {
			a.wrong("%s runs in thread %d, which does not exist", a.name(at[0]), token)
		} else if want := count(f == nil || f.Need == 0); len(at) != want {
			a.wrong("thread %d is in %d places, it should be in %d", token, len(at), want)
		}
		for _, n := range at {
			a.checkAround(n, inside)
		}
	}
	for i := range a.Forks {
		a.checkFork(&a.Forks[i], t)
	}
	for i := range a.Nodes {
		if n := &a.Nodes[i]; n.State == stdops.StateRunning && a.subprocess(n.Node) && !inside[n.Node] {
			a.wrong("%s is RUNNING, but no thread is inside", a.name(n.Node))
		}
	}
}

func (a *audit) checkFork(f *stdops.Fork, t *threads) {
	if want := f.Need - f.Have; want != t.branches[f.Token] {
		a.wrong("thread %d waits for %d branches, there are %d", f.Token, want, t.branches[f.Token])
	}
	switch {
	case f.Parent == 0 && f.Token != mainToken:
		a.wrong("thread %d comes from nowhere", f.Token)
	case f.Parent != 0 && t.forks[f.Parent] == nil:
		a.wrong("thread %d is a branch of thread %d, which does not exist", f.Token, f.Parent)
	}
	if f.Stopped && !a.paused(f.SuspendedBy) {
		a.wrong("thread %d is stopped by a pause of %s, which is not paused", f.Token, a.name(f.SuspendedBy))
	}
}

// checkAround makes sure that the subprocesses around a node where a thread is have begun and not ended, and notes them.
func (a *audit) checkAround(n stdops.NodeIndex, inside map[stdops.NodeIndex]bool) {
	for _, p := range enclosing(a.graph, n) {
		inside[p] = true
		if own := a.states[p]; own == nil || own.State != stdops.StateRunning && own.State != stdops.StateSuspended {
			a.wrong("a thread is at %s, but %s around it does not run", a.name(n), a.name(p))
		}
	}
}

// paused reports whether the task or a node is SUSPENDED.
func (a *audit) paused(n stdops.NodeIndex) bool {
	if n == stdops.RootNode {
		return a.Task.Root.State == stdops.StateSuspended
	}
	return a.states[n] != nil && a.states[n].State == stdops.StateSuspended
}

// checkArchived makes sure that a task which was archived may not go on.
func (a *audit) checkArchived() {
	if root := &a.Task.Root; root.State != stdops.StateCreated && !root.State.Ended() {
		a.wrong("it is %s, but was archived", root.State)
	}
	if a.Task.Archived.Before(a.Task.Root.Finished) {
		a.wrong("it was archived before it ended")
	}
}

// checkEnded makes sure that nothing goes on in a task that has ended, and that one that is FINISHED left nothing out.
func (a *audit) checkEnded() {
	for i := range a.Forks {
		if f := &a.Forks[i]; f.Stopped || f.Moving || a.Task.Root.State == stdops.StateFinished {
			a.wrong("it has ended, but thread %d goes on", f.Token)
		}
	}
	if a.Task.Root.State != stdops.StateFinished {
		return
	}
	for i := range a.Nodes {
		if n := &a.Nodes[i]; n.Order > 0 && n.State != stdops.StateFinished {
			a.wrong("it is FINISHED, but %s is %s", a.name(n.Node), n.State)
		}
	}
	if waiting := len(a.own()); waiting > 0 {
		a.wrong("it is FINISHED, but %d callbacks wait", waiting)
	}
}
