package flow

import "github.com/stdops/stdops"

// Distances of the computed drawing, in the canvas units of the tree format.
const (
	columnWidth = 180
	rowHeight   = 100
	margin      = 80
)

// locationKinds are the words of the canvas for the types of nodes.
var locationKinds = map[string]string{
	"EmptyStartEvent": "startpoint", "EmptyEndEvent": "endpoint", "ServiceActivity": "tasknode", "SubProcess": "subflow",
	"ExclusiveGateway": "branchgateway", "ParallelGateway": "parallelgateway",
	"ConditionalParallelGateway": "conditionalparallelgateway", "ConvergeGateway": "convergegateway",
}

// Draw gives a tree a drawing where it was sent without one (docs/spec/api.md 4.13), at all levels: columns by the
// distance from the start, rows by the order of the document. What is wrong with a tree is for others to say, so whatever
// does not fit is left out. The tree must be one that nobody else holds.
func Draw(tree *stdops.Object) {
	if tree == nil {
		return
	}
	nodes, order := drawable(tree)
	if _, ok := tree.Get("location"); !ok {
		tree.Set("location", locations(tree, nodes, order))
	}
	if _, ok := tree.Get("line"); !ok {
		tree.Set("line", lines(tree))
	}
	for _, id := range order {
		pipeline, _ := nodes[id].Get("pipeline")
		inner, _ := pipeline.(*stdops.Object)
		Draw(inner)
	}
}

// drawable collects the nodes of a level by id, and the ids in the order of the document.
func drawable(tree *stdops.Object) (nodes map[string]*stdops.Object, order []string) {
	nodes = map[string]*stdops.Object{}
	add := func(o *stdops.Object) {
		id := o.Text("id")
		if _, twice := nodes[id]; id == "" || twice || locationKinds[o.Text("type")] == "" {
			return
		}
		nodes[id] = o
		order = append(order, id)
	}
	for _, key := range []string{"start_event", "end_event"} {
		value, _ := tree.Get(key)
		event, _ := value.(*stdops.Object)
		add(event)
	}
	for _, key := range []string{"activities", "gateways"} {
		for _, member := range drawnMembers(tree, key) {
			add(member)
		}
	}
	return nodes, order
}

// drawnMembers gives the objects under a key, in order.
func drawnMembers(tree *stdops.Object, key string) []*stdops.Object {
	value, _ := tree.Get(key)
	all, _ := value.(*stdops.Object)
	var list []*stdops.Object
	for _, id := range all.Keys() {
		member, _ := all.Get(id)
		if o, ok := member.(*stdops.Object); ok && o != nil {
			list = append(list, o)
		}
	}
	return list
}

func locations(tree *stdops.Object, nodes map[string]*stdops.Object, order []string) []any {
	column := columns(tree, nodes)
	rows := map[int]int{}
	list := make([]any, 0, len(order))
	for _, id := range order {
		node, at := nodes[id], column[id]
		list = append(list, stdops.NewObject(
			"id", id, "type", locationKinds[node.Text("type")], "name", node.Text("name"),
			"x", int64(margin+at*columnWidth), "y", int64(margin+rows[at]*rowHeight), "status", "",
		))
		rows[at]++
	}
	return list
}

// columns gives the distance of every node from the start, counted in flows; what the start does not reach is at 0.
func columns(tree *stdops.Object, nodes map[string]*stdops.Object) map[string]int {
	next := map[string][]string{}
	for _, flow := range drawnMembers(tree, "flows") {
		next[flow.Text("source")] = append(next[flow.Text("source")], flow.Text("target"))
	}
	column := map[string]int{}
	value, _ := tree.Get("start_event")
	event, _ := value.(*stdops.Object)
	todo := []string{event.Text("id")}
	for ; len(todo) > 0; todo = todo[1:] {
		for _, target := range next[todo[0]] {
			if _, seen := column[target]; !seen && nodes[target] != nil {
				column[target] = column[todo[0]] + 1
				todo = append(todo, target)
			}
		}
	}
	return column
}

func lines(tree *stdops.Object) []any {
	list := []any{}
	for _, flow := range drawnMembers(tree, "flows") {
		list = append(list, stdops.NewObject(
			"id", flow.Text("id"),
			"source", stdops.NewObject("arrow", "Right", "id", flow.Text("source")),
			"target", stdops.NewObject("arrow", "Left", "id", flow.Text("target")),
		))
	}
	return list
}
