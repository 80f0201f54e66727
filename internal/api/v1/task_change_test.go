package v1

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops/client"
)

func (b *bundle) change(t *testing.T, id int64, constants string) reply {
	t.Helper()
	return send(t, b.local, request{method: "PATCH", path: fmt.Sprintf("%s/%d", tasksPath, id), body: `{"constants":` + constants + `}`})
}

// TestChangeConstants: before the start, and again while the task stands still because a node has failed.
func TestChangeConstants(t *testing.T) {
	t.Parallel()
	b := setup(t)
	task := b.create(t, client.NewTask{Name: "release", Tree: example(t, "release-with-approval")})
	for constants, want := range map[string]int{
		`{"${version}":"v8"}`:                     200,
		`{}`:                                      200,
		`{"${vers}":"v8"}`:                        422,
		`{"${version}":"v7","${nobody}":1}`:       422,
		`{"${version}":"${version}"}`:             422,
		`{"${version}":{"deep":[1,{"er":null}]}}`: 200,
		`[]`: 422,
	} {
		if got := b.change(t, task.ID, constants); got.status != want {
			t.Errorf("%s: %d %s, want %d", constants, got.status, got.text, want)
		}
	}
	if got := b.change(t, task.ID, `{"${version}":"v9"}`); got.status != 200 || !strings.Contains(got.text, `"CREATED"`) {
		t.Fatalf("%d %s", got.status, got.text)
	}
	b.do(t, task.ID, 200, client.Command{Command: "start"})
	if got := b.change(t, task.ID, `{"${version}":"v10"}`); got.status != 409 || !strings.Contains(got.text, "task is running") {
		t.Errorf("while it runs: %d %s", got.status, got.text)
	}
	b.do(t, task.ID, 200, client.Command{Command: "pause"})
	if got := b.change(t, task.ID, `{"${version}":"v11"}`); got.status != 200 {
		t.Errorf("while it is paused: %d %s", got.status, got.text)
	}
	b.do(t, task.ID, 200, client.Command{Command: "revoke"})
	if got := b.change(t, task.ID, `{"${version}":"v12"}`); got.status != 409 || !strings.Contains(got.text, "task is finished") {
		t.Errorf("after the end: %d %s", got.status, got.text)
	}
	if got := b.change(t, 999, `{}`); got.status != 404 {
		t.Errorf("no task: %d %s", got.status, got.text)
	}
}

// TestChangeConstantsIsKept: the events tell who gave a task other values and why; not what was refused or changed nothing, and not
// the values. With a key it is done once.
func TestChangeConstantsIsKept(t *testing.T) {
	t.Parallel()
	b := setup(t)
	task := b.create(t, client.NewTask{Name: "closed", Tree: withMoreConstants()})
	path := fmt.Sprintf("%s/%d", tasksPath, task.ID)
	change := func(want int, key, body string) {
		t.Helper()
		headers := map[string]string{}
		if key != "" {
			headers["Idempotency-Key"] = key
		}
		if got := send(t, b.local, request{method: "PATCH", path: path, body: body, header: headers}); got.status != want {
			t.Errorf("%s: %d %s, want %d", body, got.status, got.text, want)
		}
	}
	const first = `{"constants":{"${who}":"carl","${pw}":"n3w-pw"},"reason":"the other\n字"}`
	change(200, "k", first)
	change(200, "k", first)
	change(409, "k", `{"constants":{"${who}":"dora"},"reason":"the other\n字"}`)
	change(200, "", `{"constants":{"${who}":"carl"},"reason":"nothing changes"}`)
	change(422, "", `{"constants":{"${inner}":"y"},"reason":"it is hidden"}`)
	change(422, "", fmt.Sprintf(`{"constants":{"${who}":"x"},"reason":%q}`, strings.Repeat("x", 1001)))
	change(200, "", `{"constants":{"${who}":"emil"}}`)
	got := send(t, b.local, request{method: "GET", path: path + "/events?commands=true"})
	var list client.EventList
	must(t, json.Unmarshal([]byte(got.text), &list))
	var kept []string
	for _, e := range list.Events {
		kept = append(kept, fmt.Sprintf("%s by %s: %s", e.Command, e.Actor, e.Reason))
	}
	want := []string{"set-constants by " + task.Creator + ": the other\n字", "set-constants by " + task.Creator + ": "}
	if diff := cmp.Diff(want, kept); diff != "" || strings.Contains(got.text, "carl") || strings.Contains(got.text, "n3w-pw") {
		t.Errorf("(-want +got)\n%s%s", diff, got.text)
	}
}

// TestDeleteTask: a deleted task is gone, but for those who ask about many tasks by their ids.
func TestDeleteTask(t *testing.T) {
	t.Parallel()
	b := setup(t)
	task := b.create(t, client.NewTask{Name: "release", Tree: example(t, "release-with-approval"), Start: true})
	kept := b.create(t, client.NewTask{Name: "kept", Tree: example(t, "release-with-approval")})
	path := fmt.Sprintf("%s/%d", tasksPath, task.ID)
	ask := func(method, path, body string) reply {
		t.Helper()
		return send(t, b.local, request{method: method, path: path, body: body})
	}
	if got := ask("DELETE", path, ""); got.status != 409 || !strings.Contains(got.text, "it can be deleted once it has finished or was revoked") {
		t.Errorf("of a running task: %d %s", got.status, got.text)
	}
	b.do(t, task.ID, 200, client.Command{Command: "revoke"})
	if got := ask("DELETE", path, ""); got.status != 204 || got.text != "" {
		t.Fatalf("%d %s", got.status, got.text)
	}
	for _, gone := range []request{
		{method: "GET", path: path},
		{method: "GET", path: path + "/nodes"},
		{method: "GET", path: path + "/nodes/Build/log"},
		{method: "POST", path: path + "/commands", body: `{"command":"start"}`},
		{method: "POST", path: path + "/commands", body: `{"command":"skip","node":"Build"}`},
		{method: "PATCH", path: path, body: `{"constants":{}}`},
		{method: "DELETE", path: path},
	} {
		if got := ask(gone.method, gone.path, gone.body); got.status != 404 {
			t.Errorf("%s %s: %d %s", gone.method, gone.path, got.status, got.text)
		}
	}
	list := as[client.TaskList](t, b, 200, "GET", tasksPath, "")
	if len(list.Tasks) != 1 || list.Tasks[0].ID != kept.ID {
		t.Errorf("list %+v", list.Tasks)
	}
	statuses := as[client.StatusList](t, b, 200, "POST", tasksPath+":status", fmt.Sprintf(`{"ids":[%d,%d]}`, task.ID, kept.ID))
	if len(statuses.Tasks) != 2 || statuses.Tasks[0].Deleted || !statuses.Tasks[1].Deleted || statuses.Tasks[1].State != client.Revoked || len(statuses.Missing) != 0 {
		t.Errorf("statuses %+v", statuses)
	}
	if got := ask("DELETE", fmt.Sprintf("%s/%d", tasksPath, kept.ID), ""); got.status != 204 {
		t.Errorf("of a task that was not started: %d %s", got.status, got.text)
	}
}

// TestDeleteMeetsAStart: of both at the same time one is first, and the other one sees what it did.
func TestDeleteMeetsAStart(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for range 20 {
		task := b.create(t, client.NewTask{Name: "release", Tree: example(t, "release-with-approval")})
		path := fmt.Sprintf("%s/%d", tasksPath, task.ID)
		var started, deleted reply
		var both sync.WaitGroup
		both.Go(func() {
			started = send(t, b.local, request{method: "POST", path: path + "/commands", body: `{"command":"start"}`})
		})
		both.Go(func() { deleted = send(t, b.local, request{method: "DELETE", path: path}) })
		both.Wait()
		after := as[client.StatusList](t, b, 200, "POST", tasksPath+":status", fmt.Sprintf(`{"ids":[%d]}`, task.ID)).Tasks[0]
		switch {
		case started.status == 200 && deleted.status == 409 && after.State == client.Running && !after.Deleted:
			b.do(t, task.ID, 200, client.Command{Command: "revoke"})
		case started.status == 404 && deleted.status == 204 && after.State == client.Created && after.Deleted:
		default:
			t.Errorf("start: %d %s, delete: %d %s, then %+v", started.status, started.text, deleted.status, deleted.text, after)
		}
	}
}

// TestTaskChangesNeedPermissions: an operator may change a task, an editor delete it, a viewer neither.
func TestTaskChangesNeedPermissions(t *testing.T) {
	t.Parallel()
	b := setup(t)
	task := b.create(t, client.NewTask{Name: "release", Tree: example(t, "release-with-approval")})
	path := fmt.Sprintf("%s/%d", tasksPath, task.ID)
	for _, c := range []struct {
		role           string
		change, delete int
	}{{"viewer", 403, 403}, {"operator", 200, 403}, {"editor", 200, 204}} {
		as[client.User](t, b, 201, "POST", "/api/v1/users", fmt.Sprintf(`{"name":%q,"roles":[{"project":1,"role":%q}]}`, c.role, c.role))
		token := as[client.Token](t, b, 201, "POST", "/api/v1/tokens", fmt.Sprintf(`{"user":%q}`, c.role)).Secret
		for _, r := range []struct {
			request
			want int
		}{
			{request{method: "PATCH", path: path, body: `{"constants":{}}`, token: token}, c.change},
			{request{method: "DELETE", path: path, token: token}, c.delete},
		} {
			if got := send(t, b.http, r.request); got.status != r.want {
				t.Errorf("%s by a %s: %d %s, want %d", r.method, c.role, got.status, got.text, r.want)
			}
		}
	}
}
