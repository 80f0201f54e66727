package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/stdops/stdops"
)

// Load reads all that a driver needs to go on with a task, as it was at one moment. Of the data of nodes it holds what
// can still be needed: that of nodes that are not finished, and inputs that came with a retry, which also count when a
// finished node is entered again.
func (s *Store) Load(ctx context.Context, ref stdops.TaskRef) (*stdops.Snapshot, error) {
	snap := &stdops.Snapshot{}
	err := s.readOn(ctx, func(ctx context.Context, conn *sql.Conn, _ *sql.Tx) error {
		if s.pg != nil {
			return postgresSnapshot(ctx, conn, ref, snap)
		}
		return s.hot.run(ctx, conn, func(r *statusReads) error { return r.snapshot.read(ref, snap) })
	})
	if err != nil {
		return nil, err
	}
	return snap, nil
}

// Live lists all tasks in which something may still happen by itself, with the time at which each wants to be looked
// at; a zero time means that it waits for someone. One that a child has told something, of which its own row says
// nothing, wants to be looked at now.
func (s *Store) Live(ctx context.Context) ([]stdops.Wake, error) {
	var wakes []stdops.Wake
	err := s.read(ctx, func(ctx context.Context, tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `
			SELECT project_id, id, CASE WHEN EXISTS (SELECT 1 FROM event e WHERE e.task_id = task.id AND e.seq < 0) THEN 1 ELSE wake_at END
			FROM task WHERE live = 1 ORDER BY id`)
		wakes, err = collect(rows, err, func(w *stdops.Wake) []any {
			return []any{number(&w.Ref.Project), number(&w.Ref.Task), instant(&w.At)}
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list live tasks: %w", err)
	}
	return wakes, nil
}
