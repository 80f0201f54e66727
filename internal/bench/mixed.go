package bench

import (
	"fmt"

	"github.com/stdops/stdops"
)

// mixedActivities is how many activities a task of the mixed flow executes.
const mixedActivities = 17

// mixed makes a flow of the kinds of nodes that most flows are made of:
//
//	start → 4 activities → fork → 3 branches of 3 activities → join → choice ┬→ 2 activities ───────┬→ merge → 2 activities → end
//	                                                                         └→ 1 that is not taken ┘
//
// Each activity has an input that names a variable and one that does not, and the choice looks at what the fourth
// activity gave. A task executes 17 activities and reaches 23 nodes.
func mixed() *stdops.Object {
	d := newDrawing()
	fourth := d.line("start", 4)
	d.variable("host", "custom", "host-1", &stdops.Object{})
	d.variable("answer", "component_outputs", "", stdops.NewObject(nodeID(fourth), []any{"target"}))
	d.gateway("fork", "ParallelGateway", fourth)
	d.gateway("join", "ConvergeGateway", d.line("fork", 3), d.line("fork", 3), d.line("fork", 3))
	d.gateway("choice", "ExclusiveGateway", "join")
	d.gateway("merge", "ConvergeGateway", d.line("choice", 2), d.line("choice", 1))
	d.conditions = []string{"'${answer}' == 'host-1'", "'${answer}' != 'host-1'"}
	return d.tree("end", d.line("merge", 2))
}

// branches is how many the wide flow has.
const branches = 100

// fewestWide is how many nodes the wide flow has at least: one on each branch, start, fork, join and end.
const fewestWide = branches + 4

// wide makes a flow of so many nodes on parallel branches.
func wide(nodes int) *stdops.Object { return branched(nodes).tree("end", "join") }

// wideWaiting makes one in which a task waits in the last activity, behind the branches.
func wideWaiting(nodes int) *stdops.Object {
	d := branched(nodes - 1)
	last := d.line("join", 1)
	d.activities.Set(last, component(waiting))
	return d.tree("end", last)
}

// tailed makes one in which half of so many nodes are behind the branches, one after the other.
func tailed(nodes int) (flow *stdops.Object, before int) {
	before = nodes / 2
	d := branched(before)
	return d.tree("end", d.line("join", nodes-before)), before
}

// branched draws so many nodes on parallel branches, the end counted.
func branched(nodes int) *drawing {
	d := newDrawing()
	d.variable("host", "custom", "host-1", &stdops.Object{})
	d.gateway("fork", "ParallelGateway", "start")
	var ends []string
	for i := range branches {
		ends = append(ends, d.line("fork", (nodes-fewestWide+2*branches-1-i)/branches))
	}
	d.gateway("join", "ConvergeGateway", ends...)
	return d
}

// longRunning makes a flow of twenty nodes whose last activity does not end soon.
func longRunning(last *stdops.Object) *stdops.Object {
	d := newDrawing()
	d.variable("host", "custom", "host-1", &stdops.Object{})
	name := d.line("start", 18)
	d.activities.Set(name, last)
	return d.tree("end", name)
}

// diamonds makes exclusive gateways one after the other whose two branches meet again.
func diamonds(n int) *stdops.Object {
	d := newDrawing()
	d.variable("host", "custom", "host-1", &stdops.Object{})
	d.conditions = []string{"1 == 1", "1 == 1"}
	last := "start"
	for i := range n {
		choice, merge := fmt.Sprintf("choice%d", i), fmt.Sprintf("merge%d", i)
		d.gateway(choice, "ExclusiveGateway", last)
		d.gateway(merge, "ConvergeGateway", d.line(choice, 1), d.line(choice, 1))
		last = merge
	}
	return d.tree("end", last)
}

// nested makes a flow of so many subprocesses of a stored flow.
func nested(template int64, n int) *stdops.Object {
	d := newDrawing()
	last := d.line("start", n)
	tree := d.tree("end", last)
	activities, _ := tree.Get("activities")
	for _, id := range activities.(*stdops.Object).Keys() {
		value, _ := activities.(*stdops.Object).Get(id)
		a := value.(*stdops.Object)
		a.Delete("component")
		a.Set("type", "SubProcess")
		a.Set("template_id", template)
		a.Set("constants", &stdops.Object{})
	}
	return tree
}

// drawing is a flow in the making. Nodes are drawn from the start to the end.
type drawing struct {
	activities *stdops.Object // components by the names of the nodes
	gateways   *stdops.Object // kinds by the names of the nodes
	flows      *stdops.Object
	constants  *stdops.Object

	in, out    map[string][]any // flows by the name of the node that they enter or leave
	conditions []string         // of every exclusive gateway, by the order of its flows
}

func newDrawing() *drawing {
	return &drawing{
		activities: &stdops.Object{}, gateways: &stdops.Object{}, flows: &stdops.Object{}, constants: &stdops.Object{},
		in: make(map[string][]any), out: make(map[string][]any),
	}
}

func (d *drawing) flow(from, to string) {
	id := fmt.Sprintf("line%028d", d.flows.Len())
	d.flows.Set(id, stdops.NewObject("id", id, "source", nodeID(from), "target", nodeID(to), "is_default", false))
	d.out[from] = append(d.out[from], id)
	d.in[to] = append(d.in[to], id)
}

// line draws activities one after the other and gives the name of the last.
func (d *drawing) line(from string, length int) string {
	for range length {
		name := fmt.Sprint(d.activities.Len())
		d.flow(from, name)
		d.activities.Set(name, component(doneAtOnce, "target", "${host}", "command", "true"))
		from = name
	}
	return from
}

// component says which plugin an activity runs, with which inputs.
func component(code string, inputs ...string) *stdops.Object {
	data := &stdops.Object{}
	for i := 0; i+1 < len(inputs); i += 2 {
		data.Set(inputs[i], stdops.NewObject("hook", false, "value", inputs[i+1]))
	}
	return stdops.NewObject("code", code, "data", data)
}

func (d *drawing) gateway(name, kind string, from ...string) {
	for _, f := range from {
		d.flow(f, name)
	}
	d.gateways.Set(name, kind)
}

func (d *drawing) variable(name, source, value string, info *stdops.Object) {
	key := "${" + name + "}"
	d.constants.Set(key, stdops.NewObject(
		"key", key, "name", name, "index", int64(d.constants.Len()), "value", value, "desc", "", "source_type", source,
		"source_info", info, "source_tag", "", "custom_type", "input", "show_type", "hide", "validation", "", "version", "legacy",
	))
}

// tree draws the last node and gives the whole in the form of the wire.
func (d *drawing) tree(end, from string) *stdops.Object {
	d.flow(from, end)
	activities, gateways := &stdops.Object{}, &stdops.Object{}
	for _, name := range d.activities.Keys() {
		a := activity(nodeID(name), "step "+name, doneAtOnce, d.in[name][0].(string), d.out[name][0].(string))
		component, _ := d.activities.Get(name)
		a.Set("component", component)
		activities.Set(nodeID(name), a)
	}
	for _, name := range d.gateways.Keys() {
		kind := d.gateways.Text(name)
		g := stdops.NewObject("id", nodeID(name), "type", kind, "name", name, "incoming", d.in[name], "outgoing", d.out[name])
		switch kind {
		case "ConvergeGateway":
			g.Set("outgoing", d.out[name][0])
		case "ExclusiveGateway":
			conditions := &stdops.Object{}
			for i, out := range d.out[name] {
				conditions.Set(out.(string), stdops.NewObject("evaluate", d.conditions[i], "name", d.conditions[i], "tag", ""))
			}
			g.Set("conditions", conditions)
		}
		gateways.Set(nodeID(name), g)
	}
	return stdops.NewObject(
		"start_event", event("start", "EmptyStartEvent", "", d.out["start"][0].(string)),
		"end_event", event(end, "EmptyEndEvent", d.in[end][0].(string), ""),
		"activities", activities, "gateways", gateways, "flows", d.flows, "constants", d.constants, "outputs", []any{},
	)
}
