package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/store/pgtest"
)

// processes opens one database several times, as the processes of a cluster do.
func processes(t *testing.T, n int) []*Store {
	t.Helper()
	o := testOptions("")
	o.DB, o.ownTime = emptyDatabase(t), true
	var all []*Store
	for range n {
		all = append(all, open(t, o))
	}
	return all
}

// together runs fn for each store at the same time.
func together(all []*Store, fn func(i int, s *Store)) {
	var wait sync.WaitGroup
	for i, s := range all {
		wait.Go(func() { fn(i, s) })
	}
	wait.Wait()
}

// Of many who store a change on the same revision one succeeds, and nothing of the others is stored.
func TestPostgres_commits_of_the_same_task(t *testing.T) {
	t.Parallel()
	all := processes(t, 4)
	task := createTask(t, all[0], newTask("one"))
	const rounds = 20
	for round := range rounds {
		verdicts := make([]stdops.Verdict, len(all))
		together(all, func(i int, s *Store) {
			c := running(s, task)
			c.Revision = int64(round)
			c.Transitions = []stdops.Transition{{Node: 1, To: stdops.StateRunning, Actor: fmt.Sprint(i), Time: at(1)}}
			for {
				got, err := s.Commit(t.Context(), []stdops.Change{c})
				if err != nil {
					t.Error(err)
					return
				}
				if verdicts[i] = got[0]; got[0] != stdops.Busy {
					return
				}
			}
		})
		slices.Sort(verdicts)
		if want := []stdops.Verdict{stdops.Committed, stdops.Stale, stdops.Stale, stdops.Stale}; !slices.Equal(verdicts, want) {
			t.Fatalf("round %d: %v", round, verdicts)
		}
	}
	log, err := all[0].Transitions(t.Context(), ref(task), 0, 100)
	if err != nil || len(log) != rounds || log[rounds-1].Revision != rounds {
		t.Errorf("%d entries, %v", len(log), err)
	}
}

// Whoever stores batches of the same tasks in whatever order, each task has exactly what was committed of it.
func TestPostgres_batches_that_overlap(t *testing.T) {
	t.Parallel()
	all := processes(t, 3)
	const tasks, rounds = 8, 15
	var made [tasks]stdops.Task
	var list []stdops.TaskID
	for i := range made {
		made[i] = createTask(t, all[0], newTask(fmt.Sprint(i)))
		list = append(list, made[i].ID)
	}
	var committed [tasks]atomic.Int64
	together(all, func(who int, s *Store) {
		for round := range rounds {
			current, err := s.Revisions(t.Context(), 1, list)
			if err != nil {
				t.Error(err)
				return
			}
			var batch []stdops.Change
			for k := range made {
				i := (k*(2*who+1) + round) % tasks // an order of its own
				c := running(s, made[i])
				c.Revision = current[i]
				c.Nodes = []stdops.NodeState{{Node: 1, Order: 1, State: stdops.StateRunning, Loop: int32(c.Revision) + 1}}
				c.Callbacks = []stdops.Callback{{Seq: c.Revision + 1, Node: 1}}
				batch = append(batch, c)
			}
			verdicts, err := s.Commit(t.Context(), batch)
			if err != nil {
				t.Error(err)
				return
			}
			for i, v := range verdicts {
				if v == stdops.Committed {
					committed[slices.Index(list, batch[i].Task)].Add(1)
				}
			}
		}
	})
	for i, task := range made {
		snap, want := load(t, all[0], task), committed[i].Load()
		if snap.Task.Root.Revision != want || int64(len(snap.Callbacks)) != want || want > 0 && int64(snap.Nodes[0].Loop) != want {
			t.Errorf("task %d: revision %d, %d callbacks, nodes %+v, %d commits", task.ID, snap.Task.Root.Revision, len(snap.Callbacks), snap.Nodes, want)
		}
	}
}

// A task that somebody holds is not waited for, and the others of the batch are stored.
func TestPostgres_commit_waits_for_nobody(t *testing.T) {
	t.Parallel()
	s := setup(t)
	held, free := createTask(t, s, newTask("held")), createTask(t, s, newTask("free"))
	err := s.writeBeside(t.Context(), func(ctx context.Context, tx *sql.Conn, _ *sql.Tx) error {
		if err := s.holdTask(ctx, tx, ref(held)); err != nil {
			return err
		}
		got, err := s.Commit(t.Context(), []stdops.Change{running(s, held), running(s, free)})
		if want := []stdops.Verdict{stdops.Busy, stdops.Committed}; !slices.Equal(got, want) {
			t.Errorf("%v, %v", got, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	commit(t, s, running(s, held))
}

// drive is the part of a task's row that says who drives it and who has to.
type drive struct {
	Owner, Queue, Touched sql.NullInt64
	Epoch                 int64
}

func driven(t *testing.T, s *Store, task stdops.Task) (d drive) {
	t.Helper()
	err := s.readers.QueryRowContext(t.Context(), `SELECT owner, queue_at, touched_at, epoch FROM task WHERE id = $1`, int64(task.ID)).
		Scan(&d.Owner, &d.Queue, &d.Touched, &d.Epoch)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func some(n int64) sql.NullInt64 { return sql.NullInt64{Int64: n, Valid: true} }

func TestPostgres_changes_from_outside(t *testing.T) {
	t.Parallel()
	s := setup(t)
	now := noon.UnixMicro()
	n := newTask("one")
	n.Start = func(task stdops.Task) (*stdops.Change, error) { c := running(s, task); return &c, nil }
	task := createTask(t, s, n)
	look := func(what string, want drive) {
		t.Helper()
		if diff := cmp.Diff(want, driven(t, s, task)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	look("started", drive{Queue: some(now)})
	damage(t, s, `INSERT INTO worker (id, host, pid, started_at, renewed_at, expires_at) OVERRIDING SYSTEM VALUE VALUES (7, 'here', 1, 0, 0, 0)`)
	damage(t, s, `UPDATE task SET owner = 7, epoch = 3, queue_at = NULL`)
	step := func(change func(*stdops.Change)) []stdops.Verdict {
		t.Helper()
		c := running(s, loadTask(t, s, task))
		c.Epoch = 3
		change(&c)
		verdicts, err := s.Commit(t.Context(), []stdops.Change{c})
		if err != nil {
			t.Fatal(err)
		}
		return verdicts
	}
	if got := step(func(c *stdops.Change) { c.Outside = true }); got[0] != stdops.Committed {
		t.Errorf("from outside: %v", got)
	}
	look("touched", drive{Owner: some(7), Touched: some(now), Epoch: 3})
	if got := step(func(c *stdops.Change) { c.Epoch = 2 }); got[0] != stdops.Fenced {
		t.Errorf("of who has driven it before: %v", got)
	}
	if got := step(func(c *stdops.Change) { c.Epoch, c.Outside = 2, true }); got[0] != stdops.Stale {
		t.Errorf("from outside, before it was claimed: %v", got)
	}
	if got := step(func(*stdops.Change) {}); got[0] != stdops.Committed {
		t.Errorf("of the owner: %v", got)
	}
	look("seen", drive{Owner: some(7), Epoch: 3})
	step(func(c *stdops.Change) { c.Root.Live = false })
	look("over", drive{Epoch: 3})
}

// While a task is stored with a key, or as the child of an attempt, another one with that waits, and is then refused.
func TestPostgres_one_child_and_one_key(t *testing.T) {
	t.Parallel()
	s := setup(t)
	_, attempt := parentOf(t, s)
	for what, n := range map[string]NewTask{"child": newChild(attempt), "key": newTask("keyed")} {
		if what == "key" {
			n.Key = requestKey("k")
		}
		second := n
		var refused error
		var wait sync.WaitGroup
		n.Start = func(stdops.Task) (*stdops.Change, error) {
			wait.Go(func() { _, refused = s.CreateTask(t.Context(), second) })
			awaitLock(t, s)
			return nil, nil
		}
		createTask(t, s, n)
		wait.Wait()
		if !errors.Is(refused, stdops.ErrRepeated) {
			t.Errorf("%s: the second one: %v", what, refused)
		}
	}
}

// awaitLock waits until somebody waits for another transaction.
func awaitLock(t *testing.T, s *Store) {
	t.Helper()
	for waiting := false; !waiting; {
		err := s.readers.QueryRowContext(t.Context(), `
			SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')`).Scan(&waiting)
		if err != nil {
			t.Error(err)
			return
		}
	}
}

// A child is not made of an attempt that ends at the same time: either the child is there when the end is decided, or there
// is none.
func TestPostgres_child_of_an_attempt_that_ends(t *testing.T) {
	t.Parallel()
	s := setup(t)
	parent, attempt := parentOf(t, s)
	var verdicts []stdops.Verdict
	n := newChild(attempt)
	n.Start = func(stdops.Task) (*stdops.Change, error) {
		end := running(s, parent)
		end.Nodes = []stdops.NodeState{{Node: attempt.Node, State: stdops.StateFinished, Version: attempt.Version}}
		var err error
		verdicts, err = s.Commit(t.Context(), []stdops.Change{end})
		return nil, err
	}
	createTask(t, s, n)
	if !slices.Equal(verdicts, []stdops.Verdict{stdops.Busy}) {
		t.Errorf("the end of the attempt: %v", verdicts)
	}
}

func TestPostgres_ids_are_reserved_once(t *testing.T) {
	t.Parallel()
	all := processes(t, 4)
	firsts := make([][]int64, len(all))
	together(all, func(i int, s *Store) {
		for range 10 {
			first, err := s.ReserveSchemes(t.Context(), 5)
			if err != nil {
				t.Error(err)
			}
			firsts[i] = append(firsts[i], first)
		}
	})
	var want []int64
	for i := range int64(40) {
		want = append(want, 1+5*i)
	}
	got := slices.Concat(firsts...)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("first ids (-want +got):\n%s", diff)
	}
}

func TestPostgres_logs_of_many_writers(t *testing.T) {
	t.Parallel()
	all := processes(t, 3)
	task := createTask(t, all[0], newTask("one"))
	const lines = 30
	together(all, func(i int, s *Store) {
		for line := range lines {
			piece := stdops.LogPiece{LogKey: stdops.LogKey{TaskRef: ref(task), Node: 1, Loop: 1}, Version: "v1", Text: fmt.Appendf(nil, "%d %d\n", i, line)}
			if _, err := s.AppendLogs(t.Context(), []stdops.LogPiece{piece}); err != nil {
				t.Error(err)
			}
		}
	})
	text := string(nodeLog(t, all[0], task, LogPage{Limit: wholeLog}).Text)
	if n := strings.Count(text, "\n"); n != len(all)*lines {
		t.Errorf("%d lines of %d", n, len(all)*lines)
	}
}

// While the database is gone Commit waits for it, for as long as it may; other methods say that it is not available.
func TestPostgres_gone_and_back(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t, pgtest.Options{Durable: true})
	o := testOptions("")
	o.DB, o.ownTime = server.Database(t, "store", migrateQuietly), true
	s := open(t, o)
	task := createTask(t, s, newTask("one"))
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	for method, call := range map[string]func() error{
		"Task":       func() error { return second(s.Task(t.Context(), ref(task))) },
		"Statuses":   func() error { return second(s.Statuses(t.Context(), 1, StatusQuery{Newest: 9})) },
		"CreateTask": func() error { return second(s.CreateTask(t.Context(), newTask("two"))) },
		"CreateUser": func() error { return s.CreateUser(t.Context(), User{Name: "ann", Created: at(0)}) },
	} {
		if err := call(); stdops.ErrorCode(err) != stdops.CodeUnavailable {
			t.Errorf("%s: %v", method, err)
		}
	}
	s.pg.insist = 50 * time.Millisecond
	if _, err := s.Commit(t.Context(), []stdops.Change{running(s, task)}); stdops.ErrorCode(err) != stdops.CodeUnavailable {
		t.Errorf("Commit: %v", err)
	}
	s.pg.insist = time.Minute
	var wait sync.WaitGroup
	wait.Go(func() { commit(t, s, running(s, task)) })
	if err := server.Start(); err != nil {
		t.Error(err)
	}
	wait.Wait()
	if got := loadTask(t, s, task).Root.Revision; got != 1 {
		t.Errorf("revision %d", got)
	}
}

func TestPostgres_refuses_other_schemas(t *testing.T) {
	t.Parallel()
	o := testOptions("")
	refused := func(words ...string) {
		t.Helper()
		s, err := Open(t.Context(), o)
		if err == nil {
			t.Error("opened", s.Close())
			return
		}
		for _, word := range words {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("%v does not say %q", err, word)
			}
		}
	}
	o.DB = pgtest.Shared(t).Database(t, "nothing", nil)
	refused("no schema", "stdops migrate up")
	must(t, migrateQuietly(t.Context(), o.DB))
	must(t, migrateQuietly(t.Context(), o.DB)) // does nothing
	s := open(t, o)
	damage(t, s, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, true)`)
	refused("newer stdops", "99999")
	if err := migrateQuietly(t.Context(), o.DB); err == nil || !strings.Contains(err.Error(), "newer stdops") {
		t.Errorf("migrated: %v", err)
	}
	o.DB = "postgres://nobody@localhost:1/none?connect_timeout=1"
	refused("connect")
}

func TestPostgres_settings(t *testing.T) {
	t.Parallel()
	url := emptyDatabase(t)
	o := testOptions("")
	o.DB = url
	s := open(t, o)
	want := map[string]string{
		"synchronous_commit": "on", "application_name": "stdops", "statement_timeout": "15s", "lock_timeout": "10s",
		"idle_in_transaction_session_timeout": "5s",
	}
	for _, db := range []*sql.DB{s.readers, s.pg.writers, s.pg.batches} {
		for name, value := range want {
			var got string
			if err := db.QueryRowContext(t.Context(), `SELECT current_setting($1)`, name).Scan(&got); err != nil || got != value {
				t.Errorf("%s is %q, %v", name, got, err)
			}
		}
	}
	if _, err := s.readers.ExecContext(t.Context(), `DELETE FROM meta`); err == nil {
		t.Error("a reader could write")
	}
	for server, want := range map[string]string{"off": "on", "local": "on", "remote_write": "on", "remote_apply": "remote_apply"} {
		o.DB = url + "&synchronous_commit=" + server
		var got string
		if err := open(t, o).pg.batches.QueryRowContext(t.Context(), `SHOW synchronous_commit`).Scan(&got); err != nil || got != want {
			t.Errorf("%s became %q, %v", server, got, err)
		}
	}
}

func TestPostgres_refuses_texts_with_NUL(t *testing.T) {
	t.Parallel()
	s := setup(t)
	_, err := s.CreateTask(t.Context(), newTask("a\x00b"))
	if stdops.ErrorCode(err) != stdops.CodeInvalid || !strings.Contains(err.Error(), "NUL") {
		t.Errorf("got %v", err)
	}
	c := running(s, createTask(t, s, newTask("one")))
	c.Executor = "\xff"
	if _, err := s.Commit(t.Context(), []stdops.Change{c}); stdops.ErrorCode(err) != stdops.CodeInvalid {
		t.Errorf("no UTF-8: %v", err)
	}
}

// All processes go by the time of the database, however wrong their own clocks are.
func TestPostgres_time(t *testing.T) {
	t.Parallel()
	o := testOptions("")
	o.DB = emptyDatabase(t)
	local := time.Now().Add(-time.Hour)
	o.Now = func() time.Time { return local }
	s := open(t, o)
	var before, after time.Time
	ask := func(to *time.Time) {
		t.Helper()
		if err := s.readers.QueryRowContext(t.Context(), `SELECT `+databaseTime("clock_timestamp()")).Scan(instant(to)); err != nil {
			t.Fatal(err)
		}
	}
	ask(&before)
	must(t, s.MeasureTime(t.Context()))
	now := s.Now()
	ask(&after)
	if now.Before(before) || now.After(after) {
		t.Errorf("%v is not between %v and %v", now, before, after)
	}
	local = local.Add(-time.Minute)
	if again := s.Now(); again.Before(now) {
		t.Errorf("the time fell from %v to %v", now, again)
	}
	batch := statuses(t, s, StatusQuery{Newest: 1})
	if batch.Now.Before(after) || batch.Now.After(after.Add(time.Hour)) {
		t.Errorf("statuses of %v, later than %v", batch.Now, after)
	}
}

func TestPostgres_key_and_version_are_shared(t *testing.T) {
	t.Parallel()
	all := processes(t, 3)
	keys := make([][]byte, len(all))
	together(all, func(i int, s *Store) {
		var err error
		if keys[i], err = s.Key(t.Context()); err != nil {
			t.Error(err)
		}
	})
	if len(keys[0]) != keySize || string(keys[0]) != string(keys[1]) || string(keys[0]) != string(keys[2]) {
		t.Errorf("keys %x", keys)
	}
	ctx, s := t.Context(), all[0]
	version := func() int64 {
		t.Helper()
		v, err := all[1].IdentityVersion(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	last := version()
	for what, write := range map[string]func() error{
		"app":     func() error { return s.CreateApp(ctx, App{Code: "shop", Created: at(0)}, []byte("h"), 1) },
		"user":    func() error { return s.CreateUser(ctx, User{Name: "ann", Created: at(0)}, Grant{"ann", 1, RoleViewer}) },
		"project": func() error { return second(s.CreateProject(ctx, Project{Name: "p", Biz: NoBiz, Created: at(0)})) },
	} {
		must(t, write())
		if now := version(); now <= last {
			t.Errorf("%s: version %d after %d", what, now, last)
		} else {
			last = now
		}
	}
	createTask(t, s, newTask("one"))
	if now := version(); now != last {
		t.Errorf("a task raised the version from %d to %d", last, now)
	}
}

func TestPostgres_revisions_are_those_of_all(t *testing.T) {
	t.Parallel()
	all := processes(t, 2)
	task := createTask(t, all[0], newTask("one"))
	ask := func(project stdops.ProjectID) []int64 {
		t.Helper()
		list, err := all[1].Revisions(t.Context(), project, []stdops.TaskID{task.ID, 99})
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	for revision := range int64(3) {
		if got := ask(1); !slices.Equal(got, []int64{revision, NotKnown}) {
			t.Errorf("%v after %d changes", got, revision)
		}
		c := running(all[0], task)
		c.Revision = revision
		commit(t, all[0], c)
	}
	if got := ask(2); !slices.Equal(got, []int64{NotKnown, NotKnown}) {
		t.Errorf("another project is told %v", got)
	}
}

// A process that sleeps in the middle of a step holds its task for seconds only: others go on, and what it does then is refused.
func TestPostgres_step_of_a_process_that_sleeps(t *testing.T) {
	t.Parallel()
	all := processes(t, 2)
	task := createTask(t, all[0], newTask("one"))
	change := func(s *Store) *stdops.Change {
		c := running(s, task)
		c.Outside = true
		return &c
	}
	asleep, others := make(chan struct{}), make(chan struct{})
	var slept sync.WaitGroup
	slept.Go(func() {
		err := all[0].Workers(WorkerOptions{Name: "asleep"}).Step(t.Context(), ref(task), func(*stdops.Snapshot) (*stdops.Change, error) {
			close(asleep)
			<-others
			return change(all[0]), nil
		})
		if stdops.ErrorCode(err) != stdops.CodeUnavailable {
			t.Errorf("the step of a process that slept: %v", err)
		}
	})
	<-asleep
	tries := 0
	for ; ; tries++ {
		err := all[1].Workers(WorkerOptions{Name: "awake"}).Step(t.Context(), ref(task), func(*stdops.Snapshot) (*stdops.Change, error) { return change(all[1]), nil })
		if err == nil {
			break
		}
		if stdops.ErrorCode(err) != stdops.CodeUnavailable || tries > 10 {
			t.Errorf("step %d: %v", tries, err)
			break
		}
	}
	close(others)
	slept.Wait()
	if tries == 0 {
		t.Error("nobody held the task")
	}
}
