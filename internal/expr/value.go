package expr

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/stdops/stdops"
)

// Besides the values of package stdops an expression can hold the following ones. They never leave the package: what a
// fragment gives is always text, unless it is a single name, and a variable has none of these.

// tuple is a list written with parentheses.
type tuple []any

// span is what range() gives. Its items exist only while they are looked at.
type span struct{ start, stop, step int64 }

// view is what the methods keys, values and items of a dict give.
type view struct {
	kind  string // as Python writes it
	items []any
}

// function is a builtin.
type function struct {
	name   string
	isType bool // written as a class
	call   func(m *machine, a arguments) (any, error)
}

// bound is a method together with its receiver. It has no text either.
type bound struct {
	call func(m *machine, a arguments) (any, error)
}

// length gives the number of items without making any of them.
func (s span) length() int64 {
	var distance, step uint64
	switch {
	case s.step > 0 && s.start < s.stop:
		distance, step = uint64(s.stop)-uint64(s.start), uint64(s.step)
	case s.step < 0 && s.start > s.stop:
		distance, step = uint64(s.start)-uint64(s.stop), -uint64(s.step)
	default:
		return 0
	}
	return int64(min((distance-1)/step+1, 1<<62))
}

func (s span) at(i int64) int64 { return s.start + i*s.step }

// fail makes the failure of an expression, in the words of Python. Only conditions show it.
func fail(format string, args ...any) error { return fmt.Errorf(format, args...) }

var errNoText = errors.New("the value has no text")

// typeName gives the name of the type of v in Python.
func typeName(v any) string {
	switch v := v.(type) {
	case nil:
		return "NoneType"
	case bool:
		return "bool"
	case int64, *big.Int:
		return "int"
	case float64:
		return "float"
	case string:
		return "str"
	case []any:
		return "list"
	case tuple:
		return "tuple"
	case *stdops.Object:
		return "dict"
	case span:
		return "range"
	case *view:
		return v.kind
	case *set:
		return "set"
	case cut:
		return "slice"
	case octets:
		return "bytes"
	case thing:
		return v.kind()
	case *generator:
		return "generator"
	case *closure:
		return "function"
	case *function:
		if v.isType {
			return "type"
		}
		return "builtin_function_or_method"
	default:
		return "object"
	}
}

// truth gives bool(v).
func truth(v any) bool {
	switch v := v.(type) {
	case tuple:
		return len(v) > 0
	case span:
		return v.length() > 0
	case *view:
		return len(v.items) > 0
	case *set:
		return len(v.items) > 0
	case octets:
		return v != ""
	case delta:
		return v != 0
	default:
		return stdops.Truth(v)
	}
}

// items gives what iterating over v gives. The caller must not change the slice.
func (m *machine) items(v any) ([]any, error) {
	switch v := v.(type) {
	case []any:
		return v, m.spend(len(v))
	case tuple:
		return v, m.spend(len(v))
	case *record:
		return v.items, nil
	case *view:
		return v.items, m.spend(len(v.items))
	case *set:
		return v.items, m.spend(len(v.items))
	case iterator:
		return m.drain(v)
	case string:
		return m.letters(v)
	case octets:
		return m.octets(v)
	case *stdops.Object:
		return m.keys(v)
	case span:
		return m.spanItems(v)
	default:
		return nil, fail("'%s' object is not iterable", typeName(v))
	}
}

// list makes room for n items, paid for.
func (m *machine) list(n int) ([]any, error) {
	if err := m.spend(n); err != nil {
		return nil, err
	}
	if err := m.growBy(n, itemSize); err != nil {
		return nil, err
	}
	return make([]any, 0, n), nil
}

func (m *machine) letters(s string) ([]any, error) {
	list, err := m.list(runeCount(s))
	if err != nil {
		return nil, err
	}
	for i, r := range s {
		list = append(list, s[i:i+runeWidth(s[i:], r)])
	}
	return list, nil
}

func (m *machine) octets(b octets) ([]any, error) {
	list, err := m.list(len(b))
	if err != nil {
		return nil, err
	}
	for i := range len(b) {
		list = append(list, int64(b[i]))
	}
	return list, nil
}

func (m *machine) keys(o *stdops.Object) ([]any, error) {
	list, err := m.list(o.Len())
	if err != nil {
		return nil, err
	}
	for _, k := range o.Keys() {
		list = append(list, k)
	}
	return list, nil
}

func (m *machine) spanItems(s span) ([]any, error) {
	n := s.length()
	if n > maxSteps {
		return nil, &LimitError{limitSteps}
	}
	list, err := m.list(int(n))
	if err != nil {
		return nil, err
	}
	for i := range n {
		list = append(list, s.at(i))
	}
	return list, nil
}
