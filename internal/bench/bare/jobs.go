package bare

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"

	"github.com/stdops/stdops"
)

// The variant with a job for each node: as many jobs at once and connections as make it fastest, within what a process of
// the server may have.
const (
	jobsAtOnce     = 100
	jobConnections = 16
	jobFetchPause  = 2 * time.Millisecond // the least that makes a difference
	jobQueue       = "bench"
)

// nodeArgs are the job of one node.
type nodeArgs struct {
	Task stdops.TaskID `json:"task"`
	Node int           `json:"node"`
}

// Kind fulfils river.JobArgs.
func (nodeArgs) Kind() string { return "bench_node" }

// nodeWorker carries out the job of a node.
type nodeWorker struct {
	river.WorkerDefaults[nodeArgs]
	db     *sql.DB
	client *river.Client[*sql.Tx]
	nodes  int
	left   atomic.Int64  // tasks that have not ended
	ended  chan struct{} // closed when there is none
	failed chan error    // takes the first error
}

// JobPerNode runs tasks of so many nodes one after the other in the way that many engines do: a job for each node, in whose
// transaction the rows of the node are stored, the job of the next node is inserted and its own is completed. No flow is
// looked at and no activity called. It gives the time from the first insert to the last end.
func (d *DB) JobPerNode(ctx context.Context, tasks []stdops.TaskID, nodes int) (took time.Duration, err error) {
	config, err := pgxpool.ParseConfig(d.url)
	if err != nil {
		return 0, err
	}
	config.MaxConns = jobConnections
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return 0, err
	}
	defer pool.Close()
	db := stdlib.OpenDBFromPool(pool)
	defer func() { err = errors.Join(err, db.Close()) }()
	w := &nodeWorker{db: db, nodes: nodes, ended: make(chan struct{}), failed: make(chan error, 1)}
	w.left.Store(int64(len(tasks)))
	known := river.NewWorkers()
	river.AddWorker(known, w)
	w.client, err = river.NewClient(riverdatabasesql.NewWithPgxListener(db, pool), &river.Config{
		FetchCooldown: jobFetchPause, Logger: slog.New(slog.DiscardHandler), Workers: known,
		Queues: map[string]river.QueueConfig{jobQueue: {FetchCooldown: jobFetchPause, MaxWorkers: jobsAtOnce}},
	})
	if err != nil {
		return 0, err
	}
	if err := w.client.Start(context.WithoutCancel(ctx)); err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, w.client.Stop(context.WithoutCancel(ctx))) }()
	began := time.Now()
	jobs := make([]river.InsertManyParams, len(tasks))
	for i, id := range tasks {
		jobs[i] = river.InsertManyParams{Args: nodeArgs{id, 1}, InsertOpts: &river.InsertOpts{Queue: jobQueue}}
	}
	if _, err := w.client.InsertManyFast(ctx, jobs); err != nil {
		return 0, err
	}
	select {
	case <-w.ended:
		return time.Since(began), nil
	case err := <-w.failed:
		return 0, err
	case <-ctx.Done():
		return 0, fmt.Errorf("wait for %d tasks: %w", w.left.Load(), ctx.Err())
	}
}

// Work fulfils river.Worker.
func (w *nodeWorker) Work(ctx context.Context, job *river.Job[nodeArgs]) error {
	err := w.run(ctx, job)
	if err != nil {
		select {
		case w.failed <- fmt.Errorf("node %d of task %d: %w", job.Args.Node, job.Args.Task, err):
		default:
		}
	}
	return err
}

// run does all of a job in one transaction.
func (w *nodeWorker) run(ctx context.Context, job *river.Job[nodeArgs]) error {
	conn, err := w.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	if err := conn.Raw(func(c any) error { return w.store(ctx, c.(*stdlib.Conn).Conn(), job.Args) }); err != nil {
		return err
	}
	if job.Args.Node < w.nodes {
		next := nodeArgs{job.Args.Task, job.Args.Node + 1}
		if _, err := w.client.InsertTx(ctx, tx, next, &river.InsertOpts{Queue: jobQueue}); err != nil {
			return err
		}
	}
	if _, err := river.JobCompleteTx[*riverdatabasesql.Driver](ctx, tx, job); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	if job.Args.Node == w.nodes && w.left.Add(-1) == 0 {
		close(w.ended)
	}
	return nil
}

// store stores the rows of a node that has run, in one round trip.
func (w *nodeWorker) store(ctx context.Context, conn *pgx.Conn, a nodeArgs) error {
	now := time.Now().UnixMicro()
	live := 1
	if a.Node == w.nodes {
		live = 0
	}
	b := &pgx.Batch{}
	b.Queue(`UPDATE task SET state = $2::smallint, live = $3::smallint, revision = revision + 1, started_at = COALESCE(started_at, $4::bigint),
		finished_at = CASE WHEN $3::smallint = 0 THEN $4::bigint END WHERE id = $1`, a.Task, 5-2*live, live, now)
	b.Queue(`INSERT INTO node_state (project_id, task_id, node, ord, state, phase, call, loop, inner_loop, retry, auto_retries, skip,
		error_ignored, version, token, started_at, finished_at)
		VALUES (1, $1, $2::int, $2::int, 5, 0, 1, 1, 1, 0, 0, 0, 0, 'v0123456789abcdef0123456789abcdef', 1, $3, $3)`, a.Task, a.Node, now)
	b.Queue(`INSERT INTO node_data (project_id, task_id, node, inputs, outputs) VALUES (1, $1, $2, $3, $4)`,
		a.Task, a.Node, []byte(`{"target":"host-1","command":"true"}`), []byte(`{"_result":true}`))
	b.Queue(`INSERT INTO transition (project_id, task_id, revision, n, node, from_state, to_state, actor, at)
		VALUES (1, $1, $2::int, 0, $2::int, 2, 3, '', $3), (1, $1, $2::int, 1, $2::int, 3, 5, '', $3)`, a.Task, a.Node, now)
	return conn.SendBatch(ctx, b).Close()
}
