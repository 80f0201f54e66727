package store

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/stdops/stdops"
)

// fullNode is a node state in which every field has a value of its own.
func fullNode(node stdops.NodeIndex) stdops.NodeState {
	return stdops.NodeState{
		Node: node, Order: 2, State: stdops.StateFailed, Phase: stdops.PhaseWaiting, Call: 3, Loop: 4, InnerLoop: 5, Retry: 6,
		AutoRetries: 7, Skip: true, ErrorIgnored: true, Version: version, Token: 8,
		Started: at(1), Finished: at(2), Due: at(3), Deadline: at(4), Called: at(5),
	}
}

// fullChange is a first change of task in which every list has something.
func fullChange(s *Store, task stdops.Task) stdops.Change {
	c := running(s, task)
	c.Nodes = []stdops.NodeState{fullNode(1), {Node: 2, Order: 3, State: stdops.StateFinished, Started: at(5)}}
	c.Data = []stdops.NodeData{
		{Node: 1, Inputs: []byte(`{"a":1}`), Outputs: []byte(`{}`), Template: []byte(`{"t":1}`)},
		{Node: 2, Inputs: []byte(`{"b":1}`)},
	}
	c.Variables = []stdops.Variable{{Scope: 0, Key: "x", Value: []byte(`1`)}, {Scope: 2, Key: "x", Value: []byte(`"y"`)}}
	c.Forks = []stdops.Fork{
		{Token: 1, Need: 2, Have: 1},
		{Token: 2, Parent: 1, Destination: 9, Next: 4, Stopped: true, SuspendedBy: 3, Moving: true},
	}
	c.Callbacks = []stdops.Callback{{Seq: 1, Node: 1, Version: version, Data: []byte(`{"c":1}`)}, {Seq: 2, Node: 2}}
	c.Transitions = []stdops.Transition{
		{Node: 0, From: stdops.StateCreated, To: stdops.StateRunning, Actor: "bob", Time: at(1)},
		{Node: 1, From: stdops.StateNone, To: stdops.StateRunning, Time: at(2)},
	}
	return c
}

func load(t testing.TB, s *Store, task stdops.Task) *stdops.Snapshot {
	t.Helper()
	snap, err := s.Load(t.Context(), ref(task))
	if err != nil {
		t.Fatal(err)
	}
	return snap
}

func TestCommit_stores_all_of_a_change(t *testing.T) {
	t.Parallel()
	s := setup(t)
	task := createTask(t, s, newTask("one"))
	c := fullChange(s, task)
	commit(t, s, c)

	want := &stdops.Snapshot{
		Task: task, Inputs: []byte(`{"x":1}`), Nodes: c.Nodes, Data: c.Data[:1], // node 2 is finished
		Variables: c.Variables, Forks: c.Forks, Callbacks: c.Callbacks,
	}
	want.Task.Root, want.Task.Executor = c.Root, "bob"
	want.Task.Root.Revision, want.Task.Root.Epoch = 1, s.Epoch()
	if diff := cmp.Diff(want, load(t, s, task)); diff != "" {
		t.Errorf("snapshot (-want +got):\n%s", diff)
	}

	log, err := s.Transitions(t.Context(), ref(task), 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	wantLog := []stdops.LoggedTransition{{Revision: 1, Transition: c.Transitions[0]}, {Revision: 1, N: 1, Transition: c.Transitions[1]}}
	if diff := cmp.Diff(wantLog, log); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
}

func TestCommit_gives_constants_and_variables_other_values(t *testing.T) {
	t.Parallel()
	s := setup(t)
	task, other := createTask(t, s, newTask("one")), createTask(t, s, newTask("two"))
	commit(t, s, fullChange(s, task))
	change := stdops.Change{Task: task.ID, Project: task.Project, Revision: 1, Epoch: s.Epoch(), Root: load(t, s, task).Task.Root}
	change.Inputs = []byte(`{"x":2}`)
	change.Variables = []stdops.Variable{{Scope: 0, Key: "x"}, {Scope: 0, Key: "never"}, {Scope: 2, Key: "x", Value: []byte(`"z"`)}}
	commit(t, s, change)
	snap := load(t, s, task)
	if want := []stdops.Variable{{Scope: 2, Key: "x", Value: []byte(`"z"`)}}; snap.Task.Root.Revision != 2 || !cmp.Equal(want, snap.Variables) {
		t.Errorf("revision %d, variables %+v", snap.Task.Root.Revision, snap.Variables)
	}
	if string(snap.Inputs) != `{"x":2}` || string(load(t, s, other).Inputs) != `{"x":1}` {
		t.Errorf("constants are %s, those of another task %s", snap.Inputs, load(t, s, other).Inputs)
	}
}

func TestCommit_stale(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*stdops.Change){
		"older revision":  func(c *stdops.Change) { c.Revision-- },
		"newer revision":  func(c *stdops.Change) { c.Revision++ },
		"earlier epoch":   func(c *stdops.Change) { c.Epoch-- },
		"foreign project": func(c *stdops.Change) { c.Project = 2 },
		"unknown task":    func(c *stdops.Change) { c.Task = 99 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := setup(t)
			task, other := createTask(t, s, newTask("one")), createTask(t, s, newTask("two"))
			commit(t, s, running(s, task))
			task.Root.Revision = 1
			before := load(t, s, task)

			stale, good := fullChange(s, task), fullChange(s, other)
			spoil(&stale)
			got, err := s.Commit(t.Context(), []stdops.Change{stale, good})
			if err != nil {
				t.Fatal(err)
			}
			want := stdops.Stale
			if onPostgres(t) && name == "earlier epoch" {
				want = stdops.Fenced
			}
			if diff := cmp.Diff([]stdops.Verdict{want, stdops.Committed}, got); diff != "" {
				t.Errorf("verdicts (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(before, load(t, s, task)); diff != "" {
				t.Errorf("the stale change left a trace (-before +after):\n%s", diff)
			}
			if diff := cmp.Diff(good.Nodes, load(t, s, other).Nodes); diff != "" {
				t.Errorf("the other change (-want +got):\n%s", diff)
			}
			if log, err := s.Transitions(t.Context(), ref(task), 0, 10); err != nil || len(log) > 0 {
				t.Errorf("log of the stale change: %v, %v", log, err)
			}
		})
	}
}

func TestCommit_later_epoch_takes_over(t *testing.T) {
	t.Parallel()
	s := setup(t)
	task := createTask(t, s, newTask("one"))
	c := running(s, task)
	c.Epoch = 5
	commit(t, s, c)
	if got := load(t, s, task).Task.Root.Epoch; got != 5 {
		t.Errorf("epoch %d, want 5", got)
	}
}

func TestCommit_error_stores_nothing_of_the_batch(t *testing.T) {
	t.Parallel()
	s := setup(t)
	task, other := createTask(t, s, newTask("one")), createTask(t, s, newTask("two"))
	good, bad := running(s, task), running(s, other)
	bad.Nodes = []stdops.NodeState{{Node: 1, State: 99}}
	if _, err := s.Commit(t.Context(), []stdops.Change{good, bad}); err == nil {
		t.Fatal("a state that does not exist was stored")
	}
	for _, task := range []stdops.Task{task, other} {
		if got := load(t, s, task).Task.Root; got != task.Root {
			t.Errorf("task %d: root %+v, want %+v", task.ID, got, task.Root)
		}
	}
	commit(t, s, good) // and the store goes on
}

func TestCommit_keeps_attempts(t *testing.T) {
	t.Parallel()
	s := setup(t)
	task := createTask(t, s, newTask("one"))
	first := fullChange(s, task)
	commit(t, s, first)

	second := running(s, task)
	second.Revision = 1
	second.Archive = []stdops.NodeIndex{1, 7} // 7 was never reached: there is nothing to keep
	second.Nodes = []stdops.NodeState{{Node: 1, Order: 2, State: stdops.StateRunning, Retry: 8, Version: "v2"}}
	second.Data = []stdops.NodeData{{Node: 1, Inputs: []byte(`{"a":2}`)}}
	second.Attempts = []stdops.Attempt{{
		State: stdops.NodeState{Node: 1, Order: 2, State: stdops.StateFailed, Version: "v1b"},
		Data:  stdops.NodeData{Node: 1, Outputs: []byte(`{"o":1}`)}, Archived: at(9),
	}}
	commit(t, s, second)

	got, err := s.NodeDetail(t.Context(), ref(task), 1)
	if err != nil {
		t.Fatal(err)
	}
	want := &NodeDetail{
		Task: load(t, s, task).Task, State: &second.Nodes[0], Data: second.Data[0],
		Attempts: []stdops.Attempt{{State: first.Nodes[0], Data: first.Data[0], Archived: noon}, second.Attempts[0]},
	}
	for _, c := range first.Callbacks {
		want.Callbacks = append(want.Callbacks, stdops.Callback{Seq: c.Seq, Node: c.Node, Version: c.Version}) // without their data
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(stdops.Attempt{}, "ID")); diff != "" {
		t.Errorf("detail (-want +got):\n%s", diff)
	}
	if len(got.Attempts) == 2 && got.Attempts[0].ID >= got.Attempts[1].ID {
		t.Errorf("ids of attempts %d, %d do not ascend", got.Attempts[0].ID, got.Attempts[1].ID)
	}
}

func TestCommit_removes_dead_forks_and_decided_callbacks(t *testing.T) {
	t.Parallel()
	s := setup(t)
	task := createTask(t, s, newTask("one"))
	first := fullChange(s, task)
	commit(t, s, first)

	second := running(s, task)
	second.Revision = 1
	second.Forks = []stdops.Fork{{Token: 2, Parent: 1, Dead: true}, {Token: 3, Dead: true}}
	second.Callbacks = []stdops.Callback{{Seq: 3, Node: 1}, {Seq: 4, Node: 1}}
	second.Consumed = []int64{1, 3}
	commit(t, s, second)

	got := load(t, s, task)
	if diff := cmp.Diff(first.Forks[:1], got.Forks); diff != "" {
		t.Errorf("forks (-want +got):\n%s", diff)
	}
	want := []stdops.Callback{first.Callbacks[1], second.Callbacks[1]}
	if diff := cmp.Diff(want, got.Callbacks); diff != "" {
		t.Errorf("callbacks (-want +got):\n%s", diff)
	}
}

// A series of changes and a model of it in maps give the same snapshot, whatever the changes are.
func TestCommit_agrees_with_model(t *testing.T) {
	t.Parallel()
	s := setup(t)
	var (
		node  = rapid.Custom(func(t *rapid.T) stdops.NodeIndex { return stdops.NodeIndex(rapid.IntRange(0, 4).Draw(t, "node")) })
		bytes = rapid.SampledFrom([][]byte{nil, {}, []byte(`{}`), []byte(`{"k":"é\u0000"}`)})
		state = rapid.SampledFrom([]stdops.State{stdops.StateReady, stdops.StateRunning, stdops.StateFinished, stdops.StateFailed})
	)
	rapid.Check(t, func(rt *rapid.T) {
		task := createTask(t, s, newTask("model"))
		var (
			nodes = map[stdops.NodeIndex]stdops.NodeState{}
			data  = map[stdops.NodeIndex]stdops.NodeData{}
			forks = map[stdops.Token]stdops.Fork{}
		)
		for range rapid.IntRange(1, 6).Draw(rt, "changes") {
			c := running(s, task)
			c.Revision = task.Root.Revision
			if rapid.IntRange(0, 3).Draw(rt, "stale") == 0 {
				c.Revision += rapid.SampledFrom([]int64{-1, 1, 1 << 40}).Draw(rt, "off")
			}
			n := stdops.NodeState{Node: node.Draw(rt, "n"), State: state.Draw(rt, "state"), Due: at(rapid.IntRange(0, 9).Draw(rt, "due"))}
			d := stdops.NodeData{Node: n.Node, Inputs: bytes.Draw(rt, "in"), Outputs: bytes.Draw(rt, "out"), Template: bytes.Draw(rt, "tpl")}
			f := stdops.Fork{Token: stdops.Token(rapid.IntRange(1, 3).Draw(rt, "token")), Dead: rapid.Bool().Draw(rt, "dead")}
			c.Nodes, c.Data, c.Forks = []stdops.NodeState{n}, []stdops.NodeData{d}, []stdops.Fork{f}
			verdicts, err := s.Commit(t.Context(), []stdops.Change{c})
			if err != nil {
				rt.Fatal(err)
			}
			if want := c.Revision != task.Root.Revision; (verdicts[0] == stdops.Stale) != want {
				rt.Fatalf("stale %v, want %v", verdicts[0] == stdops.Stale, want)
			}
			if verdicts[0] == stdops.Stale {
				continue
			}
			task.Root.Revision++
			nodes[n.Node], data[n.Node] = n, d
			if forks[f.Token] = f; f.Dead {
				delete(forks, f.Token)
			}
		}
		for i, n := range nodes {
			if n.State == stdops.StateFinished && data[i].Template == nil {
				delete(data, i)
			}
		}
		got := load(t, s, task)
		if got.Task.Root.Revision != task.Root.Revision {
			rt.Errorf("revision %d, want %d", got.Task.Root.Revision, task.Root.Revision)
		}
		if diff := cmp.Diff(inOrder(nodes), got.Nodes); diff != "" {
			rt.Errorf("nodes (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(inOrder(data), got.Data); diff != "" {
			rt.Errorf("data (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(inOrder(forks), got.Forks); diff != "" {
			rt.Errorf("forks (-want +got):\n%s", diff)
		}
	})
}

// inOrder gives the values of m by their keys.
func inOrder[K ~int32, V any](m map[K]V) []V {
	var values []V
	for _, k := range slices.Sorted(maps.Keys(m)) {
		values = append(values, m[k])
	}
	return values
}
