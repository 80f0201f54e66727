package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/stdops/stdops"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// noon is the time of all tests; times are moved from it by at.
var noon = time.Date(2026, 5, 4, 12, 0, 0, 123_456_000, time.UTC)

func at(seconds int) time.Time { return noon.Add(time.Duration(seconds) * time.Second) }

func testOptions(dir string) Options {
	return Options{
		Dir: dir,
		Log: slog.New(slog.DiscardHandler),
		Now: func() time.Time { return noon },
		DecodeSkeleton: func(b []byte) (*stdops.Skeleton, error) {
			sk := &stdops.Skeleton{}
			return sk, json.Unmarshal(b, sk)
		},
	}
}

// setup opens an empty store that ends with the test: on PostgreSQL when the test is one of the contract (contract_test.go).
func setup(t testing.TB) *Store {
	t.Helper()
	o := testOptions("")
	if onPostgres(t) {
		o.DB, o.ownTime = emptyDatabase(t), true
	} else {
		o.Dir = t.TempDir()
	}
	return open(t, o)
}

// open opens a store that ends with the test.
func open(t testing.TB, o Options) *Store {
	t.Helper()
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// damage runs a statement that no method runs.
func damage(t testing.TB, s *Store, statement string) {
	t.Helper()
	err := s.write(t.Context(), func(ctx context.Context, tx *sql.Conn) error {
		_, err := tx.ExecContext(ctx, statement)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// newTask is a task of project 1 with a small tree.
func newTask(name string) NewTask {
	return NewTask{
		Task: stdops.Task{
			Project: 1, Name: name, TreeHash: "t1", FlowType: stdops.FlowCommon, Template: 7, TemplateSource: "project",
			CreateMethod: "api", App: "shop", Creator: "alice", Description: "d", Category: "c", Created: at(0),
			Root: stdops.RootState{State: stdops.StateCreated},
		},
		Body:     []byte(`{"tree":1}`),
		Skeleton: []byte(`{"Nodes":[{"Name":"root"},{"Name":"a"}]}`),
		Inputs:   []byte(`{"x":1}`),
	}
}

func createTask(t testing.TB, s *Store, n NewTask) stdops.Task {
	t.Helper()
	task, err := s.CreateTask(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	return task
}

// running is a change of task that lets it run, with nothing else in it.
func running(s *Store, task stdops.Task) stdops.Change {
	return stdops.Change{
		Task: task.ID, Project: task.Project, Revision: task.Root.Revision, Epoch: s.Epoch(), Executor: "bob",
		Root: stdops.RootState{State: stdops.StateRunning, Version: "v1", Started: at(1), Live: true, WakeAt: at(60)},
	}
}

// commit stores one change and fails the test when it is stale.
func commit(t testing.TB, s *Store, c stdops.Change) {
	t.Helper()
	verdicts, err := s.Commit(t.Context(), []stdops.Change{c})
	if err != nil {
		t.Fatal(err)
	}
	if verdicts[0] != stdops.Committed {
		t.Fatalf("change of task %d on revision %d is stale", c.Task, c.Revision)
	}
}

func ref(task stdops.Task) stdops.TaskRef {
	return stdops.TaskRef{Project: task.Project, Task: task.ID}
}
