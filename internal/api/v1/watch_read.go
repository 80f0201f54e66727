package v1

import (
	"context"
	"encoding/json"
	"slices"

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

// Read implements [watch.Tasks]. A task of which the nodes are wanted is read together with them.
func (o onlooker) Read(ctx context.Context, q watch.Question) ([]watch.State, error) {
	a := o.svc.Onlooker(q.Project)
	batch, err := o.svc.TaskStatuses(ctx, a, service.StatusQuery{IDs: q.IDs, Run: true, Updated: true})
	if err != nil {
		return nil, err
	}
	list := make([]watch.State, len(batch.Tasks))
	for i := range batch.Tasks {
		t := &batch.Tasks[i]
		var nodes *service.NodeStates
		if slices.Contains(q.Nodes, t.Task.ID) && !t.Task.Deleted {
			if nodes, err = o.svc.NodeStates(ctx, a, t.Task.ID); err != nil && stdops.ErrorCode(err) != stdops.CodeNotFound {
				return nil, err
			}
		}
		if nodes != nil {
			t = &nodes.TaskStatus
		}
		if list[i], err = o.state(t, q.To); err != nil {
			return nil, err
		}
		if list[i].Nodes, err = encodeNodes(nodes); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func encodeNodes(states *service.NodeStates) ([]watch.Node, error) {
	if states == nil {
		return nil, nil
	}
	nodes := make([]watch.Node, len(states.Nodes))
	for i := range states.Nodes {
		text, err := json.Marshal(wireState(states.Task.ID, &states.Nodes[i]))
		if err != nil {
			return nil, err
		}
		nodes[i] = watch.Node{Index: states.Nodes[i].Node, Encoded: text}
	}
	return nodes, nil
}

// List implements [watch.Tasks].
func (o onlooker) List(ctx context.Context, project stdops.ProjectID, f watch.Filter, to []watch.Audience) (list watch.List, err error) {
	q := service.TaskQuery{
		TaskMatch: service.TaskMatch{Keyword: f.Keyword, Creator: f.Creator, Executor: f.Executor}, Limit: f.Limit, State: f.State, Run: true,
	}
	if f.Flow != 0 {
		q.Templates = []stdops.TemplateID{f.Flow}
	}
	found, err := o.svc.Tasks(ctx, o.svc.Onlooker(project), q)
	if err != nil {
		return list, err
	}
	list = watch.List{States: make([]watch.State, len(found.Tasks)), Cut: found.Cut}
	for i := range found.Tasks {
		if list.States[i], err = o.state(&found.Tasks[i], to); err != nil {
			return list, err
		}
	}
	return list, nil
}

// state encodes a task for all who are to be told of it.
func (o onlooker) state(t *service.TaskStatus, to []watch.Audience) (watch.State, error) {
	s := watch.State{Task: t.Task.ID, Revision: t.Task.Root.Revision, Gone: t.Task.Deleted, Encoded: make([][]byte, len(to))}
	if s.Gone {
		return s, nil
	}
	task := wireTask(o.svc, t)
	all := task.Run.Actions
	for i, a := range to {
		task.Run.Actions = actionsOf(a, all)
		text, err := json.Marshal(task)
		if err != nil {
			return s, err
		}
		s.Encoded[i] = text
	}
	return s, nil
}

// What callers may do, as far as that shows in how a task is told.
const (
	mayOperate watch.Audience = 1 << iota
	mayDelete
)

func audienceOf(a *service.Access) (to watch.Audience) {
	if a.Require(service.TaskOperate) == nil {
		to |= mayOperate
	}
	if a.Require(service.TaskDelete) == nil {
		to |= mayDelete
	}
	return to
}

// actionsOf leaves out what an audience may not do.
func actionsOf(to watch.Audience, all []string) []string {
	list := make([]string, 0, len(all))
	for _, action := range all {
		need := mayOperate
		if action == service.DeleteAction {
			need = mayDelete
		}
		if to&need != 0 {
			list = append(list, action)
		}
	}
	return list
}
