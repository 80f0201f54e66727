package engine

import (
	"fmt"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/flow"
)

// told is what the log of a task tells about one of its nodes, or about the task as a whole.
type told struct {
	state             stdops.State
	loop, inner       int32
	retry             int32
	skip              bool
	started, finished time.Time
	attempts          int // that are kept
}

// follow takes up one transition.
func (n *told) follow(tr *stdops.Transition) {
	if !tr.Moved() {
		return
	}
	entered := tr.To == stdops.StateRunning && tr.From != stdops.StateSuspended
	switch {
	case entered && tr.From == stdops.StateFinished:
		n.loop++
		n.inner++
		n.retry, n.skip = 0, false
		n.attempts++
	case tr.From == stdops.StateFailed && tr.To == stdops.StateReady:
		n.retry++
		n.attempts++
		n.started, n.finished = time.Time{}, time.Time{}
	case tr.From == stdops.StateFailed && tr.To == stdops.StateFinished:
		n.skip = true
		n.attempts++
	}
	switch {
	case revived(tr):
		n.finished = time.Time{}
	case entered:
		n.started, n.finished = tr.Time, time.Time{}
		n.loop, n.inner = max(n.loop, 1), max(n.inner, 1)
	case tr.To == stdops.StateSuspended && tr.From != stdops.StateRunning:
		n.loop, n.inner = max(n.loop, 1), max(n.inner, 1)
	case tr.To == stdops.StateFinished, tr.To == stdops.StateFailed, tr.To == stdops.StateRevoked:
		n.finished = latest(n.started, tr.Time)
	}
	n.state = tr.To
}

// revived reports whether a failed attempt goes on, since its child does.
func revived(tr *stdops.Transition) bool {
	return tr.From == stdops.StateFailed && tr.To == stdops.StateRunning
}

// replay goes through the log of a task and gives what it tells about each node; the root has the index 0.
func (a *audit) replay() []told {
	nodes := make([]told, len(a.graph.Nodes))
	nodes[stdops.RootNode].state = stdops.StateCreated
	var revision, next int64
	for i := range a.Log {
		tr := &a.Log[i]
		place := fmt.Sprintf("log entry %d.%d", tr.Revision, tr.N)
		if tr.Revision != revision {
			revision, next = tr.Revision, 0
		}
		if tr.N != next || tr.Revision < 1 {
			a.wrong("%s: one before it is missing", place)
		}
		next = tr.N + 1
		if tr.Node < 0 || int(tr.Node) >= len(nodes) {
			a.wrong("%s is about node %d, the tree has %d", place, tr.Node, len(nodes))
			continue
		}
		n := &nodes[tr.Node]
		if tr.From != n.state {
			a.wrong("%s: %s went from %s to %s, but it was %s", place, a.name(tr.Node), word(tr.From), tr.To, word(n.state))
		}
		if !mayFollow(&tr.Transition) || !belongs(tr.Node, tr.To) || revived(&tr.Transition) && a.graph.Nodes[tr.Node].Activity == nil {
			a.wrong("%s: %s went from %s to %s, which is not legal", place, a.name(tr.Node), word(tr.From), tr.To)
		}
		n.follow(&tr.Transition)
		a.startsAnew(nodes, tr)
	}
	if revision > a.Task.Root.Revision {
		a.wrong("its log has entries up to revision %d, it is at revision %d", revision, a.Task.Root.Revision)
	}
	return nodes
}

// mayFollow reports whether the log may have an entry: a legal transition, or that somebody gave a command that changes no
// state.
func mayFollow(tr *stdops.Transition) bool {
	if tr.Moved() {
		return mayBecome(tr.From, tr.To)
	}
	if tr.Node == stdops.RootNode {
		return !tr.To.Ended()
	}
	return tr.To == stdops.StateFailed || tr.To == stdops.StateRunning
}

// belongs reports whether a task, or a node, can be in that state at all.
func belongs(n stdops.NodeIndex, s stdops.State) bool {
	if n == stdops.RootNode {
		return s != stdops.StateFailed && s != stdops.StateReady
	}
	return s != stdops.StateRevoked && s != stdops.StateCreated
}

// startsAnew lets the inner loops of the nodes of a subprocess start anew when it is entered.
func (a *audit) startsAnew(nodes []told, tr *stdops.LoggedTransition) {
	node := &a.graph.Nodes[tr.Node]
	if node.Kind == stdops.KindSubprocess && tr.Moved() && tr.To == stdops.StateRunning && tr.From != stdops.StateSuspended {
		for _, child := range node.Pipeline.Children {
			nodes[child].inner = 0
		}
	}
}

// compare holds what the log tells against what is stored.
func (a *audit) compare(nodes []told) {
	root := &a.Task.Root
	if t := nodes[stdops.RootNode]; t.state != root.State || !t.started.Equal(root.Started) || !t.finished.Equal(root.Finished) {
		a.wrong("it is %s (%s to %s), its log says %s (%s to %s)", root.State, moment(root.Started), moment(root.Finished),
			t.state, moment(t.started), moment(t.finished))
	}
	kept := make(map[stdops.NodeIndex]int)
	for i := range a.Attempts {
		kept[a.Attempts[i].State.Node]++
	}
	for i := 1; i < len(nodes); i++ {
		n := stdops.NodeIndex(i)
		var stored told
		if own := a.states[n]; own != nil {
			stored = told{own.State, own.Loop, own.InnerLoop, own.Retry, own.Skip, own.Started, own.Finished, 0}
		}
		stored.attempts = kept[n]
		if says := nodes[i]; !says.equal(&stored) {
			a.wrong("%s is %s, its log says %s", a.name(n), &stored, &says)
		}
	}
}

func (n *told) equal(o *told) bool {
	return n.state == o.state && n.loop == o.loop && n.inner == o.inner && n.retry == o.retry && n.skip == o.skip &&
		n.started.Equal(o.started) && n.finished.Equal(o.finished) && n.attempts == o.attempts
}

// String gives all of it for a person who looks for a difference.
func (n *told) String() string {
	return fmt.Sprintf("%s (loop %d, inner loop %d, retry %d, skip %t, %s to %s, %d attempts kept)",
		word(n.state), n.loop, n.inner, n.retry, n.skip, moment(n.started), moment(n.finished), n.attempts)
}

// word gives the word of a state, also of that of a node that was never reached.
func word(s stdops.State) string {
	if s == stdops.StateNone {
		return "not reached"
	}
	return s.String()
}

func moment(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Format(time.RFC3339Nano)
}

// name tells people which node is meant.
func (a *audit) name(n stdops.NodeIndex) string {
	switch {
	case n == stdops.RootNode:
		return "the task"
	case n < 0 || int(n) >= len(a.graph.Nodes):
		return fmt.Sprintf("node %d, which the tree does not have", n)
	}
	return fmt.Sprintf("node %d (%s %q, %s)", n, a.graph.Nodes[n].Kind, a.graph.Nodes[n].Name, stdops.NodeID(a.Task.ID, n))
}

// enclosing gives the subprocesses around a node, innermost first.
func enclosing(g *flow.Graph, n stdops.NodeIndex) (around []stdops.NodeIndex) {
	for p := g.Nodes[n].Parent; p != stdops.RootNode; p = g.Nodes[p].Parent {
		around = append(around, p)
	}
	return around
}
