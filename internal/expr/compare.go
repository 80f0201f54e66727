package expr

import (
	"cmp"
	"math"
	"math/big"
	"strings"

	"github.com/stdops/stdops"
)

// compare gives `a operator b` for the operators of comparisons.
func (m *machine) compare(operator string, a, b any) (bool, error) {
	switch operator {
	case "==":
		return m.equal(a, b)
	case "!=":
		same, err := m.equal(a, b)
		return !same, err
	case "in":
		return m.contains(b, a)
	case "not in":
		found, err := m.contains(b, a)
		return !found, err
	case "is":
		return identical(a, b)
	case "is not":
		same, err := identical(a, b)
		return !same, err
	}
	order, err := m.order(operator, a, b)
	if err != nil {
		return false, err
	}
	switch operator {
	case "<":
		return order == -1, nil
	case "<=":
		return order == -1 || order == 0, nil
	case ">":
		return order == 1, nil
	default:
		return order == 0 || order == 1, nil
	}
}

// identical decides `is` where Python defines it: for None, True and False.
func identical(a, b any) (bool, error) {
	single := func(v any) bool {
		_, isBool := v.(bool)
		return v == nil || isBool
	}
	switch {
	case single(a) && single(b):
		return a == b, nil
	case single(a) || single(b):
		return false, nil
	default:
		return false, fail("identity of values other than None, True and False is not defined")
	}
}

func (m *machine) equal(a, b any) (bool, error) {
	if err := m.spend(1); err != nil {
		return false, err
	}
	if isNumber(a) && isNumber(b) {
		return orderNumbers(a, b) == 0, nil
	}
	a, b = plain(a), plain(b)
	switch x := a.(type) {
	case nil:
		return b == nil, nil
	case string:
		y, ok := b.(string)
		if !ok || len(x) != len(y) {
			return false, nil
		}
		return x == y, m.read(len(x))
	case []any:
		y, ok := b.([]any)
		return m.equalItems(x, y, ok)
	case tuple:
		y, ok := b.(tuple)
		return m.equalItems(x, y, ok)
	case *stdops.Object:
		y, ok := b.(*stdops.Object)
		return m.equalObjects(x, y, ok)
	case span:
		y, ok := b.(span)
		return ok && equalSpans(x, y), nil
	case *set:
		y, ok := b.(*set)
		if !ok || len(x.items) != len(y.items) {
			return false, nil
		}
		return x.within(m, y)
	case octets:
		return a == b, m.read(len(x))
	case sortable:
		order, ok := x.compareTo(b)
		return ok && order == 0, nil
	case *function:
		return a == b, nil
	case *view, iterator, *bound, *closure, cut, thing:
		if isNumber(b) || b == nil {
			return false, nil
		}
		return false, fail("a %s cannot be compared", typeName(a))
	default:
		return false, nil
	}
}

func (m *machine) equalItems(x, y []any, sameType bool) (bool, error) {
	if !sameType || len(x) != len(y) {
		return false, nil
	}
	if err := m.enter(); err != nil {
		return false, err
	}
	defer m.leave()
	for i := range x {
		if same, err := m.equal(x[i], y[i]); err != nil || !same {
			return false, err
		}
	}
	return true, nil
}

func (m *machine) equalObjects(x, y *stdops.Object, sameType bool) (bool, error) {
	if !sameType || x.Len() != y.Len() {
		return false, nil
	}
	if err := m.enter(); err != nil {
		return false, err
	}
	defer m.leave()
	for _, key := range x.Keys() {
		v, _ := x.Get(key)
		w, ok := y.Get(key)
		if !ok {
			return false, nil
		}
		if same, err := m.equal(v, w); err != nil || !same {
			return false, err
		}
	}
	return true, nil
}

func equalSpans(x, y span) bool {
	n := x.length()
	return n == y.length() && (n == 0 || x.start == y.start) && (n < 2 || x.step == y.step)
}

// unordered is the order of two numbers one of which is no number (nan).
const unordered = 2

// order gives -1, 0, 1 or unordered.
func (m *machine) order(operator string, a, b any) (int, error) {
	if err := m.spend(1); err != nil {
		return 0, err
	}
	if isNumber(a) && isNumber(b) {
		return orderNumbers(a, b), nil
	}
	a, b = plain(a), plain(b)
	switch x := a.(type) {
	case string:
		if y, ok := b.(string); ok {
			return strings.Compare(x, y), m.read(min(len(x), len(y)))
		}
	case []any:
		if y, ok := b.([]any); ok {
			return m.orderItems(operator, x, y)
		}
	case tuple:
		if y, ok := b.(tuple); ok {
			return m.orderItems(operator, x, y)
		}
	case octets:
		if y, ok := b.(octets); ok {
			return strings.Compare(string(x), string(y)), m.read(min(len(x), len(y)))
		}
	case *set:
		if y, ok := b.(*set); ok {
			return m.orderSets(x, y)
		}
	case sortable:
		if order, ok := x.compareTo(b); ok {
			return order, nil
		}
	}
	return 0, errOrder(operator, a, b)
}

func errOrder(operator string, a, b any) error {
	return fail("'%s' not supported between instances of '%s' and '%s'", operator, typeName(a), typeName(b))
}

// orderItems is decided by the first items that differ.
func (m *machine) orderItems(operator string, x, y []any) (int, error) {
	if err := m.enter(); err != nil {
		return 0, err
	}
	defer m.leave()
	for i := range min(len(x), len(y)) {
		same, err := m.equal(x[i], y[i])
		if err != nil {
			return 0, err
		}
		if !same {
			return m.order(operator, x[i], y[i])
		}
	}
	return cmp.Compare(len(x), len(y)), nil
}

func orderNumbers(a, b any) int {
	x, smallA := v64(a)
	y, smallB := v64(b)
	if smallA && smallB {
		return cmp.Compare(x, y)
	}
	f, floatA := a.(float64)
	g, floatB := b.(float64)
	switch {
	case math.IsNaN(f) || math.IsNaN(g):
		return unordered
	case floatA && floatB:
		return cmp.Compare(f, g)
	default:
		return exact(a).Cmp(exact(b))
	}
}

// exact gives a number without loss, so that 2**53 + 1 and float(2**53) differ.
func exact(v any) *big.Float {
	if f, ok := v.(float64); ok {
		return big.NewFloat(f)
	}
	i, _ := whole(v)
	return new(big.Float).SetInt(i)
}

// contains decides `item in box`.
func (m *machine) contains(box, item any) (bool, error) {
	switch box := box.(type) {
	case string:
		text, ok := item.(string)
		if !ok {
			return false, fail("'in <string>' requires string as left operand, not %s", typeName(item))
		}
		return strings.Contains(box, text), m.read(len(box))
	case octets:
		if part, ok := item.(octets); ok {
			return strings.Contains(string(box), string(part)), m.read(len(box))
		}
		if _, ok := item.(int64); !ok {
			return false, fail("a bytes-like object is required, not '%s'", typeName(item))
		}
	case *stdops.Object:
		if err := hashable(item); err != nil {
			return false, err
		}
		key, ok := item.(string)
		if ok {
			_, ok = box.Get(key)
		}
		return ok, nil
	case *set:
		return box.has(m, item)
	case span:
		if i, ok := v64(item); ok {
			return box.contains(i), nil
		}
	}
	if !iterable(box) {
		return false, fail("argument of type '%s' is not iterable", typeName(box))
	}
	from, err := m.iterate(box)
	if err != nil {
		return false, err
	}
	return m.foundIn(from, item)
}

// foundIn goes through the items until one equals the item.
func (m *machine) foundIn(from iterator, item any) (bool, error) {
	for {
		other, ok, err := m.next(from)
		if err != nil || !ok {
			return false, err
		}
		if same, err := m.equal(other, item); err != nil || same {
			return same, err
		}
	}
}

func hashable(v any) error {
	switch v.(type) {
	case []any, *stdops.Object, *set:
		return fail("unhashable type: '%s'", typeName(v))
	}
	return nil
}

func (s span) contains(i int64) bool {
	n := s.length()
	if n == 0 {
		return false
	}
	low, high := min(s.start, s.at(n-1)), max(s.start, s.at(n-1))
	return low <= i && i <= high && (uint64(i)-uint64(low))%magnitude(s.step) == 0
}

func magnitude(i int64) uint64 {
	if i < 0 {
		return -uint64(i)
	}
	return uint64(i)
}
