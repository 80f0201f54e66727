package store

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/ncruces/go-sqlite3"

	"github.com/stdops/stdops"
)

var update = flag.Bool("update", false, "write the golden files anew")

func reopen(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Open(t.Context(), testOptions(dir))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func closeStore(t *testing.T, s *Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestOpen_restart_keeps_everything(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a data+dir? 100% #1' &b=c")
	s := reopen(t, dir)
	if s.Epoch() != 1 {
		t.Errorf("first epoch %d, want 1", s.Epoch())
	}
	task := createTask(t, s, newTask("one"))
	commit(t, s, fullChange(s, task))
	want := load(t, s, task)
	closeStore(t, s)
	if _, err := os.Stat(filepath.Join(dir, databaseFile+"-wal")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the log is still there after Close: %v", err)
	}

	s = reopen(t, dir)
	defer closeStore(t, s)
	if s.Epoch() != 2 {
		t.Errorf("second epoch %d, want 2", s.Epoch())
	}
	if diff := cmp.Diff(want, load(t, s, task)); diff != "" {
		t.Errorf("task after restart (-want +got):\n%s", diff)
	}
	if next := createTask(t, s, newTask("two")); next.ID <= task.ID {
		t.Errorf("id %d after id %d", next.ID, task.ID)
	}
	if projects, err := s.Projects(t.Context()); err != nil || len(projects) != 1 {
		t.Errorf("projects after restart: %v, %v", projects, err)
	}
}

func TestOpen_one_process_at_a_time(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := reopen(t, dir)
	_, err := Open(t.Context(), testOptions(dir))
	if want := fmt.Sprintf("in use by another stdops (process %d)", os.Getpid()); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("second Open: %v, want %q", err, want)
	}
	closeStore(t, s)
	closeStore(t, reopen(t, dir))
}

// TestOpen_while_it_is_read: the number that the last server left in the lock is not that of the one who reads now.
func TestOpen_while_it_is_read(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	closeStore(t, reopen(t, dir))
	c, err := OpenCopy(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), testOptions(dir)); !errors.Is(err, ErrInUse) || strings.Contains(err.Error(), "process") {
		t.Errorf("Open: %v", err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	closeStore(t, reopen(t, dir))
}

func TestOpen_files_are_private(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	s := reopen(t, dir)
	defer closeStore(t, s)
	createTask(t, s, newTask("one"))
	modes := map[string]fs.FileMode{}
	for _, name := range []string{".", lockFile, databaseFile, databaseFile + "-wal", databaseFile + "-shm"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		modes[name] = info.Mode().Perm()
	}
	want := map[string]fs.FileMode{
		".": 0o700, lockFile: 0o600, databaseFile: 0o600, databaseFile + "-wal": 0o600, databaseFile + "-shm": 0o600,
	}
	if diff := cmp.Diff(want, modes); diff != "" {
		t.Errorf("modes (-want +got):\n%s", diff)
	}
}

// The settings on which durability rests, asked of the connections themselves.
func TestOpen_settings(t *testing.T) {
	t.Parallel()
	s := setup(t)
	for _, c := range []struct {
		q             querier
		pragma, value string
	}{
		{s.writer.conn, "journal_mode", "wal"},
		{s.writer.conn, "synchronous", "2"},
		{s.writer.conn, "foreign_keys", "1"},
		{s.writer.conn, "wal_autocheckpoint", "0"}, // the store folds the log itself
		{s.writer.conn, "journal_size_limit", "268435456"},
		{s.writer.conn, "busy_timeout", "10000"},
		{s.readers, "query_only", "1"},
		{s.readers, "busy_timeout", "10000"},
	} {
		var got string
		if err := c.q.QueryRowContext(t.Context(), "PRAGMA "+c.pragma).Scan(&got); err != nil || got != c.value {
			t.Errorf("%s = %q, %v; want %s", c.pragma, got, err, c.value)
		}
	}
	if _, err := s.readers.ExecContext(t.Context(), "DELETE FROM meta"); err == nil {
		t.Error("a reader could write")
	}
}

func TestSchema_golden(t *testing.T) {
	t.Parallel()
	s := setup(t)
	rows, err := s.readers.QueryContext(t.Context(), `
		SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' AND tbl_name <> 'goose_db_version' ORDER BY tbl_name, type DESC, name`)
	statements, err := collect(rows, err, func(s *string) []any { return []any{s} })
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Join(statements, ";\n\n") + ";\n"
	golden := filepath.Join("testdata", "schema.sql")
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("schema after all migrations (-want +got), -update writes it anew:\n%s", diff)
	}
}

// steps is the first n steps of a schema that is not ours.
func steps(n int) fs.FS {
	all := fstest.MapFS{}
	for i := range n {
		all[fmt.Sprintf("%04d_step.sql", i+1)] = &fstest.MapFile{
			Data: fmt.Appendf(nil, "-- +goose Up\nCREATE TABLE step%d (x INTEGER);\nINSERT INTO step%d VALUES (%d);\n", i+1, i+1, i+1),
		}
	}
	return all
}

func TestMigrate_copies_an_older_schema_first(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "it's.db")
	db := openPlain(t, file)
	log := slog.New(slog.DiscardHandler)
	for _, n := range []int{1, 1, 3} {
		if err := migrate(t.Context(), db, steps(n), file, log); err != nil {
			t.Fatal(err)
		}
	}
	var x int
	if err := db.QueryRowContext(t.Context(), "SELECT x FROM step3").Scan(&x); err != nil || x != 3 {
		t.Errorf("step 3: %d, %v", x, err)
	}
	before := openPlain(t, backupName(file, 1))
	if err := before.QueryRowContext(t.Context(), "SELECT x FROM step1").Scan(&x); err != nil || x != 1 {
		t.Errorf("copy made before: %d, %v", x, err)
	}
	if err := before.QueryRowContext(t.Context(), "SELECT x FROM step2").Scan(&x); err == nil {
		t.Error("the copy has what came after it")
	}
	if left, _ := filepath.Glob(file + ".*"); len(left) != 1 {
		t.Errorf("files beside the database: %v", left)
	}
}

func TestMigrate_refuses_a_newer_schema(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "new.db")
	db := openPlain(t, file)
	log := slog.New(slog.DiscardHandler)
	if err := migrate(t.Context(), db, steps(3), file, log); err != nil {
		t.Fatal(err)
	}
	err := migrate(t.Context(), db, steps(2), file, log)
	if want := "newer stdops (schema 3, this program knows 2)"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %q", err, want)
	}
}

func TestOpen_that_fails_lets_the_directory_go(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	closeStore(t, reopen(t, dir))
	db := openPlain(t, filepath.Join(dir, databaseFile))
	if _, err := db.ExecContext(t.Context(), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		_, err := Open(t.Context(), testOptions(dir))
		if err == nil || !strings.Contains(err.Error(), "newer stdops") {
			t.Errorf("got %v", err)
		}
	}
}

func openPlain(t *testing.T, file string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite3", address(file, "rwc", ""))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func TestWrite_waits_no_longer_than_its_context(t *testing.T) {
	t.Parallel()
	s := setup(t)
	s.writer.turn <- struct{}{}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Commit(ctx, nil)
	<-s.writer.turn
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestWrite_rolls_back_after_a_panic(t *testing.T) {
	t.Parallel()
	s := setup(t)
	func() {
		defer func() { _ = recover() }()
		_, _ = s.CreateTask(t.Context(), NewTask{Task: newTask("one").Task, Start: func(stdops.Task) (*stdops.Change, error) { panic("x") }})
	}()
	if tasks := listed(t, s, TaskFilter{}); len(tasks) > 0 {
		t.Errorf("tasks %v", tasks)
	}
	createTask(t, s, newTask("two"))
}

func TestRead_ends_when_it_takes_too_long(t *testing.T) {
	t.Parallel()
	s := setup(t)
	s.readLimit = time.Nanosecond
	_, err := s.Live(t.Context())
	if stdops.ErrorCode(err) != stdops.CodeInternal { // it had no time to begin
		t.Errorf("got %v", err)
	}
	s.readLimit = 20 * time.Millisecond
	err = s.read(t.Context(), func(ctx context.Context, tx *sql.Tx) error {
		var n int
		return tx.QueryRowContext(ctx, `
			WITH RECURSIVE r (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT COUNT(*) FROM r`).Scan(&n)
	})
	if stdops.ErrorCode(err) != stdops.CodeUnavailable {
		t.Errorf("endless statement: %v", err)
	}
	s.readLimit = defaultReadLimit
	if _, err := s.Live(t.Context()); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestClassify(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  error
		disk bool
		code stdops.Code
	}{
		{fmt.Errorf("x: %w", sqlite3.IOERR_FSYNC), true, stdops.CodeInternal},
		{fmt.Errorf("x: %w", sqlite3.CORRUPT), true, stdops.CodeInternal},
		{fmt.Errorf("x: %w", sqlite3.FULL), false, stdops.CodeDiskFull},
		{errors.New("x"), false, stdops.CodeInternal},
	} {
		got := classify(c.err)
		if errors.Is(got, ErrDisk) != c.disk || stdops.ErrorCode(got) != c.code {
			t.Errorf("%v → %v", c.err, got)
		}
	}
}

func TestNow_has_microseconds_of_UTC(t *testing.T) {
	t.Parallel()
	s := setup(t)
	s.now = func() time.Time { return noon.Add(789).In(time.FixedZone("x", 3600)) }
	if got := s.Now(); got != noon {
		t.Errorf("got %v, want %v", got, noon)
	}
}

// A process that is being started has all files of this one open for a moment. It must not keep the data directory.
func TestClosed_store_is_free_though_its_lock_is_open_elsewhere(t *testing.T) {
	t.Parallel()
	o := testOptions(t.TempDir())
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	elsewhere, err := syscall.Dup(int(s.lock.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(elsewhere)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = Open(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
