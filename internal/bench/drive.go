package bench

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
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
	recording
	running int           // tasks that have not ended
	ended   chan struct{} // closed when there is none left
}

// Commit stores the changes. The engine calls it from one goroutine.
func (r *recorder) Commit(ctx context.Context, changes []stdops.Change) ([]stdops.Verdict, error) {
	verdicts, err := r.Store.Commit(ctx, changes)
	for i, v := range verdicts {
		if v != stdops.Committed {
			continue
		}
		r.changes = append(r.changes, changes[i])
		if changes[i].Root.State.Ended() {
			if r.running--; r.running == 0 {
				close(r.ended)
			}
		}
	}
	return verdicts, err
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
	surroundings, err := service.NewSurroundings(rec.Store, time.UTC, "")
	if err != nil {
		return nil, err
	}
	plugins, err := plugin.NewRegistry(testplugin.All()...)
	if err != nil {
		return nil, err
	}
	return engine.New(engine.Options{
		Commits: rec, Tasks: rec.Store, Surroundings: surroundings, Plugins: plugins, Wakes: queue.NewLocal(rec.Now), Now: rec.Now,
		Epoch: rec.Epoch(), Log: slog.New(slog.DiscardHandler),
	}), nil
}

func startAll(ctx context.Context, e *engine.Engine, tasks []stdops.TaskRef) error {
	var starts errgroup.Group
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
