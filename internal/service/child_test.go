package service

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/plugin"
)

// runningNode gives the attempt of a node that runs, in a task of ann's that runs too.
func (b *bundle) runningNode(t *testing.T) (stdops.Task, stdops.AttemptRef) {
	t.Helper()
	created := b.newTask(t, NewTask{Start: true, Category: "OpsTools"})
	of := stdops.AttemptRef{Task: created.Task.ID, Node: 3, Version: "n1"}
	_, err := b.store.Commit(t.Context(), []stdops.Change{{
		Task: of.Task, Project: 1, Revision: 1, Epoch: 1, Root: created.Task.Root,
		Nodes: []stdops.NodeState{{Node: 3, Order: 1, State: stdops.StateRunning, Phase: stdops.PhaseExecuting, Loop: 1, Version: "n1"}},
	}})
	must(t, err)
	return created.Task, of
}

func newChild(of stdops.AttemptRef, value ...any) plugin.NewChild {
	return plugin.NewChild{Project: 1, Of: of, Executor: "eve", Flow: stdops.NewObject(append(value, "pipeline", withEmpty(two()))...)}
}

func TestChildIsMadeLikeItsParent(t *testing.T) {
	t.Parallel()
	b := setup(t)
	parent, of := b.runningNode(t)
	b.clock.advance(time.Hour)
	made := newChild(of, "subprocess_name", "deploy")
	constants(t, made.Flow, `{"${k}": {"key": "${k}", "name": "k", "value": "${k}", "show_type": "show"}}`)
	made.Constants = stdops.NewObject("${k}", "given")
	child, err := b.MakeChild(t.Context(), made)
	must(t, err)
	if inputs, err := b.store.TaskInputs(t.Context(), stdops.TaskRef{Project: 1, Task: child.ID}); err != nil || string(inputs) != `{"k":"given"}` {
		t.Errorf("given %s, %v", inputs, err)
	}
	if child.Name != "deploy_20260504130000" || child.URL != fmt.Sprintf("http://stdops.example/taskflow/execute/1/?instance_id=%d", child.ID) {
		t.Errorf("made %+v", child)
	}
	task, err := b.store.Task(t.Context(), stdops.TaskRef{Project: 1, Task: child.ID})
	must(t, err)
	want := parent
	want.Name, want.Parent, want.Creator, want.Executor = child.Name, of, "eve", "eve"
	want.ID, want.TreeHash, want.Created, want.Root = task.ID, task.TreeHash, task.Created, task.Root
	if diff := cmp.Diff(want, task); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if task.Root.State != stdops.StateRunning || b.engine.adopted[len(b.engine.adopted)-1] != child.ID {
		t.Errorf("%s, driven: %v", task.Root.State, b.engine.adopted)
	}
	ids, err := b.Children(t.Context(), b.access(t), parent.ID)
	must(t, err)
	if fmt.Sprint(ids) != fmt.Sprint([]stdops.TaskID{child.ID}) {
		t.Errorf("children %v", ids)
	}
}

func TestChildOfOneAttemptIsOne(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, of := b.runningNode(t)
	first, err := b.MakeChild(t.Context(), newChild(of))
	must(t, err)
	b.clock.advance(time.Hour)
	again, err := b.MakeChild(t.Context(), newChild(of))
	must(t, err)
	if first != again {
		t.Errorf("made %+v, then %+v", first, again)
	}
	// One that another call has made meanwhile is found too.
	_, other := b.runningNode(t)
	var quick plugin.Child
	b.clock.mu.Lock()
	b.clock.before = func() {
		quick, err = b.MakeChild(t.Context(), newChild(other))
		must(t, err)
	}
	b.clock.mu.Unlock()
	slow, err := b.MakeChild(t.Context(), newChild(other))
	must(t, err)
	if quick != slow || quick.ID == 0 {
		t.Errorf("made %+v, and %+v", quick, slow)
	}
}

func TestChildIsNamedAfterItsFlow(t *testing.T) {
	t.Parallel()
	b := setup(t)
	stored, err := b.CreateTemplate(t.Context(), b.access(t), NewTemplate{Name: strings.Repeat("名", 90)}, withEmpty(two()))
	must(t, err)
	for want, value := range map[string][]any{
		strings.Repeat("名", 80): {"template_id", fmt.Sprint(stored.ID), "subprocess_name", "node"},
		"node":                  {"template_id", int64(stored.ID + 100), "subprocess_name", "node"},
		"x":                     {},
	} {
		parent, of := b.runningNode(t)
		child, err := b.MakeChild(t.Context(), newChild(of, value...))
		must(t, err)
		if len(value) == 0 {
			want = parent.Name
		}
		if child.Name != want+"_20260504120000" {
			t.Errorf("named %s, want %s", child.Name, want)
		}
	}
}

func TestChildThatCannotBeMadeIsRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, of := b.runningNode(t)
	gone := newChild(of)
	activity(t, gone.Flow, "a").Set("component", stdops.NewObject("code", "gone", "data", &stdops.Object{}))
	_, err := b.MakeChild(t.Context(), gone)
	refused(t, err, stdops.CodeInvalid)
	_, err = b.MakeChild(t.Context(), plugin.NewChild{Project: 1, Of: of, Flow: stdops.NewObject("template_id", int64(1))}) // with a retry
	refused(t, err, stdops.CodeInvalid)
	circular := newChild(of)
	constants(t, circular.Flow, `{"${k}": {"key": "${k}", "name": "k", "value": "${k}", "show_type": "hide"}}`)
	_, err = b.MakeChild(t.Context(), circular)
	refused(t, err, stdops.CodeInvalid)
	deep := newChild(of) // its constants could be stored, but never be read back
	constants(t, deep.Flow, `{"${k}": {"key": "${k}", "name": "k", "value": "${k}", "show_type": "show"}}`)
	var value any = "x"
	for range stdops.MaxDepth {
		value = []any{value}
	}
	deep.Constants = stdops.NewObject("${k}", value)
	_, err = b.MakeChild(t.Context(), deep)
	refused(t, err, stdops.CodeInvalid)
	b.limits.Nodes = 3
	_, err = b.MakeChild(t.Context(), newChild(of))
	refused(t, err, stdops.CodeInvalid)
	b.limits.Nodes = 1000
	old := of
	old.Version = "n0"
	_, err = b.MakeChild(t.Context(), newChild(old))
	refused(t, err, stdops.CodeRefused)
	if _, err := b.store.Child(t.Context(), 1, of); stdops.ErrorCode(err) != stdops.CodeNotFound {
		t.Errorf("a task was made: %v", err)
	}
}

// constants gives the flow of a child constants, as JSON.
func constants(t *testing.T, child *stdops.Object, text string) {
	t.Helper()
	all := &stdops.Object{}
	must(t, all.UnmarshalJSON([]byte(text)))
	pipeline, _ := child.Get("pipeline")
	pipeline.(*stdops.Object).Set("constants", all)
}

func activity(t *testing.T, o *stdops.Object, id string) *stdops.Object {
	t.Helper()
	for _, key := range []string{"pipeline", "activities", id} {
		v, _ := o.Get(key)
		o = v.(*stdops.Object)
	}
	return o
}
