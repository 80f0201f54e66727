package service

import (
	"context"
	"fmt"
	"strings"

	"github.com/stdops/stdops"
)

// namesakes is how many nodes of the same name a refusal lists.
const namesakes = 5

// NodeNamed gives the wire id of the node of a task that has a name, subprocess levels included. A wire id is given back
// as it is; whether the task has it is for those who use it. A name that several nodes have is refused with their ids.
func (s *Service) NodeNamed(ctx context.Context, a *Access, id stdops.TaskID, name string) (string, error) {
	task, err := s.task(ctx, a, id)
	if err != nil {
		return "", err
	}
	if err := a.Require(TaskView); err != nil {
		return "", err
	}
	if _, _, ok := stdops.ParseNodeID(name); ok {
		return name, nil
	}
	graph, err := s.Graph(ctx, task.TreeHash)
	if err != nil {
		return "", fmt.Errorf("tree of task %d: %w", id, err)
	}
	var found []string
	for i := 1; i < len(graph.Nodes); i++ {
		if graph.Nodes[i].Name == name {
			found = append(found, stdops.NodeID(id, stdops.NodeIndex(i)))
		}
	}
	switch len(found) {
	case 0:
		return "", &stdops.Error{
			Code: stdops.CodeNotFound, Err: ErrNotInTask, Message: fmt.Sprintf("task %d has no node %.128q", id, name),
		}
	case 1:
		return found[0], nil
	default:
		listed := strings.Join(found[:min(len(found), namesakes)], ", ")
		return "", stdops.Errorf(stdops.CodeInvalid, "%d nodes of task %d are called %.128q; name one by its id: %s", len(found), id, name, listed)
	}
}

// HasConstant reports whether the flow has a constant of that key, written with ${ and }.
func (u *Use) HasConstant(key string) bool {
	for _, c := range u.tree.Constants() {
		if c.Key == key {
			return true
		}
	}
	return false
}
