package exchange

import "github.com/stdops/stdops"

// What is read here may have any form: whether a tree is one is for flow to say.

// object gives the object under a key; a nil object has none.
func object(o *stdops.Object, key string) (*stdops.Object, bool) {
	v, _ := o.Get(key)
	inner, ok := v.(*stdops.Object)
	return inner, ok && inner != nil
}

// members gives the objects under a key with their ids, in order.
func members(o *stdops.Object, key string) func(yield func(string, *stdops.Object) bool) {
	return func(yield func(string, *stdops.Object) bool) {
		inside, _ := object(o, key)
		all(inside)(yield)
	}
}

// all gives the objects in an object, in order.
func all(o *stdops.Object) func(yield func(string, *stdops.Object) bool) {
	return func(yield func(string, *stdops.Object) bool) {
		for _, id := range o.Keys() {
			if member, ok := object(o, id); ok && !yield(id, member) {
				return
			}
		}
	}
}

// place is an activity with what its position is made of: positions of deeply nested activities are long, so they are put
// together only for a message.
type place struct {
	node       *stdops.Object
	prefix, id string
}

// at gives the position in the tree.
func (p place) at() string { return p.prefix + "activities." + stdops.Short(p.id) }

// activities gives the activities of all levels of a tree.
func activities(tree *stdops.Object, prefix string) []place {
	var found []place
	for id, node := range members(tree, "activities") {
		here := place{node: node, prefix: prefix, id: id}
		found = append(found, here)
		if inner, ok := object(node, "pipeline"); ok {
			found = append(found, activities(inner, here.at()+".pipeline.")...)
		}
	}
	return found
}

// refers reports whether an activity is a subprocess that names another flow.
func (p place) refers() bool {
	_, inline := object(p.node, "pipeline")
	return p.node.Text("type") == stdops.KindSubprocess.String() && !inline
}
