package queue_test

import (
	"log/slog"
	"testing"

	"github.com/stdops/stdops/internal/queue"
	"github.com/stdops/stdops/internal/store/pgtest"
)

func TestPostgresMigrateRiver(t *testing.T) {
	t.Parallel()
	url := pgtest.Shared(t).Database(t, "empty", nil)
	db := open(t, url)
	versions := func() [2]int {
		t.Helper()
		current, target, err := queue.RiverVersions(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		return [2]int{current, target}
	}
	before := versions()
	if before[0] != 0 || before[1] < 8 {
		t.Errorf("version %d of %d in an empty database", before[0], before[1])
	}
	refused := func() string {
		t.Helper()
		err := newRiver(t, url).Start(t.Context(), nil)
		if err == nil {
			t.Fatal("a queue has started with these tables")
		}
		return err.Error()
	}
	const missing = "the database has tables of river 0, this program needs 8: run `stdops migrate up`"
	if err := refused(); err != missing {
		t.Errorf("missing tables: %v", err)
	}
	log := slog.New(slog.DiscardHandler)
	for range 2 {
		if err := queue.MigrateRiver(t.Context(), db, log); err != nil {
			t.Fatal(err)
		}
	}
	if after := versions(); after != [2]int{before[1], before[1]} {
		t.Errorf("version %d of %d after the upgrade", after[0], after[1])
	}
	execute(t, db, `INSERT INTO river_migration (line, version) VALUES ('main', 999)`)
	const want = "the database was written by a newer stdops (tables of river 999, this program knows 8): use that version"
	if err := queue.MigrateRiver(t.Context(), db, log); err == nil || err.Error() != want {
		t.Errorf("newer tables: %v", err)
	}
	if err := refused(); err != want {
		t.Errorf("newer tables: %v", err)
	}
}
