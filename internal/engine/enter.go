package engine

import (
	"fmt"
	"strings"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/flow"
)

// enter lets a thread of execution enter a node (docs/spec/engine.md 2.2). It rests there, goes on, ends or is stopped.
func (s *step) enter(token stdops.Token, n stdops.NodeIndex) {
	f := s.fork(token)
	if f.Parent != 0 && f.Destination == n {
		s.arrive(f)
		return
	}
	if s.root().State.Ended() {
		s.end(token)
		return
	}
	if by, stopped := s.stoppedBy(n); stopped {
		f.Stopped, f.SuspendedBy, f.Next = true, by, n
		s.setFork(f)
		return
	}
	old := s.node(n)
	kind := s.graphNode(n).Kind
	switch {
	case old == nil || old.State == stdops.StateReady:
	case old.State == stdops.StateFinished && kind != stdops.KindSubprocess && int64(old.Loop) > s.limits.Rerun:
		s.touch(n).Token = token
		s.fail(n, fmt.Sprintf("node execution exceed rerun limit %d", s.limits.Rerun))
		return
	case old.State == stdops.StateFinished:
		s.archive(n)
	default:
		return // the node is busy with another thread; nothing else may begin here
	}
	s.must(n, stdops.StateRunning, func(own *stdops.NodeState) { enterRunning(own, s.version(), token, s.now) })
	s.reached(s.touch(n))
	s.begin(token, n)
}

// stoppedBy finds the paused pipeline around n, outermost first, or a pause of n itself.
func (s *step) stoppedBy(n stdops.NodeIndex) (by stdops.NodeIndex, stopped bool) {
	if s.root().State == stdops.StateSuspended {
		return stdops.RootNode, true
	}
	for p := s.graphNode(n).Parent; p != stdops.RootNode; p = s.graphNode(p).Parent {
		if own := s.node(p); own != nil && own.State == stdops.StateSuspended {
			by, stopped = p, true
		}
	}
	if stopped {
		return by, true
	}
	if own := s.node(n); own != nil && own.State == stdops.StateSuspended {
		s.reached(s.touch(n))
		return n, true
	}
	return 0, false
}

// begin does what the node is there for.
func (s *step) begin(token stdops.Token, n stdops.NodeIndex) {
	node := s.graphNode(n)
	switch node.Kind {
	case stdops.KindStartEvent:
		s.beginPipeline(n)
	case stdops.KindConverge:
		s.pass(n)
	case stdops.KindActivity:
		s.beginActivity(n)
	case stdops.KindSubprocess:
		s.beginSubprocess(n)
	case stdops.KindEndEvent:
		s.endPipeline(token, n)
	case stdops.KindExclusive:
		s.chooseOne(n)
	case stdops.KindParallel:
		s.finishNode(n)
		s.split(token, n, node.Out)
	case stdops.KindConditionalParallel:
		s.chooseSome(token, n)
	case stdops.KindPipeline:
		s.err = fmt.Errorf("node %d is a pipeline and cannot be entered", n)
	}
}

// beginPipeline begins the pipeline around a start event: some variables get their final value there
// (docs/spec/engine.md 2.4, 6.4.3).
func (s *step) beginPipeline(n stdops.NodeIndex) {
	p := s.graphNode(n).Parent
	values, err := s.preRender(n)
	if err != nil {
		s.fail(n, hydrateText("context", err))
		return
	}
	for key, value := range values {
		if err := s.setVariable(p, key, value); err != nil {
			s.fail(n, err.Error())
			return
		}
	}
	s.pass(n)
}

// finishNode finishes a node and stays there.
func (s *step) finishNode(n stdops.NodeIndex) {
	s.must(n, stdops.StateFinished, func(own *stdops.NodeState) { enterFinished(own, false, s.now) })
}

// pass finishes a node and goes on along its single flow.
func (s *step) pass(n stdops.NodeIndex) {
	s.finishNode(n)
	s.follow(n, s.graphNode(n).Out[0])
}

// follow sends the thread that rests on n along an edge.
func (s *step) follow(n stdops.NodeIndex, edge flow.Edge) {
	s.moves = append(s.moves, move{s.node(n).Token, edge.Target})
}

// fail makes a running node FAILED with a text that says why.
func (s *step) fail(n stdops.NodeIndex, exData string) {
	data := s.getData(n)
	outputs := data.outputs.Clone()
	outputs.Set("ex_data", exData)
	data.outputs = outputs
	if data.inputs == nil {
		data.inputs = &stdops.Object{}
	}
	s.setData(n, data, true)
	s.enterFailed(n, "")
}

// split gives every distinct target of edges a thread of its own; the parent waits for all of them
// (docs/spec/engine.md 2.7).
func (s *step) split(token stdops.Token, n stdops.NodeIndex, edges []flow.Edge) {
	parent := s.fork(token)
	parent.Need, parent.Have = 0, 0
	seen := make(map[stdops.NodeIndex]bool, len(edges))
	for _, edge := range edges {
		if seen[edge.Target] {
			continue
		}
		seen[edge.Target] = true
		s.lastToken++
		s.setFork(stdops.Fork{Token: s.lastToken, Parent: token, Destination: s.graphNode(n).Converge})
		s.moves = append(s.moves, move{s.lastToken, edge.Target})
		parent.Need++
	}
	s.setFork(parent)
}

// arrive ends a branch at its converge gateway; the last one lets its parent go on there.
func (s *step) arrive(f stdops.Fork) {
	f.Dead = true
	s.setFork(f)
	parent := s.fork(f.Parent)
	parent.Have++
	if parent.Have == parent.Need {
		parent.Need, parent.Have = 0, 0
		s.moves = append(s.moves, move{parent.Token, f.Destination})
	}
	s.setFork(parent)
}

// end ends a thread whose task has ended.
func (s *step) end(token stdops.Token) {
	f := s.fork(token)
	f.Dead = true
	assign(&s.forks, token, f)
}

const noBranch = "all conditions of branches are not meet"

// chooseOne lets an exclusive gateway take the one branch whose condition holds.
func (s *step) chooseOne(n stdops.NodeIndex) {
	node := s.graphNode(n)
	open, problem := s.openBranches(n)
	switch {
	case problem != "":
		s.fail(n, problem)
	case len(open) > 1:
		names := make([]string, len(open))
		for i, edge := range open {
			names[i] = "'" + stdops.FlowID(s.task.ID, edge.Flow) + "'"
		}
		s.fail(n, fmt.Sprintf("multiple conditions meet: [%s]", strings.Join(names, ", ")))
	case len(open) == 1:
		s.finishNode(n)
		s.follow(n, open[0])
	case node.Default != nil:
		s.finishNode(n)
		s.follow(n, *node.Default)
	default:
		s.fail(n, noBranch)
	}
}

// chooseSome lets a conditional parallel gateway open every branch whose condition holds.
func (s *step) chooseSome(token stdops.Token, n stdops.NodeIndex) {
	node := s.graphNode(n)
	open, problem := s.openBranches(n)
	if problem == "" && len(open) == 0 && node.Default != nil {
		open = []flow.Edge{*node.Default}
	}
	if problem == "" && len(open) == 0 {
		problem = noBranch
	}
	if problem != "" {
		s.fail(n, problem)
		return
	}
	s.finishNode(n)
	s.split(token, n, open)
}

// beginSubprocess enters the pipeline of a subprocess node (docs/spec/engine.md 2.6).
func (s *step) beginSubprocess(n stdops.NodeIndex) {
	pipeline := s.graphNode(n).Pipeline
	for _, child := range pipeline.Children {
		if old := s.node(child); old != nil && old.InnerLoop != 0 {
			s.touch(child).InnerLoop = 0
		}
	}
	params, err := s.renderParams(n)
	if err != nil {
		s.fail(n, hydrateText("context", err))
		return
	}
	inputs := &stdops.Object{}
	for i, p := range pipeline.Params {
		inputs.Set("${"+p.Key+"}", params[i])
		if err := s.setVariable(n, p.Key, params[i]); err != nil {
			s.fail(n, err.Error())
			return
		}
	}
	s.setData(n, nodeData{inputs: inputs, outputs: &stdops.Object{}}, true)
	s.moves = append(s.moves, move{s.node(n).Token, pipeline.Start})
}

// endPipeline ends the pipeline around an end event (docs/spec/engine.md 2.9).
func (s *step) endPipeline(token stdops.Token, n stdops.NodeIndex) {
	p := s.graphNode(n).Parent
	outputs, err := s.pipelineOutputs(n)
	if err != nil {
		s.fail(n, hydrateText("context", err))
		return
	}
	data := s.getData(p)
	if data.inputs == nil {
		data.inputs = &stdops.Object{}
	}
	data.outputs = outputs
	if p == stdops.RootNode {
		s.finishNode(n)
		s.setData(p, data, true)
		if err := s.transitRoot(stdops.StateFinished, ""); err != nil {
			s.err = err
		}
		s.end(token)
		return
	}
	own := s.node(p)
	outputs.Set("_loop", int64(own.Loop))
	outputs.Set("_inner_loop", int64(own.InnerLoop))
	if err := s.handUp(p, outputs); err != nil {
		s.fail(n, err.Error())
		return
	}
	s.finishNode(n)
	s.setData(p, data, true)
	s.finishNode(p)
	s.touch(p).Token = token
	s.follow(p, s.graphNode(p).Out[0])
}

// handUp hands the outputs of a subprocess to the variables of the pipeline around it.
func (s *step) handUp(p stdops.NodeIndex, outputs *stdops.Object) error {
	node := s.graphNode(p)
	for _, m := range node.Pipeline.Mapping {
		v, ok := outputs.Get("${" + m.Key + "}")
		if !ok {
			v, ok = outputs.Get(m.Key) // a loop counter
		}
		if !ok {
			continue
		}
		if err := s.setVariable(node.Parent, m.Variable, v); err != nil {
			return err
		}
	}
	return nil
}
