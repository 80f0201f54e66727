package engine

import (
	"slices"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/plugin"
)

// start implements [calls]: the call is out until the seed lets it end.
func (s *simulation) start(d *driver, c call) {
	t := s.store.tasks[d.ref.Task]
	s.watchCall(t, &c)
	t.out++
	stuck := !s.calm && s.chance(s.never)
	if stuck {
		s.faults[faultNever]++
	}
	s.calls = append(s.calls, &simCall{driver: d, task: t, call: c, stuck: stuck})
}

// cancel implements [calls].
func (s *simulation) cancel(ref stdops.TaskRef, n stdops.NodeIndex, why error) {
	for _, c := range s.calls {
		if c.driver.ref == ref && c.call.node == n && c.cancelled == nil {
			c.cancelled = why
		}
	}
}

// out implements [calls].
func (s *simulation) out(ref stdops.TaskRef) map[callID]bool {
	out := make(map[callID]bool)
	for _, c := range s.calls {
		if c.driver.ref == ref {
			out[c.call.id()] = true
		}
	}
	return out
}

// endCall lets a call end, or do a part of that: its slot is free, its result is posted, it has left the pool.
func (s *simulation) endCall() (_ *simTask, happened bool) {
	c := s.calls[s.rand.IntN(len(s.calls))]
	first := slices.IndexFunc(s.calls, func(o *simCall) bool { return o.task == c.task && o.call.node == c.call.node })
	c = s.calls[first] // calls of one node are never out at once: the later one waits
	if c.stuck && c.cancelled == nil && !s.calm {
		return nil, false
	}
	if !c.released {
		c.released = true
		if s.mistake != mistakeSlots || s.rand.IntN(50) > 0 {
			s.engine.slots.release(c.driver.ref, c.call.class)
		}
		if s.chance(s.piece) {
			return nil, true
		}
	}
	if !c.ended {
		c.ended = true
		l := letter{event: s.result(c), result: true}
		if s.mistake != mistakeLoses || s.rand.IntN(50) > 0 {
			s.engine.post(c.driver.ref, l)
		}
		if s.faultWeight[faultDuplicate] > 0 && s.rand.IntN(20) == 0 && !s.calm {
			s.faults[faultDuplicate]++
			s.late = append(s.late, lateLetter{c.driver.ref, l})
		}
		if s.chance(s.piece) {
			return nil, true
		}
	}
	c.task.out--
	s.calls = slices.Delete(s.calls, first, first+1)
	return c.task, true
}

var simOutcomes = []plugin.Outcome{plugin.Done, plugin.Done, plugin.Done, {Next: plugin.Callback}, plugin.PollAfter(0), plugin.PollAfter(3 * time.Second), plugin.PollAfter(5 * time.Minute)}

func (s *simulation) result(c *simCall) callEnded {
	s.serial++
	c.call.outputs.Set("out", int64(s.serial))
	ended := callEnded{
		node: c.call.node, version: c.call.version, call: c.call.number, inputs: c.call.inputs, outputs: c.call.outputs, called: c.call.called,
	}
	switch {
	case c.cancelled != nil:
		ended.failed = true
		c.call.outputs.Set("ex_data", c.cancelled.Error())
	case s.calm:
	case s.chance(s.fails):
		ended.failed = true
	default:
		ended.outcome = simOutcomes[s.rand.IntN(len(simOutcomes))]
	}
	return ended
}

// fault decides what becomes of an access to the store.
func (s *simulation) fault(reads bool) simFault {
	switch {
	case s.calm:
	case reads && s.chance(s.brokenReads), !reads && s.chance(s.brokenAny):
		s.faults[faultBroken]++
		return simBroken
	case !reads && s.full > 0:
		return simFull
	case !reads && s.chance(s.unheard):
		s.faults[faultUnheard]++
		s.store.resend = s.mistake == mistakeResends
		return simUnheard
	}
	s.store.resend = false
	return simFine
}

// goWrong lets something go wrong.
func (s *simulation) goWrong() (happened bool) {
	kind := s.rand.IntN(faultRaised + 1)
	if s.rand.IntN(20) > s.faultWeight[kind]*s.faultWeight[kind] {
		return false
	}
	switch kind {
	case faultCrash:
		s.crash()
	case faultRestart:
		if s.stopping != simRuns {
			return false
		}
		s.stopping = simToStop
	case faultFull:
		s.full = 20 + s.rand.IntN(200)
	case faultReorder:
		rides := slices.Concat(s.ready, s.storing, s.stored)
		rides = slices.DeleteFunc(rides, func(r *ride) bool { return len(r.driver.mailbox) < 2 })
		if len(rides) == 0 {
			return false
		}
		box := rides[s.rand.IntN(len(rides))].driver.mailbox
		s.rand.Shuffle(len(box), func(i, j int) { box[i], box[j] = box[j], box[i] })
	case faultRaised:
		if len(s.tasks) == 0 {
			return false
		}
		t := s.tasks[s.rand.IntN(len(s.tasks))]
		if len(s.storing) > 0 {
			t = s.storing[s.rand.IntN(len(s.storing))].task
		}
		root := t.task.Root
		s.store.store(stdops.Change{Task: t.task.ID, Project: t.task.Project, Revision: root.Revision, Epoch: root.Epoch, Root: root})
		t.raised = true
	}
	s.faults[kind]++
	return true
}

// stopFurther brings a server that is to stop nearer to its end, as Stop does.
func (s *simulation) stopFurther() {
	switch s.stopping {
	case simRuns:
	case simToStop:
		if len(s.storing)+len(s.stored) == 0 {
			s.engine.stop = func() {}
			s.engine.end()
			s.stopping = simStopped
		}
	case simStopped:
		if s.rand.IntN(30) == 0 || len(s.calls) == 0 {
			s.cutOff()
			s.stopping = simCut
		}
	case simCut:
		if len(s.ready)+len(s.storing)+len(s.stored)+len(s.pausing) == 0 {
			s.crash() // nothing is left that a crash could take
		}
	}
}

// cutOff ends the calls that are out; nobody takes their results.
func (s *simulation) cutOff() {
	for _, c := range s.calls {
		if !c.released {
			s.engine.slots.release(c.driver.ref, c.call.class)
		}
		c.task.out--
	}
	s.calls = nil
}

// simMistake is what is wrong with a server of which a test wants to know whether it is found.
type simMistake uint8

const (
	noMistake           simMistake = iota
	mistakeResends                 // the store stores again what it does not know to be stored
	mistakePutsOff                 // wake-ups are put off, again and again
	mistakeJoins                   // a branch that arrives is counted twice
	mistakeEndsAgain               // every change of a task that has ended ends it anew
	mistakeClock                   // the clock goes back at times
	mistakeRevoke                  // polls go on in a task that was revoked
	mistakeLoses                   // some results are lost
	mistakeSleeps                  // no wake-up comes
	mistakeAcknowledges            // commands are acknowledged before they are stored
	mistakeCallsEarly              // calls begin before the commit that says so
	mistakeRepeats                 // calls are repeated after a crash whatever their plugin declares
	mistakeMemory                  // a node in memory is not as it is stored
	mistakeSlots                   // some slots are never given back
	mistakePanics                  // some steps cannot be decided
	mistakeForgets                 // what nodes were given and gave is not stored
)

// spoil makes the mistakes that are made between decision and commit.
func (s *simulation) spoil(t *turn) {
	switch s.mistake {
	case mistakeJoins:
		for i := range t.delta.change.Forks {
			if f := &t.delta.change.Forks[i]; f.Have > 0 && !f.Dead {
				f.Have++
				t.delta.step.forks[f.Token] = *f
			}
		}
	case mistakeAcknowledges:
		for i := range t.letters {
			if l := &t.letters[i]; l.answer != nil {
				l.answer <- nil
				l.answer = make(chan error, 1)
			}
		}
	case mistakeCallsEarly:
		for _, c := range t.delta.calls {
			s.watchCall(s.store.tasks[t.delta.change.Task], &c)
		}
	default:
	}
}

// running gives the nodes that run.
func (t *simTask) running() []stdops.NodeIndex {
	var list []stdops.NodeIndex
	for _, n := range t.nodes {
		if n != nil && n.State == stdops.StateRunning {
			list = append(list, n.Node)
		}
	}
	return list
}
