package store

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops"
)

// told is what a listener of [Store.Changes] was told.
type told struct {
	mu     sync.Mutex
	list   []stdops.TaskRevision
	missed int
}

func (h *told) changed(list []stdops.TaskRevision) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.list = append(h.list, list...)
	if list == nil {
		h.missed++
	}
}

// take gives what was told since the last time.
func (h *told) take() []stdops.TaskRevision {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := h.list
	h.list = nil
	slices.SortFunc(list, func(a, b stdops.TaskRevision) int { return int(a.Ref.Task - b.Ref.Task) })
	return list
}

func listen(t *testing.T, s *Store) *told {
	t.Helper()
	h := &told{}
	t.Cleanup(s.Changes(h.changed))
	return h
}

func TestChanges_tell_all_that_raises_a_revision(t *testing.T) {
	t.Parallel()
	s := setup(t)
	h := listen(t, s)
	var first, second stdops.Task
	refuse := errors.New("refused")
	at := func(task stdops.Task, revision int64) stdops.TaskRevision {
		return stdops.TaskRevision{Ref: ref(task), Revision: revision}
	}
	for _, step := range []struct {
		name string
		do   func() []stdops.TaskRevision // gives what is to be told
	}{
		{"creation", func() []stdops.TaskRevision {
			first = createTask(t, s, newTask("a"))
			return []stdops.TaskRevision{at(first, 0)}
		}},
		{"creation with the start", func() []stdops.TaskRevision {
			n := newTask("b")
			n.Start = func(task stdops.Task) (*stdops.Change, error) {
				c := running(s, task)
				return &c, nil
			}
			second = createTask(t, s, n)
			return []stdops.TaskRevision{at(second, 1)}
		}},
		{"a batch", func() []stdops.TaskRevision {
			end := running(s, second)
			end.Root.State, end.Root.Live, end.Root.WakeAt, end.Root.Finished = stdops.StateFinished, false, time.Time{}, noon
			if _, err := s.Commit(t.Context(), []stdops.Change{running(s, first), end}); err != nil {
				t.Fatal(err)
			}
			return []stdops.TaskRevision{at(first, 1), at(second, 2)}
		}},
		{"a change that is stale", func() []stdops.TaskRevision {
			if _, err := s.Commit(t.Context(), []stdops.Change{running(s, first)}); err != nil {
				t.Fatal(err)
			}
			return nil
		}},
		{"a creation that fails", func() []stdops.TaskRevision {
			n := newTask("c")
			n.Start = func(stdops.Task) (*stdops.Change, error) { return nil, refuse }
			if _, err := s.CreateTask(t.Context(), n); !errors.Is(err, refuse) {
				t.Fatal(err)
			}
			return nil
		}},
		{"the archive", func() []stdops.TaskRevision {
			if n, err := s.Archive(t.Context(), noon.Add(time.Hour), 10); n != 1 || err != nil {
				t.Fatal(n, err)
			}
			return []stdops.TaskRevision{at(second, 3)}
		}},
		{"a deletion", func() []stdops.TaskRevision {
			if err := s.DeleteTask(t.Context(), ref(second)); err != nil {
				t.Fatal(err)
			}
			return []stdops.TaskRevision{at(second, 4)}
		}},
		{"a deletion of what is deleted", func() []stdops.TaskRevision {
			if err := s.DeleteTask(t.Context(), ref(second)); err != nil {
				t.Fatal(err)
			}
			return nil
		}},
	} {
		want := step.do()
		got := h.take()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.name, diff)
		}
		var ids []stdops.TaskID
		for _, c := range want {
			ids = append(ids, c.Ref.Task)
		}
		stored, err := s.TaskRevisions(t.Context(), ids)
		if err != nil {
			t.Fatal(err)
		}
		slices.SortFunc(stored, func(a, b stdops.TaskRevision) int { return int(a.Ref.Task - b.Ref.Task) })
		if diff := cmp.Diff(stored, got); diff != "" {
			t.Errorf("%s, as stored (-stored +told):\n%s", step.name, diff)
		}
	}
}

func TestChanges_are_not_told_after_stop(t *testing.T) {
	t.Parallel()
	s := open(t, testOptions(t.TempDir()))
	h := &told{}
	stop := s.Changes(h.changed)
	createTask(t, s, newTask("a"))
	stop()
	createTask(t, s, newTask("b"))
	if got := h.take(); len(got) != 1 {
		t.Errorf("told %v, want the first task only", got)
	}
}

func TestTaskRevisions(t *testing.T) {
	t.Parallel()
	s := setup(t)
	task := createTask(t, s, newTask("a"))
	commit(t, s, running(s, task))
	got, err := s.TaskRevisions(t.Context(), []stdops.TaskID{task.ID, task.ID + 100})
	if diff := cmp.Diff([]stdops.TaskRevision{{Ref: ref(task), Revision: 1}}, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

// TestPostgres_tells_other_processes lets one process change tasks and another one hear of it, and of what it may have missed
// while it did not listen.
func TestPostgres_tells_other_processes(t *testing.T) {
	t.Parallel()
	here := setup(t)
	o := testOptions("")
	o.DB, o.ownTime = here.pg.url, true
	there := open(t, o)
	own, others := listen(t, here), listen(t, there)
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	for _, s := range []*Store{here, there} {
		all.Go(func() { s.TellChanges(ctx) })
		all.Go(func() { s.HearChanges(ctx) })
	}
	defer all.Wait()
	defer cancel()
	eventually(t, "both listen", func() bool {
		own.mu.Lock()
		defer own.mu.Unlock()
		others.mu.Lock()
		defer others.mu.Unlock()
		return own.missed == 1 && others.missed == 1
	})
	task := createTask(t, here, newTask("a"))
	commit(t, here, running(here, task))
	newest := func(h *told) (revision int64) {
		h.mu.Lock()
		defer h.mu.Unlock()
		for _, c := range h.list {
			if c.Ref == ref(task) {
				revision = max(revision, c.Revision)
			}
		}
		return revision
	}
	eventually(t, "the other process hears", func() bool { return newest(others) == 1 })
	if newest(own) != 1 {
		t.Error("the process itself was not told at once")
	}
	if _, err := here.pg.writers.ExecContext(ctx, `
		SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN stdops_changed%' AND datname = current_database()`); err != nil {
		t.Fatal(err)
	}
	eventually(t, "both know that they may have missed something", func() bool {
		own.mu.Lock()
		defer own.mu.Unlock()
		others.mu.Lock()
		defer others.mu.Unlock()
		return own.missed == 2 && others.missed == 2
	})
	if n := len(own.take()); n != 2 {
		t.Errorf("the process heard %d changes, it made 2: it hears itself", n)
	}
}

func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for range 1000 {
		if done() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("never: %s", what)
}

func TestOutbox(t *testing.T) {
	t.Parallel()
	from, to := newOutbox(), newOutbox()
	if got := from.take(); got != nil {
		t.Errorf("nothing is to be told, but %q", got)
	}
	var changes []stdops.TaskRevision
	for i := range 1000 {
		ref := stdops.TaskRef{Project: stdops.ProjectID(i%3 + 1), Task: stdops.TaskID(1<<52 + i)}
		changes = append(changes, stdops.TaskRevision{Ref: ref, Revision: 1})
	}
	from.put(changes)
	for i := range changes {
		changes[i].Revision = int64(i) // newer, but for the first
	}
	changes[0].Revision = 1
	from.put(changes[1:])
	notices := from.take()
	var got []stdops.TaskRevision
	for _, notice := range notices {
		if len(notice) >= 8000 {
			t.Errorf("a notice has %d bytes", len(notice))
		}
		read, foreign := to.read(notice)
		if !foreign || read == nil {
			t.Errorf("a notice was not read: %q", notice)
		}
		got = append(got, read...)
		if _, foreign := from.read(notice); foreign {
			t.Error("a process hears itself")
		}
	}
	slices.SortFunc(got, func(a, b stdops.TaskRevision) int { return int(a.Ref.Task - b.Ref.Task) })
	if diff := cmp.Diff(changes, got); diff != "" {
		t.Errorf("(-put +read):\n%s", diff)
	}
	for i := range 2 * mostOutbox {
		from.put([]stdops.TaskRevision{{Ref: stdops.TaskRef{Project: 1, Task: stdops.TaskID(i + 1)}, Revision: 1}})
	}
	notices = from.take()
	if len(notices) != 1 {
		t.Fatalf("%d notices for more than can be told", len(notices))
	}
	if read, foreign := to.read(notices[0]); !foreign || read != nil {
		t.Errorf("a reader does not learn that it missed something: %v, %v", read, foreign)
	}
	for _, odd := range []string{"", "x", "x:", "x:1.2", "x:1.2.3.4", "x:1.2.%"} {
		if read, foreign := to.read(odd); !foreign || read != nil {
			t.Errorf("%q: %v, %v", odd, read, foreign)
		}
	}
}
