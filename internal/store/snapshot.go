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
func (s *Store) Load(ctx context.Context, ref stdops.TaskRef) (snap *stdops.Snapshot, err error) {
	err = s.read(ctx, func(ctx context.Context, tx *sql.Tx) (err error) {
		snap, err = loadSnapshot(ctx, tx, ref)
		return err
	})
	return snap, err
}

func loadSnapshot(ctx context.Context, q querier, ref stdops.TaskRef) (_ *stdops.Snapshot, err error) {
	snap := &stdops.Snapshot{}
	if snap.Task, err = findTask(ctx, q, ref); err != nil {
		return nil, err
	}
	if snap.Inputs, err = findInputs(ctx, q, ref); err != nil {
		return nil, err
	}
	if snap.Nodes, err = nodeStates(ctx, q, ref.Task); err != nil {
		return nil, err
	}
	if snap.Data, err = openData(ctx, q, ref.Task); err != nil {
		return nil, err
	}
	if snap.Variables, err = variables(ctx, q, ref.Task); err != nil {
		return nil, err
	}
	if snap.Forks, err = forks(ctx, q, ref.Task); err != nil {
		return nil, err
	}
	if snap.Callbacks, err = callbacks(ctx, q, ref.Task); err != nil {
		return nil, err
	}
	return snap, nil
}

func nodeStates(ctx context.Context, q querier, task stdops.TaskID) ([]stdops.NodeState, error) {
	rows, err := q.QueryContext(ctx, `SELECT `+nodeColumns+` FROM node_state WHERE task_id = $1 ORDER BY node`, int64(task))
	nodes, err := collect(rows, err, nodeFields)
	if err != nil {
		return nil, fmt.Errorf("load nodes of task %d: %w", task, err)
	}
	return nodes, nil
}

func openData(ctx context.Context, q querier, task stdops.TaskID) ([]stdops.NodeData, error) {
	rows, err := q.QueryContext(ctx, `
		SELECT d.node, d.inputs, d.outputs, d.template
		FROM node_data d LEFT JOIN node_state s ON s.task_id = d.task_id AND s.node = d.node
		WHERE d.task_id = $1 AND (s.state IS NULL OR s.state <> $2 OR d.template IS NOT NULL)
		ORDER BY d.node`, int64(task), int64(stdops.StateFinished))
	data, err := collect(rows, err, func(d *stdops.NodeData) []any {
		return []any{number(&d.Node), &d.Inputs, &d.Outputs, &d.Template}
	})
	if err != nil {
		return nil, fmt.Errorf("load data of task %d: %w", task, err)
	}
	return data, nil
}

func variables(ctx context.Context, q querier, task stdops.TaskID) ([]stdops.Variable, error) {
	rows, err := q.QueryContext(ctx, `
		SELECT scope, key, value FROM variable WHERE task_id = $1 ORDER BY scope, key`, int64(task))
	found, err := collect(rows, err, variableFields)
	if err != nil {
		return nil, fmt.Errorf("load variables of task %d: %w", task, err)
	}
	return found, nil
}

func variableFields(v *stdops.Variable) []any { return []any{number(&v.Scope), &v.Key, &v.Value} }

func forks(ctx context.Context, q querier, task stdops.TaskID) ([]stdops.Fork, error) {
	rows, err := q.QueryContext(ctx, `
		SELECT token, parent, destination, need, have, next, stopped, suspended_by, moving
		FROM fork WHERE task_id = $1 ORDER BY token`, int64(task))
	found, err := collect(rows, err, func(f *stdops.Fork) []any {
		return []any{
			number(&f.Token), number(&f.Parent), number(&f.Destination), number(&f.Need), number(&f.Have),
			number(&f.Next), &f.Stopped, number(&f.SuspendedBy), &f.Moving,
		}
	})
	if err != nil {
		return nil, fmt.Errorf("load forks of task %d: %w", task, err)
	}
	return found, nil
}

func callbacks(ctx context.Context, q querier, task stdops.TaskID) ([]stdops.Callback, error) {
	rows, err := q.QueryContext(ctx, `
		SELECT seq, node, version, data FROM event WHERE task_id = $1 ORDER BY seq`, int64(task))
	found, err := collect(rows, err, func(c *stdops.Callback) []any {
		return []any{&c.Seq, number(&c.Node), (*string)(&c.Version), &c.Data}
	})
	if err != nil {
		return nil, fmt.Errorf("load callbacks of task %d: %w", task, err)
	}
	return found, nil
}

// Live lists all tasks in which something may still happen by itself, with the time at which each wants to be looked
// at; a zero time means that it waits for someone.
func (s *Store) Live(ctx context.Context) ([]stdops.Wake, error) {
	var wakes []stdops.Wake
	err := s.read(ctx, func(ctx context.Context, tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `SELECT project_id, id, wake_at FROM task WHERE live = 1 ORDER BY id`)
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
