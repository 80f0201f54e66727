package v1

import (
	"fmt"
	"testing"

	"github.com/stdops/stdops/client"
)

func TestDurationsOfTask(t *testing.T) {
	t.Parallel()
	b := setup(t)
	asked := b.create(t, client.NewTask{Name: "asked", Tree: example(t, "release-with-approval")})
	path := fmt.Sprintf("%s/%d/durations", tasksPath, asked.ID)
	if got := as[client.Durations](t, b, 200, "GET", path, ""); got.Runs != 0 || got.Nodes == nil || len(got.Nodes) > 0 || got.Tree == "" {
		t.Errorf("of a tree that never ran: %+v", got)
	}
	var last client.Task
	for range 3 {
		last = b.create(t, client.NewTask{Name: "run", Tree: example(t, "backup"), Start: true})
		b.await(t, last.ID, client.Finished)
	}
	got := as[client.Durations](t, b, 200, "GET", fmt.Sprintf("%s/%d/durations", tasksPath, last.ID), "")
	graph := as[client.Graph](t, b, 200, "GET", fmt.Sprintf("%s/%d/graph", tasksPath, last.ID), "")
	if got.Runs != 3 || got.Tree != graph.Tree || got.Median <= 0 || got.P95 < got.Median || len(got.Nodes) != len(graph.Nodes) {
		t.Errorf("after three: %+v of %d nodes", got, len(graph.Nodes))
	}
	for i, n := range got.Nodes {
		if n.Index != graph.Nodes[i].Index || n.Runs != 3 || n.Median < 0 || n.Median+n.Rest > 2*got.P95 {
			t.Errorf("node %+v", n)
		}
	}
}
