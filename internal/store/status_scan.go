package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/stdops/stdops"
)

// StatusScan runs the statements of [Store.Statuses] with children for tasks that were all started, through database/sql,
// scans their rows into plain variables and keeps nothing: no snapshot, no values of the vocabulary, no order of the
// nodes, no trees. It is what `stdops bench status` holds Statuses against.
type StatusScan struct {
	dialect
	tasks, nodes *sql.Stmt
}

// PrepareScan prepares the statements. The scan must be closed before the store.
func (s *Store) PrepareScan(ctx context.Context) (*StatusScan, error) {
	scan := &StatusScan{dialect: s.dialect()}
	tasks, nodes := tasksByIDs, nodesOf
	if scan.postgres {
		tasks, nodes = postgresTasksByIDs, postgresNodesOf
	}
	for _, p := range []struct {
		to   **sql.Stmt
		text string
	}{{&scan.tasks, tasks}, {&scan.nodes, nodes}} {
		st, err := s.readers.PrepareContext(ctx, p.text)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("prepare scan: %w", explain(err)), scan.Close())
		}
		*p.to = st
	}
	return scan, nil
}

// Close gives the statements back.
func (scan *StatusScan) Close() error {
	var errs []error
	for _, st := range []*sql.Stmt{scan.tasks, scan.nodes} {
		if st != nil {
			errs = append(errs, st.Close())
		}
	}
	return errors.Join(errs...)
}

// Run gives the number of rows.
func (scan *StatusScan) Run(ctx context.Context, project stdops.ProjectID, tasks []stdops.TaskID) (int, error) {
	list := ids(scan.dialect, tasks)
	n, err := scanTasks(scan.tasks.QueryContext(ctx, int64(project), list))
	if err != nil {
		return 0, fmt.Errorf("scan tasks: %w", explain(err))
	}
	nodes, err := scanNodes(scan.nodes.QueryContext(ctx, list))
	if err != nil {
		return 0, fmt.Errorf("scan nodes: %w", explain(err))
	}
	return n + nodes, nil
}

// scanTasks reads rows of taskColumns.
func scanTasks(rows *sql.Rows, err error) (int, error) {
	var (
		id, project, claimed, deleted, template, parent, node, state, revision, epoch, live       int64
		name, tree, flowType, source, method, app, creator, executor, text, category, of, attempt string
		created, started, finished, wake, archived                                                sql.NullInt64
	)
	return scanInto(rows, err, &id, &project, &name, &tree, &flowType, &claimed, &deleted, &template, &source,
		&method, &app, &creator, &executor, &text, &category, &created,
		&parent, &node, &of, &state, &attempt, &started, &finished, &revision, &epoch, &live, &wake, &archived)
}

// scanNodes reads rows of task_id and nodeColumns.
func scanNodes(rows *sql.Rows, err error) (int, error) {
	var (
		task, node, order, state, phase, call, loop, inner, retry, auto, skip, ignored, token int64
		attempt                                                                               string
		started, finished, due, deadline, called                                              sql.NullInt64
	)
	return scanInto(rows, err, &task, &node, &order, &state, &phase, &call, &loop, &inner, &retry, &auto, &skip, &ignored,
		&attempt, &token, &started, &finished, &due, &deadline, &called)
}

func scanInto(rows *sql.Rows, err error, dest ...any) (n int, _ error) {
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for ; rows.Next(); n++ {
		if err := rows.Scan(dest...); err != nil {
			return n, err
		}
	}
	return n, rows.Err()
}
