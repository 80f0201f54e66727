package v1

import (
	"context"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/client"
	"github.com/stdops/stdops/internal/service"
)

// longestFailure is how many characters of the text of a failure stand beside the state of a node.
const longestFailure = 300

func (s *server) states(ctx context.Context, a *service.Access, in *TaskPath) (*body[client.NodeStates], error) {
	found, err := s.svc.NodeStates(ctx, a, stdops.TaskID(in.ID))
	if err != nil {
		return nil, err
	}
	states := client.NodeStates{Task: s.wireTask(&found.TaskStatus), Now: found.Now, Nodes: make([]client.NodeState, len(found.Nodes))}
	for i := range found.Nodes {
		states.Nodes[i] = wireState(found.Task.ID, &found.Nodes[i])
	}
	if err := s.addChildren(ctx, a, &states.Task); err != nil {
		return nil, err
	}
	return answer(states), nil
}

func wireState(task stdops.TaskID, n *service.NodeStanding) client.NodeState {
	w := client.NodeState{
		Index: int(n.Node), ID: stdops.NodeID(task, n.Node), State: n.State.String(), Phase: n.Phase.String(), Loop: n.Loop, Retry: n.Retry,
		Skipped: n.Skip, ErrorIgnored: n.ErrorIgnored, Version: string(n.Version), Started: n.Started, Called: n.Called, Finished: n.Finished, Due: n.Due,
		Error: beginning(n.Failure, longestFailure),
	}
	if n.Appointed {
		w.Phase = appointed
	}
	return w
}

// beginning gives the first characters of a text.
func beginning(text string, most int) string {
	for i := range text {
		if most == 0 {
			return text[:i]
		}
		most--
	}
	return text
}
