package sops_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stdops/stdops"
)

// valued makes a task with a shown constant ${v}, a hidden ${h} and one that is fed by an output.
func (s *server) valued() int64 {
	s.t.Helper()
	tree := withConstant(uses(chain("A:callback_node"), "node0", "x", "${v}"), "${v}", "old")
	constants := at(tree, "constants")
	constants.Set("${h}", stdops.NewObject("key", "${h}", "name", "h", "value", "1", "show_type", "hide", "source_type", "custom"))
	constants.Set("${o}", stdops.NewObject("key", "${o}", "name", "o", "value", "", "show_type", "show",
		"source_type", "component_outputs", "source_info", stdops.NewObject("node0", []any{"_result"})))
	id, _ := s.create(tree)
	return id
}

func (s *server) constantsOf(id int64) *stdops.Object {
	s.t.Helper()
	return at(s.call("GET", fmt.Sprintf("/get_task_detail/%d/2/", id), nil).data(), "constants")
}

func TestModifyConstants(t *testing.T) {
	t.Parallel()
	s := setup(t)
	id := s.valued()
	modify := func(body string) answer {
		t.Helper()
		return s.call("POST", fmt.Sprintf("/apigw/modify_constants_for_task/%d/2/", id), body)
	}
	a := modify(`{"constants":{"${v}":{"a":[1.50,null]},"${ghost}":1,"v":2}}`)
	if data, _ := a.body.Get("data"); !a.ok() || data != "success" || a.message() != "" {
		t.Fatal(a.raw)
	}
	want := `{"a":[1.5,null]}`
	value := func() string {
		v, _ := at(s.constantsOf(id), "${v}").Get("value")
		return encoded(t, v)
	}
	if got := value(); got != want {
		t.Errorf("after the change ${v} is %s", got)
	}
	for _, c := range []struct {
		body    string
		code    int64
		message string
	}{
		{``, 3540000, "request body is not a valid json"},
		{`{"constants":[]}`, 3540000, "constants field is not a valid object"},
		{`{"constants":null}`, 3540000, "constants field is not a valid object"},
		{`{"constants":{"${v}":1,"${h}":2}}`, 3540000, "constant ${h} is hidden, it can not be changed"},
		{`{"constants":{"${v}":1,"${o}":2}}`, 3540000, "constant ${o} is fed by an output, it can not be changed"},
		{`{"constants":{"${v}":"${v}!"}}`, 3540000, "constants refer to themselves"},
		{`{"constants":{"${v}":"` + strings.Repeat("x", 4<<20) + `"}}`, 3540000, "the limit is 4194304"},
	} {
		a := modify(c.body)
		if a.code() != c.code || !strings.Contains(a.message(), c.message) {
			t.Errorf("%.60s: %d %q, want %d %q", c.body, a.code(), a.message(), c.code, c.message)
		}
	}
	if a := modify(`{}`); !a.ok() {
		t.Error(a.raw)
	}
	if got := value(); got != want {
		t.Errorf("after refused changes ${v} is %s", got)
	}
	s.start(id)
	if a := modify(`{"constants":{}}`); a.code() != 3540000 || a.message() != "task is started" {
		t.Error(a.raw)
	}
	if a := s.call("POST", fmt.Sprintf("/operate_task/%d/2/", id), `{"action":"revoke"}`); !a.ok() {
		t.Fatal(a.raw)
	}
	if a := modify(`{"constants":{"${v}":1}}`); a.code() != 3540000 || a.message() != "task is finished" {
		t.Error(a.raw)
	}
}

// TestModifyConstantsMeetsAStart: whatever is accepted counts for the run, whoever is first.
func TestModifyConstantsMeetsAStart(t *testing.T) {
	t.Parallel()
	s := setup(t)
	for range 10 {
		id := s.valued()
		var changed answer
		var both sync.WaitGroup
		both.Go(func() {
			changed = s.call("POST", fmt.Sprintf("/modify_constants_for_task/%d/2/", id), `{"constants":{"${v}":"new"}}`)
		})
		both.Go(func() { s.start(id) })
		both.Wait()
		want := "old"
		if changed.ok() {
			want = "new"
		} else if changed.message() != "task is started" {
			t.Fatal(changed.raw)
		}
		children := at(s.entry(id), "children")
		node := children.Keys()[1]
		data := s.call("GET", fmt.Sprintf("/get_task_node_data/2/%d/?node_id=%s", id, node), nil)
		if got := at(data.data(), "inputs").Text("x"); got != "" && got != want { // "": not stored before the call has ended
			t.Errorf("the node was given %q, the change was answered %s", got, changed.raw)
		}
		if a := s.callback(id, `"`+node+`"`, `""`); !a.ok() {
			t.Fatal(a.raw)
		}
		s.await(id, "FINISHED")
		data = s.call("GET", fmt.Sprintf("/get_task_node_data/2/%d/?node_id=%s", id, node), nil)
		if got := at(data.data(), "inputs").Text("x"); got != want {
			t.Errorf("the node was given %q, the change was answered %s", got, changed.raw)
		}
	}
}
