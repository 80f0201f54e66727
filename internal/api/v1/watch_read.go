package v1

import (
	"context"
	"encoding/json"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/service"
	"github.com/stdops/stdops/internal/watch"
)

// onlooker reads and encodes tasks for all who watch them.
type onlooker struct{ svc *service.Service }

// NewWatched tells a [watch.Hub] how tasks stand, as this API encodes them.
func NewWatched(svc *service.Service) watch.Tasks { return onlooker{svc} }

// Revisions implements [watch.Tasks].
func (o onlooker) Revisions(ctx context.Context, ids []stdops.TaskID) ([]stdops.TaskRevision, error) {
	return o.svc.TaskRevisions(ctx, ids)
}

// Read implements [watch.Tasks].
func (o onlooker) Read(ctx context.Context, project stdops.ProjectID, ids []stdops.TaskID, to []watch.Audience) ([]watch.State, error) {
	batch, err := o.svc.TaskStatuses(ctx, o.svc.Onlooker(project), service.StatusQuery{IDs: ids})
	if err != nil {
		return nil, err
	}
	return o.states(batch.Tasks, to)
}

// List implements [watch.Tasks].
func (o onlooker) List(ctx context.Context, project stdops.ProjectID, f watch.Filter, to []watch.Audience) ([]watch.State, error) {
	q := service.TaskQuery{
		TaskMatch: service.TaskMatch{Keyword: f.Keyword, Creator: f.Creator, Executor: f.Executor}, Limit: f.Limit, State: f.State,
	}
	if f.Flow != 0 {
		q.Templates = []stdops.TemplateID{f.Flow}
	}
	list, err := o.svc.Tasks(ctx, o.svc.Onlooker(project), q)
	if err != nil {
		return nil, err
	}
	return o.states(list.Tasks, to)
}

func (o onlooker) states(tasks []service.TaskStatus, to []watch.Audience) ([]watch.State, error) {
	list := make([]watch.State, len(tasks))
	for i := range tasks {
		t := &tasks[i]
		list[i] = watch.State{Task: t.Task.ID, Revision: t.Task.Root.Revision, Gone: t.Task.Deleted}
		for range to {
			text, err := json.Marshal(wireTask(o.svc, t))
			if err != nil {
				return nil, err
			}
			list[i].Encoded = append(list[i].Encoded, text)
		}
	}
	return list, nil
}
