package sops_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/store"
)

func (s *server) template(tree *stdops.Object) int64 {
	s.t.Helper()
	a := s.call("POST", "/create_template/2/", stdops.NewObject("name", "a flow", "pipeline_tree", tree))
	if !a.ok() {
		s.t.Fatalf("create_template: %s", a.raw)
	}
	id, _ := a.data().Get("template_id")
	return id.(int64)
}

// names gives the names of the activities of a tree.
func names(tree *stdops.Object) (list []string) {
	all := at(tree, "activities")
	for _, id := range all.Keys() {
		list = append(list, at(all, id).Text("name"))
	}
	return list
}

func withConstant(tree *stdops.Object, key, value string) *stdops.Object {
	constants := at(tree, "constants")
	constants.Set(key, stdops.NewObject("key", key, "name", "n", "value", value, "show_type", "show",
		"source_type", "custom", "custom_type", "input", "source_info", &stdops.Object{}))
	return tree
}

func uses(tree *stdops.Object, node, input, value string) *stdops.Object {
	at(tree, "activities", node, "component", "data").Set(input, stdops.NewObject("hook", false, "value", value))
	return tree
}

func TestFastCreate(t *testing.T) {
	t.Parallel()
	s := setup(t)
	long := strings.Repeat("ж", 120)
	a := s.call("POST", "/fast_create_task/2/", stdops.NewObject("name", `<a> $&'"`+long, "pipeline_tree", chain("A", "B"), "category", "OpsTools"))
	if diff := cmp.Diff([]string{"task_id", "task_url", "pipeline_tree"}, a.data().Keys()); diff != "" {
		t.Fatalf("keys (-want +got)\n%s\n%s", diff, a.raw)
	}
	tree := at(a.data(), "pipeline_tree")
	if task, _, ok := stdops.ParseNodeID(nodeNamed(tree, "B")); !ok || task != 1 {
		t.Errorf("id of a node: %s", nodeNamed(tree, "B"))
	}
	lines, _ := tree.Get("line")
	locations, _ := tree.Get("location")
	if len(lines.([]any)) != 3 || len(locations.([]any)) != 4 {
		t.Errorf("drawing: %s %s", encoded(t, lines), encoded(t, locations))
	}
	if got, want := s.entry(1).Text("name"), "a "+strings.Repeat("ж", 98); got != want {
		t.Errorf("name %q", got)
	}
	stored, err := s.store.Task(t.Context(), stdops.TaskRef{Project: 1, Task: 1})
	must(t, err)
	if stored.App != "trusted" || stored.Creator != "admin" || stored.CreateMethod != "api" || stored.TemplateSource != "onetime" || stored.Category != "OpsTools" {
		t.Errorf("stored as %+v", stored)
	}
}

func TestFastCreateRefusals(t *testing.T) {
	t.Parallel()
	s := setup(t)
	tree := treeText()
	for _, c := range []struct{ body, message string }{
		{``, "request body is not a valid json"},
		{`{"pipeline_tree":` + tree + `}`, "invalid params: 'name'"},
		{`{"name":"x"}`, "invalid params: 'pipeline_tree'"},
		{`{"name":7,"pipeline_tree":` + tree + `}`, "invalid params: 'name'"},
		{`{"name":"<>","pipeline_tree":` + tree + `}`, "invalid params: 'name'"},
		{`{"name":"x","pipeline_tree":[]}`, "[API] fast_create_task get invalid pipeline_tree: "},
		{`{"name":"x","pipeline_tree":{}}`, "[API] fast_create_task get invalid pipeline_tree: "},
		{`{"name":"x","flow_type":"other","pipeline_tree":` + tree + `}`, "invalid params: flow_type"},
		{
			`{"name":"x","pipeline_tree":` + strings.Replace(tree, "debug_no_schedule_node", "no_such", 1) + `}`,
			"activities.node0.component.code: plugin no_such (version legacy) is not registered",
		},
	} {
		a := s.call("POST", "/fast_create_task/2/", c.body)
		if a.code() != 3540000 || !strings.HasPrefix(a.message(), c.message) {
			t.Errorf("%.60s: code %d, message %q, want %q", c.body, a.code(), a.message(), c.message)
		}
	}
}

func TestCreateTask(t *testing.T) {
	t.Parallel()
	s := setup(t)
	tree := withConstant(withConstant(uses(chain("A", "B", "C"), "node0", "x", "${v}"), "${v}", "1"), "${unused}", "2")
	id := s.template(tree)
	create := func(extra ...any) answer {
		return s.call("POST", fmt.Sprintf("/create_task/%d/2/", id), stdops.NewObject(append([]any{"name", "<b>t"}, extra...)...))
	}
	whole := create("constants", stdops.NewObject("${v}", "9", "${other}", "3"))
	echo := at(whole.data(), "pipeline_tree")
	if v, _ := at(echo, "constants", "${v}").Get("value"); v != "9" || at(echo, "constants").Len() != 1 {
		t.Errorf("constants %s", encoded(t, at(echo, "constants")))
	}
	if diff := cmp.Diff([]string{"A", "B", "C"}, names(echo)); diff != "" {
		t.Errorf("activities (-want +got)\n%s", diff)
	}
	taskID, _ := whole.data().Get("task_id")
	if got := s.entry(taskID.(int64)).Text("name"); got != "<b>t" {
		t.Errorf("name %q", got)
	}
	stored, err := s.store.Task(t.Context(), stdops.TaskRef{Project: 1, Task: stdops.TaskID(taskID.(int64))})
	must(t, err)
	if int64(stored.Template) != id || stored.TemplateSource != "project" {
		t.Errorf("stored as %+v", stored)
	}
	for _, c := range []struct {
		extra []any
		want  []string
	}{
		{[]any{"exclude_task_nodes_id", []any{"node1"}}, []string{"A", "C"}},
		{[]any{"execute_task_nodes_id", []any{"node2", "no such"}, "exclude_task_nodes_id", []any{"node2"}}, []string{"C"}},
		{[]any{"pipeline_tree", chain("X")}, []string{"X"}},
	} {
		a := create(c.extra...)
		if diff := cmp.Diff(c.want, names(at(a.data(), "pipeline_tree"))); diff != "" {
			t.Errorf("%v (-want +got)\n%s\n%s", c.extra[0], diff, a.raw)
		}
	}
}

func TestCreateTaskRefusals(t *testing.T) {
	t.Parallel()
	s := setup(t)
	tree := chain("A", "B")
	at(tree, "activities", "node1").Set("optional", false)
	id := s.template(tree)
	path := fmt.Sprintf("/create_task/%d/2/", id)
	for _, c := range []struct {
		path, body string
		code       int64
		message    string
	}{
		{path, ``, 3540000, "request body is not a valid json"},
		{path, `{}`, 3540000, "task params is invalid: 'name' is a required property"},
		{path, `{"name":""}`, 3540000, "task params is invalid: name: must have 1 to 100"},
		{path, `{"name":"` + strings.Repeat("x", 101) + `"}`, 3540000, "task params is invalid: name"},
		{path, `{"name":"t","constants":[],"exclude_task_nodes_id":"x"}`, 3540000, "task params is invalid: constants: must be an object,exclude_task_nodes_id: must be an array"},
		{path, `{"name":"t","flow_type":7}`, 3540000, "task params is invalid: flow_type"},
		{path, `{"name":"t","exclude_task_nodes_id":[1]}`, 3540000, "task params is invalid: exclude_task_nodes_id.0"},
		{path, `{"name":"t","exclude_task_nodes_id":["nonsense"]}`, 3599999, "[API] create_task create pipeline without tree error: task node[id=nonsense] is not in template pipeline tree"},
		{path, `{"name":"t","execute_task_nodes_id":["node0"]}`, 3599999, "[API] create_task create pipeline without tree error: task node[id=node1] is not optional"},
		{path, `{"name":"t","pipeline_tree":{}}`, 3599999, "[API] create_task get invalid pipeline_tree: "},
		{path, `{"name":"t","pipeline_tree":` + strings.Replace(treeText(), "debug_no_schedule_node", "no_such", 1) + `}`, 3540000, "activities.node0.component.code: plugin no_such"},
		{path, `{"name":"t","template_schemes_id":["a","b"]}`, 3540000, "unknown template_schemes_id: a, b"},
		{path, `{"name":"t","template_schemes_id":243}`, 3540000, "unknown template_schemes_id: 243"},
		{path, `{"name":"t","template_schemes_id":["243",243]}`, 3540000, "duplicate template_schemes_id: 243"},
		{path, `{"name":"t","template_schemes_id":[""]}`, 3540000, "invalid template_schemes_id: all items must be non-empty strings or positive integers"},
		{path, `{"name":"t","template_schemes_id":[0]}`, 3540000, "invalid template_schemes_id"},
		{path, `{"name":"t","template_schemes_id":["a"],"pipeline_tree":{}}`, 3540000, "template_schemes_id can not be used with pipeline_tree"},
		{path, `{"name":"t","template_schemes_id":["a"],"exclude_task_nodes_id":["node0"]}`, 3540000, "template_schemes_id can not be used with exclude_task_nodes_id or execute_task_nodes_id"},
		{path, `{"name":"t","callback_url":"ftp://x"}`, 3540000, `callback_url format error, must match ^https?://\w.+$`},
		{path, `{"name":"t","callback_url":7}`, 3540000, "callback_url format error"},
		{path, `{"name":"t","callback_url":"http://127.0.0.1/x"}`, 3540000, "callback_url must not be"},
		{path, `{"name":"t","callback_url":"http://[::1]:80/x"}`, 3540000, "callback_url must not be"},
		{path, `{"callback_url":"https://hooks.example/x"}`, 3545000, "callback_url is not offered by stdops yet"},
		{"/create_task/999/2/", `{}`, 3540400, "template[id=999] of project[project_id=1,biz_id=2] does not exist"},
		{"/create_task/999/2/", `{"template_source":"common"}`, 3540400, "common template[id=999] does not exist"},
		{"/create_task/999/2/", `{"callback_url":"ftp://x"}`, 3540000, "callback_url format error"},
		{"/create_and_start_task/999/2/", `{}`, 3540400, "template[id=999] of project[project_id=1,biz_id=2] does not exist"},
		{fmt.Sprintf("/create_and_start_task/%d/2/", id), `{}`, 3540000, "task parmas is invalid: "},
	} {
		a := s.call("POST", c.path, c.body)
		if a.code() != c.code || !strings.HasPrefix(a.message(), c.message) {
			t.Errorf("%.80s: code %d, message %q, want %d %q", c.body, a.code(), a.message(), c.code, c.message)
		}
	}
}

// breaches break the rules of docs/spec/engine.md 8.4; each is set at the activity node0.
var breaches = []struct{ name, field, value, message string }{
	{"time limit and ignored errors", "timeout_config", `{"enable":true,"seconds":5}`, "activities.node0.timeout_config: timeout_config can not be enabled with error_ignorable"},
	{"action of a time limit", "timeout_config", `{"enable":true,"seconds":5,"action":"x"}`, "activities.node0.timeout_config"},
	{
		"parameter and rendering", "component", `{"code":"sleep_timer","data":{"k":{"hook":false,"value":1,"is_param":true,"need_render":true}}}`,
		"activities.node0.component.data.k: is_param and need_render cannot be selected at the same time",
	},
	{"plugin", "component", `{"code":"no_such","data":{}}`, "activities.node0.component.code: plugin no_such (version legacy) is not registered"},
}

// TestRulesOfExecution: a tree that could not run is refused by all creating endpoints alike, the position first
// (docs/spec/api.md 4.3).
func TestRulesOfExecution(t *testing.T) {
	t.Parallel()
	s := setup(t)
	plain := s.template(chain("A"))
	for _, c := range breaches {
		tree := chain("A")
		node := at(tree, "activities", "node0")
		value, err := stdops.DecodeValue([]byte(c.value))
		must(t, err)
		node.Set(c.field, value)
		node.Set("error_ignorable", true)
		asked := stdops.NewObject("name", "t", "pipeline_tree", tree)
		answers := map[string]answer{
			"fast_create_task": s.call("POST", "/fast_create_task/2/", asked),
			"create_task":      s.call("POST", fmt.Sprintf("/create_task/%d/2/", plain), asked),
		}
		flow := store.Template{Project: 1, Name: c.name, Creator: "root", Created: s.store.Now()}
		stored, err := s.store.CreateTemplate(t.Context(), flow, []byte(encoded(t, tree))) // create_template would refuse it
		must(t, err)
		answers["create_and_start_task"] = s.call("POST", fmt.Sprintf("/create_and_start_task/%d/2/", stored.ID), `{"name":"t"}`)
		for endpoint, a := range answers {
			if a.code() != 3540000 || !strings.HasPrefix(a.message(), c.message) {
				t.Errorf("%s by %s: code %d, message %q", c.name, endpoint, a.code(), a.message())
			}
		}
	}
	if a := s.call("POST", "/get_tasks_status/2/", "{}"); len(list(a.body, "data")) != 0 {
		t.Errorf("tasks were made: %s", a.raw)
	}
}

// TestCreateAndStartFunctional: what has to be claimed before it may run is not started, and so not made.
func TestCreateAndStartFunctional(t *testing.T) {
	t.Parallel()
	s := setup(t)
	id := s.template(chain("A"))
	a := s.call("POST", fmt.Sprintf("/create_and_start_task/%d/2/", id), `{"name":"t","flow_type":"common_func"}`)
	if a.code() != 3545000 || a.message() != "task with current_flow:func_claim cannot be started" {
		t.Errorf("answer %s", a.raw)
	}
	if a := s.call("POST", "/get_tasks_status/2/", "{}"); len(list(a.body, "data")) != 0 {
		t.Errorf("a task was made: %s", a.raw)
	}
}

func list(o *stdops.Object, key string) []any {
	value, _ := o.Get(key)
	items, _ := value.([]any)
	return items
}

func TestCreateAndStart(t *testing.T) {
	t.Parallel()
	s := setup(t)
	id := s.template(chain("A"))
	a := s.call("POST", fmt.Sprintf("/create_and_start_task/%d/2/", id), `{"name":"now","template_source":"business"}`)
	task, _ := a.data().Get("task_id")
	s.await(task.(int64), "FINISHED")
	stored, err := s.store.Task(t.Context(), stdops.TaskRef{Project: 1, Task: stdops.TaskID(task.(int64))})
	must(t, err)
	if stored.TemplateSource != "business" {
		t.Errorf("source %q", stored.TemplateSource)
	}
}

// TestCreateTaskCommon makes a task of a flow that belongs to no project.
func TestCreateTaskCommon(t *testing.T) {
	t.Parallel()
	s := setup(t)
	body, err := chain("shared").MarshalJSON()
	must(t, err)
	stored, err := s.store.CreateTemplate(t.Context(), store.Template{Project: store.CommonProject, Name: "c", Creator: "x", Created: s.store.Now()}, body)
	must(t, err)
	path := fmt.Sprintf("/create_task/%d/2/", stored.ID)
	if a := s.call("POST", path, `{"name":"t","template_source":"common"}`); !a.ok() {
		t.Error(a.raw)
	}
	if a := s.call("POST", path, `{"name":"t"}`); a.code() != 3540400 {
		t.Error(a.raw)
	}
}

func TestCreateTemplate(t *testing.T) {
	t.Parallel()
	s := setup(t)
	tree := treeText()
	unknown := strings.Replace(tree, "debug_no_schedule_node", "no_such", 1)
	for _, c := range []struct {
		body    string
		code    int64
		message string
	}{
		{`{"name":"x","pipeline_tree":` + tree + `}`, 0, "success"},
		{`{"pipeline_tree":` + encoded(t, tree) + `,"format":"json"}`, 0, "success"},
		{`{"name":"x","pipeline_tree":` + unknown + `}`, 0, "success"},
		{``, 3540000, "request body is not a valid json"},
		{`{"name":"x"}`, 3540000, "pipeline_tree is required"},
		{`{"pipeline_tree":"{"}`, 3540000, "pipeline_tree is not a valid JSON string"},
		{`{"pipeline_tree":7}`, 3540000, "pipeline_tree must be an object"},
		{`{"pipeline_tree":{}}`, 3540000, "start_event"},
		{`{"name":"` + strings.Repeat("x", 51) + `","pipeline_tree":` + tree + `}`, 3540000, "name must have 1 to 50"},
		{`{"pipeline_tree":` + tree + `,"template_labels":[1]}`, 3540000, "template_labels contain invalid label ids"},
		{`{"pipeline_tree":` + tree + `,"executor_proxy":"somebody"}`, 3540000, "executor_proxy must be empty or the caller"},
		{`{"pipeline_tree":` + tree + `,"executor_proxy":[]}`, 3540000, "executor_proxy must be empty or the caller"},
		{`{"pipeline_tree":{},"format":"yaml"}`, 3540000, "pipeline_tree must be a YAML string when format=yaml"},
		{`{"format":"yaml"}`, 3540000, "pipeline_tree is required"},
		{`{"pipeline_tree":"a: &b 1","format":"yaml"}`, 3540000, "invalid YAML: line 1, column 4: anchors are not allowed"},
		{`{"pipeline_tree":"# nothing","format":"yaml"}`, 3540000, "YAML contains no valid template"},
		{`{"pipeline_tree":"x","format":"xml"}`, 3540000, "format must be json or yaml"},
	} {
		a := s.call("POST", "/create_template/2/", c.body)
		if a.code() != c.code || !strings.HasPrefix(a.message(), c.message) {
			t.Errorf("%.60s: code %d, message %q, want %d %q", c.body, a.code(), a.message(), c.code, c.message)
		}
	}
	a := s.call("POST", "/create_template/2/", `{"name":"x","executor_proxy":"admin","notify_type":{"success":["mail"],"fail":[]},"timeout":20,"pipeline_tree":`+unknown+`}`)
	warnings, _ := a.data().Get("warnings")
	want := `[{"path":"executor_proxy","message":"executor_proxy is not kept by stdops yet"},{"path":"notify_type","message":"notify_type is not kept by stdops yet"},` +
		`{"path":"activities.node0.component.code","message":"plugin no_such (version legacy) is not registered"}]`
	if got := encoded(t, warnings); got != want {
		t.Errorf("warnings\n got %s\nwant %s", got, want)
	}
}

// TestSubprocess: a stored child is unfolded in the task, and the echo carries its pipeline.
func TestSubprocess(t *testing.T) {
	t.Parallel()
	s := setup(t)
	child := s.template(chain("inner:callback_node"))
	tree := chain("S")
	node := at(tree, "activities", "node0")
	node.Set("type", "SubProcess")
	node.Delete("component")
	node.Set("template_id", child)
	node.Set("constants", &stdops.Object{})
	id, echo := s.create(tree)
	sub := nodeNamed(echo, "S")
	inner := nodeNamed(at(echo, "activities", sub, "pipeline"), "inner")
	s.start(id)
	waitFor(t, func() bool { return at(s.entry(id), "children", sub, "children", inner) != nil })
	detail := s.call("GET", fmt.Sprintf("/get_task_node_detail/%d/2/?node_id=%s", id, sub), nil)
	if at(detail.data(), "children", inner).Text("state") != "RUNNING" {
		t.Errorf("detail of the subprocess: %s", detail.raw)
	}
	single := s.call("GET", fmt.Sprintf("/get_task_status/%d/2/?subprocess_id=%s", id, sub), nil)
	if single.data().Text("id") != sub || single.data().Text("name") != "a task" || at(single.data(), "children", inner).Text("name") != "inner" {
		t.Errorf("status of the subprocess: %s", single.raw)
	}
	a := s.call("POST", "/fast_create_task/2/", stdops.NewObject("name", "x", "pipeline_tree", func() *stdops.Object {
		node.Set("template_id", int64(999))
		return tree
	}()))
	if want := "[API] fast_create_task get invalid template_id: [999], template_id should belong to current project."; a.code() != 3540000 || a.message() != want {
		t.Errorf("unknown child: %d %s", a.code(), a.message())
	}
}

func TestRegisterProject(t *testing.T) {
	t.Parallel()
	s := setup(t)
	for _, c := range []struct {
		body string
		code int64
		want string
	}{
		{`{"bk_biz_id":7,"bk_biz_name":"shop","time_zone":"Asia/Shanghai"}`, 0, `{"project_id":2,"project_name":"shop"}`},
		{`{"bk_biz_id":7}`, 0, `{"project_id":2,"project_name":"shop"}`},
		{`{"bk_biz_id":8}`, 0, ""},
		{`{"bk_biz_id":"7"}`, 3540000, ""},
		{`{}`, 3540000, ""},
		{``, 3540000, ""},
		{`{"bk_biz_id":-7}`, 3540000, ""},
		{`{"bk_biz_id":7,"time_zone":"Mars/X"}`, 3540000, ""},
		{`{"bk_biz_id":7,"bk_biz_name":7}`, 3540000, ""},
	} {
		a := s.call("POST", "/register_project/", c.body)
		if a.code() != c.code || c.want != "" && encoded(t, a.data()) != c.want {
			t.Errorf("%s: %s", c.body, a.raw)
		}
	}
}

func TestFastCreateBoundsTheConstants(t *testing.T) {
	t.Parallel()
	s := setup(t)
	tree := withConstant(chain("A"), "${v}", strings.Repeat("x", int(stdops.DefaultLimits().Variables)))
	a := s.call("POST", "/fast_create_task/2/", stdops.NewObject("name", "t", "pipeline_tree", tree))
	if a.code() != 3540000 || !strings.HasPrefix(a.message(), "constants: their values have ") {
		t.Errorf("got %.300s", a.raw)
	}
}
