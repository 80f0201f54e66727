package expr

// node is a part of an expression.
type node interface {
	eval(m *machine) (any, error)
}

// trailer is applied to the value before it: an attribute, an index, a slice or a call.
type trailer interface {
	apply(m *machine, v any) (any, error)
}

// machine evaluates one fragment.
type machine struct {
	meter
	values []any  // of the names, by slot
	frame  *frame // of the comprehension or lambda that is evaluated
	env    Environment

	patterns map[patternKey]*pattern // compiled so far
}

// eval gives the value of n. Every node costs a step.
func (m *machine) eval(n node) (any, error) {
	if err := m.spend(1); err != nil {
		return nil, err
	}
	if err := m.enter(); err != nil {
		return nil, err
	}
	v, err := n.eval(m)
	m.leave()
	return v, err
}

// evalAll gives the values of all nodes.
func (m *machine) evalAll(nodes []node) ([]any, error) {
	values, err := m.list(len(nodes))
	if err != nil {
		return nil, err
	}
	for _, n := range nodes {
		v, err := m.eval(n)
		if err != nil {
			return nil, err
		}
		values = append(values, v)
	}
	return values, nil
}

type literal struct{ value any }

func (n *literal) eval(*machine) (any, error) { return n.value, nil }

// name is a name that the fragment does not define itself, or one that a comprehension or lambda around it defines.
type name struct {
	local bool
	up    int // of a local name: how many frames further out it is kept
	slot  int
}

func (n *name) eval(m *machine) (any, error) {
	if !n.local {
		return m.values[n.slot], nil
	}
	f := m.frame
	for range n.up {
		f = f.outer
	}
	if absent(f.values[n.slot]) {
		return nil, fail("a name is used before it has a value")
	}
	return f.values[n.slot], nil
}

type list struct {
	items []node
	tuple bool
}

func (n *list) eval(m *machine) (any, error) {
	values, err := m.evalAll(n.items)
	if n.tuple {
		return tuple(values), err
	}
	return values, err
}

type conditional struct{ test, then, other node }

func (n *conditional) eval(m *machine) (any, error) {
	test, err := m.eval(n.test)
	if err != nil {
		return nil, err
	}
	if truth(test) {
		return m.eval(n.then)
	}
	return m.eval(n.other)
}

// logic is a chain of `or`, or one of `and`. It gives the operand that decides.
type logic struct {
	or    bool
	items []node
}

func (n *logic) eval(m *machine) (v any, err error) {
	for _, item := range n.items {
		if v, err = m.eval(item); err != nil || truth(v) == n.or {
			return v, err
		}
	}
	return v, nil
}

type negation struct{ of node }

func (n *negation) eval(m *machine) (any, error) {
	v, err := m.eval(n.of)
	return !truth(v), err
}

// operand is a further part of a chain, with the operator before it.
type operand struct {
	operator string
	right    node
}

type comparison struct {
	first node
	rest  []operand
}

func (n *comparison) eval(m *machine) (any, error) {
	left, err := m.eval(n.first)
	if err != nil {
		return nil, err
	}
	for _, o := range n.rest {
		right, err := m.eval(o.right)
		if err != nil {
			return nil, err
		}
		if ok, err := m.compare(o.operator, left, right); err != nil || !ok {
			return false, err
		}
		left = right
	}
	return true, nil
}

type operation struct {
	first node
	rest  []operand
}

func (n *operation) eval(m *machine) (any, error) {
	left, err := m.eval(n.first)
	for _, o := range n.rest {
		if err != nil {
			return nil, err
		}
		var right any
		if right, err = m.eval(o.right); err == nil {
			left, err = m.operate(o.operator, left, right)
		}
	}
	return left, err
}

type signed struct {
	minus bool
	of    node
}

func (n *signed) eval(m *machine) (any, error) {
	v, err := m.eval(n.of)
	d, isDelta := v.(delta)
	switch {
	case err != nil:
		return nil, err
	case isDelta && !n.minus:
		return d, nil
	case isDelta:
		return delta(0).minus(d)
	case !isNumber(v):
		return nil, fail("bad operand type for unary operator: '%s'", typeName(v))
	case n.minus:
		return m.negate(v)
	default:
		return m.operate("+", int64(0), v) // a boolean becomes a whole number
	}
}

type postfix struct {
	first node
	rest  []trailer
}

func (n *postfix) eval(m *machine) (any, error) {
	v, err := m.eval(n.first)
	for _, t := range n.rest {
		if err == nil {
			err = m.spend(1)
		}
		if err != nil {
			return nil, err
		}
		v, err = t.apply(m, v)
	}
	return v, err
}

type keyword struct {
	name  string
	value node
}

type call struct {
	args     []node
	keywords []keyword
}

func (n *call) apply(m *machine, v any) (any, error) {
	values, err := m.evalAll(n.args)
	if err != nil {
		return nil, err
	}
	a := arguments{positional: values}
	for _, k := range n.keywords {
		value, err := m.eval(k.value)
		if err != nil {
			return nil, err
		}
		a.named = append(a.named, argument{k.name, value})
	}
	return m.call(v, a)
}

// call calls a function or method.
func (m *machine) call(v any, a arguments) (any, error) {
	switch v := v.(type) {
	case *function:
		return v.call(m, a)
	case *bound:
		return v.call(m, a)
	case *closure:
		return v.call(m, a)
	case *namespace:
		if v.create != nil {
			return v.create(m, a)
		}
	}
	return nil, fail("'%s' object is not callable", typeName(v))
}
