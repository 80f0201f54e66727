package service

import (
	"context"
	"slices"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/store"
)

// TaskColumn is what tasks can be counted by.
type TaskColumn = store.TaskColumn

// The columns.
const (
	ByState    = store.ByState
	ByCategory = store.ByCategory
	ByMethod   = store.ByMethod
	ByFlowType = store.ByFlowType
)

// TaskCounts is how many tasks there are, in all and for each of the values that were asked about.
type TaskCounts = store.TaskCounts

// CountTasks counts the tasks of a project that match, and among them those with each of the values in a column; states
// are the stored ones.
func (s *Service) CountTasks(ctx context.Context, a *Access, m TaskMatch, by TaskColumn, values ...any) (TaskCounts, error) {
	if err := a.Require(ProjectView); err != nil {
		return TaskCounts{}, err
	}
	return s.store.CountTasks(ctx, a.project.ID, m, by, values...)
}

const (
	// countStep is how many tasks are looked at in one read when states are counted as they are shown.
	countStep = 500
	// longestCount bounds how many tasks one count looks at.
	longestCount = 20_000
)

// StateCounts is how many tasks of a project show each state.
type StateCounts struct {
	Total int64
	Of    map[stdops.State]int64
	// Cut says that more tasks stand still than one count looks at: some of those counted as RUNNING show FAILED or
	// NODE_SUSPENDED.
	Cut bool
}

// storedStates are those that a task can have by itself.
var storedStates = []stdops.State{
	stdops.StateCreated, stdops.StateRunning, stdops.StateSuspended, stdops.StateFinished, stdops.StateRevoked,
}

// CountStates counts the tasks of a project that match by the states that they show. Those that run with a failed or
// paused node are looked at one by one; they may move while the count goes on, so it is exact only for what stands.
func (s *Service) CountStates(ctx context.Context, a *Access, m TaskMatch) (*StateCounts, error) {
	values := make([]any, len(storedStates))
	for i, state := range storedStates {
		values[i] = int64(state)
	}
	stored, err := s.CountTasks(ctx, a, m, ByState, values...)
	if err != nil {
		return nil, err
	}
	counts := &StateCounts{Total: stored.Total, Of: map[stdops.State]int64{stdops.StateFailed: 0, stdops.StateNodeSuspended: 0}}
	for i, state := range storedStates {
		counts.Of[state] = stored.Of[i]
	}
	return counts, s.countDerived(ctx, a, m, counts, countStep, longestCount)
}

// StoredStates lists the states that a task can have by itself.
func StoredStates() []stdops.State { return slices.Clone(storedStates) }

// countDerived moves the tasks that show FAILED or NODE_SUSPENDED out of those that run, step by step until it has looked
// at most of them.
func (s *Service) countDerived(ctx context.Context, a *Access, m TaskMatch, counts *StateCounts, step, most int) error {
	m.States = []stdops.State{stdops.StateRunning}
	m.Holding = []stdops.State{stdops.StateFailed, stdops.StateSuspended}
	filter := store.TaskFilter{TaskMatch: m, Limit: step}
	for looked := 0; ; {
		rows, err := s.store.Statuses(ctx, a.project.ID, store.StatusQuery{List: &filter})
		if err != nil {
			return err
		}
		for i := range rows.Tasks {
			t := s.project(ctx, &rows.Tasks[i], rows.Now, false)
			if t.Status.State != stdops.StateRunning && counts.Of[stdops.StateRunning] > 0 {
				counts.Of[stdops.StateRunning]--
				counts.Of[t.Status.State]++
			}
		}
		if len(rows.Tasks) < step {
			return nil
		}
		if looked += len(rows.Tasks); looked >= most {
			counts.Cut = true
			return nil
		}
		filter.Before = rows.Tasks[len(rows.Tasks)-1].Task.ID
	}
}
