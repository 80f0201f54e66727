package service

import (
	"context"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/store"
)

const (
	// scanStep is how many tasks are looked at in one read when the state that is asked for is derived.
	scanStep = 200
	// longestScan bounds how many tasks one list looks at; its cursor leads on from there.
	longestScan = 2000
)

// TaskQuery says which tasks of a project are listed; what is zero does not filter.
type TaskQuery struct {
	Limit   int           // of the list
	Before  stdops.TaskID // older than that one: the cursor of the list before
	Keyword string        // part of the name, in any case
	State   stdops.State  // as callers see it
}

// TaskList is a part of the tasks of a project, newest first, as they stand at one moment.
type TaskList struct {
	Tasks []TaskStatus
	Older stdops.TaskID // cursor to the tasks after these, 0 when there are none
	Now   time.Time
	Zone  *time.Location // of the server
}

// Tasks lists tasks of a project that are not deleted. States are matched as they are shown: a task that runs with a
// failed node is found as FAILED, not as RUNNING. A list may come out short of its limit when the state is rare; it has a
// cursor then.
func (s *Service) Tasks(ctx context.Context, a *Access, q TaskQuery) (*TaskList, error) {
	if err := a.Require(TaskView); err != nil {
		return nil, err
	}
	list := &TaskList{Now: s.store.Now(), Zone: s.zone}
	stored, derived := storedAs(q.State)
	filter := store.TaskFilter{Limit: q.Limit + 1, Before: q.Before, Keyword: q.Keyword, States: stored}
	if derived {
		filter.Limit = scanStep
	}
	for scanned := 0; ; {
		tasks, err := s.store.Tasks(ctx, a.project.ID, filter)
		if err != nil {
			return nil, err
		}
		if err := s.matching(ctx, a, q, tasks, list); err != nil {
			return nil, err
		}
		scanned += len(tasks)
		switch {
		case len(list.Tasks) > q.Limit:
			list.Tasks = list.Tasks[:q.Limit]
			list.Older = list.Tasks[q.Limit-1].Task.ID
			return list, nil
		case len(tasks) < filter.Limit:
			return list, nil
		}
		filter.Before = tasks[len(tasks)-1].ID
		if scanned >= longestScan {
			list.Older = filter.Before
			return list, nil
		}
	}
}

// storedAs gives the stored states of tasks that may show a state, and whether how a task stands has to be derived to
// know.
func storedAs(shown stdops.State) (stored []stdops.State, derived bool) {
	switch shown {
	case stdops.StateNone:
		return nil, false
	case stdops.StateRunning, stdops.StateFailed, stdops.StateNodeSuspended:
		return []stdops.State{stdops.StateRunning}, true
	default:
		return []stdops.State{shown}, false
	}
}

// matching appends how those of the tasks stand that show the state that is asked for.
func (s *Service) matching(ctx context.Context, a *Access, q TaskQuery, tasks []stdops.Task, list *TaskList) error {
	if len(tasks) == 0 {
		return nil
	}
	ids := make([]stdops.TaskID, len(tasks))
	for i := range tasks {
		ids[i] = tasks[i].ID
	}
	rows, err := s.store.Statuses(ctx, a.project.ID, store.StatusQuery{IDs: ids})
	if err != nil {
		return err
	}
	list.Now = rows.Now
	for i := range rows.Tasks {
		t := s.project(ctx, &rows.Tasks[i], rows.Now, false)
		if q.State == stdops.StateNone || t.Status.State == q.State {
			list.Tasks = append(list.Tasks, t)
		}
	}
	return nil
}
