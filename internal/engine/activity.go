package engine

import (
	"fmt"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/plugin"
)

// beginActivity prepares the first call of an attempt (docs/spec/engine.md 2.5).
func (s *step) beginActivity(n stdops.NodeIndex) {
	own := s.touch(n)
	if limit := s.graphNode(n).Activity.Timeout.After; limit > 0 {
		own.Deadline = s.now.Add(limit)
	}
	own.Phase = stdops.PhaseQueued
	s.enqueue(n, freshLane)
}

// execute renders the inputs of a node and calls its plugin.
func (s *step) execute(n stdops.NodeIndex) {
	act := s.graphNode(n).Activity
	inputs, err := s.renderInputs(n)
	if err != nil {
		s.failRender(n, inputs, err)
		return
	}
	if s.plugins.Find(act.Code, act.Version) == nil {
		s.failMissing(n)
		return
	}
	s.setData(n, nodeData{inputs: inputs, outputs: &stdops.Object{}, template: s.getData(n).template}, false)
	own := s.setPhase(n, stdops.PhaseExecuting)
	own.Call, own.Called = 0, latest(own.Started, s.now)
	s.calls = append(s.calls, s.newCall(own, nil, false))
}

func (s *step) newCall(own *stdops.NodeState, data any, called bool) call {
	act := s.graphNode(own.Node).Activity
	d := s.getData(own.Node)
	return call{
		node: own.Node, version: own.Version, number: own.Call, code: act.Code, plugin: act.Version,
		inputs: d.inputs.Clone(), outputs: d.outputs.Clone(), system: s.systemFor(act), variables: s.variablesFor(own.Node),
		loop: int64(own.Loop), inner: int64(own.InnerLoop), retry: own.Retry,
		callback: data, called: called, class: s.classOf(own.Node), zone: s.info.Zone, entered: own.Started,
		hide: s.graph.SecretsOf(s.inputs),
	}
}

// failMissing fails a node whose plugin vanished after the task was created (docs/spec/engine.md 7.1).
func (s *step) failMissing(n stdops.NodeIndex) {
	act := s.graphNode(n).Activity
	s.setData(n, nodeData{inputs: &stdops.Object{}, outputs: &stdops.Object{}, template: s.getData(n).template}, true)
	s.fail(n, fmt.Sprintf("component %s (version %s) does not exist.", act.Code, act.Version))
}

// failRender fails a node whose inputs could not be rendered; that is never ignored (docs/spec/engine.md 2.5, 5.1).
func (s *step) failRender(n stdops.NodeIndex, raw *stdops.Object, err error) {
	own := s.node(n)
	outputs := stdops.NewObject("ex_data", "", "_result", false, "_loop", int64(own.Loop), "_inner_loop", int64(own.InnerLoop))
	s.setData(n, nodeData{inputs: raw, outputs: outputs, template: s.getData(n).template}, true)
	s.fail(n, hydrateText("inputs", err))
}

// enterFailed makes a node FAILED and appoints its automatic retry, when it has one left.
func (s *step) enterFailed(n stdops.NodeIndex, actor string) {
	own := s.node(n)
	var retryAt time.Time
	if act := s.graphNode(n).Activity; act != nil && act.Retryable && int(own.AutoRetries) < act.AutoRetry.Times && !s.root().State.Ended() {
		retryAt = s.now.Add(act.AutoRetry.Interval)
	}
	if err := s.transit(n, stdops.StateFailed, actor, func(own *stdops.NodeState) { enterFailed(own, retryAt, s.now) }); err != nil && s.err == nil {
		s.err = err
	}
}

// callEnded takes the result of a call. A result for another version or call is of the past and changes nothing.
func (s *step) callEnded(ev callEnded) {
	own := s.node(ev.node)
	if own == nil || own.State != stdops.StateRunning || own.Version != ev.version || own.Call != ev.call || !callOut(own) {
		return
	}
	executed := own.Phase == stdops.PhaseExecuting
	if ev.called { // one that came during execute waits for its own call
		s.consumeCallback(ev.node)
	}
	if ev.inputs != nil {
		d := s.getData(ev.node)
		d.inputs = ev.inputs
		s.setData(ev.node, d, true)
	}
	s.setOutputs(ev.node, ev.outputs.Clone(), !ev.failed)
	switch {
	case ev.failed:
		s.endFailed(ev.node)
	case ev.outcome.Next == plugin.Finish:
		s.finishActivity(ev.node, false)
	case ev.outcome.Next == plugin.Poll && executed:
		s.poll(ev.node)
	case ev.outcome.Next == plugin.Poll:
		s.setPhase(ev.node, stdops.PhaseWaiting).Due = s.now.Add(ev.outcome.After)
		s.stopOutwardPoll(ev.node)
	default:
		s.setPhase(ev.node, stdops.PhaseWaiting).Due = time.Time{}
		s.takeCallback(ev.node)
	}
}

// setOutputs keeps what an attempt has given, with what every attempt gives.
func (s *step) setOutputs(n stdops.NodeIndex, outputs *stdops.Object, well bool) {
	own := s.node(n)
	outputs.Set("_result", well)
	outputs.Set("_loop", int64(own.Loop))
	outputs.Set("_inner_loop", int64(own.InnerLoop))
	d := s.getData(n)
	d.outputs = outputs
	s.setData(n, d, true)
}

// endFailed ends an attempt whose outputs say that it failed.
func (s *step) endFailed(n stdops.NodeIndex) {
	if s.graphNode(n).Activity.IgnoreErrors {
		s.finishActivity(n, true)
		return
	}
	if err := s.extract(n); err != nil {
		s.fail(n, err.Error())
		return
	}
	s.enterFailed(n, "")
}

// finishActivity ends an attempt well, hands its outputs to the variables and goes on.
func (s *step) finishActivity(n stdops.NodeIndex, ignored bool) {
	if err := s.extract(n); err != nil {
		s.fail(n, err.Error())
		return
	}
	s.must(n, stdops.StateFinished, func(own *stdops.NodeState) { enterFinished(own, ignored, s.now) })
	s.follow(n, s.graphNode(n).Out[0])
}

// extract hands the outputs of an attempt to the variables that are fed from them; failed attempts count as well.
func (s *step) extract(n stdops.NodeIndex) error {
	node, outputs := s.graphNode(n), s.getData(n).outputs
	for _, m := range node.Activity.Outputs {
		if v, ok := outputs.Get(m.Key); ok {
			if err := s.setVariable(node.Parent, m.Variable, v); err != nil {
				return err
			}
		}
	}
	return nil
}

// poll lets the plugin's schedule be called as soon as there is room, unless the task was ended meanwhile and the poll
// would reach outside.
func (s *step) poll(n stdops.NodeIndex) {
	s.setPhase(n, stdops.PhaseWaiting).Due = s.now
	if !s.stopOutwardPoll(n) {
		s.enqueue(n, begunLane)
	}
}

func (s *step) schedule(n stdops.NodeIndex, data any, called bool) {
	own := s.setPhase(n, stdops.PhaseScheduling)
	own.Call++ // a poll keeps its due time while it is out: a callback that is stored may be for later
	s.calls = append(s.calls, s.newCall(own, data, called))
}

// stopOutwardPoll takes the next poll from a node of an ended task, unless the poll only looks at the clock.
func (s *step) stopOutwardPoll(n stdops.NodeIndex) bool {
	if !s.root().State.Ended() {
		return false
	}
	act := s.graphNode(n).Activity
	if p := s.plugins.Find(act.Code, act.Version); p != nil && p.Spec().Inward {
		return false
	}
	s.touch(n).Due = time.Time{}
	return true
}

// timeCame deals with a due poll, an automatic retry or a time limit.
func (s *step) timeCame(ev timeCame) {
	own := s.node(ev.node)
	if own == nil || own.Version != ev.version {
		return
	}
	switch {
	case own.State == stdops.StateRunning && !own.Deadline.IsZero() && !own.Deadline.After(s.now):
		s.overLimit(ev.node)
	case own.State == stdops.StateRunning && own.Phase == stdops.PhaseWaiting && !own.Due.IsZero() && !own.Due.After(s.now):
		if !s.stopOutwardPoll(ev.node) {
			s.enqueue(ev.node, begunLane)
		}
	case own.State == stdops.StateFailed && !own.Due.IsZero() && !own.Due.After(s.now):
		if s.root().State.Ended() {
			s.touch(ev.node).Due = time.Time{}
			return
		}
		s.retry(ev.node, "system", true)
	}
}

const overLimitText = "the node was ended because it exceeded its time limit of %d seconds"

// overLimit ends a node that is over its time limit (docs/spec/engine.md 5.4).
func (s *step) overLimit(n stdops.NodeIndex) {
	if s.root().State.Ended() {
		s.touch(n).Deadline = time.Time{}
		return
	}
	act := s.graphNode(n).Activity
	s.forceFail(n, "system", fmt.Sprintf(overLimitText, int64(act.Timeout.After/time.Second)))
	if act.Timeout.ThenSkip && act.Skippable {
		s.skip(n, "system")
		s.follow(n, s.graphNode(n).Out[0])
	}
}

// forceFail ends a running attempt; whatever its call still brings is for an older version.
func (s *step) forceFail(n stdops.NodeIndex, actor, exData string) {
	d := s.getData(n)
	if s.node(n).Phase == stdops.PhaseExecuting || s.node(n).Phase == stdops.PhaseQueued {
		d.inputs, d.outputs = &stdops.Object{}, &stdops.Object{}
	}
	outputs := d.outputs.Clone()
	outputs.Set("ex_data", exData)
	outputs.Set("_forced_failed", true)
	d.outputs = outputs
	s.setData(n, d, true)
	if callOut(s.node(n)) {
		s.cancel = append(s.cancel, n)
	}
	s.enterFailed(n, actor)
	s.touch(n).Version = s.version()
}

// acceptCallback stores a callback; it is decided at once when the node waits (docs/spec/engine.md 4.10).
func (s *step) acceptCallback(cmd Command) error {
	own := s.node(cmd.Node)
	node := s.graphNode(cmd.Node)
	if own == nil || own.State != stdops.StateRunning || node.Kind != stdops.KindActivity || s.root().State.Ended() {
		return refusal("can not find sleep process with current node id: %s", s.id(cmd.Node))
	}
	if cmd.Version != "" && cmd.Version != own.Version {
		return refusal("node version %s not exist", cmd.Version)
	}
	if polls(own) || s.hasItsCallback(cmd.Node) || s.waitsForChild(cmd.Node) {
		return refusal("can not find sleep process with current node id: %s", s.id(cmd.Node))
	}
	text, err := stdops.EncodeValue(cmd.Data)
	if err != nil {
		return stdops.Errorf(stdops.CodeInvalid, "callback data: %w", err)
	}
	if most := s.limits.Callback; int64(len(text)) > most {
		return stdops.Errorf(stdops.CodeInvalid, "callback data has %d bytes, the limit is %d", len(text), most)
	}
	if len(s.callbacks) >= int(s.limits.Callbacks) {
		return stdops.Errorf(stdops.CodeTooMany, "%d callbacks of the task wait to be handled, try again", len(s.callbacks))
	}
	s.lastSeq++
	stored := stdops.Callback{Seq: s.lastSeq, Node: cmd.Node, Version: own.Version, Data: text}
	s.change.Callbacks = append(s.change.Callbacks, stored)
	s.callbacks = append(s.callbacks[:len(s.callbacks):len(s.callbacks)], callback{stored, cmd.Data})
	s.note(cmd.Node, own.State, own.State, cmd.Actor)
	if own.Phase == stdops.PhaseWaiting {
		s.takeCallback(cmd.Node)
	}
	return nil
}

// polls reports whether a node is polled: the next poll is due at some time, or one is out.
func polls(own *stdops.NodeState) bool { return !own.Due.IsZero() }

// hasItsCallback reports whether the one callback that a node takes was accepted and waits to be handled.
func (s *step) hasItsCallback(n stdops.NodeIndex) bool {
	act := s.graphNode(n).Activity
	if p := s.plugins.Find(act.Code, act.Version); p != nil && p.Spec().ManyCallbacks {
		return false
	}
	_, has := s.firstCallback(n)
	return has
}

// firstCallback gives the callback that a node is handling, or would handle next.
func (s *step) firstCallback(n stdops.NodeIndex) (data any, ok bool) {
	for _, c := range s.callbacks {
		if c.Node == n && c.Version == s.node(n).Version {
			return c.data, true
		}
	}
	return nil, false
}

// takeCallback lets a waiting node handle its next callback as soon as there is room. The callback stays stored until its
// handling has a result.
func (s *step) takeCallback(n stdops.NodeIndex) {
	own := s.node(n)
	if own.Phase != stdops.PhaseWaiting || !own.Due.IsZero() || s.root().State.Ended() {
		return
	}
	if _, ok := s.firstCallback(n); ok {
		s.enqueue(n, begunLane)
	}
}

// consumeCallback forgets the callback whose handling has just ended.
func (s *step) consumeCallback(n stdops.NodeIndex) {
	for i, c := range s.callbacks {
		if c.Node == n && c.Version == s.node(n).Version {
			s.change.Consumed = append(s.change.Consumed, c.Seq)
			s.callbacks = append(s.callbacks[:i:i], s.callbacks[i+1:]...)
			return
		}
	}
}
