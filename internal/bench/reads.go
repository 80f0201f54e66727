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
type read func(ctx context.Context, s *store.Store, tasks batch) (int, error)

// reads measures the part of an answer that is read from the database. It has no goal of its own: it tells how much of
// the time of a whole answer is spent before and after.
func reads(ctx context.Context, w *world, o Options) (list []Comparison, err error) {
	s, err := w.open(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := w.sameRows(ctx, s)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	repeated := func(do read) side {
		return mean(func(ctx context.Context) (time.Duration, error) { return timeRead(ctx, s, do, w.tasks) })
	}
	known := pair{ours: repeated(w.statuses), reference: repeated(w.statements)}
	known.Comparison = readComparison("read of the store, trees known", rows)
	list, err = measureAll(ctx, o, &known)
	if err = errors.Join(err, s.Close()); err != nil {
		return nil, err
	}
	first := pair{ours: mean(w.onceOpened(w.statuses, nil)), reference: mean(w.onceOpened(w.statements, nil))}
	first.Comparison = readComparison("first read of a store", rows)
	more, err := measureAll(ctx, o, &first)
	return append(list, more...), err
}

func readComparison(name string, rows int) Comparison {
	return Comparison{Name: name, Unit: "µs", Rows: rows, Ours: Series{Name: "store"}, Reference: Series{Name: "statements"}}
}

func (w *world) open(ctx context.Context) (*store.Store, error) {
	return store.Open(ctx, store.Options{Dir: w.data(), Log: slog.New(slog.DiscardHandler), DecodeSkeleton: flow.DecodeSkeleton})
}

// statuses reads what a status is derived from, as the server does.
func (w *world) statuses(ctx context.Context, s *store.Store, tasks batch) (rows int, err error) {
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
}

// statements runs the statements of statuses and scans their rows.
func (w *world) statements(ctx context.Context, s *store.Store, tasks batch) (rows int, err error) {
	return s.ScanStatuses(ctx, project, tasks)
}

// sameRows makes sure that both sides read the same.
func (w *world) sameRows(ctx context.Context, s *store.Store) (int, error) {
	ours, err := w.statuses(ctx, s, w.tasks)
	if err != nil {
		return 0, err
	}
	reference, err := w.statements(ctx, s, w.tasks)
	if err != nil {
		return 0, err
	}
	if want := len(w.tasks) * (1 + w.nodes); ours != want || reference != want {
		return 0, fmt.Errorf("the store reads %d rows and the statements %d, not %d", ours, reference, want)
	}
	return ours, nil
}
