package engine

import (
	"log/slog"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/store"
)

// simTwin does with the real store what is done with the simulated one, and compares what they say. nil does nothing.
type simTwin struct {
	t    *testing.T
	real *store.Store
	ids  map[stdops.TaskID]stdops.TaskID // simulated to real
}

// same fails the test when the stores do not say the same. Ids are given by each.
func (w *simTwin) same(what string, simulated, real any) {
	w.t.Helper()
	ids := cmpopts.IgnoreFields(stdops.Task{}, "ID")
	if diff := cmp.Diff(simulated, real, cmpopts.EquateEmpty(), ids, cmpopts.IgnoreFields(stdops.Attempt{}, "ID", "Data")); diff != "" {
		w.t.Fatalf("%s (-simulated +real):\n%s", what, diff)
	}
}

func (w *simTwin) check(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *simTwin) ref(ref stdops.TaskRef) stdops.TaskRef {
	ref.Task = w.ids[ref.Task]
	return ref
}

func (w *simTwin) create(t *simTask) {
	if w == nil {
		return
	}
	task, err := w.real.CreateTask(w.t.Context(), store.NewTask{Task: t.task, Body: []byte("{}"), Inputs: t.inputs})
	w.check(err)
	w.ids[t.task.ID] = task.ID
}

func (w *simTwin) store(changes []stdops.Change, simulated []stdops.Verdict) {
	if w == nil {
		return
	}
	changes = slices.Clone(changes)
	for i := range changes {
		changes[i].Task = w.ids[changes[i].Task]
	}
	verdicts, err := w.real.Commit(w.t.Context(), changes)
	w.check(err)
	w.same("verdicts", simulated, verdicts)
}

func (w *simTwin) load(simulated *stdops.Snapshot) {
	if w == nil {
		return
	}
	snap, err := w.real.Load(w.t.Context(), w.ref(stdops.TaskRef{Project: simulated.Task.Project, Task: simulated.Task.ID}))
	w.check(err)
	w.same("snapshot", simulated, snap)
}

func (w *simTwin) taken(keys []*stdops.RequestKey, simulated []bool) {
	if w == nil {
		return
	}
	taken, err := w.real.Taken(w.t.Context(), keys)
	w.check(err)
	w.same("taken keys", simulated, taken)
}

func (w *simTwin) live(simulated []stdops.Wake) {
	if w == nil {
		return
	}
	simulated = slices.Clone(simulated)
	for i := range simulated {
		simulated[i].Ref = w.ref(simulated[i].Ref)
	}
	wakes, err := w.real.Live(w.t.Context())
	w.check(err)
	w.same("live tasks", simulated, wakes)
}

// records compares all that is stored of every task. The real store is closed then.
func (w *simTwin) records(s *simStore, dir string) {
	w.t.Helper()
	w.check(w.real.Close())
	files, err := store.OpenCopy(w.t.Context(), dir)
	w.check(err)
	for _, t := range s.tasks {
		record, err := files.Record(w.t.Context(), w.ref(t.ref()))
		w.check(err)
		w.same("record", t.record(), record)
	}
	w.check(files.Close())
}

// openReal opens the real store, which need not sync here.
func openReal(t *testing.T, dir string, now func() time.Time) *store.Store {
	t.Helper()
	st, err := store.Open(t.Context(), store.Options{Dir: dir, Now: now, Log: slog.New(slog.DiscardHandler), Settings: "PRAGMA synchronous=OFF"})
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// TestStores runs histories on the simulated store and on the real one at the same time: they are given the same changes,
// stale and doubled ones too, and must say the same to every commit and every read.
func TestStores(t *testing.T) {
	t.Parallel()
	for seed := range uint64(6) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			t.Parallel()
			s := newSimulation(seed, noMistake)
			s.weight[pickFault], s.faultWeight[faultRaised], s.simPlan.steps = 8, 4, 1000
			dir := t.TempDir()
			s.store.twin = &simTwin{t: t, real: openReal(t, dir, func() time.Time { return s.now }), ids: make(map[stdops.TaskID]stdops.TaskID)}
			if wrong := s.run(); wrong != nil {
				t.Error(wrong)
			}
			s.store.twin.records(s.store, dir)
		})
	}
}

// TestStoresContract asks both stores for what histories seldom or never ask.
func TestStoresContract(t *testing.T) {
	t.Parallel()
	now := func() time.Time { return simBegan }
	simulated, real := newSimStore(now), openReal(t, t.TempDir(), now)
	simulated.twin = &simTwin{t: t, real: real, ids: make(map[stdops.TaskID]stdops.TaskID)}
	task := stdops.Task{ID: 1, Project: 1, Name: "a task", TreeHash: "0", FlowType: stdops.FlowCommon, Created: simBegan}
	task.Root.State = stdops.StateCreated
	simulated.create(task, line(1), []byte("{}"))
	change := func(do func(*stdops.Change)) stdops.Change {
		root := simulated.tasks[1].task.Root
		c := stdops.Change{Task: 1, Project: 1, Revision: root.Revision, Epoch: root.Epoch, Root: root}
		do(&c)
		return c
	}
	plain := func(*stdops.Change) {}
	key := func(c *stdops.Change) {
		c.Keys = []stdops.RequestKey{{Project: 1, Owner: "ann", Key: "k", Expires: simBegan.Add(time.Hour)}}
	}
	variable := func(value []byte) func(*stdops.Change) {
		return func(c *stdops.Change) { c.Variables = []stdops.Variable{{Scope: 0, Key: "x", Value: value}} }
	}
	for _, c := range []struct {
		name  string
		batch []func(*stdops.Change)
		want  []stdops.Verdict
	}{
		{"one", []func(*stdops.Change){plain}, []stdops.Verdict{stdops.Committed}},
		{"two of one task", []func(*stdops.Change){plain, plain}, []stdops.Verdict{stdops.Committed, stdops.Stale}},
		{"an older revision", []func(*stdops.Change){func(c *stdops.Change) { c.Revision-- }}, []stdops.Verdict{stdops.Stale}},
		{"a newer revision", []func(*stdops.Change){func(c *stdops.Change) { c.Revision++ }}, []stdops.Verdict{stdops.Stale}},
		{"a later epoch", []func(*stdops.Change){func(c *stdops.Change) { c.Epoch += 2 }}, []stdops.Verdict{stdops.Committed}},
		{"an earlier epoch", []func(*stdops.Change){func(c *stdops.Change) { c.Epoch-- }}, []stdops.Verdict{stdops.Stale}},
		{"another project", []func(*stdops.Change){func(c *stdops.Change) { c.Project = 2 }}, []stdops.Verdict{stdops.Stale}},
		{"no such task", []func(*stdops.Change){func(c *stdops.Change) { c.Task = 99 }, plain}, []stdops.Verdict{stdops.Stale, stdops.Committed}},
		{"a variable", []func(*stdops.Change){variable([]byte("1"))}, []stdops.Verdict{stdops.Committed}},
		{"a variable less", []func(*stdops.Change){variable(nil)}, []stdops.Verdict{stdops.Committed}},
		{"a key", []func(*stdops.Change){key}, []stdops.Verdict{stdops.Committed}},
		{"a key that is taken", []func(*stdops.Change){key}, []stdops.Verdict{stdops.Stale}},
	} {
		var batch []stdops.Change
		for _, do := range c.batch {
			batch = append(batch, change(do))
		}
		got, err := simulated.Commit(t.Context(), batch) // and the twin compares
		if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
			t.Errorf("%s: verdicts (-want +got), %v:\n%s", c.name, err, diff)
		}
		_, err = simulated.Load(t.Context(), stdops.TaskRef{Project: 1, Task: 1}) // here too
		simulated.twin.check(err)
	}
	for _, store := range []Tasks{simulated, real} {
		for _, ref := range []stdops.TaskRef{{Project: 2, Task: 1}, {Project: 1, Task: 99}} {
			if _, err := store.Load(t.Context(), ref); stdops.ErrorCode(err) != stdops.CodeNotFound {
				t.Errorf("%T gives of a task that is not there: %v", store, err)
			}
		}
	}
	simulated.twin.check(real.Close())
}
