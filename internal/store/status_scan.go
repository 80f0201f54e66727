package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/stdops/stdops"
)

// ScanStatuses runs the statements of [Store.Statuses] with children for tasks that were all started, scans their rows
// into plain variables and keeps nothing: no snapshot, no values of the vocabulary, no order of the nodes, no trees.
// It gives the number of rows, and is what `stdops bench status` holds Statuses against.
func (s *Store) ScanStatuses(ctx context.Context, project stdops.ProjectID, ids []stdops.TaskID) (int, error) {
	list := idList(ids)
	tasks, err := scanTasks(s.queries.byIDs.QueryContext(ctx, int64(project), list))
	if err != nil {
		return 0, fmt.Errorf("scan tasks: %w", err)
	}
	nodes, err := scanNodes(s.queries.nodes.QueryContext(ctx, list))
	if err != nil {
		return 0, fmt.Errorf("scan nodes: %w", err)
	}
	return tasks + nodes, nil
}

// scanTasks reads rows of taskColumns.
func scanTasks(rows *sql.Rows, err error) (int, error) {
	var (
		id, project, claimed, deleted, template, state, revision, epoch, live                 int64
		name, tree, flowType, source, method, app, creator, executor, text, category, attempt string
		created, started, finished, wake                                                      sql.NullInt64
	)
	return scanInto(rows, err, &id, &project, &name, &tree, &flowType, &claimed, &deleted, &template, &source,
		&method, &app, &creator, &executor, &text, &category, &created,
		&state, &attempt, &started, &finished, &revision, &epoch, &live, &wake)
}

// scanNodes reads rows of task_id and nodeColumns.
func scanNodes(rows *sql.Rows, err error) (int, error) {
	var (
		task, node, order, state, phase, call, loop, inner, retry, auto, skip, ignored, token int64
		attempt                                                                               string
		started, finished, due, deadline                                                      sql.NullInt64
	)
	return scanInto(rows, err, &task, &node, &order, &state, &phase, &call, &loop, &inner, &retry, &auto, &skip, &ignored,
		&attempt, &token, &started, &finished, &due, &deadline)
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
