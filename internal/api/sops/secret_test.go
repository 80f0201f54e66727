package sops_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stdops/stdops"
)

// TestSecretsAreHidden lets a script print a password and fail. The script gets it, and no answer shows it.
func TestSecretsAreHidden(t *testing.T) {
	t.Parallel()
	const canary = "s3cret-canary-109"
	s := setup(t)
	tree := chain("A:shell_script")
	constants := at(tree, "constants")
	constants.Set("${p}", stdops.NewObject("key", "${p}", "name", "p", "index", 0, "value", canary, "show_type", "show", "source_type", "custom", "custom_type", "password"))
	constants.Set("${v}", stdops.NewObject("key", "${v}", "name", "v", "index", 1, "value", "<${p}>", "show_type", "show", "source_type", "custom", "custom_type", "input"))
	tree.Set("outputs", []any{"${p}", "${v}"})
	at(tree, "activities", "node0", "component", "data").Set("script", stdops.NewObject("hook", false,
		"value", `echo "it is ${v}"; echo '${p}' >&2; [ "$(printf %s '${p}' | wc -c)" = 17 ] && exit 3; exit 4`))
	created := s.call("POST", "/fast_create_task/2/", stdops.NewObject("name", "t", "pipeline_tree", tree))
	if !created.ok() {
		t.Fatal(created.raw)
	}
	number, _ := created.data().Get("task_id")
	id := number.(int64)
	node := nodeNamed(at(created.data(), "pipeline_tree"), "A")
	before := s.nodeData(id, url.Values{"node_id": {node}})
	s.start(id)
	s.await(id, "FAILED")
	data := s.nodeData(id, url.Values{"node_id": {node}, "component_code": {"shell_script"}})
	log := s.nodeLog(id, url.Values{"node_id": {node}})
	if a := s.operateNode(id, node, "retry"); !a.ok() {
		t.Fatal(a.raw)
	}
	s.awaitRetry(id, node)
	for name, a := range map[string]answer{
		"created": created, "preview": before, "data": data, "log": log,
		"status":  s.call("GET", fmt.Sprintf("/get_task_status/%d/2/?with_ex_data=1", id), nil),
		"detail":  s.call("GET", fmt.Sprintf("/get_task_detail/%d/2/", id), nil),
		"history": s.nodeDetail(id, url.Values{"node_id": {node}, "include_data": {"1"}}),
	} {
		if !a.ok() || strings.Contains(a.raw, canary) {
			t.Errorf("%s: %s", name, a.raw)
		}
		if name != "status" && !strings.Contains(a.raw, stdops.Hidden) {
			t.Errorf("%s does not show that something is hidden: %s", name, a.raw)
		}
	}
	if text := encoded(t, data.data()); !strings.Contains(text, `"value":3`) {
		t.Errorf("the script did not get the password: %s", text)
	}
}

// awaitRetry waits until the first retry of a node has failed.
func (s *server) awaitRetry(id int64, node string) {
	s.t.Helper()
	for range 3000 {
		shown := at(s.entry(id), "children", node)
		if retry, _ := shown.Get("retry"); retry == int64(1) && shown.Text("state") == "FAILED" {
			return
		}
		time.Sleep(time.Millisecond)
	}
	s.t.Fatalf("node %s of task %d is not retried", node, id)
}

// TestPreviewOfAValueThatCannotBeMade: the node can be looked at, and the copy of a constant hides its password.
func TestPreviewOfAValueThatCannotBeMade(t *testing.T) {
	t.Parallel()
	s := setup(t)
	tree := chain("A:shell_script")
	constants := at(tree, "constants")
	constants.Set("${p}", stdops.NewObject("key", "${p}", "name", "p", "index", 0, "value", "s3cret-canary-110", "show_type", "show", "source_type", "custom", "custom_type", "password", "is_meta", true))
	constants.Set("${t}", stdops.NewObject("key", "${t}", "name", "t", "index", 1, "value", int64(5), "show_type", "show", "source_type", "custom", "custom_type", "time"))
	at(tree, "activities", "node0", "component", "data").Set("script", stdops.NewObject("hook", false, "value", "echo ${t}"))
	created := s.call("POST", "/fast_create_task/2/", stdops.NewObject("name", "t", "pipeline_tree", tree))
	if !created.ok() || strings.Contains(created.raw, "canary") {
		t.Fatal(created.raw)
	}
	number, _ := created.data().Get("task_id")
	node := nodeNamed(at(created.data(), "pipeline_tree"), "A")
	if a := s.nodeData(number.(int64), url.Values{"node_id": {node}}); !a.ok() {
		t.Error(a.raw)
	}
}
