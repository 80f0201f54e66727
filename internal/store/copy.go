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
	"slices"
	"syscall"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/driver"

	"github.com/stdops/stdops"
)

// Copy is the data directory of a stopped server, or a copy of one, that is only read: what is in its files stays as it is.
// [OpenBeside] reads that of a running server too, [OpenDatabase] a PostgreSQL database.
type Copy struct {
	db    *sql.DB
	file  string
	pg    bool
	conn  *sql.Conn // of a [Copy.Moment] on PostgreSQL
	tx    *sql.Tx   // on conn
	lock  *os.File  // nil: a copy without one, or a server has it
	live  bool      // a server has the data directory
	made  string    // a file that reading made; "" for none
	unzip *zstd.Decoder
}

// OpenCopy opens a data directory to read it. A running server has it for itself ([ErrInUse]); a schema other than that of
// this program is refused.
func OpenCopy(ctx context.Context, dir string) (*Copy, error) {
	c, err := OpenStopped(dir)
	if err != nil {
		return nil, err
	}
	if err := checkSchema(ctx, c.db, c.file); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
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
func (c *Copy) open() error {
	from := address(c.file, "ro", "")
	if log, err := os.Stat(c.file + "-wal"); errors.Is(err, fs.ErrNotExist) || err == nil && log.Size() == 0 {
		from += "&immutable=1"
	} else if _, err := os.Stat(c.file + "-shm"); errors.Is(err, fs.ErrNotExist) {
		c.made = c.file + "-shm"
	}
	return c.connect(from)
}

// connect opens the one connection.
func (c *Copy) connect(from string) (err error) {
	if err := c.openUnzip(); err != nil {
		return err
	}
	c.db, err = driver.Open(from, func(conn *sqlite3.Conn) error { return conn.Exec(readerSettings) })
	if err != nil {
		return fmt.Errorf("open database %s: %w", c.file, err)
	}
	c.db.SetMaxOpenConns(1)
	return nil
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

// Close lets the data directory go. It must be called once, when no method runs.
func (c *Copy) Close() error {
	var errs []error
	if c.unzip != nil {
		c.unzip.Close()
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

// Orphans says that a table has rows of a task that does not exist.
type Orphans struct {
	Table string
	Of    stdops.TaskRef
}

// String says it to a person.
func (o Orphans) String() string {
	return fmt.Sprintf("table %s has rows of task %d in project %d, which does not exist", o.Table, o.Of.Task, o.Of.Project)
}

// Check looks at the whole and gives what is wrong with it: pages, indexes and references of a file; and rows of no task. What
// is too damaged to be looked at is wrong as well; an error is only that ctx ended.
func (c *Copy) Check(ctx context.Context) (problems []string, orphans []Orphans, err error) {
	look := func(what, query string) []string {
		found, err := c.texts(ctx, query)
		if err != nil {
			found = append(found, fmt.Sprintf("%s can not be checked: %v", what, err))
		}
		return found
	}
	listed := tablesOfTasks
	if c.pg {
		listed = postgresTablesOfTasks
	} else {
		problems = look("the file", `SELECT integrity_check FROM pragma_integrity_check() WHERE integrity_check <> 'ok'`)
		problems = append(problems, look("references", `
			SELECT 'a row of ' || "table" || ' refers to a row of ' || parent || ' that does not exist' FROM pragma_foreign_key_check()`)...)
	}
	tables, err := c.texts(ctx, listed)
	if err != nil {
		problems = append(problems, fmt.Sprintf("tables can not be listed: %v", err))
	}
	for _, table := range tables {
		rows, err := c.from().QueryContext(ctx, `SELECT DISTINCT project_id, task_id FROM "`+table+`" r WHERE `+orphaned)
		refs, err := collect(rows, err, func(r *stdops.TaskRef) []any { return []any{number(&r.Project), number(&r.Task)} })
		if err != nil {
			problems = append(problems, fmt.Sprintf("table %s can not be checked: %v", table, err))
		}
		for _, ref := range refs {
			orphans = append(orphans, Orphans{table, ref})
		}
	}
	if slices.Contains(tables, "task_archive") { // an older schema has none
		problems = append(problems, look("table task_archive", `
			SELECT 'task ' || task_id || ' has an archive, but was not archived' FROM task_archive
			WHERE task_id IN (SELECT id FROM task WHERE archived_at IS NULL)`)...)
		for _, table := range gone {
			problems = append(problems, look("table "+table, `
				SELECT DISTINCT 'table `+table+` has rows of task ' || task_id || ', which was archived' FROM `+table+`
				WHERE task_id IN (SELECT id FROM task WHERE archived_at IS NOT NULL)`)...)
		}
	}
	return problems, orphans, ctx.Err()
}

// tablesOfTasks lists the tables whose rows belong to tasks.
const tablesOfTasks = `
	SELECT m.name FROM sqlite_schema m WHERE m.type = 'table'
		AND EXISTS (SELECT 1 FROM pragma_table_info(m.name) c WHERE c.name = 'task_id')
		AND EXISTS (SELECT 1 FROM pragma_table_info(m.name) c WHERE c.name = 'project_id')
	ORDER BY m.name`

// orphaned is the condition that the task of a row does not exist.
const orphaned = `NOT EXISTS (SELECT 1 FROM task t WHERE t.id = r.task_id AND t.project_id = r.project_id)`

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
// it is a little later than the time of the database, which servers know only so well.
func (c *Copy) TimeOnRecord(ctx context.Context) (last time.Time, err error) {
	if !c.pg {
		return timeOnRecord(ctx, c.db)
	}
	if err := c.from().QueryRowContext(ctx, `SELECT `+present).Scan(instant(&last)); err != nil {
		return last, fmt.Errorf("ask for the time of the database: %w", explain(err))
	}
	return last.Add(time.Second), nil
}

// Record reads all that is stored of a task.
func (c *Copy) Record(ctx context.Context, ref stdops.TaskRef) (*stdops.Record, error) {
	r := &stdops.Record{}
	err := c.load(ctx, ref, &r.Snapshot)
	if stdops.ErrorCode(err) == stdops.CodeNotFound { // the task was just listed
		return nil, fmt.Errorf("the row of the inputs of task %d is missing", ref.Task)
	}
	if stdops.ErrorCode(err) == stdops.CodeGone {
		r.Nodes, err = c.archivedNodes(ctx, ref)
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

// archivedNodes reads how the nodes of an archived task stood.
func (c *Copy) archivedNodes(ctx context.Context, ref stdops.TaskRef) ([]stdops.NodeState, error) {
	var p packedNodes
	err := c.from().QueryRowContext(ctx, `SELECT format, body, calls FROM task_archive WHERE task_id = $1`, int64(ref.Task)).
		Scan(&p.format, &p.body, &p.calls)
	if err != nil {
		return nil, fmt.Errorf("load archive of task %d: %w", ref.Task, err)
	}
	return readArchive(c.unzip, p)
}

// load reads what a driver would. The statements are not prepared before the schema was looked at.
func (c *Copy) load(ctx context.Context, ref stdops.TaskRef, snap *stdops.Snapshot) error {
	if c.conn != nil {
		return postgresSnapshot(ctx, c.conn, ref, snap)
	}
	conn, err := c.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if c.pg {
		return postgresSnapshot(ctx, conn, ref, snap)
	}
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
