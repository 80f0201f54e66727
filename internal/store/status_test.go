package store

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/ncruces/go-sqlite3"

	"github.com/stdops/stdops"
)

// countReads makes s count the statements that its readers run; the function gives those since the last call.
func countReads(t *testing.T, s *Store) func() []string {
	t.Helper()
	var (
		mu   sync.Mutex
		seen []string
	)
	s.readers.SetMaxOpenConns(1)
	conn, err := s.readers.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	err = raw(conn, func(c *sqlite3.Conn) error {
		return c.Trace(sqlite3.TRACE_STMT|sqlite3.TRACE_CLOSE, func(event sqlite3.TraceEvent, what, _ any) error {
			if event == sqlite3.TRACE_CLOSE { // there is one trace, so this does what the other did
				return s.hot.forget(c)
			}
			mu.Lock()
			defer mu.Unlock()
			seen = append(seen, what.(*sqlite3.Stmt).SQL())
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		got := slices.DeleteFunc(seen, func(text string) bool { return !strings.HasPrefix(strings.TrimSpace(text), "SELECT") })
		seen = nil
		return got
	}
}

func statuses(t testing.TB, s *Store, q StatusQuery) *StatusBatch {
	t.Helper()
	batch, err := s.Statuses(t.Context(), 1, q)
	if err != nil {
		t.Fatal(err)
	}
	return batch
}

func TestStatuses_statements(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := reopen(t, dir)
	defer closeStore(t, s)
	var ids []stdops.TaskID
	for i := range 50 {
		n := newTask(fmt.Sprint(i))
		n.Task.TreeHash = fmt.Sprint("tree ", i%5, `"`)
		task := createTask(t, s, n)
		commit(t, s, fullChange(s, task))
		ids = append(ids, task.ID)
	}
	count := countReads(t, s)
	for _, c := range []struct {
		name string
		q    StatusQuery
		want int
	}{
		{"trees not cached", StatusQuery{IDs: ids[:1], Children: true}, 3},
		{"other trees not cached", StatusQuery{IDs: ids}, 3},
		{"fifty with children", StatusQuery{IDs: ids, Children: true}, 2},
		{"fifty without children", StatusQuery{IDs: ids}, 2},
		{"fifty with runs", StatusQuery{IDs: ids, Run: true}, 3},
		{"fifty with children and runs", StatusQuery{IDs: ids, Children: true, Run: true}, 2},
		{"fifty that cannot be too many", StatusQuery{IDs: ids, Children: true, Most: 10_000}, 2},
		{"fifty of which few fit", StatusQuery{IDs: ids, Children: true, Most: 10}, 4},
		{"the newest", StatusQuery{Newest: 50}, 2},
		{"no task", StatusQuery{IDs: []stdops.TaskID{999}}, 1},
	} {
		statuses(t, s, c.q)
		if got := count(); len(got) != c.want {
			t.Errorf("%s: %d statements, want %d:\n%s", c.name, len(got), c.want, strings.Join(got, "\n"))
		}
	}
}

// The latest entry of its log says when a task last changed, be it of the same change as others or without any state; nothing is
// read of it when nobody asks.
func TestStatuses_updated(t *testing.T) {
	t.Parallel()
	s := setup(t)
	entry := func(seconds int) stdops.Transition {
		return stdops.Transition{Node: 1, From: stdops.StateRunning, To: stdops.StateRunning, Actor: "ann", Time: at(seconds)}
	}
	task, other, idle := createTask(t, s, newTask("one")), createTask(t, s, newTask("other")), createTask(t, s, newTask("idle"))
	for revision, times := range [][]int{{3, 5}, {8, 7}, nil} {
		c := running(s, task)
		c.Revision = int64(revision)
		for _, seconds := range times {
			c.Transitions = append(c.Transitions, entry(seconds))
		}
		commit(t, s, c)
	}
	c := running(s, other)
	c.Transitions = []stdops.Transition{entry(90)}
	commit(t, s, c)
	archived := endTask(t, s, stdops.StateFinished, 3)
	archiveAll(t, s, 4, 9)
	want := map[stdops.TaskID]time.Time{task.ID: at(7), other.ID: at(90), idle.ID: {}, archived.ID: {}}
	for _, asked := range []bool{true, false} {
		for _, q := range []StatusQuery{{IDs: []stdops.TaskID{task.ID, other.ID, idle.ID, archived.ID}}, {List: &TaskFilter{}}} {
			q.Updated = asked
			found := statuses(t, s, q).Tasks
			if len(found) != len(want) {
				t.Fatalf("%d tasks", len(found))
			}
			for i := range found {
				if id := found[i].Task.ID; asked && !found[i].Updated.Equal(want[id]) || !asked && !found[i].Updated.IsZero() {
					t.Errorf("asked %t: task %d was updated %s, want %s", asked, id, found[i].Updated, want[id])
				}
			}
		}
	}
}

// TestStatuses_run counts the activities that are done the same way whether the nodes are read or not, and names the open
// nodes of what was revoked.
func TestStatuses_run(t *testing.T) {
	t.Parallel()
	s := setup(t)
	made := func(name string, root stdops.State) stdops.TaskID {
		n := newTask(name)
		n.Task.TreeHash = "run"
		n.Skeleton = []byte(`{"Nodes":[{"Name":"root"},{"Kind":3},{"Kind":2},{"Kind":2},{"Kind":2},{"Kind":4}]}`)
		task := createTask(t, s, n)
		c := running(s, task)
		for i, state := range []stdops.State{stdops.StateFinished, stdops.StateFinished, stdops.StateFinished, stdops.StateFailed} {
			c.Nodes = append(c.Nodes, stdops.NodeState{Node: stdops.NodeIndex(i + 1), Order: int32(i + 1), State: state, Loop: 1})
		}
		c.Root.State, c.Root.Live = root, !root.Ended()
		if root.Ended() {
			c.Root.Finished = at(1)
		}
		commit(t, s, c)
		return task.ID
	}
	archived := made("archived", stdops.StateRevoked)
	archiveAll(t, s, 2, 9)
	ids := []stdops.TaskID{
		made("running", stdops.StateRunning), made("revoked", stdops.StateRevoked), made("finished", stdops.StateFinished), archived,
		createTask(t, s, newTask("new")).ID,
	}
	for _, q := range []StatusQuery{{}, {Children: true}, {Children: true, Most: 1}} {
		q.IDs, q.Run = ids, true
		for _, r := range statuses(t, s, q).Tasks {
			done, failed := 2, 1
			if r.Task.Name == "new" {
				done, failed = 0, 0
			}
			if r.Task.Name == "finished" && (!q.Children || r.Cut) {
				failed = 0 // a failure of what has finished is no news
			}
			open := 0
			for i := range r.Nodes {
				if r.Nodes[i].State == stdops.StateFailed {
					open++
				}
			}
			if r.Done != done || open != failed || r.Err != nil {
				t.Errorf("%s by %+v: %d done, %d failed, %v; want %d and %d", r.Task.Name, q, r.Done, open, r.Err, done, failed)
			}
		}
	}
	for _, r := range statuses(t, s, StatusQuery{IDs: ids}).Tasks {
		if r.Done != 0 {
			t.Errorf("%s counts %d done without being asked", r.Task.Name, r.Done)
		}
	}
}

// What does not fit into an answer is not read, other than what decides how the task stands.
func TestStatuses_cut(t *testing.T) {
	t.Parallel()
	s := setup(t)
	var ids []stdops.TaskID
	for i := range 3 {
		task := createTask(t, s, newTask(fmt.Sprint(i)))
		commit(t, s, fullChange(s, task))
		ids = append(ids, task.ID)
	}
	whole := statuses(t, s, StatusQuery{IDs: ids, Children: true}).Tasks
	open := statuses(t, s, StatusQuery{IDs: ids}).Tasks
	size := len(whole[0].Nodes)
	for _, c := range []struct {
		most int
		cut  []bool
	}{
		{0, []bool{false, false, false}},
		{3 * size, []bool{false, false, false}},
		{3*size - 1, []bool{false, false, true}},
		{size, []bool{false, true, true}},
		{1, []bool{true, true, true}},
	} {
		for i, r := range statuses(t, s, StatusQuery{IDs: ids, Children: true, Most: c.most}).Tasks {
			want := whole[i].Nodes
			if c.cut[i] {
				want = open[i].Nodes
			}
			if diff := cmp.Diff(want, r.Nodes); r.Cut != c.cut[i] || diff != "" {
				t.Errorf("room for %d, task %d: cut %v (-want +got):\n%s", c.most, i, r.Cut, diff)
			}
		}
	}
}

func TestStatuses_which_tasks(t *testing.T) {
	t.Parallel()
	s := setup(t)
	var ids []stdops.TaskID
	for i := range 5 {
		n := newTask(fmt.Sprint(i))
		if i == 3 {
			n.Task.Project = 2
		}
		ids = append(ids, createTask(t, s, n).ID)
	}
	if err := s.DeleteTask(t.Context(), stdops.TaskRef{Project: 1, Task: ids[1]}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name      string
		q         StatusQuery
		want      []stdops.TaskID
		truncated bool
	}{
		{"asked for, the deleted one too", StatusQuery{IDs: []stdops.TaskID{ids[0], ids[1], ids[4], ids[0]}}, []stdops.TaskID{ids[4], ids[1], ids[0]}, false},
		{"foreign and unknown", StatusQuery{IDs: []stdops.TaskID{ids[3], 99, -1, 0, 1 << 60}}, nil, false},
		{"empty list", StatusQuery{IDs: []stdops.TaskID{}}, nil, false},
		{"newest of many", StatusQuery{Newest: 2}, []stdops.TaskID{ids[4], ids[2]}, true},
		{"newest, all", StatusQuery{Newest: 3}, []stdops.TaskID{ids[4], ids[2], ids[0]}, false},
	} {
		batch := statuses(t, s, c.q)
		var got []stdops.TaskID
		for _, r := range batch.Tasks {
			got = append(got, r.Task.ID)
		}
		if diff := cmp.Diff(c.want, got); diff != "" || batch.Truncated != c.truncated {
			t.Errorf("%s: truncated %v (-want +got):\n%s", c.name, batch.Truncated, diff)
		}
		if batch.Now != noon {
			t.Errorf("%s: now %v", c.name, batch.Now)
		}
	}
}

func TestStatuses_nodes(t *testing.T) {
	t.Parallel()
	s := setup(t)
	created := createTask(t, s, newTask("created"))
	open, ended := createTask(t, s, newTask("open")), createTask(t, s, newTask("ended"))
	nodes := []stdops.NodeState{
		{Node: 1, Order: 3, State: stdops.StateFailed},
		{Node: 5, Order: 1, State: stdops.StateFinished},
		{Node: 3, Order: 2, State: stdops.StateRunning},
	}
	for _, task := range []stdops.Task{open, ended} {
		c := running(s, task)
		c.Nodes = nodes
		if task.ID == ended.ID {
			c.Root.State = stdops.StateRevoked
		}
		commit(t, s, c)
	}
	inOrder := []stdops.NodeState{nodes[1], nodes[2], nodes[0]}
	for _, c := range []struct {
		name     string
		task     stdops.Task
		children bool
		want     []stdops.NodeState
	}{
		{"with children", open, true, inOrder},
		{"with children, ended", ended, true, inOrder},
		{"without children", open, false, inOrder[1:]},
		{"without children, ended", ended, false, nil},
		{"not started", created, true, nil},
	} {
		batch := statuses(t, s, StatusQuery{IDs: []stdops.TaskID{c.task.ID}, Children: c.children})
		r := batch.Tasks[0]
		if diff := cmp.Diff(c.want, r.Nodes); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
		if want := load(t, s, c.task).Task; r.Task != want {
			t.Errorf("%s: task %+v, want %+v", c.name, r.Task, want)
		}
		if r.Err != nil || r.Skeleton == nil || len(r.Skeleton.Nodes) != 2 {
			t.Errorf("%s: skeleton %v, %v", c.name, r.Skeleton, r.Err)
		}
	}
}

func TestStatuses_unreadable_tree_spoils_its_tasks_only(t *testing.T) {
	t.Parallel()
	s := setup(t)
	good := createTask(t, s, newTask("good"))
	n := newTask("bad")
	n.Task.TreeHash, n.Skeleton = "t2", []byte("{")
	bad := createTask(t, s, n)
	n.Task.TreeHash = "t3"
	gone := createTask(t, s, n)
	damage(t, s, "DELETE FROM tree WHERE hash = 't3'")
	for range 2 { // damage is not cached
		for _, r := range statuses(t, s, StatusQuery{Newest: 9}).Tasks {
			if damaged := r.Task.ID == bad.ID || r.Task.ID == gone.ID; damaged != (r.Err != nil) || damaged != (r.Skeleton == nil) {
				t.Errorf("task %s (good is %d): skeleton %v, error %v", r.Task.Name, good.ID, r.Skeleton, r.Err)
			}
		}
	}
}

// Every commit writes the revision that it makes into all nodes of its task. Readers must never see two revisions in
// one answer, neither of one task nor of tasks that are always committed together.
func TestStatuses_show_one_moment(t *testing.T) {
	t.Parallel()
	s := setup(t)
	const tasks, rounds = 4, 150
	changes := make([]stdops.Change, tasks)
	ids := make([]stdops.TaskID, tasks)
	for i := range changes {
		task := createTask(t, s, newTask(fmt.Sprint(i)))
		changes[i], ids[i] = running(s, task), task.ID
	}
	stop := make(chan struct{})
	var readers sync.WaitGroup
	defer readers.Wait()
	defer close(stop)
	for range 3 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				batch, err := s.Statuses(t.Context(), 1, StatusQuery{IDs: ids, Children: true})
				if err != nil {
					t.Error(err)
					return
				}
				if text := mixed(batch); text != "" {
					t.Error(text)
					return
				}
			}
		})
	}
	for range rounds {
		for i := range changes {
			c := &changes[i]
			c.Nodes = nil
			for n := range 20 {
				c.Nodes = append(c.Nodes, stdops.NodeState{
					Node: stdops.NodeIndex(n), Order: int32(n), State: stdops.StateRunning, Loop: int32(c.Revision + 1),
				})
			}
		}
		if _, err := s.Commit(t.Context(), changes); err != nil {
			t.Fatal(err)
		}
		for i := range changes {
			changes[i].Revision++
		}
	}
}

// mixed tells of the first two revisions in a batch that differ, "" when there are none.
func mixed(batch *StatusBatch) string {
	first := batch.Tasks[0].Task.Root.Revision
	for _, r := range batch.Tasks {
		if r.Task.Root.Revision != first {
			return fmt.Sprintf("task %d at revision %d, another at %d", r.Task.ID, r.Task.Root.Revision, first)
		}
		for _, n := range r.Nodes {
			if int64(n.Loop) != first {
				return fmt.Sprintf("task %d at revision %d, its node %d at %d", r.Task.ID, first, n.Node, n.Loop)
			}
		}
	}
	return ""
}

// BenchmarkStatuses asks how fifty tasks of twenty nodes stand, with all of their nodes.
func BenchmarkStatuses(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) { benchmarkStatuses(b, setup(b)) })
	b.Run("postgres", func(b *testing.B) { benchmarkStatuses(b, setupDurable(b)) })
}

func benchmarkStatuses(b *testing.B, s *Store) {
	var ids []stdops.TaskID
	for i := range 50 {
		task := createTask(b, s, newTask(fmt.Sprint(i)))
		c := running(s, task)
		for n := range 20 {
			c.Nodes = append(c.Nodes, fullNode(stdops.NodeIndex(n)))
		}
		commit(b, s, c)
		ids = append(ids, task.ID)
	}
	for b.Loop() {
		statuses(b, s, StatusQuery{IDs: ids, Children: true})
	}
}

func BenchmarkByOrder(b *testing.B) {
	nodes := make([]stdops.NodeState, 10_000) // on a hundred branches
	for i := range nodes {
		nodes[i].Node, nodes[i].Order = stdops.NodeIndex(i+1), int32(i%100*100+i/100+1)
	}
	for b.Loop() {
		if got := byOrder(nodes); got[1].Order != 2 {
			b.Fatal(got[1])
		}
	}
}

// TestStatuses_are_not_older_than_their_time: of a task that ends while it is read nobody may be told a longer time than it
// took.
func TestStatuses_are_not_older_than_their_time(t *testing.T) {
	t.Parallel()
	var beforeNow func()
	options := testOptions(t.TempDir())
	options.Now = func() time.Time {
		if do := beforeNow; do != nil {
			beforeNow = nil
			do()
		}
		return noon
	}
	s, err := Open(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	defer closeStore(t, s)
	task := createTask(t, s, newTask("one"))
	beforeNow = func() {
		if err := s.DeleteTask(t.Context(), ref(task)); err != nil {
			t.Error(err)
		}
	}
	batch, err := s.Statuses(t.Context(), 1, StatusQuery{IDs: []stdops.TaskID{task.ID}})
	if err != nil || len(batch.Tasks) != 1 || !batch.Tasks[0].Task.Deleted {
		t.Errorf("what came before the time of the answer does not show: %+v, %v", batch, err)
	}
}
