package engine

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/stdops/stdops"
)

// A child task tells the attempt that made it how it stands, each time that changes (docs/spec/engine.md 7.8). What it
// tells is stored with the step that it is about, in the record of the parent, which decides what follows when it reads
// its record next: no step is about two tasks, and nothing that was told can be lost or come before what it tells of.

// standing is how a child stands.
type standing string

const (
	saysFailed   standing = "failed"   // a node of it waits for a person, or it was revoked
	saysResumed  standing = "resumed"  // no node does any more
	saysFinished standing = "finished" // for good
)

// message is what a child tells.
type message struct {
	stands  standing
	text    string         // of a failure
	outputs *stdops.Object // of a task that has finished, by key with ${ and }
}

// encode puts outputs beside the rest, not into an object of their own: what they hold may nest as deep as can be read back.
func (m *message) encode() ([]byte, error) {
	o := stdops.NewObject("told", string(m.stands))
	switch m.stands {
	case saysFailed:
		o.Set("text", m.text)
	case saysFinished:
		for _, key := range m.outputs.Keys() {
			value, _ := m.outputs.Get(key)
			o.Set(key, value)
		}
	case saysResumed:
	}
	return stdops.EncodeValue(o)
}

func decodeMessage(text []byte) (m message, err error) {
	o, err := decodeObject(text)
	if err != nil {
		return m, err
	}
	m.stands, m.text = standing(o.Text("told")), o.Text("text")
	if m.stands == saysFinished {
		o.Delete("told")
		m.outputs = o
	}
	return m, nil
}

// toldBy is a message that a task has found in its record and not decided yet.
type toldBy struct {
	seq     int64
	node    stdops.NodeIndex
	version stdops.Version
	message
}

// stuck reports whether a node waits for a person to retry or skip it.
func stuck(n *stdops.NodeState) bool { return n.State == stdops.StateFailed && n.Due.IsZero() }

// tell notes what the parent of a child has to hear about this step.
func (s *step) tell() {
	parent := s.task.Parent
	if parent.Task == 0 || s.state.root.State.Ended() {
		return
	}
	m := s.message()
	if m.stands == "" {
		return
	}
	text, err := m.encode()
	if err != nil && s.err == nil {
		s.err = fmt.Errorf("tell task %d: %w", parent.Task, err)
	}
	s.change.Tells = append(s.change.Tells, stdops.Tell{To: parent, Data: text})
}

// message gives what has changed in this step for the parent; the zero message is nothing.
func (s *step) message() message {
	before, after, first := s.state.stuck, s.state.stuck, stdops.NodeIndex(0)
	for _, n := range slices.Sorted(maps.Keys(s.nodes)) {
		if old := s.state.nodes[n]; old != nil {
			after -= count(stuck(old))
		}
		if stuck(s.nodes[n]) {
			after++
			first = cmp.Or(first, n)
		}
	}
	switch root := s.root().State; {
	case root == stdops.StateFinished:
		return message{stands: saysFinished, outputs: s.getData(stdops.RootNode).outputs}
	case root == stdops.StateRevoked:
		return message{stands: saysFailed, text: fmt.Sprintf("task %d was revoked", s.task.ID)}
	case before == 0 && after > 0:
		return message{stands: saysFailed, text: s.failureOf(first)}
	case before > 0 && after == 0:
		return message{stands: saysResumed}
	}
	return message{}
}

// failureOf tells the parent why a node has failed. The parent does not know every secret that has to be hidden from it.
func (s *step) failureOf(n stdops.NodeIndex) string {
	why := "failed"
	if outputs := s.getData(n).outputs; outputs != nil {
		why = cmp.Or(s.graph.SecretsOf(s.inputs).Text(outputs.Text("ex_data")), why)
	}
	text := fmt.Sprintf("task %d, node %q: %s", s.task.ID, s.graphNode(n).Name, why)
	return strings.ToValidUTF8(text[:min(len(text), int(s.limits.Output))], "")
}

// hear decides what children have told, in the order in which they told it. What is told about an attempt that is over is
// forgotten; about one whose call is still out it is kept until that has a result.
func (s *step) hear() {
	if len(s.tells) == 0 {
		return
	}
	var kept []toldBy
	for i := range s.tells {
		t := &s.tells[i]
		switch {
		case len(s.change.Transitions) >= maxChanges:
			s.left = true
			kept = append(kept, *t)
		case s.hearLater(t):
			kept = append(kept, *t)
		default:
			s.change.Consumed = append(s.change.Consumed, t.seq)
			s.decideTold(t)
		}
	}
	s.tells = kept
}

// hearLater reports whether the attempt that made the child is still making it.
func (s *step) hearLater(t *toldBy) bool {
	own := s.node(t.node)
	return s.concerns(t) && own.State == stdops.StateRunning && own.Phase != stdops.PhaseWaiting
}

// concerns reports whether a child is that of the current attempt of a node.
func (s *step) concerns(t *toldBy) bool {
	own := s.node(t.node)
	return own != nil && own.Version == t.version && s.graphNode(t.node).Activity != nil && !s.root().State.Ended()
}

// decideTold lets a node go the way of its child.
func (s *step) decideTold(t *toldBy) {
	if !s.concerns(t) {
		return
	}
	switch state := s.node(t.node).State; {
	case state == stdops.StateRunning:
	case state == stdops.StateFailed && t.stands != saysFailed:
		s.revive(t.node)
	default:
		return
	}
	switch t.stands {
	case saysFailed:
		s.childFailed(t.node, t.text)
	case saysFinished:
		s.childFinished(t.node, t.outputs)
	case saysResumed:
	}
}

// revive lets a failed attempt go on, since its child does.
func (s *step) revive(n stdops.NodeIndex) {
	d := s.getData(n)
	outputs := d.outputs.Clone()
	for _, key := range []string{"ex_data", "_result"} {
		outputs.Delete(key)
	}
	d.outputs = outputs
	s.setData(n, d, true)
	limit := s.graphNode(n).Activity.Timeout.After
	s.must(n, stdops.StateRunning, func(own *stdops.NodeState) { enterRevived(own, limit) })
}

func (s *step) childFailed(n stdops.NodeIndex, text string) {
	outputs := s.getData(n).outputs.Clone()
	outputs.Set("ex_data", text)
	s.setOutputs(n, outputs, false)
	s.endFailed(n)
}

// childFinished ends a node well, with those outputs of its child that feed variables.
func (s *step) childFinished(n stdops.NodeIndex, of *stdops.Object) {
	outputs := s.getData(n).outputs.Clone()
	for _, m := range s.graphNode(n).Activity.Outputs {
		value, has := of.Get("${" + m.Key + "}")
		if !has {
			continue
		}
		if err := checkOutput(value, int(s.limits.Output)); err != nil {
			s.childFailed(n, fmt.Sprintf("output %s of the child cannot be kept: %v", m.Key, err))
			return
		}
		outputs.Set(m.Key, value)
	}
	s.setOutputs(n, outputs, true)
	s.finishActivity(n, false)
}

// waitsForChild reports whether an activity makes a task of its own, whose end ends it: nobody else can call it back.
func (s *step) waitsForChild(n stdops.NodeIndex) bool {
	act := s.graphNode(n).Activity
	p := s.plugins.Find(act.Code, act.Version)
	return p != nil && p.Spec().Child
}

// enterRevived lets a failed attempt go on. Its time limit counts from its start.
func enterRevived(n *stdops.NodeState, limit time.Duration) {
	n.State, n.Phase = stdops.StateRunning, stdops.PhaseWaiting
	n.Finished, n.Due, n.Deadline = time.Time{}, time.Time{}, time.Time{}
	if limit > 0 {
		n.Deadline = n.Started.Add(limit)
	}
}
