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

// Rendered is something of a tree whose fragments are evaluated when a task runs, and where it stands.
type Rendered struct {
	Path  string
	Value any
}

// Rendered gives the inputs of activities and the values of constants at all levels.
func (t *Tree) Rendered() []Rendered {
	var list []Rendered
	for _, l := range t.levels() {
		for _, n := range l.tree.activities {
			list = append(list, n.rendered(l.at+n.path())...)
		}
		for _, c := range l.tree.constants {
			list = append(list, Rendered{l.at + "constants." + short(c.Key) + ".value", c.Value})
		}
	}
	return list
}

func (n *node) rendered(at string) []Rendered {
	var list []Rendered
	if n.component != nil {
		for _, in := range n.component.inputs {
			if in.Render {
				list = append(list, Rendered{at + ".component.data." + short(in.Key), in.Value})
			}
		}
	}
	for _, key := range n.given.Keys() {
		c, _ := n.given.Get(key)
		if o, ok := c.(*stdops.Object); ok {
			value, _ := o.Get("value")
			list = append(list, Rendered{at + ".constants." + short(key) + ".value", value})
		}
	}
	return list
}

// Conditions gives the conditions of gateways at all levels.
func (t *Tree) Conditions() []Rendered {
	var list []Rendered
	for _, l := range t.levels() {
		for _, n := range l.tree.gateways {
			for _, c := range n.conditions {
				list = append(list, Rendered{l.at + n.path() + ".conditions." + short(c.flow) + ".evaluate", c.evaluate})
			}
		}
	}
	return list
}

// Classes gives the constants of all levels that have a class, by their positions.
func (t *Tree) Classes() []Rendered {
	var list []Rendered
	for _, l := range t.levels() {
		for _, c := range l.tree.constants {
			if c.CustomType != "" {
				list = append(list, Rendered{l.at + "constants." + short(c.Key) + ".custom_type", c.CustomType})
			}
		}
	}
	return list
}
