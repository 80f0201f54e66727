package app

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/engine"
	"github.com/stdops/stdops/internal/queue"
	"github.com/stdops/stdops/internal/store"
)

// Roles says what a process does of the work of a server; the zero value does everything.
type Roles struct {
	NoAPI    bool // it answers nothing but /healthz, /readyz and /metrics
	NoWorker bool // it drives no tasks
}

// ParseRoles reads the names of roles, api and worker.
func ParseRoles(names []string) (Roles, error) {
	for _, name := range names {
		if name != "api" && name != "worker" {
			return Roles{}, fmt.Errorf("%q is no role: api and worker are", name)
		}
	}
	r := Roles{NoAPI: !slices.Contains(names, "api"), NoWorker: !slices.Contains(names, "worker")}
	if r.NoAPI && r.NoWorker {
		return Roles{}, errors.New("a process needs a role: api, worker or both")
	}
	return r, nil
}

func (r Roles) check(db string) error {
	if db == "" && (r.NoAPI || r.NoWorker) {
		return errors.New("with the embedded store one process has all roles")
	}
	return nil
}

// Waits of a server whose database cannot be reached yet.
const (
	firstWait   = time.Second
	longestWait = 30 * time.Second
)

// openStore opens the store.
func (a *App) openStore(ctx context.Context, o store.Options) (st *store.Store, err error) {
	if o.DB = a.options.DB; o.DB == "" {
		return store.Open(ctx, o)
	}
	err = a.patiently(ctx, func() error { st, err = store.Open(ctx, o); return err })
	return st, err
}

// patiently does a part of the start. For a database that cannot be reached it waits, and does it again.
func (a *App) patiently(ctx context.Context, do func() error) error {
	for wait := firstWait; ; wait = min(2*wait, longestWait) {
		err := do()
		if err == nil || a.options.DB == "" || !store.Unavailable(err) || ctx.Err() != nil {
			return err
		}
		if !a.early {
			a.serve()
			a.early = true
			a.onStop("waiting", a.stopServing)
		}
		pause := wait/2 + rand.N(wait/2)
		a.log.Warn("the database cannot be used yet", append(cause(err), "error", err, "next_try_in", pause.Round(time.Millisecond).String())...)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

// cause gives to a log what stands behind a refusal that callers hear of, if that does not say all itself.
func cause(err error) []any {
	var told *stdops.Error
	if !errors.As(err, &told) || told.Err == nil || told.Err.Error() == told.Message {
		return nil
	}
	return []any{"cause", told.Err}
}

// key gives the key under which secrets are hashed: of the data directory, or of the store that processes share.
func (a *App) key(ctx context.Context) ([]byte, error) {
	if a.options.DB != "" {
		return a.store.Key(ctx)
	}
	known, err := a.store.LoadIdentity(ctx)
	if err != nil {
		return nil, fmt.Errorf("read identities: %w", err)
	}
	return dataKey(a.options.DataDir, len(known.Secrets)+len(known.Tokens) > 0)
}

// share lets an engine share its tasks with other processes, where there may be any.
func (a *App) share(o *engine.Options) error {
	if a.options.DB == "" {
		return nil
	}
	var err error
	a.queue, err = queue.NewRiver(queue.RiverOptions{Database: a.options.DB, Now: a.store.Now, Periodic: a.periodic(), Log: a.log})
	if err != nil {
		return err
	}
	a.onStop("queue", a.stopQueue)
	drives := !a.options.Roles.NoWorker
	a.workers = a.store.Workers(store.WorkerOptions{Name: a.queue.ID(), Drives: drives, Enqueue: a.queue.Enqueue, Bury: a.queue.Resign})
	o.Ownership, o.Passed, o.Aside = a.workers, a.clock.Passed, !drives
	return nil
}

// periodic is what one of all processes does.
func (a *App) periodic() []queue.Periodic {
	return []queue.Periodic{
		{Name: "keys", Every: time.Minute, Limit: time.Minute, Do: a.store.ExpireKeys},
		{Name: "archive", Every: 10 * time.Second, Limit: time.Minute, Do: a.store.ArchiveOld},
	}
}

// startQueue lets a process that drives tasks take the wake-ups of all, and hear at once of what others have done to its own.
func (a *App) startQueue(ctx context.Context) error {
	if a.queue == nil || a.options.Roles.NoWorker {
		return nil
	}
	return a.patiently(ctx, func() error {
		return a.queue.Start(ctx, func(_ context.Context, refs []stdops.TaskRef) { a.engine.Due(refs) })
	})
}

// stopQueue lets the queue end; it may be called again.
func (a *App) stopQueue(ctx context.Context) error {
	if a.queue == nil {
		return nil
	}
	return a.queue.Stop(ctx)
}

// hear lets the engine hear at once of what other processes have done to its tasks.
func (a *App) hear(ctx context.Context) {
	if a.workers != nil && !a.options.Roles.NoWorker {
		a.serving.Go(func() error { a.workers.Listen(ctx, a.engine.Touched); return nil })
	}
}

// front is what the address of a server leads to: nothing but an answer that it is not ready, until it is opened.
type front struct{ handler atomic.Pointer[http.Handler] }

func (f *front) open(h http.Handler) { f.handler.Store(&h) }

// ServeHTTP implements [http.Handler].
func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch h := f.handler.Load(); {
	case h != nil:
		(*h).ServeHTTP(w, r)
	case strings.TrimRight(r.URL.Path, "/") == "/healthz":
		plain(w, http.StatusOK, "ok")
	default:
		w.Header().Set("Retry-After", "1")
		plain(w, http.StatusServiceUnavailable, "not ready")
	}
}

// Copied is how many rows of a table were copied.
type Copied = store.Moved

// CopyToPostgres copies the data directory of a stopped server to an empty database, and tells what it has copied. Everything
// is copied or nothing.
func CopyToPostgres(ctx context.Context, dataDir, db string) (copied []Copied, err error) {
	key, err := readKey(dataDir)
	if err != nil {
		return nil, err
	}
	err = store.CopyToPostgres(ctx, dataDir, db, key, func(m Copied) { copied = append(copied, m) })
	return copied, err
}
