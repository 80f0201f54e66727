package sops_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/service"
)

var (
	timeText   = regexp.MustCompile(`^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}$`)
	entryKeys  = []string{"id", "name", "status", "create_time", "start_time", "finish_time", "url", "flow_type", "current_flow", "is_deleted"}
	statusKeys = []string{
		"id", "state", "name", "retry", "loop", "skip", "error_ignorable", "version", "elapsed_time", "start_time", "finish_time",
		"error_ignored", "parent_id",
	}
)

func TestTasksStatusKeys(t *testing.T) {
	t.Parallel()
	s := setup(t)
	id, echo := s.create(chain("A", "B:callback_node"))
	s.start(id)
	waitFor(t, func() bool { return at(s.entry(id), "children", nodeNamed(echo, "B")) != nil })
	entry := s.entry(id)
	want := slices.Insert(slices.Clone(entryKeys), 7, "children") // the keys of the founding page first, in its order
	if diff := cmp.Diff(want, entry.Keys()); diff != "" {
		t.Errorf("entry (-want +got)\n%s", diff)
	}
	if diff := cmp.Diff(append(slices.Clone(statusKeys), "children"), at(entry, "status").Keys()); diff != "" {
		t.Errorf("status (-want +got)\n%s", diff)
	}
	inner, outer := encoded(t, at(entry, "status", "children")), encoded(t, at(entry, "children"))
	if inner != outer || at(entry, "children").Len() != 3 {
		t.Errorf("children in the status and in the entry differ:\n%s\n%s", inner, outer)
	}
	waiting := at(entry, "children", nodeNamed(echo, "B"))
	if waiting.Text("state") != "RUNNING" || waiting.Text("finish_time") != "" || !timeText.MatchString(waiting.Text("start_time")) {
		t.Errorf("waiting node: %s", encoded(t, waiting))
	}
	if waiting.Text("parent_id") != at(entry, "status").Text("id") || at(entry, "status").Text("id") != echo.Text("id") {
		t.Error("ids of the root do not agree")
	}
	if want := fmt.Sprintf("%s/taskflow/execute/1/?instance_id=%d", publicURL, id); entry.Text("url") != want {
		t.Errorf("url %s, want %s", entry.Text("url"), want)
	}
	brief := s.call("POST", "/get_tasks_status/2/", fmt.Sprintf(`{"task_id_list":[%d]}`, id))
	if strings.Contains(brief.raw, "children") {
		t.Errorf("children without being asked for: %s", brief.raw)
	}
}

func encoded(t *testing.T, v any) string {
	t.Helper()
	text, err := stdops.EncodeValue(v)
	must(t, err)
	return string(text)
}

func waitFor(t *testing.T, done func() bool) {
	t.Helper()
	for range 500 {
		if done() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("waited in vain")
}

func TestTasksStatusCreated(t *testing.T) {
	t.Parallel()
	s := setup(t)
	first, echo := s.create(chain("A"))
	a := s.call("POST", "/fast_create_task/2/", stdops.NewObject("name", "задача <b>", "pipeline_tree", chain("A"), "flow_type", "common_func"))
	second, _ := a.data().Get("task_id")
	want := fmt.Sprintf(`{"id":%q,"state":"CREATED","name":"a task","retry":0,"loop":1,"skip":false,"error_ignorable":false,"version":"",`+
		`"elapsed_time":0,"start_time":"","finish_time":"","error_ignored":false,"parent_id":%[1]q,"children":{}}`, echo.Text("id"))
	if got := encoded(t, at(s.entry(first), "status")); got != want {
		t.Errorf("status\n got %s\nwant %s", got, want)
	}
	entry := s.entry(second.(int64))
	if entry.Text("name") != "задача b" || at(entry, "status").Text("name") != "задача b" || entry.Text("current_flow") != "func_claim" ||
		entry.Text("flow_type") != "common_func" || entry.Text("start_time") != "" || !timeText.MatchString(entry.Text("create_time")) {
		t.Errorf("entry %s", encoded(t, entry))
	}
}

// TestTasksStatusRequests is docs/spec/api.md 1.3 to 1.5 as far as one request shows it.
func TestTasksStatusRequests(t *testing.T) {
	t.Parallel()
	s := setup(t)
	for range 3 {
		s.create(chain("A"))
	}
	caller, err := s.svc.Authenticate(t.Context(), service.Credentials{AppCode: "trusted", AppSecret: "trusted-secret", Username: "admin"})
	must(t, err)
	access, err := s.svc.Access(t.Context(), caller, service.ProjectRef{ID: "2", Scope: service.ScopeBiz})
	must(t, err)
	must(t, s.svc.DeleteTask(t.Context(), access, 2))
	const path = "/apigw/get_tasks_status/2/"
	fifty := strings.TrimSuffix(strings.Repeat("7,", 50), ",")
	for _, c := range []struct {
		name, path, body string
		code             int64
		message          string // what the message holds
		data, missing    string // ids of the entries, missing ids
	}{
		{"descending", path, `{"task_id_list":[1,3,2,1]}`, 0, "", "[3 2 1]", "[]"},
		{"missing in the order asked", path, `{"task_id_list":[99,1,0,-4,18446744073709551616,99]}`, 0, "", "[1]", "[99,0,-4,18446744073709551616]"},
		{"no list: newest, none deleted", path, `{}`, 0, "", "[3 1]", "[]"},
		{"other case is another key", path, `{"Task_Id_List":[2]}`, 0, "", "[3 1]", "[]"},
		{"empty list", path, `{"task_id_list":[]}`, 0, "", "[]", "[]"},
		{"nulls only", path, `{"task_id_list":[null]}`, 0, "", "[]", "[]"},
		{"fifty", path, `{"task_id_list":[` + fifty + `]}`, 0, "", "[]", "[7]"},
		{"fifty-one", path, `{"task_id_list":[` + fifty + `,7]}`, 3540000, "task_id_list is too long, maximum length is 50", "", ""},
		{"length before items", path, `{"task_id_list":["x",` + fifty + `]}`, 3540000, "too long", "", ""},
		{"items before flags", path, `{"task_id_list":["x"],"include_children_status":"x"}`, 3540000, "contains invalid task id: x", "", ""},
		{"null list", path, `{"task_id_list":null}`, 3540000, "task_id_list must be a list", "", ""},
		{
			"flags together", path, `{"include_edit_info":null,"include_children_status":2}`, 3540000,
			"include_children_status: Must be a valid boolean.; include_edit_info: This field may not be null.", "", "",
		},
		{"empty body", path, ``, 3540000, "request body is not a valid json", "", ""},
		{"empty body, unknown project", "/apigw/get_tasks_status/7/", ``, 3540400, "project(7) with scope(cmdb_biz) does not exist.", "", ""},
		{"no JSON", path, `x`, 3540000, "invalid param format: ", "", ""},
		{"array", path, `[1]`, 3540000, "invalid param format", "", ""},
		{"null body", path, `null`, 3540000, "invalid param format", "", ""},
		{"duplicate deep key", path, `{"x":{"a":1,"a":2}}`, 3540000, "at byte ", "", ""},
		{"text after the value", path, `{} {}`, 3540000, "text after the value at byte ", "", ""},
		{"project by id", "/apigw/get_tasks_status/1", `{"scope":"project","task_id_list":[1]}`, 0, "", "[1]", "[]"},
		{"any other scope is project", "/get_tasks_status/1/", `{"scope":"whatever","task_id_list":[1]}`, 0, "", "[1]", "[]"},
		{"scope no text", path, `{"scope":7}`, 3540000, "scope must be a string", "", ""},
		{"scope null", path, `{"scope":null}`, 3540000, "scope must be a string", "", ""},
		{"scope with controls", path, `{"scope":"a\u0007"}`, 3540000, "scope contains control characters", "", ""},
		{"component, text id", "/v2/sops/get_tasks_status/", `{"bk_biz_id":"2","task_id_list":[1]}`, 0, "", "[1]", "[]"},
		{"component, number", "/api/c/compapi/v2/sops/get_tasks_status", `{"bk_biz_id":2,"task_id_list":[1]}`, 0, "", "[1]", "[]"},
		{"component without project", "/v2/sops/get_tasks_status/", `{"task_id_list":[1]}`, 3540000, "param bk_biz_id is required", "", ""},
		{"component, no number", "/v2/sops/get_tasks_status/", `{"bk_biz_id":-1}`, 3540000, "param bk_biz_id must be a number", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := *s
			s.t = t
			a := s.call("POST", c.path, c.body)
			if a.status != 200 || a.code() != c.code || !strings.Contains(a.message(), c.message) || c.code == 0 && a.message() != "" {
				t.Fatalf("status %d, code %d, message %q", a.status, a.code(), a.message())
			}
			if c.code != 0 {
				return
			}
			var ids []any
			data, _ := a.body.Get("data")
			for _, entry := range data.([]any) {
				id, _ := entry.(*stdops.Object).Get("id")
				ids = append(ids, id)
			}
			missing, _ := a.body.Get("missing")
			if got := fmt.Sprint(ids); got != c.data || encoded(t, missing) != c.missing {
				t.Errorf("data %s missing %s, want %s and %s", got, encoded(t, missing), c.data, c.missing)
			}
		})
	}
}

func TestTasksStatusTruncated(t *testing.T) {
	t.Parallel()
	s := setup(t)
	tree := chain("A")
	for i := range 51 {
		if _, truncated := s.call("POST", "/get_tasks_status/2/", "{}").body.Get("truncated"); truncated {
			t.Fatalf("truncated with %d tasks", i)
		}
		s.create(tree)
	}
	a := s.call("POST", "/get_tasks_status/2/", "{}")
	data, _ := a.body.Get("data")
	if truncated, _ := a.body.Get("truncated"); truncated != true || len(data.([]any)) != 50 {
		t.Errorf("truncated %v, %d entries", truncated, len(data.([]any)))
	}
}

// TestTasksStatusDeleted: a batch tells about a deleted task, a single status does not find it.
func TestTasksStatusDeleted(t *testing.T) {
	t.Parallel()
	s := setup(t)
	id, _ := s.create(chain("A"))
	must(t, s.store.DeleteTask(t.Context(), stdops.TaskRef{Project: 1, Task: stdops.TaskID(id)}))
	if deleted, _ := s.entry(id).Get("is_deleted"); deleted != true {
		t.Error("not shown as deleted")
	}
	a := s.call("GET", fmt.Sprintf("/get_task_status/%d/2/", id), nil)
	if a.code() != 3599999 || !strings.HasPrefix(a.message(), fmt.Sprintf("task[id=%d] get status error:", id)) {
		t.Errorf("single status: %d %s", a.code(), a.message())
	}
}

// TestStates shows the states of a task as people make them.
func TestStates(t *testing.T) {
	t.Parallel()
	s := setup(t)
	id, echo := s.create(chain("A:callback_node", "B"))
	s.start(id)
	s.await(id, "RUNNING")
	op := func(action string) {
		t.Helper()
		if a := s.call("POST", fmt.Sprintf("/operate_task/%d/2/", id), stdops.NewObject("action", action)); !a.ok() || a.message() != "success" {
			t.Fatalf("%s: %s", action, a.raw)
		}
	}
	node := func(name, action string) {
		t.Helper()
		body := stdops.NewObject("node_id", nodeNamed(echo, name), "action", action)
		if a := s.call("POST", fmt.Sprintf("/operate_node/2/%d/", id), body); !a.ok() {
			t.Fatalf("%s %s: %s", action, name, a.raw)
		}
	}
	waitFor(t, func() bool { return at(s.entry(id), "children", nodeNamed(echo, "A")) != nil })
	op("pause")
	if s.state(id) != "SUSPENDED" {
		t.Errorf("paused: %s", s.state(id))
	}
	op("resume")
	node("B", "pause")
	if at(s.entry(id), "children", nodeNamed(echo, "B")) != nil {
		t.Error("a node that only has a pause appointed is shown")
	}
	node("A", "forced_fail")
	if s.state(id) != "FAILED" {
		t.Errorf("failed: %s", s.state(id))
	}
	node("A", "skip")
	s.await(id, "NODE_SUSPENDED")
	op("revoke")
	entry := s.entry(id)
	if at(entry, "status").Text("state") != "REVOKED" || entry.Text("finish_time") == "" || entry.Text("current_flow") != "finished" {
		t.Errorf("revoked: %s", encoded(t, entry))
	}
}
