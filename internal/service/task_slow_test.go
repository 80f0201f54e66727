package service

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stdops/stdops"
)

// startedAgo makes a task of a tree, started so many seconds ago.
func (b *bundle) startedAgo(t *testing.T, tree *stdops.Object, seconds int, change ...func(*stdops.Change)) stdops.TaskID {
	t.Helper()
	created, err := b.FastCreateTask(t.Context(), b.access(t), NewTask{Name: "a task", Start: true}, tree)
	must(t, err)
	c := stdops.Change{Task: created.Task.ID, Project: 1, Revision: 1, Epoch: 1, Root: created.Task.Root}
	c.Root.Live, c.Root.Started = true, b.clock.Now().Add(-time.Duration(seconds)*time.Second)
	for _, f := range change {
		f(&c)
	}
	_, err = b.store.Commit(t.Context(), []stdops.Change{c})
	must(t, err)
	return created.Task.ID
}

func (b *bundle) slow(t *testing.T, q TaskQuery) (ids string, list *TaskList) {
	t.Helper()
	if q.Limit == 0 {
		q.Limit = 50
	}
	q.Slow = true
	list, err := b.Tasks(t.Context(), b.access(t), q)
	must(t, err)
	var all []string
	for i := range list.Tasks {
		all = append(all, fmt.Sprint(list.Tasks[i].Task.ID))
	}
	if list.Older != 0 {
		all = append(all, fmt.Sprint("…", list.Older))
	}
	return strings.Join(all, " "), list
}

// unlike is a tree that no other task has.
func unlike(name string) *stdops.Object {
	tree := two()
	field := func(of *stdops.Object, key string) *stdops.Object {
		value, _ := of.Get(key)
		return value.(*stdops.Object)
	}
	field(field(tree, "activities"), "a").Set("name", name)
	return tree
}

// TestSlowTasks: only tasks under way count that take longer than the 95th percentile of the runs of their tree, of which there are
// enough.
func TestSlowTasks(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, seconds := range []int{10, 20} {
		b.finished(t, seconds)
	}
	first := b.startedAgo(t, two(), 1000)
	if ids, _ := b.slow(t, TaskQuery{}); ids != "" {
		t.Errorf("of two runs nothing follows, but %s", ids)
	}
	b.finished(t, 30)
	b.clock.advance(slowLife * time.Second)
	within := b.startedAgo(t, two(), 30)
	over := b.startedAgo(t, two(), 31)
	paused := b.startedAgo(t, two(), 500, func(c *stdops.Change) { c.Root.State = stdops.StateSuspended })
	failed := b.startedAgo(t, two(), 500, func(c *stdops.Change) {
		c.Nodes = []stdops.NodeState{{Node: 3, Order: 1, Loop: 1, State: stdops.StateFailed, Started: c.Root.Started, Version: "v"}}
	})
	b.startedAgo(t, two(), 500, func(c *stdops.Change) {
		c.Root.State, c.Root.Live, c.Root.Finished = stdops.StateRevoked, false, b.clock.Now()
	})
	b.newTask(t, NewTask{})
	b.startedAgo(t, unlike("unlike"), 5000)
	for _, c := range []struct {
		name string
		q    TaskQuery
		want []any
	}{
		{"all", TaskQuery{}, []any{failed, paused, over, first}},
		{"running", TaskQuery{State: stdops.StateRunning}, []any{over, first}},
		{"failed", TaskQuery{State: stdops.StateFailed}, []any{failed}},
		{"paused", TaskQuery{State: stdops.StateSuspended}, []any{paused}},
		{"created", TaskQuery{State: stdops.StateCreated}, nil},
		{"revoked", TaskQuery{State: stdops.StateRevoked}, nil},
		{"a page", TaskQuery{Limit: 2}, []any{failed, paused, fmt.Sprint("…", paused)}},
		{"the next", TaskQuery{Limit: 2, Before: paused}, []any{over, first}},
		{"of nobody", TaskQuery{TaskMatch: TaskMatch{Creator: "nobody"}}, nil},
	} {
		ids, list := b.slow(t, c.q)
		if want := strings.TrimSpace(fmt.Sprintln(c.want...)); ids != want {
			t.Errorf("%s: %q, want %q", c.name, ids, want)
		}
		for i := range list.Tasks {
			if u := list.Tasks[i].Usual; u == nil || u.Runs != 3 || u.P95 != 30*time.Second || u.Median != 20*time.Second {
				t.Errorf("%s: usual %+v", c.name, u)
			}
		}
	}
	b.clock.advance(time.Second)
	if ids, _ := b.slow(t, TaskQuery{Before: over}); ids != fmt.Sprint(within, " ", first) {
		t.Errorf("a second later: %q", ids)
	}
	list, err := b.Tasks(t.Context(), b.access(t), TaskQuery{Limit: 1})
	must(t, err)
	if list.Tasks[0].Usual != nil {
		t.Error("how long tasks take is told where nobody asked for slow ones")
	}
}

// TestSlowTasksOfManyTrees: one list asks about so many trees and no more; its cursor leads on to the task that it ended before.
func TestSlowTasksOfManyTrees(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for range 3 {
		b.finished(t, 10)
	}
	last := b.startedAgo(t, two(), 100)
	var ids []stdops.TaskID
	for i := range mostSlowTrees {
		ids = append(ids, b.startedAgo(t, unlike(fmt.Sprint("tree ", i)), 100))
	}
	first := b.startedAgo(t, two(), 100)
	newest := b.startedAgo(t, two(), 100)
	found, list := b.slow(t, TaskQuery{})
	if want := fmt.Sprint(newest, " ", first, " …", ids[0]+1); found != want || !list.Cut {
		t.Fatalf("%q (cut %t), want %q", found, list.Cut, want)
	}
	if found, list = b.slow(t, TaskQuery{Before: list.Older}); found != fmt.Sprint(last) || list.Cut {
		t.Errorf("behind it: %q (cut %t)", found, list.Cut)
	}
	if found, _ := b.slow(t, TaskQuery{Limit: 1}); found != fmt.Sprint(newest, " …", newest) {
		t.Errorf("a page of one: %q", found)
	}
	if asked := b.durations.found.EstimatedSize(); asked != mostSlowTrees+1 {
		t.Errorf("%d trees were asked about, want %d", asked, mostSlowTrees+1)
	}
}
