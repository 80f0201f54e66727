package app_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/client"
	"github.com/stdops/stdops/internal/app"
	"github.com/stdops/stdops/internal/flow"
	"github.com/stdops/stdops/internal/store"
)

// child makes a task of its own of parts.
func child(name string, parts ...piece) piece {
	return func(w *wire, from []string) []string {
		id, out := w.activity(from, name, "subprocess_plugin")
		pipeline := w.inner(chain(parts...))
		w.activities[id]["component"] = map[string]any{
			"code": "subprocess_plugin", "version": "1.0.0",
			"data": map[string]any{"subprocess": map[string]any{
				"hook": false, "need_render": false, "value": map[string]any{"subprocess_name": name, "pipeline": pipeline},
			}},
		}
		return out
	}
}

// family is a task with children in two branches, one of which has a child itself, in which a node fails until a person
// retries it.
var family = chain(
	parallel(
		child("outer", act("before", "effect"), child("inner", act("stubborn", "effect", "bit", "0"))),
		child("quick", act("done", "effect")),
	), act("last", "effect"))

const familyTasks = 4

// parents plays a family against a server that may be killed at any moment.
type parents struct {
	*victim
	root    int64
	started bool // as the server has said: every further command would let it look at the task
}

type listedTask struct {
	ID    int64  `json:"id"`
	Name  string `json:"name"`
	State string `json:"state"`
	Child bool   `json:"is_child_taskflow"`
}

// play lets the root task come to its end; false when the server died meanwhile.
func (p *parents) play() bool {
	p.t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		if len(p.ended) > 0 {
			p.down.Store(true)
			return false
		}
		p.begin()
		if p.push() {
			return true
		}
	}
	p.kill()
	p.t.Fatalf("task %d does not end\n%s", p.root, p.log)
	return false
}

// begin makes the root task, unless it is known, and starts it.
func (p *parents) begin() {
	if p.root == 0 {
		got, ok := p.call("/apigw/fast_create_task/2/", map[string]any{"name": "family", "pipeline_tree": family.tree()})
		var data struct {
			TaskID int64 `json:"task_id"`
		}
		if !ok {
			return
		}
		if err := json.Unmarshal(got.Data, &data); err != nil || !got.Result {
			p.t.Fatalf("create: %+v", got)
		}
		p.root = data.TaskID
	}
	if !p.started {
		_, p.started = p.call(fmt.Sprintf("/apigw/start_task/%d/2/", p.root), map[string]any{})
	}
}

// push retries the node that fails, and reports whether the root task has ended.
func (p *parents) push() (ended bool) {
	for _, task := range p.tasks() {
		if task.ID == p.root && task.State == "FINISHED" {
			return true
		}
		if task.State != "FAILED" {
			continue
		}
		got, ok := p.call("/apigw/get_tasks_status/2/", map[string]any{"task_id_list": []int64{task.ID}, "include_children_status": true})
		var list []struct {
			Status nodeStatus `json:"status"`
		}
		if !ok || json.Unmarshal(got.Data, &list) != nil || len(list) == 0 {
			continue
		}
		list[0].Status.walk(func(n nodeStatus) {
			if n.State == "FAILED" && n.Name == "stubborn" {
				p.call(fmt.Sprintf("/apigw/operate_node/2/%d/", task.ID), map[string]any{
					"node_id": n.ID, "action": "retry", "inputs": map[string]any{"bit": "1"},
				})
			}
		})
	}
	return false
}

func (p *parents) tasks() (list []listedTask) {
	if got, ok := p.get("/apigw/get_task_list/2/?limit=200"); ok {
		_ = json.Unmarshal(got.Data, &list)
	}
	return list
}

// check holds the record of the stopped server against what must be there: one child for each node that makes one, all of
// them finished, and each node above the one that failed revived as often as it has failed and never tried again. It does
// so once, or not at all where its task read in one go that its child had failed and that it went on.
func (p *parents) check() {
	p.t.Helper()
	st, err := store.Open(p.t.Context(), store.Options{Dir: p.dir, DecodeSkeleton: flow.DecodeSkeleton})
	if err != nil {
		p.t.Fatal(err)
	}
	defer st.Close()
	stored, err := st.Statuses(p.t.Context(), 1, store.StatusQuery{Newest: 50})
	if err != nil {
		p.t.Fatal(err)
	}
	var tasks []stdops.Task
	failed, retried, revived := 0, 0, 0
	for i := range stored.Tasks {
		task := stored.Tasks[i].Task
		if task.Parent.Task == 0 && int64(task.ID) != p.root { // nobody was told of it before the crash
			continue
		}
		tasks = append(tasks, task)
		if task.Root.State != stdops.StateFinished {
			p.t.Errorf("task %d is %s", task.ID, task.Root.State)
		}
		log, err := st.Transitions(p.t.Context(), stdops.TaskRef{Project: 1, Task: task.ID}, 0, 10_000)
		if err != nil {
			p.t.Fatal(err)
		}
		for _, tr := range log {
			switch {
			case !tr.Moved(): // new inputs
			case tr.To == stdops.StateFailed:
				failed++
			case tr.From == stdops.StateFailed && tr.To == stdops.StateRunning:
				revived++
			case tr.From == stdops.StateFailed && tr.To == stdops.StateReady:
				retried++
				if tr.Actor != person {
					p.t.Errorf("node %d of task %d was retried by %q", tr.Node, task.ID, tr.Actor)
				}
			}
		}
	}
	if len(tasks) != familyTasks {
		p.t.Errorf("%d tasks, want %d", len(tasks), familyTasks)
	}
	if retried == 0 || revived != failed-retried || revived > 2 {
		p.t.Errorf("%d failures, %d retries, %d nodes revived", failed, retried, revived)
	}
}

// verify replays the logs of all tasks and checks their records.
func (p *parents) verify() {
	p.t.Helper()
	_, err := app.Verify(p.t.Context(), p.dir, func(task stdops.TaskID, problem string) {
		p.t.Errorf("verify: task %d: %s", task, problem)
	})
	if err != nil {
		p.t.Fatal(err)
	}
}

// checkNative looks at how the native API links parents and children.
func (p *parents) checkNative() {
	p.t.Helper()
	native, err := client.New(client.Options{Socket: app.SocketPath(p.dir)})
	if err != nil {
		p.t.Fatal(err)
	}
	defer native.Close()
	for _, task := range p.tasks() {
		seen, err := native.Task(p.t.Context(), 1, task.ID)
		if err != nil || (seen.Parent != 0) != task.Child {
			p.t.Fatalf("%+v, %v", seen, err)
		}
		if !task.Child {
			continue
		}
		parent, err := native.Task(p.t.Context(), 1, seen.Parent)
		if err != nil || !slices.Contains(parent.Children, task.ID) {
			p.t.Errorf("task %d is missing in %+v, %v", task.ID, parent, err)
		}
	}
}

// TestChildTasks runs three generations on a real server, the last of which needs a person.
func TestChildTasks(t *testing.T) {
	t.Parallel()
	p := &parents{victim: newVictim(t)}
	p.mustStart()
	if !p.play() {
		t.Fatalf("the server died\n%s", p.log)
	}
	children := 0
	for _, task := range p.tasks() {
		if task.Child {
			children++
		}
	}
	got, _ := p.get("/apigw/get_task_list/2/?is_child_taskflow=true")
	var listed []listedTask
	if err := json.Unmarshal(got.Data, &listed); err != nil || len(listed) != familyTasks-1 || children != familyTasks-1 {
		t.Errorf("%d children, listed as %+v, %v", children, listed, err)
	}
	if !slices.ContainsFunc(listed, func(l listedTask) bool { return len(l.Name) == len("inner_20060102150405") && l.Name[:6] == "inner_" }) {
		t.Errorf("names: %+v", listed)
	}
	p.checkNative()
	p.stop()
	p.verify()
	p.check()
}

// TestManyChildTasks lets a task have more children at the same time than calls may be out.
func TestManyChildTasks(t *testing.T) {
	t.Parallel()
	const children = 100
	var branches []piece
	for range children {
		branches = append(branches, child("one", act("work", "effect")))
	}
	c := newCaller(t)
	got, _ := c.call("/apigw/fast_create_task/2/", map[string]any{"name": "many", "pipeline_tree": chain(parallel(branches...)).tree()})
	if !got.Result {
		t.Fatalf("create: %+v", got)
	}
	c.call("/apigw/start_task/1/2/", map[string]any{})
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		got, _ := c.get("/apigw/get_task_list/2/?limit=200")
		var list []listedTask
		if err := json.Unmarshal(got.Data, &list); err != nil {
			t.Fatal(err)
		}
		finished := 0
		for _, task := range list {
			if task.State == "FINISHED" {
				finished++
			}
		}
		if finished == children+1 && len(list) == finished {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d tasks have finished", finished, len(list))
		}
	}
}
