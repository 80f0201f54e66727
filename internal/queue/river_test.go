package queue_test

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/queue"
	"github.com/stdops/stdops/internal/store/pgtest"
)

// database gives the address of a database with the tables of River, and connections to it.
func database(t *testing.T, s *pgtest.Server) (string, *sql.DB) {
	t.Helper()
	url := s.Database(t, "river", func(ctx context.Context, url string) error {
		db, err := sql.Open("pgx", url)
		if err != nil {
			return err
		}
		defer db.Close()
		return queue.MigrateRiver(ctx, db, slog.New(slog.DiscardHandler))
	})
	return url, open(t, url)
}

func open(t *testing.T, url string) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", url)
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

// newRiver makes a queue that is stopped after the test.
func newRiver(t *testing.T, url string, works ...queue.Periodic) *queue.River {
	t.Helper()
	q, err := queue.NewRiver(queue.RiverOptions{Database: url, Now: time.Now, Periodic: works, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := q.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return q
}

// start gives the tasks that a queue wakes.
func start(t *testing.T, q *queue.River) <-chan stdops.TaskRef {
	t.Helper()
	woken := make(chan stdops.TaskRef, 20_000)
	err := q.Start(t.Context(), func(_ context.Context, refs []stdops.TaskRef) {
		for _, r := range refs {
			woken <- r
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return woken
}

func begin(t *testing.T, db *sql.DB) *sql.Tx {
	t.Helper()
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return tx
}

func enqueue(t *testing.T, q *queue.River, tx *sql.Tx, at time.Time, tasks ...int64) {
	t.Helper()
	var wakes []stdops.Wake
	for _, task := range tasks {
		wakes = append(wakes, stdops.Wake{Ref: ref(task), At: at})
	}
	if err := q.Enqueue(t.Context(), tx, wakes); err != nil {
		t.Fatal(err)
	}
}

func commit(t *testing.T, tx *sql.Tx) {
	t.Helper()
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
}

// await waits until a condition holds.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within a minute: %s", what)
		}
	}
}

func execute(t *testing.T, db *sql.DB, statement string) {
	t.Helper()
	if _, err := db.ExecContext(context.Background(), statement); err != nil { // also after the test, when its context is done
		t.Error(err)
	}
}

func count(t *testing.T, db *sql.DB, query string, args ...any) (n int) {
	t.Helper()
	if err := db.QueryRowContext(t.Context(), query, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestPostgresRiverWakesOnceTheTransactionIsCommitted(t *testing.T) {
	t.Parallel()
	url, db := database(t, pgtest.Shared(t))
	q := newRiver(t, url)
	woken := start(t, q)
	undone, done := begin(t, db), begin(t, db)
	enqueue(t, q, undone, time.Now(), 1)
	enqueue(t, q, done, time.Now(), 2)
	enqueue(t, q, done, time.Time{}, 3)
	if err := undone.Rollback(); err != nil {
		t.Fatal(err)
	}
	later := begin(t, db)
	enqueue(t, q, later, time.Now(), 4)
	commit(t, later)
	if got := <-woken; got != ref(4) {
		t.Errorf("%v is woken, and its transaction is not committed", got)
	}
	commit(t, done)
	if got := <-woken; got != ref(2) {
		t.Errorf("%v is woken", got)
	}
	await(t, "all jobs are done", func() bool { return count(t, db, `SELECT count(*) FROM river_job WHERE state <> 'completed'`) == 0 })
	if len(woken) > 0 {
		t.Errorf("%v is woken, too", <-woken)
	}
}

func TestPostgresRiverWakesLater(t *testing.T) {
	t.Parallel()
	url, db := database(t, pgtest.Shared(t))
	now := time.Now().UTC().Truncate(time.Second)
	// The queue believes that it is an hour ago, the database does not: what is scheduled from half an hour on is due at once.
	ago := func() time.Time { return now.Add(-time.Hour) }
	q, err := queue.NewRiver(queue.RiverOptions{Database: url, Now: ago, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	tx := begin(t, db)
	enqueue(t, q, tx, ago().Add(-time.Minute), 1)
	enqueue(t, q, tx, ago().Add(5*time.Second), 2)
	enqueue(t, q, tx, ago().Add(6*time.Second), 3)
	enqueue(t, q, tx, now.Add(time.Hour), 4)
	commit(t, tx)
	rows, err := db.QueryContext(t.Context(), `SELECT args->>'task', scheduled_at FROM river_job WHERE state = 'scheduled' ORDER BY id`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	got := map[string]time.Time{}
	for rows.Next() {
		var task string
		var at time.Time
		if err := rows.Scan(&task, &at); err != nil {
			t.Fatal(err)
		}
		got[task] = at.UTC()
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	want := map[string]time.Time{"3": ago().Add(time.Second), "4": now.Add(time.Hour - 5*time.Second)}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("scheduled (-want +got):\n%s", diff)
	}

	woken := start(t, q)
	first := []stdops.TaskRef{<-woken, <-woken}
	slices.SortFunc(first, func(a, b stdops.TaskRef) int { return int(a.Task - b.Task) })
	if diff := cmp.Diff([]stdops.TaskRef{ref(1), ref(2)}, first); diff != "" {
		t.Errorf("woken first (-want +got):\n%s", diff)
	}
	if got := <-woken; got != ref(3) {
		t.Errorf("then %v", got)
	}
	if err := q.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := count(t, db, `SELECT count(*) FROM river_job WHERE state = 'scheduled'`); n != 1 {
		t.Errorf("%d wait for their time", n)
	}
}

func TestPostgresRiverIsShared(t *testing.T) {
	t.Parallel()
	url, db := database(t, pgtest.Shared(t))
	const tasks = 500
	claims := make(chan stdops.TaskRef, 2*tasks)
	tell := func(refs []stdops.TaskRef) {
		for _, r := range refs {
			claims <- r
		}
	}
	// The first claim of one process lasts until the other one has claimed something.
	other := make(chan struct{})
	var heard atomic.Bool
	slow, quick := newRiver(t, url), newRiver(t, url)
	err := errors.Join(
		slow.Start(t.Context(), func(_ context.Context, refs []stdops.TaskRef) { <-other; tell(refs) }),
		quick.Start(t.Context(), func(_ context.Context, refs []stdops.TaskRef) {
			if heard.CompareAndSwap(false, true) {
				close(other)
			}
			tell(refs)
		}))
	if err != nil {
		t.Fatal(err)
	}
	tx := begin(t, db)
	for task := range int64(tasks) {
		enqueue(t, slow, tx, time.Now(), task+1)
	}
	commit(t, tx)
	times := map[stdops.TaskRef]int{}
	for range tasks {
		times[<-claims]++
	}
	if len(times) != tasks {
		t.Errorf("%d of %d tasks were woken", len(times), tasks)
	}
}

func TestPostgresRiverWakesTenThousand(t *testing.T) {
	t.Parallel()
	url, db := database(t, pgtest.Shared(t))
	q := newRiver(t, url)
	woken := start(t, q)
	const tasks, each = 10_000, 500
	for task := int64(0); task < tasks; task += each {
		wakes := make([]int64, each)
		for i := range wakes {
			wakes[i] = task + int64(i) + 1
		}
		tx := begin(t, db)
		enqueue(t, q, tx, time.Now(), wakes...)
		commit(t, tx)
	}
	seen := map[stdops.TaskRef]bool{}
	for range tasks {
		seen[<-woken] = true
	}
	if len(seen) != tasks {
		t.Errorf("%d tasks were woken", len(seen))
	}
	await(t, "all are counted", func() bool {
		f := q.Figures()
		return f.Claimed == tasks && f.Claims <= tasks && f.Fetches >= tasks/100
	})
}

// What a claim does not finish is taken by somebody else.
func TestPostgresRiverStopsInTheMiddle(t *testing.T) {
	t.Parallel()
	url, db := database(t, pgtest.Shared(t))
	q := newRiver(t, url)
	out := make(chan struct{})
	err := q.Start(t.Context(), func(ctx context.Context, _ []stdops.TaskRef) {
		close(out)
		<-ctx.Done()
	})
	if err != nil {
		t.Fatal(err)
	}
	tx := begin(t, db)
	enqueue(t, q, tx, time.Now(), 1)
	commit(t, tx)
	<-out
	if err := q.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := <-start(t, newRiver(t, url)); got != ref(1) {
		t.Errorf("%v is woken", got)
	}
}

func TestPostgresRiverOutlivesItsServer(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t, pgtest.Options{})
	url, db := database(t, s)
	q := newRiver(t, url)
	woken := start(t, q)
	wake := func(task int64) {
		t.Helper()
		tx := begin(t, db)
		enqueue(t, q, tx, time.Now(), task)
		commit(t, tx)
		for got := range woken {
			if got == ref(task) { // one before may be told twice, when the server was gone before it was noted as done
				return
			}
		}
	}
	wake(1)
	if err := s.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	wake(2)
	await(t, "a connection listens", func() bool {
		return count(t, db, `SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN %' AND datname = current_database()`) > 0
	})
	wake(3)
}

func TestRiverDoesNotStartWithoutAServer(t *testing.T) {
	t.Parallel()
	q := newRiver(t, "host="+t.TempDir())
	if err := q.Start(t.Context(), func(context.Context, []stdops.TaskRef) {}); err == nil {
		t.Error("it has started")
	}
}

// A process whose database is gone can stop all the same.
func TestPostgresRiverStopsWithoutItsServer(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t, pgtest.Options{})
	url, _ := database(t, s)
	q := newRiver(t, url)
	start(t, q)
	await(t, "it is the leader", func() bool { return leads(t, q) })
	if err := s.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := q.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}

func leads(t *testing.T, q *queue.River) bool {
	t.Helper()
	b, err := q.Backlog(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return b.Leader
}
