package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/driver"

	"github.com/stdops/stdops"
)

// Copy is the data directory of a stopped server, or a copy of one, that is only read: what is in its files stays as it is.
// Or it is a PostgreSQL database as it was at one moment ([OpenDatabase]).
type Copy struct {
	db    *sql.DB
	tx    *sql.Tx  // on PostgreSQL: all that is read is read in it
	lock  *os.File // nil: a copy without one
	made  string   // a file that reading made; "" for none
	unzip *zstd.Decoder
}

// OpenCopy opens a data directory to read it. A running server has it for itself ([ErrInUse]); a schema other than that of
// this program is refused.
func OpenCopy(ctx context.Context, dir string) (c *Copy, err error) {
	c = &Copy{}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.Close())
			c = nil
		}
	}()
	dir, err = filepath.Abs(dir)
	if err != nil {
		return c, fmt.Errorf("open data directory: %w", err)
	}
	file := filepath.Join(dir, databaseFile)
	if _, err := os.Stat(file); err != nil {
		return c, fmt.Errorf("open database: %w", err)
	}
	if c.lock, err = shareDir(dir); err != nil {
		return c, err
	}
	if err := c.open(file); err != nil {
		return c, err
	}
	if err := c.openUnzip(); err != nil {
		return c, err
	}
	return c, checkSchema(ctx, c.db, file)
}

func (c *Copy) openUnzip() (err error) {
	if c.unzip, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(largestBody)); err != nil {
		return fmt.Errorf("make decompressor: %w", err)
	}
	return nil
}

// from is what is read from.
func (c *Copy) from() querier {
	if c.tx != nil {
		return c.tx
	}
	return c.db
}

// shareDir keeps servers out of a data directory while it is read. A copy may have no lock.
func shareDir(dir string) (*os.File, error) {
	f, err := os.Open(filepath.Join(dir, lockFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("open lock of data directory: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB); err != nil {
		defer f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("data directory %s is %w%s", dir, ErrInUse, lockHolder(f))
		}
		return nil, fmt.Errorf("lock data directory %s: %w", dir, err)
	}
	return f, nil
}

// open opens the database. Without a log, or with an empty one, it needs no further file. Otherwise it needs an index of
// the log, which is made where it is missing and taken away again at the end: another user's could keep a server out.
func (c *Copy) open(file string) (err error) {
	from := address(file, "ro", "")
	if log, err := os.Stat(file + "-wal"); errors.Is(err, fs.ErrNotExist) || err == nil && log.Size() == 0 {
		from += "&immutable=1"
	} else if _, err := os.Stat(file + "-shm"); errors.Is(err, fs.ErrNotExist) {
		c.made = file + "-shm"
	}
	c.db, err = driver.Open(from, func(conn *sqlite3.Conn) error { return conn.Exec(readerSettings) })
	if err != nil {
		return fmt.Errorf("open database %s: %w", file, err)
	}
	c.db.SetMaxOpenConns(1)
	return nil
}

// Close lets the data directory go. It must be called once, when no method runs.
func (c *Copy) Close() error {
	var errs []error
	if c.unzip != nil {
		c.unzip.Close()
	}
	if c.tx != nil {
		errs = append(errs, c.tx.Rollback())
	}
	if c.db != nil {
		errs = append(errs, c.db.Close())
	}
	if c.made != "" {
		if err := os.Remove(c.made); !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	if c.lock != nil {
		errs = append(errs, unlockDir(c.lock))
	}
	return errors.Join(errs...)
}

// Check looks at the whole and gives what is wrong with it: pages, indexes and references of a file, who drives the tasks of a
// database that processes share, and rows of no task. What
// is too damaged to be looked at is wrong as well; an error is only that ctx ended.
func (c *Copy) Check(ctx context.Context) (problems []string, err error) {
	look := func(what, query string) []string {
		found, err := c.texts(ctx, query)
		if err != nil {
			found = append(found, fmt.Sprintf("%s can not be checked: %v", what, err))
		}
		return found
	}
	if c.tx != nil {
		problems = c.checkDatabase(look)
	} else {
		problems = c.checkFile(look)
	}
	tables, err := c.texts(ctx, c.tablesOfTasks())
	if err != nil {
		problems = append(problems, fmt.Sprintf("tables can not be listed: %v", err))
	}
	for _, table := range tables {
		problems = append(problems, look("table "+table, `
			SELECT DISTINCT 'table `+table+` has rows of task ' || task_id || ' in project ' || project_id || ', which does not exist'
			FROM "`+table+`" r
			WHERE NOT EXISTS (SELECT 1 FROM task t WHERE t.id = r.task_id AND t.project_id = r.project_id)`)...)
	}
	return problems, ctx.Err()
}

func (c *Copy) checkFile(look func(what, query string) []string) []string {
	return append(look("the file", `SELECT integrity_check FROM pragma_integrity_check() WHERE integrity_check <> 'ok'`), look("references", `
		SELECT 'a row of ' || "table" || ' refers to a row of ' || parent || ' that does not exist' FROM pragma_foreign_key_check()`)...)
}

// tablesOfTasks lists the tables whose rows belong to tasks.
func (c *Copy) tablesOfTasks() string {
	if c.tx != nil {
		return postgresTablesOfTasks
	}
	return `
		SELECT m.name FROM sqlite_schema m WHERE m.type = 'table'
			AND EXISTS (SELECT 1 FROM pragma_table_info(m.name) c WHERE c.name = 'task_id')
			AND EXISTS (SELECT 1 FROM pragma_table_info(m.name) c WHERE c.name = 'project_id')
		ORDER BY m.name`
}

func (c *Copy) texts(ctx context.Context, query string) ([]string, error) {
	rows, err := c.from().QueryContext(ctx, query)
	return collect(rows, err, func(s *string) []any { return []any{s} })
}

// Tasks lists tasks of all projects, deleted ones too, from the one after a given id on, at most limit of them.
func (c *Copy) Tasks(ctx context.Context, after stdops.TaskID, limit int) ([]stdops.TaskRef, error) {
	rows, err := c.from().QueryContext(ctx, `SELECT project_id, id FROM task WHERE id > $1 ORDER BY id LIMIT $2`, int64(after), limit)
	refs, err := collect(rows, err, func(r *stdops.TaskRef) []any { return []any{number(&r.Project), number(&r.Task)} })
	if err != nil {
		return nil, fmt.Errorf("list tasks: %w", err)
	}
	return refs, nil
}

// TimeOnRecord gives a time that all times on record lie before; zero when an earlier version wrote the data. On PostgreSQL
// it is the time of the database.
func (c *Copy) TimeOnRecord(ctx context.Context) (last time.Time, err error) {
	if c.tx == nil {
		return timeOnRecord(ctx, c.db)
	}
	if err = c.tx.QueryRowContext(ctx, `SELECT `+present).Scan(instant(&last)); err != nil {
		err = fmt.Errorf("ask for the time of the database: %w", explain(err))
	}
	return last, err
}

// Record reads all that is stored of a task.
func (c *Copy) Record(ctx context.Context, ref stdops.TaskRef) (*stdops.Record, error) {
	r := &stdops.Record{}
	err := c.load(ctx, ref, &r.Snapshot)
	if stdops.ErrorCode(err) == stdops.CodeNotFound { // the task was just listed
		return nil, fmt.Errorf("the row of the inputs of task %d is missing", ref.Task)
	}
	if err != nil {
		return nil, err
	}
	rows, err := c.from().QueryContext(ctx, `SELECT id, `+nodeColumns+`, archived_at FROM node_attempt WHERE task_id = $1 ORDER BY id`, int64(ref.Task))
	r.Attempts, err = collect(rows, err, func(a *stdops.Attempt) []any {
		return append(append([]any{&a.ID}, nodeFields(&a.State)...), instant(&a.Archived))
	})
	if err != nil {
		return nil, fmt.Errorf("load attempts of task %d: %w", ref.Task, err)
	}
	rows, err = c.from().QueryContext(ctx, `SELECT node FROM node_data WHERE task_id = $1 AND outputs IS NOT NULL ORDER BY node`, int64(ref.Task))
	r.Outputs, err = collect(rows, err, func(n *stdops.NodeIndex) []any { return []any{number(n)} })
	if err != nil {
		return nil, fmt.Errorf("load outputs of task %d: %w", ref.Task, err)
	}
	r.Log, err = transitions(ctx, c.from(), ref, -1, math.MaxInt32)
	return r, err
}

// load reads what a driver would. The statements are not prepared before the schema was looked at.
func (c *Copy) load(ctx context.Context, ref stdops.TaskRef, snap *stdops.Snapshot) error {
	if c.tx != nil {
		return postgresSnapshot(ctx, c.tx, ref, snap)
	}
	conn, err := c.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	return raw(conn, func(conn *sqlite3.Conn) (err error) {
		r := &snapshotReads{}
		defer func() { err = errors.Join(err, closeTexts(r.texts())) }()
		if err := prepareTexts(conn, r.texts()); err != nil {
			return fmt.Errorf("prepare the reads of a task: %w", err)
		}
		return r.read(ref, snap)
	})
}

// TaskTree reads the body of the tree with that hash.
func (c *Copy) TaskTree(ctx context.Context, hash string) ([]byte, error) {
	return taskTree(ctx, c.from(), c.unzip, hash)
}
