package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/driver"

	"github.com/stdops/stdops"
)

// ErrDisk marks an error after which nothing more may be acknowledged: the disk or the database file is damaged, and
// what was believed to be written may be gone. The process has to end.
var ErrDisk = errors.New("the disk of the data directory failed")

// defaultReadLimit ends a read transaction that would keep the write-ahead log from shrinking.
const defaultReadLimit = 2 * time.Second

// foldAt is how many pages the write-ahead log may have before what is in it is copied into the database file.
const foldAt = 20_000

// The busy timeout comes first, the other settings may already have to wait. The log is not folded by SQLite on its own,
// because it keeps to itself what fails then.
const writerSettings = `
	PRAGMA busy_timeout = 10000;
	PRAGMA journal_mode = WAL;
	PRAGMA synchronous = FULL;
	PRAGMA fullfsync = ON;
	PRAGMA foreign_keys = ON;
	PRAGMA wal_autocheckpoint = 0;
	PRAGMA journal_size_limit = 268435456;
	PRAGMA cache_size = -65536;
	PRAGMA temp_store = MEMORY;`

const readerSettings = `
	PRAGMA busy_timeout = 10000;
	PRAGMA query_only = ON;
	PRAGMA cache_size = -16384;
	PRAGMA temp_store = MEMORY;`

// address is the data source name of a database file, whatever characters its path has. The log beside it gets the
// permissions of the file itself.
func address(file, mode, vfs string) string {
	modeof := strings.ReplaceAll(url.QueryEscape(file), "+", "%20") // SQLite knows no + for a space
	u := url.URL{Scheme: "file", Path: file, RawQuery: "mode=" + mode + "&modeof=" + modeof + "&vfs=" + url.QueryEscape(cmp.Or(vfs, hostVFS))}
	return u.String()
}

// createPrivate makes a file that only its owner reads, unless it is there.
func createPrivate(file string) error {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

func vacuumInto(ctx context.Context, db *sql.DB, file string) error {
	_, err := db.ExecContext(ctx, "VACUUM INTO '"+strings.ReplaceAll(file, "'", "''")+"'")
	return err
}

// writer is the one connection that writes. Its turn is a place in the channel.
type writer struct {
	db    *sql.DB
	conn  *sql.Conn
	file  string
	turn  chan struct{}
	batch *batch
	// What follows belongs to whoever has the turn.
	broken   error     // after a failure of the disk: nothing may be acknowledged any more
	touched  touched   // by the transaction that runs
	recorded time.Time // the time on record
	written  time.Time // of the last transaction that is not folded into the database file yet; zero when there is none
	inLog    int       // pages, after the last transaction
	full     bool      // the last transaction found no room
}

func openWriter(ctx context.Context, file string, o *Options, log *slog.Logger) (w *writer, err error) {
	if !o.unchecked {
		if err := checkFiles(ctx, file, o.VFS, log); err != nil {
			return nil, err
		}
	}
	for _, name := range []string{file, file + "-shm"} {
		if err := createPrivate(name); err != nil {
			return nil, fmt.Errorf("create database: %w", err)
		}
	}
	if err := syncDir(filepath.Dir(file)); err != nil {
		return nil, fmt.Errorf("create database: %w", err)
	}
	db, err := driver.Open(address(file, "rw", o.VFS), func(c *sqlite3.Conn) error { return c.Exec(writerSettings + o.Settings) })
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", file, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, db.Close())
		}
	}()
	db.SetMaxOpenConns(1)
	steps, err := migrations(sqliteSteps)
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	if err := migrate(ctx, db, steps, file, log); err != nil {
		return nil, err
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", file, err)
	}
	// An fsync that failed in an earlier process may have left pages in memory that are not on the disk. Nothing may be built on
	// them: folding writes and syncs anew what is in the log, and begins a log of which nothing is left from before.
	if _, err := conn.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		return nil, errors.Join(fmt.Errorf("fold the log into the database: %w", classify(err)), conn.Close())
	}
	batch, err := prepareBatch(conn)
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	w = &writer{db: db, conn: conn, file: file, turn: make(chan struct{}, 1), batch: batch}
	return w, raw(conn, w.watch)
}

// touched is what readers must not go on to believe what they know of.
type touched struct {
	tasks    []stdops.TaskID                       // some more than once
	known    map[stdops.TaskID]stdops.TaskRevision // those of which the new revision is known without a look
	projects bool
}

// watch notes down what changes, whichever statement does it.
func (w *writer) watch(c *sqlite3.Conn) error {
	c.UpdateHook(func(_ sqlite3.AuthorizerActionCode, _, table string, row int64) {
		switch table {
		case "task":
			w.touched.row(stdops.TaskID(row))
		case "project":
			w.touched.projects = true
		}
	})
	c.WALHook(func(_ *sqlite3.Conn, _ string, pages int) error {
		w.inLog = pages
		return nil
	})
	return nil
}

// close folds the log into the database file and gives the connection back. After a failure of the disk the log stays:
// it may be the only place where something is whole.
func (w *writer) close() error {
	w.turn <- struct{}{}
	defer func() { <-w.turn }()
	err := w.broken
	if err == nil {
		_, err = w.foldAll(context.Background())
	}
	if err != nil {
		// Another fsync could succeed although what the failed one was for is lost.
		keep := raw(w.conn, func(c *sqlite3.Conn) error {
			_, err := c.Config(sqlite3.DBCONFIG_NO_CKPT_ON_CLOSE, true)
			return err
		})
		if err = errors.Join(err, keep); w.broken != nil {
			err = keep // the failure itself was told
		}
	}
	forget := raw(w.conn, func(*sqlite3.Conn) error { return w.batch.close() })
	return errors.Join(err, forget, w.conn.Close(), w.db.Close())
}

// writeFile runs fn in the one write transaction of SQLite.
func (s *Store) writeFile(ctx context.Context, fn func(context.Context, *sql.Conn) error) error {
	select {
	case s.writer.turn <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("wait to write: %w", ctx.Err())
	}
	defer func() { <-s.writer.turn }()
	if s.writer.broken != nil {
		return s.writer.broken
	}
	err := s.judge(s.transact(context.WithoutCancel(ctx), fn))
	s.writer.written = s.now()
	s.noteRoom(err)
	if err == nil && s.writer.inLog >= s.foldAt {
		s.fold()
	}
	return err
}

// noteRoom tells the log when the disk becomes full, and when there is room again.
func (s *Store) noteRoom(err error) {
	full := stdops.ErrorCode(err) == stdops.CodeDiskFull
	switch w := s.writer; {
	case full && !w.full:
		w.full = true
		s.log.Error("the disk of the data directory is full: nothing is stored until there is room", "error", err)
	case err == nil && w.full:
		w.full = false
		s.log.Info("there is room on the disk of the data directory again")
	}
}

// fold copies what is in the log into the database file, as far as nobody reads it, for whoever has the turn. The
// transaction before it is stored whatever happens here.
func (s *Store) fold() {
	w := s.writer
	err := s.judge(raw(w.conn, func(c *sqlite3.Conn) error {
		_, _, err := c.WALCheckpoint("main", sqlite3.CHECKPOINT_PASSIVE)
		return err
	}))
	if err != nil && w.broken == nil && !errors.Is(err, sqlite3.BUSY) {
		s.log.Warn("the write-ahead log could not be folded into the database", "error", err)
	}
}

// judge classifies an error of the connection that writes, for whoever has its turn. A full disk is no failure: SQLite has
// taken back what did not fit, and the next try may find room. After a failure of the disk the connection is not used again:
// another fsync could succeed although what the failed one was for is lost.
func (s *Store) judge(err error) error {
	err = classify(err)
	if errors.Is(err, ErrDisk) {
		s.writer.broken = err
		s.diskFailed(err)
	}
	return err
}

func (s *Store) transact(ctx context.Context, fn func(context.Context, *sql.Conn) error) error {
	w := s.writer
	clear(w.touched.known)
	w.touched = touched{tasks: w.touched.tasks[:0], known: w.touched.known}
	if _, err := w.conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	committed := false
	defer func() {
		if committed {
			return
		}
		// After some errors SQLite has rolled back by itself, and then refuses this one: the first error is the one to tell.
		_, _ = w.conn.ExecContext(ctx, "ROLLBACK")
	}()
	if err := fn(ctx, w.conn); err != nil {
		return err
	}
	recorded, err := s.recordTime(ctx)
	if err != nil {
		return err
	}
	s.revisions.begin(w.touched.tasks)
	defer s.revisions.end()
	if w.touched.projects {
		s.projects.begin()
		defer s.projects.end()
	}
	if _, err := w.conn.ExecContext(ctx, "COMMIT"); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	committed, w.recorded = true, recorded
	s.tellTouched(ctx)
	return nil
}

// classify tells errors of the disk from those of a statement.
func classify(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sqlite3.FULL), errors.Is(err, sqlite3.IOERR_SHMSIZE): // the index of the log holds nothing that could be lost
		return &stdops.Error{Code: stdops.CodeDiskFull, Message: "the disk of the data directory is full", Err: err}
	case errors.Is(err, sqlite3.IOERR), errors.Is(err, sqlite3.CORRUPT), errors.Is(err, sqlite3.NOTADB):
		return fmt.Errorf("%w: %w%s", ErrDisk, err, extended(err))
	default:
		return err
	}
}

// extended tells which kind of an error it is: SQLite has the same text for all that can go wrong with a file.
func extended(err error) string {
	var code sqlite3.ExtendedErrorCode
	if !errors.As(err, &code) {
		return ""
	}
	return fmt.Sprintf(" (code %d)", code)
}

func openReaders(file, vfs string, hot *hotReads) (*sql.DB, error) {
	db, err := driver.Open(address(file, "ro", vfs), func(c *sqlite3.Conn) error {
		if err := c.Exec(readerSettings); err != nil {
			return err
		}
		return hot.prepare(c)
	}, hot.forget)
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", file, err)
	}
	n := max(4, 2*runtime.GOMAXPROCS(0))
	db.SetMaxOpenConns(n)
	db.SetMaxIdleConns(n)
	return db, nil
}
