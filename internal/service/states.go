package service

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/status"
	"github.com/stdops/stdops/internal/store"
)

// NodeStates is how a task and its nodes stand at one moment.
type NodeStates struct {
	TaskStatus // with its run
	Now        time.Time
	Nodes      []NodeStanding // by index: the nodes that were reached, and those that a pause waits for
}

// NodeStanding is how one node stands.
type NodeStanding struct {
	status.Status
	Phase     stdops.Phase
	Appointed bool // it was not reached, and a pause waits for it
	Due       time.Time
	Failure   string
}

// NodeStates tells how a task and its nodes stand, all in one reading but for the texts of failures. That these cannot be
// read is a problem of the task.
func (s *Service) NodeStates(ctx context.Context, a *Access, id stdops.TaskID) (*NodeStates, error) {
	if err := a.Require(TaskView); err != nil {
		return nil, err
	}
	batch, err := s.store.Statuses(ctx, a.project.ID, store.StatusQuery{IDs: []stdops.TaskID{id}, Children: true, Run: true, Updated: true})
	if err != nil {
		return nil, err
	}
	if len(batch.Tasks) == 0 || batch.Tasks[0].Task.Deleted {
		return nil, stdops.Errorf(stdops.CodeNotFound, "task %d does not exist", id)
	}
	rows := &batch.Tasks[0]
	states := &NodeStates{TaskStatus: s.project(ctx, rows, batch.Now, true), Now: batch.Now}
	states.Updated = updated(rows)
	states.Run = s.run(a, rows, states.Problem == nil)
	if states.Problem != nil {
		return states, nil
	}
	failures, err := s.failures(ctx, &rows.Task, rows.Nodes)
	if err != nil && (ctx.Err() != nil || stdops.ErrorCode(err) == stdops.CodeUnavailable) {
		return nil, err
	}
	if err != nil {
		states.Problem = s.damaged(ctx, id, err)
	}
	states.Nodes = standings(&states.Status, rows.Nodes, failures)
	return states, nil
}

// standings puts together what is derived of the nodes of a task and what is stored of them.
func standings(whole *status.Status, nodes []stdops.NodeState, failures map[stdops.NodeIndex]string) []NodeStanding {
	shown := make(map[stdops.NodeIndex]*status.Status, len(nodes))
	whole.Each(func(s *status.Status) { shown[s.Node] = s })
	list := make([]NodeStanding, 0, len(nodes))
	for i := range nodes {
		n := &nodes[i]
		switch found := shown[n.Node]; {
		case found != nil:
			own := NodeStanding{Status: *found, Due: n.Due, Failure: failures[n.Node]}
			own.Children = nil
			if n.State == stdops.StateRunning {
				own.Phase = n.Phase
			}
			list = append(list, own)
		case n.State == stdops.StateSuspended:
			own := NodeStanding{Appointed: true}
			own.Node, own.State, own.Loop = n.Node, stdops.StateCreated, 1
			list = append(list, own)
		}
	}
	slices.SortFunc(list, func(a, b NodeStanding) int { return cmp.Compare(a.Node, b.Node) })
	return list
}
