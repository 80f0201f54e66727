package v1

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops/client"
)

// standing makes tasks that stand in many ways: 1 finished, 2 failed, 3 waits for a person, 4 paused with it, 5 revoked,
// 6 not started and made of flow 1, 7 has a paused node.
func standing(t *testing.T, b *bundle) {
	t.Helper()
	as[client.Flow](t, b, 201, "POST", "/api/v1/projects/1/flows", encode(t, client.NewFlow{Name: "backup", Tree: example(t, "backup")}))
	for i, name := range []string{"backup", "maintenance-window", "release-with-approval", "release-with-approval", "release-with-approval"} {
		b.create(t, client.NewTask{Name: fmt.Sprintf("Task %d", i+1), Tree: example(t, name), Start: true})
	}
	b.create(t, client.NewTask{Name: "Later", Flow: 1})
	b.create(t, client.NewTask{Name: "Held", Tree: example(t, "maintenance-window"), Start: true})
	b.await(t, 1, client.Finished)
	b.await(t, 2, client.Failed)
	b.do(t, 4, 200, client.Command{Command: "pause"})
	b.do(t, 5, 200, client.Command{Command: "revoke"})
	b.await(t, 7, client.Failed)
	b.do(t, 7, 200, client.Command{Command: "pause-node", Node: "Do the work"})
	b.do(t, 7, 200, client.Command{Command: "retry", Node: "Wait for the window", Inputs: json.RawMessage(`{"bk_timing":"0"}`)})
	b.await(t, 7, client.NodeSuspended)
}

func TestTaskLists(t *testing.T) {
	t.Parallel()
	b := setup(t)
	standing(t, b)
	for query, want := range map[string]string{
		"":                          "7 6 5 4 3 2 1",
		"state=FAILED":              "2",
		"state=NODE_SUSPENDED":      "7",
		"state=RUNNING":             "3",
		"state=SUSPENDED":           "4",
		"state=REVOKED":             "5",
		"state=CREATED":             "6",
		"state=FINISHED":            "1",
		"keyword=TASK":              "5 4 3 2 1",
		"keyword=TASK&state=FAILED": "2",
		"flow=1":                    "6",
		"flow=2":                    "",
		"creator=" + url.QueryEscape(as[client.Task](t, b, 200, "GET", tasksPath+"/1", "").Creator): "7 6 5 4 3 2 1",
		"creator=nobody":                            "",
		"executor=nobody":                           "",
		"created_from=2020-01-01T00:00:00Z":         "7 6 5 4 3 2 1",
		"created_to=2020-01-01T00:00:00%2B08:00":    "",
		"limit=2":                                   "7 6 …6",
		"limit=2&cursor=6":                          "5 4 …4",
		"limit=1&state=FINISHED":                    "1",
		"limit=200&created_to=2999-01-01T00:00:00Z": "7 6 5 4 3 2 1",
	} {
		list := as[client.TaskList](t, b, 200, "GET", tasksPath+"?"+query, "")
		var ids []string
		for _, task := range list.Tasks {
			ids = append(ids, fmt.Sprint(task.ID))
		}
		if list.Cursor != "" {
			ids = append(ids, "…"+list.Cursor)
		}
		if got := strings.Join(ids, " "); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	for _, query := range []string{"limit=201", "limit=0", "state=READY", "flow=-1", "created_from=yesterday", "keyword=" + strings.Repeat("x", 129)} {
		if got := send(t, b.local, request{method: "GET", path: tasksPath + "?" + query}); got.status != 422 {
			t.Errorf("%s: status %d: %s", query, got.status, got.text)
		}
	}
}

// TestSlowTasks: a task that takes longer than three like it is listed, with how long they took, until it ends.
func TestSlowTasks(t *testing.T) {
	t.Parallel()
	b := setup(t)
	tree := longTree(2)
	run := func() client.Task {
		task := b.create(t, client.NewTask{Name: "run", Tree: tree, Start: true})
		b.until(t, task.ID, "waiting", func(client.Task) bool { return b.node(t, task.ID, 200, "a1", "").Phase == "waiting" })
		return task
	}
	call := client.Command{Command: "callback", Node: "a1", Data: json.RawMessage(`{}`)}
	var longest float64
	for range 3 {
		task := run()
		b.do(t, task.ID, 200, call)
		ended := b.await(t, task.ID, client.Finished)
		longest = max(longest, ended.Finished.Sub(ended.Started).Seconds())
	}
	slow := run()
	var list client.TaskList
	b.until(t, slow.ID, "slow", func(client.Task) bool {
		list = as[client.TaskList](t, b, 200, "GET", tasksPath+"?slow=true", "")
		return len(list.Tasks) > 0
	})
	usual := list.Tasks[0].Usual
	if len(list.Tasks) != 1 || list.Tasks[0].ID != slow.ID || usual == nil || usual.Runs != 3 || usual.Median <= 0 ||
		usual.P95 < longest-0.001 || usual.P95 > longest+0.001 || list.Cursor != "" {
		t.Errorf("%+v, usual %+v, the longest took %v", list, usual, longest)
	}
	if got := as[client.TaskList](t, b, 200, "GET", tasksPath+"?slow=true&state=FINISHED", ""); len(got.Tasks) > 0 {
		t.Errorf("ended ones: %+v", got)
	}
	if got := as[client.TaskList](t, b, 200, "GET", tasksPath+"?limit=1", ""); got.Tasks[0].Usual != nil {
		t.Errorf("where nobody asked: %+v", got.Tasks[0].Usual)
	}
	b.do(t, slow.ID, 200, call)
	b.await(t, slow.ID, client.Finished)
	if got := as[client.TaskList](t, b, 200, "GET", tasksPath+"?slow=true", ""); len(got.Tasks) > 0 {
		t.Errorf("after its end: %+v", got)
	}
}

// TestUpdatedAt: lists, runs and single tasks tell when a task last changed, which is when the latest of its events was; a batch
// without runs does not look.
func TestUpdatedAt(t *testing.T) {
	t.Parallel()
	b := setup(t)
	task := b.create(t, client.NewTask{Name: "release", Tree: example(t, "release-with-approval")})
	path := fmt.Sprintf("%s/%d", tasksPath, task.ID)
	told := func() map[string]client.Task {
		t.Helper()
		batch := func(run bool) client.Task {
			return as[client.StatusList](t, b, 200, "POST", tasksPath+":status", encode(t, client.StatusRequest{IDs: []int64{task.ID}, Run: run})).Tasks[0]
		}
		return map[string]client.Task{
			"one": as[client.Task](t, b, 200, "GET", path, ""), "list": as[client.TaskList](t, b, 200, "GET", tasksPath, "").Tasks[0],
			"run": batch(true), "states": as[client.NodeStates](t, b, 200, "GET", path+"/states", "").Task, "status": batch(false),
		}
	}
	check := func(what string, want time.Time) {
		t.Helper()
		for where, got := range told() {
			if where == "status" {
				if !got.Updated.IsZero() {
					t.Errorf("%s: a batch without runs tells %s", what, got.Updated)
				}
				continue
			}
			if !got.Updated.Equal(want) {
				t.Errorf("%s, %s: updated at %s, want %s", what, where, got.Updated, want)
			}
		}
	}
	latest := func() time.Time {
		t.Helper()
		return as[client.EventList](t, b, 200, "GET", path+"/events?order=desc&limit=1", "").Events[0].At
	}
	check("made", task.Created)
	b.change(t, task.ID, `{"${version}":"v9"}`)
	changed := latest()
	if !changed.After(task.Created) {
		t.Errorf("changed at %s, made at %s", changed, task.Created)
	}
	check("changed", changed)
	b.do(t, task.ID, 200, client.Command{Command: "start"})
	b.do(t, task.ID, 200, client.Command{Command: "revoke"})
	b.await(t, task.ID, client.Revoked)
	check("revoked", latest())
}

func TestTaskCounts(t *testing.T) {
	t.Parallel()
	b := setup(t)
	standing(t, b)
	count := func(query string) string {
		found := as[client.TaskCount](t, b, 200, "GET", tasksPath+":count?"+query, "")
		text := fmt.Sprint(found.Total, ":")
		for _, s := range found.States {
			text += fmt.Sprintf(" %s %d", s.State, s.Tasks)
		}
		return text
	}
	for query, want := range map[string]string{
		"":               "7: CREATED 1 RUNNING 1 SUSPENDED 1 NODE_SUSPENDED 1 FAILED 1 FINISHED 1 REVOKED 1",
		"keyword=task":   "5: CREATED 0 RUNNING 1 SUSPENDED 1 NODE_SUSPENDED 0 FAILED 1 FINISHED 1 REVOKED 1",
		"flow=1":         "1: CREATED 1 RUNNING 0 SUSPENDED 0 NODE_SUSPENDED 0 FAILED 0 FINISHED 0 REVOKED 0",
		"creator=nobody": "0: CREATED 0 RUNNING 0 SUSPENDED 0 NODE_SUSPENDED 0 FAILED 0 FINISHED 0 REVOKED 0",
	} {
		if got := count(query); got != want {
			t.Errorf("%q:\n got %s\nwant %s", query, got, want)
		}
	}
}

func TestFlowDetail(t *testing.T) {
	t.Parallel()
	b := setup(t)
	tree := example(t, "backup")
	made := as[client.Flow](t, b, 201, "POST", "/api/v1/projects/1/flows", encode(t, client.NewFlow{Name: "backup", Tree: tree}))
	detail := as[client.FlowDetail](t, b, 200, "GET", "/api/v1/projects/1/flows/1", "")
	if d := cmp.Diff(made, detail.Flow); d != "" {
		t.Errorf("flow (-made +shown):\n%s", d)
	}
	var sent, shown map[string]any
	must(t, json.Unmarshal(tree, &sent))
	must(t, json.Unmarshal(detail.Tree, &shown))
	if d := cmp.Diff(sent["activities"], shown["activities"]); d != "" {
		t.Errorf("activities (-sent +shown):\n%s", d)
	}
	var keys []string
	for _, c := range detail.Constants {
		keys = append(keys, c.Key+" "+string(c.Value))
	}
	if len(keys) == 0 || !strings.HasPrefix(keys[0], "${database} ") {
		t.Errorf("constants %q", keys)
	}
	as[client.Project](t, b, 201, "POST", "/api/v1/projects", `{"name":"other"}`)
	foreign := send(t, b.local, request{method: "GET", path: "/api/v1/projects/2/flows/1"})
	missing := send(t, b.local, request{method: "GET", path: "/api/v1/projects/2/flows/9"})
	if foreign.status != 404 || missing.status != 404 || !strings.Contains(foreign.text, `"code":"not_found"`) {
		t.Errorf("foreign %d %s, missing %d", foreign.status, foreign.text, missing.status)
	}
}

func TestPluginDetail(t *testing.T) {
	t.Parallel()
	b := setup(t)
	list := as[client.PluginList](t, b, 200, "GET", "/api/v1/plugins", "")
	codes := map[string]client.Plugin{}
	for _, p := range list.Plugins {
		codes[p.Code] = p
	}
	detail := as[client.PluginDetail](t, b, 200, "GET", "/api/v1/plugins/sleep_timer", "")
	if d := cmp.Diff(codes["sleep_timer"], detail.Plugin); d != "" {
		t.Errorf("plugin (-list +detail):\n%s", d)
	}
	var inputs struct {
		Type       string
		Properties map[string]struct{ Type string }
		Required   []string
	}
	must(t, json.Unmarshal(detail.Inputs, &inputs))
	if inputs.Type != "object" || inputs.Properties["bk_timing"].Type != "string" || !cmp.Equal(inputs.Required, []string{"bk_timing"}) {
		t.Errorf("inputs %s", detail.Inputs)
	}
	if !strings.Contains(string(detail.Outputs), `"_inner_loop":{"type":"integer"`) {
		t.Errorf("outputs %s", detail.Outputs)
	}
	for path, status := range map[string]int{
		"bk_display": 200, "bk_display?version=1.0": 200, "sleep_timer?version=legacy": 200,
		"sleep_timer?version=9": 404, "no_such": 404, "no_such?version=" + strings.Repeat("9", 129): 422,
	} {
		if got := send(t, b.local, request{method: "GET", path: "/api/v1/plugins/" + path}); got.status != status {
			t.Errorf("%s: status %d, want %d: %s", path, got.status, status, got.text)
		}
	}
}

func TestProjectDetail(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for name, role := range map[string]string{"ann": "admin", "bea": "viewer"} {
		as[client.User](t, b, 201, "POST", "/api/v1/users", fmt.Sprintf(`{"name":%q}`, name))
		as[client.User](t, b, 200, "POST", "/api/v1/users/"+name+"/grant", fmt.Sprintf(`{"roles":[{"project":1,"role":%q}]}`, role))
	}
	own := as[client.ProjectDetail](t, b, 200, "GET", "/api/v1/projects/1", "")
	if own.ID != 1 || own.Biz != 2 || !cmp.Equal(own.Admins, []string{"ann"}) || len(own.Permissions) < 10 {
		t.Errorf("%+v", own)
	}
	token := as[client.Token](t, b, 201, "POST", "/api/v1/tokens", `{"user":"bea"}`)
	got := send(t, b.http, request{method: "GET", path: "/api/v1/projects/1", token: token.Secret})
	var seen client.ProjectDetail
	must(t, json.Unmarshal([]byte(got.text), &seen))
	if d := cmp.Diff([]string{"common_flow_view", "flow_view", "project_view", "task_view"}, seen.Permissions); d != "" {
		t.Errorf("permissions of a viewer (-want +got):\n%s", d)
	}
	if got := send(t, b.local, request{method: "GET", path: "/api/v1/projects/9"}); got.status != 404 {
		t.Errorf("no project: %d %s", got.status, got.text)
	}
}
