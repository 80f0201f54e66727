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
