package expr

import (
	"slices"

	"github.com/stdops/stdops"
)

// builtins are the functions that every fragment can use. A variable of the same name wins.
var builtins = func() map[string]*function {
	table := map[string]*function{}
	for _, f := range []*function{
		{"bool", true, toBool},
		{"int", true, toInt},
		{"float", true, toFloat},
		{"str", true, toText},
		{"list", true, toList},
		{"tuple", true, toTuple},
		{"dict", true, toDict},
		{"set", true, toSet},
		{"slice", true, toSlice},
		{"enumerate", true, enumerate},
		{"zip", true, zip},
		{"range", true, toRange},
		{"reversed", true, reversed},
		{"len", false, length},
		{"abs", false, absolute},
		{"round", false, round},
		{"pow", false, power},
		{"sum", false, sum},
		{"min", false, extreme("<")},
		{"max", false, extreme(">")},
		{"sorted", false, sorted},
		{"all", false, quantifier(false)},
		{"any", false, quantifier(true)},
	} {
		table[f.name] = f
	}
	return table
}()

func toBool(_ *machine, a arguments) (any, error) {
	args, err := a.take(0, "-x")
	if err != nil || absent(args[0]) {
		return false, err
	}
	return truth(args[0]), nil
}

func toText(m *machine, a arguments) (any, error) {
	args, err := a.take(0, "object")
	if err != nil || absent(args[0]) {
		return "", err
	}
	return m.text(args[0])
}

func toList(m *machine, a arguments) (any, error) {
	args, err := a.take(0, "-iterable")
	if err != nil || absent(args[0]) {
		return []any{}, err
	}
	items, err := m.items(args[0])
	if err != nil {
		return nil, err
	}
	return m.joinLists(items, nil)
}

func toTuple(m *machine, a arguments) (any, error) {
	args, err := a.take(0, "-iterable")
	if err != nil || absent(args[0]) {
		return tuple{}, err
	}
	items, err := m.items(args[0])
	return tuple(items), err
}

// toDict makes an object of another one, or of pairs, and of keyword arguments. Keys are texts, as in JSON.
func toDict(m *machine, a arguments) (any, error) {
	named := a.named
	a.named = nil
	args, err := a.take(0, "-iterable")
	if err != nil {
		return nil, err
	}
	dict := &stdops.Object{}
	switch from := args[0].(type) {
	case missing:
	case *stdops.Object:
		if err := m.payObject(from.Len()); err != nil {
			return nil, err
		}
		dict = from.Clone()
	default:
		if err := m.setPairs(dict, from); err != nil {
			return nil, err
		}
	}
	if err := m.payObject(len(named)); err != nil {
		return nil, err
	}
	for _, n := range named {
		dict.Set(n.name, n.value)
	}
	return dict, nil
}

func (m *machine) setPairs(dict *stdops.Object, from any) error {
	pairs, err := m.items(from)
	if err != nil {
		return err
	}
	if err := m.payObject(len(pairs)); err != nil {
		return err
	}
	for _, v := range pairs {
		pair, err := m.items(v)
		if err != nil {
			return err
		}
		if len(pair) != 2 {
			return fail("dictionary update sequence element has length %d; 2 is required", len(pair))
		}
		key, ok := pair[0].(string)
		if !ok {
			return fail("keys must be str, not %s", typeName(pair[0]))
		}
		dict.Set(key, pair[1])
	}
	return nil
}

func toRange(_ *machine, a arguments) (any, error) {
	args, err := a.take(1, "-start", "-stop", "-step")
	if err != nil {
		return nil, err
	}
	var parts [3]int64
	for i, otherwise := range [3]int64{0, 0, 1} {
		if parts[i], err = countArgument(args[i], otherwise); err != nil {
			return nil, err
		}
	}
	if parts[2] == 0 {
		return nil, fail("range() arg 3 must not be zero")
	}
	if absent(args[1]) {
		return span{0, parts[0], 1}, nil
	}
	return span{parts[0], parts[1], parts[2]}, nil
}

func reversed(m *machine, a arguments) (any, error) {
	args, err := a.take(1, "-sequence")
	if err != nil {
		return nil, err
	}
	switch args[0].(type) {
	case iterator, *set:
		return nil, fail("'%s' object is not reversible", typeName(args[0]))
	}
	items, err := m.items(args[0])
	if err != nil {
		return nil, err
	}
	turned, err := m.joinLists(items, nil)
	slices.Reverse(turned)
	return &sequence{turned}, err
}

func toSlice(_ *machine, a arguments) (any, error) {
	args, err := a.take(1, "-start", "-stop", "-step")
	if err != nil {
		return nil, err
	}
	for i, v := range args {
		if absent(v) {
			args[i] = nil
		}
	}
	if len(a.positional) == 1 {
		args[0], args[1] = nil, args[0]
	}
	return cut(args), nil
}

func length(m *machine, a arguments) (any, error) {
	args, err := a.take(1, "-object")
	if err != nil {
		return nil, err
	}
	n, ok, err := m.length(args[0])
	if err == nil && !ok {
		err = fail("object of type '%s' has no len()", typeName(args[0]))
	}
	return n, err
}

// quantifier is any, which looks for a true item, or all, which looks for a false one.
func quantifier(want bool) func(*machine, arguments) (any, error) {
	return func(m *machine, a arguments) (any, error) {
		args, err := a.take(1, "-iterable")
		if err != nil {
			return nil, err
		}
		from, err := m.iterate(args[0])
		if err != nil {
			return nil, err
		}
		for {
			item, ok, err := m.next(from)
			if err != nil || !ok {
				return !want, err
			}
			if truth(item) == want {
				return want, nil
			}
		}
	}
}

func sum(m *machine, a arguments) (any, error) {
	args, err := a.take(1, "-iterable", "start")
	if err != nil {
		return nil, err
	}
	total := args[1]
	if absent(total) {
		total = int64(0)
	}
	if _, text := total.(string); text {
		return nil, fail("sum() can't sum strings")
	}
	items, err := m.items(args[0])
	for _, item := range items {
		if err != nil {
			return nil, err
		}
		total, err = m.operate("+", total, item)
	}
	return total, err
}

// extreme is min or max: the first of the items that are less, or greater, than all others.
func extreme(operator string) func(*machine, arguments) (any, error) {
	return func(m *machine, a arguments) (any, error) {
		items, key, otherwise, err := m.candidates(a)
		if err != nil {
			return nil, err
		}
		if len(items) == 0 {
			if absent(otherwise) {
				return nil, fail("arg is an empty sequence")
			}
			return otherwise, nil
		}
		keys, err := m.keyed(items, key)
		if err != nil {
			return nil, err
		}
		best := 0
		for i := 1; i < len(items); i++ {
			better, err := m.compare(operator, keys[i], keys[best])
			if err != nil {
				return nil, err
			}
			if better {
				best = i
			}
		}
		return items[best], nil
	}
}

// candidates reads the arguments of min and max: the items of the only one, or all of them.
func (m *machine) candidates(a arguments) (items []any, key, otherwise any, err error) {
	named, err := arguments{named: a.named}.take(0, "key", "default")
	if err != nil {
		return nil, nil, nil, err
	}
	switch len(a.positional) {
	case 0:
		return nil, nil, nil, fail("expected at least 1 argument, got 0")
	case 1:
		items, err = m.items(a.positional[0])
		return items, named[0], named[1], err
	default:
		if !absent(named[1]) {
			return nil, nil, nil, fail("cannot specify a default with multiple positional arguments")
		}
		return a.positional, named[0], missing{}, nil
	}
}

// keyed gives what the items are compared by.
func (m *machine) keyed(items []any, key any) ([]any, error) {
	if none(key) {
		return items, nil
	}
	keys, err := m.list(len(items))
	for _, item := range items {
		if err != nil {
			return nil, err
		}
		var k any
		k, err = m.call(key, arguments{positional: []any{item}})
		keys = append(keys, k)
	}
	return keys, err
}

func sorted(m *machine, a arguments) (any, error) {
	named, err := arguments{named: a.named}.take(0, "key", "reverse")
	if err != nil {
		return nil, err
	}
	args, err := arguments{positional: a.positional}.take(1, "-iterable")
	if err != nil {
		return nil, err
	}
	items, err := m.items(args[0])
	if err != nil {
		return nil, err
	}
	keys, err := m.keyed(items, named[0])
	if err != nil {
		return nil, err
	}
	return m.sort(items, keys, !absent(named[1]) && truth(named[1]))
}

// sort gives the items in the order of their keys; equal ones keep their places. The first failure of a comparison
// ends it: from then on all items count as equal.
func (m *machine) sort(items, keys []any, descending bool) ([]any, error) {
	places := make([]int, len(items))
	for i := range places {
		places[i] = i
	}
	sortedItems, failure := m.list(len(items))
	slices.SortStableFunc(places, func(i, j int) int {
		if failure != nil {
			return 0
		}
		var order int
		order, failure = m.order("<", keys[i], keys[j])
		switch {
		case failure != nil || order == unordered:
			return 0
		case descending:
			return -order
		default:
			return order
		}
	})
	if failure != nil {
		return nil, failure
	}
	for _, place := range places {
		sortedItems = append(sortedItems, items[place])
	}
	return sortedItems, nil
}
