package flow

import (
	"slices"

	"github.com/stdops/stdops"
)

// An activity of this code makes a task of its own of the flow in this input (docs/spec/engine.md 1.6). The flow is
// checked, and put there where it is only referred to, when the task around it is created.
const (
	ownCode  = "subprocess_plugin"
	ownInput = "subprocess"
)

// ownFlow reads the flow that an activity makes a task of. It is handed over as it is: its texts are rendered where it
// runs.
func (r *reader) ownFlow(n *node, path string) {
	if n.component == nil || n.component.code != ownCode {
		return
	}
	path += ".component.data." + ownInput
	i := slices.IndexFunc(n.component.inputs, func(in Input) bool { return in.Key == ownInput })
	if i < 0 {
		r.fail(path, "is required")
		return
	}
	in := &n.component.inputs[i]
	in.Render = false
	path += ".value"
	value, ok := in.Value.(*stdops.Object)
	if !ok || value == nil {
		r.fail(path, "must be an object")
		return
	}
	if pipeline, _ := value.Get("pipeline"); pipeline != nil {
		if inner := r.object(value, path+".", "pipeline", true); inner != nil {
			n.own = r.tree(inner, shortPath(path+".pipeline")+".") // every field below has a path that begins so
		}
		return
	}
	if ref, ok := r.childRef(value, path, "a subprocess"); ok {
		n.child = ref
	}
}

// ownAt gives the prefix of positions inside the flow that the activity makes a task of.
func (n *node) ownAt() string { return n.path() + ".component.data." + ownInput + ".value.pipeline." }

// ownValue gives the input with the flow as it was unfolded.
func (n *node) ownValue() *stdops.Object {
	i := slices.IndexFunc(n.component.inputs, func(in Input) bool { return in.Key == ownInput })
	value := n.component.inputs[i].Value.(*stdops.Object).Clone()
	value.Set("pipeline", (&writer{own: true}).tree(n.own, ""))
	return value
}

// writeOwn lays the flow that the activity makes a task of over what was sent.
func (n *node) writeOwn(o *stdops.Object) {
	inside := func(o *stdops.Object, key string) *stdops.Object {
		v, _ := o.Get(key)
		inner := v.(*stdops.Object).Clone()
		o.Set(key, inner)
		return inner
	}
	inside(inside(inside(o, "component"), "data"), ownInput).Set("value", n.ownValue())
}

// levelsWithin gives all levels of a tree, and those of the flows that its activities make tasks of.
func (t *Tree) levelsWithin() (list []*Tree) {
	for _, l := range t.levels() {
		list = append(list, l.tree)
		for _, n := range l.tree.activities {
			if n.own != nil {
				list = append(list, n.own.levelsWithin()...)
			}
		}
	}
	return list
}

// size counts the nodes of a tree, with those of the flows that its activities make tasks of.
func (t *Tree) size() int {
	count := 0
	for _, l := range t.levels() {
		count += 2 + len(l.tree.activities) + len(l.tree.gateways)
		for _, n := range l.tree.activities {
			if n.own != nil {
				count += n.own.size()
			}
		}
	}
	return count
}
