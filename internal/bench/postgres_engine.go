package bench

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/engine"
	"github.com/stdops/stdops/internal/store"
)

// mixedNodes is how many nodes a task of the mixed flow reaches.
const mixedNodes = 23

// shared is a run of the mixed flow, each time by new tasks of one database.
type shared struct {
	*site
	last recording
}

// engines measures how fast tasks run: against a bare writer, against a job for each node, and of several processes
// against one.
func (s *site) engines(ctx context.Context) ([]Comparison, []Figure, error) {
	r := &shared{site: s}
	activities, nodes := s.Tasks*mixedActivities, s.Tasks*mixedNodes
	written := pair{ours: r.rate(activities, r.run), reference: r.rate(activities, r.replay)}
	written.Comparison = Comparison{
		Name: "mixed flows", Unit: "activities/s", Goal: Goal{AtLeast: 0.4},
		Ours: Series{Name: "engine"}, Reference: Series{Name: "bare writer"},
	}
	jobs := pair{ours: r.rate(nodes, r.run), reference: r.rate(nodes, r.jobs)}
	jobs.Comparison = Comparison{
		Name: "nodes of mixed flows", Unit: "nodes/s",
		Ours: Series{Name: "engine"}, Reference: Series{Name: "a job for each node"},
	}
	many := pair{ours: r.rate(activities, r.processes(manyProcesses)), reference: r.rate(activities, r.processes(1))}
	many.Comparison = Comparison{
		Name: "mixed flows, by processes", Unit: "activities/s", Goal: Goal{AtLeast: 0.7},
		Ours: Series{Name: fmt.Sprintf("%d processes", manyProcesses)}, Reference: Series{Name: "1 process"},
	}
	list, err := measureAll(ctx, s.common(), &written, &jobs, &many)
	if err != nil {
		return nil, nil, err
	}
	list[0].Rows = r.last.rows
	return list, nil, nil
}

// manyProcesses is how many share a database where one is held against several.
const manyProcesses = 3

// rate gives how much is done in a second by runs of new tasks.
func (r *shared) rate(amount int, once func(context.Context, batch) (time.Duration, error)) side {
	return func(ctx context.Context, d time.Duration) (float64, error) {
		var sum time.Duration
		for n := 1; ; n++ {
			tasks, err := r.create(ctx, r.Tasks, mixed())
			if err != nil {
				return 0, err
			}
			runtime.GC()
			limited, cancel := context.WithTimeout(ctx, settleTime)
			took, err := once(limited, tasks)
			cancel()
			if err != nil {
				return 0, err
			}
			if sum += took; sum >= d {
				return float64(amount) * float64(n) / sum.Seconds(), nil
			}
		}
	}
}

// recordedSteps notes the steps from outside, too.
type recordedSteps struct {
	*store.Workers
	rec *recorder
}

// Step makes a step from outside.
func (s recordedSteps) Step(ctx context.Context, ref stdops.TaskRef, decide func(*stdops.Snapshot) (*stdops.Change, error)) error {
	var made *stdops.Change
	err := s.Workers.Step(ctx, ref, func(snap *stdops.Snapshot) (_ *stdops.Change, err error) {
		made, err = decide(snap)
		return made, err
	})
	if err == nil && made != nil {
		s.rec.mu.Lock()
		defer s.rec.mu.Unlock()
		s.rec.note(made)
	}
	return err
}

// sharedEngine makes an engine that shares tasks with others, of the parts of a server but for the queue, which has
// nothing to do while tasks run.
func sharedEngine(s *store.Store, commits engine.Commits, own engine.Ownership, aside bool) (*engine.Engine, error) {
	o, err := partsOf(s)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	o.Commits, o.Ownership, o.Aside = commits, own, aside
	o.Passed = func() time.Duration { return time.Since(began) }
	return engine.New(o), nil
}

// run lets an engine run tasks, from the first start to the last end.
func (r *shared) run(ctx context.Context, tasks batch) (took time.Duration, err error) {
	s, err := r.open(ctx)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	rec := &recorder{Store: s, running: len(tasks), ended: make(chan struct{})}
	rec.changes = make([]stdops.Change, 0, 2*len(tasks)*mixedActivities)
	e, err := sharedEngine(s, rec, recordedSteps{s.Workers(store.WorkerOptions{Name: "bench", Drives: true}), rec}, false)
	if err != nil {
		return 0, err
	}
	if err := e.Start(ctx); err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, e.Stop(context.WithoutCancel(ctx))) }()
	began := time.Now()
	if err := startAll(ctx, e, tasks.refs()); err != nil {
		return 0, err
	}
	select {
	case <-rec.ended:
	case <-ctx.Done():
		return 0, fmt.Errorf("wait for the tasks to end: %w", ctx.Err())
	}
	took = time.Since(began)
	rec.count()
	r.last = rec.recording
	return took, nil
}

func (b batch) refs() []stdops.TaskRef { return (&runs{tasks: b}).refs() }

// replay lets new tasks go the way that those of the last run went, without an engine: by the batch statement, one change of
// each task at a time, which are the largest batches that there can be.
func (r *shared) replay(ctx context.Context, tasks batch) (took time.Duration, err error) {
	s, err := r.open(ctx)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	batches := r.last.inBatches(tasks)
	began := time.Now()
	for _, changes := range batches {
		if err := commitAll(ctx, s, changes); err != nil {
			return 0, err
		}
	}
	return time.Since(began), nil
}

// inBatches gives the changes to other tasks, the first of each task, then the second of each, and so on. Nobody drives these
// tasks, so their epoch stays.
func (r *recording) inBatches(tasks batch) [][]stdops.Change {
	var batches [][]stdops.Change
	twins, done := map[stdops.TaskID]stdops.TaskID{}, map[stdops.TaskID]int{}
	for _, c := range r.changes {
		if _, known := twins[c.Task]; !known {
			twins[c.Task] = tasks[len(twins)]
		}
		n := done[c.Task]
		done[c.Task]++
		if n == len(batches) {
			batches = append(batches, nil)
		}
		c.Task, c.Epoch, c.Outside = twins[c.Task], 0, false
		batches[n] = append(batches[n], c)
	}
	return batches
}

// jobs runs as many nodes with a job for each.
func (r *shared) jobs(ctx context.Context, tasks batch) (time.Duration, error) {
	return r.bare.JobPerNode(ctx, tasks, mixedNodes)
}

// processes runs tasks in servers that are processes of their own. Each is asked to start its share of them.
func (r *shared) processes(n int) func(context.Context, batch) (time.Duration, error) {
	return func(ctx context.Context, tasks batch) (took time.Duration, err error) {
		all, err := r.startProcesses(ctx, n)
		defer func() { err = errors.Join(err, endAll(all)) }()
		if err != nil {
			return 0, err
		}
		began, err := r.bare.Now(ctx)
		if err != nil {
			return 0, err
		}
		var starts errgroup.Group
		starts.SetLimit(2 * connections)
		for i, id := range tasks {
			starts.Go(func() error {
				return all[i%n].post(ctx, fmt.Sprintf("/apigw/start_task/%d/%d/", id, business), &stdops.Object{}, nil)
			})
		}
		if err := starts.Wait(); err != nil {
			return 0, err
		}
		ended, err := r.bare.AwaitEnds(ctx, tasks)
		return ended.Sub(began), err
	}
}

func (s *site) startProcesses(ctx context.Context, n int, flags ...string) (all []*process, err error) {
	for range n {
		p, err := startProcess(ctx, s.Program, append([]string{"--db", s.DB}, flags...)...)
		if err != nil {
			return all, err
		}
		all = append(all, p)
	}
	return all, nil
}

func endAll(all []*process) error {
	var errs []error
	for _, p := range all {
		errs = append(errs, p.end())
	}
	return errors.Join(errs...)
}
