package expr

// comprehension is `element for … in … if …`. Its value is a generator.
type comprehension struct {
	element node
	clauses []clauseFor
	names   int // that it defines
}

// clauseFor is `for targets in from`, and each `if` behind it.
type clauseFor struct {
	to     *target
	from   node
	guards []node
}

// eval evaluates the first iterable, as Python does, and nothing else.
func (n *comprehension) eval(m *machine) (any, error) {
	from, err := m.eval(n.clauses[0].from)
	if err != nil {
		return nil, err
	}
	first, err := m.iterate(from)
	if err != nil {
		return nil, err
	}
	f, err := m.newFrame(n.names, m.frame)
	return &generator{of: n, frame: f, loops: []iterator{first}}, err
}

// listOf is a comprehension in brackets.
type listOf struct{ of *comprehension }

func (n *listOf) eval(m *machine) (any, error) {
	generator, err := n.of.eval(m)
	if err != nil {
		return nil, err
	}
	items, err := m.items(generator)
	return items, err
}

// generator gives the items of a comprehension one by one, when they are asked for. It has no text.
type generator struct {
	of    *comprehension
	frame *frame
	loops []iterator // one for each clause that is under way
	busy  bool
}

func (g *generator) next(m *machine) (item any, ok bool, err error) {
	if g.busy {
		return nil, false, fail("generator already executing")
	}
	outer := m.frame
	m.frame, g.busy = g.frame, true
	item, ok, err = g.step(m)
	m.frame, g.busy = outer, false
	if err != nil || !ok {
		g.loops = nil // a generator that failed has ended
	}
	return item, ok, err
}

// step goes on where the last item was found: the innermost loop moves first.
func (g *generator) step(m *machine) (any, bool, error) {
	for len(g.loops) > 0 {
		clause := &g.of.clauses[len(g.loops)-1]
		item, ok, err := m.next(g.loops[len(g.loops)-1])
		if err != nil {
			return nil, false, err
		}
		if !ok {
			g.loops = g.loops[:len(g.loops)-1]
			continue
		}
		if err := clause.to.set(m, g.frame, item); err != nil {
			return nil, false, err
		}
		if ok, err := clause.passes(m); err != nil || !ok {
			if err != nil {
				return nil, false, err
			}
			continue
		}
		if len(g.loops) == len(g.of.clauses) {
			item, err = m.eval(g.of.element)
			return item, true, err
		}
		if err := g.open(m, g.of.clauses[len(g.loops)].from); err != nil {
			return nil, false, err
		}
	}
	return nil, false, nil
}

// open begins the loop of the next clause.
func (g *generator) open(m *machine, from node) error {
	v, err := m.eval(from)
	if err != nil {
		return err
	}
	loop, err := m.iterate(v)
	g.loops = append(g.loops, loop)
	return err
}

func (c *clauseFor) passes(m *machine) (bool, error) {
	for _, guard := range c.guards {
		v, err := m.eval(guard)
		if err != nil || !truth(v) {
			return false, err
		}
	}
	return true, nil
}
