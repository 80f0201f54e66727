package v1

import (
	"cmp"
	"context"
	"slices"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/client"
	"github.com/stdops/stdops/internal/service"
	"github.com/stdops/stdops/internal/status"
)

func (s *server) wireTask(t *service.TaskStatus) client.Task { return wireTask(s.svc, t) }

func wireTask(svc *service.Service, t *service.TaskStatus) client.Task {
	w := client.Task{
		ID: int64(t.Task.ID), Name: t.Task.Name, Project: int64(t.Task.Project), State: t.Status.State.String(),
		Flow: int64(t.Task.Template), FlowType: string(t.Task.FlowType), Creator: t.Task.Creator, Executor: t.Task.Executor,
		App: t.Task.App, Created: t.Task.Created, Started: t.Status.Started, Finished: t.Status.Finished,
		Updated: t.Updated, Elapsed: t.Status.Elapsed, Deleted: t.Task.Deleted, Parent: int64(t.Task.Parent.Task), URL: svc.TaskURL(t.Task.Project, t.Task.ID),
	}
	if t.Problem != nil {
		w.Problem = t.Problem.Message
	}
	if u := t.Usual; u != nil {
		w.Usual = &client.Usual{Runs: u.Runs, Median: seconds(u.Median), P95: seconds(u.P95)}
	}
	if t.Run != nil {
		w.Run = wireRun(&t.Task, t.Run)
	}
	return w
}

func wireNode(task stdops.TaskID, n *status.Status) client.Node {
	return client.Node{
		Index: int(n.Node), ID: stdops.NodeID(task, n.Node), Parent: stdops.NodeID(task, n.Parent), Name: n.Name, State: n.State.String(),
		Loop: n.Loop, Retry: n.Retry, Skipped: n.Skip, ErrorIgnored: n.ErrorIgnored, Version: string(n.Version),
		Started: n.Started, Called: n.Called, Finished: n.Finished, Elapsed: n.Elapsed,
	}
}

// wireNodes gives nodes that were reached, each with those inside of it.
func wireNodes(task stdops.TaskID, nodes []status.Status) []client.Node {
	list := make([]client.Node, len(nodes))
	for i := range nodes {
		list[i] = wireNode(task, &nodes[i])
		if len(nodes[i].Children) > 0 {
			list[i].Nodes = wireNodes(task, nodes[i].Children)
		}
	}
	return list
}

func (s *server) getNodes(ctx context.Context, a *service.Access, in *TaskPath) (*body[client.NodeList], error) {
	sheet, err := s.svc.Sheet(ctx, a, stdops.TaskID(in.ID))
	if err != nil {
		return nil, err
	}
	if sheet.Task.Deleted {
		return nil, noTask(in.ID)
	}
	list := client.NodeList{Task: s.wireTask(&sheet.TaskStatus), Nodes: []client.Node{}}
	if sheet.Skeleton != nil {
		list.Nodes = newOutline(sheet).level(stdops.RootNode)
	}
	return answer(list), nil
}

// outline lays out all nodes of a task, the ones that were not reached included.
type outline struct {
	sheet   *service.Sheet
	reached []*status.Status     // by node, nil for one that was not
	inside  [][]stdops.NodeIndex // by pipeline
}

func newOutline(sheet *service.Sheet) *outline {
	size := len(sheet.Skeleton.Nodes)
	o := &outline{sheet: sheet, reached: make([]*status.Status, size), inside: make([][]stdops.NodeIndex, size)}
	o.mark(sheet.Status.Children)
	for i := 1; i < size; i++ {
		parent := sheet.Skeleton.Nodes[i].Parent
		o.inside[parent] = append(o.inside[parent], stdops.NodeIndex(i))
	}
	for i := range o.inside {
		slices.SortStableFunc(o.inside[i], o.compare)
	}
	return o
}

func (o *outline) mark(nodes []status.Status) {
	for i := range nodes {
		o.reached[nodes[i].Node] = &nodes[i]
		o.mark(nodes[i].Children)
	}
}

// compare puts the nodes that were reached first, in the order of first execution, then the others as the flows lead.
func (o *outline) compare(a, b stdops.NodeIndex) int {
	return cmp.Or(cmp.Compare(o.order(a), o.order(b)), cmp.Compare(o.rank(a), o.rank(b)))
}

const unreached = 1 << 30

func (o *outline) order(n stdops.NodeIndex) int32 {
	if own := o.sheet.Nodes[n]; own != nil && o.reached[n] != nil {
		return own.Order
	}
	return unreached
}

func (o *outline) rank(n stdops.NodeIndex) int32 {
	if o.sheet.Rank == nil {
		return 0
	}
	return o.sheet.Rank[n]
}

// appointed is the phase of a node that was not reached and will be paused when it is.
const appointed = "appointed"

func (o *outline) level(of stdops.NodeIndex) []client.Node {
	task, list := o.sheet.Task.ID, make([]client.Node, 0, len(o.inside[of]))
	for _, n := range o.inside[of] {
		place := &o.sheet.Skeleton.Nodes[n]
		w := client.Node{
			ID: stdops.NodeID(task, n), Parent: stdops.NodeID(task, of), Name: place.Name, State: client.Created,
		}
		own := o.sheet.Nodes[n]
		switch {
		case o.reached[n] != nil:
			w = wireNode(task, o.reached[n])
			if own != nil && own.State == stdops.StateRunning {
				w.Phase = own.Phase.String()
			}
		case own != nil && own.State == stdops.StateSuspended:
			w.Phase = appointed
		}
		w.Kind, w.Plugin, w.Error = place.Kind.String(), place.Plugin, o.sheet.Failures[n]
		if len(o.inside[n]) > 0 {
			w.Nodes = o.level(n)
		}
		list = append(list, w)
	}
	return list
}
