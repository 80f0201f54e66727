package service

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/flow"
	"github.com/stdops/stdops/internal/status"
	"github.com/stdops/stdops/internal/store"
)

// SingleStatus is how one task, or one node of it, stands with all that is inside.
type SingleStatus struct {
	Task   stdops.Task
	Status status.Status
	Absent string // the asked id of a node that has not run, or that there is not; "" otherwise

	// The rest is filled when it was asked for.
	ExData []NodeText   // of the failed nodes that hold no others
	Failed []FailedNode // subprocesses that show a failure included
}

// NodeText is a text about a node.
type NodeText struct {
	Node stdops.NodeIndex
	Text any // nil when the failure left none
}

// FailedNode is a node that shows FAILED, with its automatic retries when it has any.
type FailedNode struct {
	Node  stdops.NodeIndex
	Retry *AutoRetry
}

// SingleQuery asks about one task.
type SingleQuery struct {
	Node   string // wire id of the node that is meant, "" for the task as a whole
	ExData bool
	Failed bool
}

// TaskStatus tells how one task stands. Deleted tasks are not found here, other than in a batch.
func (s *Service) TaskStatus(ctx context.Context, a *Access, id stdops.TaskID, q SingleQuery) (*SingleStatus, error) {
	if _, err := s.task(ctx, a, id); err != nil {
		return nil, err
	}
	if err := a.Require(TaskView); err != nil {
		return nil, err
	}
	if q.ExData || q.Failed {
		return s.explainedStatus(ctx, a, id, q)
	}
	rows, err := s.store.Statuses(ctx, a.project.ID, store.StatusQuery{IDs: []stdops.TaskID{id}, Children: true})
	if err != nil {
		return nil, err
	}
	if len(rows.Tasks) == 0 {
		return nil, stdops.Errorf(stdops.CodeNotFound, "task %d does not exist", id)
	}
	whole := s.project(ctx, &rows.Tasks[0], rows.Now, true)
	if whole.Problem != nil {
		return nil, whole.Problem
	}
	return single(whole.Task, &whole.Status, q), nil
}

// single picks what was asked about; a node that has not run, or that there is not, stands as created.
func single(task stdops.Task, whole *status.Status, q SingleQuery) *SingleStatus {
	if q.Node == "" {
		return &SingleStatus{Task: task, Status: *whole}
	}
	answer := &SingleStatus{Task: task, Absent: q.Node}
	answer.Status = status.Unreached(stdops.RootNode, stdops.RootNode, task.Name)
	if owner, index, ok := stdops.ParseNodeID(q.Node); ok && owner == task.ID {
		if found := whole.Find(index); found != nil {
			answer.Status = *found
			answer.Status.Name, answer.Absent = task.Name, ""
		}
	}
	return answer
}

// explainedStatus tells, beside the status, what is known of failed nodes: all of one moment.
func (s *Service) explainedStatus(ctx context.Context, a *Access, id stdops.TaskID, q SingleQuery) (*SingleStatus, error) {
	snap, err := s.store.Load(ctx, a.ref(id))
	if stdops.ErrorCode(err) == stdops.CodeGone {
		return s.explainedArchive(ctx, a, id, q, err.Error())
	}
	if err != nil {
		return nil, err
	}
	graph, err := s.Graph(ctx, snap.Task.TreeHash)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(snap.Nodes, func(a, b stdops.NodeState) int { return cmp.Compare(a.Order, b.Order) })
	rows := store.StatusRows{Task: snap.Task, Nodes: snap.Nodes, Skeleton: graph.Skeleton()}
	whole := s.project(ctx, &rows, s.store.Now(), true)
	if whole.Problem != nil {
		return nil, whole.Problem
	}
	answer := single(snap.Task, &whole.Status, q)
	if q.ExData {
		answer.ExData = failedTexts(&answer.Status, snap, nil)
		inputs, err := decodeObject(snap.Inputs)
		if err != nil {
			return nil, fmt.Errorf("values of task %d: %w", snap.Task.ID, err)
		}
		hide := graph.SecretsOf(inputs)
		for i := range answer.ExData {
			answer.ExData[i].Text = hide.Value(answer.ExData[i].Text)
		}
	}
	if q.Failed {
		answer.Failed = failedNodes(&answer.Status, snap, graph, nil)
	}
	return answer, nil
}

// explainedArchive is explainedStatus for a task of which only the states are left: the texts say why there are none.
func (s *Service) explainedArchive(ctx context.Context, a *Access, id stdops.TaskID, q SingleQuery, why string) (*SingleStatus, error) {
	rows, err := s.store.Statuses(ctx, a.project.ID, store.StatusQuery{IDs: []stdops.TaskID{id}, Children: true})
	if err != nil {
		return nil, err
	}
	row := &rows.Tasks[0] // no row of a task ever goes
	whole := s.project(ctx, row, rows.Now, true)
	if whole.Problem != nil {
		return nil, whole.Problem
	}
	snap := &stdops.Snapshot{Task: row.Task, Nodes: row.Nodes}
	answer := single(snap.Task, &whole.Status, q)
	if q.ExData {
		answer.ExData = failedTexts(&answer.Status, snap, nil)
		for i := range answer.ExData {
			answer.ExData[i].Text = why
		}
	}
	if q.Failed {
		graph, err := s.Graph(ctx, snap.Task.TreeHash)
		if err != nil {
			return nil, err
		}
		answer.Failed = failedNodes(&answer.Status, snap, graph, nil)
	}
	return answer, nil
}

// failedTexts collects the texts of failed nodes; one that holds others is looked into and has none of its own.
func failedTexts(s *status.Status, snap *stdops.Snapshot, list []NodeText) []NodeText {
	if s.State != stdops.StateFailed {
		return list
	}
	for i := range s.Children {
		list = failedTexts(&s.Children[i], snap, list)
	}
	if len(s.Children) == 0 && s.Node != stdops.RootNode {
		list = append(list, NodeText{Node: s.Node, Text: failureText(snap, s.Node)})
	}
	return list
}

func failureText(snap *stdops.Snapshot, node stdops.NodeIndex) any {
	for i := range snap.Data {
		if snap.Data[i].Node != node {
			continue
		}
		outputs, err := decodeObject(snap.Data[i].Outputs)
		if err != nil {
			return "get ex_data fail: the record of the node can not be read"
		}
		text, _ := outputs.Get("ex_data")
		return text
	}
	return nil
}

// failedNodes collects the nodes below s that show FAILED; below any other node there is nothing to find.
func failedNodes(s *status.Status, snap *stdops.Snapshot, graph *flow.Graph, list []FailedNode) []FailedNode {
	for i := range s.Children {
		child := &s.Children[i]
		if child.State != stdops.StateFailed {
			continue
		}
		at := place{task: snap.Task, graph: graph, index: child.Node, node: &graph.Nodes[child.Node]}
		list = append(list, FailedNode{Node: child.Node, Retry: at.autoRetry(stateOf(snap, child.Node))})
		list = failedNodes(child, snap, graph, list)
	}
	return list
}

func stateOf(snap *stdops.Snapshot, node stdops.NodeIndex) *stdops.NodeState {
	for i := range snap.Nodes {
		if snap.Nodes[i].Node == node {
			return &snap.Nodes[i]
		}
	}
	return nil
}
