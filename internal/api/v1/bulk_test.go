package v1

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops/client"
)

// verdicts lists what became of targets.
func verdicts(r client.BulkResult) (list []string) {
	for _, v := range r.Results {
		list = append(list, strings.TrimSpace(fmt.Sprintf("%d %s %t %s", v.Task, v.Node, v.OK, v.Code)))
	}
	return list
}

func TestCommandForMany(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var ids []int64
	for range 20 {
		ids = append(ids, b.create(t, client.NewTask{Name: "many", Tree: example(t, "release-with-approval")}).ID)
	}
	b.do(t, ids[1], 200, client.Command{Command: "start"})
	cmd := client.BulkCommand{Command: "start", Reason: "tonight"}
	var want []string
	for i, id := range append(ids, 999) {
		cmd.Targets = append(cmd.Targets, client.Target{Task: id})
		verdict := "true"
		switch {
		case i == 1:
			verdict = "false conflict"
		case id == 999:
			verdict = "false not_found"
		}
		want = append(want, fmt.Sprintf("%d  %s", id, verdict))
	}
	cmd.Targets = append(cmd.Targets, client.Target{Task: ids[0], Node: "Build"})
	want = append(want, fmt.Sprintf("%d Build false invalid", ids[0]))
	got := as[client.BulkResult](t, b, 200, "POST", tasksPath+":command", encode(t, cmd))
	if diff := cmp.Diff(want, verdicts(got)); diff != "" {
		t.Errorf("verdicts (-want +got):\n%s", diff)
	}
	if text := got.Results[1].Message; text != "task already started" {
		t.Errorf("why not: %q", text)
	}
	for _, id := range ids {
		if task := as[client.Task](t, b, 200, "GET", fmt.Sprintf("%s/%d", tasksPath, id), ""); task.State != client.Running {
			t.Errorf("task %d is %s", id, task.State)
		}
	}
	events := as[client.EventList](t, b, 200, "GET", fmt.Sprintf("%s/%d/events?limit=1", tasksPath, ids[0]), "")
	if e := events.Events[0]; e.Reason != "tonight" || e.Actor != "local" || events.Cursor == "" {
		t.Errorf("the start %+v", e)
	}
}

func TestCommandForManyNodes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	task := b.create(t, client.NewTask{Name: "closed", Tree: closedTree("ExclusiveGateway"), Start: true})
	b.await(t, task.ID, client.Failed)
	targets := fmt.Sprintf(`{"task":%d,"node":"Which"},{"task":%d,"node":"Nowhere"},{"task":%d}`, task.ID, task.ID, task.ID)
	got := as[client.BulkResult](t, b, 200, "POST", tasksPath+":command", `{"command":"retry","targets":[`+targets+`]}`)
	id := fmt.Sprint(task.ID)
	if diff := cmp.Diff([]string{id + " Which true", id + " Nowhere false not_found", id + "  false invalid"}, verdicts(got)); diff != "" {
		t.Errorf("verdicts (-want +got):\n%s", diff)
	}
	for _, body := range map[string]string{
		"nothing":         `{"command":"retry","targets":[]}`,
		"another command": `{"command":"callback","targets":[{"task":1}]}`,
		"too many":        `{"command":"pause","targets":[{"task":1}` + strings.Repeat(`,{"task":1}`, 1000) + `]}`,
	} {
		as[client.Error](t, b, 422, "POST", tasksPath+":command", body)
	}
}

func TestKeyOfACommandForMany(t *testing.T) {
	t.Parallel()
	b := setup(t)
	one := b.create(t, client.NewTask{Name: "one", Tree: example(t, "release-with-approval")}).ID
	two := b.create(t, client.NewTask{Name: "two", Tree: example(t, "release-with-approval"), Start: true}).ID
	body := fmt.Sprintf(`{"command":"pause","targets":[{"task":%d},{"task":%d}]}`, one, two)
	ask := func(key, body string, want ...string) {
		t.Helper()
		got := b.keyed(t, key, tasksPath+":command", body)
		var result client.BulkResult
		must(t, json.Unmarshal([]byte(got.text), &result))
		if diff := cmp.Diff(want, verdicts(result)); got.status != 200 || diff != "" {
			t.Errorf("status %d, verdicts (-want +got):\n%s", got.status, diff)
		}
	}
	done, refused := fmt.Sprintf("%d  true", two), fmt.Sprintf("%d  false conflict", one)
	ask("k", body, refused, done)
	b.do(t, two, 200, client.Command{Command: "resume"})
	ask("k", body, refused, done) // not paused again
	if task := as[client.Task](t, b, 200, "GET", fmt.Sprintf("%s/%d", tasksPath, two), ""); task.State != client.Running {
		t.Errorf("the command had its effect again: %s", task.State)
	}
	b.do(t, one, 200, client.Command{Command: "start"})
	ask("k", body, fmt.Sprintf("%d  true", one), done) // what was refused is judged anew
	if got := b.keyed(t, "k", tasksPath+":command", strings.Replace(body, "pause", "revoke", 1)); got.status != 409 {
		t.Errorf("another request under the key: %v", got)
	}
	if got := b.keyed(t, "k", fmt.Sprintf("%s/%d/commands", tasksPath, one), `{"command":"revoke"}`); got.status != 409 {
		t.Errorf("a command for one task under the key: %v", got)
	}
	ask("k2", body, fmt.Sprintf("%d  false conflict", one), done)
}
