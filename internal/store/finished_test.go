package store

import (
	"slices"
	"testing"

	"github.com/stdops/stdops"
)

// Those that count are of the flow, have the tree, FINISHED, and are not deleted; and no more are looked at than was said.
func TestFinished(t *testing.T) {
	t.Parallel()
	s := setup(t)
	add := func(change func(*stdops.Task), state stdops.State) stdops.TaskID {
		n := newTask("run")
		change(&n.Task)
		task := createTask(t, s, n)
		c := running(s, task)
		c.Root.State, c.Root.Finished, c.Root.Live = state, at(9), state == stdops.StateRunning
		commit(t, s, c)
		return task.ID
	}
	like := func(*stdops.Task) {}
	first, second := add(like, stdops.StateFinished), add(like, stdops.StateFinished)
	add(func(n *stdops.Task) { n.TreeHash = "t2" }, stdops.StateFinished)
	alone := add(func(n *stdops.Task) { n.Template = 0 }, stdops.StateFinished)
	elsewhere := add(func(n *stdops.Task) { n.Project = 2 }, stdops.StateFinished)
	add(like, stdops.StateRunning)
	add(like, stdops.StateRevoked)
	third, gone := add(like, stdops.StateFinished), add(like, stdops.StateFinished)
	if err := s.DeleteTask(t.Context(), stdops.TaskRef{Project: 1, Task: gone}); err != nil {
		t.Fatal(err)
	}
	type q = FinishedQuery
	for _, c := range []struct {
		name    string
		project stdops.ProjectID
		q       FinishedQuery
		want    []stdops.TaskID
	}{
		{"all", 1, q{Template: 7, Tree: "t1", Among: 100, Limit: 20}, []stdops.TaskID{third, second, first}},
		{"the latest", 1, q{Template: 7, Tree: "t1", Among: 100, Limit: 2}, []stdops.TaskID{third, second}},
		{"among few", 1, q{Template: 7, Tree: "t1", Among: 5, Limit: 20}, []stdops.TaskID{third, second}},
		{"among fewer", 1, q{Template: 7, Tree: "t1", Among: 4, Limit: 20}, []stdops.TaskID{third}},
		{"among the newest", 1, q{Template: 7, Tree: "t1", Among: 1, Limit: 20}, []stdops.TaskID{third}},
		{"of no flow", 1, q{Tree: "t1", Among: 100, Limit: 20}, []stdops.TaskID{alone}},
		{"elsewhere", 2, q{Template: 7, Tree: "t1", Among: 100, Limit: 20}, []stdops.TaskID{elsewhere}},
		{"never seen", 1, q{Template: 7, Tree: "t3", Among: 100, Limit: 20}, nil},
	} {
		got, err := s.Finished(t.Context(), c.project, c.q)
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v: %v", c.name, got, c.want, err)
		}
	}
}
