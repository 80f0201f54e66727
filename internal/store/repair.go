package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/driver"

	"github.com/stdops/stdops"
)

// TellsOfNobody counts accepted callbacks, and what children have told, of tasks in which nothing happens any more.
func (c *Copy) TellsOfNobody(ctx context.Context) (rows int, err error) {
	err = c.from().QueryRowContext(ctx, `SELECT COUNT(*) FROM event r WHERE `+unheard).Scan(&rows)
	if err != nil {
		return 0, fmt.Errorf("count callbacks: %w", err)
	}
	return rows, nil
}

// unheard is the condition that nobody will ever look at a row of event.
const unheard = `EXISTS (SELECT 1 FROM task t WHERE t.id = r.task_id AND t.project_id = r.project_id AND t.live = 0)`

// Repair is what can be set right in the data of a stopped server, or of those that share a database, without knowing more than
// they tell.
type Repair struct {
	Wake      []Sleeper
	At        time.Time // for which the wake-ups are noted
	Forgotten bool      // tasks that nobody will drive are to be taken ([Misled])
	Orphans   bool      // rows of tasks that do not exist go
	Unheard   bool      // callbacks, and what children told, of tasks in which nothing happens any more go
}

// Sleeper is a task that somebody has to look at, the next start or a worker, if it is still as it was when that was found.
type Sleeper struct {
	Ref      stdops.TaskRef
	Revision int64
}

// Repaired says what was done.
type Repaired struct {
	Copy  string // of the database as it was before; "" on PostgreSQL
	Woken int    // tasks
	Rows  int    // that went
}

// Do sets data right that no server has, all of it in one transaction, after the database was copied.
func (r *Repair) Do(ctx context.Context, dir string) (done Repaired, err error) {
	data, err := copyOf(dir)
	if err != nil {
		return done, err
	}
	release, err := Hold(filepath.Dir(data.file))
	if err != nil {
		return done, err
	}
	defer func() { err = errors.Join(err, release()) }()
	if err := createPrivate(data.file + "-shm"); err != nil {
		return done, fmt.Errorf("open database %s: %w", data.file, err)
	}
	db, err := driver.Open(address(data.file, "rw", ""), func(c *sqlite3.Conn) error { return c.Exec(writerSettings) })
	if err != nil {
		return done, fmt.Errorf("open database %s: %w", data.file, err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(1)
	if err := checkSchema(ctx, db, data.file); err != nil {
		return done, err
	}
	if done.Copy, err = copyBeforeRepair(ctx, db, data.file); err != nil {
		return done, fmt.Errorf("copy database before repair: %w", err)
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return done, fmt.Errorf("repair: %w", err)
	}
	defer func() { _ = tx.Rollback() }()
	if err := r.apply(ctx, tx, &done); err != nil {
		return done, fmt.Errorf("repair: %w", err)
	}
	return done, tx.Commit()
}

// copyBeforeRepair leaves a copy of the database beside it, whose name ends with the next free number.
func copyBeforeRepair(ctx context.Context, db *sql.DB, file string) (name string, err error) {
	for n := 1; ; n++ {
		name = fmt.Sprintf("%s.repair%d", file, n)
		if _, err := os.Lstat(name); errors.Is(err, os.ErrNotExist) {
			break
		} else if err != nil {
			return "", err
		}
	}
	part := name + partSuffix
	if err := ignoreMissing(os.Remove(part)); err != nil {
		return "", err
	}
	if err := createPrivate(part); err != nil {
		return "", err
	}
	if err := vacuumInto(ctx, db, part); err != nil {
		return "", errors.Join(err, os.Remove(part))
	}
	return name, publish(part, name)
}

func (r *Repair) apply(ctx context.Context, tx *sql.Tx, done *Repaired) error {
	for _, s := range r.Wake {
		n, err := affected(tx.ExecContext(ctx, `UPDATE task SET live = 1, wake_at = $1 WHERE id = $2 AND project_id = $3 AND revision = $4`,
			micros(r.At), int64(s.Ref.Task), int64(s.Ref.Project), s.Revision))
		if err != nil {
			return err
		}
		done.Woken += n
	}
	return r.remove(ctx, tx, tablesOfTasks, done)
}

// execer is what statements are run on: a transaction, or connections that store each for itself.
type execer interface {
	querier
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// remove takes away what belongs to nobody. What is left is looked for again by the statements that take it away, so that it does
// not matter what has happened since it was found.
func (r *Repair) remove(ctx context.Context, db execer, listTables string, done *Repaired) error {
	if r.Unheard {
		n, err := affected(db.ExecContext(ctx, `DELETE FROM event AS r WHERE `+unheard))
		if err != nil {
			return err
		}
		done.Rows += n
	}
	if !r.Orphans {
		return nil
	}
	rows, err := db.QueryContext(ctx, listTables)
	tables, err := collect(rows, err, func(s *string) []any { return []any{s} })
	if err != nil {
		return err
	}
	for _, table := range tables {
		n, err := affected(db.ExecContext(ctx, `DELETE FROM "`+table+`" AS r WHERE `+orphaned))
		if err != nil {
			return err
		}
		done.Rows += n
	}
	return nil
}

func affected(result sql.Result, err error) (int, error) {
	if err != nil {
		return 0, err
	}
	n, err := result.RowsAffected()
	return int(n), err
}
