package service

import (
	"context"
	"fmt"

	"github.com/maypok86/otter/v2"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/status"
	"github.com/stdops/stdops/internal/store"
)

const (
	// latestRuns is of how many finished tasks the durations are told.
	latestRuns = 20
	// lookedThrough is among how many of the newest tasks of a flow these are looked for.
	lookedThrough = 3000
	// mostRunStates is how many states of nodes are read for them: of very large trees fewer tasks are told of.
	mostRunStates = 60_000
	// durationsLife is how long what was found out is told again, in seconds.
	durationsLife = 30
	// durationsCache bounds what is kept by nodes, of some forty bytes each.
	durationsCache = 200_000
)

// Durations is how long the latest tasks of a tree took that FINISHED.
type Durations struct {
	Tree string // hash
	status.Durations
}

// durations keeps what was found out for a while, so that it is found out once for all who look.
type durations struct {
	found *otter.Cache[runsOf, *status.Durations]
}

// runsOf names the runs of one tree, during one piece of time: a later one finds out anew.
type runsOf struct {
	project  stdops.ProjectID
	template stdops.TemplateID
	tree     string
	piece    int64
}

// runsLike names the runs of the tree of a task, among those of its flow.
func runsLike(t *stdops.Task, piece int64) runsOf {
	return runsOf{project: t.Project, template: t.Template, tree: t.TreeHash, piece: piece}
}

func newDurations() (*durations, error) {
	found, err := otter.New(&otter.Options[runsOf, *status.Durations]{
		MaximumWeight: durationsCache,
		Weigher:       func(_ runsOf, d *status.Durations) uint32 { return uint32(len(d.Nodes)) + 1 },
		Executor:      func(work func()) { work() }, // no goroutine of which nobody knows when it ends
	})
	if err != nil {
		return nil, fmt.Errorf("make cache of durations: %w", err)
	}
	return &durations{found: found}, nil
}

// Durations tells how long the latest tasks took that are of the flow of a task and have its tree; those of a tree that is of no
// flow are looked for among the tasks of no flow.
func (s *Service) Durations(ctx context.Context, a *Access, id stdops.TaskID) (*Durations, error) {
	if err := a.Require(TaskView); err != nil {
		return nil, err
	}
	task, err := s.task(ctx, a, id)
	if err != nil {
		return nil, err
	}
	found, err := s.durationsOf(ctx, runsLike(&task, s.store.Now().Unix()/durationsLife))
	if err != nil {
		return nil, err
	}
	return &Durations{Tree: task.TreeHash, Durations: *found}, nil
}

func (s *Service) durationsOf(ctx context.Context, of runsOf) (*status.Durations, error) {
	// Others may wait for the same: that the first one goes away is no reason to tell them nothing. The store bounds it.
	return s.durations.found.Get(context.WithoutCancel(ctx), of, otter.LoaderFunc[runsOf, *status.Durations](s.findDurations))
}

func (s *Service) findDurations(ctx context.Context, of runsOf) (*status.Durations, error) {
	ids, err := s.store.Finished(ctx, of.project, store.FinishedQuery{
		Template: of.template, Tree: of.tree, Among: lookedThrough, Limit: latestRuns,
	})
	if err != nil || len(ids) < status.LeastRuns {
		return &status.Durations{}, err
	}
	batch, err := s.store.Statuses(ctx, of.project, store.StatusQuery{IDs: ids, Children: true, Most: mostRunStates})
	if err != nil {
		return nil, err
	}
	var runs []status.FinishedRun
	for i := range batch.Tasks {
		if r := &batch.Tasks[i]; r.Err == nil && !r.Cut {
			runs = append(runs, status.FinishedRun{Root: &r.Task.Root, Nodes: r.Nodes})
		}
	}
	found := status.DurationsOf(runs)
	return &found, nil
}
