package store

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops"
)

func TestCreateTask_gives_back_what_was_stored(t *testing.T) {
	t.Parallel()
	s := setup(t)
	n := newTask("one")
	n.Task.Claimed = true
	n.Task.FlowType = stdops.FlowFunctional
	task := createTask(t, s, n)
	want := n.Task
	want.ID = 1
	if diff := cmp.Diff(want, task); diff != "" {
		t.Errorf("created (-want +got):\n%s", diff)
	}
	got, err := s.Task(t.Context(), ref(task))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("read (-want +got):\n%s", diff)
	}
	if body, err := s.TaskTree(t.Context(), "t1"); err != nil || string(body) != `{"tree":1}` {
		t.Errorf("tree %s, %v", body, err)
	}
	if inputs, err := s.TaskInputs(t.Context(), ref(task)); err != nil || string(inputs) != `{"x":1}` {
		t.Errorf("inputs %s, %v", inputs, err)
	}
}

func TestCreateTask_stores_a_tree_once(t *testing.T) {
	t.Parallel()
	s := setup(t)
	createTask(t, s, newTask("one"))
	n := newTask("two")
	n.Body = nil // not looked at: the hash names the content
	createTask(t, s, n)
	if body, err := s.TaskTree(t.Context(), "t1"); err != nil || string(body) != `{"tree":1}` {
		t.Errorf("tree %s, %v", body, err)
	}
}

func TestCreateTask_with_start(t *testing.T) {
	t.Parallel()
	s := setup(t)
	n := newTask("one")
	n.Start = func(task stdops.Task) (*stdops.Change, error) {
		c := fullChange(s, task)
		return &c, nil
	}
	task := createTask(t, s, n)
	snap := load(t, s, task)
	if diff := cmp.Diff(snap.Task, task); diff != "" {
		t.Errorf("created (-read +given):\n%s", diff)
	}
	if task.Root.Revision != 1 || task.Root.State != stdops.StateRunning || task.Executor != "bob" || len(snap.Nodes) != 2 {
		t.Errorf("started task %+v with %d nodes", task, len(snap.Nodes))
	}
}

func TestCreateTask_that_cannot_start_is_not_stored(t *testing.T) {
	t.Parallel()
	s := setup(t)
	refusal := stdops.Errorf(stdops.CodeRefused, "no")
	for name, start := range map[string]func(stdops.Task) (*stdops.Change, error){
		"refused":      func(stdops.Task) (*stdops.Change, error) { return nil, refusal },
		"another task": func(stdops.Task) (*stdops.Change, error) { return &stdops.Change{Task: 99, Project: 1}, nil },
		"a later state": func(t stdops.Task) (*stdops.Change, error) {
			return &stdops.Change{Task: t.ID, Project: 1, Revision: 1}, nil
		},
	} {
		n := newTask(name)
		n.Start = start
		_, err := s.CreateTask(t.Context(), n)
		if err == nil || name == "refused" && !errors.Is(err, refusal) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if tasks := listed(t, s, TaskFilter{}); len(tasks) > 0 {
		t.Errorf("stored: %v", tasks)
	}
}

// A task is found with its project only, and a foreign one is answered like none.
func TestTask_not_found(t *testing.T) {
	t.Parallel()
	s := setup(t)
	task := createTask(t, s, newTask("one"))
	ctx := t.Context()
	for method, call := range map[string]func(stdops.TaskRef) error{
		"Task":       func(r stdops.TaskRef) error { _, err := s.Task(ctx, r); return err },
		"TaskInputs": func(r stdops.TaskRef) error { _, err := s.TaskInputs(ctx, r); return err },
		"Load":       func(r stdops.TaskRef) error { _, err := s.Load(ctx, r); return err },
		"Node":       func(r stdops.TaskRef) error { _, err := s.Node(ctx, r, 1); return err },
		"NodeDetail": func(r stdops.TaskRef) error { _, err := s.NodeDetail(ctx, r, 1); return err },
		"DeleteTask": func(r stdops.TaskRef) error { return s.DeleteTask(ctx, r) },
	} {
		var texts []string
		for _, r := range []stdops.TaskRef{{Project: 1, Task: 99}, {Project: 2, Task: task.ID}} {
			err := call(r)
			if stdops.ErrorCode(err) != stdops.CodeNotFound {
				t.Errorf("%s %+v: %v", method, r, err)
				continue
			}
			texts = append(texts, err.Error())
		}
		want := []string{"task 99 does not exist", fmt.Sprintf("task %d does not exist", task.ID)}
		if diff := cmp.Diff(want, texts); diff != "" {
			t.Errorf("%s (-want +got):\n%s", method, diff)
		}
		if err := call(ref(task)); err != nil {
			t.Errorf("%s of the task itself: %v", method, err)
		}
	}
	if _, err := s.TaskTree(ctx, "nothing"); stdops.ErrorCode(err) != stdops.CodeNotFound {
		t.Errorf("tree: %v", err)
	}
}

func TestDeleteTask_raises_the_revision_once(t *testing.T) {
	t.Parallel()
	s := setup(t)
	task := createTask(t, s, newTask("one"))
	for range 2 {
		if err := s.DeleteTask(t.Context(), ref(task)); err != nil {
			t.Fatal(err)
		}
		got, err := s.Task(t.Context(), ref(task))
		if err != nil || !got.Deleted || got.Root.Revision != 1 {
			t.Errorf("deleted %v, revision %d, %v", got.Deleted, got.Root.Revision, err)
		}
	}
}

func TestDeleteTask_leaves_what_runs(t *testing.T) {
	t.Parallel()
	s := setup(t)
	for state, want := range map[stdops.State]bool{
		stdops.StateCreated: true, stdops.StateFinished: true, stdops.StateRevoked: true,
		stdops.StateRunning: false, stdops.StateSuspended: false,
	} {
		task := createTask(t, s, newTask(state.String()))
		if state != stdops.StateCreated {
			c := running(s, task)
			c.Root.State = state
			commit(t, s, c)
		}
		before, _ := s.Task(t.Context(), ref(task))
		err := s.DeleteTask(t.Context(), ref(task))
		after, _ := s.Task(t.Context(), ref(task))
		switch {
		case want && (err != nil || !after.Deleted || after.Root.Revision != before.Root.Revision+1):
			t.Errorf("%s: %v, %+v", state, err, after)
		case !want && (stdops.ErrorCode(err) != stdops.CodeRefused || !cmp.Equal(before, after)):
			t.Errorf("%s: %v, %+v", state, err, after)
		}
	}
}

func TestLive(t *testing.T) {
	t.Parallel()
	s := setup(t)
	var want []stdops.Wake
	for i := range 4 {
		task := createTask(t, s, newTask(fmt.Sprint(i)))
		c := running(s, task)
		switch i {
		case 0:
			c.Root.Live = false
		case 1:
			c.Root.WakeAt = at(0).AddDate(0, 0, 1)
		case 2:
			c.Root.WakeAt = task.Root.WakeAt // zero: waits for someone
		case 3:
			continue // not started
		}
		commit(t, s, c)
		if c.Root.Live {
			want = append(want, stdops.Wake{Ref: ref(task), At: c.Root.WakeAt})
		}
	}
	got, err := s.Live(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("live (-want +got):\n%s", diff)
	}
}
