package store

import (
	"database/sql"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops"
)

// nodeBefore is how the version before wrote down that a node is entered; $1 is the number of the loop.
const nodeBefore = `
	INSERT INTO node_state (project_id, task_id, node, ord, state, phase, call, loop, inner_loop, retry,
		auto_retries, skip, error_ignored, version, token, started_at, finished_at, due_at, deadline)
	VALUES (1, 1, 1, 1, 3, 2, 0, $1, 1, 0, 0, 0, 0, 'v1', 1, 1000000, NULL, NULL, NULL)
	ON CONFLICT (task_id, node) DO UPDATE SET loop = excluded.loop, started_at = excluded.started_at`

func TestMigration_keeps_nodes_without_their_calls(t *testing.T) {
	t.Parallel()
	dir, db := openBefore(t, 13)
	keepsNodes(t, db, func() *Store { return reopen(t, dir) })
}

func TestPostgres_migration_keeps_nodes_without_their_calls(t *testing.T) {
	t.Parallel()
	db, upgraded := openPostgresBefore(t, 13)
	keepsNodes(t, db, upgraded)
}

// keepsNodes writes a node and an archive as they were before, and goes on with them afterwards; the version before does, too.
func keepsNodes(t *testing.T, db *sql.DB, upgraded func() *Store) {
	t.Helper()
	ctx := t.Context()
	_, err := db.ExecContext(ctx, nodeBefore, 1)
	must(t, err)
	s := upgraded()
	defer closeStore(t, s)
	task, old := createTask(t, s, newTask("one")), createTask(t, s, newTask("two"))
	if task.ID != 1 {
		t.Fatalf("the task has the id %d", task.ID)
	}
	n := load(t, s, task).Nodes[0]
	if !n.Called.IsZero() || n.Started.Unix() != 1 {
		t.Errorf("the old node is %+v", n)
	}

	c := running(s, task)
	n.Called = at(5)
	c.Nodes = []stdops.NodeState{n}
	commit(t, s, c)
	_, err = db.ExecContext(ctx, nodeBefore, 2) // by a process of the version before
	must(t, err)
	if got := load(t, s, task).Nodes[0]; got.Loop != 2 || !got.Called.Equal(at(5)) {
		t.Errorf("then it is %+v", got)
	}

	kept := []stdops.NodeState{fullNode(1)}
	kept[0].Called = time.Time{}
	_, err = db.ExecContext(ctx, `UPDATE task SET state = 5, archived_at = 1 WHERE id = $1`, int64(old.ID))
	must(t, err)
	_, err = db.ExecContext(ctx, `INSERT INTO task_archive (project_id, task_id, format, nodes, body) VALUES (1, $1, 1, 1, $2)`,
		int64(old.ID), s.packNodes(kept))
	must(t, err)
	row := statuses(t, s, StatusQuery{IDs: []stdops.TaskID{old.ID}, Children: true}).Tasks[0]
	if diff := cmp.Diff(kept, row.Nodes); diff != "" || row.Err != nil {
		t.Errorf("%v, the old archive (-want +got):\n%s", row.Err, diff)
	}
}

// TestArchive_calls: most calls begin with their node and take one byte; what is damaged is told.
func TestArchive_calls(t *testing.T) {
	t.Parallel()
	nodes := []stdops.NodeState{{Started: at(1), Called: at(1)}, {Started: at(2)}, {Started: at(3), Called: at(4)}, {Started: at(3), Called: at(3)}}
	packed := packCalls(nodes)
	if len(packed) != 6 {
		t.Errorf("%d bytes", len(packed))
	}
	if got := packCalls(nodes[1:2]); got != nil {
		t.Errorf("where nothing is called %v", got)
	}
	bare := func() []stdops.NodeState {
		got := append([]stdops.NodeState(nil), nodes...)
		for i := range got {
			got[i].Called = time.Time{}
		}
		return got
	}
	got := bare()
	must(t, unpackCalls(packed, got))
	if diff := cmp.Diff(nodes, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, damaged := range [][]byte{packed[:len(packed)-1], append(packed, 0)} {
		if err := unpackCalls(damaged, bare()); err == nil {
			t.Errorf("%v is read", damaged)
		}
	}
}

// TestPostgresCopy_has_the_calls_of_archived_tasks, packed as they are.
func TestPostgresCopy_has_the_calls_of_archived_tasks(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := reopen(t, dir)
	task := endTask(t, s, stdops.StateFinished, 10)
	archiveAll(t, s, 100, 1)
	question := StatusQuery{IDs: []stdops.TaskID{task.ID}, Children: true}
	want := statuses(t, s, question).Tasks
	if nodes := want[0].Nodes; len(nodes) != 3 || !slices.ContainsFunc(nodes, func(n stdops.NodeState) bool { return n.Called.Equal(at(5)) }) {
		t.Fatalf("before the copy %+v", want)
	}
	closeStore(t, s)
	o := testOptions("")
	o.DB, o.ownTime = emptyDatabase(t), true
	must(t, CopyToPostgres(t.Context(), dir, o.DB, []byte("0123456789abcdef0123456789abcdef"), func(Moved) {}))
	if diff := cmp.Diff(want, statuses(t, open(t, o), question).Tasks); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
