package bench

import (
	"context"
	"errors"
	"runtime"
	"time"
)

// firstAnswers measures whole answers to a question that a server was never asked before: nothing of them can come out
// of a memory of answers. For each the server is started anew.
func firstAnswers(ctx context.Context, w *world, o Options) ([]Comparison, error) {
	body, err := w.ask(ctx, w.tasks, true)
	if err != nil {
		return nil, err
	}
	if err := w.stop(); err != nil {
		return nil, err
	}
	cold := pair{ours: mean(w.firstAnswer(w.twins)), reference: mean(w.firstScan(w.twins))}
	cold.Comparison = Comparison{
		Name: "cold answer, trees known", Unit: "µs", Bytes: len(body), Goal: Goal{AtMost: 2.5},
		Ours: Series{Name: "server"}, Reference: Series{Name: "statements"},
	}
	started := pair{ours: mean(w.firstAnswer(nil)), reference: mean(w.firstScan(nil))}
	started.Comparison = Comparison{
		Name: "first answer of a server", Unit: "µs", Bytes: len(body), Goal: Goal{AtMost: 5},
		Ours: Series{Name: "server"}, Reference: Series{Name: "statements"},
	}
	return measureAll(ctx, o, &cold, &started)
}

// timed does something once and gives the time of the part of it that counts.
type timed func(ctx context.Context) (time.Duration, error)

// mean does something again and again and gives the mean time in microseconds.
func mean(once timed) side {
	return func(ctx context.Context, d time.Duration) (float64, error) {
		var sum time.Duration
		n := 0
		for began := time.Now(); n == 0 || time.Since(began) < d; n++ {
			took, err := once(ctx)
			if err != nil {
				return 0, err
			}
			sum += took
		}
		return float64(sum.Nanoseconds()) / 1e3 / float64(n), nil
	}
}

// firstAnswer times the first question of a server that was just started, over an open connection. A server that is to
// know the trees was asked about other tasks of the same trees.
func (w *world) firstAnswer(before batch) timed {
	return func(ctx context.Context) (took time.Duration, err error) {
		if err := w.start(ctx); err != nil {
			return 0, err
		}
		defer func() { err = errors.Join(err, w.stop()) }()
		if before != nil {
			if _, err := w.ask(ctx, before, true); err != nil {
				return 0, err
			}
		}
		r, err := w.question(ctx, w.tasks, true)
		if err != nil {
			return 0, err
		}
		l, err := newLoad(w.app.Addr(), r)
		if err != nil {
			return 0, err
		}
		return l.once(ctx)
	}
}

// firstScan times the statements on a store that was just opened.
func (w *world) firstScan(before batch) timed { return w.onceOpened(statements, before) }

// onceOpened times a read of a store that was just opened, after another one when before is not empty. Statements are
// prepared when the store is opened, on both sides.
func (w *world) onceOpened(prepare prepared, before batch) timed {
	return func(ctx context.Context) (took time.Duration, err error) {
		s, err := w.open(ctx)
		if err != nil {
			return 0, err
		}
		defer func() { err = errors.Join(err, s.Close()) }()
		do, end, err := prepare(ctx, s)
		if err != nil {
			return 0, err
		}
		defer func() { err = errors.Join(err, end()) }()
		if before != nil {
			if _, err := do(ctx, before); err != nil {
				return 0, err
			}
		}
		runtime.GC()
		return timeRead(ctx, do, w.tasks)
	}
}

func timeRead(ctx context.Context, do read, tasks batch) (time.Duration, error) {
	began := time.Now()
	_, err := do(ctx, tasks)
	return time.Since(began), err
}
