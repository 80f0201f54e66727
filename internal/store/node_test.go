package store

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops"
)

func TestNode(t *testing.T) {
	t.Parallel()
	s := setup(t)
	task := createTask(t, s, newTask("one"))
	c := fullChange(s, task)
	c.Data = append(c.Data, stdops.NodeData{Node: 3, Template: []byte(`{}`)})
	commit(t, s, c)
	root := load(t, s, task).Task.Root
	for _, want := range []*NodeRecord{
		{State: &c.Nodes[0], Data: c.Data[0], Root: root},
		{State: &c.Nodes[1], Data: c.Data[1], Root: root},
		{Data: c.Data[2], Root: root},
		{Data: stdops.NodeData{Node: 4}, Root: root},
	} {
		got, err := s.Node(t.Context(), ref(task), want.Data.Node)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("node %d (-want +got):\n%s", want.Data.Node, diff)
		}
	}
}

func TestAttempts_and_variables_need_the_project(t *testing.T) {
	t.Parallel()
	s := setup(t)
	task := createTask(t, s, newTask("one"))
	c := fullChange(s, task)
	c.Attempts = []stdops.Attempt{{State: fullNode(1), Data: c.Data[0], Archived: at(3)}}
	c.Attempts[0].Data.Node = 1
	commit(t, s, c)

	for _, r := range []stdops.TaskRef{ref(task), {Project: 2, Task: task.ID}} {
		wantAttempts, wantVariables, wantLog := []stdops.Attempt{c.Attempts[0]}, c.Variables[1:], 2
		wantAttempts[0].ID = 1
		if r.Project == 2 {
			wantAttempts, wantVariables, wantLog = nil, nil, 0
		}
		attempts, err := s.Attempts(t.Context(), r, 1)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(wantAttempts, attempts); diff != "" {
			t.Errorf("attempts of %+v (-want +got):\n%s", r, diff)
		}
		variables, err := s.Variables(t.Context(), r, 2)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(wantVariables, variables); diff != "" {
			t.Errorf("variables of %+v (-want +got):\n%s", r, diff)
		}
		log, err := s.Transitions(t.Context(), r, 0, 10)
		if err != nil || len(log) != wantLog {
			t.Errorf("log of %+v: %v, %v", r, log, err)
		}
	}
}

func TestTransitions_pages(t *testing.T) {
	t.Parallel()
	s := setup(t)
	task := createTask(t, s, newTask("one"))
	for revision := range int64(3) {
		c := running(s, task)
		c.Revision = revision
		c.Transitions = []stdops.Transition{{Node: 1, To: stdops.StateRunning}, {Node: 2, To: stdops.StateRunning}}
		commit(t, s, c)
	}
	log, err := s.Transitions(t.Context(), ref(task), 1, 3)
	if err != nil {
		t.Fatal(err)
	}
	var got [][2]int64
	for _, l := range log {
		got = append(got, [2]int64{l.Revision, l.N})
	}
	if diff := cmp.Diff([][2]int64{{2, 0}, {2, 1}, {3, 0}}, got); diff != "" {
		t.Errorf("revision and place (-want +got):\n%s", diff)
	}
}

func TestFailures(t *testing.T) {
	t.Parallel()
	s := setup(t)
	task := createTask(t, s, newTask("one"))
	c := running(s, task)
	for i, state := range []stdops.State{stdops.StateFailed, stdops.StateFinished, stdops.StateFinished, stdops.StateFailed, stdops.StateFailed} {
		node := stdops.NodeIndex(i + 1)
		c.Nodes = append(c.Nodes, stdops.NodeState{Node: node, Order: int32(9 - i), State: state, ErrorIgnored: node == 2})
		d := stdops.NodeData{Node: node, Inputs: []byte(`{"i":1}`), Outputs: []byte(`{"o":1}`)}
		if node == 5 {
			d.Outputs = nil
		}
		c.Data = append(c.Data, d)
	}
	commit(t, s, c)
	for _, want := range []struct {
		ref   stdops.TaskRef
		limit int
		nodes []stdops.NodeIndex
	}{
		{ref(task), 9, []stdops.NodeIndex{4, 2, 1}}, // in order of execution
		{ref(task), 2, []stdops.NodeIndex{4, 2}},
		{stdops.TaskRef{Project: 2, Task: task.ID}, 9, nil},
	} {
		data, err := s.Failures(t.Context(), want.ref, want.limit)
		if err != nil {
			t.Fatal(err)
		}
		var nodes []stdops.NodeIndex
		for _, d := range data {
			nodes = append(nodes, d.Node)
			if string(d.Outputs) != `{"o":1}` || d.Inputs != nil {
				t.Errorf("node %d: %s, %s", d.Node, d.Outputs, d.Inputs)
			}
		}
		if diff := cmp.Diff(want.nodes, nodes); diff != "" {
			t.Errorf("%+v, limit %d (-want +got):\n%s", want.ref, want.limit, diff)
		}
	}
}
