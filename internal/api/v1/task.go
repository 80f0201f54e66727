package v1

import (
	"context"
	"net/http"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/client"
	"github.com/stdops/stdops/internal/service"
)

const (
	longestBatch = 1000 // ids in one question
	longestPage  = 200  // tasks in one page
)

// tasks adds what can be done with tasks.
func (s *server) tasks() {
	const path = "/projects/{project}/tasks"
	addIn(s, route{method: http.MethodGet, path: path, id: "list-tasks", about: "Tasks, newest first", needs: needs(service.TaskView)}, s.listTasks)
	addIn(s, route{method: http.MethodGet, path: path + ":count", id: "count-tasks", about: "How many tasks show each state", needs: needs(service.TaskView)}, s.countTasks)
	addOnce(s, route{
		method: http.MethodPost, path: path, id: "create-task", about: "Make a task of a tree or of a stored flow",
		needs: needs(service.FlowCreateTask), body: s.svc.Limits().Body, status: created,
	}, s.createTask, s.taskAgain)
	addIn(s, route{method: http.MethodGet, path: path + "/{id}", id: "get-task", about: "How one task stands", needs: needs(service.TaskView)}, s.getTask)
	addOnce(s, route{method: http.MethodPatch, path: path + "/{id}", id: "change-task", about: "Give constants of a task other values", needs: needs(service.TaskEdit)}, s.changeTask, s.changedAgain)
	addIn(s, route{
		method: http.MethodDelete, path: path + "/{id}", id: "delete-task", about: "Hide a task that was not started or has ended",
		needs: needs(service.TaskDelete), status: http.StatusNoContent,
	}, s.deleteTask)
	addIn(s, route{method: http.MethodGet, path: path + "/{id}/constants", id: "get-task-constants", about: "Which values the constants of a task have", needs: needs(service.TaskView)}, s.constants)
	addIn(s, route{method: http.MethodGet, path: path + "/{id}/nodes", id: "get-task-nodes", about: "How all nodes of a task stand", needs: needs(service.TaskView)}, s.getNodes)
	addIn(s, route{method: http.MethodGet, path: path + "/{id}/nodes/{node}", id: "get-node", about: "What a node was given and gave, and its earlier attempts", needs: needs(service.TaskView)}, s.getNode)
	addIn(s, route{method: http.MethodGet, path: path + "/{id}/graph", id: "get-task-graph", about: "Of which nodes and flows a task is made", needs: needs(service.TaskView)}, s.graph)
	addIn(s, route{method: http.MethodGet, path: path + "/{id}/states", id: "get-task-states", about: "How a task and its nodes stand, in few words", needs: needs(service.TaskView)}, s.states)
	addIn(s, route{method: http.MethodGet, path: path + "/{id}/durations", id: "get-task-durations", about: "How long the latest tasks of the same flow and tree took", needs: needs(service.TaskView)}, s.durations)
	addIn(s, route{method: http.MethodGet, path: path + "/{id}/events", id: "get-task-events", about: "What has happened to a task, and who did it", needs: needs(service.TaskView)}, s.events)
	addOnce(s, route{method: http.MethodPost, path: path + "/{id}/commands", id: "command-task", about: "Do something to a task or to one of its nodes", needs: needs(service.TaskOperate)}, s.command, s.commandAgain)
	addIn(s, route{method: http.MethodPost, path: path + ":command", id: "command-tasks", about: "Do the same to many tasks or nodes", needs: needs(service.TaskOperate)}, s.commandAll)
	addIn(s, route{method: http.MethodPost, path: path + ":status", id: "get-task-statuses", about: "How many tasks stand", needs: needs(service.TaskView)}, s.statuses)
}

// TaskPath is the path of a route about one task.
type TaskPath struct {
	ProjectPath
	ID int64 `path:"id" minimum:"1"`
}

// RunParam asks for runs. It is exported because the framework fills no other fields.
type RunParam struct {
	Run bool `query:"run" json:"-" doc:"With the run: whether anything goes on, what it waits for, and what can be done"`
}

type getTaskInput struct {
	TaskPath
	RunParam
}

func (s *server) getTask(ctx context.Context, a *service.Access, in *getTaskInput) (*body[client.Task], error) {
	found, err := s.oneTask(ctx, a, stdops.TaskID(in.ID), in.Run)
	if err == nil && found.Body.Deleted {
		return nil, noTask(in.ID)
	}
	return found, err
}

func noTask(id int64) error { return stdops.Errorf(stdops.CodeNotFound, "task %d does not exist", id) }

// oneTask tells how a task stands, also one that is deleted.
func (s *server) oneTask(ctx context.Context, a *service.Access, id stdops.TaskID, run bool) (*body[client.Task], error) {
	batch, err := s.svc.TaskStatuses(ctx, a, service.StatusQuery{IDs: []stdops.TaskID{id}, Run: run, Updated: true})
	if err != nil {
		return nil, err
	}
	if len(batch.Tasks) == 0 {
		return nil, noTask(int64(id))
	}
	task := s.wireTask(&batch.Tasks[0])
	if err := s.addChildren(ctx, a, &task); err != nil {
		return nil, err
	}
	return answer(task), nil
}

func (s *server) addChildren(ctx context.Context, a *service.Access, task *client.Task) error {
	children, err := s.svc.Children(ctx, a, stdops.TaskID(task.ID))
	for _, child := range children {
		task.Children = append(task.Children, int64(child))
	}
	return err
}

type statusesInput struct {
	ProjectPath
	Body client.StatusRequest
}

func (s *server) statuses(ctx context.Context, a *service.Access, in *statusesInput) (*body[client.StatusList], error) {
	ids := make([]stdops.TaskID, len(in.Body.IDs))
	for i, id := range in.Body.IDs {
		ids[i] = stdops.TaskID(id)
	}
	batch, err := s.svc.TaskStatuses(ctx, a, service.StatusQuery{IDs: ids, Children: in.Body.Nodes, Run: in.Body.Run, Updated: in.Body.Run})
	if err != nil {
		return nil, err
	}
	list := client.StatusList{Tasks: make([]client.Task, len(batch.Tasks)), Missing: []int64{}, Now: batch.Now}
	had := make(map[int64]bool, len(batch.Tasks))
	for i := range batch.Tasks {
		t := &batch.Tasks[i]
		had[int64(t.Task.ID)] = true
		list.Tasks[i] = s.wireTask(t)
		if in.Body.Nodes {
			list.Tasks[i].Nodes = wireNodes(t.Task.ID, t.Status.Children)
		}
	}
	for _, id := range in.Body.IDs {
		if !had[id] {
			had[id] = true // an id that was asked for twice is missing once
			list.Missing = append(list.Missing, id)
		}
	}
	return answer(list), nil
}
