package engine

import (
	"fmt"
	"time"

	"pgregory.net/rapid"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/flow"
)

// builder makes compiled graphs for tests, without a tree on the wire.
type builder struct {
	g     flow.Graph
	count int
}

// head is an open end: the edge that leaves node waits for its target.
type head struct {
	node stdops.NodeIndex
	edge int
}

// build makes a graph of a root pipeline whose inside is drawn by inside.
func build(inside func(b *builder, pipeline stdops.NodeIndex, from []head) []head) *flow.Graph {
	b := &builder{}
	b.add(stdops.KindPipeline, 0)
	b.fill(0, inside)
	return &b.g
}

func (b *builder) add(kind stdops.NodeKind, parent stdops.NodeIndex) stdops.NodeIndex {
	n := stdops.NodeIndex(len(b.g.Nodes))
	b.count++
	node := flow.Node{Kind: kind, Name: fmt.Sprintf("%s%d", kindLetter[kind], b.count), Parent: parent, Converge: flow.NoNode}
	if kind == stdops.KindPipeline || kind == stdops.KindSubprocess {
		node.Pipeline = &flow.Pipeline{Variables: map[string]flow.Variable{}}
	}
	b.g.Nodes = append(b.g.Nodes, node)
	if n != 0 {
		p := b.g.Nodes[parent].Pipeline
		p.Children = append(p.Children, n)
	}
	return n
}

var kindLetter = map[stdops.NodeKind]string{
	stdops.KindPipeline: "P", stdops.KindSubprocess: "S", stdops.KindActivity: "A", stdops.KindStartEvent: "s",
	stdops.KindEndEvent: "e", stdops.KindExclusive: "X", stdops.KindParallel: "G", stdops.KindConditionalParallel: "C",
	stdops.KindConverge: "J",
}

func (b *builder) fill(p stdops.NodeIndex, inside func(*builder, stdops.NodeIndex, []head) []head) {
	start := b.add(stdops.KindStartEvent, p)
	heads := inside(b, p, []head{b.open(start)})
	end := b.add(stdops.KindEndEvent, p)
	b.join(heads, end)
	b.g.Nodes[p].Pipeline.Start, b.g.Nodes[p].Pipeline.End = start, end
}

// open gives node one more outgoing edge.
func (b *builder) open(n stdops.NodeIndex) head {
	node := &b.g.Nodes[n]
	node.Out = append(node.Out, flow.Edge{Flow: stdops.FlowIndex(len(b.g.Flows)), Target: flow.NoNode})
	b.g.Flows = append(b.g.Flows, flow.Flow{Source: n})
	return head{n, len(node.Out) - 1}
}

func (b *builder) join(heads []head, target stdops.NodeIndex) {
	for _, h := range heads {
		edge := &b.g.Nodes[h.node].Out[h.edge]
		edge.Target = target
		b.g.Flows[edge.Flow].Target = target
		for i := range b.g.Nodes[h.node].Branches {
			if br := &b.g.Nodes[h.node].Branches[i]; br.Flow == edge.Flow {
				br.Target = target
			}
		}
		if d := b.g.Nodes[h.node].Default; d != nil && d.Flow == edge.Flow {
			d.Target = target
		}
		b.g.Nodes[target].In++
	}
}

// activity adds an activity after heads.
func (b *builder) activity(p stdops.NodeIndex, heads []head, change func(*flow.Activity)) []head {
	n := b.add(stdops.KindActivity, p)
	b.g.Nodes[n].Activity = &flow.Activity{Code: "work", Version: "legacy", Skippable: true, Retryable: true}
	if change != nil {
		change(b.g.Nodes[n].Activity)
	}
	b.join(heads, n)
	return []head{b.open(n)}
}

// gateway adds a branching gateway whose branches are drawn one after the other and joined in a converge gateway.
func (b *builder) gateway(kind stdops.NodeKind, p stdops.NodeIndex, heads []head, conditions []string,
	branch func(i int, heads []head) []head,
) []head {
	n := b.add(kind, p)
	b.join(heads, n)
	var ends []head
	for i, condition := range conditions {
		h := b.open(n)
		if kind != stdops.KindParallel {
			b.g.Nodes[n].Branches = append(b.g.Nodes[n].Branches, flow.Branch{Edge: b.g.Nodes[n].Out[h.edge], Evaluate: condition})
		}
		ends = append(ends, branch(i, []head{h})...)
	}
	j := b.add(stdops.KindConverge, p)
	b.join(ends, j)
	b.g.Nodes[n].Converge = j
	return []head{b.open(j)}
}

// subprocess adds a subprocess whose inside is drawn by inside.
func (b *builder) subprocess(p stdops.NodeIndex, heads []head, inside func(*builder, stdops.NodeIndex, []head) []head) []head {
	n := b.add(stdops.KindSubprocess, p)
	b.join(heads, n)
	out := b.open(n)
	b.fill(n, inside)
	return []head{out}
}

// drawGraph draws a random graph with all kinds of nodes.
func drawGraph(t *rapid.T) *flow.Graph {
	budget := rapid.IntRange(1, 14).Draw(t, "nodes")
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
			case 2:
				heads = b.gateway(stdops.KindConditionalParallel, p, heads, drawClosed(t, drawConditions(t, false)), inner)
			case 3:
				heads = b.gateway(stdops.KindExclusive, p, heads, drawClosed(t, drawConditions(t, true)), inner)
			case 4:
				heads = b.subprocess(p, heads, func(b *builder, p stdops.NodeIndex, heads []head) []head {
					if rapid.IntRange(0, 3).Draw(t, "heavy") == 0 { // too large to be entered, unless v is small
						b.g.Nodes[p].Pipeline.Params = []flow.Param{{Key: "p", Value: "${'a' * int(v) ** 9}", Render: true}}
					}
					return sequence(b, p, heads, depth+1)
				})
			default:
				heads = b.activity(p, heads, func(a *flow.Activity) { drawPolicy(t, a) })
			}
		}
		return heads
	}
	return build(func(b *builder, p stdops.NodeIndex, heads []head) []head {
		b.g.Nodes[p].Pipeline.Variables["v"] = flow.Variable{Shown: true}
		return sequence(b, p, heads, 0)
	})
}

func drawConditions(t *rapid.T, one bool) []string {
	conditions := make([]string, rapid.IntRange(1, 3).Draw(t, "conditions"))
	open := rapid.IntRange(0, len(conditions)-1).Draw(t, "open")
	for i := range conditions {
		conditions[i] = "1 == 2"
		if i == open || !one && rapid.Bool().Draw(t, "also") {
			conditions[i] = "1 == 1"
		}
	}
	return conditions
}

// drawClosed may close all branches: such a gateway fails whenever it is reached, and can only be skipped.
func drawClosed(t *rapid.T, conditions []string) []string {
	if rapid.IntRange(0, 3).Draw(t, "closed") == 0 {
		for i := range conditions {
			conditions[i] = "1 == 2"
		}
	}
	return conditions
}

func drawPolicy(t *rapid.T, a *flow.Activity) {
	a.Code = rapid.SampledFrom([]string{"work", "poll", "wait", "many", "once"}).Draw(t, "plugin")
	a.Inputs = []flow.Input{{Key: "v", Value: "${v}", Render: true}}
	a.IgnoreErrors = rapid.IntRange(0, 4).Draw(t, "ignore") == 0
	if rapid.IntRange(0, 4).Draw(t, "auto") == 0 {
		a.AutoRetry = flow.AutoRetry{Times: rapid.IntRange(1, 3).Draw(t, "times"), Interval: time.Duration(rapid.IntRange(0, 5).Draw(t, "interval")) * time.Second}
	}
	if rapid.IntRange(0, 5).Draw(t, "limited") == 0 {
		a.Timeout = flow.Timeout{After: time.Duration(rapid.IntRange(1, 20).Draw(t, "limit")) * time.Second, ThenSkip: rapid.Bool().Draw(t, "skip")}
	}
}
