package v1

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops/client"
)

func (b *bundle) run(t *testing.T, id int64) *client.Run {
	t.Helper()
	return as[client.Task](t, b, 200, "GET", fmt.Sprintf("%s/%d?run=true", tasksPath, id), "").Run
}

func TestRunOfTask(t *testing.T) {
	t.Parallel()
	b := setup(t)
	fresh := b.create(t, client.NewTask{Name: "fresh", Tree: example(t, "release-with-approval")})
	if fresh.Run != nil {
		t.Errorf("a run that nobody asked for: %+v", fresh.Run)
	}
	run := b.run(t, fresh.ID)
	if run.Phase != client.PhaseQueued || run.Why.Code != "not_started" || run.Why.Text != "It was not started." || run.Tree == "" ||
		!slices.Equal(run.Actions, []string{"start", "delete"}) || run.Progress != (client.Progress{Total: 3}) {
		t.Errorf("before the start %+v", run)
	}
	waits, node, _ := b.waitsWithLog(t)
	run = b.run(t, waits.ID)
	ref := client.NodeRef{ID: node.ID, Name: node.Name}
	if len(run.Paused) == 1 {
		ref.Index = run.Paused[0].Index
	}
	want := &client.Run{
		Revision: run.Revision, Tree: b.run(t, fresh.ID).Tree, Phase: client.PhaseWaitingHuman, Progress: client.Progress{Done: 1, Total: 3},
		Running: []client.NodeRef{}, Failed: []client.NodeRef{}, Paused: []client.NodeRef{ref}, PausedCount: 1,
		Why:     client.Why{Code: "person", Text: `"Approve the release" waits for somebody to confirm.`, Node: &ref, Count: 1},
		Actions: []string{"pause", "revoke"},
	}
	if diff := cmp.Diff(want, run); diff != "" || ref.Index == 0 || run.Revision == 0 {
		t.Errorf("run of a task that waits (-want +got):\n%s", diff)
	}
	list := as[client.TaskList](t, b, 200, "GET", tasksPath+"?run=true&state=RUNNING", "")
	if len(list.Tasks) != 1 || !cmp.Equal(list.Tasks[0].Run, want) {
		t.Errorf("list %+v", list.Tasks)
	}
	batch := as[client.StatusList](t, b, 200, "POST", tasksPath+":status", fmt.Sprintf(`{"ids":[%d,%d],"run":true,"nodes":true}`, fresh.ID, waits.ID))
	if len(batch.Tasks) != 2 || !cmp.Equal(batch.Tasks[0].Run, want) || batch.Tasks[1].Run.Phase != client.PhaseQueued || len(batch.Tasks[0].Nodes) == 0 {
		t.Errorf("batch %+v", batch.Tasks)
	}
	b.do(t, waits.ID, 200, client.Command{Command: "pause"})
	if run := b.run(t, waits.ID); run.Phase != client.PhaseWaitingHuman || run.Why.Code != "paused" || !slices.Equal(run.Actions, []string{"resume", "revoke"}) {
		t.Errorf("paused %+v", run)
	}
	told := as[client.Task](t, b, 200, "POST", fmt.Sprintf("%s/%d/commands?run=true", tasksPath, waits.ID), `{"command":"revoke"}`)
	if told.Run == nil || told.Run.Phase != client.PhaseEnded || told.Run.Why.Code != "revoked" || !slices.Equal(told.Run.Actions, []string{"delete"}) {
		t.Errorf("revoked %+v", told.Run)
	}
}

// TestActionsAreForWhoMay: who may only look is offered nothing.
func TestActionsAreForWhoMay(t *testing.T) {
	t.Parallel()
	b := setup(t)
	task, node, _ := b.waitsWithLog(t)
	for role, want := range map[string][2]string{
		"viewer": {"[]", "[]"}, "operator": {"[pause revoke]", "[callback force-fail]"}, "editor": {"[pause revoke]", "[callback force-fail]"},
	} {
		token := b.member(t, role)
		get := func(path string, into any) {
			got := send(t, b.http, request{method: "GET", path: path, token: token})
			decodeInto(t, got, into)
		}
		var one client.Task
		get(fmt.Sprintf("%s/%d?run=true", tasksPath, task.ID), &one)
		var detail client.NodeDetail
		get(fmt.Sprintf("%s/%d/nodes/%s", tasksPath, task.ID, node.ID), &detail)
		if got := [2]string{fmt.Sprint(one.Run.Actions), fmt.Sprint(detail.Actions)}; got != want {
			t.Errorf("%s: %v, want %v", role, got, want)
		}
	}
	ended := b.create(t, client.NewTask{Name: "new", Tree: example(t, "backup")})
	for role, want := range map[string]string{"viewer": "[]", "operator": "[start]", "editor": "[start delete]"} {
		var one client.Task
		decodeInto(t, send(t, b.http, request{method: "GET", path: fmt.Sprintf("%s/%d?run=true", tasksPath, ended.ID), token: b.member(t, role)}), &one)
		if got := fmt.Sprint(one.Run.Actions); got != want {
			t.Errorf("%s of a new task: %s, want %s", role, got, want)
		}
	}
}

func TestNodeTellsWhatItWaitsFor(t *testing.T) {
	t.Parallel()
	b := setup(t)
	task, node, _ := b.waitsWithLog(t)
	detail := b.node(t, task.ID, 200, node.ID, "")
	if detail.Index == 0 || detail.Why == nil || detail.Why.Code != "person" || detail.Release != "legacy" || detail.Timing == nil ||
		!detail.Timing.Started.Equal(detail.Started) || !strings.Contains(string(detail.Templates), "${version}") {
		t.Errorf("waiting node %+v, templates %s", detail, detail.Templates)
	}
	ahead := b.node(t, task.ID, 200, "Publish", "")
	if ahead.Why != nil || ahead.Timing != nil || !slices.Equal(ahead.Actions, []string{"pause-node"}) {
		t.Errorf("a node ahead %+v", ahead)
	}
	failed := b.create(t, client.NewTask{Name: "gateway", Tree: closedTree("ExclusiveGateway"), Start: true})
	b.await(t, failed.ID, client.Failed)
	gateway := b.node(t, failed.ID, 200, "Which", "")
	if gateway.Why == nil || gateway.Why.Code != "failed" || !slices.Equal(gateway.Actions, []string{"retry", "skip-branch"}) || gateway.Templates != nil {
		t.Errorf("failed gateway %+v", gateway)
	}
	if run := b.run(t, failed.ID); run.Phase != client.PhaseBlocked || run.FailedCount != 1 || run.Failed[0].Name != "Which" {
		t.Errorf("run of a blocked task %+v", run)
	}
}

// member gives the token of a new user who has a role in project 1.
func (b *bundle) member(t *testing.T, role string) string {
	t.Helper()
	name := strings.ToLower(strings.ReplaceAll(t.Name(), "/", "-")) + fmt.Sprint(len(b.members(t))) + role
	as[client.User](t, b, 201, "POST", "/api/v1/users", fmt.Sprintf(`{"name":%q,"roles":[{"project":1,"role":%q}]}`, name, role))
	return as[client.Token](t, b, 201, "POST", "/api/v1/tokens", fmt.Sprintf(`{"user":%q}`, name)).Secret
}

func (b *bundle) members(t *testing.T) []client.User {
	t.Helper()
	return as[client.UserList](t, b, 200, "GET", "/api/v1/users", "").Users
}

func decodeInto(t *testing.T, got reply, into any) {
	t.Helper()
	if got.status != 200 {
		t.Fatalf("status %d: %s", got.status, got.text)
	}
	must(t, json.Unmarshal([]byte(got.text), into))
}
