package store

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ncruces/go-sqlite3"
	"pgregory.net/rapid"

	"github.com/stdops/stdops"
)

// memory is what a reader keeps of tasks, as the encoders of answers do: their content under the revision that it was
// read with, one for each way to ask. Here the content is the revision itself.
type memory struct {
	store *Store
	kept  [2]sync.Map // of revisions, by task; for reads without and with children
}

// read gives the revisions of tasks, out of the memory where they are known to be current.
func (m *memory) read(t testing.TB, ids []stdops.TaskID, children bool) map[stdops.TaskID]int64 {
	kept := &m.kept[0]
	if children {
		kept = &m.kept[1]
	}
	current, err := m.store.Revisions(t.Context(), 1, ids)
	if err != nil {
		t.Error(err)
	}
	got, known := map[stdops.TaskID]int64{}, map[stdops.TaskID]int64{}
	for i, id := range ids {
		if had, ok := kept.Load(id); ok {
			known[id] = had.(int64)
			if had == current[i] {
				got[id] = current[i]
			}
		}
	}
	if len(got) == len(ids) {
		return got
	}
	batch, err := m.store.Statuses(t.Context(), 1, StatusQuery{IDs: ids, Children: children, Known: knows(known)})
	if err != nil {
		t.Error(err)
		return got
	}
	for i := range batch.Tasks {
		row := &batch.Tasks[i]
		got[row.Task.ID] = row.Task.Root.Revision
		if row.Unchanged {
			got[row.Task.ID] = known[row.Task.ID]
		} else {
			kept.Store(row.Task.ID, row.Task.Root.Revision)
		}
	}
	return got
}

func knows(revisions map[stdops.TaskID]int64) func(stdops.TaskID) (int64, bool) {
	return func(id stdops.TaskID) (int64, bool) {
		revision, ok := revisions[id]
		return revision, ok
	}
}

// playRevisions lets writers change tasks while readers ask about them, and counts the answers that are older than what
// the reader saw before, or than what was acknowledged before it asked. During each commit another reader asks for what
// is being written; unmarked takes away the mark that tells it so.
func playRevisions(t *testing.T, unmarked bool) (wrong int64) {
	s := setup(t)
	const tasks, writers, readers, steps = 8, 2, 4, 40
	var ids []stdops.TaskID
	for i := range tasks {
		ids = append(ids, createTask(t, s, newTask(fmt.Sprint(i))).ID)
	}
	m := &memory{store: s}
	var acknowledged [tasks]atomic.Int64
	var failures, running atomic.Int64
	look := func(seen []int64, children bool) {
		var least [tasks]int64
		for i := range ids {
			least[i] = max(seen[i], acknowledged[i].Load())
		}
		got := m.read(t, ids, children)
		for i, id := range ids {
			if got[id] < least[i] {
				failures.Add(1)
			}
			seen[i] = got[id]
		}
	}
	err := raw(s.writer.conn, func(c *sqlite3.Conn) error {
		inCommit := make([]int64, tasks)
		c.CommitHook(func() bool {
			if unmarked {
				s.revisions.end()
			}
			look(inCommit, true)
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	running.Store(writers)
	for w := range writers {
		all.Go(func() {
			defer running.Add(-1)
			for step := range steps {
				var changes []stdops.Change
				for i := w; i < tasks; i += writers {
					c := running0(s, ids[i])
					c.Revision = int64(step)
					changes = append(changes, c)
				}
				if _, err := s.Commit(t.Context(), changes); err != nil {
					t.Error(err)
				}
				for i := w; i < tasks; i += writers {
					acknowledged[i].Store(int64(step) + 1)
				}
			}
		})
	}
	for r := range readers {
		all.Go(func() {
			seen := make([]int64, tasks)
			for running.Load() > 0 {
				look(seen, r%2 == 0)
			}
			look(seen, r%2 == 0)
		})
	}
	all.Wait()
	for i := range ids {
		if acknowledged[i].Load() != steps {
			t.Errorf("task %d is at revision %d", ids[i], acknowledged[i].Load())
		}
	}
	return failures.Load()
}

func running0(s *Store, id stdops.TaskID) stdops.Change {
	return running(s, stdops.Task{ID: id, Project: 1})
}

func TestRevisions_never_go_back(t *testing.T) {
	t.Parallel()
	if wrong := playRevisions(t, false); wrong > 0 {
		t.Errorf("%d answers were old", wrong)
	}
}

// TestRevisions_control shows that the test above would see it: without the mark of what is being written, a reader notes
// down what the commit is about to change.
func TestRevisions_control(t *testing.T) {
	t.Parallel()
	if wrong := playRevisions(t, true); wrong == 0 {
		t.Error("no answer was old although nothing marked what was being written")
	}
}

// TestRevisions_every_order plays readers and writers of a few tasks in every order of their steps: what is known is
// always what a reader would find who came now.
func TestRevisions_every_order(t *testing.T) {
	t.Parallel()
	type reader struct {
		ids      []stdops.TaskID
		expected map[stdops.TaskID]*note
		found    []StatusRows // nil before the snapshot
	}
	rapid.Check(t, func(t *rapid.T) {
		r := newRevisions(rapid.IntRange(1, 4).Draw(t, "most"))
		stored := map[stdops.TaskID]int64{1: 0, 2: 0, 3: 0}
		all := []stdops.TaskID{1, 2, 3}
		var writing []stdops.TaskID
		committed := false
		var readers []*reader
		some := rapid.SliceOfNDistinct(rapid.SampledFrom(all), 1, 3, rapid.ID[stdops.TaskID])
		t.Repeat(map[string]func(*rapid.T){
			"expect": func(t *rapid.T) {
				ids := some.Draw(t, "ids")
				readers = append(readers, &reader{ids: ids, expected: r.expect(ids)})
			},
			"step": func(t *rapid.T) {
				if len(readers) == 0 {
					t.Skip("no reader")
				}
				at := rapid.IntRange(0, len(readers)-1).Draw(t, "reader")
				one := readers[at]
				if one.found == nil && rapid.Bool().Draw(t, "reads") { // else it gives up
					for _, id := range one.ids {
						task := stdops.Task{ID: id, Project: 1, Root: stdops.RootState{Revision: stored[id]}}
						one.found = append(one.found, StatusRows{Task: task})
					}
					return
				}
				r.fill(one.expected, one.found)
				readers = append(readers[:at], readers[at+1:]...)
			},
			"begin": func(t *rapid.T) {
				if writing != nil {
					t.Skip("one commit at a time")
				}
				writing = some.Draw(t, "ids")
				r.begin(writing)
			},
			"commit": func(t *rapid.T) {
				if writing == nil || committed {
					t.Skip("nothing to commit")
				}
				committed = true
				for _, id := range writing {
					stored[id]++
				}
			},
			"end": func(t *rapid.T) { // whether it was committed or failed
				if writing == nil {
					t.Skip("nothing is written")
				}
				r.end()
				writing, committed = nil, false
			},
			"": func(t *rapid.T) {
				for i, revision := range r.current(1, all) {
					if revision != NotKnown && revision != stored[all[i]] {
						t.Errorf("task %d is at %d, believed at %d", all[i], stored[all[i]], revision)
					}
				}
				if foreign := r.current(2, all); foreign[0] != NotKnown || foreign[1] != NotKnown || foreign[2] != NotKnown {
					t.Errorf("another project is told %v", foreign)
				}
				if len(r.notes) > r.most {
					t.Errorf("%d notes, at most %d", len(r.notes), r.most)
				}
			},
		})
	})
}

// TestRevisions_all_writes: whatever changes a task, readers stop to believe what they knew.
func TestRevisions_all_writes(t *testing.T) {
	t.Parallel()
	s := setup(t)
	task := createTask(t, s, newTask("one"))
	other := createTask(t, s, newTask("two"))
	ids := []stdops.TaskID{task.ID, other.ID}
	known := func() [2]int64 {
		t.Helper()
		list, err := s.Revisions(t.Context(), 1, ids)
		if err != nil {
			t.Fatal(err)
		}
		return [2]int64(list)
	}
	if got := known(); got != [2]int64{NotKnown, NotKnown} {
		t.Errorf("never read: %v", got)
	}
	for i, write := range []func() error{
		func() error {
			c := running(s, task)
			c.Root.State = stdops.StateFinished
			return second(s.Commit(t.Context(), []stdops.Change{c}))
		},
		func() error { return s.DeleteTask(t.Context(), ref(task)) },
	} {
		statuses(t, s, StatusQuery{IDs: ids})
		if got, want := known(), [2]int64{int64(i), 0}; got != want {
			t.Errorf("read: %v, want %v", got, want)
		}
		if err := write(); err != nil {
			t.Fatal(err)
		}
		if got := known(); got != [2]int64{NotKnown, 0} {
			t.Errorf("after write %d: %v", i, got)
		}
	}
	if list, err := s.Revisions(t.Context(), 2, ids); err != nil || list[1] != NotKnown {
		t.Errorf("another project is told %v, %v", list, err)
	}
}

// TestStatuses_unchanged: what the caller knows is not read again, unless there is no room for it.
func TestStatuses_unchanged(t *testing.T) {
	t.Parallel()
	s := setup(t)
	var ids []stdops.TaskID
	known := map[stdops.TaskID]int64{}
	for i := range 3 {
		task := createTask(t, s, newTask(fmt.Sprint(i)))
		commit(t, s, fullChange(s, task))
		ids = append(ids, task.ID)
		known[task.ID] = 1
	}
	known[ids[2]] = 0
	batch := statuses(t, s, StatusQuery{IDs: ids, Children: true, Known: knows(known)})
	for i, want := range []bool{false, true, true} { // by descending id
		row := &batch.Tasks[i]
		if row.Unchanged != want || (len(row.Nodes) == 0) != want || row.Task.Name == "" {
			t.Errorf("task %d: unchanged %v, %d nodes, name %q", row.Task.ID, row.Unchanged, len(row.Nodes), row.Task.Name)
		}
	}
	for _, row := range statuses(t, s, StatusQuery{IDs: ids, Children: true, Known: knows(known), Most: 1}).Tasks {
		if !row.Cut || row.Unchanged {
			t.Errorf("task %d: cut %v, unchanged %v", row.Task.ID, row.Cut, row.Unchanged)
		}
	}
}
