package conformance

import (
	"slices"

	"github.com/stdops/stdops"
)

// canvasTypes are the words that an editor uses for the node types in "location".
var canvasTypes = map[string]string{
	"EmptyStartEvent": "startpoint", "EmptyEndEvent": "endpoint", "ServiceActivity": "tasknode", "SubProcess": "subflow",
	"ExclusiveGateway": "branchgateway", "ParallelGateway": "parallelgateway", "ConvergeGateway": "convergegateway",
	"ConditionalParallelGateway": "conditionalparallelgateway",
}

// manyOut are the types whose outgoing flows are a list; the others have one, as a text.
var manyOut = []string{"ExclusiveGateway", "ParallelGateway", "ConditionalParallelGateway"}

// tree puts nodes and edges together; constants and outputs are added by the caller.
func (b *treeBuilder) tree(start, end *stdops.Object) *stdops.Object {
	flows, lines := b.flows()
	activities, gateways, locations := &stdops.Object{}, &stdops.Object{}, []any{}
	for i, name := range b.nodes.Keys() {
		node, id, kind := child(b.nodes, name), child(b.nodes, name).Text("id"), child(b.nodes, name).Text("type")
		locations = append(locations, stdops.NewObject("id", id, "type", canvasTypes[kind], "name", name,
			"x", int64(40+160*(i%12)), "y", int64(100+120*(i/12))))
		if !slices.Contains(manyOut, kind) {
			node.Set("outgoing", first(list(node, "outgoing")))
		}
		switch kind {
		case "ServiceActivity", "SubProcess":
			activities.Set(id, node)
		case "EmptyStartEvent", "EmptyEndEvent":
		default:
			gateways.Set(id, node)
		}
	}
	start.Set("incoming", "")
	return stdops.NewObject("start_event", start, "end_event", end, "activities", activities, "gateways", gateways,
		"flows", flows, "line", lines, "location", locations)
}

func (b *treeBuilder) flows() (*stdops.Object, []any) {
	flows, lines := &stdops.Object{}, []any{}
	for _, e := range b.edges {
		target := e.target
		if target == nil {
			if !has(b.nodes, e.name) {
				b.fail("a flow leads to %s, which does not exist", e.name)
			}
			target = child(b.nodes, e.name)
		}
		source, goal := e.source.Text("id"), target.Text("id")
		push(target, "incoming", e.id)
		flows.Set(e.id, stdops.NewObject("id", e.id, "source", source, "target", goal, "is_default", false))
		lines = append(lines, stdops.NewObject("id", e.id, "source", stdops.NewObject("id", source, "arrow", "Right"),
			"target", stdops.NewObject("id", goal, "arrow", "Left")))
	}
	return flows, lines
}

func first(items []any) any {
	if len(items) == 0 {
		return ""
	}
	return items[0]
}

// nodesOf gives the nodes of one level of a tree: events, activities, gateways.
func nodesOf(tree *stdops.Object) []*stdops.Object {
	nodes := []*stdops.Object{child(tree, "start_event"), child(tree, "end_event")}
	for _, group := range []string{"activities", "gateways"} {
		members := child(tree, group)
		for _, id := range members.Keys() {
			nodes = append(nodes, child(members, id))
		}
	}
	return nodes
}
