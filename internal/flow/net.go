package flow

import (
	"github.com/stdops/stdops"
)

// net is one level as a graph of numbers, for the rules that follow flows: 0 is the start event, 1 the end event, then
// activities and gateways in the order of the document.
type net struct {
	tree  *Tree
	at    string
	nodes []*node
	place map[string]int
	out   [][]int // targets in the order of `outgoing`
	in    [][]int // sources in the order of `incoming`
	match []int   // matched converge gateway of a branching gateway, none otherwise
}

const (
	startPlace = 0
	endPlace   = 1
	none       = -1
)

// newNet connects the nodes of a level. It refuses flows that are missing, that lead nowhere, or that nodes and
// flows tell differently, and checks degrees and targets (rule G1), also for nodes that dangle.
func newNet(l level) (*net, error) {
	g := &net{tree: l.tree, at: l.at, nodes: l.tree.all()}
	g.place = make(map[string]int, len(g.nodes))
	for i, n := range g.nodes {
		g.place[n.id] = i
	}
	g.out, g.in = make([][]int, len(g.nodes)), make([][]int, len(g.nodes))
	for i := range g.nodes {
		if err := g.connect(i); err != nil {
			return nil, err
		}
	}
	if err := g.checkFlows(); err != nil {
		return nil, err
	}
	for i := range g.nodes {
		if err := g.checkDegree(i); err != nil {
			return nil, err
		}
	}
	return g, nil
}

func (g *net) path(i int) string { return g.at + g.nodes[i].path() }

func (g *net) kind(i int) stdops.NodeKind { return g.nodes[i].kind }

// connect resolves the flows of one node and checks that they know it.
func (g *net) connect(i int) error {
	n := g.nodes[i]
	seen := make(map[string]bool, len(n.out)+len(n.in))
	for _, id := range n.out {
		f := g.tree.lines[id]
		switch {
		case f == nil:
			return invalid(g.path(i)+".outgoing", "flow %q does not exist", stdops.Short(id))
		case f.source != n.id:
			return invalid(g.path(i)+".outgoing", "flow %q begins at another node, %q", stdops.Short(id), stdops.Short(f.source))
		case seen[id]:
			return invalid(g.path(i)+".outgoing", "flow %q is named twice", stdops.Short(id))
		}
		seen[id] = true
		j, ok := g.place[f.target]
		if !ok {
			return invalid(g.at+"flows."+stdops.Short(id)+".target", "node %q does not exist", stdops.Short(f.target))
		}
		g.out[i] = append(g.out[i], j)
	}
	clear(seen)
	for _, id := range n.in {
		f := g.tree.lines[id]
		switch {
		case f == nil:
			return invalid(g.path(i)+".incoming", "flow %q does not exist", stdops.Short(id))
		case f.target != n.id:
			return invalid(g.path(i)+".incoming", "flow %q leads to another node, %q", stdops.Short(id), stdops.Short(f.target))
		case seen[id]:
			return invalid(g.path(i)+".incoming", "flow %q is named twice", stdops.Short(id))
		}
		seen[id] = true
		j, ok := g.place[f.source]
		if !ok {
			return invalid(g.at+"flows."+stdops.Short(id)+".source", "node %q does not exist", stdops.Short(f.source))
		}
		g.in[i] = append(g.in[i], j)
	}
	return nil
}

// checkFlows refuses flows that their own ends do not name. The named ones were checked, so counting is enough.
func (g *net) checkFlows() error {
	named := map[string]int{}
	for _, n := range g.nodes {
		for _, id := range n.out {
			named[id]++
		}
		for _, id := range n.in {
			named[id]++
		}
	}
	for _, f := range g.tree.flows {
		if named[f.id] == 2 {
			continue
		}
		path := g.at + "flows." + stdops.Short(f.id)
		if _, ok := g.place[f.source]; !ok {
			return invalid(path+".source", "node %q does not exist", stdops.Short(f.source))
		}
		if _, ok := g.place[f.target]; !ok {
			return invalid(path+".target", "node %q does not exist", stdops.Short(f.target))
		}
		return invalid(path, "the flow is not named in outgoing of %q and incoming of %q", stdops.Short(f.source), stdops.Short(f.target))
	}
	return nil
}

// checkDegree is rule G1 for one node. There is no upper limit of branches but the limit of nodes.
func (g *net) checkDegree(i int) error {
	in, out := len(g.in[i]), len(g.out[i])
	switch kind := g.kind(i); {
	case kind == stdops.KindStartEvent && in > 0:
		return invalid(g.path(i), "no flow may lead to the start event")
	case kind == stdops.KindEndEvent && out > 0:
		return invalid(g.path(i), "no flow may leave the end event")
	case kind != stdops.KindStartEvent && in == 0:
		return invalid(g.path(i), "no flow leads to this node")
	case kind == stdops.KindEndEvent:
		return nil
	case out == 0:
		return invalid(g.path(i), "no flow leaves this node")
	case out > 1 && !conditional(kind) && !parallel(kind):
		return invalid(g.path(i), "only one flow may leave this node, %d do", out)
	case kind == stdops.KindStartEvent && g.out[i][0] == endPlace:
		return invalid(g.path(i), "a flow from the start event must not lead straight to the end event")
	}
	return nil
}

// checkConditions refuses branches that nothing can open and conditions for flows that are no branches.
func (g *net) checkConditions() error {
	for i, n := range g.nodes {
		if !conditional(n.kind) {
			continue
		}
		open := make(map[string]bool, len(n.out))
		for _, id := range n.out {
			open[id] = false
		}
		for _, c := range n.conditions {
			if _, ok := open[c.flow]; !ok {
				return invalid(g.path(i)+".conditions", "flow %q does not leave this gateway", stdops.Short(c.flow))
			}
			open[c.flow] = true
		}
		if _, ok := open[n.fallback]; !ok && n.fallback != "" {
			return invalid(g.path(i)+".default_condition.flow_id", "flow %q does not leave this gateway", stdops.Short(n.fallback))
		}
		for _, id := range n.out {
			if !open[id] && id != n.fallback {
				return invalid(g.path(i)+".conditions", "flow %q has no condition and is not the default", stdops.Short(id))
			}
		}
	}
	return nil
}

// writeMatches tells the tree which converge gateways were found.
func (g *net) writeMatches() {
	for i, n := range g.nodes {
		if n.kind.Gateway() && n.kind != stdops.KindConverge {
			n.converge = ""
			if m := g.match[i]; m != none {
				n.converge = g.nodes[m].id
			}
		}
	}
}
