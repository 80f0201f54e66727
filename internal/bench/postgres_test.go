package bench

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/app"
	"github.com/stdops/stdops/internal/bench/bare"
	"github.com/stdops/stdops/internal/store/pgtest"
)

func smallPostgres(db string) PostgresOptions {
	return PostgresOptions{
		DB: db, Tasks: 3, Nodes: 4 * fewestWide, Pauses: 2, Waiting: 5, Idle: 10 * time.Millisecond, Duration: 20 * time.Millisecond, Rounds: 1,
	}
}

// TestPostgresBench runs the bench but for the kills of workers, whose leases take their time, and never looks at how fast.
func TestPostgresBench(t *testing.T) {
	dir := t.TempDir()
	o := smallPostgres(pgtest.Shared(t).Database(t, "empty", nil))
	t.Setenv("TMPDIR", dir)
	var err error
	if o.Program, err = os.Executable(); err != nil {
		t.Fatal(err)
	}
	report, err := Postgres(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(report.Server, "PostgreSQL ") || len(report.Comparisons) != 12 {
		t.Errorf("%+v", report)
	}
	for _, c := range report.Comparisons {
		for _, s := range []Series{c.Ours, c.Reference} {
			if s.Name == "" || len(s.Rounds) != o.Rounds || s.Median <= 0 {
				t.Errorf("%s: %+v", c.Name, s)
			}
		}
	}
	figures := map[string]float64{}
	for _, f := range report.Figures {
		figures[f.Name] = f.Median
	}
	whole, archived := figures["a finished task of 23 nodes on disk, whole"], figures["a finished task of 23 nodes on disk, archived"]
	if archived <= 0 || whole <= archived {
		t.Errorf("%v bytes, archived %v", whole, archived)
	}
	if n, told := figures["deadlocks"]; n != 0 || !told {
		t.Errorf("%v deadlocks, %v", n, told)
	}
	if _, told := figures["5 tasks that wait: a worker"]; told != (runtime.GOOS == "linux") {
		t.Errorf("%v", figures)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if _, err := Postgres(t.Context(), o); err == nil || !strings.Contains(err.Error(), "fills one that has none") {
		t.Errorf("a database with tasks is filled: %v", err)
	}
}

func TestPostgresSize(t *testing.T) {
	t.Parallel()
	report, err := PostgresSize(t.Context(), PostgresSizeOptions{
		DB: pgtest.Shared(t).Database(t, "empty", nil), Few: 100, Many: 150, Questions: 3, Rounds: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	if c := report.Comparisons[0]; c.Ours.Name != "150 tasks" || c.Reference.Name != "100 tasks" || c.Ratio <= 0 {
		t.Errorf("%+v", c)
	}
}

func newSite(t *testing.T) *site {
	t.Helper()
	url := pgtest.Shared(t).Database(t, "empty", nil)
	db, err := fillable(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	front, err := worldOn(t.Context(), url, app.Roles{NoWorker: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(front.remove)
	return &site{PostgresOptions: smallPostgres(url), bare: db, front: front}
}

// TestShared_same_rows reads what both sides have stored: the bare writer must leave what the engine did.
func TestShared_same_rows(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	r := &shared{site: s}
	var states [2]map[stdops.NodeIndex]stdops.State
	for i, do := range []func(batch) error{
		func(b batch) error { _, err := r.run(t.Context(), b); return err },
		func(b batch) error { _, err := r.replay(t.Context(), b); return err },
	} {
		tasks, err := s.create(t.Context(), 1, mixed())
		if err != nil {
			t.Fatal(err)
		}
		if err := do(tasks); err != nil {
			t.Fatal(err)
		}
		st, err := s.open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		snap, err := st.Load(t.Context(), tasks.refs()[0])
		if err != nil {
			t.Fatal(err)
		}
		if err := st.Close(); err != nil {
			t.Fatal(err)
		}
		states[i] = map[stdops.NodeIndex]stdops.State{stdops.RootNode: snap.Task.Root.State}
		for _, n := range snap.Nodes {
			states[i][n.Node] = n.State
		}
	}
	if diff := cmp.Diff(states[0], states[1]); diff != "" || len(states[0]) != 1+mixedNodes {
		t.Errorf("%d nodes (-engine +writer):\n%s", len(states[0]), diff)
	}
}

// TestFill: a copy has the rows of that of which it is one.
func TestFill(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	tasks, err := s.create(t.Context(), 2, mixed())
	if err != nil {
		t.Fatal(err)
	}
	filled, err := s.bare.Fill(t.Context(), tasks, 5, 0, "task_input")
	if err != nil {
		t.Fatal(err)
	}
	owners, err := s.bare.Owners(t.Context(), filled)
	if err != nil || len(owners) != 5 {
		t.Fatalf("%v, %v", owners, err)
	}
	st, err := s.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	for i, ref := range batch(filled).refs() {
		snap, err := st.Load(t.Context(), ref)
		if err != nil {
			t.Fatal(err)
		}
		if want := map[bool]string{true: "bench task 1", false: "bench task 2"}[(i+1)%2 == 0]; snap.Task.Name != want {
			t.Errorf("copy %d is of %q", i, snap.Task.Name)
		}
	}
}

// TestJobPerNode: the variant stores what it says, and an error of it ends the run.
func TestJobPerNode(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	tasks, err := s.create(t.Context(), 3, mixed())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.bare.JobPerNode(t.Context(), tasks, 4); err != nil {
		t.Fatal(err)
	}
	owners, err := s.bare.Owners(t.Context(), tasks)
	if err != nil {
		t.Fatal(err)
	}
	for id, o := range owners {
		if diff := cmp.Diff(bare.Owner{Revision: 4, Ended: true}, o); diff != "" {
			t.Errorf("task %d (-want +got):\n%s", id, diff)
		}
	}
	if _, err := s.bare.JobPerNode(t.Context(), tasks, 4); err == nil {
		t.Error("nodes that are stored are stored again")
	}
}
