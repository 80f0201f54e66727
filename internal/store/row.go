package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/stdops/stdops"
)

// taskColumns are the columns of a whole task, in the order of taskFields.
const taskColumns = `id, project_id, name, tree_hash, flow_type, claimed, deleted, template_id, template_source,
	create_method, app, creator, executor, description, category, created_at,
	parent_id, parent_node, parent_version,
	state, version, started_at, finished_at, revision, epoch, live, wake_at, archived_at`

func taskFields(t *stdops.Task) []any {
	return []any{
		number(&t.ID), number(&t.Project), &t.Name, &t.TreeHash, (*string)(&t.FlowType), &t.Claimed, &t.Deleted,
		number(&t.Template), &t.TemplateSource, &t.CreateMethod, &t.App, &t.Creator, &t.Executor, &t.Description,
		&t.Category, instant(&t.Created),
		number(&t.Parent.Task), number(&t.Parent.Node), (*string)(&t.Parent.Version),
		number(&t.Root.State), (*string)(&t.Root.Version), instant(&t.Root.Started), instant(&t.Root.Finished),
		number(&t.Root.Revision), number(&t.Root.Epoch), &t.Root.Live, instant(&t.Root.WakeAt),
		instant(&t.Archived),
	}
}

// nodeColumns are the columns of a node state, in the order of nodeFields.
const nodeColumns = `node, ord, state, phase, call, loop, inner_loop, retry, auto_retries, skip, error_ignored,
	version, token, started_at, finished_at, due_at, deadline, called_at`

func nodeFields(n *stdops.NodeState) []any {
	return []any{
		number(&n.Node), number(&n.Order), number(&n.State), number(&n.Phase), number(&n.Call), number(&n.Loop),
		number(&n.InnerLoop), number(&n.Retry), number(&n.AutoRetries), &n.Skip, &n.ErrorIgnored,
		(*string)(&n.Version), number(&n.Token), instant(&n.Started), instant(&n.Finished), instant(&n.Due), instant(&n.Deadline),
		instant(&n.Called),
	}
}

// querier is a connection or a transaction, whichever a statement is to run in.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// collect reads all rows. fields gives the places of the columns in the value that it is handed, which is emptied and
// filled again for every row.
func collect[T any](rows *sql.Rows, queryErr error, fields func(*T) []any) ([]T, error) {
	if queryErr != nil {
		return nil, queryErr
	}
	defer rows.Close()
	return scanAll(rows, fields)
}

// scanner is what rows of both database/sql and pgx are.
type scanner interface {
	Next() bool
	Scan(dest ...any) error
	Err() error
}

func scanAll[T any](rows scanner, fields func(*T) []any) ([]T, error) {
	var (
		all   []T
		row   T
		empty T
		dest  = fields(&row)
	)
	for rows.Next() {
		row = empty
		if err := rows.Scan(dest...); err != nil {
			return nil, err
		}
		all = append(all, row)
	}
	return all, rows.Err()
}

// findTask reads the row of a task.
func findTask(ctx context.Context, q querier, ref stdops.TaskRef) (stdops.Task, error) {
	var t stdops.Task
	err := q.QueryRowContext(ctx, `SELECT `+taskColumns+` FROM task WHERE id = $1 AND project_id = $2`,
		int64(ref.Task), int64(ref.Project)).Scan(taskFields(&t)...)
	if errors.Is(err, sql.ErrNoRows) {
		return t, noTask(ref.Task)
	}
	if err != nil {
		return t, fmt.Errorf("load task %d: %w", ref.Task, err)
	}
	return t, nil
}

func noTask(id stdops.TaskID) *stdops.Error {
	return stdops.Errorf(stdops.CodeNotFound, "task %d does not exist", id)
}

// noInputs tells of a task whose values of constants are gone, which are stored with every task.
func noInputs(id stdops.TaskID) error {
	return stdops.Errorf(stdops.CodeInternal, "task %d has no inputs: %w", id, stdops.ErrRecord)
}
