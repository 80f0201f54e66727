package service

import (
	"context"
	"fmt"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/status"
	"github.com/stdops/stdops/internal/store"
)

// StatusQuery says which tasks are asked about: those of IDs when it is not nil, deleted ones included, else the newest
// that are not deleted.
type StatusQuery struct {
	IDs      []stdops.TaskID
	Newest   int
	Children bool
	Run      bool
	Updated  bool // when each last changed is wanted

	// Known gives the revision of a task that the caller has the status of, with as many children; it only looks up. nil:
	// nothing is known.
	Known func(stdops.TaskID) (revision int64, ok bool)
}

// TaskStatus is how one task stands. Problem is why it could not be read in full: the status then holds what is known.
type TaskStatus struct {
	Task    stdops.Task
	Status  status.Status
	Problem *stdops.Error

	Run *Run // where it was asked for

	// Updated is when the task last changed, where that was asked for: the moment of the latest of its events.
	Updated time.Time

	Usual *status.Durations // of its flow and tree, where only slow tasks were asked for

	// Unchanged says that the task has the revision that the caller knows: Status is left out.
	Unchanged bool
}

// MostChildren is how many children one answer may hold.
func (s *Service) MostChildren() int { return int(s.limits.Children) }

// FragmentBytes is how much memory encoded parts of answers may take.
func (s *Service) FragmentBytes() int64 { return s.limits.Fragments }

// Revisions gives the current revisions of tasks, all of one moment, with the time of the store before it: what is still
// running may have ended before a later one. A revision is [store.NotKnown] where [Service.TaskStatuses] has to be asked.
func (s *Service) Revisions(ctx context.Context, a *Access, ids []stdops.TaskID) ([]int64, time.Time, error) {
	if err := a.Require(ProjectView); err != nil {
		return nil, time.Time{}, err
	}
	now := s.store.Now()
	list, err := s.store.Revisions(ctx, a.project.ID, ids)
	return list, now, err
}

// StatusBatch is how several tasks stand at one moment, by descending id.
type StatusBatch struct {
	Tasks     []TaskStatus
	Truncated bool // there are older tasks than the newest that were asked for
	Now       time.Time
}

// TaskStatuses tells how tasks of a project stand. What cannot be read of one task does not fail the others.
func (s *Service) TaskStatuses(ctx context.Context, a *Access, q StatusQuery) (*StatusBatch, error) {
	if err := a.Require(ProjectView); err != nil {
		return nil, err
	}
	if q.IDs != nil && len(q.IDs) == 0 {
		return &StatusBatch{Now: s.store.Now()}, nil
	}
	rows, err := s.store.Statuses(ctx, a.project.ID, store.StatusQuery{
		IDs: q.IDs, Newest: q.Newest, Children: q.Children, Most: int(s.limits.Children), Known: q.Known, Run: q.Run,
		Updated: q.Updated,
	})
	if err != nil {
		return nil, err
	}
	batch := &StatusBatch{Truncated: rows.Truncated, Now: rows.Now, Tasks: make([]TaskStatus, len(rows.Tasks))}
	for i := range rows.Tasks {
		r := &rows.Tasks[i]
		if r.Unchanged {
			batch.Tasks[i] = TaskStatus{Task: r.Task, Unchanged: true}
			continue
		}
		batch.Tasks[i] = s.project(ctx, r, rows.Now, q.Children && !r.Cut)
		if q.Run {
			batch.Tasks[i].Run = s.run(a, r, batch.Tasks[i].Problem == nil)
		}
		if q.Updated {
			batch.Tasks[i].Updated = updated(r)
		}
		if r.Cut && batch.Tasks[i].Problem == nil {
			batch.Tasks[i].Problem = stdops.Errorf(stdops.CodeEngine,
				"an answer holds at most %d children; ask for this task alone, or without its children", s.limits.Children)
		}
	}
	return batch, nil
}

// project makes the status of one task. A damaged record is logged, and told to the caller without its inner text.
func (s *Service) project(ctx context.Context, r *store.StatusRows, now time.Time, children bool) TaskStatus {
	t := TaskStatus{Task: r.Task}
	err := r.Err
	if err == nil {
		t.Status, err = status.Project(r.Skeleton, &r.Task, r.Nodes, now, children)
	} else {
		t.Status = status.Root(&r.Task, now)
	}
	if err != nil {
		t.Problem = s.damaged(ctx, r.Task.ID, err)
	}
	return t
}

// updated tells when a task last changed, of rows that were read with that. Of one that was archived the end is known, and of one to which
// nothing has happened when it was made.
func updated(r *store.StatusRows) time.Time {
	at := r.Task.Created
	for _, later := range []time.Time{r.Task.Root.Finished, r.Updated} {
		if later.After(at) {
			at = later
		}
	}
	return at
}

func (s *Service) damaged(ctx context.Context, id stdops.TaskID, err error) *stdops.Error {
	s.log.ErrorContext(ctx, "the record of a task is damaged", "task", id, "error", err)
	return &stdops.Error{Code: stdops.CodeEngine, Message: fmt.Sprintf("the record of task %d can not be read", id), Err: err}
}
