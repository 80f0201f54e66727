package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/stdops/stdops"
)

// NodeRecord is a node of a task as it stands.
type NodeRecord struct {
	State *stdops.NodeState // nil: never reached
	Data  stdops.NodeData
	Root  stdops.RootState
}

// NodeDetail is a node of a task with its history.
type NodeDetail struct {
	Task     stdops.Task
	State    *stdops.NodeState // nil: never reached
	Data     stdops.NodeData
	Attempts []stdops.Attempt // oldest first

	// Callbacks are those of the whole task that were accepted and not handled yet, without their data.
	Callbacks []stdops.Callback
}

// Node reads how a node stands. That the tree has such a node is not checked here.
func (s *Store) Node(ctx context.Context, ref stdops.TaskRef, node stdops.NodeIndex) (*NodeRecord, error) {
	var r *NodeRecord
	err := s.read(ctx, func(ctx context.Context, tx *sql.Tx) error {
		task, err := findWhole(ctx, tx, ref)
		if err != nil {
			return err
		}
		state, data, err := findNode(ctx, tx, ref.Task, node)
		r = &NodeRecord{State: state, Data: data, Root: task.Root}
		return err
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

// NodeDetail reads how a node stands and how its earlier attempts ended, all of one moment.
func (s *Store) NodeDetail(ctx context.Context, ref stdops.TaskRef, node stdops.NodeIndex) (*NodeDetail, error) {
	d := &NodeDetail{}
	err := s.read(ctx, func(ctx context.Context, tx *sql.Tx) (err error) {
		if d.Task, err = findWhole(ctx, tx, ref); err != nil {
			return err
		}
		if d.State, d.Data, err = findNode(ctx, tx, ref.Task, node); err != nil {
			return err
		}
		if d.Attempts, err = findAttempts(ctx, tx, ref, node); err != nil {
			return err
		}
		rows, err := tx.QueryContext(ctx, `SELECT seq, node, version FROM event WHERE task_id = $1 AND seq > 0`, int64(ref.Task))
		d.Callbacks, err = collect(rows, err, func(c *stdops.Callback) []any {
			return []any{&c.Seq, number(&c.Node), (*string)(&c.Version)}
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	return d, nil
}

func findNode(ctx context.Context, q querier, task stdops.TaskID, node stdops.NodeIndex) (*stdops.NodeState, stdops.NodeData, error) {
	data := stdops.NodeData{Node: node}
	err := q.QueryRowContext(ctx, `SELECT inputs, outputs, template FROM node_data WHERE task_id = $1 AND node = $2`,
		int64(task), int64(node)).Scan(&data.Inputs, &data.Outputs, &data.Template)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, data, fmt.Errorf("load data of node %d of task %d: %w", node, task, err)
	}
	state := &stdops.NodeState{}
	err = q.QueryRowContext(ctx, `SELECT `+nodeColumns+` FROM node_state WHERE task_id = $1 AND node = $2`,
		int64(task), int64(node)).Scan(nodeFields(state)...)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, data, nil
	}
	if err != nil {
		return nil, data, fmt.Errorf("load node %d of task %d: %w", node, task, err)
	}
	return state, data, nil
}

// Attempts lists the earlier attempts of a node with their data, oldest first.
func (s *Store) Attempts(ctx context.Context, ref stdops.TaskRef, node stdops.NodeIndex) ([]stdops.Attempt, error) {
	attempts, err := findAttempts(ctx, s.readers, ref, node)
	if err == nil {
		err = orArchived(ctx, s.readers, ref, len(attempts))
	}
	return attempts, explain(err)
}

func findAttempts(ctx context.Context, q querier, ref stdops.TaskRef, node stdops.NodeIndex) ([]stdops.Attempt, error) {
	rows, err := q.QueryContext(ctx, `SELECT id, `+nodeColumns+`, inputs, outputs, template, archived_at
		FROM node_attempt WHERE task_id = $1 AND node = $2 AND project_id = $3 ORDER BY id`,
		int64(ref.Task), int64(node), int64(ref.Project))
	attempts, err := collect(rows, err, func(a *stdops.Attempt) []any {
		fields := append([]any{&a.ID}, nodeFields(&a.State)...)
		return append(fields, &a.Data.Inputs, &a.Data.Outputs, &a.Data.Template, instant(&a.Archived))
	})
	if err != nil {
		return nil, fmt.Errorf("load attempts of node %d of task %d: %w", node, ref.Task, err)
	}
	for i := range attempts {
		attempts[i].Data.Node = node
	}
	return attempts, nil
}

// Variables lists the variables of one scope of a task that have a value, by key.
func (s *Store) Variables(ctx context.Context, ref stdops.TaskRef, scope stdops.NodeIndex) ([]stdops.Variable, error) {
	rows, err := s.readers.QueryContext(ctx, `
		SELECT scope, key, value FROM variable WHERE task_id = $1 AND project_id = $2 AND scope = $3 ORDER BY key`,
		int64(ref.Task), int64(ref.Project), int64(scope))
	found, err := collect(rows, err, func(v *stdops.Variable) []any { return []any{number(&v.Scope), &v.Key, &v.Value} })
	if err != nil {
		return nil, fmt.Errorf("load variables of task %d: %w", ref.Task, explain(err))
	}
	return found, explain(orArchived(ctx, s.readers, ref, len(found)))
}

// Transitions reads the log of a task from the changes after a revision on, at most limit entries.
func (s *Store) Transitions(ctx context.Context, ref stdops.TaskRef, after int64, limit int) ([]stdops.LoggedTransition, error) {
	log, err := transitions(ctx, s.readers, ref, after, limit)
	if err == nil {
		err = orArchived(ctx, s.readers, ref, len(log))
	}
	return log, explain(err)
}

func transitions(ctx context.Context, q querier, ref stdops.TaskRef, after int64, limit int) ([]stdops.LoggedTransition, error) {
	rows, err := q.QueryContext(ctx, `
		SELECT revision, n, node, from_state, to_state, actor, COALESCE(reason, ''), at FROM transition
		WHERE task_id = $1 AND project_id = $2 AND revision > $3 ORDER BY revision, n LIMIT $4`,
		int64(ref.Task), int64(ref.Project), after, int64(limit))
	log, err := collect(rows, err, func(l *stdops.LoggedTransition) []any {
		return []any{&l.Revision, &l.N, number(&l.Node), number(&l.From), number(&l.To), &l.Actor, &l.Reason, instant(&l.Time)}
	})
	if err != nil {
		return nil, fmt.Errorf("load log of task %d: %w", ref.Task, err)
	}
	return log, nil
}
