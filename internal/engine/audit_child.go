package engine

import (
	"fmt"
	"slices"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/flow"
)

// AuditChild holds a child task against the one of which a node made it, and gives what is wrong. A node that waits for its
// child has either been told how that stands, or finds it in its record.
func AuditChild(child, parent *stdops.Record, graph *flow.Graph) []string {
	of := child.Task.Parent
	if of.Node <= stdops.RootNode || int(of.Node) >= len(graph.Nodes) || graph.Nodes[of.Node].Activity == nil {
		return []string{fmt.Sprintf("it comes from node %d of task %d, which can not make a task", of.Node, of.Task)}
	}
	waits := slices.ContainsFunc(parent.Nodes, func(n stdops.NodeState) bool {
		return n.Node == of.Node && n.Version == of.Version && n.State == stdops.StateRunning && n.Phase == stdops.PhaseWaiting
	})
	hears := slices.ContainsFunc(parent.Callbacks, func(c stdops.Callback) bool {
		return c.Seq < 0 && c.Node == of.Node && c.Version == of.Version
	})
	failed := slices.ContainsFunc(child.Nodes, func(n stdops.NodeState) bool { return stuck(&n) })
	if ended := child.Task.Root.State.Ended(); waits && !hears && !parent.Task.Root.State.Ended() && (ended || failed) {
		return []string{fmt.Sprintf("it is %s, with a node that has failed: %t, but node %d of task %d waits and was not told",
			child.Task.Root.State, failed, of.Node, of.Task)}
	}
	return nil
}
