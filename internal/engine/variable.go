package engine

import (
	"fmt"

	"github.com/stdops/stdops/internal/expr"
	"github.com/stdops/stdops/internal/lazy"
)

// recipe is how the value of a variable is made: a template whose result its kind may turn into something else.
type recipe struct {
	template any
	kind     string
	meta     any
}

// recipe gives how a variable that nothing has set yet is made.
func (v *scope) recipe(name string, template any) recipe {
	def := v.graphNode(v.pipeline).Pipeline.Variables[name]
	return recipe{template, def.CustomType, def.Meta}
}

// fixed reports whether the value is the template as it stands.
func (r *recipe) fixed() bool { return !expr.HasReference(r.template) && !lazy.Is(r.kind) }

// made gives the value of a variable; label tells it from others of the node.
func (v *scope) made(r recipe, label string) (any, error) {
	value := r.template
	if expr.HasReference(value) {
		var err error
		if value, err = v.rendered(value, label); err != nil {
			return nil, err
		}
	}
	if !lazy.Is(r.kind) {
		return value, nil
	}
	value, err := lazy.Value(r.kind, lazy.Choice{Value: value, Meta: r.meta}, v.environment(label))
	if err != nil {
		return nil, fmt.Errorf("variable %s: %w", label, err)
	}
	return value, nil
}
