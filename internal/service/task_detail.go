package service

import (
	"context"
	"fmt"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/flow"
	"github.com/stdops/stdops/internal/status"
)

// TaskDetail is a task with its tree and its outputs.
type TaskDetail struct {
	Task        stdops.Task
	ProjectName string
	URL         string
	Elapsed     int64
	Tree        *stdops.Object // as callers see it, with the values of the constants
	Constants   *stdops.Object
	Outputs     []TaskOutput // empty before the task has ended
	ExData      any          // "" when there is none
}

// TaskOutput is a declared output of a task.
type TaskOutput struct {
	Key   string // with ${ and }
	Name  string // of its constant, "" when the tree has none of that key
	Value any
}

// TaskDetail tells all about a task; deleted ones can still be looked at.
func (s *Service) TaskDetail(ctx context.Context, a *Access, id stdops.TaskID) (*TaskDetail, error) {
	task, err := s.store.Task(ctx, a.ref(id))
	if err != nil {
		return nil, err
	}
	if err := a.Require(TaskView); err != nil {
		return nil, err
	}
	root, err := s.store.Node(ctx, a.ref(id), stdops.RootNode)
	if err != nil {
		return nil, err
	}
	task.Root = root.Root
	tree, err := s.taskTree(ctx, a, &task)
	if err != nil {
		return nil, err
	}
	_, outputs, err := decodeData(root.Data)
	if err != nil {
		return nil, fmt.Errorf("outputs of task %d: %w", id, err)
	}
	graph, err := s.Graph(ctx, task.TreeHash)
	if err != nil {
		return nil, fmt.Errorf("tree of task %d: %w", id, err)
	}
	hide, err := s.secrets(ctx, a.ref(id), graph)
	if err != nil {
		return nil, err
	}
	outputs = hide.Object(outputs)
	echo := tree.Shown().Echo(flow.TaskIDs(id))
	constants, _ := echo.Get("constants")
	shown, _ := constants.(*stdops.Object)
	return &TaskDetail{
		Task: task, ProjectName: a.project.Name, URL: s.TaskURL(task.Project, task.ID),
		Elapsed: status.Elapsed(task.Root.Started, task.Root.Finished, s.store.Now()),
		Tree:    echo, Constants: shown, Outputs: taskOutputs(tree, outputs), ExData: exData(outputs),
	}, nil
}

// taskTree reads the tree of a task with the values of its constants.
func (s *Service) taskTree(ctx context.Context, a *Access, task *stdops.Task) (*flow.Tree, error) {
	tree, err := s.tree(ctx, task.TreeHash)
	if err != nil {
		return nil, fmt.Errorf("tree of task %d: %w", task.ID, err)
	}
	text, err := s.store.TaskInputs(ctx, a.ref(task.ID))
	if err != nil {
		return nil, err
	}
	values, err := decodeObject(text)
	if err != nil {
		return nil, fmt.Errorf("values of task %d: %w", task.ID, err)
	}
	return tree.WithValues(values), nil
}

// taskOutputs lists what the task has of its declared outputs, in their order.
func taskOutputs(tree *flow.Tree, outputs *stdops.Object) []TaskOutput {
	names := map[string]string{}
	for _, c := range tree.Constants() {
		names[c.Key] = c.Name
	}
	var list []TaskOutput
	for _, key := range tree.Outputs() {
		if value, ok := outputs.Get(key); ok {
			list = append(list, TaskOutput{Key: key, Name: names[key], Value: value})
		}
	}
	return list
}
