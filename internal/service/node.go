package service

import (
	"context"
	"fmt"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/engine"
	"github.com/stdops/stdops/internal/flow"
)

// ErrNotInTask is wrapped by the refusal of a node that the task does not have. A node of another task is one of those.
var ErrNotInTask = fmt.Errorf("the node is not in the task")

// place is a task with one of its nodes.
type place struct {
	task  stdops.Task
	graph *flow.Graph
	index stdops.NodeIndex
	node  *flow.Node
	hide  stdops.Secrets
}

// locate finds a node of a task by its wire id. The root is no node that can be asked about.
func (s *Service) locate(ctx context.Context, task stdops.Task, id string) (*place, error) {
	graph, err := s.Graph(ctx, task.TreeHash)
	if err != nil {
		return nil, fmt.Errorf("tree of task %d: %w", task.ID, err)
	}
	owner, index, ok := stdops.ParseNodeID(id)
	if !ok || owner != task.ID || index <= stdops.RootNode || int(index) >= len(graph.Nodes) {
		return nil, &stdops.Error{
			Code: stdops.CodeInvalid, Err: ErrNotInTask,
			Message: fmt.Sprintf("task[%d] does not have node[%.64s]", task.ID, id),
		}
	}
	return &place{task: task, graph: graph, index: index, node: &graph.Nodes[index]}, nil
}

// nodeToSee finds a node of a task that the caller may see; deleted tasks can still be looked at.
func (s *Service) nodeToSee(ctx context.Context, a *Access, id stdops.TaskID, node string) (*place, error) {
	task, err := s.store.Task(ctx, a.ref(id))
	if err != nil {
		return nil, err
	}
	if err := a.Require(TaskView); err != nil {
		return nil, err
	}
	return s.locate(ctx, task, node)
}

// nodeToOperate finds a node of a task that the caller may operate.
func (s *Service) nodeToOperate(ctx context.Context, a *Access, id stdops.TaskID, node string) (*place, error) {
	task, err := s.operable(ctx, a, id)
	if err != nil {
		return nil, err
	}
	return s.locate(ctx, task, node)
}

// NodeCommand is an action on a node.
type NodeCommand struct {
	Node   string // wire id
	Action string
	Inputs *stdops.Object // of retry
	Data   *stdops.Object // of callback
	Flow   string         // of skip_exg: wire id of the flow to take

	// Flows and Converge are of skip_cpg: wire ids of the flows to take, and of the gateway where their branches meet. That
	// can only be the one that belongs to the node; "" means it.
	Flows    []string
	Converge string
}

// nodeCommands are the actions on a node that are commands of the engine.
var nodeCommands = map[string]engine.Kind{
	"callback": engine.CallBack, "retry": engine.Retry, "skip": engine.Skip, "skip_exg": engine.SkipBranch,
	"skip_cpg": engine.SkipBranches,
	"pause":    engine.NodePause, "resume": engine.NodeResume, "pause_subproc": engine.SubPause, "resume_subproc": engine.SubResume,
	"forced_fail": engine.ForceFail, retrySubprocess: engine.Retry,
}

// OperateNode carries out an action on a node and returns after its commit (docs/spec/engine.md 4.4).
func (s *Service) OperateNode(ctx context.Context, a *Access, id stdops.TaskID, n NodeCommand) error {
	at, err := s.nodeToOperate(ctx, a, id, n.Node)
	if err != nil {
		return err
	}
	cmd, err := at.command(n)
	if err != nil {
		return err
	}
	return s.engine.Do(ctx, a.ref(id), a.command(cmd))
}

func (at *place) command(n NodeCommand) (engine.Command, error) {
	kind, ok := nodeCommands[n.Action]
	cmd := engine.Command{Kind: kind, Node: at.index}
	switch {
	case !ok:
		return cmd, stdops.Errorf(stdops.CodeRefused, "task command is invalid")
	case n.Action == "retry" && at.node.Kind == stdops.KindSubprocess:
		return cmd, engineRefusal("can not retry node(%s) of type SubProcess, use retry_subprocess", n.Node)
	case n.Action == retrySubprocess && at.node.Kind != stdops.KindSubprocess:
		return cmd, engineRefusal("node(%s) type is not SubProcess", n.Node)
	}
	switch kind {
	case engine.Retry:
		cmd.Inputs = n.Inputs
	case engine.CallBack:
		cmd.Data = callbackData(n.Data)
	case engine.SkipBranch:
		err := at.take(&cmd, stdops.KindExclusive, []string{n.Flow})
		return cmd, err
	case engine.SkipBranches:
		if c := at.node.Converge; n.Converge != "" && at.node.Kind == stdops.KindConditionalParallel && n.Converge != stdops.NodeID(at.task.ID, c) {
			return cmd, engineRefusal("%.64s is not the converge gateway of %s", n.Converge, n.Node)
		}
		err := at.take(&cmd, stdops.KindConditionalParallel, n.Flows)
		return cmd, err
	default:
	}
	return cmd, nil
}

// take gives a command the flows that it names. That a node of another kind has no branches to choose from is for the
// engine to say.
func (at *place) take(cmd *engine.Command, kind stdops.NodeKind, ids []string) error {
	if at.node.Kind != kind {
		return nil
	}
	for _, id := range ids {
		owner, index, ok := stdops.ParseFlowID(id)
		if !ok || owner != at.task.ID {
			return engineRefusal("%.64s is no flow of %s", id, stdops.NodeID(at.task.ID, at.index))
		}
		cmd.Flows = append(cmd.Flows, index)
	}
	return nil
}

// callbackData gives the data of a callback by operate_node, which is an object even when nothing was sent.
func callbackData(o *stdops.Object) any {
	if o == nil {
		return &stdops.Object{}
	}
	return o
}

func engineRefusal(format string, args ...any) error {
	return stdops.Errorf(stdops.CodeEngine, format, args...)
}

// Callback hands data to a node that waits for it, or will; version "" means its current attempt.
type Callback struct {
	Node    string // wire id
	Version stdops.Version
	Data    any
}

// CallBack accepts a callback: when it returns, the data is stored, though not yet handled.
func (s *Service) CallBack(ctx context.Context, a *Access, id stdops.TaskID, c Callback) error {
	at, err := s.nodeToOperate(ctx, a, id, c.Node)
	if err != nil {
		return err
	}
	return s.engine.Do(ctx, a.ref(id), a.command(engine.Command{
		Kind: engine.CallBack, Node: at.index, Data: c.Data, Version: c.Version,
	}))
}
