// Package bare is what the bench does to a PostgreSQL database past the server: it fills tables, watches them, holds rows
// locked, and runs the variant that the engine is held against.
package bare

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver

	"github.com/stdops/stdops"
)

// DB is a database of the bench.
type DB struct {
	url string
	sql *sql.DB
}

// connections is how many the bench has at most for what it does past the server.
const connections = 4

// Open connects to a database.
func Open(ctx context.Context, url string) (*DB, error) {
	db, err := sql.Open("pgx", url)
	if err != nil {
		return nil, fmt.Errorf("read the address of the database: %w", err)
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	if err := db.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("connect to the database: %w", err), db.Close())
	}
	return &DB{url: url, sql: db}, nil
}

// Close closes the connections.
func (d *DB) Close() error { return d.sql.Close() }

// Version is that of the server.
func (d *DB) Version(ctx context.Context) (string, error) {
	return one[string](ctx, d, `SELECT 'PostgreSQL ' || current_setting('server_version')`)
}

// Tasks counts the tasks.
func (d *DB) Tasks(ctx context.Context) (int64, error) {
	return one[int64](ctx, d, `SELECT count(*) FROM task`)
}

// Deadlocks is how many the server has ended in this database. Its figures may be a moment old.
func (d *DB) Deadlocks(ctx context.Context) (int64, error) {
	return one[int64](ctx, d, `SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`)
}

// Size is how many bytes the tables have on disk, with their indexes.
func (d *DB) Size(ctx context.Context) (int64, error) {
	return one[int64](ctx, d, `
		SELECT sum(pg_total_relation_size(c.oid))::bigint FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r'`)
}

// Vacuum lets the server clean up and learn what the tables hold; whole writes them anew, without the room of what is gone.
func (d *DB) Vacuum(ctx context.Context, whole bool) error {
	text := `VACUUM (ANALYZE)`
	if whole {
		text = `VACUUM (FULL, ANALYZE)`
	}
	_, err := d.sql.ExecContext(ctx, text)
	return err
}

func one[T any](ctx context.Context, d *DB, query string, args ...any) (v T, err error) {
	err = d.sql.QueryRowContext(ctx, query, args...).Scan(&v)
	return v, err
}

// Now is the time of the database.
func (d *DB) Now(ctx context.Context) (time.Time, error) {
	return one[time.Time](ctx, d, `SELECT clock_timestamp()`)
}

// watchPause is the time between two looks at how tasks stand.
const watchPause = 20 * time.Millisecond

// AwaitEnds waits until all of some tasks have ended, and gives when the last of them did.
func (d *DB) AwaitEnds(ctx context.Context, tasks []stdops.TaskID) (time.Time, error) {
	for {
		var left, last int64
		err := d.sql.QueryRowContext(ctx, `
			SELECT count(*) FILTER (WHERE finished_at IS NULL), COALESCE(max(finished_at), 0) FROM task WHERE id = ANY ($1)`,
			numbers(tasks)).Scan(&left, &last)
		if err != nil {
			return time.Time{}, err
		}
		if left == 0 {
			return time.UnixMicro(last), nil
		}
		if err := pause(ctx); err != nil {
			return time.Time{}, fmt.Errorf("%d tasks have not ended: %w", left, err)
		}
	}
}

func pause(ctx context.Context) error {
	select {
	case <-time.After(watchPause):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func numbers(tasks []stdops.TaskID) []int64 {
	list := make([]int64, len(tasks))
	for i, id := range tasks {
		list[i] = int64(id)
	}
	return list
}

// Hold keeps the row of a task locked while do runs.
func (d *DB) Hold(ctx context.Context, task stdops.TaskID, do func() error) error {
	tx, err := d.sql.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	var id int64
	if err := tx.QueryRowContext(ctx, `SELECT id FROM task WHERE id = $1 FOR UPDATE`, int64(task)).Scan(&id); err != nil {
		return fmt.Errorf("lock task %d: %w", task, err)
	}
	return do()
}

// Owner is what the database says of who drives a task.
type Owner struct {
	PID      int // of its process; 0: nobody drives it
	Revision int64
	Ended    bool // the task
}

// Owners tells who drives some tasks.
func (d *DB) Owners(ctx context.Context, tasks []stdops.TaskID) (map[stdops.TaskID]Owner, error) {
	rows, err := d.sql.QueryContext(ctx, `
		SELECT t.id, COALESCE(w.pid, 0), t.revision, t.finished_at IS NOT NULL FROM task t LEFT JOIN worker w ON w.id = t.owner WHERE t.id = ANY ($1)`, numbers(tasks))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	owners := make(map[stdops.TaskID]Owner, len(tasks))
	for rows.Next() {
		var id int64
		var o Owner
		if err := rows.Scan(&id, &o.PID, &o.Revision, &o.Ended); err != nil {
			return nil, err
		}
		owners[stdops.TaskID(id)] = o
	}
	return owners, rows.Err()
}

// Ended tells whether a task has.
func (d *DB) Ended(ctx context.Context, task stdops.TaskID) (bool, error) {
	return one[bool](ctx, d, `SELECT finished_at IS NOT NULL FROM task WHERE id = $1`, int64(task))
}

// AwaitNodes waits until a task has reached so many nodes, or has ended.
func (d *DB) AwaitNodes(ctx context.Context, task stdops.TaskID, nodes int) error {
	for {
		there, err := one[bool](ctx, d, `
			SELECT t.finished_at IS NOT NULL OR (SELECT count(*) FROM node_state n WHERE n.task_id = t.id) >= $2 FROM task t WHERE t.id = $1`,
			int64(task), nodes)
		if err != nil || there {
			return err
		}
		if err := pause(ctx); err != nil {
			return fmt.Errorf("task %d does not reach %d nodes: %w", task, nodes, err)
		}
	}
}

// AwaitRelease waits until a task is driven by nobody and due at a time.
func (d *DB) AwaitRelease(ctx context.Context, task stdops.TaskID) error {
	for {
		free, err := one[bool](ctx, d, `SELECT owner IS NULL AND wake_at IS NOT NULL AND queue_at = wake_at FROM task WHERE id = $1`, int64(task))
		if err != nil || free {
			return err
		}
		if err := pause(ctx); err != nil {
			return fmt.Errorf("task %d is not let go: %w", task, err)
		}
	}
}

// Leader names the leader of the queue, "" when there is none.
func (d *DB) Leader(ctx context.Context) (string, error) {
	return one[string](ctx, d, `SELECT COALESCE((SELECT leader_id FROM river_leader WHERE expires_at > now()), '')`)
}

// Backend is the process of the server that answers, by its number on the machine of the server.
func (d *DB) Backend(ctx context.Context) (int, error) {
	return one[int](ctx, d, `SELECT pg_backend_pid()`)
}
