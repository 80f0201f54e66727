package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/stdops/stdops"
)

// Fleet tells of the processes that share a database, of the tasks that they let wait, and of the server that has it.
type Fleet struct {
	Now     time.Time // by the clock of the database
	Workers int       // that are alive
	Since   time.Time // when the first of them began to drive tasks
	Due     []Waiting // tasks whose time has come, and that nobody has taken
	Left    []Waiting // tasks that a dead worker has, and that nobody has freed

	Standby         bool     // it takes no writes
	Encoding        string   // of the database
	Lossy           []string // settings of the server by which it loses what it has acknowledged
	CommitsAtOnce   bool     // by default: its own setting of synchronous_commit is not off
	Connections     int
	MostConnections int // that others than its administrators may have
}

// Waiting is a task that has been waiting for a worker.
type Waiting struct {
	Ref   stdops.TaskRef
	Since time.Time
}

// Fleet looks at the processes that share the database. Tasks count as waiting that have been so for longer than late.
func (c *Copy) Fleet(ctx context.Context, late time.Duration) (f Fleet, err error) {
	if f.Now, err = c.TimeOnRecord(ctx); err != nil {
		return f, err
	}
	before := micros(f.Now.Add(-late))
	err = c.from().QueryRowContext(ctx, `SELECT count(*), min(started_at) FROM worker WHERE expires_at > $1`, micros(f.Now)).Scan(&f.Workers, instant(&f.Since))
	if err != nil {
		return f, fmt.Errorf("list workers: %w", explain(err))
	}
	f.Due, err = c.waiting(ctx, `
		SELECT project_id, id, queue_at FROM task WHERE queue_at <= $1 AND owner IS NULL AND live = 1 ORDER BY queue_at, id`, before)
	if err != nil {
		return f, err
	}
	// A worker that has ended by itself gives its lease back before its tasks: when it was heard of last says how long that is ago.
	f.Left, err = c.waiting(ctx, `
		SELECT t.project_id, t.id, w.renewed_at FROM task t JOIN worker w ON w.id = t.owner
		WHERE w.expires_at <= $1 AND w.renewed_at <= $1 ORDER BY w.renewed_at, t.id`, before)
	if err != nil {
		return f, err
	}
	return f, c.serverOf(ctx, &f)
}

func (c *Copy) waiting(ctx context.Context, query string, before any) ([]Waiting, error) {
	rows, err := c.from().QueryContext(ctx, query, before)
	all, err := collect(rows, err, func(w *Waiting) []any { return []any{number(&w.Ref.Project), number(&w.Ref.Task), instant(&w.Since)} })
	if err != nil {
		return nil, fmt.Errorf("list tasks that wait for a worker: %w", explain(err))
	}
	return all, nil
}

// serverOf looks at the server itself. What it is set to by default is not what counts in a session of ours.
func (c *Copy) serverOf(ctx context.Context, f *Fleet) error {
	rows, err := c.from().QueryContext(ctx, `SELECT name FROM pg_settings WHERE name IN ('fsync', 'full_page_writes') AND setting = 'off' ORDER BY name`)
	if f.Lossy, err = collect(rows, err, func(s *string) []any { return []any{s} }); err != nil {
		return fmt.Errorf("read settings of the database server: %w", explain(err))
	}
	err = c.from().QueryRowContext(ctx, `
		SELECT (SELECT reset_val <> 'off' FROM pg_settings WHERE name = 'synchronous_commit'),
			(SELECT COALESCE(sum(numbackends), 0) FROM pg_stat_database),
			current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int,
			pg_is_in_recovery(), current_setting('server_encoding')`).Scan(
		&f.CommitsAtOnce, &f.Connections, &f.MostConnections, &f.Standby, &f.Encoding)
	if err != nil {
		return fmt.Errorf("read settings of the database server: %w", explain(err))
	}
	return nil
}

// Statements of [Repair.Share]. A task that a worker has is read again by it; another one is taken.
const (
	wakeShared = `
		UPDATE task SET live = 1, wake_at = $1, queue_at = CASE WHEN owner IS NULL THEN $1::bigint END,
			touched_at = CASE WHEN owner IS NOT NULL THEN $1::bigint END
		WHERE id = $2 AND project_id = $3 AND revision = $4`
	takeForgotten = `UPDATE task SET queue_at = $1 WHERE ` + forgotten
)

// Share sets right what is stored in a database while processes share it. Each statement is for itself, and does nothing to a
// task with which something has happened meanwhile.
func (r *Repair) Share(ctx context.Context, url string) (done Repaired, err error) {
	db, err := openPool(url, poolOptions{most: 1, settings: noHurry})
	if err != nil {
		return done, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := checkPostgresSchema(ctx, db); err != nil {
		return done, err
	}
	if err := r.wakeShared(ctx, db, &done); err != nil {
		return done, fmt.Errorf("repair: %w", explain(err))
	}
	if err := r.remove(ctx, db, postgresTablesOfTasks, &done); err != nil {
		return done, fmt.Errorf("repair: %w", explain(err))
	}
	return done, nil
}

func (r *Repair) wakeShared(ctx context.Context, db execer, done *Repaired) error {
	for _, s := range r.Wake {
		n, err := affected(db.ExecContext(ctx, wakeShared, micros(r.At), int64(s.Ref.Task), int64(s.Ref.Project), s.Revision))
		if err != nil {
			return err
		}
		done.Woken += n
	}
	if !r.Forgotten {
		return nil
	}
	n, err := affected(db.ExecContext(ctx, takeForgotten, micros(r.At)))
	done.Woken += n
	return err
}
