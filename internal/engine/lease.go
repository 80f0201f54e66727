package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/fail"
)

// mayDrive reports whether this process may begin something outside. The lock is held.
func (o *owners) mayDrive() bool {
	return o.engine.Passed() < o.deadline || fail.On("fence.off") // the mistake that tests of partitions have to find
}

// join makes this process one that drives tasks, if it is to.
func (o *owners) join(ctx context.Context) error {
	if !o.drives {
		return nil
	}
	began := o.engine.Passed()
	if err := o.Join(ctx); err != nil {
		return fmt.Errorf("join the processes that drive tasks: %w", err)
	}
	o.engine.mu.Lock()
	defer o.engine.mu.Unlock()
	o.deadline = began + fenceAfter
	return nil
}

// prolong lets this process drive on. It is too late when the time was over already: drivers have seen that, and have held calls
// back.
func (o *owners) prolong(began time.Duration) bool {
	o.engine.mu.Lock()
	defer o.engine.mu.Unlock()
	if !o.mayDrive() {
		return false
	}
	o.deadline = began + fenceAfter
	return true
}

func (o *owners) until() time.Duration {
	o.engine.mu.Lock()
	defer o.engine.mu.Unlock()
	return o.deadline
}

// keepLease tells the store again and again that this process lives. When it cannot for too long it stops everything, and share
// begins anew as another process once the store answers.
func (o *owners) keepLease(ctx context.Context) {
	for wait := renewEvery; sleep(ctx, wait); {
		began, until := o.engine.Passed(), o.until()
		if until == 0 {
			wait = renewEvery / 6
			continue
		}
		limited, cancel := context.WithTimeout(ctx, min(renewLimit, until-began))
		err := o.Renew(limited)
		cancel()
		switch {
		case err == nil && o.prolong(began):
			wait = renewEvery
		case ctx.Err() != nil:
			return
		case fail.On("fence.off"):
			wait = renewEvery / 6
		case err == nil, errors.Is(err, stdops.ErrNoLease), o.engine.Passed() >= until:
			o.engine.Log.Error("cut off from the store: tasks are given up, and what runs is ended", "error", err)
			o.fence()
			wait = renewEvery / 6
		default:
			o.engine.Log.Warn("the lease could not be renewed", "error", err)
			wait = min(renewEvery/6, until-o.engine.Passed())
		}
	}
}

// sleep waits, false when ctx ends first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return ctx.Err() == nil
	}
}

// fence gives up all tasks: what they have out is ended, and what it gives is not taken any more.
func (o *owners) fence() {
	e := o.engine
	var all []*driver
	e.mu.Lock()
	o.deadline, o.doubt = 0, false
	clear(o.wanted)
	for _, d := range e.drivers {
		o.lose(d)
		all = append(all, d)
	}
	e.mu.Unlock()
	for _, d := range all {
		d.wantNothing()
	}
}

// lose takes a task out of memory that others drive, or will. The lock is held; once it is not, wantNothing has to follow, unless
// the driver turns its crank and does so itself.
func (o *owners) lose(d *driver) {
	e := o.engine
	if d.lost {
		return
	}
	d.lost = true
	e.seats.wakeUp(d)
	delete(e.drivers, d.ref)
	e.Wakes.Wake(stdops.Wake{Ref: d.ref})
	e.calls.cancel(d.ref, func(callID) bool { return true }, errLost)
	if !d.busy {
		d.turnAway(errElsewhere)
	}
}

// wantNothing gives back slots that are set aside for a driver which is not in memory any more.
func (d *driver) wantNothing() { d.engine.slots.settle(d.holder(), none, none) }

// turnAway answers whoever waits for a driver that is lost or gone. The lock is held.
func (d *driver) turnAway(why error) {
	for _, l := range d.mailbox {
		if l.answer != nil {
			l.answer <- why
		}
	}
	d.mailbox = nil
}
