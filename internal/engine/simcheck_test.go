package engine

import (
	"fmt"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/plugin"
)

// The invariants of docs/invariants.md, by the names that they have there.
const (
	eachTransitionOnce   = "each-transition-once"
	noTaskStuck          = "no-task-stuck"
	joinsCountRight      = "joins-count-right"
	endedIsFinal         = "ended-is-final"
	timesGoForward       = "times-go-forward"
	noCallAfterRevoke    = "no-call-after-revoke"
	ownedDueOrWaiting    = "owned-due-or-waiting"
	acknowledgedIsStored = "acknowledged-is-stored"
	calledAsStored       = "called-as-stored"
	calledAsDeclared     = "called-as-declared"
	memoryIsTheRecord    = "memory-is-the-record"
	slotsAddUp           = "slots-add-up"
	everyStepDecided     = "every-step-decided"
	recordIsSound        = "record-is-sound"
	finishedByItsCall    = "finished-by-its-call"
)

// broken is the panic with which a simulation ends when an invariant does not hold.
type broken struct{ invariant, text string }

func (b broken) String() string { return b.invariant + " does not hold: " + b.text }

func (s *simulation) broken(invariant, format string, args ...any) {
	panic(broken{invariant, fmt.Sprintf(format, args...)})
}

// watched is what the checks know of a task besides its record.
type watched struct {
	told     []told                 // by the transitions so far, by node
	kept     []int                  // attempts, by node
	branches map[stdops.Token]int32 // that live, by the thread that they come from
	last     time.Time              // of the latest transition
	ended    stdops.RootState       // as it was when the task ended
	begun    map[callID]simBegun
	waitsFor map[stdops.NodeIndex]callID // calls that are out by the record
	out      int                         // calls that are out now
	wake     time.Time                   // that the process was asked for; zero for none
	raised   bool                        // somebody else has changed the record
}

// simBegun is in which life of the server a call has begun for the last time, 0 for never, and whether it has ever ended.
type simBegun struct {
	life  int
	ended bool
}

func newWatched(nodes int) watched {
	w := watched{
		told: make([]told, nodes), kept: make([]int, nodes), branches: make(map[stdops.Token]int32), begun: make(map[callID]simBegun),
		waitsFor: make(map[stdops.NodeIndex]callID),
	}
	w.told[stdops.RootNode].state = stdops.StateCreated
	return w
}

// watch looks at a change that has just been stored, at as much as it touches.
func (s *simulation) watch(t *simTask, c *stdops.Change) {
	s.note(uint64(t.task.ID), uint64(c.Revision), uint64(len(c.Nodes)))
	s.watchEnd(t, c)
	a := audit{graph: t.graph}
	for i := range c.Transitions {
		tr := &c.Transitions[i]
		n := &t.told[tr.Node]
		s.note(uint64(tr.Node), uint64(tr.To))
		if tr.From != n.state || !mayFollow(tr) || !belongs(tr.Node, tr.To) {
			s.broken(eachTransitionOnce, "node %d of task %d goes from %s to %s, it was %s", tr.Node, t.task.ID, tr.From, tr.To, n.state)
		}
		if tr.Time.Before(t.last) || tr.Time.After(s.now) {
			s.broken(timesGoForward, "node %d of task %d becomes %s at %s; the one before was at %s, it is %s",
				tr.Node, t.task.ID, tr.To, moment(tr.Time), moment(t.last), moment(s.now))
		}
		t.last = tr.Time
		n.follow(tr)
		a.startsAnew(t.told, &stdops.LoggedTransition{Transition: *tr})
	}
	for i := range c.Nodes {
		s.watchNode(t, &c.Nodes[i])
	}
	root := &t.told[stdops.RootNode]
	if root.state != c.Root.State || !root.started.Equal(c.Root.Started) || !root.finished.Equal(c.Root.Finished) {
		s.broken(eachTransitionOnce, "task %d is %s, its log says %s", t.task.ID, c.Root.State, root)
	}
	if !c.Root.State.Ended() {
		for i := range c.Forks {
			s.watchJoin(t, c.Forks[i].Token)
			s.watchJoin(t, c.Forks[i].Parent)
		}
	}
}

func (s *simulation) watchEnd(t *simTask, c *stdops.Change) {
	if was := &t.ended; was.State.Ended() &&
		(was.State != c.Root.State || !was.Finished.Equal(c.Root.Finished) || !was.Started.Equal(c.Root.Started) || was.Version != c.Root.Version) {
		s.broken(endedIsFinal, "task %d was %s at %s, it becomes %s at %s", t.task.ID, was.State, moment(was.Finished), c.Root.State, moment(c.Root.Finished))
	}
	if c.Root.State.Ended() {
		t.ended = c.Root
	}
}

func (s *simulation) watchNode(t *simTask, n *stdops.NodeState) {
	s.watchResult(t, n)
	if !n.Finished.IsZero() && n.Finished.Before(n.Started) {
		s.broken(timesGoForward, "node %d of task %d finished before it started", n.Node, t.task.ID)
	}
	if wrong := wrongCalled(n); wrong != "" {
		s.broken(timesGoForward, "node %d of task %d %s", n.Node, t.task.ID, wrong)
	}
	stored := told{n.State, n.Loop, n.InnerLoop, n.Retry, n.Skip, n.Started, n.Finished, t.kept[n.Node]}
	if says := &t.told[n.Node]; !says.equal(&stored) {
		s.broken(eachTransitionOnce, "node %d of task %d is %s, its log says %s", n.Node, t.task.ID, &stored, says)
	}
}

// wrongCalled tells what is wrong with when the first call of a node began: it is known as soon as its phase says that the call was
// made, not before, and lies between its start and its end.
func wrongCalled(n *stdops.NodeState) string {
	made := n.Phase == stdops.PhaseExecuting || n.Phase == stdops.PhaseScheduling || n.Phase == stdops.PhaseWaiting
	switch {
	case made && n.Called.IsZero():
		return fmt.Sprintf("is in phase %s, but not when its call began", n.Phase)
	case !n.Called.IsZero() && (n.Phase == stdops.PhaseQueued || n.State == stdops.StateReady):
		return fmt.Sprintf("is %s in phase %s, its call began at %s", n.State, n.Phase, moment(n.Called))
	case !n.Called.IsZero() && (n.Called.Before(n.Started) || !n.Finished.IsZero() && n.Finished.Before(n.Called)):
		return fmt.Sprintf("was entered at %s, called at %s and ended at %s", moment(n.Started), moment(n.Called), moment(n.Finished))
	}
	return ""
}

// watchResult makes sure that a node whose call was out is finished by that call and no other.
func (s *simulation) watchResult(t *simTask, n *stdops.NodeState) {
	id, waited := t.waitsFor[n.Node]
	if waited && n.State == stdops.StateFinished && n.Version == id.version && !t.begun[id].ended {
		s.broken(finishedByItsCall, "node %d of task %d is FINISHED, but its call %d has not ended", n.Node, t.task.ID, id.number)
	}
	if callOut(n) {
		t.waitsFor[n.Node] = callID{n.Node, n.Version, n.Call}
	} else if waited {
		delete(t.waitsFor, n.Node)
	}
}

func (s *simulation) watchJoin(t *simTask, token stdops.Token) {
	f := t.forks[token]
	if want, has := f.Need-f.Have, t.branches[token]; token != 0 && want != has {
		s.broken(joinsCountRight, "thread %d of task %d waits for %d branches, there are %d", token, t.task.ID, want, has)
	}
}

// watchCall looks at a call that is about to begin.
func (s *simulation) watchCall(t *simTask, c *call) {
	n, root := t.nodes[c.node], &t.task.Root
	spec := simSpecs[c.code]
	if root.State.Ended() && (c.number == 0 || !spec.Inward) {
		s.broken(noCallAfterRevoke, "task %d is %s, and call %d of node %d (%s) begins", t.task.ID, root.State, c.number, c.node, c.code)
	}
	phase := stdops.PhaseScheduling
	rule := spec.Schedule
	if c.number == 0 {
		phase, rule = stdops.PhaseExecuting, spec.Execute
	}
	if n == nil || n.Phase != phase || n.Version != c.version || n.Call != c.number {
		s.broken(calledAsStored, "call %d of node %d of task %d begins, the record says %+v", c.number, c.node, t.task.ID, n)
	}
	b := t.begun[c.id()]
	if b.life > 0 && (b.life == s.life || rule != plugin.Repeat && (c.number == 0 || rule == plugin.Unknown)) {
		s.broken(calledAsDeclared, "call %d of node %d of task %d (%s) begins again, in life %d after %d", c.number, c.node, t.task.ID, c.code, s.life, b.life)
	}
	before := c.id()
	before.number--
	if asks := c.number == 1 && spec.Execute == plugin.Ask; c.number > 0 && !asks && !t.begun[before].ended {
		s.broken(calledAsDeclared, "call %d of node %d of task %d (%s) begins, the one before has not ended", c.number, c.node, t.task.ID, c.code)
	}
	b.life = s.life
	t.begun[c.id()] = b
}

// checkMemory holds what a driver has in memory against the record, after a step.
func (s *simulation) checkMemory(d *driver, t *simTask, dl *delta) {
	if t.raised && d.st.root.Revision != t.task.Root.Revision {
		return
	}
	memory, stored := d.st.root, t.task.Root
	memory.WakeAt, memory.Epoch = stored.WakeAt, stored.Epoch // of which memory may know better
	if memory != stored {
		s.broken(memoryIsTheRecord, "task %d is %+v in memory, %+v in the record", t.task.ID, memory, stored)
	}
	for i := range dl.step.nodes {
		if t.nodes[i] == nil || *d.st.nodes[i] != *t.nodes[i] {
			s.broken(memoryIsTheRecord, "node %d of task %d is %+v in memory, %+v in the record", i, t.task.ID, d.st.nodes[i], t.nodes[i])
		}
	}
}

// checkOwned makes sure that something will happen to a live task.
func (s *simulation) checkOwned(t *simTask) {
	e, ref := s.engine, t.ref()
	if !t.task.Root.Live || e.stopping || t.out > 0 || !t.wake.IsZero() {
		return
	}
	if d := e.drivers[ref]; d != nil && d.busy {
		return
	}
	if _, waits := e.seats.waiting[ref]; waits {
		return
	}
	for i := range e.slots.classes {
		if w := e.slots.classes[i].tasks[holder{ref, e.Epoch}]; w != nil && w.wants > 0 {
			return
		}
	}
	waits := t.task.Root.State == stdops.StateSuspended
	for _, n := range t.nodes {
		if n == nil {
			continue
		}
		if callOut(n) || n.Phase == stdops.PhaseQueued || hasTime(n) {
			s.broken(ownedDueOrWaiting, "node %d of task %d is %s, phase %s, due %s, over its limit at %s; nobody drives the task and nothing wakes it",
				n.Node, t.task.ID, n.State, n.Phase, moment(n.Due), moment(n.Deadline))
		}
		waits = waits || n.State == stdops.StateFailed || n.State == stdops.StateSuspended || n.Phase == stdops.PhaseWaiting
	}
	if !waits {
		s.broken(ownedDueOrWaiting, "task %d is %s and waits for nobody; nobody drives it and nothing wakes it", t.task.ID, t.task.Root.State)
	}
}

// checkSlots counts the slots that are taken.
func (s *simulation) checkSlots() {
	for class := range s.engine.slots.classes {
		c := &s.engine.slots.classes[class]
		want := 0
		for _, t := range c.tasks {
			want += t.aside
		}
		for _, call := range s.calls {
			if int(call.call.class) == class && !call.released {
				want++
			}
		}
		for _, rides := range [][]*ride{s.storing, s.stored} {
			for _, r := range rides {
				want += r.turn.hand.taken[class]
			}
		}
		if c.used != want || want > c.size {
			s.broken(slotsAddUp, "%d of %d slots for %s are taken or set aside, the count is %d", want, c.size, plugin.Class(class), c.used)
		}
	}
}

// checkAnswer holds the answer to a command against the record.
func (s *simulation) checkAnswer(u *simUser, err error) {
	if u.cmd.Key == nil {
		return
	}
	if stored := s.store.keys[simKeyOf(u.cmd.Key)]; err == nil && (!stored || u.done) {
		s.broken(acknowledgedIsStored, "%s of task %d was acknowledged; it is in the record: %t; it was acknowledged before: %t",
			u.cmd.Kind, u.ref.Task, stored, u.done)
	} else if err == stdops.ErrRepeated && !stored { //nolint:errorlint // it is never wrapped
		s.broken(acknowledgedIsStored, "%s of task %d was called repeated, but is not in the record", u.cmd.Kind, u.ref.Task)
	}
}

// audit looks at all of a task.
func (s *simulation) audit(t *simTask) {
	if wrong := Audit(t.record(), t.graph, s.now); len(wrong) > 0 {
		s.broken(recordIsSound, "task %d: %q\n%s", t.task.ID, wrong, s.describe(t))
	}
}
