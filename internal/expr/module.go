package expr

import "time"

// Environment is what a fragment can see of the world. It is an argument, so that a rendering can be repeated.
type Environment struct {
	Now    time.Time
	Zone   *time.Location // nil is UTC
	Random Source         // nil: what is left to chance fails
}

// Source gives numbers at random.
type Source interface{ Uint64() uint64 }

// now gives the moment of the rendering in the zone of the project.
func (e Environment) now() time.Time { return e.local(e.Now) }

func (e Environment) local(t time.Time) time.Time {
	if e.Zone == nil {
		return t.UTC()
	}
	return t.In(e.Zone)
}

// thing is a value that comes from a module. Like all values of an expression it is never changed.
type thing interface {
	kind() string                         // name of its type
	member(name string) any               // an attribute or method, missing when there is none
	text(quoted bool) (s string, ok bool) // str(v), or repr(v) when quoted; not ok when that would be an address
}

// sortable is a thing that can be compared with others like it, and be an item of a set.
type sortable interface {
	compareTo(other any) (order int, ok bool) // ok is false when they have no order
	hashText() string
}

// namespace is a module, or a class of one.
type namespace struct {
	name    string
	members map[string]any
	create  builtinCall // of a class
}

type builtinCall = func(m *machine, a arguments) (any, error)

func (n *namespace) kind() string {
	if n.create == nil {
		return "module"
	}
	return "type"
}

func (n *namespace) member(name string) any {
	if value, ok := n.members[name]; ok {
		return value
	}
	return missing{}
}

// text is known of classes; that of a module has a path in it.
func (n *namespace) text(bool) (string, bool) {
	return "<class '" + n.name + "'>", n.create != nil
}

// functions makes members of functions. Most of them have an address as text, so that they have none here.
func functions(table map[string]builtinCall) map[string]any {
	members := make(map[string]any, len(table))
	for name, call := range table {
		members[name] = &bound{call}
	}
	return members
}

// method makes a member of a method of a type.
func method[T any](table map[string]func(*machine, T, arguments) (any, error), of T, name string) any {
	if call := bind(table[name], of); call != nil {
		return &bound{call}
	}
	return missing{}
}

// modules are those that every fragment can use. A variable of the same name wins.
var modules = map[string]*namespace{
	"datetime": datetimeModule,
	"hashlib":  {name: "hashlib", members: hashMembers()},
	"json":     {name: "json", members: functions(map[string]builtinCall{"dumps": jsonDumps, "loads": jsonLoads})},
	"os":       {name: "os", members: map[string]any{"path": &namespace{name: "posixpath", members: pathMembers()}}},
	"re":       reModule,
	"time":     timeModule,
	"random":   {name: "random", members: functions(randomFunctions)},
}
