package expr

import "github.com/stdops/stdops"

// iterator gives items one by one; what it gave it does not give again. It has no text, as Python would print its
// address.
type iterator interface {
	next(m *machine) (item any, ok bool, err error)
}

// next pays for an item and takes it. Iterators ask others, so that this counts as going deeper.
func (m *machine) next(from iterator) (item any, ok bool, err error) {
	if err := m.spend(1); err != nil {
		return nil, false, err
	}
	if err := m.enter(); err != nil {
		return nil, false, err
	}
	item, ok, err = from.next(m)
	m.leave()
	return item, ok, err
}

// iterate begins a loop over v.
func (m *machine) iterate(v any) (iterator, error) {
	switch v := v.(type) {
	case iterator:
		return v, nil
	case []any:
		return &sequence{items: v}, nil
	case tuple:
		return &sequence{items: v}, nil
	case span:
		return &counter{of: v}, nil
	default:
		items, err := m.items(v)
		return &sequence{items: items}, err
	}
}

// drain takes all that an iterator has left.
func (m *machine) drain(from iterator) ([]any, error) {
	var items []any
	for {
		item, ok, err := m.next(from)
		if err != nil || !ok {
			return items, err
		}
		if len(items) == maxSize/itemSize {
			return nil, &LimitError{limitSize}
		}
		if err := m.grow(itemSize); err != nil {
			return nil, err
		}
		items = append(items, item)
	}
}

// sequence goes through items that are there already.
type sequence struct{ items []any }

func (s *sequence) next(*machine) (item any, ok bool, err error) {
	if len(s.items) == 0 {
		return nil, false, nil
	}
	item, s.items = s.items[0], s.items[1:]
	return item, true, nil
}

// counter goes through a range.
type counter struct {
	of span
	at int64
}

func (c *counter) next(*machine) (item any, ok bool, err error) {
	if c.at == c.of.length() {
		return nil, false, nil
	}
	c.at++
	return c.of.at(c.at - 1), true, nil
}

// zipped is what zip() gives: it ends with the shortest.
type zipped struct{ of []iterator }

func (z *zipped) next(m *machine) (any, bool, error) {
	if len(z.of) == 0 {
		return nil, false, nil
	}
	items, err := m.list(len(z.of))
	if err != nil {
		return nil, false, err
	}
	for _, from := range z.of {
		item, ok, err := m.next(from)
		if err != nil || !ok {
			return nil, false, err
		}
		items = append(items, item)
	}
	return tuple(items), true, nil
}

func zip(m *machine, a arguments) (any, error) {
	named, err := arguments{named: a.named}.take(0, "strict")
	if err != nil || !absent(named[0]) && truth(named[0]) {
		return nil, fail("zip() takes no keyword arguments here")
	}
	z := &zipped{}
	for _, v := range a.positional {
		from, err := m.iterate(v)
		if err != nil {
			return nil, err
		}
		z.of = append(z.of, from)
	}
	return z, nil
}

// enumerated is what enumerate() gives.
type enumerated struct {
	of iterator
	at any
}

func (e *enumerated) next(m *machine) (any, bool, error) {
	item, ok, err := m.next(e.of)
	if err != nil || !ok {
		return nil, false, err
	}
	if err := m.grow(2 * itemSize); err != nil {
		return nil, false, err
	}
	pair := tuple{e.at, item}
	e.at, err = m.number("+", e.at, int64(1))
	return pair, true, err
}

func enumerate(m *machine, a arguments) (any, error) {
	args, err := a.take(1, "iterable", "start")
	if err != nil {
		return nil, err
	}
	start := any(int64(0))
	if !absent(args[1]) {
		i, ok := whole(args[1])
		if !ok {
			return nil, fail("'%s' object cannot be interpreted as an integer", typeName(args[1]))
		}
		if start, err = shrink(i); err != nil {
			return nil, err
		}
	}
	from, err := m.iterate(args[0])
	return &enumerated{from, start}, err
}

// iterable reports whether a loop over v is possible.
func iterable(v any) bool {
	switch v.(type) {
	case []any, tuple, *view, *set, iterator, string, octets, *stdops.Object, span, *record:
		return true
	}
	return false
}
