package store

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops"
)

// parentOf gives a task that runs, and the attempt of its node 1, which runs too.
func parentOf(t *testing.T, s *Store) (stdops.Task, stdops.AttemptRef) {
	t.Helper()
	task := createTask(t, s, newTask("parent"))
	c := running(s, task)
	c.Nodes = []stdops.NodeState{{Node: 1, Order: 1, State: stdops.StateRunning, Phase: stdops.PhaseExecuting, Loop: 1, Version: "n1"}}
	commit(t, s, c)
	return loadTask(t, s, task), stdops.AttemptRef{Task: task.ID, Node: 1, Version: "n1"}
}

func loadTask(t *testing.T, s *Store, task stdops.Task) stdops.Task {
	t.Helper()
	task, err := s.Task(t.Context(), ref(task))
	if err != nil {
		t.Fatal(err)
	}
	return task
}

func newChild(of stdops.AttemptRef) NewTask {
	n := newTask("child")
	n.Task.Parent = of
	return n
}

// tell is a change of a child with something to say.
func tell(s *Store, child stdops.Task, to stdops.AttemptRef, texts ...string) stdops.Change {
	c := running(s, child)
	for _, text := range texts {
		c.Tells = append(c.Tells, stdops.Tell{To: to, Data: []byte(text)})
	}
	return c
}

// heard gives what a parent finds when it is loaded.
func heard(t *testing.T, s *Store, parent stdops.Task) (told []stdops.Callback) {
	t.Helper()
	snap, err := s.Load(t.Context(), ref(parent))
	if err != nil {
		t.Fatal(err)
	}
	return snap.Callbacks
}

func TestChild_is_found_by_the_attempt_that_made_it(t *testing.T) {
	t.Parallel()
	s := setup(t)
	parent, attempt := parentOf(t, s)
	child := createTask(t, s, newChild(attempt))
	found, err := s.Child(t.Context(), 1, attempt)
	if diff := cmp.Diff(child, found); diff != "" || err != nil {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
	ids, err := s.Children(t.Context(), ref(parent), 10)
	if err != nil || !slices.Equal(ids, []stdops.TaskID{child.ID}) {
		t.Errorf("children %v, %v", ids, err)
	}
	for _, other := range []stdops.AttemptRef{{}, {Task: attempt.Task, Node: 1, Version: "n2"}, {Task: attempt.Task, Node: 2, Version: "n1"}} {
		if _, err := s.Child(t.Context(), 1, other); stdops.ErrorCode(err) != stdops.CodeNotFound {
			t.Errorf("%+v: %v", other, err)
		}
	}
	if _, err := s.Child(t.Context(), 2, attempt); stdops.ErrorCode(err) != stdops.CodeNotFound {
		t.Errorf("in another project: %v", err)
	}
	yes, no := true, false
	for want, m := range map[string]TaskMatch{"[2 1]": {}, "[2]": {Child: &yes}, "[1]": {Child: &no}} {
		if got := fmt.Sprint(listed(t, s, TaskFilter{TaskMatch: m})); got != want {
			t.Errorf("listed %v, want %s", got, want)
		}
	}
}

func TestChild_is_made_once_and_only_of_an_attempt_that_runs(t *testing.T) {
	t.Parallel()
	s := setup(t)
	parent, attempt := parentOf(t, s)
	createTask(t, s, newChild(attempt))
	if _, err := s.CreateTask(t.Context(), newChild(attempt)); !errors.Is(err, stdops.ErrRepeated) {
		t.Errorf("a second child: %v", err)
	}
	later := attempt
	later.Version = "n2"
	if _, err := s.CreateTask(t.Context(), newChild(later)); stdops.ErrorCode(err) != stdops.CodeRefused {
		t.Errorf("child of an attempt that is not there: %v", err)
	}
	c := running(s, parent)
	c.Nodes = []stdops.NodeState{{Node: 1, Order: 1, State: stdops.StateRunning, Phase: stdops.PhaseExecuting, Loop: 1, Version: "n2"}}
	c.Root.State = stdops.StateRevoked
	commit(t, s, c)
	if _, err := s.CreateTask(t.Context(), newChild(later)); stdops.ErrorCode(err) != stdops.CodeRefused {
		t.Errorf("child of a task that has ended: %v", err)
	}
	foreign := newChild(later)
	foreign.Task.Project = 2
	if _, err := s.CreateTask(t.Context(), foreign); stdops.ErrorCode(err) != stdops.CodeRefused {
		t.Errorf("child in another project: %v", err)
	}
}

func TestTells_are_found_in_their_order_beside_callbacks(t *testing.T) {
	t.Parallel()
	s := setup(t)
	parent, attempt := parentOf(t, s)
	child := createTask(t, s, newChild(attempt))
	commit(t, s, tell(s, child, attempt, `"a"`, `"b"`))
	own := running(s, parent)
	own.Callbacks = []stdops.Callback{{Seq: 1, Node: 1, Version: "n1", Data: []byte(`"own"`)}}
	commit(t, s, own)
	commit(t, s, tell(s, loadTask(t, s, child), attempt, `"c"`))
	texts := func() (texts []string) {
		for _, c := range heard(t, s, parent) {
			texts = append(texts, fmt.Sprintf("%d %d %s %s", c.Seq, c.Node, c.Version, c.Data))
		}
		return texts
	}
	want := []string{`-1 1 n1 "a"`, `1 1 n1 "own"`, `-2 1 n1 "b"`, `-3 1 n1 "c"`}
	if got := texts(); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	own = running(s, loadTask(t, s, parent))
	own.Consumed = []int64{-1, -2}
	commit(t, s, own)
	commit(t, s, tell(s, loadTask(t, s, child), attempt, `"d"`))
	want = []string{`1 1 n1 "own"`, `-3 1 n1 "c"`, `-4 1 n1 "d"`}
	if got := texts(); !slices.Equal(got, want) {
		t.Errorf("after two were heard: %q, want %q", got, want)
	}
}

// A tell changes nothing of the parent's own row, so that the parent's driver and its revision are not disturbed; the next
// start looks at the parent nevertheless.
func TestTells_wake_the_parent_at_the_next_start(t *testing.T) {
	t.Parallel()
	s := setup(t)
	parent, attempt := parentOf(t, s)
	c := running(s, parent)
	c.Root.WakeAt = at(0).AddDate(100, 0, 0)
	commit(t, s, c)
	parent = loadTask(t, s, parent)
	child := createTask(t, s, newChild(attempt))
	commit(t, s, tell(s, child, attempt, `"a"`))
	if diff := cmp.Diff(parent, loadTask(t, s, parent)); diff != "" {
		t.Errorf("the parent changed (-before +after)\n%s", diff)
	}
	wakes, err := s.Live(t.Context())
	if err != nil || len(wakes) != 2 || wakes[0].Ref != ref(parent) || wakes[0].At.IsZero() || wakes[0].At.After(at(0)) {
		t.Errorf("woken: %v, %v", wakes, err)
	}
}

func TestTells_of_a_step_that_is_stale_are_not_stored(t *testing.T) {
	t.Parallel()
	s := setup(t)
	parent, attempt := parentOf(t, s)
	child := createTask(t, s, newChild(attempt))
	c := tell(s, child, attempt, `"a"`)
	c.Revision++
	verdicts, err := s.Commit(t.Context(), []stdops.Change{c})
	if err != nil || verdicts[0] != stdops.Stale || len(heard(t, s, parent)) > 0 {
		t.Errorf("%v, %v, %v", verdicts, err, heard(t, s, parent))
	}
}

func TestTells_to_a_task_that_is_over_are_dropped(t *testing.T) {
	t.Parallel()
	s := setup(t)
	parent, attempt := parentOf(t, s)
	child := createTask(t, s, newChild(attempt))
	c := running(s, parent)
	c.Root.State, c.Root.Live = stdops.StateRevoked, false
	commit(t, s, c)
	commit(t, s, tell(s, child, attempt, `"a"`))
	if told := heard(t, s, parent); len(told) > 0 {
		t.Errorf("heard %v", told)
	}
}

// The first step of a child is stored with it, and so is what that step has to tell.
func TestTells_of_the_first_step_are_stored_with_the_child(t *testing.T) {
	t.Parallel()
	s := setup(t)
	parent, attempt := parentOf(t, s)
	n := newChild(attempt)
	n.Start = func(task stdops.Task) (*stdops.Change, error) {
		c := tell(s, task, attempt, `"done"`)
		return &c, nil
	}
	createTask(t, s, n)
	if told := heard(t, s, parent); len(told) != 1 || string(told[0].Data) != `"done"` {
		t.Errorf("heard %v", told)
	}
}

func TestMigration_keeps_tasks_that_have_no_parent(t *testing.T) {
	t.Parallel()
	dir, db := openBefore(t, 9)
	if _, err := db.ExecContext(t.Context(), `
		INSERT INTO task (project_id, name, tree_hash, flow_type, claimed, deleted, template_id, template_source, create_method, app,
			creator, executor, description, category, created_at, state, version, revision, epoch, live)
		VALUES (1, 'old', 't', 'common', 0, 0, 0, '', 'api', '', 'ann', '', '', '', 1, 1, '', 0, 0, 0),
			(1, 'older', 't', 'common', 0, 0, 0, '', 'api', '', 'ann', '', '', '', 1, 1, '', 0, 0, 0)`); err != nil {
		t.Fatal(err)
	}
	s := reopen(t, dir)
	defer closeStore(t, s)
	task, err := s.Task(t.Context(), stdops.TaskRef{Project: 1, Task: 1})
	if err != nil || task.Name != "old" || task.Parent != (stdops.AttemptRef{}) {
		t.Errorf("%+v, %v", task, err)
	}
}
