package store

import (
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops"
)

// The one process that has the store open drives what is to happen by itself, and nothing that waits for somebody.
func TestDriver_is_the_only_process(t *testing.T) {
	t.Parallel()
	s := setup(t)
	task := createTask(t, s, newTask("one"))
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	c := running(s, task)
	for _, step := range []struct {
		name string
		root stdops.RootState
		want Driver
	}{
		{"made", stdops.RootState{State: stdops.StateCreated}, Driver{}},
		{"something is due", c.Root, Driver{Name: host, PID: os.Getpid()}},
		{"waits for a callback", stdops.RootState{State: stdops.StateRunning, Live: true}, Driver{}},
		{"ended", stdops.RootState{State: stdops.StateFinished}, Driver{}},
	} {
		if step.root.State != stdops.StateCreated {
			c.Root = step.root
			commit(t, s, c)
			c.Revision++
		}
		got, err := s.Driver(t.Context(), ref(task))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(step.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.name, diff)
		}
	}
	noDriver(t, s, task)
}

// noDriver checks that nobody is told of a task of another project, or of none.
func noDriver(t *testing.T, s *Store, task stdops.Task) {
	t.Helper()
	for _, r := range []stdops.TaskRef{{Project: 2, Task: task.ID}, {Project: 1, Task: 999}} {
		if _, err := s.Driver(t.Context(), r); stdops.ErrorCode(err) != stdops.CodeNotFound {
			t.Errorf("%+v: %v", r, err)
		}
	}
}

// Each process tells the same of who drives a task: the one that has claimed it, until that is dead and another one has taken it.
func TestPostgres_driver(t *testing.T) {
	t.Parallel()
	all := processes(t, 3)
	w := make([]*Workers, 2)
	for i, name := range []string{"here", "there"} {
		w[i] = all[i].Workers(WorkerOptions{Name: name, Drives: true})
		if err := w[i].Join(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	task := createTask(t, all[0], newTask("one"))
	told := func(what string, want Driver) {
		t.Helper()
		for i, s := range all {
			got, err := s.Driver(t.Context(), ref(task))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s, told by process %d (-want +got):\n%s", what, i, diff)
			}
		}
	}
	told("made", Driver{})
	claim := func(w *Workers) int64 {
		t.Helper()
		got, err := w.Claim(t.Context(), []stdops.TaskRef{ref(task)})
		if err != nil || len(got) != 1 {
			t.Fatalf("claimed %v, %v", got, err)
		}
		return got[0].Epoch
	}
	damage(t, all[0], `UPDATE task SET live = 1`)
	epoch := claim(w[0])
	told("claimed", Driver{Name: "here", PID: os.Getpid()})

	far := at(3600)
	gone, err := w[0].Release(t.Context(), []stdops.Release{{Ref: ref(task), Epoch: epoch, Revision: -1, WakeAt: far}})
	if err != nil || !gone[0] {
		t.Fatalf("released %v, %v", gone, err)
	}
	told("waits for its time", Driver{Free: far})
	epoch = claim(w[0])
	if gone, err = w[0].Release(t.Context(), []stdops.Release{{Ref: ref(task), Epoch: epoch, Revision: -1}}); err != nil || !gone[0] {
		t.Fatalf("released %v, %v", gone, err)
	}
	told("waits for somebody", Driver{})

	claim(w[0])
	damage(t, all[1], `UPDATE worker SET expires_at = 1 WHERE host = 'here'`)
	told("its process is dead", Driver{Name: "here", PID: os.Getpid(), Lost: true})
	if _, err := w[1].Sweep(t.Context(), 10); err != nil {
		t.Fatal(err)
	}
	told("another one has taken it", Driver{Name: "there", PID: os.Getpid()})
	noDriver(t, all[2], task)
}

func TestCallbackTimes(t *testing.T) {
	t.Parallel()
	s := setup(t)
	task := createTask(t, s, newTask("one"))
	const run, failed = stdops.StateRunning, stdops.StateFailed
	for revision, log := range [][]stdops.Transition{
		{{Node: 1, To: run, Time: at(1)}, {Node: 2, To: run, Time: at(1)}},
		{{Node: 1, From: run, To: run, Time: at(2)}, {Node: 2, From: run, To: run, Time: at(3)}},
		{{Node: 1, From: run, To: failed, Time: at(4)}, {Node: 1, From: failed, To: failed, Time: at(5)}},
		{{Node: 1, From: run, To: run, Time: at(6)}},
	} {
		c := running(s, task)
		c.Revision, c.Transitions = int64(revision), log
		commit(t, s, c)
	}
	for _, want := range []struct {
		ref   stdops.TaskRef
		node  stdops.NodeIndex
		times []time.Time
	}{
		{ref(task), 1, []time.Time{at(6), at(2)}},
		{ref(task), 2, []time.Time{at(3)}},
		{ref(task), 3, nil},
		{stdops.TaskRef{Project: 2, Task: task.ID}, 1, nil},
	} {
		got, err := s.CallbackTimes(t.Context(), want.ref, want.node)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want.times, got); diff != "" {
			t.Errorf("node %d of %+v (-want +got):\n%s", want.node, want.ref, diff)
		}
	}
}
