package flow

import (
	"slices"

	"github.com/stdops/stdops"
)

// Matching finds for every branching gateway the converge gateway where its branches meet (docs/spec/engine.md 8.3, G3).
//
//	     ┌─ A ──────────┐
//	S ─ PG              CG ─ E      EG's branches reach CG themselves, so EG shares CG with PG: it may,
//	     └─ EG ─┬─ B ───┤           a second parallel gateway may not.
//	            └─ C ───┘
//
// Gateways are taken by their distance from the start, so an outer one comes before those inside it; those are matched
// on the way, when a branch of the outer one runs into them, and jumped over.

// matcher is the state of the search. All slices are by node.
type matcher struct {
	*net
	first    [][]int // per branch the first node that is no activity; while matching it moves on to where the branch ends
	dist     []int   // longest way from the start event, loops cut; none where there is no way
	ahead    []int   // converge gateways: branches that reach them from nearer the start
	shared   []bool  // branching gateways: other branches reach the matched converge gateway too
	block    []int   // first block that a node was seen in; a block is what is matched from one gateway on
	open     []int   // position in the stack of gateways that are being matched, none otherwise
	above    []int   // of the stack: parallel gateways up to and with each entry, 0 before the first
	joined   []int   // converge gateways: matches so far
	parallel []bool  // converge gateways: a parallel gateway is among them
	seen     []int   // walk in which a gateway was passed last
	walk     int
	early    bool // a parallel gateway with a single branch meets it at the first converge gateway
}

// settle finds the converge gateways and checks that every node belongs to one stream (rules G3 to G5).
//
// A selection of nodes may leave a parallel gateway with a single branch that holds an exclusive gateway. That one then
// has the converge gateway for itself, and the rules, made for several branches, leave none for the parallel
// gateway. So a tree that is refused gets a second chance with such gateways meeting their branch there.
func (g *net) settle() error {
	err := g.settleWith(false)
	if err != nil && g.singleBranch() && g.settleWith(true) == nil {
		return nil
	}
	return err
}

func (g *net) settleWith(early bool) error {
	if err := g.matchGateways(early); err != nil {
		return err
	}
	return g.checkStreams()
}

func (g *net) singleBranch() bool {
	for i, n := range g.nodes {
		if parallel(n.kind) && len(g.out[i]) == 1 {
			return true
		}
	}
	return false
}

func (g *net) matchGateways(early bool) error {
	m := &matcher{net: g, dist: g.distances(), above: []int{0}, early: early}
	g.match = filled(len(g.nodes), none)
	m.block, m.open = filled(len(g.nodes), none), filled(len(g.nodes), none)
	m.shared, m.parallel = make([]bool, len(g.nodes)), make([]bool, len(g.nodes))
	m.joined, m.seen = make([]int, len(g.nodes)), make([]int, len(g.nodes))
	if err := m.findTargets(); err != nil {
		return err
	}
	var order []int
	for i, n := range g.nodes {
		if n.kind.Gateway() && n.kind != stdops.KindConverge {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return m.dist[a] - m.dist[b] })
	for block, i := range order {
		if err := m.pair(i, block); err != nil {
			return err
		}
	}
	return nil
}

func filled(n, v int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = v
	}
	return list
}

// distances gives the longest way from the start event to every node, without the flows that lead back.
func (g *net) distances() []int {
	dist := filled(len(g.nodes), none)
	dist[startPlace] = 0
	order, back := g.depthFirst()
	for _, i := range slices.Backward(order) {
		for k, j := range g.out[i] {
			if !back[edge{i, k}] {
				dist[j] = max(dist[j], dist[i]+1)
			}
		}
	}
	return dist
}

// edge is the branch-th flow that leaves a node.
type edge struct{ node, branch int }

// depthFirst gives the nodes that the start event reaches, each after all that follow it, and the flows that lead back
// to a node on the way to them.
func (g *net) depthFirst() (order []int, back map[edge]bool) {
	const open, closed = 1, 2
	state, done := make([]byte, len(g.nodes)), make([]int, len(g.nodes))
	back = map[edge]bool{}
	state[startPlace] = open
	for stack := []int{startPlace}; len(stack) > 0; {
		i := stack[len(stack)-1]
		if done[i] == len(g.out[i]) {
			state[i] = closed
			order = append(order, i)
			stack = stack[:len(stack)-1]
			continue
		}
		branch := done[i]
		done[i]++
		switch j := g.out[i][branch]; state[j] {
		case 0:
			state[j] = open
			stack = append(stack, j)
		case open:
			back[edge{i, branch}] = true
		}
	}
	return order, back
}

// findTargets follows every branch to its first node that is no activity.
func (m *matcher) findTargets() error {
	m.first, m.ahead = make([][]int, len(m.nodes)), make([]int, len(m.nodes))
	beyond := filled(len(m.nodes), none)
	for i, n := range m.nodes {
		if !n.kind.Gateway() {
			continue
		}
		if m.dist[i] == none {
			return invalid(m.path(i), "no way leads from the start event to this gateway")
		}
		for _, j := range m.out[i] {
			j, err := m.pastActivities(j, beyond)
			if err != nil {
				return err
			}
			m.first[i] = append(m.first[i], j)
			if m.dist[i] < m.dist[j] {
				m.ahead[j]++
			}
		}
	}
	return nil
}

// pastActivities gives the first node from i on that is no activity; beyond remembers it for all activities passed.
func (m *matcher) pastActivities(i int, beyond []int) (int, error) {
	var passed []int
	end := i
	for m.kind(end) == stdops.KindActivity || m.kind(end) == stdops.KindSubprocess {
		if beyond[end] != none {
			end = beyond[end]
			break
		}
		if len(passed) > len(m.nodes) {
			return none, invalid(m.path(i), "the activities from here on form a circle that nothing leaves")
		}
		passed = append(passed, end)
		end = m.out[end][0]
	}
	for _, p := range passed {
		beyond[p] = end
	}
	return end, nil
}

// pair matches one gateway. Its depth is that of gateways inside each other, which the limit of nodes bounds.
func (m *matcher) pair(i, block int) error {
	if m.match[i] != none {
		return nil
	}
	m.open[i] = len(m.above) - 1
	count := m.above[len(m.above)-1]
	if parallel(m.kind(i)) {
		count++
	}
	m.above = append(m.above, count)
	m.see(i, block)
	for k := range m.first[i] {
		end, err := m.follow(i, m.first[i][k], block)
		if err != nil {
			return err
		}
		m.first[i][k] = end
	}
	m.open[i] = none
	m.above = m.above[:len(m.above)-1]
	return m.judge(i)
}

func (m *matcher) see(i, block int) {
	if m.block[i] == none {
		m.block[i] = block
	}
}

// follow gives where a branch of gateway i that begins at t ends: at a converge gateway, at the end event, at i itself,
// or none for one that leads back or was seen from an earlier gateway.
func (m *matcher) follow(i, t, block int) (int, error) {
	if t == none || m.block[t] != none && m.block[t] < block {
		return none, nil
	}
	m.see(t, block)
	m.walk++
	walk := m.walk
	for t != i && m.branching(t) {
		if m.open[t] != none {
			if m.anyParallel(m.open[t]) {
				return none, m.unmet(i)
			}
			return none, nil
		}
		if m.seen[t] == walk {
			return none, nil // blocks that lead to each other for ever
		}
		m.seen[t] = walk
		if err := m.pair(t, block); err != nil {
			return none, err
		}
		t = m.after(i, t)
	}
	if m.kind(t) == stdops.KindConverge && m.dist[t] < m.dist[i] {
		return none, nil
	}
	return t, nil
}

// alone reports whether the gateway is a parallel one with a single branch.
func (m *matcher) alone(i int) bool { return parallel(m.kind(i)) && len(m.out[i]) == 1 }

func (m *matcher) branching(t int) bool {
	return m.kind(t).Gateway() && m.kind(t) != stdops.KindConverge
}

// anyParallel reports whether a parallel gateway stands in the stack at the position or later.
func (m *matcher) anyParallel(from int) bool { return m.above[len(m.above)-1] > m.above[from] }

// after gives where a branch of gateway i goes on that ran into the matched gateway t.
func (m *matcher) after(i, t int) int {
	c := m.match[t]
	switch {
	case c == none:
		return endPlace
	case m.early && m.alone(i) && !parallel(m.kind(t)):
		return c
	case !m.shared[t], parallel(m.kind(i)) && m.parallel[c]:
		return m.first[c][0]
	default:
		return c
	}
}

func (m *matcher) unmet(i int) error {
	return invalid(m.path(i), "inside a parallel block all branches of a gateway must meet in one converge gateway")
}

// judge decides about a gateway all of whose branches were followed.
func (m *matcher) judge(i int) error {
	exclusive, meet, branches := m.kind(i) == stdops.KindExclusive, none, len(m.first[i])
	for _, t := range m.first[i] {
		converge := t != none && m.kind(t) == stdops.KindConverge
		if converge && meet == none {
			meet = t
		}
		switch {
		case converge && t == meet:
		case exclusive && t == endPlace:
			if m.anyParallel(0) {
				return m.unmet(i)
			}
		case exclusive && (t == i || t == none):
			branches--
		case exclusive && converge:
			return invalid(m.path(i), "all branches must meet the same converge gateway first")
		default:
			return invalid(m.path(i), "the branches of a parallel gateway must all meet in one converge gateway")
		}
	}
	if meet == none {
		return nil
	}
	if err := m.share(i, meet, branches); err != nil {
		return err
	}
	m.match[i] = meet
	m.joined[meet]++
	m.parallel[meet] = m.parallel[meet] || !exclusive
	return nil
}

// share decides whether gateway i has its converge gateway for itself.
func (m *matcher) share(i, meet, branches int) error {
	if m.kind(i) == stdops.KindExclusive {
		m.shared[i] = m.ahead[meet] > branches || m.joined[meet] > 0
		return nil
	}
	switch in := len(m.in[meet]); {
	case in > branches && m.parallel[meet]:
		return invalid(m.path(meet), "a converge gateway can only collect the branches of one parallel gateway")
	case in < branches:
		return invalid(m.path(meet), "not all branches of its parallel gateway lead to this converge gateway")
	default:
		m.shared[i] = in > branches
		return nil
	}
}
