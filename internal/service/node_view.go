package service

import (
	"context"
	"fmt"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/engine"
	"github.com/stdops/stdops/internal/status"
	"github.com/stdops/stdops/internal/store"
)

// NodeQuery asks about a node of a task.
type NodeQuery struct {
	Node      string // wire id
	Component string // code of the plugin, to list the outputs that it declares; "" for none
	Own       bool   // Component is that of the node, whatever it is
	Timing    bool   // tell when its attempts came how far, and who drives the task
	Loop      int32  // 0 for the current one; one that has not happened means the current one too
}

// NodeView is a node of a task: how it stands, what it was given and gave, and its earlier attempts.
type NodeView struct {
	Task      stdops.Task
	Kind      stdops.NodeKind
	Plugin    string // of an activity
	Branches  []Branch
	Phase     stdops.Phase // of a RUNNING node
	Appointed bool         // it was not reached, and a pause waits for it
	Reached   bool
	Status    status.Status
	Actions   []string    // for the node, as [Service.OperateNode] takes them
	Why       *status.Why // nil where it waits for nothing of its own, and of an earlier loop
	Timing    NodeTiming
	Driver    Driver         // of the task
	Templates *stdops.Object // of an activity: its inputs before they are rendered
	Release   string         // version of its plugin
	HistoryID int64          // of the attempt that is shown, -1 for the current one
	NodeData
	Histories []NodeHistory // earlier attempts of the loop that is shown, oldest first
	AutoRetry *AutoRetry    // nil when the node never retries itself
}

// Branch is a flow out of an exclusive or conditional parallel gateway.
type Branch struct {
	Flow      stdops.FlowIndex
	To        stdops.NodeIndex
	Name      string // of the node that it leads to
	Condition string
	Default   bool
}

// NodeHistory is an earlier attempt.
type NodeHistory struct {
	ID      int64
	Status  status.Status
	Timing  NodeTiming
	Inputs  *stdops.Object
	Outputs *stdops.Object
	ExData  any
}

// AutoRetry is how often a node has retried itself and may.
type AutoRetry struct {
	Node       stdops.NodeIndex
	Times, Max int
}

// Node tells about a node of a task; deleted tasks can still be looked at.
func (s *Service) Node(ctx context.Context, a *Access, id stdops.TaskID, q NodeQuery) (*NodeView, error) {
	at, err := s.nodeToSee(ctx, a, id, q.Node)
	if err != nil {
		return nil, err
	}
	detail, err := s.store.NodeDetail(ctx, a.ref(id), at.index)
	if err != nil {
		return nil, err
	}
	// After the data: what became secret, or was one before, since they were read is among them.
	if at.hide, err = s.secrets(ctx, a.ref(id), at.graph); err != nil {
		return nil, err
	}
	at.task = detail.Task
	if act := at.node.Activity; q.Own && act != nil {
		q.Component = act.Code
	}
	var view *NodeView
	own := detail.State
	if own == nil || own.Order == 0 {
		view, err = s.unreached(ctx, a, at, q)
	} else {
		view, err = s.reached(ctx, a, at, detail, q)
	}
	if err != nil {
		return nil, err
	}
	view.Kind, view.Branches, view.Actions = at.node.Kind, at.branches(), s.nodeActions(a, at, detail)
	if err := s.explain(view, at, detail); err != nil {
		return nil, err
	}
	if q.Timing {
		if err := s.timing(ctx, a.ref(id), at, detail, view); err != nil {
			return nil, err
		}
	}
	if at.node.Activity != nil {
		view.Plugin = at.node.Activity.Code
	}
	if own != nil {
		view.Appointed = own.Order == 0 && own.State == stdops.StateSuspended
		if view.HistoryID < 0 && own.State == stdops.StateRunning {
			view.Phase = own.Phase
		}
	}
	return view, nil
}

// explain tells what the node waits for, and what it is given before that is rendered.
func (s *Service) explain(view *NodeView, at *place, d *store.NodeDetail) error {
	place := stdops.SkeletonNode{Kind: at.node.Kind}
	if act := at.node.Activity; act != nil {
		given, err := decodeObject(d.Data.Template)
		if err != nil {
			return fmt.Errorf("inputs given to node %d of task %d: %w", at.index, at.task.ID, err)
		}
		view.Templates, view.Release = at.hide.Object(engine.Templates(act, given)), act.Version
		place.Plugin = act.Code
	}
	if d.State == nil || view.HistoryID >= 0 {
		return nil
	}
	if why, ok := status.NodeWhy(&at.task, &place, d.State, s.nature(place.Plugin)); ok {
		view.Why = &why
	}
	return nil
}

// branches lists the flows that a gateway chooses from.
func (at *place) branches() []Branch {
	if at.node.Kind != stdops.KindExclusive && at.node.Kind != stdops.KindConditionalParallel {
		return nil
	}
	conditions := make(map[stdops.FlowIndex]string, len(at.node.Branches))
	for _, b := range at.node.Branches {
		conditions[b.Flow] = b.Evaluate
	}
	list := make([]Branch, len(at.node.Out))
	for i, e := range at.node.Out {
		list[i] = Branch{
			Flow: e.Flow, To: e.Target, Name: at.graph.Nodes[e.Target].Name, Condition: conditions[e.Flow],
			Default: at.node.Default != nil && at.node.Default.Flow == e.Flow,
		}
	}
	return list
}

// unreached tells about a node that has not run: what it would be given now.
func (s *Service) unreached(ctx context.Context, a *Access, at *place, q NodeQuery) (*NodeView, error) {
	view := &NodeView{Task: at.task, HistoryID: -1, AutoRetry: at.autoRetry(nil)}
	view.Status = status.Unreached(at.index, at.node.Parent, at.node.Name)
	view.Status.State = stdops.StateReady
	inputs := &stdops.Object{}
	if at.node.Kind == stdops.KindActivity || at.node.Kind == stdops.KindSubprocess {
		preview, err := s.engine.Preview(ctx, a.ref(at.task.ID), at.index)
		if err != nil && !isRefusal(err) {
			return nil, fmt.Errorf("preview of node %d of task %d: %w", at.index, at.task.ID, err)
		}
		if err == nil {
			inputs = preview
		}
		view.Outputs = at.outputs(s.declared(at, q.Component), nil)
	}
	view.Inputs, view.ExData = at.plainInputs(at.hide.Object(inputs)), ""
	return view, nil
}

// reached tells about a node that has run, in the loop that is asked for.
func (s *Service) reached(ctx context.Context, a *Access, at *place, d *store.NodeDetail, q NodeQuery) (*NodeView, error) {
	now := s.store.Now()
	state, data, histories := *d.State, d.Data, ofLoop(d.Attempts, d.State.Loop)
	view := &NodeView{Task: at.task, Reached: true, HistoryID: -1, AutoRetry: at.autoRetry(d.State)}
	past := q.Loop != 0 && q.Loop < d.State.Loop
	if past {
		of := ofLoop(d.Attempts, q.Loop)
		if len(of) == 0 {
			return nil, stdops.Errorf(stdops.CodeInvalid, "node[%s] has no record of loop %d", q.Node, q.Loop)
		}
		last := of[len(of)-1]
		state, data, histories = last.State, last.Data, of[:len(of)-1]
		state.State, view.HistoryID = stdops.StateFinished, last.ID
	}
	view.Status = status.Of(&at.task, &state, at.node.Parent, at.node.Name, now)
	if !past {
		if err := s.shown(ctx, a, at, view); err != nil {
			return nil, err
		}
	}
	var err error
	if view.NodeData, err = s.nodeData(at, data, q.Component); err != nil {
		return nil, err
	}
	for _, h := range histories {
		history, err := at.history(h)
		if err != nil {
			return nil, err
		}
		view.Histories = append(view.Histories, history)
	}
	return view, nil
}

// shown completes the status of a subprocess node by what is inside of it.
func (s *Service) shown(ctx context.Context, a *Access, at *place, view *NodeView) error {
	if at.node.Kind != stdops.KindSubprocess {
		return nil
	}
	rows, err := s.store.Statuses(ctx, a.project.ID, store.StatusQuery{IDs: []stdops.TaskID{at.task.ID}, Children: true})
	if err != nil || len(rows.Tasks) == 0 {
		return err
	}
	whole := s.project(ctx, &rows.Tasks[0], rows.Now, true)
	if found := whole.Status.Find(at.index); found != nil {
		view.Status = *found
	}
	return nil
}

func ofLoop(attempts []stdops.Attempt, loop int32) []stdops.Attempt {
	var of []stdops.Attempt
	for _, a := range attempts {
		if a.State.Loop == loop {
			of = append(of, a)
		}
	}
	return of
}

// history shows an archived attempt; its state is FAILED whatever it was, as in bk-sops (docs/spec/engine.md 3.6).
func (at *place) history(h stdops.Attempt) (NodeHistory, error) {
	state := h.State
	state.State = stdops.StateFailed
	inputs, outputs, err := decodeData(h.Data)
	if err != nil {
		return NodeHistory{}, fmt.Errorf("attempt %d of node %d of task %d: %w", h.ID, at.index, at.task.ID, err)
	}
	inputs, outputs = at.hide.Object(inputs), at.hide.Object(outputs)
	if state.Finished.IsZero() {
		state.Finished = h.Archived
	}
	return NodeHistory{
		ID: h.ID, Status: status.Of(&at.task, &state, at.node.Parent, at.node.Name, h.Archived),
		Inputs: at.plainInputs(inputs), Outputs: outputs, ExData: exData(outputs),
	}, nil
}
