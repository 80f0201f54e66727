package bench

import (
	"fmt"

	"github.com/stdops/stdops"
)

// The plugins that the trees are made of: one that is done at once, one that waits for somebody to call back, and one
// that waits for a while.
const (
	doneAtOnce = "debug_no_schedule_node"
	waiting    = "callback_node"
	sleeping   = "sleep_timer"
)

// tree makes a flow in which a task reaches exactly nodes nodes, start and end counted: one after the other, as in most
// flows that people draw. A task that is to run on waits in its last activity and does not reach its end. The names make
// the tree of every task another one.
func tree(task, nodes int, runsOn bool) *stdops.Object {
	count := nodes - 2
	if runsOn {
		count++
	}
	activities, flows := &stdops.Object{}, &stdops.Object{}
	last := "start"
	step := func(to string) (incoming string) {
		id := fmt.Sprintf("line%028d", flows.Len())
		flows.Set(id, stdops.NewObject("id", id, "source", nodeID(last), "target", nodeID(to), "is_default", false))
		last = to
		return id
	}
	for i := range count {
		code, name := doneAtOnce, fmt.Sprintf("step %d of task %d", i+1, task+1)
		if runsOn && i == count-1 {
			code = waiting
		}
		in := step(fmt.Sprint(i))
		activities.Set(nodeID(last), activity(nodeID(last), name, code, in, fmt.Sprintf("line%028d", i+1)))
	}
	in := step("end")
	return stdops.NewObject(
		"start_event", event("start", "EmptyStartEvent", "", fmt.Sprintf("line%028d", 0)),
		"end_event", event("end", "EmptyEndEvent", in, ""),
		"activities", activities, "gateways", &stdops.Object{}, "flows", flows, "constants", &stdops.Object{}, "outputs", []any{},
	)
}

func nodeID(name string) string { return fmt.Sprintf("node%028s", name) }

func event(name, kind, in, out string) *stdops.Object {
	return stdops.NewObject("id", nodeID(name), "type", kind, "name", name, "incoming", in, "outgoing", out)
}

func activity(id, name, code, in, out string) *stdops.Object {
	data := stdops.NewObject("target", stdops.NewObject("hook", false, "value", "host-1"))
	return stdops.NewObject(
		"id", id, "type", "ServiceActivity", "name", name, "incoming", in, "outgoing", out, "loop", nil, "stage_name", "",
		"optional", true, "skippable", true, "retryable", true, "error_ignorable", false,
		"component", stdops.NewObject("code", code, "data", data),
	)
}
