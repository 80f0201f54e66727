package service

import (
	"context"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/flow"
	"github.com/stdops/stdops/internal/store"
)

// failuresOfSheet bounds how many error texts a sheet carries: they are for people, who read the first of them.
const failuresOfSheet = 200

// Sheet is all about one task that its page shows.
type Sheet struct {
	TaskStatus // with children

	// Skeleton is nil when the tree cannot be read; Problem says so then.
	Skeleton *stdops.Skeleton
	// Nodes are the stored states by node index, nil for nodes without one.
	Nodes []*stdops.NodeState
	// Rank orders the nodes of one pipeline as its flows lead through them, by node index. It is nil when the tree cannot
	// be read.
	Rank []int32
	// Failures holds the error texts of nodes that are FAILED or whose error was ignored.
	Failures map[stdops.NodeIndex]string

	Now  time.Time
	Zone *time.Location // of the server
}

// Sheet gives what the page of a task shows. A task that is deleted has one: answers still name its page.
func (s *Service) Sheet(ctx context.Context, a *Access, id stdops.TaskID) (*Sheet, error) {
	if err := a.Require(TaskView); err != nil {
		return nil, err
	}
	batch, err := s.store.Statuses(ctx, a.project.ID, store.StatusQuery{IDs: []stdops.TaskID{id}, Children: true})
	if err != nil {
		return nil, err
	}
	if len(batch.Tasks) == 0 {
		return nil, stdops.Errorf(stdops.CodeNotFound, "task %d does not exist", id)
	}
	rows := &batch.Tasks[0]
	sheet := &Sheet{TaskStatus: s.project(ctx, rows, batch.Now, true), Now: batch.Now, Zone: s.zone}
	if sheet.Problem != nil {
		return sheet, nil
	}
	sheet.Skeleton = rows.Skeleton
	sheet.Nodes = make([]*stdops.NodeState, len(rows.Skeleton.Nodes))
	for i := range rows.Nodes {
		n := &rows.Nodes[i]
		sheet.Nodes[n.Node] = n
	}
	if err := s.rankNodes(ctx, sheet); err != nil {
		return nil, err
	}
	sheet.Failures, err = s.failures(ctx, &sheet.Task, rows.Nodes)
	return sheet, err
}

// rankNodes orders the nodes by their flows. A tree that does not compile any more only costs the order.
func (s *Service) rankNodes(ctx context.Context, sheet *Sheet) error {
	graph, err := s.Graph(ctx, sheet.Task.TreeHash)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		s.log.WarnContext(ctx, "the tree of a task cannot be compiled", "task", sheet.Task.ID, "error", err)
		return nil
	}
	sheet.Rank = flowOrder(graph)
	return nil
}

// failures reads the error texts, when there are any. Of a task whose secrets cannot be told none is shown.
func (s *Service) failures(ctx context.Context, task *stdops.Task, nodes []stdops.NodeState) (map[stdops.NodeIndex]string, error) {
	failed := false
	for i := range nodes {
		failed = failed || nodes[i].State == stdops.StateFailed || nodes[i].ErrorIgnored
	}
	if !failed {
		return nil, nil
	}
	ref := stdops.TaskRef{Project: task.Project, Task: task.ID}
	data, err := s.store.Failures(ctx, ref, failuresOfSheet)
	if stdops.ErrorCode(err) == stdops.CodeGone {
		return noTexts(nodes, err.Error()), nil
	}
	if err != nil {
		return nil, err
	}
	graph, err := s.Graph(ctx, task.TreeHash)
	if err != nil {
		return nil, ctx.Err()
	}
	hide, err := s.secrets(ctx, ref, graph)
	if err != nil {
		return nil, err
	}
	texts := make(map[stdops.NodeIndex]string, len(data))
	for _, d := range data {
		if text := exText(d.Outputs); text != "" {
			texts[d.Node] = hide.Text(text)
		}
	}
	return texts, nil
}

// noTexts says of each node that could have an error text why it has none any more.
func noTexts(nodes []stdops.NodeState, why string) map[stdops.NodeIndex]string {
	texts := map[stdops.NodeIndex]string{}
	for i := range nodes {
		if n := &nodes[i]; len(texts) < failuresOfSheet && (n.State == stdops.StateFailed || n.ErrorIgnored) {
			texts[n.Node] = why
		}
	}
	return texts
}

// exText gives the error text among the outputs of a node. A plugin may put any value there.
func exText(outputs []byte) string {
	o, err := decodeObject(outputs)
	if err != nil {
		return ""
	}
	return stdops.ValueText(exData(o))
}

// flowOrder ranks the nodes of every pipeline as its flows lead through them: a node comes after all that lead to it
// (edges that lead back aside), and the branches of a gateway one after the other in their order. It is the reverse of
// the order in which a depth-first walk leaves the nodes.
func flowOrder(g *flow.Graph) []int32 {
	rank := make([]int32, len(g.Nodes))
	seen := make([]bool, len(g.Nodes))
	next := int32(len(g.Nodes))
	var visit func(stdops.NodeIndex)
	visit = func(n stdops.NodeIndex) {
		seen[n] = true
		out := g.Nodes[n].Out
		for i := len(out) - 1; i >= 0; i-- {
			if !seen[out[i].Target] {
				visit(out[i].Target)
			}
		}
		next--
		rank[n] = next
	}
	for i := range g.Nodes {
		if p := g.Nodes[i].Pipeline; p != nil && !seen[p.Start] {
			visit(p.Start)
		}
	}
	return rank
}
