package flow

import "github.com/stdops/stdops"

// Sketch is what a drawing needs of a tree beside its [Graph]: where things stand and what they are called.
type Sketch struct {
	Nodes []SketchNode // by index, the root first
	Flows []string     // the names of the flows by index, "" for most
}

// SketchNode is how a node is drawn.
type SketchNode struct {
	Optional bool
	Placed   bool // the tree says where the node stands within its level
	X, Y     float64
}

// SketchOf reads the drawing of an unfolded tree, at all levels. What does not fit is left out.
func SketchOf(t *Tree) *Sketch {
	t.number()
	s := &Sketch{Nodes: []SketchNode{{}}}
	for _, l := range t.levels() {
		for _, n := range l.tree.all() {
			at := grown(&s.Nodes, int(n.index))
			at.Optional = n.raw != nil && flag(n.raw, "optional", false)
			for _, c := range n.conditions {
				s.name(l.tree.lines[c.flow], c.raw)
			}
			if n.fallback != "" {
				value, _ := n.raw.Get("default_condition")
				o, _ := value.(*stdops.Object)
				s.name(l.tree.lines[n.fallback], o)
			}
		}
		for _, line := range l.tree.flows {
			if name := grown(&s.Flows, int(line.index)); *name == "" && line.raw != nil {
				*name = line.raw.Text("name")
			}
		}
		s.place(l.tree)
	}
	return s
}

// name names the flow that a condition is about.
func (s *Sketch) name(l *line, condition *stdops.Object) {
	if l != nil && condition != nil {
		*grown(&s.Flows, int(l.index)) = condition.Text("name")
	}
}

// place takes over the locations of one level.
func (s *Sketch) place(t *Tree) {
	value, _ := t.raw.Get("location")
	list, _ := value.([]any)
	for _, item := range list {
		o, ok := item.(*stdops.Object)
		if !ok || o == nil || t.nodes[o.Text("id")] == nil {
			continue
		}
		x, hasX := coordinate(o, "x")
		y, hasY := coordinate(o, "y")
		if at := &s.Nodes[t.nodes[o.Text("id")].index]; hasX && hasY {
			at.Placed, at.X, at.Y = true, x, y
		}
	}
}

func coordinate(o *stdops.Object, key string) (float64, bool) {
	switch v, _ := o.Get(key); v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	default:
		return 0, false
	}
}

// grown gives the element at a place of a list, which grows as far as needed.
func grown[T any](list *[]T, at int) *T {
	for len(*list) <= at {
		var zero T
		*list = append(*list, zero)
	}
	return &(*list)[at]
}
