package expr

// lambda is `lambda a, b=1: body`.
type lambda struct {
	names    []string
	defaults []node // of the last names
	body     node
}

func (n *lambda) eval(m *machine) (any, error) {
	defaults, err := m.evalAll(n.defaults)
	return &closure{of: n, defaults: defaults, frame: m.frame}, err
}

// closure is the value of a lambda. Python would print its address, so it has no text.
type closure struct {
	of       *lambda
	defaults []any
	frame    *frame // in which the lambda stands
}

func (c *closure) call(m *machine, a arguments) (any, error) {
	names := c.of.names
	values, err := a.take(len(names)-len(c.defaults), names...)
	if err != nil {
		return nil, err
	}
	inside, err := m.newFrame(len(names), c.frame)
	if err != nil {
		return nil, err
	}
	copy(inside.values[len(names)-len(c.defaults):], c.defaults)
	for i, v := range values {
		if !absent(v) {
			inside.values[i] = v
		}
	}
	outer := m.frame
	m.frame = inside
	v, err := m.eval(c.of.body)
	m.frame = outer
	return v, err
}
