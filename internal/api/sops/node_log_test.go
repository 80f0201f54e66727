package sops_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops"
)

func (s *server) nodeLog(id int64, query url.Values) answer {
	s.t.Helper()
	return s.call("GET", fmt.Sprintf("/get_task_node_log/%d/2/?%s", id, query.Encode()), nil)
}

// say writes into the log of an attempt what a plugin would.
func (s *server) say(id int64, node string, retry int32, version, text string) {
	s.t.Helper()
	_, index, _ := stdops.ParseNodeID(node)
	_, err := s.store.AppendLogs(s.t.Context(), []stdops.LogPiece{{
		LogKey:  stdops.LogKey{TaskRef: stdops.TaskRef{Project: 1, Task: stdops.TaskID(id)}, Node: index, Loop: 1, Retry: retry},
		Version: stdops.Version(version), Text: []byte(text),
	}})
	must(s.t, err)
}

func TestNodeLog(t *testing.T) {
	t.Parallel()
	s := setup(t)
	id, node := s.failing()
	first := s.nodeDetail(id, url.Values{"node_id": {node}}).data().Text("version")
	if a := s.nodeLog(id, url.Values{"node_id": {node}}); !a.ok() || a.body.Text("data") != "" {
		t.Errorf("nothing was written: %s", a.raw)
	}
	s.say(id, node, 0, first, "bit 0\n\x1b[31m</script>")
	s.call("POST", fmt.Sprintf("/operate_node/2/%d/", id), stdops.NewObject("node_id", node, "action", "retry"))
	for second := first; second == first; {
		second = s.nodeDetail(id, url.Values{"node_id": {node}}).data().Text("version")
	}
	s.say(id, node, 1, "another", "bit 1\n")
	for query, want := range map[string]string{
		"node_id=" + node: "bit 1\n",
		"node_id=" + node + "&version=" + first + "&page=1&page_size=30": "bit 0\n\x1b[31m</script>",
		"node_id=" + node + "&version=another":                           "bit 1\n",
		"node_id=" + node + "&version=unheard":                           "",
	} {
		values, err := url.ParseQuery(query)
		must(t, err)
		a := s.nodeLog(id, values)
		data, _ := a.body.Get("data")
		if diff := cmp.Diff([]string{"result", "data", "code", "message", "page", "trace_id"}, a.body.Keys()); diff != "" {
			t.Errorf("keys (-want +got)\n%s", diff)
		}
		if !a.ok() || data != want || a.message() != "success" || at(a.body, "page").Len() != 0 || strings.Contains(a.raw, "\x1b") {
			t.Errorf("%s: %s", query, a.raw)
		}
	}
}

func TestNodeLogRefusals(t *testing.T) {
	t.Parallel()
	s := setup(t)
	id, node := s.failing()
	other, echo := s.create(chain("A"))
	for _, c := range []struct {
		name, path string
		code       int64
		message    string
	}{
		{"no node", fmt.Sprintf("/get_task_node_log/%d/2/", id), 3540000, "[API] get_task_node_log node_id is required"},
		{
			"no such task", "/get_task_node_log/999/2/?node_id=" + node, 3540400,
			"[API] get_task_node_log task[id=999] of project[project_id=1, biz_id=2] does not exist",
		},
		{
			"a node of another task", fmt.Sprintf("/get_task_node_log/%d/2/?node_id=%s", other, node), 3540400,
			fmt.Sprintf("[API] get_task_node_log task[id=%d] does not have node[%s]", other, node),
		},
		{"no such project", fmt.Sprintf("/get_task_node_log/%d/77/?node_id=%s", id, node), 3540400, ""},
	} {
		a := s.call("GET", c.path, nil)
		if a.ok() || a.code() != c.code || c.message != "" && a.message() != c.message {
			t.Errorf("%s: %s", c.name, a.raw)
		}
	}
	if a := s.nodeLog(other, url.Values{"node_id": {nodeNamed(echo, "A")}}); !a.ok() || a.body.Text("data") != "" {
		t.Errorf("a node that has not run: %s", a.raw)
	}
}

// TestNodeLogInsideASubprocess: nodes inside have logs by their own ids, the subprocess itself writes none.
func TestNodeLogInsideASubprocess(t *testing.T) {
	t.Parallel()
	s := setup(t)
	id, echo := s.create(subprocess(s.storeFlow("inside", chain("A")), ""))
	var outer string
	for _, key := range at(echo, "activities").Keys() {
		outer = key
	}
	inside := at(echo, "activities", outer, "pipeline", "activities").Keys()
	if len(inside) != 1 {
		t.Fatalf("activities inside: %v", inside)
	}
	s.start(id)
	s.await(id, "FINISHED")
	s.say(id, inside[0], 0, s.nodeDetail(id, url.Values{"node_id": inside}).data().Text("version"), "from inside\n")
	for node, want := range map[string]string{inside[0]: "from inside\n", outer: ""} {
		a := s.nodeLog(id, url.Values{"node_id": {node}})
		if text, _ := a.body.Get("data"); !a.ok() || text != want {
			t.Errorf("node %s: %s", node, a.raw)
		}
	}
}
