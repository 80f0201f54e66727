package engine

import (
	"context"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/fail"
)

// rest lets a driver with nothing to do go, or stay for the sake of its next due time. One that could not read its task stays,
// and is woken to try again. The lock is held.
func (o *owners) rest(d *driver) {
	switch {
	case d.lost || o.engine.stopping:
	case d.out > 0: // others may begin calls of the same nodes, so that it has to see the end of its own
	case d.st == nil && !d.parked:
	case d.st != nil && !d.st.root.Live: // its last commit has let it go
		delete(o.engine.drivers, d.ref)
	case d.st == nil || d.idle():
		o.letGo(d)
	case d.st.calls == 0:
		d.place = o.engine.seats.resting.PushBack(d)
	}
}

// letGo lets a task leave memory. It stays there until the store has heard of it. The lock is held.
func (o *owners) letGo(d *driver) {
	d.busy = true
	o.leaving = append(o.leaving, d)
	token(o.release)
}

func (o *owners) releaseAlways(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-o.release:
		}
		for ctx.Err() == nil && o.releaseSome(ctx) {
		}
	}
}

// releaseSome lets some tasks go, false when there are none left.
func (o *owners) releaseSome(ctx context.Context) bool {
	all := o.takeLeaving()
	if len(all) == 0 {
		return false
	}
	releases := make([]stdops.Release, len(all))
	for i, d := range all {
		releases[i] = d.release()
	}
	fail.Point("task.releasing")
	limited, cancel := context.WithTimeout(ctx, shareLimit)
	gone, err := o.Release(limited, releases)
	cancel()
	e := o.engine
	e.mu.Lock()
	for i, d := range all {
		o.released(d, err == nil && gone[i], err)
	}
	e.mu.Unlock()
	for _, d := range all {
		if d.isLost() {
			d.wantNothing()
		}
	}
	if err != nil {
		o.unheard(ctx, "tasks could not be let go", err)
	}
	return true
}

func (o *owners) takeLeaving() []*driver {
	o.engine.mu.Lock()
	defer o.engine.mu.Unlock()
	some := o.leaving[:min(len(o.leaving), mostClaims)]
	o.leaving = o.leaving[len(some):]
	return some
}

// release is what the store is told of a task that leaves memory. One that could not even be read is left to a person.
func (d *driver) release() stdops.Release {
	r := stdops.Release{Ref: d.ref, Epoch: d.epoch, Revision: stdops.AnyRevision}
	if d.st != nil {
		r.Revision, r.WakeAt = d.st.root.Revision, d.st.root.WakeAt
		if now := d.engine.now(); !r.WakeAt.IsZero() && r.WakeAt.Before(now) { // it waits for a slot: those that are due go first
			r.WakeAt = now
		}
	}
	return r
}

// released ends the drive of a task that was let go, or goes on with it. The lock is held.
func (o *owners) released(d *driver, gone bool, err error) {
	e := o.engine
	switch {
	case d.lost:
		d.turnAway(errElsewhere)
	case gone:
		delete(e.drivers, d.ref)
		e.Wakes.Wake(stdops.Wake{Ref: d.ref})
		if len(d.mailbox) > 0 { // whatever came is to be found in the store, but for commands
			o.nudge(d.ref)
		}
		d.lost = true
		d.turnAway(errElsewhere)
	case err != nil, d.st == nil, e.stopping:
		// It may have been let go all the same, or is not ours any more: it is not to be driven unless it is claimed anew.
		o.lose(d)
		d.turnAway(errElsewhere)
	default:
		d.busy = false
		e.reread(d)
	}
}
