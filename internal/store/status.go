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

// StatusQuery says which tasks of a project are asked about: those of a list when List is not nil, those of IDs when
// these are not nil, deleted ones included, else the newest that are not deleted.
type StatusQuery struct {
	List     *TaskFilter
	Total    bool // how many the list has in all is wanted as well
	IDs      []stdops.TaskID
	Newest   int
	Children bool // the states of all nodes are wanted, not only those that decide how the task stands
	Most     int  // states that an answer with children holds in all; 0 sets no bound
}

// StatusRows is all that the status of one task is derived from.
type StatusRows struct {
	Task stdops.Task

	// Nodes are in order of their first execution. Without Children they are those of a task that was started and is not
	// ended, and of these the nodes that are not FINISHED: an enclosing subprocess that is not among them does not run.
	Nodes []stdops.NodeState
	Cut   bool // Nodes are those without Children, because all of them would be more than the query allows

	Skeleton *stdops.Skeleton // nil when Err is set
	Err      error            // why the tree of this one task cannot be read
}

// StatusBatch is the answer to a [StatusQuery], by descending id, as it was at one moment.
type StatusBatch struct {
	Tasks     []StatusRows
	Truncated bool  // there are older tasks than the newest that were asked for
	Total     int64 // tasks that the list has on all its pages, when that was asked
	Now       time.Time
}

// queries are the statements of the hot reads, prepared once for each connection that uses them.
type queries struct {
	byIDs, newest, counts, nodes, openNodes, skeletons *sql.Stmt
}

func prepareQueries(ctx context.Context, db *sql.DB) (q queries, err error) {
	for _, p := range []struct {
		to   **sql.Stmt
		text string
	}{
		{&q.byIDs, `SELECT ` + taskColumns + ` FROM task WHERE project_id = $1 AND id ` + anyOf("$2") + ` ORDER BY id DESC`},
		{&q.newest, `SELECT ` + taskColumns + ` FROM task WHERE project_id = $1 AND deleted = 0 ORDER BY id DESC LIMIT $2`},
		{&q.counts, `SELECT task_id, COUNT(*) FROM node_state WHERE task_id ` + anyOf("$1") + ` GROUP BY task_id`},
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
	for _, st := range []*sql.Stmt{q.byIDs, q.newest, q.counts, q.nodes, q.openNodes, q.skeletons} {
		if st != nil {
			errs = append(errs, st.Close())
		}
	}
	return errors.Join(errs...)
}

// Statuses reads how tasks stand, all of one moment, with two statements for any number of them, a third for trees that
// were not asked about lately, and two more when their children could be more than the query allows.
func (s *Store) Statuses(ctx context.Context, project stdops.ProjectID, q StatusQuery) (*StatusBatch, error) {
	batch := &StatusBatch{}
	err := s.read(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if err := s.statusTasks(ctx, tx, project, q, batch); err != nil {
			return err
		}
		if err := s.statusSkeletons(ctx, tx, batch); err != nil {
			return err
		}
		return s.statusNodes(ctx, tx, q, batch)
	})
	if err != nil {
		return nil, fmt.Errorf("load statuses: %w", err)
	}
	batch.Now = s.Now()
	return batch, nil
}

func (s *Store) statusTasks(ctx context.Context, tx *sql.Tx, project stdops.ProjectID, q StatusQuery, batch *StatusBatch) error {
	if q.List != nil {
		return statusList(ctx, tx, project, q, batch)
	}
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

// statusList reads the tasks of a list.
func statusList(ctx context.Context, tx *sql.Tx, project stdops.ProjectID, q StatusQuery, batch *StatusBatch) error {
	if q.Total {
		counts := TaskCounts{}
		if err := countTasks(ctx, tx, project, q.List.TaskMatch, "", nil, &counts); err != nil {
			return err
		}
		batch.Total = counts.Total
	}
	rows, err := q.List.query(ctx, tx, project)
	batch.Tasks, err = collect(rows, err, func(r *StatusRows) []any { return taskFields(&r.Task) })
	return err
}

// statusNodes reads the nodes of the tasks in the batch. The states of an ended task's nodes change nothing of how the
// task stands, so they are read only when they are wanted for themselves.
func (s *Store) statusNodes(ctx context.Context, tx *sql.Tx, q StatusQuery, batch *StatusBatch) error {
	if q.Children {
		if err := s.cut(ctx, tx, q.Most, batch); err != nil {
			return err
		}
	}
	place := map[stdops.TaskID]int{}
	var whole, open []stdops.TaskID
	for i := range batch.Tasks {
		t := &batch.Tasks[i].Task
		place[t.ID] = i
		switch {
		case t.Root.State == stdops.StateCreated, batch.Tasks[i].Err != nil: // nothing could be made of its nodes
		case q.Children && !batch.Tasks[i].Cut:
			whole = append(whole, t.ID)
		case !t.Root.State.Ended():
			open = append(open, t.ID)
		}
	}
	if len(whole) > 0 {
		rows, err := tx.StmtContext(ctx, s.queries.nodes).QueryContext(ctx, idList(whole))
		if err := collectNodes(rows, err, batch, place); err != nil {
			return err
		}
	}
	if len(open) > 0 {
		rows, err := tx.StmtContext(ctx, s.queries.openNodes).QueryContext(ctx, idList(open), int64(stdops.StateFinished))
		return collectNodes(rows, err, batch, place)
	}
	return nil
}

// cut finds the tasks whose nodes are more than there is room for, newest first. They are counted only when their trees
// are large enough for that.
func (s *Store) cut(ctx context.Context, tx *sql.Tx, most int, batch *StatusBatch) error {
	size, ids := 0, make([]stdops.TaskID, len(batch.Tasks))
	for i := range batch.Tasks {
		r := &batch.Tasks[i]
		ids[i] = r.Task.ID
		if r.Skeleton != nil {
			size += len(r.Skeleton.Nodes)
		}
	}
	if most == 0 || size <= most {
		return nil
	}
	type counted struct {
		task  stdops.TaskID
		nodes int
	}
	rows, err := tx.StmtContext(ctx, s.queries.counts).QueryContext(ctx, idList(ids))
	counts, err := collect(rows, err, func(c *counted) []any { return []any{number(&c.task), &c.nodes} })
	if err != nil {
		return err
	}
	nodes := make(map[stdops.TaskID]int, len(counts))
	for _, c := range counts {
		nodes[c.task] = c.nodes
	}
	for i := range batch.Tasks {
		r := &batch.Tasks[i]
		if n := nodes[r.Task.ID]; n > most {
			r.Cut = true
		} else {
			most -= n
		}
	}
	return nil
}

// collectNodes gives the tasks of the batch their nodes, in order of first execution.
func collectNodes(rows *sql.Rows, err error, batch *StatusBatch, place map[stdops.TaskID]int) error {
	if err != nil {
		return err
	}
	defer rows.Close()
	var (
		task stdops.TaskID
		node stdops.NodeState
		dest = append([]any{number(&task)}, nodeFields(&node)...)
		with = map[stdops.TaskID]bool{}
	)
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return err
		}
		r := &batch.Tasks[place[task]]
		r.Nodes = append(r.Nodes, node)
		with[task] = true
	}
	for id := range with {
		slices.SortFunc(batch.Tasks[place[id]].Nodes, func(a, b stdops.NodeState) int { return cmp.Compare(a.Order, b.Order) })
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
