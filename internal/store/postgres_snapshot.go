package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/stdops/stdops"
)

// postgresSnapshot reads all of a task, inside of one transaction.
func postgresSnapshot(ctx context.Context, tx querier, ref stdops.TaskRef, snap *stdops.Snapshot) (err error) {
	if snap.Task, err = findWhole(ctx, tx, ref); err != nil {
		return err
	}
	task := int64(ref.Task)
	err = tx.QueryRowContext(ctx, `SELECT inputs FROM task_input WHERE task_id = $1 AND project_id = $2`, task, int64(ref.Project)).Scan(&snap.Inputs)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return noInputs(ref.Task)
	case err != nil:
		return fmt.Errorf("load inputs of task %d: %w", ref.Task, err)
	}
	rows, err := tx.QueryContext(ctx, `SELECT `+nodeColumns+` FROM node_state WHERE task_id = $1 ORDER BY node`, task)
	if snap.Nodes, err = collect(rows, err, nodeFields); err != nil {
		return fmt.Errorf("load nodes of task %d: %w", ref.Task, err)
	}
	rows, err = tx.QueryContext(ctx, `
		SELECT d.node, d.inputs, d.outputs, d.template
		FROM node_data d LEFT JOIN node_state s ON s.task_id = d.task_id AND s.node = d.node
		WHERE d.task_id = $1 AND (s.state IS NULL OR s.state <> $2 OR d.template IS NOT NULL)
		ORDER BY d.node`, task, int64(stdops.StateFinished))
	snap.Data, err = collect(rows, err, func(d *stdops.NodeData) []any {
		return []any{number(&d.Node), &d.Inputs, &d.Outputs, &d.Template}
	})
	if err != nil {
		return fmt.Errorf("load data of task %d: %w", ref.Task, err)
	}
	rows, err = tx.QueryContext(ctx, `SELECT scope, key, value FROM variable WHERE task_id = $1 ORDER BY scope, key`, task)
	snap.Variables, err = collect(rows, err, func(v *stdops.Variable) []any { return []any{number(&v.Scope), &v.Key, &v.Value} })
	if err != nil {
		return fmt.Errorf("load variables of task %d: %w", ref.Task, err)
	}
	rows, err = tx.QueryContext(ctx, `
		SELECT token, parent, destination, need, have, next, stopped, suspended_by, moving
		FROM fork WHERE task_id = $1 ORDER BY token`, task)
	snap.Forks, err = collect(rows, err, func(f *stdops.Fork) []any {
		return []any{
			number(&f.Token), number(&f.Parent), number(&f.Destination), number(&f.Need), number(&f.Have), number(&f.Next),
			&f.Stopped, number(&f.SuspendedBy), &f.Moving,
		}
	})
	if err != nil {
		return fmt.Errorf("load forks of task %d: %w", ref.Task, err)
	}
	// Callbacks and what children told, each kind in its own order.
	rows, err = tx.QueryContext(ctx, `SELECT seq, node, version, data FROM event WHERE task_id = $1 ORDER BY abs(seq), seq`, task)
	snap.Callbacks, err = collect(rows, err, func(e *stdops.Callback) []any {
		return []any{&e.Seq, number(&e.Node), (*string)(&e.Version), &e.Data}
	})
	if err != nil {
		return fmt.Errorf("load callbacks of task %d: %w", ref.Task, err)
	}
	return nil
}
