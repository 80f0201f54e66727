package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stdops/stdops"
)

// Workers shares the tasks of a PostgreSQL store out to the processes that drive them (docs/cluster.md). It is this process
// among them.
type Workers struct {
	WorkerOptions
	store *Store
	id    atomic.Int64 // row of table worker; 0: this process drives nothing
}

// WorkerOptions say what a process is among those that share a store.
type WorkerOptions struct {
	Name   string // no other process has it, not before or after it either
	Drives bool   // it drives tasks; one that does not leaves to others what it has made ready
	// Enqueue asks, inside of a transaction, that somebody looks at tasks when their time has come. It is a hint: a sweep finds
	// them too. nil asks nobody.
	Enqueue func(ctx context.Context, tx *sql.Tx, wakes []stdops.Wake) error
	// Bury is told the names of processes that are dead, maybe more than once. nil: nobody is.
	Bury func(ctx context.Context, names []string) error
}

// Workers gives this process a place among those that drive tasks; it has it from Join on.
func (s *Store) Workers(o WorkerOptions) *Workers {
	if !o.Drives {
		s.pg.leave = o.Enqueue
	}
	return &Workers{WorkerOptions: o, store: s}
}

// present is the time of the database, by which leases are judged: no process has to have the right time.
var present = databaseTime("clock_timestamp()")

// Join makes this process a new one that drives no task yet.
func (w *Workers) Join(ctx context.Context) error {
	var id int64
	err := w.store.pg.sharing.QueryRowContext(ctx, `
		INSERT INTO worker (host, pid, started_at, renewed_at, expires_at)
		VALUES ($1, $2, `+present+`, `+present+`, `+present+` + $3) RETURNING id`,
		w.Name, os.Getpid(), stdops.LeaseTime.Microseconds()).Scan(&id)
	if err != nil {
		return explain(err)
	}
	w.id.Store(id)
	return nil
}

// Renew prolongs the lease; [stdops.ErrNoLease] when it was over.
func (w *Workers) Renew(ctx context.Context) error {
	done, err := w.store.pg.sharing.ExecContext(ctx, `
		UPDATE worker SET renewed_at = `+present+`, expires_at = `+present+` + $1 WHERE id = $2 AND expires_at > `+present,
		stdops.LeaseTime.Microseconds(), w.id.Load())
	if err != nil {
		return fmt.Errorf("renew the lease: %w", explain(err))
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return errors.Join(stdops.ErrNoLease, err)
	}
	return nil
}

// Owned gives the revisions of the tasks of this process.
func (w *Workers) Owned(ctx context.Context) (map[stdops.TaskRef]int64, error) {
	type owned struct {
		ref      stdops.TaskRef
		revision int64
	}
	rows, err := w.store.pg.sharing.QueryContext(ctx, `SELECT project_id, id, revision FROM task WHERE owner = $1`, w.id.Load())
	all, err := collect(rows, err, func(o *owned) []any { return []any{number(&o.ref.Project), number(&o.ref.Task), &o.revision} })
	if err != nil {
		return nil, fmt.Errorf("list the tasks of this process: %w", explain(err))
	}
	revisions := make(map[stdops.TaskRef]int64, len(all))
	for _, o := range all {
		revisions[o.ref] = o.revision
	}
	return revisions, nil
}

// Leave frees all tasks of this process, for others to take at once.
func (w *Workers) Leave(ctx context.Context) error {
	id := w.id.Swap(0)
	if id == 0 {
		return nil
	}
	if _, err := w.store.pg.sharing.ExecContext(ctx, `UPDATE worker SET expires_at = 0 WHERE id = $1`, id); err != nil {
		return fmt.Errorf("end the lease: %w", explain(err))
	}
	if err := w.free(ctx, []int64{id}); err != nil {
		return err
	}
	return w.forget(ctx, []int64{id})
}

// mostFreed bounds how many tasks of dead processes one statement frees, and how many are taken in one.
const mostFreed = 1000

// freeDead frees the tasks of processes whose lease is over. Mostly there is no such process, and no plan then looks at tasks.
func (w *Workers) freeDead(ctx context.Context) error {
	dead, names, err := w.dead(ctx)
	if err != nil {
		return fmt.Errorf("look for dead processes: %w", explain(err))
	}
	if len(dead) == 0 {
		return nil
	}
	if err := w.free(ctx, dead); err != nil {
		return err
	}
	w.bury(ctx, names)
	return w.forget(ctx, dead)
}

// free frees the tasks of processes, under a new epoch: what these commit later is refused.
func (w *Workers) free(ctx context.Context, dead []int64) error {
	for left := true; left; {
		done, err := w.store.pg.sharing.ExecContext(ctx, `
			WITH lost AS (SELECT id FROM task WHERE owner = ANY ($1) ORDER BY id LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED)
			UPDATE task t SET owner = NULL, epoch = t.epoch + 1, touched_at = NULL, queue_at = $3 FROM lost WHERE t.id = lost.id`,
			dead, mostFreed, micros(w.store.Now()))
		if err != nil {
			return fmt.Errorf("free tasks of dead processes: %w", explain(err))
		}
		n, err := done.RowsAffected()
		if err != nil {
			return err
		}
		left = n == mostFreed
	}
	return nil
}

// forget takes away the rows of processes that have no task any more.
func (w *Workers) forget(ctx context.Context, dead []int64) error {
	_, err := w.store.pg.sharing.ExecContext(ctx, `
		DELETE FROM worker w WHERE w.id = ANY ($1) AND NOT EXISTS (SELECT 1 FROM task t WHERE t.owner = w.id)`, dead)
	return explain(err)
}

// dead gives the rows of processes whose lease is over, and their names without those of processes that have joined anew.
func (w *Workers) dead(ctx context.Context) (ids []int64, names []string, err error) {
	type row struct {
		id   int64
		name string
		back bool
	}
	rows, err := w.store.pg.sharing.QueryContext(ctx, `
		SELECT id, host, EXISTS (SELECT 1 FROM worker l WHERE l.host = w.host AND l.expires_at > `+present+`)
		FROM worker w WHERE expires_at <= `+present)
	all, err := collect(rows, err, func(r *row) []any { return []any{&r.id, &r.name, &r.back} })
	for _, r := range all {
		ids = append(ids, r.id)
		if !r.back {
			names = append(names, r.name)
		}
	}
	return ids, names, err
}

// buryLimit bounds what is done for the dead beside freeing their tasks.
const buryLimit = 2 * time.Second

// bury tells the names of the dead, before their rows are gone. What goes wrong with it keeps no task from going on.
func (w *Workers) bury(ctx context.Context, names []string) {
	if w.Bury == nil || len(names) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, buryLimit)
	defer cancel()
	if err := w.Bury(ctx, names); err != nil {
		w.store.log.Warn("store: what dead processes did for all waits until their time is over", "error", err)
	}
}

// claimed reads the rows of a statement that has taken tasks.
func claimed(rows *sql.Rows, err error) ([]stdops.Claim, error) {
	return collect(rows, err, func(c *stdops.Claim) []any {
		return []any{number(&c.Ref.Project), number(&c.Ref.Task), &c.Epoch}
	})
}

// take is what a process does to tasks that it takes, named by a table `free`; $1 is the process, which has to be alive.
const take = `
	UPDATE task t SET owner = $1, epoch = t.epoch + 1, queue_at = NULL, touched_at = NULL FROM free
	WHERE t.id = free.id RETURNING t.project_id, t.id, t.epoch`

// Claim takes those of some tasks that are live and driven by nobody or, without its knowledge, by this process, and tells
// whoever drives one of the others that something is new.
func (w *Workers) Claim(ctx context.Context, refs []stdops.TaskRef) ([]stdops.Claim, error) {
	ids := make([]int64, len(refs))
	for i, ref := range refs {
		ids[i] = int64(ref.Task)
	}
	claims, err := claimed(w.store.pg.sharing.QueryContext(ctx, `
		WITH free AS (
			SELECT id FROM task WHERE id = ANY ($2) AND (owner IS NULL OR owner = $1) AND live = 1
				AND EXISTS (SELECT 1 FROM worker WHERE id = $1 AND expires_at > `+present+`)
			ORDER BY id FOR NO KEY UPDATE SKIP LOCKED)`+take, w.id.Load(), ids))
	if err != nil {
		return nil, fmt.Errorf("claim tasks: %w", explain(err))
	}
	if len(claims) < len(refs) {
		_, err = w.store.pg.sharing.ExecContext(ctx, `SELECT `+notifyOwner+` FROM task t WHERE t.id = ANY ($1) AND t.owner <> $2`, ids, w.id.Load())
	}
	return claims, explain(err)
}

// Sweep frees the tasks of dead processes, takes up to room tasks whose time has come, or which were told something, and
// finds those of this process that others have changed.
func (w *Workers) Sweep(ctx context.Context, room int) (found stdops.Sweep, err error) {
	if err := w.freeDead(ctx); err != nil {
		return found, err
	}
	db, id := w.store.pg.sharing, w.id.Load()
	found.Claimed, err = claimed(db.QueryContext(ctx, `
		WITH due AS (
			(SELECT id FROM task WHERE queue_at <= $2 ORDER BY queue_at LIMIT $3)
			UNION SELECT e.task_id FROM event e JOIN task t ON t.id = e.task_id WHERE e.seq < 0 AND t.live = 1 AND t.owner IS NULL
			LIMIT $3
		), free AS (
			SELECT t.id FROM task t JOIN due ON due.id = t.id
			WHERE t.owner IS NULL AND t.live = 1 AND EXISTS (SELECT 1 FROM worker WHERE id = $1 AND expires_at > `+present+`)
			ORDER BY t.id FOR NO KEY UPDATE OF t SKIP LOCKED)`+take, id, micros(w.store.Now()), room))
	if err != nil {
		return found, fmt.Errorf("claim due tasks: %w", explain(err))
	}
	rows, err := db.QueryContext(ctx, `
		WITH touched AS (
			SELECT id FROM task WHERE owner = $1 AND touched_at IS NOT NULL ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
		), seen AS (
			UPDATE task t SET touched_at = NULL FROM touched WHERE t.id = touched.id RETURNING t.project_id, t.id)
		SELECT project_id, id FROM seen
		UNION SELECT t.project_id, t.id FROM event e JOIN task t ON t.id = e.task_id WHERE e.seq < 0 AND t.owner = $1`, id)
	found.Touched, err = collect(rows, err, func(r *stdops.TaskRef) []any { return []any{number(&r.Project), number(&r.Task)} })
	if err != nil {
		return found, fmt.Errorf("look for tasks that others have changed: %w", explain(err))
	}
	if len(found.Claimed) >= room {
		err = db.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM task WHERE queue_at <= $1)`, micros(w.store.Now())).Scan(&found.More)
	}
	return found, explain(err)
}

// Release lets tasks go that are as this process has them in memory. It raises their epochs: what was sent under them before
// and is done late is refused.
func (w *Workers) Release(ctx context.Context, tasks []stdops.Release) ([]bool, error) {
	n := len(tasks)
	ids, epochs, revisions, wakes := make([]int64, n), make([]int64, n), make([]int64, n), make([]*int64, n)
	place := make(map[stdops.TaskID]int, n)
	for i, t := range tasks {
		ids[i], epochs[i], revisions[i] = int64(t.Ref.Task), t.Epoch, t.Revision
		if !t.WakeAt.IsZero() {
			at := t.WakeAt.UnixMicro()
			wakes[i] = &at
		}
		place[t.Ref.Task] = i
	}
	gone := make([]bool, n)
	err := writeOn(ctx, w.store.pg.sharing, func(ctx context.Context, _ *sql.Conn, tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `
			WITH given AS (
				SELECT * FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[]) AS g (id, epoch, revision, wake_at)
			), mine AS (
				SELECT t.id, g.wake_at FROM task t JOIN given g ON g.id = t.id
				WHERE t.owner = $1 AND t.epoch = g.epoch AND (g.revision = -1 OR t.revision = g.revision)
					AND NOT EXISTS (SELECT 1 FROM event e WHERE e.task_id = t.id AND e.seq < 0)
				ORDER BY t.id FOR NO KEY UPDATE OF t SKIP LOCKED)
			UPDATE task t SET owner = NULL, epoch = t.epoch + 1, queue_at = mine.wake_at FROM mine WHERE t.id = mine.id RETURNING t.id`,
			w.id.Load(), ids, epochs, revisions, wakes)
		released, err := collect(rows, err, func(id *stdops.TaskID) []any { return []any{number(id)} })
		if err != nil {
			return err
		}
		var later []stdops.Wake
		for _, id := range released {
			i := place[id]
			gone[i] = true
			if !tasks[i].WakeAt.IsZero() {
				later = append(later, stdops.Wake{Ref: tasks[i].Ref, At: tasks[i].WakeAt})
			}
		}
		if w.Enqueue == nil || len(later) == 0 {
			return nil
		}
		return w.Enqueue(ctx, tx, later)
	})
	if err != nil {
		return nil, fmt.Errorf("let tasks go: %w", err)
	}
	return gone, nil
}

// touchChannel is where processes tell one another of tasks that were changed from outside, as owner:project:task. It only
// makes things faster: the next sweep finds them all the same.
const touchChannel = "stdops_touched"

// notifyOwner tells the owner of the task t.
const notifyOwner = `pg_notify('` + touchChannel + `', t.owner || ':' || t.project_id || ':' || t.id)`

// Listen calls touched for tasks of this process that others have changed, until ctx ends.
func (w *Workers) Listen(ctx context.Context, touched func(stdops.TaskRef)) {
	for ctx.Err() == nil {
		err := w.listen(ctx, touched)
		if ctx.Err() == nil {
			w.store.log.Warn("store: nothing is heard of other processes for a while", "error", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

func (w *Workers) listen(ctx context.Context, touched func(stdops.TaskRef)) error {
	conn, err := pgx.Connect(ctx, w.store.pg.url)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, `LISTEN `+touchChannel); err != nil {
		return err
	}
	for {
		said, err := conn.WaitForNotification(ctx)
		if err != nil {
			return err
		}
		if ref, ok := w.touchedBy(said.Payload); ok {
			touched(ref)
		}
	}
}

// touchedBy reads what was said on the channel.
func (w *Workers) touchedBy(payload string) (ref stdops.TaskRef, ok bool) {
	parts := strings.Split(payload, ":")
	if len(parts) != 3 || parts[0] != strconv.FormatInt(w.id.Load(), 10) {
		return ref, false
	}
	project, err1 := strconv.ParseInt(parts[1], 10, 64)
	task, err2 := strconv.ParseInt(parts[2], 10, 64)
	return stdops.TaskRef{Project: stdops.ProjectID(project), Task: stdops.TaskID(task)}, err1 == nil && err2 == nil
}
