package store

import (
	"context"
	"database/sql"
	"runtime"
	"testing"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/store/pgtest"
)

// A process renews its lease, takes tasks and lets them go while as many requests as there are connections wait for one another.
func TestWorkers_do_not_wait_for_requests(t *testing.T) {
	t.Parallel()
	s := processes(t, 1)[0]
	w := s.Workers(WorkerOptions{Name: "here", Drives: true})
	if err := w.Join(t.Context()); err != nil {
		t.Fatal(err)
	}
	goOn, ended := make(chan struct{}), make(chan error)
	writers := s.pg.writers.Stats().MaxOpenConnections
	for range writers {
		go func() {
			ended <- s.write(t.Context(), func(context.Context, *sql.Conn) error { <-goOn; return nil })
		}()
	}
	for s.pg.writers.Stats().InUse < writers {
		runtime.Gosched()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second) // less than it takes until one of the requests is given up
	defer cancel()
	if err := w.Renew(ctx); err != nil {
		t.Errorf("renew: %v", err)
	}
	if _, err := w.Sweep(ctx, 10); err != nil {
		t.Errorf("sweep: %v", err)
	}
	if _, err := w.Release(ctx, nil); err != nil {
		t.Errorf("release: %v", err)
	}
	close(goOn)
	for range writers {
		if err := <-ended; err != nil {
			t.Errorf("request: %v", err)
		}
	}
}

// From a database that has fallen silent neither an answer comes nor an error. What somebody waits for ends all the same: with
// what tells to try again.
func TestPostgres_that_falls_silent(t *testing.T) {
	t.Parallel()
	proxy := pgtest.Shared(t).Proxy(t)
	o := testOptions("")
	o.DB = proxy.URL(emptyDatabase(t))
	s := open(t, o)
	s.readLimit = 200 * time.Millisecond
	task := createTask(t, s, newTask("one"))
	for name, ask := range map[string]func(context.Context) error{
		"the version of identities": func(context.Context) error { _, err := s.IdentityVersion(t.Context()); return err },
		"revisions": func(context.Context) error {
			_, err := s.Revisions(t.Context(), 1, []stdops.TaskID{task.ID})
			return err
		},
		"the time": func(context.Context) error { return s.MeasureTime(t.Context()) },
		"a transaction": func(limited context.Context) error {
			return s.write(limited, func(ctx context.Context, tx *sql.Conn) error {
				proxy.Hold(pgtest.Requests, pgtest.Answers)
				_, err := tx.ExecContext(ctx, `SELECT 1`)
				return err
			})
		},
	} {
		if name != "a transaction" {
			proxy.Hold(pgtest.Requests, pgtest.Answers)
		}
		limited, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		began := time.Now()
		err := ask(limited)
		if took := time.Since(began); stdops.ErrorCode(err) != stdops.CodeUnavailable || took > writeLimit/2 {
			t.Errorf("%s: %v after %v", name, err, took)
		}
		cancel()
		proxy.Pass()
		proxy.Cut()
	}
}

// What is shown never goes back to an earlier moment, though the clock of this process may be ahead of that of the database.
func TestPostgres_statuses_do_not_go_back(t *testing.T) {
	t.Parallel()
	o := testOptions("")
	o.DB = emptyDatabase(t)
	o.Now = time.Now
	s := open(t, o)
	s.pg.clock.mu.Lock()
	s.pg.clock.offset += time.Hour
	s.pg.clock.mu.Unlock()
	shown := s.Now()
	batch, err := s.Statuses(t.Context(), 1, StatusQuery{Newest: 1})
	if err != nil {
		t.Fatal(err)
	}
	if batch.Now.Before(shown) {
		t.Errorf("%v was shown, and then %v", shown, batch.Now)
	}
}
