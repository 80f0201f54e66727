package sops_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/store"
)

// listFixture is a project with six tasks: 1 finished, 2 revoked, 3 failed, 4 waiting for a person, 5 and 6 not started;
// 1 and 5 are of the template 1. One more is deleted.
func listFixture(t *testing.T) *server {
	t.Helper()
	s := setup(t)
	stored := s.call("POST", "/create_template/2/", stdops.NewObject("name", "a flow", "category", "OpsTools", "pipeline_tree", chain("A")))
	if !stored.ok() {
		t.Fatalf("create_template: %s", stored.raw)
	}
	create := func(name string, tree *stdops.Object, category string) int64 {
		a := s.call("POST", "/fast_create_task/2/", stdops.NewObject("name", name, "pipeline_tree", tree, "category", category))
		id, _ := a.data().Get("task_id")
		return id.(int64)
	}
	fromFlow := func(name string) {
		if a := s.call("POST", "/create_task/1/2/", stdops.NewObject("name", name)); !a.ok() {
			t.Fatalf("create_task: %s", a.raw)
		}
	}
	fromFlow("Restart 100%")
	create("revoked", chain("A:callback_node"), "Other")
	create("failed", chain("A:sleep_timer"), "Other")
	create("waits", chain("A:pause_node"), "DevTools")
	fromFlow("restart later")
	create("idle", chain("A"), "Default")
	deleted := create("deleted", chain("A"), "Default")
	must(t, s.store.DeleteTask(t.Context(), stdops.TaskRef{Project: 1, Task: stdops.TaskID(deleted)}))
	for id := range int64(4) {
		s.start(id + 1)
	}
	s.await(1, "FINISHED")
	s.await(3, "FAILED")
	s.await(4, "RUNNING")
	if a := s.call("POST", "/operate_task/2/2/", `{"action":"revoke"}`); !a.ok() {
		t.Fatalf("revoke: %s", a.raw)
	}
	s.await(2, "REVOKED")
	return s
}

// ids lists the ids of an answer.
func (a answer) ids() string {
	var ids []any
	data, _ := a.body.Get("data")
	list, _ := data.([]any)
	for _, entry := range list {
		id, _ := entry.(*stdops.Object).Get("id")
		ids = append(ids, id)
	}
	return fmt.Sprint(ids)
}

func TestTaskList(t *testing.T) {
	t.Parallel()
	s := listFixture(t)
	for _, c := range []struct {
		query string
		ids   string
		count int64
	}{
		{"", "[6 5 4 3 2 1]", 6},
		{"limit=2", "[6 5]", 6},
		{"limit=2&offset=3", "[3 2]", 6},
		{"offset=99999999999999999999", "[]", 6},
		{"limit=0", "[]", 6},
		{"limit=1000", "[6 5 4 3 2 1]", 6},
		{"without_count=1&limit=1", "[6]", -1},
		{"without_count=false&limit=1", "[6]", 6},
		{"keyword=RESTART", "[5 1]", 2},
		{"keyword=%25", "[1]", 1},
		{"keyword=_", "[]", 0},
		{"is_started=true", "[4 3 2 1]", 4},
		{"is_started=yes", "[4 3 2 1]", 4},
		{"is_started=False", "[6 5]", 2},
		{"is_started=", "[6 5]", 2},
		{"is_started=true&is_finished=0", "[4 3 2]", 3},
		{"is_started=false&is_finished=true", "[]", 0},
		{"is_finished=1", "[1]", 1},
		{"executor=admin", "[4 3 2 1]", 4},
		{"executor=nobody", "[]", 0},
		{"create_method=api", "[6 5 4 3 2 1]", 6},
		{"create_method=periodic", "[]", 0},
		{"template_id=1", "[5 1]", 2},
		{"template_id=x", "[]", 0},
		{"template_id=0", "[]", 0},
		{"template_ids=7,1", "[5 1]", 2},
		{"template_ids=7&template_id=1", "[]", 0},
		{"is_child_taskflow=true", "[]", 0},
		{"is_child_taskflow=false", "[6 5 4 3 2 1]", 6},
		{"create_time_start=2000-01-01&create_time_end=2999-12-31", "[6 5 4 3 2 1]", 6},
		{"create_time_end=2000-01-01 00:00", "[]", 0},
		{"create_time_start=2999-01-01T00:00:00.5Z", "[]", 0},
		{"unknown=1", "[6 5 4 3 2 1]", 6},
	} {
		t.Run(c.query, func(t *testing.T) {
			t.Parallel()
			s := *s
			s.t = t
			a := s.call("GET", "/get_task_list/2/?"+query(t, c.query), nil)
			if count, _ := a.body.Get("count"); !a.ok() || a.ids() != c.ids || count != c.count {
				t.Errorf("%s count %v, want %s and %d: %.300s", a.ids(), count, c.ids, c.count, a.message())
			}
		})
	}
	t.Run("component address", func(t *testing.T) {
		t.Parallel()
		s := *s
		s.t = t
		a := s.call("POST", "/v2/sops/get_task_list/", `{"bk_biz_id":2,"is_started":false,"is_finished":null,"limit":1,"template_id":1}`)
		if a.ids() != "[5]" {
			t.Errorf("%s", a.raw)
		}
	})
}

// query encodes what the tables write plainly.
func query(t *testing.T, text string) string {
	t.Helper()
	return strings.ReplaceAll(strings.ReplaceAll(text, " ", "%20"), "+", "%2B")
}

func TestTaskListItem(t *testing.T) {
	t.Parallel()
	s := listFixture(t)
	item := func(query string) *stdops.Object {
		data, _ := s.call("GET", "/get_task_list/2/?"+query, nil).body.Get("data")
		return data.([]any)[0].(*stdops.Object)
	}
	iso := regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z$`)
	first := item("is_finished=1")
	for _, key := range []string{"create_time", "start_time", "finish_time"} {
		if !iso.MatchString(first.Text(key)) {
			t.Errorf("%s is %s", key, encoded(t, first))
		}
		first.Set(key, "T")
	}
	want := `{"id":1,"name":"Restart 100%","category":"Operation tools","create_method":"api","creator":"admin","executor":"admin",` +
		`"create_time":"T","start_time":"T","finish_time":"T","is_started":true,"is_finished":true,"is_revoked":false,"state":"FINISHED",` +
		`"template_source":"project","template_id":"1","is_child_taskflow":false,"project_id":1,"project_name":"default","bk_biz_id":2,` +
		`"bk_biz_name":"default","auth_actions":["task_view","task_edit","task_operate","task_delete"]}`
	if got := encoded(t, first); got != want {
		t.Errorf("item\n got %s\nwant %s", got, want)
	}
	idle := item("is_started=0&keyword=idle")
	if finish, had := idle.Get("finish_time"); !had || finish != nil || idle.Text("template_id") != "" || idle.Text("template_source") != "onetime" {
		t.Errorf("idle: %s", encoded(t, idle))
	}
	zoned := item("is_started=0&expected_timezone=Asia/Shanghai")
	if !strings.HasSuffix(zoned.Text("create_time"), " +0800") || zoned.Text("finish_time") != "" {
		t.Errorf("with a zone: %s", encoded(t, zoned))
	}
	states := map[string]string{}
	data, _ := s.call("GET", "/get_task_list/2/", nil).body.Get("data")
	for _, entry := range data.([]any) {
		o := entry.(*stdops.Object)
		revoked, _ := o.Get("is_revoked")
		states[o.Text("name")] = fmt.Sprint(o.Text("state"), " ", revoked)
	}
	wantStates := map[string]string{
		"Restart 100%": "FINISHED false", "revoked": "REVOKED true", "failed": "FAILED false", "waits": "RUNNING false",
		"restart later": "CREATED false", "idle": "CREATED false",
	}
	if diff := cmp.Diff(wantStates, states); diff != "" {
		t.Errorf("states (-want +got)\n%s", diff)
	}
}

func TestTaskListRefusals(t *testing.T) {
	t.Parallel()
	s := setup(t)
	for _, c := range []struct {
		query, message string
		code           int64
	}{
		{"offset=-1", "[API] pagination error: offset and limit must be greater or equal to 0.", 3545000},
		{"limit=-1", "[API] pagination error: offset and limit must be greater or equal to 0.", 3545000},
		{"limit=ten", "[API] pagination error: limit must be a whole number, not ten", 3545000},
		{"offset=1.5", "[API] pagination error: offset must be a whole number, not 1.5", 3545000},
		{"expected_timezone=Mars/X", "expected_timezone Mars/X is unknown.", 3546100},
		{"expected_timezone=Local", "expected_timezone Local is unknown.", 3546100},
		{"expected_timezone=../../etc/passwd", "expected_timezone ../../etc/passwd is unknown.", 3546100},
		{"create_time_start=soon", "create_time_start: Enter a valid date/time.", 3546100},
		{"create_time_end=2026-02-30", "create_time_end: Enter a valid date/time.", 3546100},
		{"keyword=" + strings.Repeat("é", 129), "keyword: Ensure this value has at most 128 characters.", 3546100},
		{"limit=-1&create_time_end=x&expected_timezone=x", "expected_timezone x is unknown.", 3546100},
		{"limit=-1&create_time_end=x", "create_time_end: Enter a valid date/time.", 3546100},
	} {
		t.Run(c.query, func(t *testing.T) {
			t.Parallel()
			s := *s
			s.t = t
			a := s.call("GET", "/get_task_list/2/?"+query(t, c.query), nil)
			if a.status != 200 || a.code() != c.code || a.message() != c.message {
				t.Errorf("status %d, code %d, message %q", a.status, a.code(), a.message())
			}
			if _, fields := a.body.Get("errors"); fields != strings.Contains(c.message, ": Ens") && !strings.Contains(c.message, ": Ent") {
				t.Errorf("errors: %s", a.raw)
			}
		})
	}
}

// TestTaskListOfAnotherProject: no filter leads out of the project.
func TestTaskListOfAnotherProject(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for _, path := range []string{"/get_task_list/2/?template_id=21", "/get_task_list/2/?project_id=2&keyword=201"} {
		if a := f.call("GET", f.real(path), nil); a.ids() != "[]" {
			t.Errorf("%s: %s", path, a.raw)
		}
	}
}

func TestTaskCount(t *testing.T) {
	t.Parallel()
	s := listFixture(t)
	for query, want := range map[string]string{
		"": `{"count":6}`, "is_finished=1": `{"count":1}`, "keyword=restart": `{"count":2}`, "template_id=1": `{"count":2}`,
		"executor=admin": `{"count":4}`, "create_method=app": `{"count":0}`, "template_ids=7": `{"count":6}`,
		"create_time_start=x": `{"count":6}`, "limit=-1": `{"count":6}`,
	} {
		if got := encoded(t, s.call("GET", "/get_task_count/2/?"+query, nil).data()); got != want {
			t.Errorf("%q: %s, want %s", query, got, want)
		}
	}
	if a := s.call("GET", "/get_task_count/2/?expected_timezone=Mars/X", nil); a.code() != 3546100 {
		t.Errorf("unknown zone: %s", a.raw)
	}
}

func TestQueryTaskCount(t *testing.T) {
	t.Parallel()
	s := listFixture(t)
	for _, c := range []struct{ body, want string }{
		{`{"group_by":"status"}`, "6: CREATED 2, EXECUTING 2, FINISHED 1, REVOKED 1"},
		{`{"group_by":"category"}`, "6: OpsTools 2, MonitorAlarm 0, ConfManage 0, DevTools 1, EnterpriseIT 0, OfficeApp 0, Other 2, Default 1"},
		{`{"group_by":"create_method"}`, "6: app 0, api 6, app_maker 0, periodic 0, clocked 0, mobile 0, mcp 0"},
		{`{"group_by":"flow_type","conditions":{}}`, "6: common 6, common_func 0"},
		{`{"group_by":"flow_type","conditions":{"project_id":"999"}}`, "6: common 6, common_func 0"},
		{`{"group_by":"flow_type","conditions":{"template_id":1}}`, "2: common 2, common_func 0"},
		{`{"group_by":"flow_type","conditions":{"template_id":"1","name":"restart later"}}`, "1: common 1, common_func 0"},
		{`{"group_by":"flow_type","conditions":{"template_id":"no id"}}`, "0: common 0, common_func 0"},
		{`{"group_by":"flow_type","conditions":{"name":"restart"}}`, "0: common 0, common_func 0"},
		{`{"group_by":"flow_type","conditions":{"name":"","creator":"None","executor":null}}`, "6: common 6, common_func 0"},
		{`{"group_by":"flow_type","conditions":{"creator":"admin","executor":"admin","category":"Other"}}`, "2: common 2, common_func 0"},
		{`{"group_by":"flow_type","conditions":{"create_method":["api","app"],"flow_type":"common"}}`, "6: common 6, common_func 0"},
		{`{"group_by":"flow_type","conditions":{"create_method":"app"}}`, "0: common 0, common_func 0"},
		{`{"group_by":"flow_type","conditions":{"is_started":true,"is_finished":false}}`, "3: common 3, common_func 0"},
		{`{"group_by":"flow_type","conditions":{"create_time__gte":"2026-05-01 00:00:00","create_time__lte":"2999-01-01"}}`, "6: common 6, common_func 0"},
		{`{"group_by":"flow_type","conditions":{"start_time__gte":"2000-01-01"}}`, "4: common 4, common_func 0"},
		{`{"group_by":"flow_type","conditions":{"start_time__lte":"2000-01-01"}}`, "0: common 0, common_func 0"},
		{`{"group_by":"flow_type","conditions":{"create_time":946684800000,"finish_time":"32503680000000"}}`, "6: common 6, common_func 0"},
		{`{"group_by":"flow_type","conditions":{"finish_time":946684800000}}`, "0: common 0, common_func 0"},
	} {
		t.Run(c.body, func(t *testing.T) {
			t.Parallel()
			s := *s
			s.t = t
			a := s.call("POST", "/query_task_count/2/", c.body)
			if !a.ok() {
				t.Fatal(a.raw)
			}
			total, _ := a.data().Get("total")
			groups, _ := a.data().Get("groups")
			var lines []string
			for _, g := range groups.([]any) {
				group := g.(*stdops.Object)
				value, _ := group.Get("value")
				lines = append(lines, fmt.Sprint(group.Text("code"), " ", value))
				if group.Text("name") == "" {
					t.Errorf("%s has no name", group.Text("code"))
				}
			}
			if got := fmt.Sprintf("%d: %s", total, strings.Join(lines, ", ")); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

func TestQueryTaskCountRefusals(t *testing.T) {
	t.Parallel()
	s := setup(t)
	for _, c := range []struct{ body, message string }{
		{``, "request body is not a valid json"},
		{`{}`, "[API] query_task_list params group_by[null] is invalid"},
		{`{"group_by":"creator"}`, "[API] query_task_list params group_by[creator] is invalid"},
		{`{"group_by":["status"]}`, `[API] query_task_list params group_by[["status"]] is invalid`},
		{`{"conditions":[]}`, "[API] query_task_list params conditions[[]] are invalid dict data"},
		{`{"conditions":null,"group_by":"status"}`, "[API] query_task_list params conditions[null] are invalid dict data"},
		{`{"group_by":"status","conditions":{"creator__password__startswith":"a"}}`, "[API] query_task_count conditions[creator__password__startswith] is unknown"},
		{`{"group_by":"status","conditions":{"is_deleted":true}}`, "[API] query_task_count conditions[is_deleted] is unknown"},
		{`{"group_by":"status","conditions":{"name":5}}`, "[API] query_task_count conditions[name] is invalid: 5"},
		{`{"group_by":"status","conditions":{"is_started":"maybe"}}`, "[API] query_task_count conditions[is_started] is invalid: maybe"},
		{`{"group_by":"status","conditions":{"create_time__gte":5}}`, "[API] query_task_count conditions[create_time__gte] is invalid: 5"},
		{`{"group_by":"status","conditions":{"start_time__lte":"x"}}`, "[API] query_task_count conditions[start_time__lte] is invalid: x"},
		{`{"group_by":"status","conditions":{"create_time":-1}}`, "[API] query_task_count conditions[create_time] is invalid: -1"},
		{`{"group_by":"status","conditions":{"create_time":9223372036854775807}}`, "[API] query_task_count conditions[create_time] is invalid: 9223372036854775807"},
		{`{"group_by":"status","conditions":{"create_method":[5]}}`, "[API] query_task_count conditions[create_method] is invalid: [5]"},
		{`{"group_by":"status","conditions":{"template_id":{}}}`, "[API] query_task_count conditions[template_id] is invalid: {}"},
	} {
		t.Run(c.body, func(t *testing.T) {
			t.Parallel()
			s := *s
			s.t = t
			if a := s.call("POST", "/query_task_count/2/", c.body); a.status != 200 || a.code() != 3540000 || a.message() != c.message {
				t.Errorf("status %d, code %d, message %q", a.status, a.code(), a.message())
			}
		})
	}
}

func TestManualIntervention(t *testing.T) {
	t.Parallel()
	s := listFixture(t)
	if a := s.call("POST", "/fast_create_task/2/", stdops.NewObject("name", "paused", "pipeline_tree", chain("A:callback_node"))); !a.ok() {
		t.Fatal(a.raw)
	}
	s.start(8)
	if a := s.call("POST", "/operate_task/8/2/", `{"action":"pause"}`); !a.ok() {
		t.Fatal(a.raw)
	}
	for _, c := range []struct {
		body    string
		code    int64
		message string
		data    string
		missing string
	}{
		{
			`{"task_id_list":[1,"2",3,4,5,7,8,999,99999999999999999999,0]}`, 0, "",
			"8 true, 7 false, 5 false, 4 true, 3 true, 2 false, 1 false", "[999,99999999999999999999,0]",
		},
		{`{}`, 0, "", "", "[]"},
		{`{"task_id_list":[]}`, 0, "", "", "[]"},
		{`{"task_id_list":[null,4,4]}`, 0, "", "4 true", "[]"},
		{``, 3540000, "request body is not a valid json", "", ""},
		{`{"task_id_list":null}`, 3540000, "task_id_list must be a list", "", ""},
		{`{"task_id_list":[1,1,1,1,1,1,1,1,1,1,1]}`, 3540000, "task_ids_list length can not exceeds 10", "", ""},
		{`{"task_id_list":["x"]}`, 3540000, "task_id_list contains invalid task id: x", "", ""},
	} {
		t.Run(c.body, func(t *testing.T) {
			t.Parallel()
			s := *s
			s.t = t
			a := s.call("POST", "/get_tasks_manual_intervention_state/2/", c.body)
			if a.status != 200 || a.code() != c.code || a.message() != c.message {
				t.Fatalf("status %d, code %d, message %q", a.status, a.code(), a.message())
			}
			if c.code != 0 {
				return
			}
			var lines []string
			data, _ := a.body.Get("data")
			for _, entry := range data.([]any) {
				id, _ := entry.(*stdops.Object).Get("id")
				required, _ := entry.(*stdops.Object).Get("manual_intervention_required")
				lines = append(lines, fmt.Sprint(id, " ", required))
			}
			missing, _ := a.body.Get("missing")
			if got := strings.Join(lines, ", "); got != c.data || encoded(t, missing) != c.missing {
				t.Errorf("%s missing %s, want %s and %s", got, encoded(t, missing), c.data, c.missing)
			}
		})
	}
}

// TestTaskListLongestPage: whatever is asked for, a page has no more than 200 tasks.
func TestTaskListLongestPage(t *testing.T) {
	t.Parallel()
	s := setup(t)
	for range 201 {
		_, err := s.store.CreateTask(t.Context(), store.NewTask{Task: stdops.Task{Project: 1, Name: "x", TreeHash: "t"}})
		must(t, err)
	}
	for query, want := range map[string]int{"limit=201": 200, "limit=99999999999999999999": 200, "limit=200&offset=1": 200, "": 100} {
		a := s.call("GET", "/get_task_list/2/?"+query, nil)
		data, _ := a.body.Get("data")
		if count, _ := a.body.Get("count"); len(data.([]any)) != want || count != int64(201) {
			t.Errorf("%s: %d of %v, want %d of 201", query, len(data.([]any)), count, want)
		}
	}
}
