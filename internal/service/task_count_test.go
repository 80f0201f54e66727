package service

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops"
)

// running makes a task that runs, with its first activity in a state.
func (b *bundle) running(t *testing.T, node stdops.NodeState) stdops.TaskID {
	t.Helper()
	created := b.newTask(t, NewTask{Start: true})
	root := created.Task.Root
	root.State, root.Live = stdops.StateRunning, true
	node.Order, node.Loop = max(node.Order, 1), 1
	_, err := b.store.Commit(t.Context(), []stdops.Change{{
		Task: created.Task.ID, Project: 1, Revision: 1, Epoch: 1, Root: root, Nodes: []stdops.NodeState{node},
	}})
	must(t, err)
	return created.Task.ID
}

// TestTasksHaveACategory: every task counts in a group, also one of which no category was told.
func TestTasksHaveACategory(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.newTask(t, NewTask{})
	b.newTask(t, NewTask{Category: "Other"})
	got, err := b.CountTasks(t.Context(), b.access(t), TaskMatch{}, ByCategory, DefaultCategory, "Other")
	must(t, err)
	if diff := cmp.Diff([]int64{1, 1}, got.Of); diff != "" {
		t.Errorf("by category (-want +got)\n%s", diff)
	}
}

// TestCountStates: tasks that show FAILED or NODE_SUSPENDED are told from those that run, over any number of steps, and a
// count that has looked at enough of them says so.
func TestCountStates(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for range 3 {
		b.running(t, stdops.NodeState{Node: 3, State: stdops.StateFailed})
	}
	for range 2 {
		b.running(t, stdops.NodeState{Node: 3, State: stdops.StateSuspended})
	}
	b.running(t, stdops.NodeState{Node: 3, State: stdops.StateRunning})
	b.newTask(t, NewTask{})
	for _, c := range []struct {
		step, most int
		want       StateCounts
	}{
		{100, 1000, StateCounts{Of: map[stdops.State]int64{stdops.StateFailed: 3, stdops.StateNodeSuspended: 2, stdops.StateRunning: 1}}},
		{2, 1000, StateCounts{Of: map[stdops.State]int64{stdops.StateFailed: 3, stdops.StateNodeSuspended: 2, stdops.StateRunning: 1}}},
		{5, 1000, StateCounts{Of: map[stdops.State]int64{stdops.StateFailed: 3, stdops.StateNodeSuspended: 2, stdops.StateRunning: 1}}},
		{2, 4, StateCounts{Of: map[stdops.State]int64{stdops.StateFailed: 2, stdops.StateNodeSuspended: 2, stdops.StateRunning: 2}, Cut: true}},
	} {
		got := StateCounts{Of: map[stdops.State]int64{stdops.StateRunning: 6}}
		must(t, b.countDerived(t.Context(), b.access(t), TaskMatch{}, &got, c.step, c.most))
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("step %d, most %d (-want +got)\n%s", c.step, c.most, diff)
		}
	}
	all, err := b.CountStates(t.Context(), b.access(t), TaskMatch{})
	must(t, err)
	want := map[stdops.State]int64{
		stdops.StateCreated: 1, stdops.StateRunning: 1, stdops.StateSuspended: 0, stdops.StateNodeSuspended: 2, stdops.StateFailed: 3,
		stdops.StateFinished: 0, stdops.StateRevoked: 0,
	}
	if diff := cmp.Diff(want, all.Of); diff != "" || all.Total != 7 || all.Cut {
		t.Errorf("%d of %v, cut %v (-want +got)\n%s", all.Total, all.Of, all.Cut, diff)
	}
}

// TestTasks_of_a_derived_state finds all of them, whatever stands between, and leads on where it stops.
func TestTasks_of_a_derived_state(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var failed, running []stdops.TaskID
	for i := range 9 {
		state := stdops.StateFailed
		if i%3 > 0 {
			state = stdops.StateRunning
		}
		id := b.running(t, stdops.NodeState{Node: 3, State: state})
		if state == stdops.StateFailed {
			failed = append([]stdops.TaskID{id}, failed...)
		} else {
			running = append([]stdops.TaskID{id}, running...)
		}
	}
	for state, want := range map[stdops.State][]stdops.TaskID{stdops.StateFailed: failed, stdops.StateRunning: running, stdops.StateNodeSuspended: nil} {
		var got []stdops.TaskID
		for before, more := stdops.TaskID(0), true; more; {
			list, err := b.Tasks(t.Context(), b.access(t), TaskQuery{Limit: 2, State: state, Before: before})
			must(t, err)
			for _, task := range list.Tasks {
				got = append(got, task.Task.ID)
			}
			before, more = list.Older, list.Older != 0
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", state, diff)
		}
	}
}

// TestInterventions: what only looks like waiting for somebody does not count, and one record that is damaged does not
// spoil the others.
func TestInterventions(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, c := range []struct {
		node stdops.NodeState
		want string
	}{
		{stdops.NodeState{Node: 3, State: stdops.StateFailed}, "true"},
		{stdops.NodeState{Node: 3, State: stdops.StateSuspended}, "true"},
		{stdops.NodeState{Node: 3, State: stdops.StateRunning}, "false"}, // of a timer
		{stdops.NodeState{Node: 3, State: stdops.StateFinished}, "false"},
		{stdops.NodeState{Node: 99, State: stdops.StateFailed}, "false the record of task 5 can not be read"},
	} {
		id := b.running(t, c.node)
		found, err := b.Interventions(t.Context(), b.access(t), []stdops.TaskID{id, 1})
		must(t, err)
		got := fmt.Sprint(found[0].Required)
		if found[0].Problem != nil {
			got += " " + found[0].Problem.Message
		}
		if found[0].Task != id || got != c.want || !found[len(found)-1].Required {
			t.Errorf("%+v: %s, want %s; the first task: %+v", c.node, got, c.want, found[len(found)-1])
		}
	}
	appointed := b.running(t, stdops.NodeState{Node: 3, State: stdops.StateRunning})
	task, err := b.store.Task(t.Context(), stdops.TaskRef{Project: 1, Task: appointed})
	must(t, err)
	_, err = b.store.Commit(t.Context(), []stdops.Change{{
		Task: appointed, Project: 1, Revision: task.Root.Revision, Epoch: 1, Root: task.Root,
		Nodes: []stdops.NodeState{{Node: 4, State: stdops.StateSuspended}},
	}})
	must(t, err)
	found, err := b.Interventions(t.Context(), b.access(t), []stdops.TaskID{appointed})
	must(t, err)
	if found[0].Required {
		t.Error("a pause that is only appointed needs somebody")
	}
}
