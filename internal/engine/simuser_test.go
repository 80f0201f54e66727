package engine

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/stdops/stdops"
)

// simUser sends one command after the other. One that was not answered, or whose outcome is not known, is sent again with
// its key.
type simUser struct {
	name   string
	ref    stdops.TaskRef
	cmd    Command
	answer chan error // nil: no command is on its way
	doubt  bool       // what became of it is not known
	done   bool       // it was acknowledged
}

// lost says that the process has ended under a command.
func (u *simUser) lost() {
	u.doubt = u.doubt || u.answer != nil
	u.answer = nil
}

// act lets a user do the next thing, if there is one.
func (s *simulation) act(u *simUser) (happened bool) {
	switch {
	case u.answer != nil && len(u.answer) == 0: // a command is still on its way
		return false
	case u.answer != nil:
		s.answered(u, <-u.answer)
		return true
	case u.doubt && u.cmd.Key != nil && s.rand.IntN(8) > 0:
		s.send(u)
		return true
	}
	u.doubt, u.done = false, false
	if !s.calm && len(s.tasks) < s.most && s.rand.IntN(2) == 0 {
		return s.create(u)
	}
	if !s.draw(u) {
		return false
	}
	s.send(u)
	return true
}

func (s *simulation) send(u *simUser) {
	u.answer = make(chan error, 1)
	if s.engine.post(u.ref, letter{event: u.cmd, answer: u.answer}) != nil {
		u.lost()
	}
}

func (s *simulation) answered(u *simUser, err error) {
	u.answer = nil
	s.checkAnswer(u, err)
	u.done = u.done || err == nil
	u.doubt = err != nil && stdops.ErrorCode(err) == stdops.CodeUnavailable || errors.Is(err, errStopping) ||
		err == nil && !s.calm && s.rand.IntN(8) == 0 // the answer gets lost
}

// create makes a task, and at times starts it in the same transaction.
func (s *simulation) create(u *simUser) (happened bool) {
	if s.engine.stopping || s.full > 0 {
		return false
	}
	s.serial++
	tree := s.rand.IntN(len(s.graphs))
	task := stdops.Task{
		ID: stdops.TaskID(s.serial), Project: stdops.ProjectID(1 + s.rand.IntN(3)), Name: "a task", TreeHash: strconv.Itoa(tree),
		FlowType: stdops.FlowCommon, Created: s.now, Root: stdops.RootState{State: stdops.StateCreated},
	}
	inputs := stdops.NewObject("v", "k")
	if s.rand.IntN(2) == 0 {
		s.tasks = append(s.tasks, s.store.create(task, s.graphs[tree], []byte(`{"v":"k"}`)))
		return true
	}
	change, err := s.engine.Begin(context.Background(), task, s.graphs[tree], inputs, u.name)
	if err != nil {
		s.broken(everyStepDecided, "a task cannot be started: %v", err)
	}
	t := s.store.create(task, s.graphs[tree], []byte(`{"v":"k"}`))
	s.tasks = append(s.tasks, t)
	s.store.store(*change)
	if !s.calm && s.rand.IntN(20) == 0 {
		s.faults[faultCrash]++
		s.crash()
		return true
	}
	s.engine.Adopt(change)
	return true
}

var simKinds = []Kind{
	Start, Pause, Resume, Resume, SetConstants, NodePause, NodeResume, NodeResume, Retry, Skip, SkipBranch, SkipBranches, SubPause, SubResume, SubResume,
	ForceFail, CallBack,
}

// draw draws a command, false when there is nothing to do.
func (s *simulation) draw(u *simUser) bool {
	tasks := s.tasks
	if !s.calm && len(s.old) > 0 && s.rand.IntN(16) == 0 {
		tasks = s.old
	}
	if len(tasks) == 0 {
		return false
	}
	t := tasks[s.rand.IntN(len(tasks))]
	u.ref = t.ref()
	var ok bool
	if s.calm || s.rand.IntN(2) == 0 {
		u.cmd, ok = s.helpful(t)
	}
	if !ok && s.calm {
		return false
	}
	if !ok {
		u.cmd = s.random(t)
	}
	u.cmd.Actor = u.name
	if s.rand.IntN(4) > 0 {
		s.serial++
		u.cmd.Key = &stdops.RequestKey{Project: t.task.Project, Owner: u.name, Key: strconv.Itoa(s.serial), Expires: s.now.Add(1000 * time.Hour)}
	}
	return true
}

func (s *simulation) random(t *simTask) Command {
	cmd := Command{Kind: simKinds[s.rand.IntN(len(simKinds))], Node: stdops.NodeIndex(s.rand.IntN(len(t.nodes)))}
	if s.rand.IntN(60) == 0 {
		cmd.Kind = Revoke
	}
	if s.rand.IntN(4) > 0 {
		if running := t.running(); len(running) > 0 {
			cmd.Node = running[s.rand.IntN(len(running))]
		}
	}
	cmd.Flows = s.someFlow(t, cmd.Node)
	switch cmd.Kind {
	case SetConstants:
		cmd.Values = stdops.NewObject("v", "k"+strconv.Itoa(s.rand.IntN(9)))
	case CallBack:
		cmd.Data = "data"
		if n := t.nodes[cmd.Node]; n != nil && s.rand.IntN(2) == 0 {
			cmd.Version = n.Version
		}
	case Retry:
		if s.rand.IntN(4) == 0 {
			cmd.Inputs = stdops.NewObject("in", int64(-1), "v", "other")
		}
	default:
	}
	return cmd
}

func (s *simulation) someFlow(t *simTask, n stdops.NodeIndex) []stdops.FlowIndex {
	out := t.graph.Nodes[n].Out
	if len(out) == 0 {
		return nil
	}
	return []stdops.FlowIndex{out[s.rand.IntN(len(out))].Flow}
}

// helpful gives what brings a task that waits for somebody nearer to its end.
func (s *simulation) helpful(t *simTask) (Command, bool) {
	switch t.task.Root.State {
	case stdops.StateCreated:
		return Command{Kind: Start}, true
	case stdops.StateSuspended:
		return Command{Kind: Resume}, true
	case stdops.StateRunning:
	default:
		return Command{}, false
	}
	from := s.rand.IntN(len(t.nodes))
	for i := range t.nodes {
		if n := t.nodes[(from+i)%len(t.nodes)]; n != nil {
			if cmd, ok := s.helpNode(t, n); ok {
				return cmd, true
			}
		}
	}
	return Command{}, false
}

func (s *simulation) helpNode(t *simTask, n *stdops.NodeState) (Command, bool) {
	node := &t.graph.Nodes[n.Node]
	cmd := Command{Node: n.Node, Flows: s.someFlow(t, n.Node)}
	switch {
	case n.State == stdops.StateSuspended && node.Kind == stdops.KindSubprocess:
		cmd.Kind = SubResume
	case n.State == stdops.StateSuspended:
		cmd.Kind = NodeResume
	case n.Phase == stdops.PhaseWaiting && n.Due.IsZero():
		cmd.Kind, cmd.Version = CallBack, n.Version
	case n.State != stdops.StateFailed:
		return cmd, false
	case node.Activity == nil:
		cmd.Kind = s.helpGateway(node.Kind)
	case node.Activity.Skippable && (!node.Activity.Retryable || s.rand.IntN(2) == 0):
		cmd.Kind = Skip
	case node.Activity.Retryable:
		cmd.Kind = Retry
	default:
		cmd.Kind = Revoke // nothing else helps
	}
	return cmd, true
}

func (s *simulation) helpGateway(kind stdops.NodeKind) Kind {
	switch kind {
	case stdops.KindExclusive:
		return SkipBranch
	case stdops.KindConditionalParallel:
		return SkipBranches
	default:
		return Retry
	}
}

// running gives the nodes that run.
func (t *simTask) running() []stdops.NodeIndex {
	var list []stdops.NodeIndex
	for _, n := range t.nodes {
		if n != nil && n.State == stdops.StateRunning {
			list = append(list, n.Node)
		}
	}
	return list
}
