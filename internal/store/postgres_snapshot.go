package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/stdops/stdops"
)

// postgresSnapshot reads all of a task, inside of the transaction of the connection.
func postgresSnapshot(ctx context.Context, conn *sql.Conn, ref stdops.TaskRef, snap *stdops.Snapshot) error {
	return snapshotAfter(ctx, conn, &pgx.Batch{}, ref, snap)
}

// snapshotAfter runs statements, and after them those that read all of a task. They travel together: most tasks are small, so
// that the way of each there and back would take most of the time.
func snapshotAfter(ctx context.Context, conn *sql.Conn, b *pgx.Batch, ref stdops.TaskRef, snap *stdops.Snapshot) error {
	var (
		tasks  []stdops.Task
		inputs [][]byte
		task   = int64(ref.Task)
	)
	queue(b, &tasks, taskFields, `SELECT `+taskColumns+` FROM task WHERE id = $1 AND project_id = $2`, task, int64(ref.Project))
	queue(b, &inputs, func(v *[]byte) []any { return []any{v} },
		`SELECT inputs FROM task_input WHERE task_id = $1 AND project_id = $2`, task, int64(ref.Project))
	queue(b, &snap.Nodes, nodeFields, `SELECT `+nodeColumns+` FROM node_state WHERE task_id = $1 ORDER BY node`, task)
	queue(b, &snap.Data, func(d *stdops.NodeData) []any {
		return []any{number(&d.Node), &d.Inputs, &d.Outputs, &d.Template}
	}, `
		SELECT d.node, d.inputs, d.outputs, d.template
		FROM node_data d LEFT JOIN node_state s ON s.task_id = d.task_id AND s.node = d.node
		WHERE d.task_id = $1 AND (s.state IS NULL OR s.state <> $2 OR d.template IS NOT NULL)
		ORDER BY d.node`, task, int64(stdops.StateFinished))
	queue(b, &snap.Variables, func(v *stdops.Variable) []any { return []any{number(&v.Scope), &v.Key, &v.Value} },
		`SELECT scope, key, value FROM variable WHERE task_id = $1 ORDER BY scope, key`, task)
	queue(b, &snap.Forks, func(f *stdops.Fork) []any {
		return []any{
			number(&f.Token), number(&f.Parent), number(&f.Destination), number(&f.Need), number(&f.Have), number(&f.Next),
			&f.Stopped, number(&f.SuspendedBy), &f.Moving,
		}
	}, `
		SELECT token, parent, destination, need, have, next, stopped, suspended_by, moving
		FROM fork WHERE task_id = $1 ORDER BY token`, task)
	// Callbacks and what children told, each kind in its own order.
	queue(b, &snap.Callbacks, func(e *stdops.Callback) []any {
		return []any{&e.Seq, number(&e.Node), (*string)(&e.Version), &e.Data}
	}, `SELECT seq, node, version, data FROM event WHERE task_id = $1 ORDER BY abs(seq), seq`, task)
	if err := send(ctx, conn, b); err != nil {
		return fmt.Errorf("load task %d: %w", ref.Task, err)
	}
	switch {
	case len(tasks) == 0:
		return noTask(ref.Task)
	case !tasks[0].Archived.IsZero():
		snap.Task = tasks[0] // of which whoever verifies reads the rest
		return archived(&snap.Task)
	case len(inputs) == 0:
		return noInputs(ref.Task)
	}
	snap.Task, snap.Inputs = tasks[0], inputs[0]
	return nil
}

// queue adds a statement of which all rows are read.
func queue[T any](b *pgx.Batch, to *[]T, fields func(*T) []any, text string, args ...any) {
	b.Queue(text, args...).Query(func(rows pgx.Rows) (err error) {
		*to, err = scanAll(rows, func(row *T) []any { return flagsOf(fields(row)) })
		return err
	})
}

// flagsOf lets numbers be read into flags, which pgx does not do by itself.
func flagsOf(dest []any) []any {
	for i := range dest {
		if flag, ok := dest[i].(*bool); ok {
			dest[i] = flagScanner{flag}
		}
	}
	return dest
}

type flagScanner struct{ flag *bool }

// Scan fulfils sql.Scanner.
func (s flagScanner) Scan(src any) error {
	v, ok := src.(int64)
	if !ok {
		return fmt.Errorf("a flag is stored as %T", src)
	}
	*s.flag = v != 0
	return nil
}

// send runs statements on a connection, in one way there and back.
func send(ctx context.Context, conn *sql.Conn, b *pgx.Batch) error {
	return conn.Raw(func(c any) error { return c.(*connection).Conn.Conn().SendBatch(ctx, b).Close() })
}
