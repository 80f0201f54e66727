package service

import (
	"context"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/store"
)

// Driver is who drives a task.
type Driver = store.Driver

// NodeTiming is what is stored of when an attempt came how far, beside when it was entered, called and ended.
type NodeTiming struct {
	Retried    time.Time // when the attempt before it was retried, of which it came
	CalledBack time.Time // when the latest callback for it was accepted
	Left       time.Time // of one that FAILED: when it was retried or skipped
	Due        time.Time // when it goes on by itself
	Deadline   time.Time // when it is ended for its time limit
}

// timing tells when the attempts of a view came how far, and who drives the task.
func (s *Service) timing(ctx context.Context, ref stdops.TaskRef, at *place, d *store.NodeDetail, view *NodeView) (err error) {
	if view.Driver, err = s.store.Driver(ctx, ref); err != nil || !view.Reached {
		return err
	}
	var called []time.Time
	if at.node.Activity != nil {
		if called, err = s.store.CallbackTimes(ctx, ref, at.index); err != nil {
			return err
		}
	}
	attempts := ofLoop(d.Attempts, view.Status.Loop)
	shown := d.State
	if view.HistoryID >= 0 {
		shown = &attempts[len(view.Histories)].State
	}
	for i := range view.Histories {
		next := shown
		if i+1 < len(view.Histories) {
			next = &attempts[i+1].State
		}
		view.Histories[i].Timing = attemptTiming(&attempts[i].State, attempts[:i], called)
		view.Histories[i].Timing.Left = leftAt(&attempts[i], next)
	}
	view.Timing = attemptTiming(shown, attempts[:len(view.Histories)], called)
	if shown == d.State {
		view.Timing.Due, view.Timing.Deadline = shown.Due, shown.Deadline
	}
	return nil
}

// leftAt tells when a failed attempt was left for the next one, which may have begun at once. An attempt is put away when that is
// stored, a moment later than it was decided.
func leftAt(a *stdops.Attempt, next *stdops.NodeState) time.Time {
	decided := next.Started
	if next.Skip {
		decided = next.Finished
	}
	switch {
	case a.State.State != stdops.StateFailed:
		return time.Time{}
	case !decided.IsZero() && decided.Before(a.Archived):
		return decided
	}
	return a.Archived
}

// attemptTiming tells what the attempts before one, and the callbacks for the node, tell of it. One that was skipped is the
// attempt that had failed under a new version: it has no call of its own.
func attemptTiming(n *stdops.NodeState, before []stdops.Attempt, called []time.Time) (t NodeTiming) {
	if n.Skip {
		return t
	}
	if len(before) > 0 {
		t.Retried = leftAt(&before[len(before)-1], n)
	}
	if n.Started.IsZero() {
		return t
	}
	for _, at := range called { // the latest first
		if !at.Before(n.Started) && (n.Finished.IsZero() || !at.After(n.Finished)) {
			t.CalledBack = at
			break
		}
	}
	return t
}
