package service

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/engine"
	"github.com/stdops/stdops/internal/status"
	"github.com/stdops/stdops/internal/store"
)

// two makes a tree of two activities in a row.
func two() *stdops.Object {
	act := func(id, in, out string) *stdops.Object {
		return stdops.NewObject("id", id, "type", "ServiceActivity", "name", id, "incoming", []any{in}, "outgoing", out,
			"component", stdops.NewObject("code", "sleep_timer", "data", &stdops.Object{}))
	}
	line := func(id, from, to string) *stdops.Object {
		return stdops.NewObject("id", id, "source", from, "target", to)
	}
	return stdops.NewObject(
		"start_event", stdops.NewObject("id", "s", "name", "", "type", "EmptyStartEvent", "outgoing", "l1"),
		"end_event", stdops.NewObject("id", "e", "name", "", "type", "EmptyEndEvent", "incoming", []any{"l3"}),
		"activities", stdops.NewObject("a", act("a", "l1", "l2"), "b", act("b", "l2", "l3")),
		"flows", stdops.NewObject("l1", line("l1", "s", "a"), "l2", line("l2", "a", "b"), "l3", line("l3", "b", "e")),
	)
}

func (b *bundle) access(t *testing.T) *Access {
	t.Helper()
	a, err := b.Access(t.Context(), &Caller{User: "ann", admin: true}, ProjectRef{ID: "2", Scope: ScopeBiz})
	must(t, err)
	return a
}

func (b *bundle) newTask(t *testing.T, n NewTask) *CreatedTask {
	t.Helper()
	n.Name = "a task"
	created, err := b.FastCreateTask(t.Context(), b.access(t), n, two())
	must(t, err)
	return created
}

// TestDamagedTask: what cannot be read of one task is told in its entry, and the others are told about all the same.
func TestDamagedTask(t *testing.T) {
	t.Parallel()
	b := setup(t)
	whole, damaged := b.newTask(t, NewTask{Start: true}), b.newTask(t, NewTask{Start: true})
	_, err := b.store.Commit(t.Context(), []stdops.Change{{
		Task: damaged.Task.ID, Project: 1, Revision: 1, Epoch: 1, Root: damaged.Task.Root,
		Nodes: []stdops.NodeState{{Node: 99, Order: 1, State: stdops.StateRunning, Loop: 1}},
	}})
	must(t, err)
	batch, err := b.TaskStatuses(t.Context(), b.access(t), StatusQuery{Newest: 10, Children: true})
	must(t, err)
	if len(batch.Tasks) != 2 || batch.Tasks[1].Task.ID != whole.Task.ID || batch.Tasks[1].Problem != nil {
		t.Fatalf("batch %+v", batch)
	}
	got := batch.Tasks[0]
	if got.Problem == nil || got.Problem.Message != fmt.Sprintf("the record of task %d can not be read", damaged.Task.ID) {
		t.Errorf("problem %v", got.Problem)
	}
	if diff := cmp.Diff(status.Root(&got.Task, batch.Now), got.Status); diff != "" {
		t.Errorf("status (-want +got)\n%s", diff)
	}
	_, err = b.TaskStatus(t.Context(), b.access(t), damaged.Task.ID, SingleQuery{})
	refused(t, err, stdops.CodeEngine)
}

// TestChildrenLimit: an answer holds so many children; tasks beyond say so, and still tell how they stand.
func TestChildrenLimit(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.limits.Children = 3
	for range 3 {
		created := b.newTask(t, NewTask{Start: true})
		_, err := b.store.Commit(t.Context(), []stdops.Change{{
			Task: created.Task.ID, Project: 1, Revision: 1, Epoch: 1, Root: created.Task.Root, Nodes: []stdops.NodeState{
				{Node: 1, Order: 1, State: stdops.StateFinished, Loop: 1}, {Node: 3, Order: 2, State: stdops.StateFailed, Loop: 1},
			},
		}})
		must(t, err)
	}
	batch, err := b.TaskStatuses(t.Context(), b.access(t), StatusQuery{Newest: 10, Children: true})
	must(t, err)
	for i, t3 := range batch.Tasks {
		if (t3.Problem == nil) != (i == 0) || (len(t3.Status.Children) == 2) != (i == 0) || t3.Status.State != stdops.StateFailed {
			t.Errorf("task %d: %d children, %v, problem %v", i, len(t3.Status.Children), t3.Status.State, t3.Problem)
		}
	}
}

// TestStartedAtOnce: a task that is created and started at once is stored with its first change.
func TestStartedAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	created := b.newTask(t, NewTask{Start: true})
	if len(b.engine.adopted) != 1 || b.engine.adopted[0] != created.Task.ID {
		t.Errorf("adopted %v", b.engine.adopted)
	}
	stored, err := b.store.Task(t.Context(), stdops.TaskRef{Project: 1, Task: created.Task.ID})
	must(t, err)
	if stored.Root.State != stdops.StateRunning || stored.Executor != "ann" || stored.Root.Revision != 1 {
		t.Errorf("stored %+v", stored)
	}
}

// TestSharedTree: tasks of the same tree share what is stored of it, whatever their values.
func TestSharedTree(t *testing.T) {
	t.Parallel()
	b := setup(t)
	first, second := b.newTask(t, NewTask{}), b.newTask(t, NewTask{})
	if first.Task.TreeHash != second.Task.TreeHash {
		t.Error("two tasks of one tree have two hashes")
	}
	one, err := b.Graph(t.Context(), first.Task.TreeHash)
	must(t, err)
	around, err := NewSurroundings(b.store, nil, "")
	must(t, err)
	again, err := around.Graph(t.Context(), first.Task.TreeHash) // from the store, not from the cache
	must(t, err)
	if diff := cmp.Diff(one, again); diff != "" {
		t.Errorf("graph made and graph read (-want +got)\n%s", diff)
	}
	_, err = around.Graph(t.Context(), "no such hash")
	refused(t, err, stdops.CodeNotFound)
}

func TestCommandsToEngine(t *testing.T) {
	t.Parallel()
	b := setup(t)
	created := b.newTask(t, NewTask{Start: true})
	id, node := created.Task.ID, stdops.NodeID(created.Task.ID, 3)
	inputs := stdops.NewObject("x", int64(1))
	for _, c := range []struct {
		n    NodeCommand
		want engine.Command
	}{
		{NodeCommand{Action: "retry", Inputs: inputs, Data: inputs}, engine.Command{Kind: engine.Retry, Inputs: inputs}},
		{NodeCommand{Action: "skip", Inputs: inputs}, engine.Command{Kind: engine.Skip}},
		{NodeCommand{Action: "pause"}, engine.Command{Kind: engine.NodePause}},
		{NodeCommand{Action: "resume"}, engine.Command{Kind: engine.NodeResume}},
		{NodeCommand{Action: "pause_subproc"}, engine.Command{Kind: engine.SubPause}},
		{NodeCommand{Action: "resume_subproc"}, engine.Command{Kind: engine.SubResume}},
		{NodeCommand{Action: "forced_fail"}, engine.Command{Kind: engine.ForceFail}},
		{NodeCommand{Action: "callback", Data: inputs}, engine.Command{Kind: engine.CallBack, Data: inputs}},
		{NodeCommand{Action: "skip_exg", Flow: stdops.FlowID(id, 2)}, engine.Command{Kind: engine.SkipBranch}}, // no gateway: no flows
		{NodeCommand{Action: "skip_cpg", Flows: []string{"x"}, Converge: "x"}, engine.Command{Kind: engine.SkipBranches}},
	} {
		c.n.Node, c.want.Node, c.want.Actor = node, 3, "ann"
		must(t, b.OperateNode(t.Context(), b.access(t), id, c.n))
		if diff := cmp.Diff(c.want, b.engine.commands[len(b.engine.commands)-1], cmp.AllowUnexported(stdops.Object{})); diff != "" {
			t.Errorf("%s (-want +got)\n%s", c.n.Action, diff)
		}
	}
	sent := len(b.engine.commands)
	for _, n := range []NodeCommand{
		{Action: "fly", Node: node},
		{Action: "__init__", Node: node},
		{Action: "start", Node: node},
		{Action: "skip", Node: "x"},
		{Action: "skip", Node: stdops.NodeID(id+1, 3)},
		{Action: "skip", Node: stdops.NodeID(id, 99)},
		{Action: "skip", Node: stdops.NodeID(id, 0)},
		{Action: "retry_subprocess", Node: node},
	} {
		if err := b.OperateNode(t.Context(), b.access(t), id, n); err == nil || len(b.engine.commands) != sent {
			t.Errorf("%+v is accepted", n)
		}
	}
}

func TestChildTemplates(t *testing.T) {
	t.Parallel()
	b := setup(t)
	own, err := b.CreateTemplate(t.Context(), b.access(t), NewTemplate{Name: "own"}, withEmpty(two()))
	must(t, err)
	foreign, err := b.store.CreateTemplate(t.Context(), store.Template{Project: 5, Name: "foreign", Created: b.store.Now()}, encoded(t, withEmpty(two())))
	must(t, err)
	for id, ok := range map[stdops.TemplateID]bool{own.ID: true, foreign.ID: false, 999: false} {
		tree := two()
		parent(t, tree, "a", id)
		created, err := b.FastCreateTask(t.Context(), b.access(t), NewTask{Name: "x"}, tree)
		if (err == nil) != ok {
			t.Errorf("template %d: %v", id, err)
		}
		if ok && created.Task.TreeHash == "" {
			t.Error("no hash")
		}
	}
	tree := withEmpty(two()) // a flow that is stored with a child keeps the reference
	parent(t, tree, "a", own.ID)
	stored, err := b.CreateTemplate(t.Context(), b.access(t), NewTemplate{Name: "outer"}, tree)
	must(t, err)
	_, loaded, err := b.loadTemplate(t.Context(), store.TemplateRef{Project: 1, Template: stored.ID}, "")
	must(t, err)
	if refs := loaded.Children(); len(refs) != 1 || refs[0].Template != own.ID {
		t.Errorf("children %v", refs)
	}
}

func withEmpty(tree *stdops.Object) *stdops.Object {
	tree.Set("gateways", &stdops.Object{})
	tree.Set("constants", &stdops.Object{})
	tree.Set("outputs", []any{})
	return tree
}

func encoded(t *testing.T, o *stdops.Object) []byte {
	t.Helper()
	text, err := o.MarshalJSON()
	must(t, err)
	return text
}

// parent makes a node of a tree a subprocess.
func parent(t *testing.T, tree *stdops.Object, id string, template stdops.TemplateID) {
	t.Helper()
	value, _ := tree.Get("activities")
	member, _ := value.(*stdops.Object).Get(id)
	node := member.(*stdops.Object)
	node.Set("type", "SubProcess")
	node.Set("template_id", int64(template))
	node.Set("constants", &stdops.Object{})
	node.Delete("component")
}

// TestRevisions_are_not_older_than_their_time: of a task that ends while its revision is confirmed nobody may be told a
// longer time than it took.
func TestRevisions_are_not_older_than_their_time(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a := b.access(t)
	ids := []stdops.TaskID{b.newTask(t, NewTask{}).Task.ID}
	_, err := b.TaskStatuses(t.Context(), a, StatusQuery{IDs: ids})
	must(t, err)
	known, _, err := b.Revisions(t.Context(), a, ids)
	must(t, err)
	b.clock.before = func() { must(t, b.DeleteTask(t.Context(), a, ids[0])) }
	later, _, err := b.Revisions(t.Context(), a, ids)
	must(t, err)
	if known[0] != 0 || later[0] != store.NotKnown {
		t.Errorf("revision %d, and %d after a change before the time", known[0], later[0])
	}
}
