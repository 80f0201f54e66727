package expr

import "strings"

// operate gives `a operator b` for an arithmetic operator.
func (m *machine) operate(operator string, a, b any) (any, error) {
	if isNumber(a) && isNumber(b) {
		return m.number(operator, a, b)
	}
	if _, isText := a.(string); !isText && (isTime(a) || isTime(b)) {
		return operateTimes(operator, a, b)
	}
	a, b = plain(a), plain(b)
	switch operator {
	case "-", "|", "&", "^":
		return m.sets(operator, a, b)
	case "+":
		return m.join(a, b)
	case "*":
		if n, ok := v64(b); ok {
			return m.repeat(a, n)
		}
		if n, ok := v64(a); ok {
			return m.repeat(b, n)
		}
	case "%":
		if layout, ok := a.(string); ok {
			return m.format(layout, b)
		}
	}
	return nil, errOperands(operator, a, b)
}

func errOperands(operator string, a, b any) error {
	return fail("unsupported operand type(s) for %s: '%s' and '%s'", operator, typeName(a), typeName(b))
}

// setOperators are the methods that do the same.
var setOperators = map[string]string{
	"-": "difference", "|": "union", "&": "intersection", "^": "symmetric_difference",
}

func (m *machine) sets(operator string, a, b any) (any, error) {
	x, ok := a.(*set)
	if _, alsoSet := b.(*set); !ok || !alsoSet {
		return nil, errOperands(operator, a, b)
	}
	return setMethods[setOperators[operator]](m, x, arguments{positional: []any{b}})
}

func (m *machine) join(a, b any) (any, error) {
	switch x := a.(type) {
	case string:
		if y, ok := b.(string); ok {
			if err := m.grow(len(x) + len(y)); err != nil {
				return nil, err
			}
			return x + y, nil
		}
	case octets:
		if y, ok := b.(octets); ok {
			return x + y, m.grow(len(x) + len(y))
		}
	case []any:
		if y, ok := b.([]any); ok {
			return m.joinLists(x, y)
		}
	case tuple:
		if y, ok := b.(tuple); ok {
			joined, err := m.joinLists(x, y)
			return tuple(joined), err
		}
	}
	return nil, errOperands("+", a, b)
}

func (m *machine) joinLists(x, y []any) ([]any, error) {
	joined, err := m.list(len(x) + len(y))
	if err != nil {
		return nil, err
	}
	return append(append(joined, x...), y...), nil
}

// repeat gives v, n times.
func (m *machine) repeat(v any, n int64) (any, error) {
	count := int(min(max(n, 0), maxSize+1))
	switch v := v.(type) {
	case string:
		if err := m.growBy(count, len(v)); err != nil {
			return nil, err
		}
		return strings.Repeat(v, count*min(len(v), 1)), nil
	case octets:
		if err := m.growBy(count, len(v)); err != nil {
			return nil, err
		}
		return octets(strings.Repeat(string(v), count*min(len(v), 1))), nil
	case []any:
		return m.repeatList(v, count)
	case tuple:
		repeated, err := m.repeatList(v, count)
		return tuple(repeated), err
	default:
		return nil, fail("can't multiply sequence by non-int of type '%s'", typeName(v))
	}
}

func (m *machine) repeatList(v []any, count int) ([]any, error) {
	if len(v) == 0 {
		return []any{}, nil
	}
	if err := m.growBy(count, len(v)*itemSize); err != nil {
		return nil, err
	}
	repeated := make([]any, 0, count*len(v))
	for range count {
		repeated = append(repeated, v...)
	}
	return repeated, m.spend(len(repeated))
}
