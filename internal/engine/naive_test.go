package engine

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/flow"
	"github.com/stdops/stdops/internal/plugin"
)

// naive runs a graph the simple way, one node after the other with everything succeeding, and counts.
type naive struct {
	graph *flow.Graph
	loop  map[stdops.NodeIndex]int32
	inner map[stdops.NodeIndex]int32
}

// run enters n and all that follows, up to the node until.
func (v *naive) run(n, until stdops.NodeIndex) {
	for n != until {
		node := &v.graph.Nodes[n]
		v.loop[n]++
		v.inner[n]++
		switch node.Kind {
		case stdops.KindEndEvent:
			return
		case stdops.KindSubprocess:
			for _, child := range node.Pipeline.Children {
				v.inner[child] = 0
			}
			v.run(node.Pipeline.Start, flow.NoNode)
		case stdops.KindParallel, stdops.KindConditionalParallel:
			seen := map[stdops.NodeIndex]bool{}
			for _, e := range v.open(node) {
				if !seen[e.Target] {
					v.run(e.Target, node.Converge)
				}
				seen[e.Target] = true
			}
			n = node.Converge
			continue
		case stdops.KindExclusive:
			n = v.open(node)[0].Target
			continue
		default:
		}
		n = node.Out[0].Target
	}
}

func (v *naive) open(node *flow.Node) (open []flow.Edge) {
	if node.Kind == stdops.KindParallel {
		return node.Out
	}
	for _, b := range node.Branches {
		if v.holds(b.Evaluate) {
			open = append(open, b.Edge)
		}
	}
	switch {
	case len(open) > 0:
		return open
	case node.Default != nil:
		return []flow.Edge{*node.Default}
	default:
		return passed(node)
	}
}

// passed gives the branches along which the test skips a gateway that has none open.
func passed(node *flow.Node) []flow.Edge {
	if node.Kind == stdops.KindExclusive {
		return node.Out[len(node.Out)-1:]
	}
	return node.Out[:(len(node.Out)+1)/2]
}

// holds knows the conditions that drawLooping draws.
func (v *naive) holds(condition string) bool {
	var n stdops.NodeIndex
	var limit int32
	if _, err := fmt.Sscanf(condition, "${loop%d} < %d", &n, &limit); err == nil {
		return v.loop[n] < limit
	}
	if _, err := fmt.Sscanf(condition, "${inner%d} < %d", &n, &limit); err == nil {
		return v.inner[n] < limit
	}
	return strings.HasPrefix(condition, "1 == 1")
}

// drawLooping draws a graph with all kinds of nodes, several flows to one node, branches without any node, default
// branches and loops, also inside of parallel branches and of subprocesses.
func drawLooping(t *rapid.T) *flow.Graph {
	budget := rapid.IntRange(1, 16).Draw(t, "nodes")
	var sequence func(b *builder, p stdops.NodeIndex, heads []head, depth int) []head
	sequence = func(b *builder, p stdops.NodeIndex, heads []head, depth int) []head {
		for range rapid.IntRange(0, 3).Draw(t, "length") {
			if budget--; budget < 0 {
				return heads
			}
			inner := func(_ int, heads []head) []head { return sequence(b, p, heads, depth+1) }
			kind := rapid.IntRange(0, 5).Draw(t, "kind")
			if depth > 3 {
				kind = 0
			}
			switch kind {
			case 1:
				heads = b.gateway(stdops.KindParallel, p, heads, make([]string, rapid.IntRange(1, 3).Draw(t, "branches")), inner)
				b.doubleFlow(t)
			case 2, 3:
				gateway := stdops.KindConditionalParallel
				if kind == 3 {
					gateway = stdops.KindExclusive
				}
				heads = b.gateway(gateway, p, heads, drawConditions(t, kind == 3), inner)
				b.useDefault(t)
			case 4:
				heads = b.subprocess(p, heads, func(b *builder, p stdops.NodeIndex, heads []head) []head {
					return sequence(b, p, heads, depth+1)
				})
			case 5:
				first := stdops.NodeIndex(len(b.g.Nodes))
				heads = sequence(b, p, b.activity(p, heads, nil), depth+1)
				heads = backTo(b, p, heads, first, b.counter(p, first, rapid.Bool().Draw(t, "inner"), rapid.IntRange(1, 3).Draw(t, "times")))
			default:
				heads = b.activity(p, heads, nil)
			}
		}
		return heads
	}
	return build(func(b *builder, p stdops.NodeIndex, heads []head) []head { return sequence(b, p, heads, 0) })
}

// counter feeds a variable from a loop counter of n and gives the condition that it is below a limit.
func (b *builder) counter(p, n stdops.NodeIndex, inner bool, limit int) string {
	key, name := "_loop", fmt.Sprintf("loop%d", n)
	if inner {
		key, name = "_inner_loop", fmt.Sprintf("inner%d", n)
	}
	b.g.Nodes[p].Pipeline.Variables[name] = flow.Variable{Output: true}
	a := b.g.Nodes[n].Activity
	a.Outputs = append(a.Outputs, flow.Mapping{Key: key, Variable: name})
	return fmt.Sprintf("${%s} < %d", name, limit)
}

// last gives the branching gateway that the last converge gateway belongs to.
func (b *builder) last() *flow.Node {
	j := stdops.NodeIndex(len(b.g.Nodes) - 1)
	for i := range b.g.Nodes {
		if b.g.Nodes[i].Converge == j {
			return &b.g.Nodes[i]
		}
	}
	return nil
}

// doubleFlow may add a second flow to the target of the last parallel gateway's first.
func (b *builder) doubleFlow(t *rapid.T) {
	if g := b.last(); rapid.Bool().Draw(t, "twice") {
		g.Out = append(g.Out, g.Out[0])
	}
}

// useDefault may close all branches of the last gateway but a default one, or all of them: it has to be skipped then.
func (b *builder) useDefault(t *rapid.T) {
	g, draw := b.last(), rapid.IntRange(0, 4).Draw(t, "default")
	if draw > 1 {
		return
	}
	for i := range g.Branches {
		g.Branches[i].Evaluate = "1 == 2"
	}
	if draw == 0 {
		g.Default = &flow.Edge{Flow: g.Out[0].Flow, Target: g.Out[0].Target}
	}
}

// TestDecideRunsWhatANaiveInterpreterRuns answers calls in any order, with crashes and pauses in between, and skips
// gateways that have no branch open; which nodes ran in the end, and how often, is what the naive interpreter says.
func TestDecideRunsWhatANaiveInterpreterRuns(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(rt, drawLooping(rt), nil, stubs()...)
		mustStart(rt, w)
		for range 3000 {
			if w.st.root.State.Ended() {
				break
			}
			switch rapid.IntRange(0, 9).Draw(rt, "event") {
			case 0:
				w.crashes++
				w.crash()
			case 1:
				w.step(Command{Kind: Pause}, Command{Kind: Pause})
			case 2:
				w.now = w.now.Add(time.Second)
				n := stdops.NodeIndex(rapid.IntRange(1, len(w.graph.Nodes)-1).Draw(rt, "node"))
				w.step(Command{Kind: NodePause, Node: n}, Command{Kind: SubPause, Node: n})
			default:
				w.goOn(rt)
			}
		}
		if w.st.root.State != stdops.StateFinished {
			rt.Fatalf("the task did not finish: %v", w.states())
		}
		w.compare(rt)
	})
}

// goOn lets a call end, or takes a pause back when none is out.
func (w *world) goOn(t *rapid.T) {
	if len(w.calls) > 0 {
		w.answerCall(rapid.IntRange(0, len(w.calls)-1).Draw(t, "call"), plugin.Done, false)
		return
	}
	w.step(Command{Kind: Resume})
	for i, n := range w.st.nodes {
		switch {
		case n == nil:
		case n.State == stdops.StateSuspended:
			w.step(Command{Kind: NodeResume, Node: stdops.NodeIndex(i)}, Command{Kind: SubResume, Node: stdops.NodeIndex(i)})
		case n.State == stdops.StateFailed:
			w.pass(stdops.NodeIndex(i))
		}
	}
}

// pass skips a gateway that has no branch open.
func (w *world) pass(n stdops.NodeIndex) {
	w.t.Helper()
	cmd := Command{Kind: SkipBranches, Node: n}
	if w.graph.Nodes[n].Kind == stdops.KindExclusive {
		cmd.Kind = SkipBranch
	}
	for _, e := range passed(&w.graph.Nodes[n]) {
		cmd.Flows = append(cmd.Flows, e.Flow)
	}
	if err := w.step(cmd); err != nil {
		w.t.Fatalf("gateway %s cannot be skipped: %v", w.graph.Nodes[n].Name, err)
	}
}

func (w *world) compare(t *rapid.T) {
	v := &naive{w.graph, make(map[stdops.NodeIndex]int32), make(map[stdops.NodeIndex]int32)}
	v.run(w.graph.Nodes[0].Pipeline.Start, flow.NoNode)
	kept := make(map[stdops.NodeIndex]int32)
	for _, a := range w.record.attempts {
		if a.State.State == stdops.StateFailed && !a.State.Skip { // a gateway before it was skipped
			continue
		}
		kept[a.State.Node]++
		if a.State.Loop != kept[a.State.Node] || a.State.State != stdops.StateFinished {
			t.Errorf("kept attempt %d of node %d: %+v", kept[a.State.Node], a.State.Node, a.State)
		}
	}
	entered := make(map[stdops.NodeIndex]int32)
	for _, move := range w.record.log {
		if move.To == stdops.StateRunning && move.From != stdops.StateSuspended {
			entered[move.Node]++
		}
	}
	for i := 1; i < len(w.graph.Nodes); i++ {
		n := stdops.NodeIndex(i)
		var loop, inner int32
		if own := w.st.nodes[i]; own != nil && own.Order > 0 {
			loop, inner = own.Loop, own.InnerLoop
		}
		if loop != v.loop[n] || inner != v.inner[n] || entered[n] != v.loop[n] || kept[n] != max(0, v.loop[n]-1) {
			t.Fatalf("%s ran %d times (%d inside, entered %d, %d attempts kept), want %d (%d)", w.graph.Nodes[i].Name,
				loop, inner, entered[n], kept[n], v.loop[n], v.inner[n])
		}
	}
	for token, f := range w.st.forks {
		t.Errorf("thread %d is left: %+v", token, f)
	}
	for key, n := range w.started {
		if n > 1+w.crashes {
			t.Errorf("call %s began %d times with %d crashes", key, n, w.crashes)
		}
	}
}
