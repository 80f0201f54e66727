package engine

import (
	"context"
	"fmt"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/fail"
)

// outside carries out a command by a step on the stored task, whoever drives it. Nothing of what follows begins here.
func (e *Engine) outside(ctx context.Context, ref stdops.TaskRef, cmd Command) error {
	ctx, cancel := context.WithTimeout(ctx, outsideLimit)
	defer cancel()
	if cmd.Key != nil {
		taken, err := e.Tasks.Taken(ctx, []*stdops.RequestKey{cmd.Key})
		if err != nil {
			return answerOf(err)
		}
		if taken[0] {
			return stdops.ErrRepeated
		}
	}
	var change *stdops.Change
	err := e.owners.Step(ctx, ref, func(snap *stdops.Snapshot) (_ *stdops.Change, err error) {
		change, err = e.decideOutside(ctx, snap, cmd)
		return change, err
	})
	if err != nil {
		return answerOf(err)
	}
	fail.Point("outside.committed")
	e.mu.Lock()
	e.owners.nudge(ref)
	e.mu.Unlock()
	if change != nil {
		e.wakeParent(change)
	}
	return nil
}

// decideOutside gives what a command changes; nil when nothing.
func (e *Engine) decideOutside(ctx context.Context, snap *stdops.Snapshot, cmd Command) (*stdops.Change, error) {
	st, err := e.stateOf(ctx, snap)
	if err != nil {
		return nil, err
	}
	var timers timerHeap
	for _, n := range st.nodes {
		if n != nil {
			timers.add(n)
		}
	}
	env := e.env(e.entropy(), timers.next())
	env.hold, env.epoch = true, snap.Task.Root.Epoch // whoever drives the task begins what follows
	e.thinking <- struct{}{}
	defer func() { <-e.thinking }()
	d, answers, err := decideSafely(st, []event{loaded{}, cmd}, env) // what waits for a slot is known to a step by what was loaded
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", errDefect, err)
	case answers[1] != nil:
		return nil, answers[1]
	case d.empty():
		return nil, nil
	}
	d.change.Outside = true
	return &d.change, nil
}
