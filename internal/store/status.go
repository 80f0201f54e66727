package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/stdops/stdops"
)

// StatusQuery says which tasks of a project are asked about: those of IDs when it is not nil, deleted ones included,
// else the newest that are not deleted.
type StatusQuery struct {
	IDs      []stdops.TaskID
	Newest   int
	Children bool // the states of all nodes are wanted, not only those that decide how the task stands
}

// StatusRows is all that the status of one task is derived from.
type StatusRows struct {
	Task stdops.Task

	// Nodes are in order of their first execution. Without Children they are those of a task that was started and is not
	// ended, and of these the nodes that are not FINISHED: an enclosing subprocess that is not among them does not run.
	Nodes []stdops.NodeState

	Skeleton *stdops.Skeleton // nil when Err is set
	Err      error            // why the tree of this one task cannot be read
}

// StatusBatch is the answer to a [StatusQuery], by descending id, as it was at one moment.
type StatusBatch struct {
	Tasks     []StatusRows
	Truncated bool // there are older tasks than the newest that were asked for
	Now       time.Time
}

// queries are the statements of the hot reads, prepared once for each connection that uses them.
type queries struct {
	byIDs, newest, nodes, openNodes, skeletons *sql.Stmt
}

func prepareQueries(ctx context.Context, db *sql.DB) (q queries, err error) {
	for _, p := range []struct {
		to   **sql.Stmt
		text string
	}{
		{&q.byIDs, `SELECT ` + taskColumns + ` FROM task WHERE project_id = $1 AND id ` + anyOf("$2") + ` ORDER BY id DESC`},
		{&q.newest, `SELECT ` + taskColumns + ` FROM task WHERE project_id = $1 AND deleted = 0 ORDER BY id DESC LIMIT $2`},
		{&q.nodes, `SELECT task_id, ` + nodeColumns + ` FROM node_state WHERE task_id ` + anyOf("$1")},
		{&q.openNodes, `SELECT task_id, ` + nodeColumns + ` FROM node_state WHERE task_id ` + anyOf("$1") + ` AND state <> $2`},
		{&q.skeletons, `SELECT hash, skeleton FROM tree WHERE hash ` + anyOf("$1")},
	} {
		if *p.to, err = db.PrepareContext(ctx, p.text); err != nil {
			return q, fmt.Errorf("prepare statements: %w", err)
		}
	}
	return q, nil
}

func (q *queries) close() error {
	var errs []error
	for _, st := range []*sql.Stmt{q.byIDs, q.newest, q.nodes, q.openNodes, q.skeletons} {
		if st != nil {
			errs = append(errs, st.Close())
		}
	}
	return errors.Join(errs...)
}

// Statuses reads how tasks stand, all of one moment, with two statements for any number of them and a third for trees
// that were not asked about lately.
func (s *Store) Statuses(ctx context.Context, project stdops.ProjectID, q StatusQuery) (*StatusBatch, error) {
	batch := &StatusBatch{}
	err := s.read(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if err := s.statusTasks(ctx, tx, project, q, batch); err != nil {
			return err
		}
		if err := s.statusNodes(ctx, tx, q, batch); err != nil {
			return err
		}
		return s.statusSkeletons(ctx, tx, batch)
	})
	if err != nil {
		return nil, fmt.Errorf("load statuses: %w", err)
	}
	batch.Now = s.Now()
	return batch, nil
}

func (s *Store) statusTasks(ctx context.Context, tx *sql.Tx, project stdops.ProjectID, q StatusQuery, batch *StatusBatch) error {
	statement, arg := s.queries.byIDs, any(idList(q.IDs))
	if q.IDs == nil {
		statement, arg = s.queries.newest, int64(q.Newest)+1
	}
	rows, err := tx.StmtContext(ctx, statement).QueryContext(ctx, int64(project), arg)
	batch.Tasks, err = collect(rows, err, func(r *StatusRows) []any { return taskFields(&r.Task) })
	if q.IDs == nil && len(batch.Tasks) > q.Newest {
		batch.Tasks, batch.Truncated = batch.Tasks[:q.Newest], true
	}
	return err
}

// statusNodes reads the nodes of the tasks in the batch. The states of an ended task's nodes change nothing of how the
// task stands, so they are read only when they are wanted for themselves.
func (s *Store) statusNodes(ctx context.Context, tx *sql.Tx, q StatusQuery, batch *StatusBatch) error {
	var ids []stdops.TaskID
	place := map[stdops.TaskID]int{}
	for i := range batch.Tasks {
		t := &batch.Tasks[i].Task
		if t.Root.State != stdops.StateCreated && (q.Children || !t.Root.State.Ended()) {
			ids = append(ids, t.ID)
			place[t.ID] = i
		}
	}
	if len(ids) == 0 {
		return nil
	}
	statement, args := s.queries.nodes, []any{idList(ids)}
	if !q.Children {
		statement, args = s.queries.openNodes, append(args, int64(stdops.StateFinished))
	}
	rows, err := tx.StmtContext(ctx, statement).QueryContext(ctx, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	var (
		task stdops.TaskID
		node stdops.NodeState
		dest = append([]any{number(&task)}, nodeFields(&node)...)
	)
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return err
		}
		r := &batch.Tasks[place[task]]
		r.Nodes = append(r.Nodes, node)
	}
	for _, i := range place {
		slices.SortFunc(batch.Tasks[i].Nodes, func(a, b stdops.NodeState) int { return cmp.Compare(a.Order, b.Order) })
	}
	return rows.Err()
}

// statusSkeletons gives every task its skeleton. A tree that cannot be read spoils the tasks of that tree only.
func (s *Store) statusSkeletons(ctx context.Context, tx *sql.Tx, batch *StatusBatch) error {
	missing := map[string][]int{}
	for i := range batch.Tasks {
		r := &batch.Tasks[i]
		hash := r.Task.TreeHash
		if sk, ok := s.skeletons.GetIfPresent(hash); ok {
			r.Skeleton = sk
			continue
		}
		missing[hash] = append(missing[hash], i)
		r.Err = fmt.Errorf("tree %s does not exist", hash)
	}
	if len(missing) == 0 {
		return nil
	}
	list, err := hashList(missing)
	if err != nil {
		return err
	}
	rows, err := tx.StmtContext(ctx, s.queries.skeletons).QueryContext(ctx, list)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var hash string
		var packed []byte
		if err := rows.Scan(&hash, &packed); err != nil {
			return err
		}
		sk, err := s.decodeSkeleton(packed)
		if err != nil {
			sk, err = nil, fmt.Errorf("read skeleton of tree %s: %w", hash, err)
		} else {
			s.skeletons.Set(hash, sk)
		}
		for _, i := range missing[hash] {
			batch.Tasks[i].Skeleton, batch.Tasks[i].Err = sk, err
		}
	}
	return rows.Err()
}
