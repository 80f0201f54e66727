package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/engine"
	"github.com/stdops/stdops/internal/store"
)

// pauses measures commands for a large task that another process drives at full speed: as a step on the locked row, and as
// one that is decided on what was read and stored if nothing has changed since, which is tried again for as long.
func (s *site) pauses(ctx context.Context) (_ []Comparison, figures []Figure, err error) {
	all, err := s.startProcesses(ctx, 1, "--roles", "worker")
	defer func() { err = errors.Join(err, endAll(all)) }()
	if err != nil {
		return nil, nil, err
	}
	for _, way := range []struct {
		name     string
		unlocked bool
		pauses   int
	}{
		{fmt.Sprintf("pause of a running task of %d nodes", s.Nodes), false, s.Pauses},
		{"the same without a lock", true, max(1, s.Pauses/20)}, // each may take two seconds
	} {
		s.tell(way.name)
		p, err := s.pauseOften(ctx, way.unlocked, way.pauses)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", way.name, err)
		}
		figures = append(figures, p.figures(way.name, way.unlocked)...)
	}
	return nil, figures, nil
}

// paused is what became of pauses.
type paused struct {
	times   []time.Duration // of all, those that were refused too
	refused int
}

// figures tells of pauses. Without a lock most have to be refused: else the task moved too slowly to show what the lock is for.
func (p *paused) figures(name string, unlocked bool) []Figure {
	n := float64(len(p.times))
	outcome := Figure{Unit: fmt.Sprintf("of %v", n), Series: single(name+", done", n-float64(p.refused)), Goal: Goal{AtLeast: n}}
	slowest := Goal{AtMost: 100}
	if unlocked {
		outcome.Series, outcome.Goal = single(name+", refused", float64(p.refused)), Goal{AtLeast: n / 2}
		slowest = Goal{}
	}
	return []Figure{
		{Unit: "ms", Series: single(name+", median", p.percentile(50))},
		{Unit: "ms", Series: single(name+", p99", p.percentile(99)), Goal: slowest},
		{Unit: "ms", Series: single(name+", slowest", p.percentile(100))},
		outcome,
	}
}

func (p *paused) percentile(n int) float64 {
	slices.Sort(p.times)
	return float64(p.times[max(0, (len(p.times)*n+99)/100-1)].Microseconds()) / 1e3
}

// optimistic makes steps from outside without a lock.
type optimistic struct {
	*store.Workers
	store *store.Store
}

// Step tries until ctx is done.
func (o optimistic) Step(ctx context.Context, ref stdops.TaskRef, decide func(*stdops.Snapshot) (*stdops.Change, error)) error {
	for {
		snap, err := o.store.Load(ctx, ref)
		if err != nil {
			return err
		}
		change, err := decide(snap)
		if err != nil || change == nil {
			return err
		}
		verdicts, err := o.store.Commit(ctx, []stdops.Change{*change})
		if err != nil || verdicts[0] == stdops.Committed {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// pauseOften pauses large tasks, one after the other, and lets each go on at once.
func (s *site) pauseOften(ctx context.Context, unlocked bool, n int) (p *paused, err error) {
	st, err := s.open(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	locked := st.Workers(store.WorkerOptions{Name: "bench"})
	e, err := sharedEngine(st, st, locked, true)
	if err != nil {
		return nil, err
	}
	if err := e.Start(ctx); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, e.Stop(context.WithoutCancel(ctx))) }()
	pauser := e
	if unlocked {
		if pauser, err = sharedEngine(st, st, optimistic{locked, st}, true); err != nil {
			return nil, err
		}
		if err := pauser.Start(ctx); err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, pauser.Stop(context.WithoutCancel(ctx))) }()
	}
	p = &paused{}
	for len(p.times) < n {
		if err := s.pauseOne(ctx, pauser, e, n, p); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// pauseOne pauses one task again and again, from when half of it is done until it ends. What is left then are small steps, one
// after the other, and what has to be read for each pause is large.
func (s *site) pauseOne(ctx context.Context, pauser, resumer *engine.Engine, n int, p *paused) error {
	flow, before := tailed(s.Nodes)
	id, err := s.front.createAndStart(ctx, flow)
	if err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	if err := s.bare.AwaitNodes(limited, id, before); err != nil {
		return err
	}
	ref := stdops.TaskRef{Project: project, Task: id}
	for len(p.times) < n {
		ended, err := s.moves(ctx, id)
		if err != nil || ended {
			return err
		}
		began := time.Now()
		err = pauser.Do(ctx, ref, engine.Command{Kind: engine.Pause, Actor: user})
		took := time.Since(began)
		if err != nil {
			if ended, lookErr := s.bare.Ended(ctx, id); lookErr != nil || ended {
				return lookErr
			}
			p.refused++
			p.times = append(p.times, took)
			continue
		}
		p.times = append(p.times, took)
		if err := resumer.Do(ctx, ref, engine.Command{Kind: engine.Resume, Actor: user}); err != nil {
			return fmt.Errorf("resume: %w", err)
		}
	}
	err = resumer.Do(ctx, ref, engine.Command{Kind: engine.Revoke, Actor: user})
	if ended, lookErr := s.bare.Ended(ctx, id); lookErr != nil || ended {
		return lookErr
	}
	return err
}

// moves waits until whoever drives a task has made some steps, or the task has ended.
func (s *site) moves(ctx context.Context, id stdops.TaskID) (ended bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	var from int64
	for {
		owners, err := s.bare.Owners(ctx, batch{id})
		if err != nil {
			return false, err
		}
		o := owners[id]
		switch {
		case o.Ended:
			return true, nil
		case from == 0:
			from = o.Revision
		case o.Revision >= from+3:
			return false, nil
		}
	}
}

// timedCommits is the store, for an engine of which it is to be known how long its commits take.
type timedCommits struct {
	*store.Store
	mu      sync.Mutex
	slowest time.Duration
	stored  int
}

// Commit stores changes.
func (c *timedCommits) Commit(ctx context.Context, changes []stdops.Change) ([]stdops.Verdict, error) {
	began := time.Now()
	verdicts, err := c.Store.Commit(ctx, changes)
	took := time.Since(began)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.slowest = max(c.slowest, took)
	for _, v := range verdicts {
		if v == stdops.Committed {
			c.stored++
		}
	}
	return verdicts, err
}

// noted is how long the slowest commit took, in milliseconds, and how many changes were stored in a second.
type noted struct{ slowest, stored float64 }

// take gives what was noted in the last [heldFor], and begins anew.
func (c *timedCommits) take() noted {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := noted{float64(c.slowest.Microseconds()) / 1e3, float64(c.stored) / heldFor.Seconds()}
	c.slowest, c.stored = 0, 0
	return n
}

// longSerial is how many nodes a task has that runs for longer than the row of one is held.
const longSerial = 4000

// heldFor is how long somebody holds the row of a task.
const heldFor = time.Second

// heldRow measures the commits of other tasks while somebody holds the row of one that runs.
func (s *site) heldRow(ctx context.Context) (_ []Comparison, _ []Figure, err error) {
	st, err := s.open(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	commits := &timedCommits{Store: st}
	e, err := sharedEngine(st, commits, st.Workers(store.WorkerOptions{Name: "bench", Drives: true}), false)
	if err != nil {
		return nil, nil, err
	}
	if err := e.Start(ctx); err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, e.Stop(context.WithoutCancel(ctx))) }()
	slow := Comparison{
		Name: "slowest commit of others", Unit: "ms", Ours: Series{Name: "a row held for 1 s"}, Reference: Series{Name: "no row held"},
	}
	rate := slow
	rate.Name, rate.Unit = "changes stored", "each s"
	s.tell(slow.Name)
	for range s.Rounds {
		free, held, err := s.holdOne(ctx, e, commits)
		if err != nil {
			return nil, nil, err
		}
		slow.Reference.Rounds, slow.Ours.Rounds = append(slow.Reference.Rounds, free.slowest), append(slow.Ours.Rounds, held.slowest)
		rate.Reference.Rounds, rate.Ours.Rounds = append(rate.Reference.Rounds, free.stored), append(rate.Ours.Rounds, held.stored)
	}
	slow.conclude()
	rate.conclude()
	return []Comparison{slow, rate}, nil, nil
}

// holdOne lets serial tasks run, and looks at what is stored of them within a second, and within another in which the row of
// one of them is held.
func (s *site) holdOne(ctx context.Context, e *engine.Engine, commits *timedCommits) (free, held noted, err error) {
	tasks, err := s.create(ctx, max(2, s.Tasks/connections), tree(0, longSerial, false))
	if err != nil {
		return free, held, err
	}
	if err := startAll(ctx, e, tasks.refs()); err != nil {
		return free, held, err
	}
	commits.take()
	time.Sleep(heldFor)
	free = commits.take()
	err = s.bare.Hold(ctx, tasks[0], func() error {
		commits.take()
		time.Sleep(heldFor)
		held = commits.take()
		return nil
	})
	if err != nil {
		return free, held, err
	}
	for _, id := range tasks {
		ref := stdops.TaskRef{Project: project, Task: id}
		if err := e.Do(ctx, ref, engine.Command{Kind: engine.Revoke, Actor: user}); err != nil {
			return free, held, fmt.Errorf("a task that should not have ended yet: %w", err)
		}
	}
	return free, held, nil
}
