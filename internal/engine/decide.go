package engine

import (
	"fmt"
	"io"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/plugin"
)

// maxChanges is how many nodes one step may enter; a longer run of gateways is committed in parts.
const maxChanges = 1000

// Plugins finds a plugin, nil when there is none.
type Plugins interface {
	Find(code, version string) plugin.Plugin
}

// env holds what decide needs besides state and events. Time and entropy are arguments, so that a step can be repeated.
type env struct {
	now     time.Time
	entropy io.Reader
	plugins Plugins
	limits  *stdops.Limits // nil: the defaults
	epoch   int64
	hold    bool      // no call may begin: the process is about to end, or the task is not stored yet
	slots   room      // of the process; nil when it has room for every call
	changes int       // how many nodes one step may enter; 0: maxChanges
	nextDue time.Time // earliest due time of nodes that the events do not touch; zero when there is none
}

// decide turns the crank: it gives what follows from events, and for each event its refusal or nil. It writes to none of
// its arguments. An error is a defect: nothing of the step may be stored.
func decide(st *state, events []event, env env) (*delta, []error, error) {
	s := newStep(st, env)
	answers := make([]error, len(events))
	for i, ev := range events {
		answers[i] = s.handle(ev)
		s.hear()
		s.run()
	}
	s.beginCalls()
	d, err := s.finish(env.nextDue)
	return d, answers, err
}

func (s *step) handle(ev event) error {
	switch ev := ev.(type) {
	case Command:
		return s.command(ev)
	case callEnded:
		s.callEnded(ev)
	case timeCame:
		s.timeCame(ev)
	case loaded:
		s.resumeLoaded(ev.out)
	case goOn:
		s.resumeMoving()
	case slotFree: // the calls that wait begin in any case
	default:
		return fmt.Errorf("unknown event %T", ev)
	}
	return nil
}

// run lets every moving thread go on until it rests, up to the number of changes that one commit may hold. In a task that has
// ended all of them end, without a change of a node.
func (s *step) run() {
	for len(s.moves) > 0 && (len(s.change.Transitions) < s.changes || s.root().State.Ended()) && s.err == nil {
		m := s.moves[0]
		s.moves = s.moves[1:]
		s.enter(m.token, m.node)
	}
}

// resumeMoving continues what the limit of changes stopped, as much of it as fits into this step.
func (s *step) resumeMoving() {
	s.eachFork(func(f stdops.Fork) {
		switch {
		case !f.Moving:
		case len(s.moves) >= s.changes:
			s.left = true
		default:
			f.Moving = false
			s.setFork(f)
			s.moves = append(s.moves, move{f.Token, f.Next})
		}
	})
}

// resumeLoaded deals with a task that comes from the store (docs/spec/engine.md 2.11).
func (s *step) resumeLoaded(out map[callID]bool) {
	s.resumeMoving()
	for _, n := range s.state.nodes {
		if n == nil || n.State != stdops.StateRunning {
			continue
		}
		switch n.Phase {
		case stdops.PhaseNone:
		case stdops.PhaseQueued:
			s.enqueue(n.Node, freshLane)
		case stdops.PhaseExecuting:
			s.recoverExecute(n, out)
		case stdops.PhaseScheduling:
			s.recoverSchedule(n, out)
		case stdops.PhaseWaiting:
			s.takeCallback(n.Node)
		}
	}
}

const outcomeUnknown = "outcome unknown: interrupted"

// recoverExecute deals with a node whose execute was out. Its inputs are not stored before it ends; they are rendered
// again, from the variables as they are now.
func (s *step) recoverExecute(n *stdops.NodeState, out map[callID]bool) {
	if out[callID{n.Node, n.Version, n.Call}] || s.hold {
		return // its result, or the next process, goes on
	}
	act := s.graphNode(n.Node).Activity
	p := s.plugins.Find(act.Code, act.Version)
	if p == nil {
		s.failMissing(n.Node)
		return
	}
	switch rule := s.executeRule(n.Node, p); {
	case rule == plugin.Unknown || s.root().State.Ended(): // nothing begins in a task that has ended
		s.setData(n.Node, nodeData{outputs: &stdops.Object{}, template: s.getData(n.Node).template}, false)
		s.fail(n.Node, outcomeUnknown)
	case rule == plugin.Ask:
		inputs, err := s.renderInputs(n.Node)
		if err != nil {
			s.failRender(n.Node, inputs, err)
			return
		}
		s.setData(n.Node, nodeData{inputs: inputs, outputs: &stdops.Object{}, template: s.getData(n.Node).template}, true)
		s.poll(n.Node)
	default: // back to where it was before the call, which it gets again
		s.setPhase(n.Node, stdops.PhaseQueued).Called = time.Time{}
		s.enqueue(n.Node, freshLane)
	}
}

// executeRule gives the crash rule of a node's execute. Where it depends on inputs that can no longer be rendered it is not
// known what was called.
func (s *step) executeRule(n stdops.NodeIndex, p plugin.Plugin) plugin.CrashRule {
	by, ok := p.(plugin.RuleByInputs)
	if !ok {
		return p.Spec().Execute
	}
	inputs, err := s.renderInputs(n)
	if err != nil {
		return plugin.Unknown
	}
	return by.ExecuteRule(inputs)
}

func (s *step) recoverSchedule(n *stdops.NodeState, out map[callID]bool) {
	if out[callID{n.Node, n.Version, n.Call}] || s.hold {
		return
	}
	act := s.graphNode(n.Node).Activity
	p := s.plugins.Find(act.Code, act.Version)
	if p == nil {
		s.failMissing(n.Node)
		return
	}
	if p.Spec().Schedule == plugin.Unknown {
		s.fail(n.Node, outcomeUnknown)
		return
	}
	if s.root().State.Ended() && !p.Spec().Inward {
		s.setPhase(n.Node, stdops.PhaseWaiting).Due = time.Time{}
		return
	}
	s.setPhase(n.Node, stdops.PhaseWaiting).Call-- // back to where it was before the call, which it gets again
	if _, called := s.firstCallback(n.Node); called && !polls(n) {
		s.takeCallback(n.Node)
		return
	}
	s.poll(n.Node)
}
