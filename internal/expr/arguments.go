package expr

import "strings"

// arguments of a call.
type arguments struct {
	positional []any
	named      []argument
}

type argument struct {
	name  string
	value any
}

// missing stands for an argument that was not given.
type missing struct{}

// take gives the arguments by the order of names, missing where one was not given. The first required ones must be
// there. A name that begins with "-" can be given by position only.
func (a arguments) take(required int, names ...string) ([]any, error) {
	if len(a.positional) > len(names) {
		return nil, fail("too many arguments")
	}
	values := make([]any, len(names))
	for i := range values {
		values[i] = missing{}
	}
	copy(values, a.positional)
	for _, n := range a.named {
		i := 0
		for i < len(names) && names[i] != n.name {
			i++
		}
		if i == len(names) || !absent(values[i]) {
			return nil, fail("unexpected keyword argument '%s'", n.name)
		}
		values[i] = n.value
	}
	for i, v := range values[:required] {
		if absent(v) {
			return nil, fail("missing argument '%s'", strings.TrimPrefix(names[i], "-"))
		}
	}
	return values, nil
}

func absent(v any) bool { return v == missing{} }

// none reports whether an optional argument was left out, or given as None.
func none(v any) bool { return v == nil || absent(v) }

// textArgument gives v as a text.
func textArgument(v any) (string, error) {
	s, ok := v.(string)
	if !ok {
		return "", fail("argument must be str, not %s", typeName(v))
	}
	return s, nil
}

// countArgument gives v as a whole number, or otherwise when it was left out.
func countArgument(v any, otherwise int64) (int64, error) {
	if absent(v) {
		return otherwise, nil
	}
	i, ok := v64(v)
	if !ok {
		return 0, fail("'%s' object cannot be interpreted as an integer", typeName(v))
	}
	return i, nil
}
