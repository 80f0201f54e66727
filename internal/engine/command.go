package engine

import (
	"fmt"
	"slices"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/flow"
)

// command carries out a command or says why not; a refused command changes nothing, and its key stays free
// (docs/spec/engine.md 4).
func (s *step) command(cmd Command) error {
	if cmd.Key == nil {
		return s.carryOut(cmd)
	}
	if slices.ContainsFunc(s.change.Keys, func(k stdops.RequestKey) bool { return k.Same(cmd.Key) }) {
		return stdops.ErrRepeated
	}
	err := s.carryOut(cmd)
	if err == nil {
		s.change.Keys = append(s.change.Keys, *cmd.Key)
	}
	return err
}

func (s *step) carryOut(cmd Command) error {
	s.reason = cmd.Reason
	defer func() { s.reason = "" }() // what follows from it the engine does
	if s.task.Deleted {
		return stdops.Errorf(stdops.CodeNotFound, "task %d does not exist", s.task.ID)
	}
	switch cmd.Kind {
	case Start:
		return s.start(cmd.Actor)
	case SetConstants:
		return s.setConstants(cmd)
	default:
	}
	if s.root().State == stdops.StateCreated {
		return stdops.Errorf(stdops.CodeRefused, "task not started")
	}
	switch cmd.Kind {
	case Pause:
		return s.transitRoot(stdops.StateSuspended, cmd.Actor)
	case Resume:
		return s.resume(cmd.Actor)
	case Revoke:
		return s.revoke(cmd.Actor)
	default:
		return s.nodeCommand(cmd)
	}
}

func (s *step) nodeCommand(cmd Command) error {
	if cmd.Node <= stdops.RootNode || int(cmd.Node) >= len(s.graph.Nodes) {
		return refusal("node(%s) does not exist", s.id(cmd.Node))
	}
	if cmd.Kind != CallBack && s.root().State.Ended() {
		return refusal("task is %s, its nodes can not be operated any more", s.root().State)
	}
	switch cmd.Kind {
	case CallBack:
		return s.acceptCallback(cmd)
	case NodePause:
		return s.nodePause(cmd)
	case NodeResume:
		return s.nodeResume(cmd)
	case Retry:
		return s.retryCommand(cmd)
	case Skip:
		return s.skipCommand(cmd)
	case SkipBranch:
		return s.skipBranch(cmd)
	case SkipBranches:
		return s.skipBranches(cmd)
	case SubPause:
		return s.subPause(cmd)
	case SubResume:
		return s.subResume(cmd)
	case ForceFail:
		return s.forceFailCommand(cmd)
	default:
		return stdops.Errorf(stdops.CodeRefused, "task command is invalid")
	}
}

func (s *step) start(actor string) error {
	if s.root().State != stdops.StateCreated {
		return stdops.Errorf(stdops.CodeRefused, "task already started")
	}
	if err := s.transitRoot(stdops.StateRunning, actor); err != nil {
		return err
	}
	s.root().Version, s.root().Started, s.change.Executor = s.version(), s.now, actor
	s.moves = append(s.moves, move{mainToken, s.graphNode(stdops.RootNode).Pipeline.Start})
	return nil
}

func (s *step) resume(actor string) error {
	if s.root().State != stdops.StateSuspended {
		return refusal("pipeline(%s) state is: %s", s.id(stdops.RootNode), s.root().State)
	}
	if err := s.transitRoot(stdops.StateRunning, actor); err != nil {
		return err
	}
	s.release(stdops.RootNode)
	return nil
}

// release lets go on what was stopped by a pause.
func (s *step) release(by stdops.NodeIndex) {
	s.eachFork(func(f stdops.Fork) {
		if f.Stopped && f.SuspendedBy == by {
			f.Stopped, f.SuspendedBy = false, 0
			s.setFork(f)
			s.moves = append(s.moves, move{f.Token, f.Next})
		}
	})
}

// revoke ends the task for good. Calls that are out and timers may still record their end; nothing else follows.
func (s *step) revoke(actor string) error {
	if err := s.transitRoot(stdops.StateRevoked, actor); err != nil {
		return err
	}
	for i := range s.graph.Nodes {
		n := stdops.NodeIndex(i)
		own := s.node(n)
		if own == nil {
			continue
		}
		s.stopCall(own)
		if own.Due.IsZero() && own.Deadline.IsZero() {
			continue
		}
		own = s.touch(n)
		own.Deadline = time.Time{}
		if callOut(own) {
			continue
		}
		if own.State != stdops.StateRunning || own.Phase != stdops.PhaseWaiting {
			own.Due = time.Time{}
			continue
		}
		s.stopOutwardPoll(n)
	}
	s.eachFork(func(f stdops.Fork) {
		if f.Stopped || f.Moving {
			s.end(f.Token)
		}
	})
	s.left = false
	return nil
}

// stopCall ends the call of a node of a revoked task where the plugin wants it; how it ends is recorded like any end.
func (s *step) stopCall(own *stdops.NodeState) {
	if !callOut(own) {
		return
	}
	if stopsOnRevoke(s.plugins, s.graph, own.Node) {
		s.stop = append(s.stop, own.Node)
	}
}

// stopsOnRevoke reports whether the plugin of a node wants its call to be ended when the task is revoked.
func stopsOnRevoke(plugins Plugins, graph *flow.Graph, n stdops.NodeIndex) bool {
	act := graph.Nodes[n].Activity
	if act == nil {
		return false
	}
	p := plugins.Find(act.Code, act.Version)
	return p != nil && p.Spec().StopOnRevoke
}

func (s *step) nodePause(cmd Command) error {
	if kind := s.graphNode(cmd.Node).Kind; kind == stdops.KindSubprocess {
		return refusal("can not use pause_node_appoint api for %s", kind)
	}
	if own := s.node(cmd.Node); own != nil && own.State == stdops.StateRunning {
		return refusal("can't not transit node(%s) state from RUNNING to SUSPENDED: the node has begun", s.id(cmd.Node))
	}
	return s.transit(cmd.Node, stdops.StateSuspended, cmd.Actor, func(own *stdops.NodeState) {
		own.State = stdops.StateSuspended
		own.Loop, own.InnerLoop = max(own.Loop, 1), max(own.InnerLoop, 1)
		if own.Version == "" {
			own.Version = s.version()
		}
	})
}

func (s *step) nodeResume(cmd Command) error {
	own := s.node(cmd.Node)
	if own == nil {
		return refusal("node(%s) does not exist", s.id(cmd.Node))
	}
	if own.State != stdops.StateSuspended || s.graphNode(cmd.Node).Kind == stdops.KindSubprocess {
		return refusal("can't not transit node(%s) state from %s to READY", s.id(cmd.Node), own.State)
	}
	err := s.transit(cmd.Node, stdops.StateReady, cmd.Actor, func(own *stdops.NodeState) { own.State = stdops.StateReady })
	if err == nil {
		s.release(cmd.Node)
	}
	return err
}

// failed gives the state of a failed node, or the refusal for any other.
func (s *step) failed(n stdops.NodeIndex) (*stdops.NodeState, error) {
	own := s.node(n)
	if own == nil {
		return nil, refusal("node(%s) does not exist", s.id(n))
	}
	if own.State != stdops.StateFailed {
		return nil, refusal("%s state is not FAILED, actual %s", s.id(n), own.State)
	}
	return own, nil
}

func (s *step) retryCommand(cmd Command) error {
	node := s.graphNode(cmd.Node)
	if node.Activity != nil && !node.Activity.Retryable {
		return refusal("can not retry node(%s) with can_retry(False)", s.id(cmd.Node))
	}
	if _, err := s.failed(cmd.Node); err != nil {
		return err
	}
	if cmd.Inputs.Len() > 0 {
		if node.Activity == nil {
			return refusal("%s is not activity, it has no inputs", s.id(cmd.Node))
		}
		d := s.getData(cmd.Node)
		d.template = s.newTemplate(cmd.Node, cmd.Inputs)
		s.note(cmd.Node, stdops.StateFailed, stdops.StateFailed, cmd.Actor)
		s.retry(cmd.Node, cmd.Actor, false)
		s.setData(cmd.Node, d, true)
		return nil
	}
	s.retry(cmd.Node, cmd.Actor, false)
	return nil
}

// retry makes a failed node ready again and lets its thread enter it.
func (s *step) retry(n stdops.NodeIndex, actor string, automatic bool) {
	s.archive(n)
	token := s.node(n).Token
	if err := s.transit(n, stdops.StateReady, actor, func(own *stdops.NodeState) { enterReady(own, s.version(), automatic) }); err != nil {
		s.err = err
		return
	}
	s.moves = append(s.moves, move{token, n})
}

func (s *step) skipCommand(cmd Command) error {
	node := s.graphNode(cmd.Node)
	switch {
	case node.Kind != stdops.KindActivity && node.Kind != stdops.KindStartEvent:
		return refusal("can not use skip_node api for %s", node.Kind)
	case node.Activity != nil && !node.Activity.Skippable:
		return refusal("can not skip this node")
	}
	if _, err := s.failed(cmd.Node); err != nil {
		return err
	}
	s.skip(cmd.Node, cmd.Actor)
	s.follow(cmd.Node, node.Out[0])
	return nil
}

// skip passes over a failed node; its outputs are not handed to variables again. Where its thread goes on is for the
// caller.
func (s *step) skip(n stdops.NodeIndex, actor string) {
	s.archive(n)
	if err := s.transit(n, stdops.StateFinished, actor, func(own *stdops.NodeState) { enterSkipped(own, s.version(), s.now) }); err != nil && s.err == nil {
		s.err = err
	}
}

func (s *step) skipBranch(cmd Command) error {
	node := s.graphNode(cmd.Node)
	if node.Kind != stdops.KindExclusive {
		return refusal("%s is not exclusive gateway, actual: %s", s.id(cmd.Node), node.Kind)
	}
	taken, err := s.chosen(cmd)
	if err != nil {
		return err
	}
	if len(taken) != 1 {
		return refusal("an exclusive gateway is skipped along one flow, not %d", len(taken))
	}
	if _, err := s.failed(cmd.Node); err != nil {
		return err
	}
	s.skip(cmd.Node, cmd.Actor)
	s.follow(cmd.Node, taken[0])
	return nil
}

// skipBranches lets a failed conditional parallel gateway open the branches that the command names
// (docs/spec/engine.md 4.8).
func (s *step) skipBranches(cmd Command) error {
	node := s.graphNode(cmd.Node)
	if node.Kind != stdops.KindConditionalParallel {
		return refusal("%s is not conditional parallel gateway, actual: %s", s.id(cmd.Node), node.Kind)
	}
	taken, err := s.chosen(cmd)
	if err != nil {
		return err
	}
	if len(taken) == 0 {
		return refusal("flow_ids must name at least one flow of %s", s.id(cmd.Node))
	}
	own, err := s.failed(cmd.Node)
	if err != nil {
		return err
	}
	token := own.Token
	s.skip(cmd.Node, cmd.Actor)
	s.split(token, cmd.Node, taken)
	return nil
}

// chosen gives the edges of a gateway that a command names, in their own order and each once.
func (s *step) chosen(cmd Command) (edges []flow.Edge, err error) {
	wanted := make(map[stdops.FlowIndex]bool, len(cmd.Flows))
	for _, f := range cmd.Flows {
		wanted[f] = true
	}
	for _, e := range s.graphNode(cmd.Node).Out {
		if wanted[e.Flow] {
			edges = append(edges, e)
			delete(wanted, e.Flow)
		}
	}
	for _, f := range cmd.Flows {
		if wanted[f] {
			return nil, refusal("%s is no flow of %s", stdops.FlowID(s.task.ID, f), s.id(cmd.Node))
		}
	}
	return edges, nil
}

func (s *step) subPause(cmd Command) error {
	own := s.node(cmd.Node)
	if own == nil {
		return refusal("node(%s) does not exist", s.id(cmd.Node))
	}
	if s.graphNode(cmd.Node).Kind != stdops.KindSubprocess {
		return refusal("%s is not subprocess, actual: %s", s.id(cmd.Node), s.graphNode(cmd.Node).Kind)
	}
	if own.State == stdops.StateReady { // it failed on its entry and waits to be entered again: nothing is in it yet
		return refusal("can't not transit node(%s) state from %s to %s", s.id(cmd.Node), own.State, stdops.StateSuspended)
	}
	return s.transit(cmd.Node, stdops.StateSuspended, cmd.Actor, func(own *stdops.NodeState) { own.State = stdops.StateSuspended })
}

func (s *step) subResume(cmd Command) error {
	own := s.node(cmd.Node)
	if own == nil {
		return refusal("node(%s) does not exist", s.id(cmd.Node))
	}
	if own.State != stdops.StateSuspended || s.graphNode(cmd.Node).Kind != stdops.KindSubprocess {
		return refusal("pipeline(%s) state is: %s", s.id(cmd.Node), own.State)
	}
	err := s.transit(cmd.Node, stdops.StateRunning, cmd.Actor, func(own *stdops.NodeState) { own.State = stdops.StateRunning })
	if err == nil {
		s.release(cmd.Node)
	}
	return err
}

func (s *step) forceFailCommand(cmd Command) error {
	node, own := s.graphNode(cmd.Node), s.node(cmd.Node)
	switch {
	case node.Kind != stdops.KindActivity:
		return refusal("%s is not activity, actual: %s", s.id(cmd.Node), node.Kind)
	case own == nil:
		return refusal("node(%s) does not exist", s.id(cmd.Node))
	case own.State != stdops.StateRunning:
		return refusal("%s state is not RUNNING, actual: %s", s.id(cmd.Node), own.State)
	}
	s.forceFail(cmd.Node, cmd.Actor, fmt.Sprintf("The node has been terminated by %s.", cmd.Actor))
	return nil
}
