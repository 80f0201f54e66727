package service

import (
	"context"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/status"
)

// mostSlowTrees is of how many trees one list of slow tasks finds out how long their tasks take; its cursor leads on from there.
const mostSlowTrees = 30

// slowLife is how long what is usual is told again by such lists, in seconds: who watches one asks every half minute.
const slowLife = 10 * durationsLife

// underWay narrows a match to tasks that were started and have not ended, and reports whether there can be any.
func underWay(m *TaskMatch) bool {
	if m.States == nil {
		m.States = []stdops.State{stdops.StateRunning, stdops.StateSuspended}
	}
	var left []stdops.State
	for _, state := range m.States {
		if state == stdops.StateRunning || state == stdops.StateSuspended {
			left = append(left, state)
		}
	}
	m.States = left
	return len(m.States) > 0
}

// slowness tells which tasks of a list are slow, by what it has found out of their trees.
type slowness struct {
	svc   *Service
	piece int64 // of time, the same for the whole list
	known map[runsOf]*status.Durations
}

func (s *Service) slowness() *slowness {
	return &slowness{svc: s, piece: s.store.Now().Unix() / slowLife, known: map[runsOf]*status.Durations{}}
}

// full reports whether to tell of a task would be to find out about one tree more than a list does.
func (l *slowness) full(t *stdops.Task) bool {
	return len(l.known) >= mostSlowTrees && l.known[runsLike(t, l.piece)] == nil
}

// usual gives how long tasks like one take when it is slow: under way for longer than 95 of 100 took. It gives nil for any other,
// and where too few are known of.
func (l *slowness) usual(ctx context.Context, t *stdops.Task, now time.Time) (*status.Durations, error) {
	of := runsLike(t, l.piece)
	found := l.known[of]
	if found == nil {
		if err := ctx.Err(); err != nil { // what is found out is no longer wanted here
			return nil, err
		}
		var err error
		if found, err = l.svc.durationsOf(ctx, of); err != nil {
			return nil, err
		}
		l.known[of] = found
	}
	if found.Runs == 0 || t.Root.Started.IsZero() || now.Sub(t.Root.Started) <= found.P95 {
		return nil, nil
	}
	return found, nil
}
