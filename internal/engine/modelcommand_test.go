package engine

import (
	"time"

	"github.com/stdops/stdops"
)

// open reports whether the task was started and has not ended.
func (m *model) open() bool {
	return m.root == stdops.StateRunning || m.root == stdops.StateSuspended
}

// due gives the nodes of which a time has come, with their versions.
func (m *model) due() map[*modelNode]int {
	come := make(map[*modelNode]int)
	for _, own := range m.nodes {
		if !own.due.IsZero() && !own.due.After(m.now) || !own.deadline.IsZero() && !own.deadline.After(m.now) {
			come[own] = own.version
		}
	}
	return come
}

// tick lets happen what is due: time limits before polls and automatic retries (5.3, 5.4).
func (m *model) tick(due map[*modelNode]int) {
	for own, version := range due {
		switch {
		case own.version != version: // of the past
		case m.root.Ended():
			own.deadline = time.Time{}
			if own.state == stdops.StateFailed || own.waits {
				own.due = time.Time{}
			}
		case own.state == stdops.StateRunning && !own.deadline.IsZero() && !own.deadline.After(m.now):
			m.fail(own)
			own.version++
			if own.policy.limitSkips && own.policy.skip {
				m.skip(own)
			}
		case own.waits && !own.due.IsZero() && !own.due.After(m.now):
			own.next(false)
		case own.state == stdops.StateFailed && !own.due.IsZero() && !own.due.After(m.now):
			own.autos++
			m.retry(own)
		}
	}
}

func (m *model) retry(own *modelNode) {
	m.rest(own, stdops.StateReady)
	own.retry++
	own.version++
	own.attempts++
}

func (m *model) skip(own *modelNode) {
	m.rest(own, stdops.StateFinished)
	own.skip = true
	own.version++
	own.attempts++
}

// command carries out a command, false when it has to be refused (4). The node is of that kind; back is its first flow.
func (m *model) command(cmd Command, kind stdops.NodeKind, around []stdops.NodeIndex, p *policy, back stdops.FlowIndex) bool {
	own := m.nodes[cmd.Node]
	state := stdops.StateNone
	if own != nil {
		state = own.state
	}
	activity := kind == stdops.KindActivity
	switch cmd.Kind {
	case Pause:
		if m.root != stdops.StateRunning {
			return false
		}
		m.root = stdops.StateSuspended
		return true
	case Resume:
		if m.root != stdops.StateSuspended {
			return false
		}
		m.root = stdops.StateRunning
		return true
	case Revoke:
		if !m.open() {
			return false
		}
		m.root = stdops.StateRevoked
		return true
	default: // is about a node
	}
	if !m.open() || cmd.Node == stdops.RootNode {
		return false
	}
	switch cmd.Kind {
	case NodePause:
		if kind == stdops.KindSubprocess || state != stdops.StateNone && state != stdops.StateReady {
			return false
		}
		own = m.at(cmd.Node, around)
		own.state, own.loop, own.inner = stdops.StateSuspended, max(own.loop, 1), max(own.inner, 1)
	case NodeResume:
		if kind == stdops.KindSubprocess || state != stdops.StateSuspended {
			return false
		}
		own.state = stdops.StateReady
	case SubPause:
		if kind != stdops.KindSubprocess || state != stdops.StateRunning {
			return false
		}
		own.state = stdops.StateSuspended
	case SubResume:
		if kind != stdops.KindSubprocess || state != stdops.StateSuspended {
			return false
		}
		own.state = stdops.StateRunning
	case Retry:
		if activity && !p.retry || !activity && cmd.Inputs.Len() > 0 || state != stdops.StateFailed {
			return false
		}
		m.retry(own)
		if v, given := cmd.Inputs.Get("in"); given {
			own.replaced = v
		}
	case Skip:
		if !activity || !p.skip || state != stdops.StateFailed {
			return false
		}
		m.skip(own)
	case SkipBranch:
		if kind != stdops.KindExclusive || state != stdops.StateFailed {
			return false
		}
		m.skip(own)
		own.back = cmd.Flows[0] == back
	case ForceFail:
		if !activity || state != stdops.StateRunning {
			return false
		}
		m.fail(own)
		own.version++
	case CallBack:
		polls := state == stdops.StateRunning && (!own.due.IsZero() || own.out && own.call > 0 && !own.called)
		if !activity || state != stdops.StateRunning || polls || !p.many && len(own.callbacks) > 0 {
			return false
		}
		own.callbacks = append(own.callbacks, 1)
		m.takeCallback(own)
	default:
		panic("a command that is never drawn")
	}
	return true
}

// crash deals with the calls that were out (2.11).
func (m *model) crash() {
	for _, own := range m.nodes {
		switch {
		case !own.out:
		case own.policy.once, own.call == 0 && m.root.Ended():
			m.fail(own)
		case m.root.Ended():
			own.out, own.waits, own.called = false, true, false
		default: // called again, under the same key and about the same
			own.out, own.wants = false, true
		}
	}
}
