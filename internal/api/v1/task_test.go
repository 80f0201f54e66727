package v1

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops/client"
	"github.com/stdops/stdops/internal/service"
)

// example reads a flow that ships with the program.
func example(t *testing.T, name string) json.RawMessage {
	t.Helper()
	text, err := os.ReadFile("../../../examples/" + name + ".json")
	must(t, err)
	return text
}

func encode(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	must(t, err)
	return string(text)
}

const tasksPath = "/api/v1/projects/1/tasks"

func (b *bundle) create(t *testing.T, n client.NewTask) client.Task {
	t.Helper()
	return as[client.Task](t, b, 201, "POST", tasksPath, encode(t, n))
}

func (b *bundle) do(t *testing.T, id int64, status int, c client.Command) client.Task {
	t.Helper()
	return as[client.Task](t, b, status, "POST", fmt.Sprintf("%s/%d/commands", tasksPath, id), encode(t, c))
}

// await asks until the task shows the state.
func (b *bundle) await(t *testing.T, id int64, state string) client.Task {
	t.Helper()
	return b.until(t, id, state, func(task client.Task) bool { return task.State == state })
}

func (b *bundle) until(t *testing.T, id int64, what string, reached func(client.Task) bool) client.Task {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		task := as[client.Task](t, b, 200, "GET", fmt.Sprintf("%s/%d", tasksPath, id), "")
		if reached(task) {
			return task
		}
		if time.Now().After(deadline) {
			t.Fatalf("task %d shows %s, not %s", id, task.State, what)
		}
	}
}

// names lists nodes as "name state", each subprocess with what is inside in brackets.
func names(nodes []client.Node) string {
	var list []string
	for _, n := range nodes {
		text := n.Name + " " + n.State
		if len(n.Nodes) > 0 {
			text += " [" + names(n.Nodes) + "]"
		}
		list = append(list, text)
	}
	return strings.Join(list, ", ")
}

func TestTaskOfTreeFromCreationToEnd(t *testing.T) {
	t.Parallel()
	b := setup(t)
	task := b.create(t, client.NewTask{Name: "release 2", Tree: example(t, "release-with-approval"), Constants: map[string]json.RawMessage{
		"${version}": json.RawMessage(`"v9"`),
	}})
	if task.State != client.Created || !task.Started.IsZero() || task.Elapsed != 0 || task.Creator != "local" ||
		task.URL != fmt.Sprintf("%s/taskflow/execute/1/?instance_id=%d", publicURL, task.ID) {
		t.Errorf("created task %+v", task)
	}
	b.do(t, task.ID, 200, client.Command{Command: "start"})
	var nodes client.NodeList
	b.until(t, task.ID, "waiting for approval", func(client.Task) bool {
		nodes = as[client.NodeList](t, b, 200, "GET", fmt.Sprintf("%s/%d/nodes", tasksPath, task.ID), "")
		return len(nodes.Nodes) > 2 && nodes.Nodes[2].Phase == "waiting"
	})
	want := "start FINISHED, Build FINISHED, Approve the release RUNNING, Publish CREATED, end CREATED"
	if d := cmp.Diff(want, names(nodes.Nodes)); d != "" {
		t.Errorf("nodes (-want +got):\n%s", d)
	}
	if n := nodes.Nodes[2]; n.Plugin != "pause_node" || n.Kind != "ServiceActivity" || n.Loop != 1 || n.Parent == "" {
		t.Errorf("waiting node %+v", n)
	}
	b.do(t, task.ID, 200, client.Command{Command: "callback", Node: "Approve the release", Data: json.RawMessage(`{"who":"ann"}`)})
	end := b.await(t, task.ID, client.Finished)
	if end.Finished.IsZero() || end.Executor != "local" {
		t.Errorf("finished task %+v", end)
	}
}

func TestTaskOfFlow(t *testing.T) {
	t.Parallel()
	b := setup(t)
	flow := as[client.Flow](t, b, 201, "POST", "/api/v1/projects/1/flows",
		encode(t, client.NewFlow{Name: "backup", Description: "copies a database", Tree: example(t, "backup")}))
	if flow.Category != service.DefaultCategory {
		t.Errorf("its category is %q", flow.Category)
	}
	flows := as[client.FlowList](t, b, 200, "GET", "/api/v1/projects/1/flows", "")
	if d := cmp.Diff([]client.Flow{flow}, flows.Flows); d != "" {
		t.Errorf("flows (-want +got):\n%s", d)
	}
	constants := map[string]json.RawMessage{"${database}": json.RawMessage(`"invoices"`)}
	task := b.create(t, client.NewTask{Name: "tonight", Flow: flow.ID, Constants: constants, Start: true})
	if task.State != client.Running || task.Flow != flow.ID {
		t.Errorf("created task %+v", task)
	}
	b.await(t, task.ID, client.Finished)
	list := as[client.StatusList](t, b, 200, "POST", tasksPath+":status", fmt.Sprintf(`{"ids":[%d],"nodes":true}`, task.ID))
	want := "start FINISHED, Freeze writes FINISHED, Copy the database FINISHED [start FINISHED, Both at once FINISHED, " +
		"Dump the tables FINISHED, Copy the files FINISHED, Both done FINISHED, Check the copy FINISHED, end FINISHED], " +
		"Allow writes FINISHED, end FINISHED"
	if d := cmp.Diff(want, names(list.Tasks[0].Nodes)); d != "" {
		t.Errorf("nodes (-want +got):\n%s", d)
	}
	graph := as[client.Graph](t, b, 200, "GET", fmt.Sprintf("%s/%d/graph", tasksPath, task.ID), "")
	for _, n := range list.Tasks[0].Nodes {
		if at := graph.Nodes[max(n.Index, 1)-1]; at.Index != n.Index || at.Name != n.Name {
			t.Errorf("node %s has the index %d, where the graph has %+v", n.Name, n.Index, at)
		}
	}
	got := send(t, b.local, request{method: "POST", path: tasksPath, body: fmt.Sprintf(`{"name":"x","flow":%d,"constants":{"${databse}":1}}`, flow.ID)})
	if got.status != 422 || !strings.Contains(got.text, "databse") {
		t.Errorf("unknown constant: %d %s", got.status, got.text)
	}
}

func TestCommandsOnNodes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	task := b.create(t, client.NewTask{Name: "night", Tree: example(t, "maintenance-window"), Start: true})
	b.await(t, task.ID, client.Failed)
	nodes := as[client.NodeList](t, b, 200, "GET", fmt.Sprintf("%s/%d/nodes", tasksPath, task.ID), "")
	if got := nodes.Nodes[2].Error; !strings.Contains(got, "tomorrow night") {
		t.Errorf("error of the failed node %q", got)
	}
	b.do(t, task.ID, 200, client.Command{Command: "pause-node", Node: nodes.Nodes[3].ID})
	nodes = as[client.NodeList](t, b, 200, "GET", fmt.Sprintf("%s/%d/nodes", tasksPath, task.ID), "")
	if n := nodes.Nodes[3]; n.Phase != "appointed" || n.State != client.Created {
		t.Errorf("node with an appointed pause %+v", n)
	}
	b.do(t, task.ID, 200, client.Command{Command: "retry", Node: "Wait for the window", Inputs: json.RawMessage(`{"bk_timing":"0"}`)})
	b.await(t, task.ID, client.NodeSuspended)
	b.do(t, task.ID, 200, client.Command{Command: "resume-node", Node: "Do the work"})
	b.await(t, task.ID, client.Finished)

	skipped := b.create(t, client.NewTask{Name: "other night", Tree: example(t, "maintenance-window"), Start: true})
	b.await(t, skipped.ID, client.Failed)
	b.do(t, skipped.ID, 200, client.Command{Command: "skip", Node: "Wait for the window"})
	b.await(t, skipped.ID, client.Finished)
}

func TestPauseResumeRevoke(t *testing.T) {
	t.Parallel()
	b := setup(t)
	task := b.create(t, client.NewTask{Name: "r", Tree: example(t, "release-with-approval"), Start: true})
	if got := b.do(t, task.ID, 200, client.Command{Command: "pause"}); got.State != client.Suspended {
		t.Errorf("paused task shows %s", got.State)
	}
	b.do(t, task.ID, 409, client.Command{Command: "start"})
	if got := b.do(t, task.ID, 200, client.Command{Command: "resume"}); got.State != client.Running {
		t.Errorf("resumed task shows %s", got.State)
	}
	if got := b.do(t, task.ID, 200, client.Command{Command: "revoke"}); got.State != client.Revoked || got.Finished.IsZero() {
		t.Errorf("revoked task %+v", got)
	}
	b.do(t, task.ID, 409, client.Command{Command: "pause"})
}

func TestTaskList(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var ids []int64
	for i := range 5 {
		ids = append([]int64{b.create(t, client.NewTask{Name: fmt.Sprintf("task %d", i), Tree: example(t, "deploy")}).ID}, ids...)
	}
	var seen []int64
	path := tasksPath + "?limit=2"
	for pages := 1; ; pages++ {
		page := as[client.TaskList](t, b, 200, "GET", path, "")
		for _, task := range page.Tasks {
			seen = append(seen, task.ID)
		}
		if page.Cursor == "" {
			if pages != 3 {
				t.Errorf("%d pages, want 3", pages)
			}
			break
		}
		path = tasksPath + "?limit=2&cursor=" + page.Cursor
	}
	if d := cmp.Diff(ids, seen); d != "" {
		t.Errorf("tasks (-want +got):\n%s", d)
	}
	if found := as[client.TaskList](t, b, 200, "GET", tasksPath+"?keyword=K+3", ""); len(found.Tasks) != 1 || found.Tasks[0].Name != "task 3" {
		t.Errorf("tasks by keyword: %+v", found)
	}
	if found := as[client.TaskList](t, b, 200, "GET", tasksPath+"?state=FAILED", ""); len(found.Tasks) != 0 {
		t.Errorf("failed tasks: %+v", found)
	}
}

func TestStatusOfMany(t *testing.T) {
	t.Parallel()
	b := setup(t)
	one := b.create(t, client.NewTask{Name: "1", Tree: example(t, "deploy")}).ID
	two := b.create(t, client.NewTask{Name: "2", Tree: example(t, "deploy")}).ID
	as[client.Project](t, b, 201, "POST", "/api/v1/projects", `{"name":"other"}`)

	list := as[client.StatusList](t, b, 200, "POST", tasksPath+":status", fmt.Sprintf(`{"ids":[777,%d,%d,%d,-5,777]}`, one, two, one))
	if len(list.Tasks) != 2 || list.Tasks[0].ID != two || list.Tasks[1].ID != one || list.Tasks[0].Nodes != nil || list.Now.IsZero() {
		t.Errorf("tasks %+v", list.Tasks)
	}
	if d := cmp.Diff([]int64{777, -5}, list.Missing); d != "" {
		t.Errorf("missing (-want +got):\n%s", d)
	}
	foreign := as[client.StatusList](t, b, 200, "POST", "/api/v1/projects/2/tasks:status", fmt.Sprintf(`{"ids":[%d]}`, one))
	if d := cmp.Diff(client.StatusList{Tasks: []client.Task{}, Missing: []int64{one}, Now: foreign.Now}, foreign); d != "" {
		t.Errorf("task of another project (-want +got):\n%s", d)
	}
	as[client.Error](t, b, 404, "GET", fmt.Sprintf("/api/v1/projects/2/tasks/%d", one), "")
	as[client.Error](t, b, 404, "GET", fmt.Sprintf("/api/v1/projects/2/tasks/%d/nodes", one), "")
	as[client.Error](t, b, 404, "POST", fmt.Sprintf("/api/v1/projects/2/tasks/%d/commands", one), `{"command":"start"}`)

	thousand := "[" + strings.TrimSuffix(strings.Repeat("1,", 1000), ",") + "]"
	as[client.StatusList](t, b, 200, "POST", tasksPath+":status", `{"ids":`+thousand+`}`)
	as[client.Error](t, b, 422, "POST", tasksPath+":status", `{"ids":[1,`+thousand[1:]+`}`)
	as[client.Error](t, b, 422, "POST", tasksPath+":status", `{"ids":[]}`)
}

func TestBadTaskRequests(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.create(t, client.NewTask{Name: "r", Tree: example(t, "deploy")}).ID
	tree := string(example(t, "deploy"))
	commands := fmt.Sprintf("%s/%d/commands", tasksPath, id)
	for name, c := range map[string]struct {
		path, body string
		status     int
		text       string
	}{
		"neither tree nor flow": {tasksPath, `{"name":"x"}`, 422, "either tree or flow"},
		"tree and flow":         {tasksPath, `{"name":"x","flow":1,"tree":{}}`, 422, "either tree or flow"},
		"tree is a text":        {tasksPath, `{"name":"x","tree":"{}"}`, 422, "tree"},
		"tree is broken":        {tasksPath, `{"name":"x","tree":{"activities":{}}}`, 422, ""},
		"unknown flow":          {tasksPath, `{"name":"x","flow":99}`, 404, ""},
		"name of lines":         {tasksPath, `{"name":"a\nb","tree":` + tree + `}`, 422, "control characters"},
		"name of 129 signs":     {tasksPath, `{"name":"` + strings.Repeat("é", 129) + `","tree":` + tree + `}`, 422, "name"},
		"unknown constant":      {tasksPath, `{"name":"x","tree":` + tree + `,"constants":{"${nope}":1}}`, 422, "${nope}"},
		"start without claim":   {tasksPath, `{"name":"x","tree":` + tree + `,"flow_type":"common_func","start":true}`, 422, "claimed"},
		"unknown command":       {commands, `{"command":"explode"}`, 422, "command"},
		"no node":               {commands, `{"command":"retry"}`, 422, "needs a node"},
		"node for the task":     {commands, `{"command":"pause","node":"end"}`, 422, "takes no node"},
		"inputs for a skip":     {commands, `{"command":"skip","node":"end","inputs":{}}`, 422, "takes no inputs"},
		"data for a retry":      {commands, `{"command":"retry","node":"end","data":{}}`, 422, "neither data"},
		"inputs of a list":      {commands, `{"command":"retry","node":"end","inputs":[]}`, 422, "inputs"},
		"node by no name":       {commands, `{"command":"retry","node":"nobody"}`, 404, "nobody"},
		"node of another task":  {commands, `{"command":"retry","node":"n0000000000000630000000000000001"}`, 404, "does not have node"},
		"not started":           {commands, `{"command":"pause"}`, 409, "not started"},
		"cursor of letters":     {tasksPath + "?cursor=x", "", 422, "cursor"},
	} {
		t.Run(name, func(t *testing.T) {
			method := "POST"
			if c.body == "" {
				method = "GET"
			}
			got := send(t, b.local, request{method: method, path: c.path, body: c.body})
			if got.status != c.status || !strings.Contains(got.text, c.text) {
				t.Errorf("status %d, want %d with %q: %s", got.status, c.status, c.text, got.text)
			}
		})
	}
	if list := as[client.TaskList](t, b, 200, "GET", tasksPath, ""); len(list.Tasks) != 1 || list.Tasks[0].State != client.Created {
		t.Errorf("a refusal left something: %+v", list.Tasks)
	}
}

func TestNodesOfTheSameName(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.create(t, client.NewTask{Name: "r", Tree: example(t, "backup")}).ID
	got := send(t, b.local, request{
		method: "POST", path: fmt.Sprintf("%s/%d/commands", tasksPath, id), body: `{"command":"skip","node":"start"}`,
	})
	if got.status != 422 || !strings.Contains(got.text, "2 nodes of task") {
		t.Errorf("%d %s", got.status, got.text)
	}
}

func TestNodesThatWereNotReachedComeLast(t *testing.T) {
	t.Parallel()
	b := setup(t)
	staging := map[string]json.RawMessage{"${stage}": json.RawMessage(`"staging"`)}
	task := b.create(t, client.NewTask{Name: "r", Tree: example(t, "deploy"), Constants: staging, Start: true})
	b.await(t, task.ID, client.Finished)
	list := as[client.NodeList](t, b, 200, "GET", fmt.Sprintf("%s/%d/nodes", tasksPath, task.ID), "")
	want := "start FINISHED, Announce FINISHED, Copy the build FINISHED, Which stage? FINISHED, Switch staging FINISHED, " +
		"Switched FINISHED, Report FINISHED, end FINISHED, Take out of the load balancer CREATED, Switch production CREATED"
	if d := cmp.Diff(want, names(list.Nodes)); d != "" {
		t.Errorf("nodes (-want +got):\n%s", d)
	}
}
