package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/stdops/stdops"
)

// Driver is who drives a task: the process that looks after its calls and its times.
type Driver struct {
	Name string // of the process, on PostgreSQL one that no other has; "" for none
	PID  int
	Lost bool // its lease is over: it is dead or cut off, and another one is to take the task

	// Free is when a process is to take the task, of one that none drives; zero when it waits for somebody, or for nothing.
	Free time.Time
}

// Driver tells who drives a task. All processes that share a store tell the same.
func (s *Store) Driver(ctx context.Context, ref stdops.TaskRef) (d Driver, err error) {
	if s.pg != nil {
		err = s.readers.QueryRowContext(ctx, `
			SELECT COALESCE(w.host, ''), COALESCE(w.pid, 0), COALESCE(w.expires_at <= `+present+`, false), t.queue_at
			FROM task t LEFT JOIN worker w ON w.id = t.owner WHERE t.id = $1 AND t.project_id = $2`,
			int64(ref.Task), int64(ref.Project)).Scan(&d.Name, &d.PID, &d.Lost, instant(&d.Free))
	} else {
		d, err = s.onlyDriver(ctx, ref)
	}
	if errors.Is(err, sql.ErrNoRows) {
		return d, noTask(ref.Task)
	}
	if err != nil {
		return d, fmt.Errorf("load the driver of task %d: %w", ref.Task, explain(err))
	}
	return d, nil
}

// onlyDriver is for the embedded store, which one process has open: it drives every task that something is to happen to by itself.
func (s *Store) onlyDriver(ctx context.Context, ref stdops.TaskRef) (d Driver, err error) {
	var drives bool
	err = s.readers.QueryRowContext(ctx, `SELECT live = 1 AND wake_at IS NOT NULL FROM task WHERE id = $1 AND project_id = $2`,
		int64(ref.Task), int64(ref.Project)).Scan(&drives)
	if err != nil || !drives {
		return d, err
	}
	d.PID = os.Getpid()
	if d.Name, err = os.Hostname(); err != nil {
		d.Name, err = "localhost", nil
	}
	return d, err
}

// callbackEntries is how many entries of the log of a task are looked through for callbacks: the log of a long loop has millions.
const callbackEntries = 10_000

// CallbackTimes tells when callbacks were accepted for a node, the latest first, as far as the latest entries of the log of its
// task tell. Such an entry has RUNNING twice.
func (s *Store) CallbackTimes(ctx context.Context, ref stdops.TaskRef, node stdops.NodeIndex) ([]time.Time, error) {
	rows, err := s.readers.QueryContext(ctx, `
		SELECT at FROM (
			SELECT revision, n, node, from_state, to_state, at FROM transition
			WHERE task_id = $1 AND project_id = $2 ORDER BY revision DESC, n DESC LIMIT $3
		) AS latest WHERE node = $4 AND from_state = $5 AND to_state = $5 ORDER BY revision DESC, n DESC`,
		int64(ref.Task), int64(ref.Project), int64(callbackEntries), int64(node), int64(stdops.StateRunning))
	times, err := collect(rows, err, func(t *time.Time) []any { return []any{instant(t)} })
	if err != nil {
		return nil, fmt.Errorf("load callbacks of node %d of task %d: %w", node, ref.Task, explain(err))
	}
	return times, nil
}
