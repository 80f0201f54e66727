package expr

import (
	"cmp"
	"math"
	"math/big"
	"slices"
	"strconv"
)

// set holds each item once. Python gives them in no certain order; here whole numbers stand by size, as the small ones do
// there, and others as they came.
type set struct {
	items []any
	keys  map[string]bool
}

// newSet makes a set of items, paid for.
func (m *machine) newSet(items []any) (*set, error) {
	s := &set{keys: make(map[string]bool)}
	ordered := true
	for _, item := range items {
		key, err := m.hash(item)
		if err != nil {
			return nil, err
		}
		if s.keys[key] {
			continue
		}
		if err := m.grow(4*itemSize + len(key)); err != nil {
			return nil, err
		}
		s.keys[key] = true
		s.items = append(s.items, item)
		_, small := v64(item)
		ordered = ordered && small
	}
	if ordered {
		slices.SortFunc(s.items, func(a, b any) int {
			x, _ := v64(a)
			y, _ := v64(b)
			return cmp.Compare(x, y)
		})
	}
	return s, m.spend(2 * len(s.items))
}

// hash gives a text that is the same for values that are equal, for the values that cannot change.
func (m *machine) hash(v any) (string, error) {
	b, err := m.appendHash(nil, v)
	return string(b), err
}

func (m *machine) appendHash(b []byte, v any) ([]byte, error) {
	if err := m.spend(1); err != nil {
		return nil, err
	}
	switch v := plain(v).(type) {
	case nil:
		return append(b, 'N'), nil
	case string:
		b = strconv.AppendInt(append(b, 's'), int64(len(v)), 10)
		return append(append(b, ':'), v...), m.read(len(v))
	case float64:
		return appendFloatHash(b, v), nil
	case *big.Int:
		return v.Append(append(b, 'i'), 16), m.read(v.BitLen())
	case tuple:
		return m.appendTupleHash(b, v)
	case octets:
		b = strconv.AppendInt(append(b, 'b'), int64(len(v)), 10)
		return append(append(b, ':'), v...), m.read(len(v))
	case sortable:
		return append(append(b, 'v'), v.hashText()...), nil
	}
	if i, ok := v64(v); ok {
		return strconv.AppendInt(append(b, 'i'), i, 16), nil
	}
	return nil, fail("unhashable type: '%s'", typeName(v))
}

// appendFloatHash writes a float that is a whole number like one.
func appendFloatHash(b []byte, f float64) []byte {
	if f == math.Trunc(f) && !math.IsInf(f, 0) {
		i, _ := big.NewFloat(f).Int(nil)
		return i.Append(append(b, 'i'), 16)
	}
	return strconv.AppendUint(append(b, 'f'), math.Float64bits(f), 16)
}

func (m *machine) appendTupleHash(b []byte, items tuple) (_ []byte, err error) {
	if err := m.enter(); err != nil {
		return nil, err
	}
	defer m.leave()
	b = strconv.AppendInt(append(b, 't'), int64(len(items)), 10)
	for _, item := range items {
		if b, err = m.appendHash(append(b, ','), item); err != nil {
			return nil, err
		}
		if len(b) > maxSize {
			return nil, &LimitError{limitSize}
		}
	}
	return b, nil
}

// has reports whether the item is in s.
func (s *set) has(m *machine, item any) (bool, error) {
	key, err := m.hash(item)
	return s.keys[key], err
}

// where gives the items of s for which has gives want.
func (s *set) where(m *machine, other *set, want bool) ([]any, error) {
	var items []any
	for _, item := range s.items {
		found, err := other.has(m, item)
		if err != nil {
			return nil, err
		}
		if found == want {
			items = append(items, item)
		}
	}
	return items, m.growBy(len(items), itemSize)
}

// within reports whether all items of s are in other.
func (s *set) within(m *machine, other *set) (bool, error) {
	if len(s.items) > len(other.items) {
		return false, nil
	}
	missing, err := s.where(m, other, false)
	return len(missing) == 0, err
}

func toSet(m *machine, a arguments) (any, error) {
	args, err := a.take(0, "-iterable")
	if err != nil || absent(args[0]) {
		return &set{}, err
	}
	items, err := m.items(args[0])
	if err != nil {
		return nil, err
	}
	return m.newSet(items)
}

type setMethod = func(m *machine, s *set, a arguments) (any, error)

// Methods that would change a set are left out, as those of lists are.
var setMethods = map[string]setMethod{
	"copy": func(_ *machine, s *set, a arguments) (any, error) {
		_, err := a.take(0)
		return s, err
	},
	"union":        setOperation(func(m *machine, s, o *set) ([]any, error) { return m.joinLists(s.items, o.items) }),
	"intersection": setOperation(func(m *machine, s, o *set) ([]any, error) { return s.where(m, o, true) }),
	"difference":   setOperation(func(m *machine, s, o *set) ([]any, error) { return s.where(m, o, false) }),
	"symmetric_difference": setOperation(func(m *machine, s, o *set) ([]any, error) {
		mine, err := s.where(m, o, false)
		if err != nil {
			return nil, err
		}
		others, err := o.where(m, s, false)
		return append(mine, others...), err
	}),
	"issubset":   setQuestion(func(m *machine, s, o *set) (bool, error) { return s.within(m, o) }),
	"issuperset": setQuestion(func(m *machine, s, o *set) (bool, error) { return o.within(m, s) }),
	"isdisjoint": setQuestion(func(m *machine, s, o *set) (bool, error) {
		common, err := s.where(m, o, true)
		return len(common) == 0, err
	}),
}

// setOperation is a method that makes a set of this one and others, one after the other.
func setOperation(combine func(m *machine, s, other *set) ([]any, error)) setMethod {
	return func(m *machine, s *set, a arguments) (any, error) {
		if len(a.named) > 0 {
			return nil, fail("takes no keyword arguments")
		}
		for _, v := range a.positional {
			other, err := m.asSet(v)
			if err != nil {
				return nil, err
			}
			items, err := combine(m, s, other)
			if err != nil {
				return nil, err
			}
			if s, err = m.newSet(items); err != nil {
				return nil, err
			}
		}
		return s, nil
	}
}

func setQuestion(ask func(m *machine, s, other *set) (bool, error)) setMethod {
	return func(m *machine, s *set, a arguments) (any, error) {
		args, err := a.take(1, "-other")
		if err != nil {
			return nil, err
		}
		other, err := m.asSet(args[0])
		if err != nil {
			return nil, err
		}
		return ask(m, s, other)
	}
}

// asSet gives v as a set; anything that can be gone through will do.
func (m *machine) asSet(v any) (*set, error) {
	if s, ok := v.(*set); ok {
		return s, nil
	}
	items, err := m.items(v)
	if err != nil {
		return nil, err
	}
	return m.newSet(items)
}

// orderSets decides a comparison: of sets it asks which one holds the other, and they may be unordered.
func (m *machine) orderSets(x, y *set) (int, error) {
	under, err := x.within(m, y)
	if err != nil {
		return 0, err
	}
	over, err := y.within(m, x)
	switch {
	case under && over:
		return 0, err
	case under:
		return -1, err
	case over:
		return 1, err
	default:
		return unordered, err
	}
}
