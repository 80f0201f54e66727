package flow

import (
	"cmp"
	"math"
	"slices"

	"github.com/stdops/stdops"
)

// pruneConstants removes the constants that neither a node nor a condition refers to, directly or through others, and
// gives them. Outputs of nodes stay, even without their node, and so do those that kept names with what they refer to; as
// outputs of the tree the latter come last. What stays is numbered anew in the order of its index.
func (t *Tree) pruneConstants(gone map[string]bool, kept []string) *stdops.Object {
	used, wanted := t.usedConstants(nil), t.usedConstants(kept)
	dropped := &stdops.Object{}
	var left []*Constant
	for _, c := range t.constants {
		if wanted[c.Key] || c.SourceType == sourceOutputs {
			left = append(left, c)
		} else {
			dropped.Set(c.Key, c.raw)
		}
	}
	slices.SortStableFunc(left, func(a, b *Constant) int { return cmp.Compare(a.index(), b.index()) })
	keys := make(map[string]bool, len(left))
	for i, c := range left {
		left[i] = c.without(gone).with("index", int64(i))
		keys[c.Key] = true
	}
	t.constants = left
	outputs, last := make([]string, 0, len(t.outputs)), []string(nil)
	for _, key := range t.outputs {
		switch {
		case !keys[key]:
		case used[key] || !slices.Contains(kept, key):
			outputs = append(outputs, key)
		default:
			last = append(last, key)
		}
	}
	t.outputs = append(outputs, last...)
	return dropped
}

// index gives the display order; constants without one go last.
func (c *Constant) index() int64 {
	v, _ := c.raw.Get("index")
	if i, ok := v.(int64); ok {
		return i
	}
	return math.MaxInt64
}

// without gives the constant without ties to nodes that are gone.
func (c *Constant) without(gone map[string]bool) *Constant {
	if !slices.ContainsFunc(c.source, func(s source) bool { return gone[s.node] }) {
		return c
	}
	info := &stdops.Object{}
	var left []source
	for _, s := range c.source {
		if !gone[s.node] {
			left = append(left, s)
			info.Set(s.node, mappedAny(s.keys))
		}
	}
	changed := c.with("source_info", info)
	changed.source = left
	return changed
}

// usedConstants gives the keys that are referred to from nodes and conditions, and those that kept names, also through
// values of constants.
func (t *Tree) usedConstants(kept []string) map[string]bool {
	byKey := make(map[string]*Constant, len(t.constants))
	for _, c := range t.constants {
		byKey[c.Key] = c
	}
	used := map[string]bool{}
	var todo []*Constant
	use := func(word string) {
		key := "${" + word + "}"
		if c := byKey[key]; c != nil && !used[key] {
			used[key] = true
			todo = append(todo, c)
		}
	}
	look := func(v any) {
		for word := range references(v) {
			use(word)
		}
	}
	for _, key := range kept {
		use(bare(key))
	}
	for _, n := range t.activities {
		n.values(look)
		n.values(func(v any) {
			for name := range environmentNames(v) {
				use(name)
			}
		})
	}
	for _, n := range t.gateways {
		for _, c := range n.conditions {
			look(c.evaluate)
		}
	}
	for len(todo) > 0 {
		c := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		look(c.Value)
	}
	return used
}

// values shows the values that a node takes from its level: inputs of an activity, shown constants of a subprocess or of a
// flow that the activity makes a task of.
func (n *node) values(look func(any)) {
	if n.component != nil {
		for _, in := range n.component.inputs {
			look(in.Value)
		}
	}
	for _, key := range n.given.Keys() {
		v, _ := n.given.Get(key)
		if o, ok := v.(*stdops.Object); ok && o.Text("show_type") != showHide {
			value, _ := o.Get("value")
			look(value)
		}
	}
	for _, inner := range []*Tree{n.pipeline, n.own} {
		if inner == nil {
			continue
		}
		for _, c := range inner.constants {
			if c.Shown {
				look(c.Value)
			}
		}
	}
}
