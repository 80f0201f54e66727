package store

import (
	"database/sql"
	"io/fs"
	"log/slog"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/pressly/goose/v3"

	"github.com/stdops/stdops/internal/store/pgtest"
)

// openBefore makes a data directory with the schema as it was before a migration.
func openBefore(t *testing.T, number int64) (dir string, db *sql.DB) {
	t.Helper()
	dir = t.TempDir()
	file := filepath.Join(dir, databaseFile)
	db = openPlain(t, file)
	if err := migrate(t.Context(), db, stepsBefore(t, sqliteSteps, number), file, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	return dir, db
}

// openPostgresBefore gives a database of PostgreSQL with the schema before a step, and what brings it to that of this program
// and opens it.
func openPostgresBefore(t *testing.T, number int64) (db *sql.DB, upgraded func() *Store) {
	t.Helper()
	o := testOptions("")
	o.DB, o.ownTime = pgtest.Shared(t).Database(t, "before", nil), true
	db, err := sql.Open("pgx", o.DB)
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	p, err := goose.NewProvider(goose.DialectPostgres, db, stepsBefore(t, postgresSteps, number), goose.WithDisableGlobalRegistry(true))
	must(t, err)
	_, err = p.Up(t.Context())
	must(t, err)
	return db, func() *Store {
		must(t, migrateQuietly(t.Context(), o.DB))
		s, err := Open(t.Context(), o)
		must(t, err)
		return s
	}
}

// stepsBefore are the steps of a schema before one of them.
func stepsBefore(t *testing.T, dir string, number int64) fs.FS {
	t.Helper()
	names, err := fs.Glob(embedded, dir+"/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	before := fstest.MapFS{}
	for _, name := range names {
		n, err := goose.NumericComponent(name)
		text, readErr := embedded.ReadFile(name)
		if err != nil || readErr != nil {
			t.Fatal(err, readErr)
		}
		if n < number {
			before[filepath.Base(name)] = &fstest.MapFile{Data: text}
		}
	}
	return before
}
