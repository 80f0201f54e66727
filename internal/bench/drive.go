package bench

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/engine"
	"github.com/stdops/stdops/internal/flow"
	"github.com/stdops/stdops/internal/plugin"
	"github.com/stdops/stdops/internal/plugin/testplugin"
	"github.com/stdops/stdops/internal/queue"
	"github.com/stdops/stdops/internal/service"
	"github.com/stdops/stdops/internal/store"
)

// recording is what one run of the engine has stored, in the order in which it was.
type recording struct {
	changes []stdops.Change
	rows    int // that these touch
}

// recorder is the store, for an engine whose changes are to be known.
type recorder struct {
	*store.Store
	mu sync.Mutex
	recording
	running int           // tasks that have not ended
	ended   chan struct{} // closed when there is none left
}

// Commit stores the changes.
func (r *recorder) Commit(ctx context.Context, changes []stdops.Change) ([]stdops.Verdict, error) {
	verdicts, err := r.Store.Commit(ctx, changes)
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, v := range verdicts {
		if v == stdops.Committed {
			r.note(&changes[i])
		}
	}
	return verdicts, err
}

// note notes what was stored. The lock is held.
func (r *recorder) note(c *stdops.Change) {
	r.changes = append(r.changes, *c)
	if c.Root.State.Ended() {
		if r.running--; r.running == 0 {
			close(r.ended)
		}
	}
}

// run lets the engine run all tasks, from the first start to the last end.
func (r *runs) run(ctx context.Context, dir string) (took time.Duration, err error) {
	s, err := openStore(ctx, dir)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	rec := &recorder{Store: s, running: len(r.tasks), ended: make(chan struct{})}
	rec.changes = make([]stdops.Change, 0, 2*r.activities) // so that to note them takes next to no time
	e, err := newEngine(rec)
	if err != nil {
		return 0, err
	}
	if err := e.Start(ctx); err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, e.Stop(context.WithoutCancel(ctx))) }()
	limited, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	began := time.Now()
	if err := startAll(limited, e, r.refs()); err != nil {
		return 0, err
	}
	select {
	case <-rec.ended:
	case <-limited.Done():
		return 0, fmt.Errorf("wait for the tasks to end: %w", limited.Err())
	}
	took = time.Since(began)
	rec.count()
	r.last = rec.recording
	return took, nil
}

// newEngine makes an engine as the server has it, of its parts.
func newEngine(rec *recorder) (*engine.Engine, error) {
	o, err := partsOf(rec.Store)
	o.Commits = rec
	return engine.New(o), err
}

func partsOf(s *store.Store) (engine.Options, error) {
	surroundings, err := service.NewSurroundings(s, time.UTC, "")
	if err != nil {
		return engine.Options{}, err
	}
	plugins, err := plugin.NewRegistry(testplugin.All()...)
	return engine.Options{
		Commits: s, Tasks: s, Surroundings: surroundings, Plugins: plugins, Wakes: queue.NewLocal(s.Now), Now: s.Now,
		Epoch: s.Epoch(), Log: slog.New(slog.DiscardHandler),
	}, err
}

// startAll starts tasks, atOnce of them at a time, as many callers would.
func startAll(ctx context.Context, e *engine.Engine, tasks []stdops.TaskRef) error {
	var starts errgroup.Group
	starts.SetLimit(atOnce)
	for _, ref := range tasks {
		starts.Go(func() error { return e.Do(ctx, ref, engine.Command{Kind: engine.Start, Actor: user}) })
	}
	return starts.Wait()
}

func openStore(ctx context.Context, dir string) (*store.Store, error) {
	return store.Open(ctx, store.Options{Dir: dir, Log: slog.New(slog.DiscardHandler), DecodeSkeleton: flow.DecodeSkeleton})
}

// count counts the rows that the changes touch.
func (r *recording) count() {
	r.rows = 0
	for i := range r.changes {
		c := &r.changes[i]
		r.rows += 1 + len(c.Archive) + len(c.Attempts) + len(c.Nodes) + len(c.Data) + len(c.Variables) + len(c.Forks) +
			len(c.Callbacks) + len(c.Consumed) + len(c.Transitions)
	}
}

// fullBatch is how many changes the engine's writer puts into one transaction at most.
const fullBatch = 1000

// replay stores what the engine's last run has stored, without an engine.
func (r *runs) replay(ctx context.Context, dir string) (took time.Duration, err error) {
	s, err := openStore(ctx, dir)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	began := time.Now()
	for left := r.last.changes; len(left) > 0; {
		n := min(fullBatch, len(left))
		if err := commitAll(ctx, s, left[:n]); err != nil {
			return 0, err
		}
		left = left[n:]
	}
	return time.Since(began), nil
}

// singles stores a row for each activity, each in a transaction of its own.
func (r *runs) singles(ctx context.Context, dir string) (took time.Duration, err error) {
	s, err := openStore(ctx, dir)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	change := stdops.Change{
		Task: r.tasks[0], Project: project, Epoch: s.Epoch(), Root: stdops.RootState{State: stdops.StateRunning, Live: true},
	}
	began := time.Now()
	for range r.activities {
		if err := commitAll(ctx, s, []stdops.Change{change}); err != nil {
			return 0, err
		}
		change.Revision++
	}
	return time.Since(began), nil
}

func commitAll(ctx context.Context, s *store.Store, changes []stdops.Change) error {
	verdicts, err := s.Commit(ctx, changes)
	if err != nil {
		return err
	}
	for i, v := range verdicts {
		if v != stdops.Committed {
			return fmt.Errorf("a change of task %d on revision %d was not stored", changes[i].Task, changes[i].Revision)
		}
	}
	return nil
}
