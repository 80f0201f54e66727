package v1

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops/client"
)

func TestGraphOfTask(t *testing.T) {
	t.Parallel()
	b := setup(t)
	tree := strings.Replace(string(closedTree("ExclusiveGateway")), `"outputs":[]`,
		`"outputs":[],"location":[{"id":"a","x":120,"y":40.5},{"id":"g","x":"far"},{"id":"nobody","x":1,"y":1}]`, 1)
	tree = strings.Replace(tree, `"evaluate":"1 == 2"`, `"evaluate":"1 == 2","name":"never"`, 1)
	tree = strings.Replace(tree, `"name":"Left",`, `"name":"Left","optional":true,"skippable":false,"retryable":false,`, 1)
	tree = strings.Replace(tree, `,"f2":{"evaluate":"${who} == 'nobody'"}}`, `},"default_condition":{"flow_id":"f2","name":"otherwise"}`, 1)
	task := b.create(t, client.NewTask{Name: "drawn", Tree: json.RawMessage(tree)})
	path := fmt.Sprintf("%s/%d/graph", tasksPath, task.ID)
	got := as[client.Graph](t, b, 200, "GET", path, "")
	x, y := 120.0, 40.5
	want := client.Graph{
		Tree: b.run(t, task.ID).Tree,
		Nodes: []client.GraphNode{
			{Index: 1, Kind: "EmptyStartEvent", Retryable: true, Skippable: true},
			{Index: 2, Kind: "EmptyEndEvent", Retryable: true},
			{Index: 3, Kind: "ServiceActivity", Name: "Left", Plugin: "bk_display", Optional: true, X: &x, Y: &y},
			{Index: 4, Kind: "ServiceActivity", Name: "Right", Plugin: "bk_display", Retryable: true, Skippable: true},
			{Index: 5, Kind: "ServiceActivity", Name: "Last", Plugin: "bk_display", Retryable: true, Skippable: true},
			{Index: 6, Kind: "ExclusiveGateway", Name: "Which", Retryable: true},
			{Index: 7, Kind: "ConvergeGateway", Name: "Both", Retryable: true},
		},
		Edges: []client.GraphEdge{
			{Index: 0, From: 1, To: 6},
			{Index: 1, From: 6, To: 3, Condition: "1 == 2", Name: "never"},
			{Index: 2, From: 6, To: 4, Default: true, Name: "otherwise"},
			{Index: 3, From: 3, To: 7},
			{Index: 4, From: 4, To: 7},
			{Index: 5, From: 7, To: 5},
			{Index: 6, From: 5, To: 2},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("graph (-want +got):\n%s", diff)
	}
	tag := send(t, b.local, request{method: "GET", path: path}).header.Get("ETag")
	if tag != `"1.`+got.Tree+`"` {
		t.Errorf("ETag %s", tag)
	}
	for have, status := range map[string]int{tag: 304, `"x", W/` + tag: 304, `"x"`: 200} {
		again := send(t, b.local, request{method: "GET", path: path, header: map[string]string{"If-None-Match": have}})
		if again.status != status || (status == 304) != (again.text == "") || again.header.Get("ETag") != tag {
			t.Errorf("with %s: status %d, want %d, %d bytes", have, again.status, status, len(again.text))
		}
	}
}

func TestGraphOfSubprocesses(t *testing.T) {
	t.Parallel()
	b := setup(t)
	task := b.create(t, client.NewTask{Name: "nested", Tree: example(t, "backup"), Start: true})
	got := as[client.Graph](t, b, 200, "GET", fmt.Sprintf("%s/%d/graph", tasksPath, task.ID), "")
	b.await(t, task.ID, client.Finished)
	parents := map[string]int{}
	for _, n := range got.Nodes {
		parents[n.Name] = n.Parent
		if n.Name == "Copy the database" {
			parents["itself"] = n.Index
		}
		if n.X == nil || n.Y == nil {
			t.Errorf("%s has no place", n.Name)
		}
	}
	if parents["Copy the database"] != 0 || parents["Dump the tables"] != parents["itself"] || parents["itself"] == 0 {
		t.Errorf("parents %v", parents)
	}
	states := as[client.NodeStates](t, b, 200, "GET", fmt.Sprintf("%s/%d/states", tasksPath, task.ID), "")
	if len(states.Nodes) != len(got.Nodes) || states.Task.Run.Progress.Done != states.Task.Run.Progress.Total || states.Task.Run.Phase != client.PhaseEnded {
		t.Errorf("%d states of %d nodes, %+v", len(states.Nodes), len(got.Nodes), states.Task.Run)
	}
	for i, n := range states.Nodes {
		if n.Index != got.Nodes[i].Index || n.State != client.Finished || n.Started.IsZero() || n.Finished.IsZero() || n.Version == "" || n.ID == "" {
			t.Errorf("state %+v", n)
		}
	}
}

func TestStatesOfTask(t *testing.T) {
	t.Parallel()
	b := setup(t)
	task := b.create(t, client.NewTask{Name: "closed", Tree: closedTree("ExclusiveGateway")})
	states := func() client.NodeStates {
		return as[client.NodeStates](t, b, 200, "GET", fmt.Sprintf("%s/%d/states", tasksPath, task.ID), "")
	}
	if got := states(); len(got.Nodes) != 0 || got.Task.Run.Why.Code != "not_started" || got.Now.IsZero() {
		t.Errorf("before the start %+v", got)
	}
	b.do(t, task.ID, 200, client.Command{Command: "start"})
	b.await(t, task.ID, client.Failed)
	b.do(t, task.ID, 200, client.Command{Command: "pause-node", Node: "Last"})
	var got []string
	for _, n := range states().Nodes {
		got = append(got, fmt.Sprintf("%d %s %s %d %t", n.Index, n.State, n.Phase, n.Loop, n.Error != ""))
	}
	want := []string{"1 FINISHED  1 false", "5 CREATED appointed 1 false", "6 FAILED  1 true"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
	as[struct{}](t, b, 200, "POST", fmt.Sprintf("%s/%d/commands", tasksPath, task.ID), `{"command":"revoke"}`)
	as[struct{}](t, b, 204, "DELETE", fmt.Sprintf("%s/%d", tasksPath, task.ID), "")
	for _, of := range []string{"states", "graph", "events", "constants"} {
		as[client.Error](t, b, 404, "GET", fmt.Sprintf("%s/%d/%s", tasksPath, task.ID, of), "")
	}
}

func TestBeginningOfAFailure(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"": "", "ab": "ab", "abc": "abc", "abcd": "abc", "错误信息": "错误信"} {
		if got := beginning(text, 3); got != want {
			t.Errorf("%q begins with %q, want %q", text, got, want)
		}
	}
}
