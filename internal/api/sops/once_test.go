package sops_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/service"
	"github.com/stdops/stdops/internal/store"
)

// keyed sends a request with a key as admin by the trusted app.
func (s *server) keyed(key, path string, body any) answer {
	s.t.Helper()
	return s.send("POST", path, body, http.Header{"X-Bkapi-Authorization": {auth("trusted", "admin")}, "Idempotency-Key": {key}})
}

// withoutTrace is an answer but for what names its request.
func withoutTrace(a answer) string { return strings.ReplaceAll(a.raw, a.body.Text("trace_id"), "") }

func (s *server) tasks() int {
	s.t.Helper()
	batch, err := s.store.Statuses(s.t.Context(), 1, store.StatusQuery{Newest: 1000})
	must(s.t, err)
	return len(batch.Tasks)
}

func newCreation(name string) *stdops.Object {
	return stdops.NewObject("name", name, "pipeline_tree", richTree())
}

// richTree has constants with values and keys that nobody knows, so that an answer made again has something to lose.
func richTree() *stdops.Object {
	tree := chain("A", "wait:callback_node")
	tree.Set("constants", stdops.NewObject("${x}", stdops.NewObject("key", "${x}", "name", "x", "desc", "", "value", "old",
		"custom_type", "input", "source_type", "custom", "source_tag", "", "source_info", &stdops.Object{}, "show_type", "show",
		"validation", "", "index", int64(0), "version", "legacy", "odd", []any{"kept", nil, 1.5})))
	tree.Set("unheard", stdops.NewObject("of", true))
	return tree
}

// TestKeyGivesTheSameAnswer: every call that takes a key has one effect and one answer.
func TestKeyGivesTheSameAnswer(t *testing.T) {
	t.Parallel()
	s := setup(t)
	flow := s.call("POST", "/create_template/2/", stdops.NewObject("name", "f", "pipeline_tree", richTree()))
	id, _ := flow.data().Get("template_id")
	for _, c := range []struct {
		path string
		body any
		made int // tasks
	}{
		{"/create_template/2/", stdops.NewObject("name", "again", "pipeline_tree", richTree(), "notify_type", []any{"mail"}), 0},
		{"/fast_create_task/2/", newCreation("one"), 1},
		{"/api/c/compapi/v2/sops/fast_create_task/", stdops.NewObject("bk_biz_id", 2, "name", "one", "pipeline_tree", richTree()), 1},
		{fmt.Sprintf("/create_task/%d/2/", id), stdops.NewObject("name", "two", "constants", stdops.NewObject("${x}", "new")), 1},
		{fmt.Sprintf("/create_and_start_task/%d/2/", id), stdops.NewObject("name", "three"), 1},
	} {
		t.Run(c.path, func(t *testing.T) {
			s := *s
			s.t = t
			before := s.tasks()
			first := s.keyed(c.path, c.path, c.body)
			second := s.keyed(c.path, c.path, c.body)
			if !first.ok() {
				t.Fatal(first.raw)
			}
			if strings.Contains(c.path, "compapi") {
				first.raw = strings.ReplaceAll(first.raw, first.body.Text("request_id"), "")
				second.raw = strings.ReplaceAll(second.raw, second.body.Text("request_id"), "")
			}
			if withoutTrace(first) != withoutTrace(second) {
				t.Errorf("answers differ:\n%s\n%s", first.raw, second.raw)
			}
			if made := s.tasks() - before; made != c.made {
				t.Errorf("%d tasks were made", made)
			}
		})
	}
}

// TestKeyOfCommands: the second start, pause, callback … is not carried out, and answered like the first.
func TestKeyOfCommands(t *testing.T) {
	t.Parallel()
	s := setup(t)
	id, echo := s.create(chain("wait:callback_node", "wait2:callback_node"))
	for i, c := range []struct{ path, body string }{
		{"/start_task/%d/2/", ""},
		{"/operate_task/%d/2/", `{"action":"pause"}`},
		{"/operate_task/%d/2/", `{"action":"resume"}`},
		{"/node_callback/%d/2/", `{"node_id":"` + nodeNamed(echo, "wait") + `","callback_data":{"bit":1}}`},
		{"/operate_node/2/%d/", `{"node_id":"` + nodeNamed(echo, "wait2") + `","action":"callback","data":{"bit":1}}`},
	} {
		path := fmt.Sprintf(c.path, id)
		first := s.keyed(fmt.Sprint("k", i), path, c.body)
		second := s.keyed(fmt.Sprint("k", i), path, c.body)
		if !first.ok() || withoutTrace(first) != withoutTrace(second) {
			t.Fatalf("%s %s is answered\n%s then\n%s", path, c.body, first.raw, second.raw)
		}
		if i == 0 {
			s.awaitNode(id, nodeNamed(echo, "wait"))
		}
		if i == 3 {
			s.awaitNode(id, nodeNamed(echo, "wait2"))
		}
	}
	s.await(id, "FINISHED")
	log, err := s.store.Transitions(t.Context(), stdops.TaskRef{Project: 1, Task: stdops.TaskID(id)}, 0, 1000)
	must(t, err)
	byPeople := 0
	for _, tr := range log {
		if tr.Actor != "" {
			byPeople++
		}
	}
	if byPeople != 5 {
		t.Errorf("start, pause, resume and two callbacks left %d entries of people", byPeople)
	}
	for i, path := range []string{"/start_task/%d/2/", "/operate_task/%d/2/"} {
		if a := s.keyed(fmt.Sprint("k", i), fmt.Sprintf(path, id), []string{"", `{"action":"pause"}`}[i]); !a.ok() {
			t.Errorf("long after: %s", a.raw)
		}
	}
}

// awaitNode waits until a node runs.
func (s *server) awaitNode(id int64, node string) {
	s.t.Helper()
	for range 3000 {
		if at(s.entry(id), "children", node).Text("state") == "RUNNING" {
			return
		}
	}
	s.t.Fatalf("node %s of task %d does not run", node, id)
}

func TestKeyRefusals(t *testing.T) {
	t.Parallel()
	s := setup(t)
	id, _ := s.create(chain("A"))
	if a := s.keyed("k", "/fast_create_task/2/", newCreation("one")); !a.ok() {
		t.Fatal(a.raw)
	}
	for name, a := range map[string]answer{
		"another body":     s.keyed("k", "/fast_create_task/2/", newCreation("two")),
		"another endpoint": s.keyed("k", fmt.Sprintf("/start_task/%d/2/", id), "{}"),
		"another user": s.send("POST", "/fast_create_task/2/", newCreation("one"),
			http.Header{"X-Bkapi-Authorization": {auth("trusted", "bob")}, "Idempotency-Key": {"k"}}),
	} {
		if a.code() != 3545000 || !strings.Contains(a.message(), "Idempotency-Key") {
			t.Errorf("%s: %s", name, a.raw)
		}
	}
	for name, keys := range map[string][]string{
		"empty": {""}, "blank": {"a b"}, "letter beyond ASCII": {"schlüssel"}, "long": {strings.Repeat("k", 256)}, "two": {"a", "b"},
	} {
		a := s.send("POST", "/fast_create_task/2/", newCreation("one"), http.Header{"X-Bkapi-Authorization": {auth("trusted", "admin")}, "Idempotency-Key": keys})
		if a.code() != 3540000 {
			t.Errorf("%s: %s", name, a.raw)
		}
	}
	if n := s.tasks(); n != 2 {
		t.Errorf("there are %d tasks", n)
	}
	if a := s.keyed("k2", "/operate_task/999/2/", `{"action":"pause"}`); a.code() != 3540400 {
		t.Errorf("missing task: %s", a.raw)
	}
	if a := s.keyed("k2", fmt.Sprintf("/start_task/%d/2/", id), "{}"); !a.ok() {
		t.Errorf("a refusal kept its key: %s", a.raw)
	}
}

// TestKeyBelongsToAppAndProject: others may use the same key for what they want.
func TestKeyBelongsToAppAndProject(t *testing.T) {
	t.Parallel()
	s := setup(t)
	trusted, err := s.svc.Authenticate(t.Context(), service.Credentials{AppCode: "trusted", AppSecret: "trusted-secret", Username: "admin"})
	must(t, err)
	_, err = s.svc.RegisterProject(t.Context(), trusted, service.NewProject{Biz: 3, Name: "other"})
	must(t, err)
	must(t, s.svc.BootstrapApp(t.Context(), "other", "other-secret"))
	for _, a := range []answer{
		s.keyed("k", "/fast_create_task/2/", newCreation("one")),
		s.keyed("k", "/fast_create_task/3/", newCreation("other project")),
		s.send("POST", "/fast_create_task/2/", newCreation("other app"),
			http.Header{"X-Bkapi-Authorization": {auth("other", "admin")}, "Idempotency-Key": {"k"}}),
	} {
		if !a.ok() {
			t.Error(a.raw)
		}
	}
}

// TestKeyAtOnce: of requests with one key that come at the same time one has the effect, and all get its answer.
func TestKeyAtOnce(t *testing.T) {
	t.Parallel()
	s := setup(t)
	round := 0
	at := func(path string, body string) {
		t.Helper()
		round++
		answers := make([]answer, 20)
		var all sync.WaitGroup
		for i := range answers {
			all.Go(func() { answers[i] = s.keyed(fmt.Sprint("k", round), path, body) })
		}
		all.Wait()
		for _, a := range answers {
			if !a.ok() || withoutTrace(a) != withoutTrace(answers[0]) {
				t.Errorf("%s: answers differ:\n%.300s\n%.300s", path, a.raw, answers[0].raw)
			}
		}
	}
	at("/fast_create_task/2/", encoded(t, newCreation("one")))
	if n := s.tasks(); n != 1 {
		t.Errorf("%d tasks were made", n)
	}
	id, _ := s.create(chain("wait:callback_node"))
	at(fmt.Sprintf("/start_task/%d/2/", id), "{}")
	at(fmt.Sprintf("/operate_task/%d/2/", id), `{"action":"pause"}`)
	at(fmt.Sprintf("/operate_task/%d/2/", id), `{"action":"revoke"}`)
}
