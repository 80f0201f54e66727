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

// TaskMatch is what tasks have to fulfil to be listed or counted, by what is stored of them.
type TaskMatch = store.TaskMatch

// TaskQuery says which tasks of a project are listed; what is zero does not filter.
type TaskQuery struct {
	TaskMatch
	Limit  int           // of the list
	Before stdops.TaskID // older than that one: the cursor of the list before
	State  stdops.State  // as callers see it
	Run    bool          // how it goes on is wanted as well
	Slow   bool          // only those under way for longer than 95 of 100 tasks of their flow and tree took
}

// TaskList is a part of the tasks of a project, newest first, as they stand at one moment.
type TaskList struct {
	Tasks []TaskStatus
	Older stdops.TaskID // cursor to the tasks after these, 0 when there are none
	// Cut says that it ends where no more tasks were looked at: older ones may be like that too.
	Cut  bool
	Now  time.Time
	Zone *time.Location // of the server
}

// Tasks lists tasks of a project that are not deleted. States are matched as they are shown: a task that runs with a
// failed node is found as FAILED, not as RUNNING. A list may come out short of its limit when the state is rare; it has a
// cursor then; so may one of slow tasks.
func (s *Service) Tasks(ctx context.Context, a *Access, q TaskQuery) (*TaskList, error) {
	if err := a.Require(TaskView); err != nil {
		return nil, err
	}
	list := &TaskList{Now: s.store.Now(), Zone: s.zone}
	filter := store.TaskFilter{TaskMatch: q.TaskMatch, Limit: q.Limit + 1, Before: q.Before}
	if storedAs(&filter.TaskMatch, q.State) {
		filter.Limit = scanStep
	}
	var slow *slowness
	if q.Slow {
		if !underWay(&filter.TaskMatch) {
			return list, nil
		}
		slow, filter.Limit = s.slowness(), scanStep
	}
	for scanned := 0; ; {
		rows, err := s.store.Statuses(ctx, a.project.ID, store.StatusQuery{List: &filter, Run: q.Run, Updated: true})
		if err != nil {
			return nil, err
		}
		list.Now = rows.Now
		for i := range rows.Tasks {
			r := &rows.Tasks[i]
			t := s.project(ctx, r, rows.Now, false)
			if q.State != stdops.StateNone && t.Status.State != q.State {
				continue
			}
			if slow != nil {
				if slow.full(&r.Task) { // the next list begins with it
					list.Older, list.Cut = r.Task.ID+1, true
					return list, nil
				}
				if t.Usual, err = slow.usual(ctx, &r.Task, rows.Now); err != nil {
					return nil, err
				}
				if t.Usual == nil {
					continue
				}
			}
			if q.Run {
				t.Run = s.run(a, r, t.Problem == nil)
			}
			t.Updated = updated(r)
			if list.Tasks = append(list.Tasks, t); len(list.Tasks) > q.Limit {
				break
			}
		}
		scanned += len(rows.Tasks)
		switch {
		case len(list.Tasks) > q.Limit:
			list.Tasks = list.Tasks[:q.Limit]
			list.Older = list.Tasks[q.Limit-1].Task.ID
			return list, nil
		case len(rows.Tasks) < filter.Limit:
			return list, nil
		}
		filter.Before = rows.Tasks[len(rows.Tasks)-1].Task.ID
		if scanned >= longestScan {
			list.Older, list.Cut = filter.Before, true
			return list, nil
		}
	}
}

// storedAs asks for the tasks that may show a state, and reports whether how a task stands has to be derived to know.
func storedAs(m *TaskMatch, shown stdops.State) (derived bool) {
	switch shown {
	case stdops.StateNone:
		return false
	case stdops.StateFailed:
		m.Holding = []stdops.State{stdops.StateFailed}
	case stdops.StateNodeSuspended:
		m.Holding = []stdops.State{stdops.StateSuspended}
	case stdops.StateRunning:
	default:
		m.States = []stdops.State{shown}
		return false
	}
	m.States = []stdops.State{stdops.StateRunning}
	return true
}

// PageQuery asks for a page of a list by its number, as callers of bk-sops do.
type PageQuery struct {
	TaskMatch
	Offset int64
	Limit  int
	Total  bool // how many there are on all pages is wanted as well
}

// TaskPage is a page of the tasks of a project, newest first.
type TaskPage struct {
	Tasks []TaskStatus
	Total int64
}

// TaskPage gives a page of the tasks that match, with how they stand, all of one moment.
func (s *Service) TaskPage(ctx context.Context, a *Access, q PageQuery) (*TaskPage, error) {
	if err := a.Require(ProjectView); err != nil {
		return nil, err
	}
	filter := store.TaskFilter{TaskMatch: q.TaskMatch, Offset: q.Offset, Limit: max(q.Limit, 1)}
	rows, err := s.store.Statuses(ctx, a.project.ID, store.StatusQuery{List: &filter, Total: q.Total})
	if err != nil {
		return nil, err
	}
	found := rows.Tasks[:min(len(rows.Tasks), q.Limit)]
	page := &TaskPage{Total: rows.Total, Tasks: make([]TaskStatus, len(found))}
	for i := range found {
		page.Tasks[i] = s.project(ctx, &found[i], rows.Now, false)
	}
	return page, nil
}
