package store

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stdops/stdops/internal/store/pgtest"
)

// waiting waits until somebody waits for a lock in the database of a connection.
func waiting(t *testing.T, db *sql.DB) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		var n int
		must(t, db.QueryRowContext(t.Context(), `SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
			WHERE a.datname = current_database() AND NOT l.granted`).Scan(&n))
		if n > 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("nobody waits")
		}
	}
}

// TestMigratePostgres_beside_a_reader lets a step wait for somebody who reads for long, such as a dump. Whoever comes later has
// the table meanwhile, and when the reader has gone the step is taken.
func TestMigratePostgres_beside_a_reader(t *testing.T) {
	t.Parallel()
	db, upgraded := openPostgresBefore(t, 12)
	reader, err := db.BeginTx(t.Context(), nil)
	must(t, err)
	defer func() { _ = reader.Rollback() }()
	var n int
	must(t, reader.QueryRowContext(t.Context(), `SELECT count(*) FROM log_chunk`).Scan(&n))
	done := make(chan *Store, 1)
	go func() {
		defer close(done)
		done <- upgraded()
	}()
	waiting(t, db)
	for range 2 { // also when it tries for the second time
		_, err = db.ExecContext(t.Context(), `
			INSERT INTO log_chunk (project_id, task_id, node, loop, retry, seq, version, size, body)
			SELECT 1, 1, 1, 1, 0, COALESCE(MAX(seq) + 1, 0), 'v', 1, '' FROM log_chunk`)
		must(t, err)
		waiting(t, db)
	}
	must(t, reader.Rollback())
	s, ok := <-done
	if !ok {
		t.FailNow()
	}
	defer s.Close()
	must(t, s.readers.QueryRowContext(t.Context(), `SELECT count(*) FROM log_chunk WHERE times IS NULL`).Scan(&n))
	if n != 2 {
		t.Errorf("there are %d rows", n)
	}
}

// TestMigratePostgres_one_table_at_a_time lets a step that changes several tables hold none of them while it waits for another.
func TestMigratePostgres_one_table_at_a_time(t *testing.T) {
	t.Parallel()
	db, upgraded := openPostgresBefore(t, 13)
	reader, err := db.BeginTx(t.Context(), nil)
	must(t, err)
	defer func() { _ = reader.Rollback() }()
	var n int
	must(t, reader.QueryRowContext(t.Context(), `SELECT count(*) FROM task_archive`).Scan(&n)) // the last of them
	done := make(chan *Store, 1)
	go func() {
		defer close(done)
		done <- upgraded()
	}()
	waiting(t, db)
	var held sql.NullString
	must(t, db.QueryRowContext(t.Context(), `
		SELECT string_agg(DISTINCT relation::regclass::text, ', ') FROM pg_locks JOIN pg_database d ON d.oid = database
		WHERE d.datname = current_database() AND mode = 'AccessExclusiveLock' AND granted
		AND relation = ANY (ARRAY['node_state', 'node_attempt', 'task_archive']::regclass[])`).Scan(&held))
	if held.Valid {
		t.Errorf("while it waits it keeps others from %s", held.String)
	}
	must(t, reader.Rollback())
	if s, ok := <-done; ok {
		closeStore(t, s)
	}
}

// TestMigratePostgres_interrupted ends a wait for a table at once, and says that it was interrupted and not what it waited for.
func TestMigratePostgres_interrupted(t *testing.T) {
	t.Parallel()
	url := pgtest.Shared(t).Database(t, "store", migrateQuietly)
	db, err := openPool(url, poolOptions{most: 1})
	must(t, err)
	defer db.Close()
	reader, err := db.BeginTx(t.Context(), nil)
	must(t, err)
	defer func() { _ = reader.Rollback() }()
	must(t, reader.QueryRowContext(t.Context(), `SELECT count(*) FROM task`).Scan(new(int)))
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	log := slog.New(slog.NewTextHandler(atEach(interrupt), nil))
	err = MigratePostgres(ctx, url, log, func(ctx context.Context, db *sql.DB, _ *slog.Logger) error {
		return second(db.ExecContext(ctx, `ALTER TABLE task ADD COLUMN later bigint`))
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted it says %v", err)
	}
}

// atEach does something at each write.
type atEach func()

func (do atEach) Write(text []byte) (int, error) {
	do()
	return len(text), nil
}

// TestMigratePostgres_one_after_the_other lets whoever migrates wait for another one however long that takes.
func TestMigratePostgres_one_after_the_other(t *testing.T) {
	t.Parallel()
	url := pgtest.Shared(t).Database(t, "none", nil)
	db, err := openPool(url, poolOptions{most: 1})
	must(t, err)
	defer db.Close()
	conn, err := db.Conn(t.Context())
	must(t, err)
	defer conn.Close()
	must(t, migrateAlone(t.Context(), conn, slog.New(slog.DiscardHandler)))
	done := make(chan error, 1)
	go func() { done <- migrateQuietly(context.WithoutCancel(t.Context()), url) }()
	watch, err := openPool(url, poolOptions{most: 1})
	must(t, err)
	defer watch.Close()
	waiting(t, watch)
	time.Sleep(tableLimit + time.Second/2)
	waiting(t, watch) // still
	must(t, conn.Close(), db.Close())
	must(t, <-done)
}

// TestPostgresRefused tells whoever looks after the database what is wrong with it or with the way to it, whichever command finds
// that out.
func TestPostgresRefused(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t, pgtest.Options{})
	whole := server.Database(t, "store", migrateQuietly)
	admin, err := openPool(whole, poolOptions{most: 1})
	must(t, err)
	defer admin.Close()
	for _, statement := range []string{
		`CREATE ROLE guest LOGIN`, `CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0`,
		`CREATE DATABASE readonly`, `ALTER DATABASE readonly SET default_transaction_read_only = on`,
	} {
		_, err := admin.ExecContext(t.Context(), statement)
		must(t, err)
	}
	as := func(url, user string) string { return strings.Replace(url, "stdops@", user+"@", 1) }
	schema := func(url string) error { return second(PostgresSchema(t.Context(), url)) }
	up := func(url string) error { return migrateQuietly(t.Context(), url) }
	start := func(url string) error {
		o := testOptions("")
		o.DB = url
		s, err := Open(t.Context(), o)
		if err == nil {
			err = s.Close()
		}
		return err
	}
	for _, c := range []struct {
		does func(url string) error
		url  string
		says string
	}{
		{schema, "postgres://stdops@127.0.0.1:1/x", "127.0.0.1:1"},
		{up, "postgres://stdops@127.0.0.1:1/x", "127.0.0.1:1"},
		{schema, server.URL("missing"), `database "missing" does not exist`},
		{schema, as(whole, "nobody"), `role "nobody" does not exist`},
		{schema, as(whole, "guest"), "permission denied for table goose_db_version (SQLSTATE 42501): the user of --db has to own"},
		{start, as(whole, "guest"), "the user of --db has to own"},
		{up, as(server.URL("latin"), "guest"), "the encoding of the database latin is LATIN1"},
		{start, server.URL("latin"), "the encoding of the database latin is LATIN1"},
		{up, server.URL("readonly"), "--db leads to a standby, or to a database that is set to be read-only"},
	} {
		if err := c.does(c.url); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", c.url, err, c.says)
		}
	}
	_, err = admin.ExecContext(t.Context(), `ALTER DATABASE test1 SET default_transaction_read_only = on`)
	must(t, err)
	o := testOptions("")
	o.DB = whole
	s := open(t, o)
	if _, err := s.Key(t.Context()); !Unavailable(err) || !strings.Contains(err.Error(), "takes no writes") {
		t.Errorf("a key in a database that is read-only: %v", err)
	}
}
