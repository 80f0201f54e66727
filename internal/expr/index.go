package expr

import (
	"math/big"

	"github.com/stdops/stdops"
)

type index struct{ at node }

func (n *index) apply(m *machine, v any) (any, error) {
	at, err := m.eval(n.at)
	if err != nil {
		return nil, err
	}
	if part, ok := at.(cut); ok {
		return m.slice(v, part)
	}
	if object, ok := v.(*stdops.Object); ok {
		key, ok := at.(string)
		if !ok {
			return nil, fail("no such key")
		}
		value, ok := object.Get(key)
		if !ok {
			return nil, fail("no such key")
		}
		return value, nil
	}
	if found, ok := v.(*match); ok {
		group, err := found.of.group(at)
		if err != nil {
			return nil, err
		}
		return found.part(group), nil
	}
	v = plain(v)
	n64, ok := v64(at)
	if !ok {
		return nil, fail("%s indices must be integers", typeName(v))
	}
	return m.item(v, n64)
}

// item gives v[i]; a negative i counts from the end.
func (m *machine) item(v any, i int64) (any, error) {
	length, ok, err := m.length(v)
	if err != nil {
		return nil, err
	}
	if i < 0 {
		i += length
	}
	if ok && (i < 0 || i >= length) {
		return nil, fail("%s index out of range", typeName(v))
	}
	switch v := v.(type) {
	case []any:
		return v[i], nil
	case tuple:
		return v[i], nil
	case span:
		return v.at(i), nil
	case string:
		return sliceRunes(v, int(i), int(i)+1), nil
	case octets:
		return int64(v[i]), nil
	default:
		return nil, fail("'%s' object is not subscriptable", typeName(v))
	}
}

// length gives len(v); ok is false when v has none.
func (m *machine) length(v any) (n int64, ok bool, err error) {
	switch v := plain(v).(type) {
	case string:
		return int64(runeCount(v)), true, m.read(len(v))
	case []any:
		return int64(len(v)), true, nil
	case tuple:
		return int64(len(v)), true, nil
	case *stdops.Object:
		return int64(v.Len()), true, nil
	case *view:
		return int64(len(v.items)), true, nil
	case *set:
		return int64(len(v.items)), true, nil
	case octets:
		return int64(len(v)), true, nil
	case span:
		return v.length(), true, nil
	default:
		return 0, false, nil
	}
}

// slice is the inside of `[i:j:k]`.
type slice struct{ bounds [3]node }

// cut is the value of a slice.
type cut [3]any

func (n *slice) eval(m *machine) (any, error) {
	var part cut
	for i, bound := range n.bounds {
		if bound == nil {
			continue
		}
		v, err := m.eval(bound)
		if err != nil {
			return nil, err
		}
		part[i] = v
	}
	return part, nil
}

// within gives the places that the slice takes out of length items.
func (c cut) within(length int64) (places span, err error) {
	step, err := sliceBound(c[2], 1)
	if err == nil && step == 0 {
		err = fail("slice step cannot be zero")
	}
	if err != nil {
		return span{}, err
	}
	first, last := int64(0), length
	if step < 0 {
		first, last = -1, length-1
	}
	clamp := func(v any, missing int64) (int64, error) {
		if v == nil {
			return missing, nil
		}
		i, err := sliceBound(v, 0)
		if i < 0 {
			i = max(i, -length-1) + length
		}
		return min(max(i, first), last), err
	}
	from, to := first, last
	if step < 0 {
		from, to = last, first
	}
	if from, err = clamp(c[0], from); err != nil {
		return span{}, err
	}
	to, err = clamp(c[1], to)
	return span{from, to, step}, err
}

// sliceBound reads one bound of a slice. One beyond 64 bits is as good as the nearest that fits.
func sliceBound(v any, missing int64) (int64, error) {
	if v == nil {
		return missing, nil
	}
	if i, ok := v64(v); ok {
		return i, nil
	}
	if i, ok := v.(*big.Int); ok {
		const far = 1 << 62
		return far * int64(i.Sign()), nil
	}
	return 0, fail("slice indices must be integers or None")
}

func (m *machine) slice(v any, c cut) (any, error) {
	v = plain(v)
	length, _, err := m.length(v)
	if err != nil {
		return nil, err
	}
	places, err := c.within(length)
	if err != nil {
		return nil, err
	}
	switch v := v.(type) {
	case string:
		return m.sliceText(v, places)
	case []any:
		return m.sliceList(v, places)
	case tuple:
		part, err := m.sliceList(v, places)
		return tuple(part), err
	case octets:
		return m.sliceOctets(v, places)
	case span:
		return span{v.at(places.start), v.at(places.stop), places.step * v.step}, nil
	default:
		return nil, fail("'%s' object is not subscriptable", typeName(v))
	}
}

func (m *machine) sliceList(v []any, places span) ([]any, error) {
	part, err := m.list(int(places.length()))
	if err != nil {
		return nil, err
	}
	for i := range places.length() {
		part = append(part, v[places.at(i)])
	}
	return part, nil
}

func (m *machine) sliceText(v string, places span) (any, error) {
	if places.step == 1 {
		return sliceRunes(v, int(places.start), int(places.stop)), nil
	}
	if err := m.grow(len(v)); err != nil {
		return nil, err
	}
	runes, part := []rune(v), make([]rune, 0, places.length())
	for i := range places.length() {
		part = append(part, runes[places.at(i)])
	}
	return string(part), nil
}

func (m *machine) sliceOctets(v octets, places span) (any, error) {
	n := places.length()
	if err := m.grow(int(n)); err != nil {
		return nil, err
	}
	part := make([]byte, 0, n)
	for i := range n {
		part = append(part, v[places.at(i)])
	}
	return octets(part), m.spend(int(n) / itemSize)
}
