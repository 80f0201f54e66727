package flow

import (
	"slices"

	"github.com/stdops/stdops"
)

// Selection says what a selection of nodes did to a tree.
type Selection struct {
	// NotReferred holds the constants that nothing refers to any more, by key, as they were.
	NotReferred *stdops.Object
}

// Except gives the activities of the root level that are not in keep, sorted: what to leave out where a caller names
// the nodes to execute.
func (t *Tree) Except(keep []string) []string {
	kept := make(map[string]bool, len(keep))
	for _, id := range keep {
		kept[id] = true
	}
	var rest []string
	for _, n := range t.activities {
		if !kept[n.id] {
			rest = append(rest, n.id)
		}
	}
	slices.Sort(rest)
	return rest
}

// ExceptOptional is [Tree.Except] for execution schemes and appointed nodes: what is not optional runs whether keep
// names it or not.
func (t *Tree) ExceptOptional(keep []string) []string {
	return slices.DeleteFunc(t.Except(keep), func(id string) bool { return !flag(t.nodes[id].raw, "optional", true) })
}

// Select leaves activities of the root level out (docs/spec/engine.md 1.10): their flows are closed, parallel gateways
// with nothing left between them and their converge gateway are removed, and so are constants that nothing refers to.
// After an error the tree must not be used. Whether the rest is a valid tree is for [Tree.Validate] to say.
func (t *Tree) Select(exclude []string) (*Selection, error) {
	return t.leaveOut(exclude, nil)
}

// SelectChild is [Tree.Select] for a tree that becomes a subprocess: the custom constants among its outputs stay, although
// nothing inside refers to them, because the parent may.
func (t *Tree) SelectChild(exclude []string) (*Selection, error) {
	var kept []string
	for _, c := range t.constants {
		if c.SourceType == sourceCustom && slices.Contains(t.outputs, c.Key) {
			kept = append(kept, c.Key)
		}
	}
	return t.leaveOut(exclude, kept)
}

// leaveOut leaves activities out. kept names constants that stay in any case.
func (t *Tree) leaveOut(exclude, kept []string) (*Selection, error) {
	s := &selector{tree: t, gone: map[string]bool{}}
	for _, id := range exclude {
		if err := s.leaveOut(id); err != nil {
			return nil, err
		}
	}
	if err := s.trimParallel(); err != nil {
		return nil, err
	}
	s.sweep()
	dropped := t.pruneConstants(s.gone, kept)
	t.numbered = false
	return &Selection{NotReferred: dropped}, nil
}

type selector struct {
	tree *Tree
	gone map[string]bool // ids of nodes that are removed
}

func (s *selector) leaveOut(id string) error {
	n := s.tree.nodes[id]
	if n == nil || n.section() != "activities" || s.gone[id] {
		return stdops.Errorf(stdops.CodeInvalid, "task node[id=%s] is not in template pipeline tree", stdops.Short(id))
	}
	if !flag(n.raw, "optional", true) {
		return stdops.Errorf(stdops.CodeInvalid, "task node[id=%s] is not optional", stdops.Short(id))
	}
	if len(n.out) != 1 {
		return invalid(n.path(), "no flow leaves this node, so it cannot be left out")
	}
	next := s.target(n.out[0])
	if next == nil || next == n {
		return invalid(n.path(), "the flow behind this node leads nowhere, so it cannot be left out")
	}
	s.gone[id] = true
	next.in = slices.DeleteFunc(next.in, func(flow string) bool { return flow == n.out[0] })
	s.lead(n.in, next)
	delete(s.tree.lines, n.out[0])
	return nil
}

func (s *selector) target(flow string) *node {
	if l := s.tree.lines[flow]; l != nil {
		return s.tree.nodes[l.target]
	}
	return nil
}

// lead makes flows lead to a node.
func (s *selector) lead(flows []string, to *node) {
	for _, id := range flows {
		if l := s.tree.lines[id]; l != nil {
			l.target = to.id
			to.in = append(to.in, id)
		}
	}
}

// trimParallel removes parallel gateways whose branches are all empty, and empty branches of the others. Removing an
// inner pair can make a branch of an outer one empty, so it goes on until nothing is left to remove.
func (s *selector) trimParallel() error {
	if !slices.ContainsFunc(s.tree.gateways, func(n *node) bool { return n.kind == stdops.KindParallel }) {
		return nil
	}
	s.sweep()
	g, err := newNet(level{tree: s.tree})
	if err != nil {
		return err
	}
	if err := g.settle(); err != nil {
		return err
	}
	forks := g.innerFirst()
	for again := true; again; {
		again = false
		for _, i := range forks {
			if n := g.nodes[i]; !s.gone[n.id] && s.trim(n, g.nodes[g.match[i]]) {
				again = true
			}
		}
	}
	return nil
}

// innerFirst gives the parallel gateways by falling distance from the start, so that one round is mostly enough to trim
// those that lie inside each other.
func (g *net) innerFirst() []int {
	var forks []int
	for i, n := range g.nodes {
		if n.kind == stdops.KindParallel {
			forks = append(forks, i)
		}
	}
	dist := g.distances()
	slices.SortStableFunc(forks, func(a, b int) int { return dist[b] - dist[a] })
	return forks
}

// trim removes the empty branches between a parallel gateway and its converge gateway, and both when no other is left.
func (s *selector) trim(fork, join *node) (removed bool) {
	empty := func(flow string) bool { return s.target(flow) == join }
	if slices.ContainsFunc(fork.out, empty) {
		straight := map[string]bool{}
		fork.out = slices.DeleteFunc(fork.out, func(flow string) bool {
			straight[flow] = empty(flow)
			return straight[flow]
		})
		join.in = slices.DeleteFunc(join.in, func(flow string) bool { return straight[flow] })
		for flow, is := range straight {
			if is {
				delete(s.tree.lines, flow)
			}
		}
	}
	next := s.target(join.out[0])
	if len(fork.out) > 0 || next == nil || next == fork {
		return false
	}
	next.in = slices.DeleteFunc(next.in, func(flow string) bool { return flow == join.out[0] })
	s.lead(join.in, next)
	s.lead(fork.in, next)
	delete(s.tree.lines, join.out[0])
	s.gone[fork.id], s.gone[join.id] = true, true
	return true
}

// sweep takes what was removed out of the lists and the drawing.
func (s *selector) sweep() {
	t := s.tree
	leaves := func(n *node) bool { return s.gone[n.id] }
	t.activities = slices.DeleteFunc(slices.Clone(t.activities), leaves)
	t.gateways = slices.DeleteFunc(slices.Clone(t.gateways), leaves)
	t.flows = slices.DeleteFunc(slices.Clone(t.flows), func(l *line) bool { return t.lines[l.id] == nil })
	for id := range s.gone {
		delete(t.nodes, id)
	}
	raw := t.raw.Clone()
	if list, ok := listOf(t.raw, "line"); ok {
		raw.Set("line", drawn(list, s.redirect))
	}
	if list, ok := listOf(t.raw, "location"); ok {
		raw.Set("location", drawn(list, func(o *stdops.Object) *stdops.Object {
			if s.gone[o.Text("id")] {
				return nil
			}
			return o
		}))
	}
	t.raw = raw
}

// redirect makes a drawn line end where its flow does; its arrows stay. A line whose flow is gone is nil.
func (s *selector) redirect(drawn *stdops.Object) *stdops.Object {
	l := s.tree.lines[drawn.Text("id")]
	if l == nil {
		return nil
	}
	v, _ := drawn.Get("target")
	if !isObject(v) || v.(*stdops.Object).Text("id") == l.target {
		return drawn
	}
	changed := drawn.Clone()
	changed.Set("target", withID(v.(*stdops.Object), l.target))
	return changed
}
