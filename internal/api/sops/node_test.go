package sops_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops"
)

// failing makes a started task whose node A has failed, with a variable fed by its output.
func (s *server) failing() (id int64, node string) {
	s.t.Helper()
	tree := uses(chain("A:fail_ctrl_node", "B"), "node0", "bit", "0")
	constants := at(tree, "constants")
	constants.Set("${out}", stdops.NewObject("key", "${out}", "name", "an output", "value", "", "show_type", "hide",
		"source_type", "component_outputs", "custom_type", "", "source_info", stdops.NewObject("node0", []any{"_result"})))
	tree.Set("outputs", []any{"${out}"})
	id, echo := s.create(tree)
	s.start(id)
	s.await(id, "FAILED")
	return id, nodeNamed(echo, "A")
}

func (s *server) nodeDetail(id int64, query url.Values) answer {
	s.t.Helper()
	return s.call("GET", fmt.Sprintf("/get_task_node_detail/%d/2/?%s", id, query.Encode()), nil)
}

func (s *server) nodeData(id int64, query url.Values) answer {
	s.t.Helper()
	return s.call("GET", fmt.Sprintf("/get_task_node_data/2/%d/?%s", id, query.Encode()), nil)
}

func TestNodeDetail(t *testing.T) {
	t.Parallel()
	s := setup(t)
	id, node := s.failing()
	a := s.nodeDetail(id, url.Values{"node_id": {node}})
	want := append(append([]string{}, statusKeys...), "children", "inputs", "outputs", "ex_data", "history_id", "histories", "auto_retry_info")
	if diff := cmp.Diff(want, a.data().Keys()); diff != "" {
		t.Errorf("keys (-want +got)\n%s", diff)
	}
	if a.data().Text("state") != "FAILED" || a.data().Text("finish_time") == "" {
		t.Error(a.raw)
	}
	retry := s.call("POST", fmt.Sprintf("/operate_node/2/%d/", id), stdops.NewObject("node_id", node, "action", "retry", "inputs", stdops.NewObject("bit", "1")))
	if !retry.ok() {
		t.Fatal(retry.raw)
	}
	s.await(id, "FINISHED")
	a = s.nodeDetail(id, url.Values{"node_id": {node}})
	histories, _ := a.data().Get("histories")
	if len(histories.([]any)) != 1 {
		t.Fatal(a.raw)
	}
	history := histories.([]any)[0].(*stdops.Object)
	if history.Text("state") != "FAILED" || at(history, "inputs").Text("bit") != "0" || !timeText.MatchString(history.Text("start_time")) ||
		history.Text("version") == a.data().Text("version") || history.Text("finish_time") == "" {
		t.Errorf("history %s", encoded(t, history))
	}
	if retries, _ := a.data().Get("retry"); retries != int64(1) || at(a.data(), "inputs").Text("bit") != "1" {
		t.Error(a.raw)
	}
	if a := s.nodeDetail(id, url.Values{"node_id": {node}, "loop": {"9"}}); !a.ok() || a.data().Text("state") != "FINISHED" {
		t.Errorf("loop beyond the current one: %s", a.raw)
	}
}

func TestNodeData(t *testing.T) {
	t.Parallel()
	s := setup(t)
	id, node := s.failing()
	a := s.nodeData(id, url.Values{"node_id": {node}, "component_code": {"fail_ctrl_node"}})
	outputs, _ := a.data().Get("outputs")
	byKey := map[string]*stdops.Object{}
	for _, o := range outputs.([]any) {
		byKey[o.(*stdops.Object).Text("key")] = o.(*stdops.Object)
	}
	if fed := byKey["out"]; fed == nil || encoded(t, fed) != `{"name":"result","key":"out","value":false,"preset":true}` {
		t.Errorf("output that feeds a variable: %s", a.raw)
	}
	if byKey["_loop"] == nil || at(a.data(), "inputs").Text("bit") != "0" {
		t.Error(a.raw)
	}
	plain := s.nodeData(id, url.Values{"node_id": {node}})
	if strings.Contains(plain.raw, `"name"`) || !strings.Contains(plain.raw, `{"key":"out","value":false,"preset":false}`) {
		t.Errorf("without a component: %s", plain.raw)
	}
}

func TestNodeNotRun(t *testing.T) {
	t.Parallel()
	s := setup(t)
	tree := withConstant(uses(chain("A:callback_node", "B"), "node1", "x", "${v}!"), "${v}", "value")
	id, echo := s.create(tree)
	s.start(id)
	b := nodeNamed(echo, "B")
	a := s.nodeDetail(id, url.Values{"node_id": {b}})
	if a.data().Text("state") != "READY" || a.data().Text("name") != "B" || a.data().Text("id") != b || at(a.data(), "inputs").Text("x") != "value!" {
		t.Error(a.raw)
	}
	start := s.nodeData(id, url.Values{"node_id": {at(echo, "end_event").Text("id")}})
	if want := `{"inputs":{},"outputs":[],"ex_data":""}`; encoded(t, start.data()) != want {
		t.Error(start.raw)
	}
}

func TestNodeRefusals(t *testing.T) {
	t.Parallel()
	s := setup(t)
	id, node := s.failing()
	other, echo := s.create(chain("X"))
	foreign := nodeNamed(echo, "X")
	root := at(s.entry(id), "status").Text("id")
	for _, c := range []struct {
		answer  answer
		code    int64
		message string
	}{
		{s.nodeDetail(id, url.Values{"node_id": {"nonsense"}}), 3540000, "does not have node[nonsense]"},
		{s.nodeDetail(id, url.Values{"node_id": {foreign}}), 3540000, "does not have node"},
		{s.nodeDetail(id, url.Values{"node_id": {root}}), 3540000, "does not have node"},
		{s.nodeDetail(id, nil), 3540000, "does not have node[]"},
		{s.nodeData(id, url.Values{"node_id": {foreign}}), 3599999, "does not have node"},
		{s.nodeDetail(999, url.Values{"node_id": {node}}), 3540400, "[API] get_task_node_detail task[id=999] of project[project_id=1, biz_id2] does not exist"},
		{s.nodeDetail(id, url.Values{"node_id": {node}, "subprocess_stack": {"abc"}}), 3599999, "subprocess_stack is not a valid array json"},
		{s.nodeData(id, url.Values{"node_id": {node}, "subprocess_stack": {"{}"}}), 3540000, "subprocess_stack is not a valid array json"},
		{s.nodeData(id, url.Values{"node_id": {node}, "loop": {"x"}}), 3540000, "loop must be a number"},
		{s.nodeData(id, url.Values{"node_id": {node}, "loop": {"0"}}), 3540000, "loop must be a number"},
		{s.operateNode(id, node, "fly"), 3599999, "task command is invalid"},
		{s.operateNode(id, foreign, "skip"), 3599999, "does not have node"},
		{s.operateNode(other, foreign, "skip"), 3599999, "task not started"},
		{s.operateNode(id, node, "skip_cpg"), 3599999, "fail: " + node + " is not conditional parallel gateway, actual: ServiceActivity"},
		{s.operateNode(id, node, "skip_exg"), 3599999, "fail: " + node + " is not exclusive gateway, actual: ServiceActivity"},
		{s.operateNode(id, node, "retry_subprocess"), 3599999, "type is not SubProcess"},
		{s.operateNode(id, node, "forced_fail"), 3599999, "fail: " + node + " state is not RUNNING, actual: FAILED"},
		{s.operateNode(999, node, "skip"), 3540400, "task[id=999] of project[id=1] does not exist"},
		{s.call("POST", fmt.Sprintf("/operate_node/2/%d/", id), ""), 3540000, "valid json"},
		{s.call("POST", fmt.Sprintf("/operate_node/2/%d/", id), `{"data":"x"}`), 3540000, "data field is not a valid object"},
		{s.call("POST", fmt.Sprintf("/operate_node/2/%d/", id), `{"inputs":[]}`), 3540000, "inputs field is not a valid object"},
		{s.call("POST", fmt.Sprintf("/operate_node/2/%d/", id), `{"flow_ids":"l1"}`), 3540000, "flow_ids field is not a valid list of strings"},
		{s.call("POST", fmt.Sprintf("/operate_node/2/%d/", id), `{"flow_ids":["l1",1]}`), 3540000, "flow_ids field is not a valid list of strings"},
		{s.callback(id, `"nonsense"`, `""`), 3540000, fmt.Sprintf("task[%d] does not have node[nonsense]", id)},
		{s.callback(id, `"`+node+`"`, `7`), 3540000, "version must be a string"},
		{s.callback(id, `"`+node+`"`, `""`), 3599999, "fail: "},
		{s.callback(999, `"`+node+`"`, `""`), 3540400, "does not exist"},
		{s.call("POST", "/operate_task/"+fmt.Sprint(id)+"/2/", ""), 3540000, "invalid json format"},
		{s.call("POST", "/operate_task/"+fmt.Sprint(id)+"/2/", "{}"), 3545000, "task command is invalid"},
		{s.call("POST", "/operate_task/"+fmt.Sprint(id)+"/2/", `{"action":"start"}`), 3545000, "task already started"},
		{s.call("POST", "/operate_task/"+fmt.Sprint(other)+"/2/", `{"action":"pause"}`), 3545000, "task not started"},
		{s.call("POST", "/operate_task/999/2/", `{"action":"pause"}`), 3540400, "does not exist"},
		{s.call("POST", "/operate_task/"+fmt.Sprint(id)+"/2/", `{"action":"resume"}`), 3599999, "fail: "},
		{s.call("POST", "/start_task/"+fmt.Sprint(id)+"/2/", ""), 3545000, "task already started"},
	} {
		if c.answer.code() != c.code || !strings.Contains(c.answer.message(), c.message) {
			t.Errorf("code %d, message %q, want %d %q", c.answer.code(), c.answer.message(), c.code, c.message)
		}
	}
}

func (s *server) operateNode(id int64, node, action string) answer {
	s.t.Helper()
	return s.call("POST", fmt.Sprintf("/operate_node/2/%d/", id), stdops.NewObject("node_id", node, "action", action))
}

func (s *server) callback(id int64, node, version string) answer {
	s.t.Helper()
	return s.call("POST", fmt.Sprintf("/node_callback/%d/2/", id), fmt.Sprintf(`{"node_id":%s,"version":%s,"callback_data":{}}`, node, version))
}

func TestFunctionalTask(t *testing.T) {
	t.Parallel()
	s := setup(t)
	a := s.call("POST", "/fast_create_task/2/", stdops.NewObject("name", "x", "flow_type", "common_func", "pipeline_tree", chain("A")))
	id, _ := a.data().Get("task_id")
	for _, action := range []string{"start", "pause", "fly"} {
		a := s.call("POST", fmt.Sprintf("/operate_task/%d/2/", id), stdops.NewObject("action", action))
		if want := "task with current_flow:func_claim cannot be " + action + "ed"; a.code() != 3545000 || a.message() != want {
			t.Errorf("%d %q, want %q", a.code(), a.message(), want)
		}
	}
	if a := s.call("POST", fmt.Sprintf("/start_task/%d/2/", id), "{}"); a.code() != 3545000 {
		t.Error(a.raw)
	}
}

func TestSingleStatus(t *testing.T) {
	t.Parallel()
	s := setup(t)
	id, node := s.failing()
	get := func(query string) *stdops.Object {
		t.Helper()
		a := s.call("GET", fmt.Sprintf("/get_task_status/%d/2/?%s", id, query), nil)
		if !a.ok() {
			t.Fatal(a.raw)
		}
		return a.data()
	}
	plain := get("with_ex_data=false&with_failed_node_info=0&with_auto_retry_status=")
	if diff := cmp.Diff(append(append([]string{}, statusKeys...), "children"), plain.Keys()); diff != "" {
		t.Errorf("keys (-want +got)\n%s", diff)
	}
	full := get("with_ex_data=true&with_failed_node_info=anything&with_auto_retry_status=1")
	if at(full, "ex_data").Len() != 1 || at(full, "failed_node_info").Len() != 1 || at(full, "failed_node_info", node).Len() != 0 {
		t.Errorf("failed task: %s", encoded(t, full))
	}
	if _, has := at(full, "ex_data").Get(node); !has {
		t.Errorf("ex_data %s", encoded(t, at(full, "ex_data")))
	}
	if got := encoded(t, at(full, "auto_retry_status")); got != `{"exist_auto_retry_nodes":false,"auto_retry_nodes":[]}` {
		t.Error(got)
	}
	for _, unknown := range []string{"n0000000000000000000000000000000", "nonsense<>"} {
		absent := get("subprocess_id=" + url.QueryEscape(unknown))
		if absent.Text("state") != "CREATED" || absent.Text("id") != unknown || absent.Text("parent_id") != unknown || absent.Text("name") != "a task" {
			t.Errorf("node that did not run: %s", encoded(t, absent))
		}
	}
}

func TestTaskDetail(t *testing.T) {
	t.Parallel()
	s := setup(t)
	id, node := s.failing()
	before := s.call("GET", fmt.Sprintf("/get_task_detail/%d/2/", id), nil)
	if outputs, _ := before.data().Get("outputs"); len(outputs.([]any)) != 0 {
		t.Error("outputs before the end")
	}
	if a := s.operateNode(id, node, "skip"); !a.ok() {
		t.Fatal(a.raw)
	}
	s.await(id, "FINISHED")
	a := s.call("GET", fmt.Sprintf("/get_task_detail/%d/2/", id), nil)
	want := []string{
		"id", "project_id", "project_name", "name", "create_time", "creator", "create_method", "template_id", "start_time", "finish_time",
		"executor", "elapsed_time", "pipeline_tree", "task_url", "constants", "outputs", "ex_data", "task_webhook_history",
	}
	if diff := cmp.Diff(want, a.data().Keys()); diff != "" {
		t.Errorf("keys (-want +got)\n%s", diff)
	}
	outputs, _ := a.data().Get("outputs")
	if got := encoded(t, outputs); got != `[{"key":"${out}","value":false,"name":"an output"}]` {
		t.Errorf("outputs %s", got)
	}
	if at(a.data(), "constants", "${out}").Text("name") != "an output" {
		t.Errorf("constants %s", encoded(t, at(a.data(), "constants")))
	}
	missing := s.call("GET", "/get_task_detail/999/2/", nil)
	if want := "[API] get_task_detail task[id=999] of project[project_id=1, biz_id2] does not exist"; missing.message() != want {
		t.Errorf("message %q", missing.message())
	}
}
