package app_test

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/pressly/goose/v3"

	"github.com/stdops/stdops/internal/app"
	"github.com/stdops/stdops/internal/queue"
	"github.com/stdops/stdops/internal/store/pgtest"
)

var (
	before = flag.String("before", "", "test binary of this package, of the version before the last migration, for TestClusterUpgrade (scripts/upgrade makes it)")
	rolls  = flag.Int("rolls", 1, "how often TestClusterUpgrade goes from that version to this one")
)

// steps are the migrations of a PostgreSQL database, the oldest first.
const steps = "../store/migrations/postgres"

// TestClusterUpgrade goes from the version before the last migration to this one, process by process, under load: the schema
// first, then one process after the other, killed or drained. Callers of any of them, old or new, notice nothing. On a schema
// that is not its own a process does not start, and says why.
func TestClusterUpgrade(t *testing.T) {
	t.Parallel()
	if *before == "" {
		t.Skip("there is no binary of the version before (make upgrade makes it)")
	}
	for range *rolls {
		if rollOnce(t); t.Failed() {
			return
		}
	}
}

func rollOnce(t *testing.T) {
	f := newFleet(t, pgtest.Shared(t).Database(t, "version before", migrateBefore), everything, everything, everything)
	for _, m := range f.members {
		m.program = *before
	}
	changing := f.forgivesWhile()
	f.beginAll()
	stop := f.load(4)
	time.Sleep(rand.N(2 * time.Second))
	f.isRefusedStart("", "run `stdops migrate up`")
	changing.Store(true)
	if err := app.Upgrade(t.Context(), app.Place{DB: f.db}, slog.New(slog.NewTextHandler(t.Output(), nil))); err != nil {
		t.Fatal(err)
	}
	changing.Store(false)
	time.Sleep(rand.N(2 * time.Second))
	f.isRefusedStart(*before, "newer stdops")
	for n, i := range rand.Perm(len(f.members)) {
		m := f.members[i]
		if n == 0 {
			m.kill()
		} else {
			m.life.Load().down.Store(true)
			m.stop()
		}
		m.program = ""
		f.begin(m)
		time.Sleep(rand.N(2 * time.Second))
		f.verify()
	}
	stop()
	transitions, repeated := f.settle()
	t.Logf("%d tasks, %d acknowledgements (%v), %d transitions, %d effects repeated after a crash; the servers said\n%s",
		len(f.tasks), f.acks, f.kinds, transitions, repeated, f.said())
}

// forgivesWhile lets servers refuse requests with 503 and Retry-After while it is true: a change of a table keeps others from it
// for a moment.
func (f *fleet) forgivesWhile() *atomic.Bool {
	var changing atomic.Bool
	f.forgives = func(res *http.Response) bool {
		return changing.Load() && res.StatusCode == http.StatusServiceUnavailable && res.Header.Get("Retry-After") != ""
	}
	return &changing
}

// migrateBefore makes the schema before the last migration.
func migrateBefore(ctx context.Context, url string) (err error) {
	names, err := fs.Glob(os.DirFS(steps), "*.sql")
	if err != nil {
		return err
	}
	kept := fstest.MapFS{}
	for _, name := range names[:len(names)-1] {
		text, err := os.ReadFile(filepath.Join(steps, name))
		if err != nil {
			return err
		}
		kept[name] = &fstest.MapFile{Data: text}
	}
	db, err := sql.Open("pgx", url)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	p, err := goose.NewProvider(goose.DialectPostgres, db, kept, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	if _, err := p.Up(ctx); err != nil {
		return err
	}
	return queue.MigrateRiver(ctx, db, slog.New(slog.DiscardHandler))
}

// isRefusedStart starts one more process, of a program that does not fit the schema, which has to end and say why.
func (f *fleet) isRefusedStart(program, why string) {
	f.t.Helper()
	v := newVictim(f.t)
	v.program = program
	v.start(databaseEnv+"="+f.db, rolesEnv+"="+everything, effectsEnv+"="+f.dir)
	if err := v.died(time.Minute); err == nil || !strings.Contains(v.log.String(), why) {
		f.wrong("a process with another schema than its own ended with %v, and said\n%s", err, v.log)
	}
}

// TestClusterOnALaterSchema lets servers go on while a migration that they do not know of is taken under them, of the kinds that
// migrations may be: every table gets a column, and an index where it is large, and there is a new table. One of them is killed
// then, and the others have its tasks; started anew it refuses the schema.
func TestClusterOnALaterSchema(t *testing.T) {
	t.Parallel()
	f := newFleet(t, database(t, pgtest.Shared(t)), everything, everything, everything)
	changing := f.forgivesWhile()
	f.beginAll()
	stop := f.load(4)
	time.Sleep(rand.N(time.Second))
	changing.Store(true)
	later := f.laterSchema()
	changing.Store(false)
	time.Sleep(rand.N(time.Second))
	killed := f.members[0]
	killed.kill()
	f.isRefusedStart("", "written by a newer stdops")
	stop()
	f.finishAll()
	f.members = f.members[1:]
	f.number(`WITH gone AS (DELETE FROM goose_db_version WHERE version_id = $1 RETURNING 1) SELECT count(*) FROM gone`, later) // what verifies is of this version
	transitions, repeated := f.settle()
	if t.Failed() {
		t.Logf("%s", f.said())
	}
	t.Logf("%d tasks, %d acknowledgements, %d transitions, %d effects repeated after a crash", len(f.tasks), f.acks, transitions, repeated)
}

// laterSchema takes a step of a schema that nobody knows, beside those who are at work, and gives its number.
func (f *fleet) laterSchema() (number int64) {
	f.t.Helper()
	ctx := f.t.Context()
	conn, err := pgx.Connect(ctx, f.db)
	if err != nil {
		f.t.Fatal(err)
	}
	defer conn.Close(ctx)
	rows, _ := conn.Query(ctx, `SELECT table_name::text FROM information_schema.tables WHERE table_schema = current_schema() AND table_name NOT LIKE 'river%'
		AND table_name NOT LIKE 'goose%'`)
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(tables) == 0 {
		f.t.Fatal(tables, err)
	}
	step := []string{"CREATE TABLE later (id bigint PRIMARY KEY)"}
	for i, table := range tables {
		kind := []string{"bigint", "text NOT NULL DEFAULT ''"}[i%2]
		step = append(step, "ALTER TABLE "+pgx.Identifier{table}.Sanitize()+" ADD COLUMN later "+kind)
	}
	step = append(step, "CREATE INDEX CONCURRENTLY later_task ON task (name)")
	for _, statement := range slices.Insert(step, 0, "SET lock_timeout = '500ms'") {
		_, err := conn.Exec(ctx, statement)
		for refused := (*pgconn.PgError)(nil); errors.As(err, &refused) && refused.Code == "55P03"; _, err = conn.Exec(ctx, statement) {
			time.Sleep(time.Second) // others come first, as they do with stdops migrate up
		}
		if err != nil {
			f.t.Fatalf("%s: %v", statement, err)
		}
	}
	return f.number(`INSERT INTO goose_db_version (version_id, is_applied) SELECT MAX(version_id) + 1, TRUE FROM goose_db_version RETURNING version_id`)
}
