package service

import (
	"context"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/store"
)

// Intervention says whether a task waits for somebody. Problem is why that could not be found out.
type Intervention struct {
	Task     stdops.TaskID
	Required bool
	Problem  *stdops.Error
}

// Interventions tells which tasks of a project wait for somebody, by descending id (docs/spec/api.md 1.12).
func (s *Service) Interventions(ctx context.Context, a *Access, ids []stdops.TaskID) ([]Intervention, error) {
	if err := a.Require(ProjectView); err != nil {
		return nil, err
	}
	if len(ids) == 0 {
		return nil, nil
	}
	rows, err := s.store.Statuses(ctx, a.project.ID, store.StatusQuery{IDs: ids})
	if err != nil {
		return nil, err
	}
	list := make([]Intervention, len(rows.Tasks))
	for i := range rows.Tasks {
		r := &rows.Tasks[i]
		t := s.project(ctx, r, rows.Now, false)
		list[i] = Intervention{Task: r.Task.ID, Problem: t.Problem, Required: t.Problem == nil && s.needsSomebody(r)}
	}
	return list, nil
}

// needsSomebody reports whether a task goes on only when a person does something: one that is paused, or holds a node
// that failed, is paused, or asks a person by its nature. What is hidden from how the task stands counts as well.
func (s *Service) needsSomebody(r *store.StatusRows) bool {
	switch r.Task.Root.State {
	case stdops.StateSuspended:
		return true
	case stdops.StateRunning:
	default:
		return false
	}
	for i := range r.Nodes {
		n := &r.Nodes[i]
		switch {
		case n.Order == 0: // a pause was appointed for a node that the task has not come to
		case n.State == stdops.StateFailed, n.State == stdops.StateSuspended:
			return true
		case n.State == stdops.StateRunning && s.plugins.AsksPerson(r.Skeleton.Nodes[n.Node].Plugin):
			return true
		}
	}
	return false
}
