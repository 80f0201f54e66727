package expr

import "github.com/stdops/stdops"

type attribute struct {
	name   string
	called bool // a call follows
}

// apply gives v.name. The keys of an object are its attributes, as system variables are used that way; a method wins
// when it is called.
func (n *attribute) apply(m *machine, v any) (any, error) {
	if object, ok := v.(*stdops.Object); ok {
		value, found := object.Get(n.name)
		if found && (!n.called || dictMethods[n.name] == nil) {
			return value, nil
		}
	}
	if t, ok := v.(thing); ok {
		if value := t.member(n.name); !absent(value) {
			return value, nil
		}
	}
	var call func(*machine, arguments) (any, error)
	switch v := v.(type) {
	case string:
		call = bind(textMethods[n.name], v)
	case []any:
		call = bind(listMethods[n.name], v)
	case tuple:
		call = bind(tupleMethods[n.name], []any(v))
	case *function:
		if v.name == "str" {
			call = unbound(textMethods[n.name])
		}
	case octets:
		call = bind(octetsMethods[n.name], v)
	case *set:
		call = bind(setMethods[n.name], v)
	case *stdops.Object:
		call = bind(dictMethods[n.name], v)
	}
	if call == nil {
		return nil, fail("'%s' object has no attribute '%s'", typeName(v), n.name)
	}
	return &bound{call}, nil
}

// bind makes a method of a value out of a method of a type; nil stays nil.
func bind[T any](method func(*machine, T, arguments) (any, error), of T) func(*machine, arguments) (any, error) {
	if method == nil {
		return nil
	}
	return func(m *machine, a arguments) (any, error) { return method(m, of, a) }
}

// unbound makes a function of a method of texts, for `key=str.lower`.
func unbound(method textMethod) func(*machine, arguments) (any, error) {
	if method == nil {
		return nil
	}
	return func(m *machine, a arguments) (any, error) {
		if len(a.positional) == 0 {
			return nil, fail("unbound method needs an argument")
		}
		s, err := textArgument(a.positional[0])
		if err != nil {
			return nil, err
		}
		a.positional = a.positional[1:]
		return method(m, s, a)
	}
}
