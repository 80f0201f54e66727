package engine

import (
	"slices"

	"github.com/stdops/stdops"
)

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
	mistakeMixesUp                 // the result of any call of a node is that of its latest
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
