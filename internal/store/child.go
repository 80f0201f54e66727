package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/stdops/stdops"
)

// Child finds the task that an attempt of a node made.
func (s *Store) Child(ctx context.Context, project stdops.ProjectID, of stdops.AttemptRef) (stdops.Task, error) {
	var t stdops.Task
	err := s.readers.QueryRowContext(ctx, `
		SELECT `+taskColumns+` FROM task
		WHERE parent_id = $1 AND parent_id <> 0 AND parent_node = $2 AND parent_version = $3 AND project_id = $4`,
		int64(of.Task), int64(of.Node), string(of.Version), int64(project)).Scan(taskFields(&t)...)
	if errors.Is(err, sql.ErrNoRows) {
		return t, stdops.Errorf(stdops.CodeNotFound, "node %d of task %d has no child", of.Node, of.Task)
	}
	if err != nil {
		return t, fmt.Errorf("load child of task %d: %w", of.Task, explain(err))
	}
	return t, nil
}

// Children lists the tasks that nodes of a task made, oldest first, at most limit of them.
func (s *Store) Children(ctx context.Context, ref stdops.TaskRef, limit int) ([]stdops.TaskID, error) {
	rows, err := s.readers.QueryContext(ctx, `
		SELECT id FROM task WHERE parent_id = $1 AND parent_id <> 0 AND project_id = $2 ORDER BY id LIMIT $3`,
		int64(ref.Task), int64(ref.Project), limit)
	ids, err := collect(rows, err, func(id *stdops.TaskID) []any { return []any{number(id)} })
	if err != nil {
		return nil, fmt.Errorf("list children of task %d: %w", ref.Task, explain(err))
	}
	return ids, nil
}

// holdTask keeps a task, 0 for none, as it is until the transaction has ended. On SQLite nobody else writes meanwhile.
func (s *Store) holdTask(ctx context.Context, tx *sql.Conn, ref stdops.TaskRef) error {
	if s.pg == nil || ref.Task == 0 {
		return nil
	}
	_, err := tx.ExecContext(ctx, `SELECT 1 FROM task WHERE id = $1 AND project_id = $2 FOR SHARE`, int64(ref.Task), int64(ref.Project))
	if err != nil {
		return fmt.Errorf("hold task %d: %w", ref.Task, err)
	}
	return nil
}

// mayHaveChild refuses a child of an attempt that has one or does not run any more: whatever ended it came first.
func mayHaveChild(ctx context.Context, q querier, project stdops.ProjectID, of stdops.AttemptRef) error {
	if of.Task == 0 {
		return nil
	}
	var runs, has bool
	err := q.QueryRowContext(ctx, `
		SELECT EXISTS (SELECT 1 FROM task WHERE parent_id = $1 AND parent_id <> 0 AND parent_node = $2 AND parent_version = $3),
			EXISTS (
				SELECT 1 FROM node_state n JOIN task t ON t.id = n.task_id
				WHERE n.task_id = $1 AND n.node = $2 AND n.version = $3 AND n.state = $4
					AND t.project_id = $5 AND t.state IN ($4, $6))`,
		int64(of.Task), int64(of.Node), string(of.Version), int64(stdops.StateRunning), int64(project), int64(stdops.StateSuspended),
	).Scan(&has, &runs)
	switch {
	case err != nil:
		return fmt.Errorf("look at task %d: %w", of.Task, err)
	case has:
		return stdops.ErrRepeated
	case !runs:
		return stdops.Errorf(stdops.CodeRefused, "node %d of task %d does not run any more", of.Node, of.Task)
	}
	return nil
}
