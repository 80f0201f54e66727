package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/stdops/stdops"
)

// What reads all of a status is also what [StatusScan] runs.
const (
	postgresTasksByIDs = `SELECT ` + taskColumns + ` FROM task WHERE project_id = $1 AND id = ANY ($2) ORDER BY id DESC`
	postgresNodesOf    = `SELECT task_id, ` + nodeColumns + ` FROM node_state WHERE task_id = ANY ($1)`
)

// postgresStatuses is [Store.Statuses] on PostgreSQL. Its time is that of the database when the transaction began, unless this
// process has shown a later one, which its own clock may be by some milliseconds.
func (s *Store) postgresStatuses(ctx context.Context, project stdops.ProjectID, q StatusQuery) (*StatusBatch, error) {
	batch := &StatusBatch{Now: s.Now()}
	err := s.read(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if !s.pg.clock.fixed {
			if err := tx.QueryRowContext(ctx, `SELECT `+databaseTime("transaction_timestamp()")).Scan(instant(&batch.Now)); err != nil {
				return err
			}
			batch.Now = s.pg.clock.reached(batch.Now)
		}
		if q.List != nil {
			if err := s.statusList(ctx, tx, project, q, batch); err != nil {
				return err
			}
		} else if err := postgresTasks(ctx, tx, project, q, batch); err != nil {
			return err
		}
		r := postgresReads{ctx, tx}
		if err := s.statusSkeletons(r, batch); err != nil {
			return err
		}
		return s.statusNodes(r, q, batch)
	})
	if err != nil {
		return nil, fmt.Errorf("load statuses: %w", err)
	}
	return batch, nil
}

func postgresTasks(ctx context.Context, tx *sql.Tx, project stdops.ProjectID, q StatusQuery, batch *StatusBatch) error {
	text, param := postgresTasksByIDs, ids(dialect{postgres: true}, q.IDs)
	if q.IDs == nil {
		text = `SELECT ` + taskColumns + ` FROM task WHERE project_id = $1 AND deleted = 0 ORDER BY id DESC LIMIT $2`
		param = int64(q.Newest) + 1
	}
	rows, err := tx.QueryContext(ctx, text, int64(project), param)
	batch.Tasks, err = collect(rows, err, func(r *StatusRows) []any { return taskFields(&r.Task) })
	if q.IDs == nil && len(batch.Tasks) > q.Newest {
		batch.Tasks, batch.Truncated = batch.Tasks[:q.Newest], true
	}
	for i := range batch.Tasks {
		row := &batch.Tasks[i]
		row.Unchanged = q.unchanged(&row.Task)
	}
	return err
}

// postgresReads are the reads of a status in one transaction.
type postgresReads struct {
	ctx context.Context // of the transaction
	tx  *sql.Tx
}

func (r postgresReads) skeletonsOf(hashes []string, each func(hash string, packed []byte)) error {
	type row struct {
		hash string
		body []byte
	}
	rows, err := r.tx.QueryContext(r.ctx, `SELECT hash, skeleton FROM tree WHERE hash = ANY ($1)`, hashes)
	found, err := collect(rows, err, func(r *row) []any { return []any{&r.hash, &r.body} })
	for i := range found {
		each(found[i].hash, found[i].body)
	}
	return err
}

func (r postgresReads) countsOf(tasks []stdops.TaskID, each func(stdops.TaskID, int)) error {
	type row struct {
		task stdops.TaskID
		n    int
	}
	rows, err := r.tx.QueryContext(r.ctx, `
		SELECT task_id, COUNT(*) FROM node_state WHERE task_id = ANY ($1) GROUP BY task_id
		UNION ALL SELECT task_id, nodes FROM task_archive WHERE task_id = ANY ($1)`,
		ids(dialect{postgres: true}, tasks))
	found, err := collect(rows, err, func(r *row) []any { return []any{number(&r.task), &r.n} })
	for _, row := range found {
		each(row.task, row.n)
	}
	return err
}

func (r postgresReads) nodesOf(tasks []stdops.TaskID, each func(stdops.TaskID) *stdops.NodeState) error {
	return r.eachNode(each, postgresNodesOf, ids(dialect{postgres: true}, tasks))
}

func (r postgresReads) openNodesOf(tasks []stdops.TaskID, each func(stdops.TaskID) *stdops.NodeState) error {
	return r.eachNode(each, `SELECT task_id, `+nodeColumns+` FROM node_state WHERE task_id = ANY ($1) AND state <> $2`,
		ids(dialect{postgres: true}, tasks), int64(stdops.StateFinished))
}

func (r postgresReads) doneNodesOf(tasks []stdops.TaskID, each func(stdops.TaskID, stdops.NodeIndex)) error {
	rows, err := r.tx.QueryContext(r.ctx, `SELECT task_id, node FROM node_state WHERE task_id = ANY ($1) AND state = $2`,
		ids(dialect{postgres: true}, tasks), int64(stdops.StateFinished))
	if err != nil {
		return err
	}
	defer rows.Close()
	var task stdops.TaskID
	var node stdops.NodeIndex
	for rows.Next() {
		if err := rows.Scan(number(&task), number(&node)); err != nil {
			return err
		}
		each(task, node)
	}
	return rows.Err()
}

func (r postgresReads) archivesOf(tasks []stdops.TaskID, each func(stdops.TaskID, packedNodes)) error {
	type row struct {
		task stdops.TaskID
		packedNodes
	}
	rows, err := r.tx.QueryContext(r.ctx, `SELECT task_id, format, body, calls FROM task_archive WHERE task_id = ANY ($1)`,
		ids(dialect{postgres: true}, tasks))
	found, err := collect(rows, err, func(r *row) []any { return []any{number(&r.task), &r.format, &r.body, &r.calls} })
	for _, row := range found {
		each(row.task, row.packedNodes)
	}
	return err
}

// eachNode puts nodes where each says.
func (r postgresReads) eachNode(each func(stdops.TaskID) *stdops.NodeState, text string, args ...any) error {
	rows, err := r.tx.QueryContext(r.ctx, text, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	var (
		task   stdops.TaskID
		node   stdops.NodeState
		fields = append([]any{number(&task)}, nodeFields(&node)...)
	)
	for rows.Next() {
		if err := rows.Scan(fields...); err != nil {
			return err
		}
		*each(task) = node
	}
	return rows.Err()
}

func (r postgresReads) updatesOf(tasks []stdops.TaskID, each func(stdops.TaskID, time.Time)) error {
	type row struct {
		task stdops.TaskID
		at   time.Time
	}
	rows, err := r.tx.QueryContext(r.ctx, `
		SELECT task, (SELECT at FROM transition WHERE task_id = task ORDER BY revision DESC, n DESC LIMIT 1)
		FROM unnest($1::bigint[]) task`,
		ids(dialect{postgres: true}, tasks))
	found, err := collect(rows, err, func(r *row) []any { return []any{number(&r.task), instant(&r.at)} })
	for _, row := range found {
		each(row.task, row.at)
	}
	return err
}
