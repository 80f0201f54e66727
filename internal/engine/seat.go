package engine

import (
	"container/list"

	"github.com/stdops/stdops"
)

// seats bounds the tasks in memory. A task that wants to go on when there is no seat waits for its turn; a command is carried
// out all the same, but begins no call. Everything is guarded by the engine's lock.
type seats struct {
	limit   int                         // 0: no bound
	resting *list.List                  // of *driver in memory only because they are due soon, or wait for a slot, longest first: these make room
	line    []stdops.TaskRef            // tasks that wait for a seat, longest first
	waiting map[stdops.TaskRef]struct{} // the same
}

func newSeats(limit int) seats {
	return seats{limit: limit, resting: list.New(), waiting: make(map[stdops.TaskRef]struct{})}
}

// seat tells whether one more task may be in memory. One that only rests leaves for it: whatever it waits for wakes it.
func (e *Engine) seat() bool {
	if e.seats.limit <= 0 || len(e.drivers) < e.seats.limit {
		return true
	}
	first := e.seats.resting.Front()
	if first == nil {
		return false
	}
	d := first.Value.(*driver)
	e.seats.wakeUp(d)
	delete(e.drivers, d.ref)
	return true
}

// wakeUp ends the rest of a driver.
func (s *seats) wakeUp(d *driver) {
	if d.place != nil {
		s.resting.Remove(d.place)
		d.place = nil
	}
}

// standInLine lets a task wait for a seat.
func (e *Engine) standInLine(ref stdops.TaskRef) {
	if _, waits := e.seats.waiting[ref]; !waits {
		e.seats.waiting[ref] = struct{}{}
		e.seats.line = append(e.seats.line, ref)
	}
}

// letIn wakes the tasks that wait longest, as many as there are seats for.
func (e *Engine) letIn() {
	for len(e.seats.line) > 0 && !e.stopping && e.seat() {
		ref := e.seats.line[0]
		e.seats.line = e.seats.line[1:]
		delete(e.seats.waiting, ref)
		e.deliver(ref, letter{wake: true})
	}
}

// rest lets a driver with nothing to do leave memory, or stay for the sake of its next due time.
func (e *Engine) rest(d *driver) {
	if e.owners != nil {
		e.owners.rest(d)
		return
	}
	switch {
	case d.st == nil || d.idle():
		delete(e.drivers, d.ref)
	case d.held:
		delete(e.drivers, d.ref)
		if root := &d.st.root; root.Live && !root.WakeAt.IsZero() && !root.WakeAt.After(e.now()) {
			e.standInLine(d.ref)
		}
	case d.st.calls == 0:
		d.place = e.seats.resting.PushBack(d)
	}
	e.letIn()
}
