package flow

import (
	"slices"

	"github.com/stdops/stdops"
)

// Nested reports whether an activity of the root level is a subprocess.
func (t *Tree) Nested() bool {
	return slices.ContainsFunc(t.activities, func(n *node) bool { return n.kind == stdops.KindSubprocess })
}

// Use is a constant of the root level, with how many activities of it take the constant by its name.
type Use struct {
	Constant
	Activities int
}

// Uses gives the constants that something refers to, in the order of the document, without those that hold the output of
// a node.
func (t *Tree) Uses() []Use {
	used, takers := t.usedConstants(nil), map[string]int{}
	for _, n := range t.activities {
		seen := map[string]bool{}
		n.values(func(v any) {
			for word := range references(v) {
				if key := "${" + word + "}"; !seen[key] {
					seen[key] = true
					takers[key]++
				}
			}
		})
	}
	var uses []Use
	for _, c := range t.constants {
		if used[c.Key] && c.SourceType != sourceOutputs {
			uses = append(uses, Use{Constant: *c, Activities: takers[c.Key]})
		}
	}
	return uses
}

// Places gives values of a tree with their positions. Positions can be long, so they are made one after the other.
type Places func(yield func(path string, value any) bool)

// Rendered gives what is rendered when a task runs: the inputs of activities and the values of constants at all levels.
func (t *Tree) Rendered() Places {
	return func(yield func(string, any) bool) {
		for _, l := range t.levels() {
			for _, n := range l.tree.activities {
				if !n.rendered(l.at+n.path(), yield) {
					return
				}
			}
			for _, c := range l.tree.constants {
				if !yield(l.at+"constants."+stdops.Short(c.Key)+".value", c.Value) {
					return
				}
			}
		}
	}
}

func (n *node) rendered(at string, yield func(string, any) bool) bool {
	if n.component != nil {
		for _, in := range n.component.inputs {
			if in.Render && !yield(at+".component.data."+stdops.Short(in.Key), in.Value) {
				return false
			}
		}
	}
	for _, key := range n.given.Keys() {
		c, _ := n.given.Get(key)
		o, _ := c.(*stdops.Object)
		if value, _ := o.Get("value"); !yield(at+".constants."+stdops.Short(key)+".value", value) {
			return false
		}
	}
	return true
}

// Conditions gives the conditions of gateways at all levels.
func (t *Tree) Conditions() Places {
	return func(yield func(string, any) bool) {
		for _, l := range t.levels() {
			for _, n := range l.tree.gateways {
				for _, c := range n.conditions {
					if !yield(l.at+n.path()+".conditions."+stdops.Short(c.flow)+".evaluate", c.evaluate) {
						return
					}
				}
			}
		}
	}
}

// Classes gives the classes of the constants of all levels that have one.
func (t *Tree) Classes() Places {
	return func(yield func(string, any) bool) {
		for _, l := range t.levels() {
			for _, c := range l.tree.constants {
				if c.CustomType != "" && !yield(l.at+"constants."+stdops.Short(c.Key)+".custom_type", c.CustomType) {
					return
				}
			}
		}
	}
}
