package flow

import (
	"slices"
	"strconv"

	"github.com/stdops/stdops"
)

// Limits bound the size of an unfolded tree.
type Limits struct {
	Nesting int // levels of subprocesses below the root
	Nodes   int // nodes of all levels
}

// DefaultLimits gives the limits that hold unless an operator sets others.
func DefaultLimits() Limits { return Limits{Nesting: 32, Nodes: 20_000} }

// ChildRef is a reference of a subprocess node to a stored flow.
type ChildRef struct {
	Template     stdops.TemplateID
	Source       string // project, common or ""
	Version      string // "" for the current one
	AlwaysLatest bool
	Schemes      string // ids of the execution schemes that the node asks for, with commas between them; "" runs every node
	Path         string // of the first node that refers to it
}

// key names what is loaded: two references with the same key get the same tree.
func (c ChildRef) key() ChildRef {
	c.Path = ""
	if c.AlwaysLatest {
		c.Version = ""
	}
	c.AlwaysLatest = false
	return c
}

// Children gives the references to stored flows of this tree and of the pipelines inside it, in order of appearance.
func (t *Tree) Children() []ChildRef {
	var refs []ChildRef
	for _, l := range t.levelsWithin() {
		for _, n := range l.activities {
			if n.child != nil {
				refs = append(refs, *n.child)
			}
		}
	}
	return refs
}

// Expand puts the tree of every stored flow that a subprocess refers to in its place, at all levels; a pipeline that is
// already there is kept. The size is counted, each stored flow once, before anything is built. load may give the
// same tree every time: it is copied, not changed.
func (t *Tree) Expand(load func(ChildRef) (*Tree, error), limits Limits) error {
	e := &expander{load: load, limits: limits, known: map[ChildRef]*stored{}, open: map[ChildRef]bool{}}
	if _, err := e.measure(t, "", 0); err != nil {
		return err
	}
	e.build(t)
	t.numbered = false
	return nil
}

type expander struct {
	load   func(ChildRef) (*Tree, error)
	limits Limits
	known  map[ChildRef]*stored
	open   map[ChildRef]bool // templates around the one that is measured, whatever their version
}

type stored struct {
	tree *Tree
	size size
}

// size is what a tree becomes when it is unfolded.
type size struct{ nodes, nesting int }

// measure counts t, which lies depth levels below the root. It goes no deeper than the nesting limit.
func (e *expander) measure(t *Tree, at string, depth int) (size, error) {
	if depth > e.limits.Nesting {
		return size{}, e.tooDeep(at)
	}
	own := size{nodes: 2 + len(t.activities) + len(t.gateways)}
	for _, n := range t.activities {
		inner, err := e.inner(n, at, depth+1)
		if err != nil {
			return size{}, err
		}
		own.nodes += inner.nodes
		own.nesting = max(own.nesting, inner.nesting)
		if own.nodes > e.limits.Nodes {
			break
		}
	}
	if own.nodes > e.limits.Nodes {
		return size{}, stdops.Errorf(stdops.CodeInvalid, "too many nodes: the tree with its subprocesses has more than %d", e.limits.Nodes)
	}
	return own, nil
}

func (e *expander) inner(n *node, at string, depth int) (size, error) {
	path := at + n.path()
	switch {
	case n.pipeline != nil:
		inner, err := e.measure(n.pipeline, path+".pipeline.", depth)
		inner.nesting++
		return inner, err
	case n.own != nil:
		inner, err := e.measure(n.own, at+n.ownAt(), depth)
		inner.nesting++
		return inner, err
	case n.child == nil:
		return size{}, nil
	}
	child, err := e.child(n, path, depth)
	if err != nil {
		return size{}, err
	}
	if depth+child.size.nesting > e.limits.Nesting {
		return size{}, e.tooDeep(path + ".")
	}
	return size{nodes: child.size.nodes, nesting: child.size.nesting + 1}, nil
}

func (e *expander) child(n *node, path string, depth int) (*stored, error) {
	ref := *n.child
	ref.Path = path
	template := ChildRef{Template: ref.Template, Source: ref.Source}
	if e.open[template] {
		return nil, invalid(path, "template %d contains itself", ref.Template)
	}
	if child := e.known[ref.key()]; child != nil {
		return child, nil
	}
	if e.load == nil {
		return nil, invalid(path+".template_id", "a reference to a template cannot be resolved here")
	}
	tree, err := e.load(ref)
	if err != nil {
		return nil, err
	}
	e.open[template] = true
	measured, err := e.measure(tree, path+".pipeline.", depth)
	if err != nil {
		return nil, err
	}
	delete(e.open, template)
	child := &stored{tree: tree, size: measured}
	e.known[ref.key()] = child
	return child, nil
}

func (e *expander) tooDeep(at string) error {
	return invalid(at, "nesting of subprocesses deeper than %d", e.limits.Nesting)
}

const longestEnd = 128 // characters of either end of a position that a message repeats

// shortPath keeps both ends of a position that is too long for a message.
func shortPath(at string) string {
	if len(at) > 0 && at[len(at)-1] == '.' {
		at = at[:len(at)-1]
	}
	if runes := []rune(at); len(runes) > 2*longestEnd {
		return string(runes[:longestEnd]) + " … " + string(runes[len(runes)-longestEnd:])
	}
	return at
}

// build unfolds a tree that was measured.
func (e *expander) build(root *Tree) {
	for todo := []*Tree{root}; len(todo) > 0; {
		t := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, n := range t.activities {
			switch {
			case n.child == nil:
			case n.kind == stdops.KindActivity:
				n.own = e.known[n.child.key()].tree.clone()
				n.own.fill(n)
				n.child = nil
			default:
				e.unfold(n)
			}
			for _, inner := range []*Tree{n.pipeline, n.own} {
				if inner != nil {
					todo = append(todo, inner)
				}
			}
		}
	}
}

func (e *expander) unfold(n *node) {
	child := e.known[n.child.key()].tree
	n.pipeline = child.clone()
	n.pipeline.fill(n)
	n.raw = n.raw.Clone()
	n.raw.Delete("constants")
	n.raw.Set("original_template_id", strconv.FormatInt(int64(n.child.Template), 10))
	version := child.Version
	if version == "" {
		version = n.child.Version
	}
	n.raw.Set("original_template_version", version)
	if n.child.Source != "" {
		n.raw.Set("template_source", n.child.Source)
	} else {
		n.raw.Set("template_source", "project")
	}
	n.child, n.given = nil, nil
}

// fill gives a child the values that its node in the parent has for it (docs/spec/engine.md 1.5, steps 2 and 3).
func (t *Tree) fill(n *node) {
	place := make(map[string]int, len(t.constants))
	for i, c := range t.constants {
		place[c.Key] = i
		if form, ok := c.Value.(*stdops.Object); ok && !c.Shown && flag(c.raw, "is_meta", false) {
			v, _ := form.Get("default")
			t.constants[i] = c.with("value", v)
		}
	}
	quiet := &reader{} // the form of these constants was checked with the parent
	for _, key := range n.given.Keys() {
		v, _ := n.given.Get(key)
		raw := v.(*stdops.Object).Clone()
		raw.Delete("form")
		i, had := place[key]
		if n.child.AlwaysLatest {
			if !had {
				continue
			}
			if info, ok := t.constants[i].raw.Get("source_info"); ok {
				raw.Set("source_info", info)
			}
		}
		c := quiet.constant(raw, key, key)
		if had {
			t.constants[i] = c
		} else {
			t.constants = append(t.constants, c)
		}
	}
}

// clone gives a copy that can be changed. Raw objects and constants are shared, because they are replaced, never changed.
func (t *Tree) clone() *Tree {
	root := t.copyLevel()
	for todo := []*Tree{root}; len(todo) > 0; {
		level := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, n := range level.activities {
			for _, inner := range []**Tree{&n.pipeline, &n.own} {
				if *inner != nil {
					*inner = (*inner).copyLevel()
					todo = append(todo, *inner)
				}
			}
		}
	}
	return root
}

func (t *Tree) copyLevel() *Tree {
	c := *t
	c.numbered = false
	c.nodes = make(map[string]*node, len(t.nodes))
	copyNode := func(n *node) *node {
		m := *n
		m.in, m.out = slices.Clone(n.in), slices.Clone(n.out)
		m.conditions = slices.Clone(n.conditions)
		c.nodes[m.id] = &m
		return &m
	}
	c.start, c.end = copyNode(t.start), copyNode(t.end)
	c.activities, c.gateways = mapped(t.activities, copyNode), mapped(t.gateways, copyNode)
	c.lines = make(map[string]*line, len(t.lines))
	c.flows = mapped(t.flows, func(l *line) *line {
		m := *l
		c.lines[m.id] = &m
		return &m
	})
	c.constants, c.outputs = slices.Clone(t.constants), slices.Clone(t.outputs)
	return &c
}

func mapped[T any](list []T, f func(T) T) []T {
	out := make([]T, len(list))
	for i, v := range list {
		out[i] = f(v)
	}
	return out
}

// Clone gives a copy of the tree that can be changed without changing this one.
func (t *Tree) Clone() *Tree { return t.clone() }
