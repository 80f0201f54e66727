package expr

import "github.com/stdops/stdops"

// Methods that would change a list or object are left out: a variable keeps its value.

type listMethod = func(m *machine, list []any, a arguments) (any, error)

var (
	tupleMethods = map[string]listMethod{"count": listCount, "index": listIndex}
	listMethods  = map[string]listMethod{"count": listCount, "index": listIndex, "copy": listCopy}
)

func listCount(m *machine, list []any, a arguments) (any, error) {
	args, err := a.take(1, "-value")
	if err != nil {
		return nil, err
	}
	count := int64(0)
	for _, item := range list {
		same, err := m.equal(item, args[0])
		if err != nil {
			return nil, err
		}
		if same {
			count++
		}
	}
	return count, nil
}

func listIndex(m *machine, list []any, a arguments) (any, error) {
	args, err := a.take(1, "-value", "-start", "-stop")
	if err != nil {
		return nil, err
	}
	start, stop, err := limits(args[1], args[2], len(list))
	if err != nil {
		return nil, err
	}
	for i := start; i < stop; i++ {
		if same, err := m.equal(list[i], args[0]); err != nil || same {
			return int64(i), err
		}
	}
	return nil, fail("value is not in list")
}

// limits gives two optional bounds of a search within length items, as a slice would take them.
func limits(start, stop any, length int) (from, to int, err error) {
	var c cut
	if !absent(start) {
		c[0] = start
	}
	if !absent(stop) {
		c[1] = stop
	}
	places, err := c.within(int64(length))
	return int(places.start), int(max(places.start, places.stop)), err
}

func listCopy(m *machine, list []any, a arguments) (any, error) {
	if _, err := a.take(0); err != nil {
		return nil, err
	}
	return m.joinLists(list, nil)
}

type dictMethod = func(m *machine, dict *stdops.Object, a arguments) (any, error)

var dictMethods = map[string]dictMethod{
	"get": dictGet, "keys": dictKeys, "values": dictValues, "items": dictItems, "copy": dictCopy,
}

func dictGet(_ *machine, dict *stdops.Object, a arguments) (any, error) {
	args, err := a.take(1, "-key", "-default")
	if err != nil {
		return nil, err
	}
	if err := hashable(args[0]); err != nil {
		return nil, err
	}
	if key, ok := args[0].(string); ok {
		if value, ok := dict.Get(key); ok {
			return value, nil
		}
	}
	if absent(args[1]) {
		return nil, nil
	}
	return args[1], nil
}

func dictKeys(m *machine, dict *stdops.Object, a arguments) (any, error) {
	if _, err := a.take(0); err != nil {
		return nil, err
	}
	keys, err := m.keys(dict)
	return &view{"dict_keys", keys}, err
}

func dictValues(m *machine, dict *stdops.Object, a arguments) (any, error) {
	if _, err := a.take(0); err != nil {
		return nil, err
	}
	values, err := m.list(dict.Len())
	if err != nil {
		return nil, err
	}
	for _, key := range dict.Keys() {
		value, _ := dict.Get(key)
		values = append(values, value)
	}
	return &view{"dict_values", values}, nil
}

func dictItems(m *machine, dict *stdops.Object, a arguments) (any, error) {
	if _, err := a.take(0); err != nil {
		return nil, err
	}
	items, err := m.list(dict.Len())
	if err != nil {
		return nil, err
	}
	if err := m.growBy(dict.Len(), 2*itemSize); err != nil {
		return nil, err
	}
	for _, key := range dict.Keys() {
		value, _ := dict.Get(key)
		items = append(items, tuple{key, value})
	}
	return &view{"dict_items", items}, nil
}

func dictCopy(m *machine, dict *stdops.Object, a arguments) (any, error) {
	if _, err := a.take(0); err != nil {
		return nil, err
	}
	if err := m.payObject(dict.Len()); err != nil {
		return nil, err
	}
	return dict.Clone(), nil
}

// payObject pays for an object of n keys.
func (m *machine) payObject(n int) error {
	if err := m.spend(n); err != nil {
		return err
	}
	return m.growBy(n, 4*itemSize)
}
