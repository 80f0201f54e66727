package bench

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/store"
)

func smallEngine() EngineOptions {
	return EngineOptions{Tasks: 3, Steps: 4, Duration: time.Millisecond, Rounds: 2}
}

// TestEngine runs the whole bench, and never looks at how fast.
func TestEngine(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	var profile bytes.Buffer
	o := smallEngine()
	o.Profile = &profile
	report, err := Engine(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if report.Tasks != o.Tasks || report.Activities != mixedActivities || len(report.Comparisons) != 2 {
		t.Fatalf("%+v", report)
	}
	for _, c := range report.Comparisons {
		for _, s := range []Series{c.Ours, c.Reference} {
			if s.Name == "" || len(s.Rounds) != o.Rounds || s.Min <= 0 || s.Min > s.Median || s.Median > s.Max {
				t.Errorf("%s: %+v", c.Name, s)
			}
		}
	}
	// At least the task, the node that ended, the one that began, its data, and both in the log.
	if least := o.Tasks * mixedActivities * 6; report.Comparisons[0].Rows < least {
		t.Errorf("%d rows for %d activities", report.Comparisons[0].Rows, o.Tasks*mixedActivities)
	}
	if profile.Len() == 0 {
		t.Error("no CPU profile")
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// taskRecord is all that the store tells of a task after its run.
type taskRecord struct {
	Snapshot *stdops.Snapshot
	Nodes    []*store.NodeDetail
	Log      []stdops.LoggedTransition
}

// TestRuns_same_rows reads what both sides have stored: the bare writer must leave what the engine did.
func TestRuns_same_rows(t *testing.T) {
	t.Parallel()
	many, one := newTestRuns(t)
	for name, r := range map[string]*runs{"mixed": many, "serial": one} {
		ran, replayed := filepath.Join(r.dir, name+" ran"), filepath.Join(r.dir, name+" replayed")
		for _, dir := range []string{ran, replayed} {
			if err := os.CopyFS(dir, os.DirFS(r.base)); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := r.run(t.Context(), ran); err != nil {
			t.Fatal(err)
		}
		if _, err := r.replay(t.Context(), replayed); err != nil {
			t.Fatal(err)
		}
		ours, theirs := records(t, r, ran), records(t, r, replayed)
		if diff := cmp.Diff(ours, theirs); diff != "" {
			t.Errorf("%s: the record of the engine and that of the bare writer (-engine +writer):\n%s", name, diff)
		}
		activities := 0
		for _, task := range ours {
			if task.Snapshot.Task.Root.State != stdops.StateFinished {
				t.Errorf("%s: task %d is %v", name, task.Snapshot.Task.ID, task.Snapshot.Task.Root.State)
			}
			for _, n := range task.Nodes {
				if target := decodedInput(t, n, "target"); target == "host-1" {
					activities++
				}
			}
		}
		if activities != r.activities {
			t.Errorf("%s: %d activities were executed, not %d", name, activities, r.activities)
		}
	}
}

func newTestRuns(t *testing.T) (many, one *runs) {
	t.Helper()
	w, err := emptyWorld(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.remove)
	many, one, err = w.prepare(t.Context(), smallEngine())
	if err != nil {
		t.Fatal(err)
	}
	return many, one
}

func records(t *testing.T, r *runs, dir string) []taskRecord {
	t.Helper()
	s, err := openStore(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var all []taskRecord
	for _, ref := range r.refs() {
		snap, err := s.Load(t.Context(), ref)
		if err != nil {
			t.Fatal(err)
		}
		log, err := s.Transitions(t.Context(), ref, 0, 1000)
		if err != nil {
			t.Fatal(err)
		}
		record := taskRecord{Snapshot: snap, Log: log}
		for _, n := range snap.Nodes {
			detail, err := s.NodeDetail(t.Context(), ref, n.Node)
			if err != nil {
				t.Fatal(err)
			}
			record.Nodes = append(record.Nodes, detail)
		}
		all = append(all, record)
	}
	return all
}

func decodedInput(t *testing.T, n *store.NodeDetail, key string) string {
	t.Helper()
	if len(n.Data.Inputs) == 0 {
		return ""
	}
	inputs := &stdops.Object{}
	if err := inputs.UnmarshalJSON(n.Data.Inputs); err != nil {
		t.Fatal(err)
	}
	return inputs.Text(key)
}

// TestRuns_singles: the reference of the serial flow commits as often as the flow has activities.
func TestRuns_singles(t *testing.T) {
	t.Parallel()
	_, one := newTestRuns(t)
	if _, err := one.singles(t.Context(), one.base); err != nil {
		t.Fatal(err)
	}
	task := records(t, one, one.base)[0].Snapshot.Task
	if task.Root.Revision != int64(one.activities) {
		t.Errorf("revision %d after %d commits", task.Root.Revision, one.activities)
	}
}

// TestReplay_refuses_another_store: no side can be fast by storing nothing.
func TestReplay_refuses_another_store(t *testing.T) {
	t.Parallel()
	_, one := newTestRuns(t)
	if _, err := one.run(t.Context(), one.base); err != nil {
		t.Fatal(err)
	}
	if _, err := one.replay(t.Context(), one.base); err == nil {
		t.Error("changes that the store has already were taken for stored")
	}
}

func TestEngineOptions_check(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		change func(*EngineOptions)
		want   string
	}{
		{func(*EngineOptions) {}, ""},
		{func(o *EngineOptions) { o.Tasks = 0 }, "tasks must be between 1 and 10000"},
		{func(o *EngineOptions) { o.Tasks = 10_001 }, "tasks must be between 1 and 10000"},
		{func(o *EngineOptions) { o.Steps = 0 }, "steps must be between 1 and 10000"},
		{func(o *EngineOptions) { o.Duration = 0 }, "duration must be more than 0"},
		{func(o *EngineOptions) { o.Rounds = 0 }, "rounds must be at least 1"},
	} {
		o := smallEngine()
		c.change(&o)
		got := ""
		if err := o.Check(); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%+v: %q, want %q", o, got, c.want)
		}
	}
}
