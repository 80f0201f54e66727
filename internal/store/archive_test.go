package store

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/store/disktest"
)

// endTask stores a task that has a row in every table and ended at a time.
func endTask(t testing.TB, s *Store, state stdops.State, second int) stdops.Task {
	t.Helper()
	task := createTask(t, s, newTask("ended"))
	c := fullChange(s, task)
	c.Nodes = append(c.Nodes, stdops.NodeState{Node: 0, Order: 1, State: stdops.StateRunning, Version: "w", Started: at(1)})
	commit(t, s, c)
	last := stdops.Change{Task: task.ID, Project: 1, Revision: 1, Epoch: s.Epoch(), Archive: []stdops.NodeIndex{1}, Root: c.Root}
	last.Root.State, last.Root.Finished, last.Root.Live = state, at(second), false
	commit(t, s, last)
	piece := stdops.LogPiece{LogKey: stdops.LogKey{TaskRef: ref(task), Node: 1, Loop: 1}, Version: version, Text: []byte("hello")}
	if _, err := s.AppendLogs(t.Context(), []stdops.LogPiece{piece}); err != nil {
		t.Fatal(err)
	}
	return task
}

// archiveAll archives what ended before a time, and gives how many tasks each step took.
func archiveAll(t testing.TB, s *Store, second, limit int) (steps []int) {
	t.Helper()
	for {
		n, err := s.Archive(t.Context(), at(second), limit)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			return steps
		}
		steps = append(steps, n)
	}
}

// rowsIn counts the rows that the tables have of a task.
func rowsIn(t testing.TB, s *Store, task stdops.Task) map[string]int {
	t.Helper()
	rows := map[string]int{}
	for _, table := range append([]string{"task_archive"}, gone...) {
		var n int
		err := s.readers.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM `+table+` WHERE task_id = $1`, int64(task.ID)).Scan(&n)
		if err != nil {
			t.Fatal(err)
		}
		if n > 0 {
			rows[table] = n
		}
	}
	return rows
}

func TestArchive_keeps_how_tasks_stand_and_nothing_else(t *testing.T) {
	t.Parallel()
	s := setup(t)
	tasks := []stdops.Task{endTask(t, s, stdops.StateFinished, 10), endTask(t, s, stdops.StateRevoked, 11), createTask(t, s, newTask("never started"))}
	if rows := rowsIn(t, s, tasks[0]); len(rows) != len(gone) {
		t.Fatalf("a task has rows in %v", rows)
	}
	questions := []StatusQuery{
		{IDs: []stdops.TaskID{1, 2, 3}, Children: true},
		{IDs: []stdops.TaskID{1, 2, 3}},
		{Newest: 3, Children: true},
		{IDs: []stdops.TaskID{1, 2, 3}, Children: true, Most: 3},
		{List: &TaskFilter{}, Total: true},
	}
	var before []*StatusBatch
	for _, q := range questions {
		before = append(before, statuses(t, s, q))
	}
	if steps := archiveAll(t, s, 100, 10); !slices.Equal(steps, []int{3}) {
		t.Fatalf("archived %v", steps)
	}
	for i, q := range questions {
		want, got := before[i], statuses(t, s, q)
		for j := range want.Tasks {
			root := &want.Tasks[j].Task
			root.Archived = s.Now()
			root.Root.Revision++
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("question %d (-before +after):\n%s", i, diff)
		}
	}
	for _, task := range tasks {
		if rows := rowsIn(t, s, task); !cmp.Equal(rows, map[string]int{"task_archive": 1}) {
			t.Errorf("task %d has rows in %v", task.ID, rows)
		}
	}
}

// Who verifies reads the record of an archived task: its row, and how its nodes stood.
func TestPostgresArchive_has_a_record(t *testing.T) {
	t.Parallel()
	o := testOptions("")
	o.DB, o.ownTime = emptyDatabase(t), true
	s := open(t, o)
	task := endTask(t, s, stdops.StateFinished, 10)
	archiveAll(t, s, 100, 10)
	data, err := OpenDatabase(t.Context(), o.DB)
	must(t, err)
	defer data.Close()
	record, err := data.Record(t.Context(), ref(task))
	must(t, err)
	if diff := cmp.Diff(loadTask(t, s, task), record.Task); diff != "" || len(record.Nodes) == 0 {
		t.Errorf("a record of %d nodes (-want +got):\n%s", len(record.Nodes), diff)
	}
}

// A table that a task has rows in is one that is emptied.
func TestArchive_knows_all_tables(t *testing.T) {
	t.Parallel()
	s := setup(t)
	rows, err := s.readers.QueryContext(t.Context(), `
		SELECT m.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c ON c.name = 'task_id' WHERE m.type = 'table' ORDER BY 1`)
	tables, err := collect(rows, err, func(s *string) []any { return []any{s} })
	if err != nil {
		t.Fatal(err)
	}
	if want := slices.Sorted(slices.Values(append(gone[:len(gone):len(gone)], "task_archive"))); !slices.Equal(tables, want) {
		t.Errorf("tables %v, known %v", tables, want)
	}
}

func TestArchive_leaves_alone_what_is_young_or_may_go_on(t *testing.T) {
	t.Parallel()
	s := setup(t)
	young := endTask(t, s, stdops.StateFinished, 50)
	waiting := createTask(t, s, newTask("waits"))
	commit(t, s, fullChange(s, waiting))
	ending := createTask(t, s, newTask("a call is out after a revoke"))
	c := fullChange(s, ending)
	c.Root.State, c.Root.Finished = stdops.StateRevoked, at(2)
	commit(t, s, c)
	n := newTask("made later")
	n.Task.Created = at(50)
	made := createTask(t, s, n)
	old := endTask(t, s, stdops.StateFinished, 49)
	if steps := archiveAll(t, s, 50, 10); !slices.Equal(steps, []int{1}) {
		t.Errorf("archived %v", steps)
	}
	for _, task := range []stdops.Task{young, waiting, ending, made} {
		if got := loadTask(t, s, task); !got.Archived.IsZero() {
			t.Errorf("task %q was archived", task.Name)
		}
	}
	if loadTask(t, s, old).Archived.IsZero() {
		t.Error("the old task was not archived")
	}
	if steps := archiveAll(t, s, 51, 1); !slices.Equal(steps, []int{1, 1}) {
		t.Errorf("archived %v a moment later", steps)
	}
}

func TestArchive_tells_what_is_gone(t *testing.T) {
	t.Parallel()
	s := setup(t)
	task := endTask(t, s, stdops.StateFinished, 10)
	archiveAll(t, s, 100, 10)
	ctx, r := t.Context(), ref(task)
	for what, ask := range map[string]func() error{
		"Load":        func() error { return second(s.Load(ctx, r)) },
		"TaskInputs":  func() error { return second(s.TaskInputs(ctx, r)) },
		"Node":        func() error { return second(s.Node(ctx, r, 1)) },
		"NodeDetail":  func() error { return second(s.NodeDetail(ctx, r, 1)) },
		"NodeLog":     func() error { return second(s.NodeLog(ctx, r, 1, LogPage{})) },
		"Attempts":    func() error { return second(s.Attempts(ctx, r, 1)) },
		"Variables":   func() error { return second(s.Variables(ctx, r, 0)) },
		"Transitions": func() error { return second(s.Transitions(ctx, r, 0, 9)) },
		"Failures":    func() error { return second(s.Failures(ctx, r, 9)) },
	} {
		err := ask()
		if stdops.ErrorCode(err) != stdops.CodeGone || err.Error() != "task 1 was archived on 2026-05-04: only states and times are kept" {
			t.Errorf("%s: %v", what, err)
		}
	}
	// The rows of another project stay hidden.
	if _, err := s.NodeDetail(ctx, stdops.TaskRef{Project: 2, Task: task.ID}, 1); stdops.ErrorCode(err) != stdops.CodeNotFound {
		t.Errorf("of another project: %v", err)
	}
}

// A step that was decided before its task was archived is not stored.
func TestArchive_makes_steps_stale(t *testing.T) {
	t.Parallel()
	s := setup(t)
	task := createTask(t, s, newTask("one"))
	archiveAll(t, s, 100, 10)
	verdicts, err := s.Commit(t.Context(), []stdops.Change{fullChange(s, task)})
	if err != nil || verdicts[0] != stdops.Stale {
		t.Errorf("%v, %v", verdicts, err)
	}
}

// Tasks that change between the look at them and the mark are left for the next time.
func TestArchive_of_a_task_that_changed_meanwhile(t *testing.T) {
	t.Parallel()
	s := setup(t)
	moved, still := createTask(t, s, newTask("moved")), createTask(t, s, newTask("still"))
	list, err := s.old(t.Context(), at(100), 10)
	if err != nil || len(list) != 2 {
		t.Fatalf("%v, %v", list, err)
	}
	commit(t, s, fullChange(s, moved))
	var marked []oldTask
	err = s.write(t.Context(), func(ctx context.Context, tx *sql.Conn) (err error) {
		marked, err = s.markArchived(ctx, tx, list)
		return err
	})
	if err != nil || len(marked) != 1 || marked[0].id != still.ID {
		t.Errorf("%v, %v", marked, err)
	}
}

func TestArchive_by_many_at_the_same_time_while_tasks_are_read(t *testing.T) {
	t.Parallel()
	s := setup(t)
	const tasks = 60
	var ids []stdops.TaskID
	for range tasks {
		ids = append(ids, endTask(t, s, stdops.StateFinished, 10).ID)
	}
	q := StatusQuery{IDs: ids, Children: true}
	want := statuses(t, s, q).Tasks
	var group, reader sync.WaitGroup
	var taken [3]int
	var done atomic.Bool
	for i := range taken {
		group.Go(func() {
			for range tasks { // each may find what another has just taken
				n, err := s.Archive(t.Context(), at(100), 7)
				if err != nil {
					t.Error(err)
				}
				taken[i] += n
			}
		})
	}
	reader.Go(func() {
		for last := false; !last; {
			last = done.Load()
			for i, row := range statuses(t, s, q).Tasks {
				if row.Err != nil || !cmp.Equal(row.Nodes, want[i].Nodes) {
					t.Errorf("task %d: %v, %d nodes", row.Task.ID, row.Err, len(row.Nodes))
				}
			}
		}
	})
	group.Wait()
	done.Store(true)
	reader.Wait()
	if sum := taken[0] + taken[1] + taken[2]; sum != tasks {
		t.Errorf("%v of %d tasks", taken, tasks)
	}
}

// Whatever the disk does while tasks are archived: each is as it was, or it was archived, and stands as before.
func TestArchive_loses_nothing_when_the_power_fails(t *testing.T) {
	t.Parallel()
	disk := disktest.New("archive", rand.New(rand.NewPCG(1, 2)))
	t.Cleanup(disk.Close)
	o := testOptions(t.TempDir())
	o.VFS = "archive"
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	var tasks []stdops.Task
	q := StatusQuery{Children: true}
	for range 12 {
		task := endTask(t, s, stdops.StateFinished, 10)
		tasks, q.IDs = append(tasks, task), append(q.IDs, task.ID)
	}
	want := statuses(t, s, q).Tasks
	whole := rowsIn(t, s, tasks[0])
	archived, failed := 0, 0
	for n := 1; archived < len(tasks); n++ {
		disk.FailAfter(n)
		taken, err := s.Archive(t.Context(), at(100), 3)
		switch {
		case err != nil:
			failed++
		case taken == 0:
			t.Fatal("nothing is archived")
		default:
			n = 0
			disk.FailAfter(0)
		}
		if disk.Off() {
			_ = s.Close() // of a store without a disk
			if err := disk.PowerOn(); err != nil {
				t.Fatal(err)
			}
			if s, err = Open(t.Context(), o); err != nil {
				t.Fatal(err)
			}
		}
		archived = 0
		for i, row := range statuses(t, s, q).Tasks {
			if row.Err != nil || !cmp.Equal(row.Nodes, want[i].Nodes) {
				t.Fatalf("task %d: %v, %d nodes", row.Task.ID, row.Err, len(row.Nodes))
			}
			has := whole
			if !row.Task.Archived.IsZero() {
				has = map[string]int{"task_archive": 1}
				archived++
			}
			if rows := rowsIn(t, s, row.Task); !cmp.Equal(rows, has) {
				t.Fatalf("task %d has rows in %v", row.Task.ID, rows)
			}
		}
	}
	if failed == 0 {
		t.Error("the power never failed")
	}
	closeStore(t, s)
}

func TestArchive_that_fails_leaves_tasks_whole(t *testing.T) {
	t.Parallel()
	s := setup(t)
	task := endTask(t, s, stdops.StateFinished, 10)
	before := rowsIn(t, s, task)
	damage(t, s, `CREATE TRIGGER keep BEFORE DELETE ON log_chunk BEGIN SELECT RAISE(ABORT, 'no'); END`)
	if n, err := s.Archive(t.Context(), at(100), 10); err == nil || n != 0 {
		t.Errorf("archived %d, %v", n, err)
	}
	if rows := rowsIn(t, s, task); !cmp.Equal(rows, before) || !loadTask(t, s, task).Archived.IsZero() {
		t.Errorf("the task has rows in %v", rows)
	}
}

func TestArchive_of_a_record_that_is_damaged(t *testing.T) {
	t.Parallel()
	s := setup(t)
	for range 4 {
		endTask(t, s, stdops.StateFinished, 10)
	}
	archiveAll(t, s, 100, 10)
	damage(t, s, `UPDATE task_archive SET body = substr(body, 2) WHERE task_id = 1`)
	damage(t, s, `UPDATE task_archive SET format = 99 WHERE task_id = 2`)
	damage(t, s, `DELETE FROM task_archive WHERE task_id = 3`)
	for _, row := range statuses(t, s, StatusQuery{IDs: []stdops.TaskID{1, 2, 3, 4}, Children: true}).Tasks {
		if damaged := row.Task.ID < 4; (row.Err != nil) != damaged || (len(row.Nodes) == 0) != damaged {
			t.Errorf("task %d: %v, %d nodes", row.Task.ID, row.Err, len(row.Nodes))
		}
	}
}

func TestArchive_costs_a_status_one_statement(t *testing.T) {
	t.Parallel()
	s := reopen(t, t.TempDir())
	defer closeStore(t, s)
	var ids []stdops.TaskID
	for range 4 {
		ids = append(ids, endTask(t, s, stdops.StateFinished, 10).ID)
	}
	count := countReads(t, s)
	ask := func(want int, q StatusQuery) {
		t.Helper()
		statuses(t, s, q)
		if got := count(); len(got) != want {
			t.Errorf("%d statements, want %d:\n%s", len(got), want, strings.Join(got, "\n"))
		}
	}
	statuses(t, s, StatusQuery{IDs: ids})
	count()
	ask(2, StatusQuery{IDs: ids, Children: true})
	if _, err := s.Archive(t.Context(), at(100), 2); err != nil {
		t.Fatal(err)
	}
	count()
	ask(3, StatusQuery{IDs: ids, Children: true})
	ask(1, StatusQuery{IDs: ids})
	ask(2, StatusQuery{IDs: ids[:2], Children: true})
	ask(2, StatusQuery{IDs: ids[2:], Children: true})
}

func TestMaintain_archives_what_is_older_than_the_retention(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		seconds int
		want    bool
	}{{0, false}, {15, false}, {5, true}} {
		o := testOptions(t.TempDir())
		o.Now = func() time.Time { return at(20) }
		o.Retention = time.Duration(c.seconds) * time.Second
		s, err := Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		task := endTask(t, s, stdops.StateFinished, 10)
		if err := s.ArchiveOld(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := !loadTask(t, s, task).Archived.IsZero(); got != c.want {
			t.Errorf("retention of %d s: archived %t", c.seconds, got)
		}
		closeStore(t, s)
	}
}

// TestArchive_of_very_many goes on in steps that are each soon done, and leaves nothing.
func TestArchive_of_very_many(t *testing.T) {
	t.Parallel()
	s := setup(t)
	const tasks, nodes = 100_000, 1
	task := createTask(t, s, newTask("like all others"))
	c := running(s, task)
	c.Root.State, c.Root.Finished, c.Root.Live = stdops.StateFinished, at(10), false
	commit(t, s, c)
	err := s.write(t.Context(), func(ctx context.Context, tx *sql.Conn) error {
		columns := strings.TrimPrefix(strings.ReplaceAll(taskColumns, ", archived_at", ""), "id, ")
		_, err := tx.ExecContext(ctx, `
			WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
			INSERT INTO task (id, `+columns+`) SELECT i, `+columns+` FROM n, task WHERE task.id = 1`, tasks)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `
			INSERT INTO node_state (project_id, task_id, node, ord, state, phase, call, loop, inner_loop, retry, auto_retries, skip, error_ignored, version, token)
			SELECT 1, task.id, j.value, j.value, 5, 0, 0, 1, 1, 0, 0, 0, 0, 'v', 1 FROM task, json_each('[1]') j`)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `
			WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
			INSERT INTO transition (project_id, task_id, revision, n, node, from_state, to_state, actor) SELECT 1, 7, i, 0, 1, 1, 3, '' FROM n`,
			3*archiveRows)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	steps := archiveAll(t, s, 100, archiveTasks)
	sum := 0
	for _, n := range steps {
		if sum += n; n > archiveTasks {
			t.Errorf("a step of %d tasks", n)
		}
	}
	if sum != tasks || !slices.Contains(steps, 1) { // the one with very many rows goes alone
		t.Errorf("%d tasks in %d steps", sum, len(steps))
	}
	for _, table := range gone {
		var left int
		if err := s.readers.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM `+table).Scan(&left); err != nil || left > 0 {
			t.Errorf("%d rows are left in %s, %v", left, table, err)
		}
	}
	for _, row := range statuses(t, s, StatusQuery{IDs: []stdops.TaskID{1, tasks / 2, tasks}, Children: true}).Tasks {
		if row.Err != nil || len(row.Nodes) != nodes {
			t.Errorf("task %d: %v, %s", row.Task.ID, row.Err, fmt.Sprint(row.Nodes))
		}
	}
}

func TestMigration_archives_tasks_from_before(t *testing.T) {
	t.Parallel()
	dir, db := openBefore(t, 10)
	if _, err := db.ExecContext(t.Context(), `
		INSERT INTO task (project_id, name, tree_hash, flow_type, claimed, deleted, template_id, template_source, create_method, app,
			creator, executor, description, category, created_at, state, version, revision, epoch, live)
		VALUES (1, 'old', 't', 'common', 0, 0, 0, '', 'api', '', 'ann', '', '', '', 1, 1, '', 0, 0, 0)`); err != nil {
		t.Fatal(err)
	}
	s := reopen(t, dir)
	defer closeStore(t, s)
	task := stdops.Task{ID: 1, Project: 1}
	if got := loadTask(t, s, task); got.Name != "old" || !got.Archived.IsZero() {
		t.Errorf("%+v", got)
	}
	if steps := archiveAll(t, s, 0, 9); !slices.Equal(steps, []int{1}) || loadTask(t, s, task).Archived.IsZero() {
		t.Errorf("archived %v", steps)
	}
}
