package engine

import (
	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/plugin"
)

// room is asked for a slot for each call that begins. What a step has taken and is not stored with is given back by the
// driver.
type room interface {
	take(class plugin.Class) bool
}

// Nodes whose call waits for room stand in lanes, two for each class: what has begun goes before what has not. A call
// waits before its phase says that it is out, so that a crash leaves no doubt about it: it did not happen.
const (
	begunLane = iota // polls and callbacks of nodes in phase waiting
	freshLane        // executes of nodes in phase queued
	laneKinds

	lanes = laneKinds * plugin.Classes
)

// stepLine is what a step changes about a lane. Entries are never taken out of the middle: one whose node has moved on
// means nothing any more and is passed over.
type stepLine struct {
	taken int                // so many nodes at its head are no longer in it
	added []stdops.NodeIndex // and these follow
}

func laneOf(class plugin.Class, kind int) int { return int(class)*laneKinds + kind }

// enqueue lets a node wait until there is room for its call.
func (s *step) enqueue(n stdops.NodeIndex, kind int) {
	line := &s.lines[laneOf(s.classOf(n), kind)]
	line.added = append(line.added, n)
}

// classOf gives the class of a node's plugin.
func (s *step) classOf(n stdops.NodeIndex) plugin.Class {
	act := s.graphNode(n).Activity
	if p := s.plugins.Find(act.Code, act.Version); p != nil {
		return p.Spec().Class
	}
	return plugin.Light // the plugin is gone: the node fails when its turn comes
}

func (s *step) waiting(lane int) int {
	return len(s.state.lines[lane]) - s.lines[lane].taken + len(s.lines[lane].added)
}

func (s *step) anyWaiting() bool {
	for lane := range lanes {
		if s.waiting(lane) > 0 {
			return true
		}
	}
	return false
}

// first gives the node that waits longest; there must be one.
func (s *step) first(lane int) stdops.NodeIndex {
	if line := &s.lines[lane]; line.taken == len(s.state.lines[lane]) {
		return line.added[0]
	}
	return s.state.lines[lane][s.lines[lane].taken]
}

// drop takes the first node out of the lane.
func (s *step) drop(lane int) {
	if line := &s.lines[lane]; line.taken == len(s.state.lines[lane]) {
		line.added = line.added[1:]
	} else {
		line.taken++
	}
}

// wants gives how many calls wait for a slot: those that the task itself has no room for do not.
func (s *step) wants() (wants [plugin.Classes]int) {
	if s.hold {
		return wants
	}
	for class := range wants {
		for kind := range laneKinds {
			wants[class] += s.waiting(laneOf(plugin.Class(class), kind))
		}
		wants[class] = min(wants[class], max(int(s.limits.Calls)-s.out, 0))
	}
	return wants
}

// beginCalls lets waiting calls begin as long as the task and the process have room for them.
func (s *step) beginCalls() {
	if s.hold {
		return
	}
	for lane := range lanes {
		class := plugin.Class(lane / laneKinds)
		for s.waiting(lane) > 0 && s.err == nil {
			n := s.first(lane)
			if !s.awaitsCall(n) {
				s.drop(lane)
				continue
			}
			if s.out >= int(s.limits.Calls) || !s.takeSlot(class) {
				break
			}
			s.drop(lane)
			begun := len(s.calls)
			s.beginCall(n)
			s.spare[class] += begun + 1 - len(s.calls)
		}
	}
}

func (s *step) takeSlot(class plugin.Class) bool {
	if s.spare[class] > 0 {
		s.spare[class]--
		return true
	}
	return s.slots == nil || s.slots.take(class)
}

// awaitsCall reports whether a node that stood in a lane still wants its call.
func (s *step) awaitsCall(n stdops.NodeIndex) bool {
	own := s.node(n)
	switch {
	case own == nil || own.State != stdops.StateRunning:
		return false
	case own.Phase == stdops.PhaseQueued:
		return !s.root().State.Ended()
	case own.Phase != stdops.PhaseWaiting:
		return false
	case !own.Due.IsZero():
		return !own.Due.After(s.now)
	default:
		_, called := s.firstCallback(n)
		return called && !s.root().State.Ended()
	}
}

// beginCall begins the call that a node waits for. When it cannot be made the node fails.
func (s *step) beginCall(n stdops.NodeIndex) {
	act, own := s.graphNode(n).Activity, s.node(n)
	switch {
	case own.Phase == stdops.PhaseQueued:
		s.execute(n)
	case s.plugins.Find(act.Code, act.Version) == nil:
		s.failMissing(n)
	case !own.Due.IsZero():
		s.schedule(n, nil, false)
	default:
		data, called := s.firstCallback(n)
		s.schedule(n, data, called)
	}
}
