package store

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/store/pgtest"
)

// Whatever is in an embedded store is in its copy, and ids go on where they were.
func TestPostgresCopy_has_all_that_the_data_directory_has(t *testing.T) {
	t.Parallel()
	dir, ctx := t.TempDir(), t.Context()
	s := reopen(t, dir)
	var tasks []stdops.Task
	for i := range 5 {
		tasks = append(tasks, createTask(t, s, newTask(fmt.Sprintf("task %d", i))))
	}
	for _, task := range tasks[:3] {
		commit(t, s, fullChange(s, task))
	}
	must(t, s.CreateUser(ctx, User{Name: "ann", Admin: true, Created: at(0)}, Grant{User: "ann", Project: 1, Role: "editor"}))
	must(t, s.CreateToken(ctx, UserToken{Hash: []byte{0, 1, 2}, User: "ann", Name: "ci", Created: at(1)}))
	must(t, s.CreateApp(ctx, App{Code: "shop", Created: at(2)}, []byte("hash"), 1))
	identity, err := s.LoadIdentity(ctx)
	must(t, err)
	tables := tablesOf(t, s)
	snapshots := make([]*stdops.Snapshot, len(tasks))
	for i, task := range tasks {
		snapshots[i] = load(t, s, task)
	}
	closeStore(t, s)

	url := emptyDatabase(t)
	copied := map[string]int64{}
	key := []byte("0123456789abcdef0123456789abcdef")
	must(t, CopyToPostgres(ctx, dir, url, key, func(m Moved) { copied[m.Table] = m.Rows }))
	if diff := cmp.Diff(tables, copied); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	o := testOptions("")
	o.DB, o.Now = url, nil
	got, err := Open(ctx, o)
	must(t, err)
	defer closeStore(t, got)
	for i, task := range tasks {
		want := snapshots[i]
		if diff := cmp.Diff(want, load(t, got, task), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("task %d (-want +got):\n%s", task.ID, diff)
		}
	}
	again, err := got.LoadIdentity(ctx)
	must(t, err)
	if diff := cmp.Diff(identity, again); diff != "" {
		t.Errorf("identities (-want +got):\n%s", diff)
	}
	if stored, err := got.Key(ctx); err != nil || string(stored) != string(key) {
		t.Errorf("the key is %q, %v", stored, err)
	}
	if next := createTask(t, got, newTask("next")); next.ID != tasks[4].ID+1 {
		t.Errorf("the next task is %d", next.ID)
	}
	found, err := got.Workers(WorkerOptions{Name: "here", Drives: true}).sweepDue(ctx)
	if err != nil || len(found) != 3 {
		t.Errorf("due are %v, %v", found, err)
	}
	if err := CopyToPostgres(ctx, dir, url, key, func(Moved) {}); stdops.ErrorCode(err) != stdops.CodeRefused {
		t.Errorf("a second copy into the same database: %v", err)
	}
}

// What SQLite takes for a text and PostgreSQL does not keeps nothing from being copied.
func TestPostgresCopy_mends_texts(t *testing.T) {
	t.Parallel()
	dir, url := t.TempDir(), emptyDatabase(t)
	s := reopen(t, dir)
	odd := newTask("odd")
	odd.Task.Description = "a\x00b"
	task := createTask(t, s, odd)
	other := createTask(t, s, newTask("other"))
	damage(t, s, fmt.Sprintf(`UPDATE task SET description = CAST(x'63ff64' AS TEXT) WHERE id = %d`, other.ID))
	closeStore(t, s)
	mended := map[string]int64{}
	must(t, CopyToPostgres(t.Context(), dir, url, make([]byte, 32), func(m Moved) { mended[m.Table] += m.Mended }))
	o := testOptions("")
	o.DB, o.Now = url, nil
	got := open(t, o)
	for _, want := range []struct {
		task stdops.Task
		text string
	}{{task, "a\uFFFDb"}, {other, "c\uFFFDd"}} {
		if text := loadTask(t, got, want.task).Description; text != want.text {
			t.Errorf("%q, want %q", text, want.text)
		}
	}
	if mended["task"] != 2 || mended["tree"] != 0 {
		t.Errorf("told of %v", mended)
	}
}

// A copy takes as long as it needs, and is on disk when it is done, whatever is set for other clients of the database.
func TestPostgresCopy_has_settings_of_its_own(t *testing.T) {
	t.Parallel()
	url := pgtest.Shared(t).Database(t, "none", nil)
	db, err := openPool(url, poolOptions{most: 1})
	must(t, err)
	defer db.Close()
	_, err = db.ExecContext(t.Context(), `DO $$ BEGIN
		EXECUTE format('ALTER DATABASE %I SET statement_timeout = 20000', current_database());
		EXECUTE format('ALTER DATABASE %I SET synchronous_commit = off', current_database());
	END $$`)
	must(t, err)
	to, err := connectToCopy(t.Context(), url)
	must(t, err)
	var commits, timeout string
	must(t, to.QueryRow(t.Context(), `SELECT current_setting('synchronous_commit'), current_setting('statement_timeout')`).Scan(&commits, &timeout))
	must(t, to.Close(t.Context()))
	if commits != "on" || timeout != "0" {
		t.Errorf("synchronous_commit is %s, statement_timeout is %s", commits, timeout)
	}
}

// sweepDue joins and takes what is due.
func (w *Workers) sweepDue(ctx context.Context) ([]stdops.Claim, error) {
	if err := w.Join(ctx); err != nil {
		return nil, err
	}
	found, err := w.Sweep(ctx, 100)
	return found.Claimed, err
}

// tablesOf counts the rows of all tables but those of the schema and of the process.
func tablesOf(t *testing.T, s *Store) map[string]int64 {
	t.Helper()
	rows, err := s.readers.QueryContext(t.Context(), `
		SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT IN ('goose_db_version', 'meta')`)
	names, err := collect(rows, err, func(s *string) []any { return []any{s} })
	must(t, err)
	counts := map[string]int64{}
	for _, name := range names {
		var n int64
		must(t, s.readers.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM "`+name+`"`).Scan(&n))
		counts[name] = n
	}
	return counts
}
