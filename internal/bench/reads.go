package bench

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/stdops/stdops/internal/flow"
	"github.com/stdops/stdops/internal/store"
)

// read is one read of a batch with all nodes; it gives the number of rows.
type read func(ctx context.Context, tasks batch) (int, error)

// prepared makes a read of a store that was opened, and what ends it before the store is closed.
type prepared func(ctx context.Context, s *store.Store) (read, func() error, error)

// reads measures the part of an answer that is read from the database. It has no goal of its own: it tells how much of
// the time of a whole answer is spent before and after.
func reads(ctx context.Context, w *world, o Options) ([]Comparison, error) {
	list, err := w.repeatedReads(ctx, o)
	if err != nil {
		return nil, err
	}
	first := pair{ours: mean(w.onceOpened(statuses, nil)), reference: mean(w.onceOpened(statements, nil))}
	first.Comparison = readComparison("first read of a store", list[0].Rows)
	more, err := measureAll(ctx, o, &first)
	return append(list, more...), err
}

func (w *world) repeatedReads(ctx context.Context, o Options) (list []Comparison, err error) {
	s, err := w.open(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	ours, _, err := statuses(ctx, s)
	if err != nil {
		return nil, err
	}
	reference, end, err := statements(ctx, s)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, end()) }()
	rows, err := w.sameRows(ctx, ours, reference)
	if err != nil {
		return nil, err
	}
	repeated := func(do read) side {
		return mean(func(ctx context.Context) (time.Duration, error) { return timeRead(ctx, do, w.tasks) })
	}
	known := pair{ours: repeated(ours), reference: repeated(reference)}
	known.Comparison = readComparison("read of the store, trees known", rows)
	return measureAll(ctx, o, &known)
}

func readComparison(name string, rows int) Comparison {
	return Comparison{Name: name, Unit: "µs", Rows: rows, Ours: Series{Name: "store"}, Reference: Series{Name: "statements"}}
}

func (w *world) open(ctx context.Context) (*store.Store, error) {
	return store.Open(ctx, store.Options{Dir: w.data(), DB: w.db, Log: slog.New(slog.DiscardHandler), DecodeSkeleton: flow.DecodeSkeleton})
}

// statuses reads what a status is derived from, as the server does.
func statuses(_ context.Context, s *store.Store) (read, func() error, error) {
	return func(ctx context.Context, tasks batch) (rows int, err error) {
		found, err := s.Statuses(ctx, project, store.StatusQuery{IDs: tasks, Children: true})
		if err != nil {
			return 0, err
		}
		for i := range found.Tasks {
			if err := found.Tasks[i].Err; err != nil {
				return 0, err
			}
			rows += 1 + len(found.Tasks[i].Nodes)
		}
		return rows, nil
	}, func() error { return nil }, nil
}

// statements runs the statements of statuses and scans their rows.
func statements(ctx context.Context, s *store.Store) (read, func() error, error) {
	scan, err := s.PrepareScan(ctx)
	if err != nil {
		return nil, nil, err
	}
	run := func(ctx context.Context, tasks batch) (int, error) { return scan.Run(ctx, project, tasks) }
	return run, scan.Close, nil
}

// sameRows makes sure that both sides read the same.
func (w *world) sameRows(ctx context.Context, ours, reference read) (int, error) {
	got, err := ours(ctx, w.tasks)
	if err != nil {
		return 0, err
	}
	held, err := reference(ctx, w.tasks)
	if err != nil {
		return 0, err
	}
	if want := len(w.tasks) * (1 + w.nodes); got != want || held != want {
		return 0, fmt.Errorf("the store reads %d rows and the statements %d, not %d", got, held, want)
	}
	return got, nil
}
