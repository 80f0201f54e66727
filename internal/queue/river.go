package queue

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/rivertype"

	"github.com/stdops/stdops"
)

// name is that of the only queue: its jobs are all short, and what has to come first has the higher priority.
const name = "stdops"

// The priorities of jobs: periodic work does not stand behind a crowd of wake-ups.
const (
	priorityPeriodic = 1
	priorityWake     = 2
)

const (
	// workers is how many jobs a process takes at once. They wait for the same claim, so that more would not go faster; fewer
	// would make the batches of claims small, more would let one process take what another one has time for.
	workers = 100
	// tellPause is the least time between two commits of a process that tell the others of their jobs: such commits wait for one
	// another, so that not each of a thousand a second may be one. fetchPause is that between two fetches.
	tellPause  = 5 * time.Millisecond
	fetchPause = 20 * time.Millisecond
	// poll is how long a job can lie that nobody was told of: it was inserted within the pause after another one, or the
	// connection that listens was lost.
	poll = time.Second

	// jobTime is how long a wake-up may take before its process gives it up, rescueTime when the leader takes a job away from
	// a process that must have died.
	jobTime    = 10 * time.Second
	rescueTime = 30 * time.Second
	// softStop is how long jobs go on during a stop before their contexts are cancelled.
	softStop = 3 * time.Second

	keepCompleted = 5 * time.Minute
	keepFailed    = time.Hour // for people who look for the reason

	// connections is how many are open for jobs at the same time, beside the one that listens. They are not those of the
	// store, so that neither has to wait for the other.
	connections    = 4
	connectTimeout = 5 * time.Second
)

// RiverOptions are what a [River] is made of.
type RiverOptions struct {
	Database string           // connection string of PostgreSQL, as pgx reads it
	Now      func() time.Time // of the server
	Periodic []Periodic       // work that one of all processes does; the same in all of them
	Log      *slog.Logger
}

// River is a queue in a PostgreSQL database, shared by all processes that have it open. Without Start it only takes
// wake-ups in.
type River struct {
	now      func() time.Time
	log      *slog.Logger
	pool     *pgxpool.Pool
	db       *sql.DB // on the pool
	client   *river.Client[*sql.Tx]
	gatherer *gatherer
	periodic []*periodicWorker
	fetches  atomic.Uint64
	finish   context.CancelFunc // lets the gatherer end; nil before Start and after Stop
}

// NewRiver makes a queue. It does not connect to the database yet.
func NewRiver(o RiverOptions) (*River, error) {
	config, err := pgxpool.ParseConfig(o.Database)
	if err != nil {
		return nil, fmt.Errorf("read address of the database: %w", err)
	}
	config.MaxConns = connections
	if config.ConnConfig.ConnectTimeout == 0 {
		config.ConnConfig.ConnectTimeout = connectTimeout
	}
	// The table of jobs is empty at one moment and large at the next. A plan that was kept of the one takes seconds at the other.
	config.ConnConfig.RuntimeParams["plan_cache_mode"] = "force_custom_plan"
	pool, err := pgxpool.NewWithConfig(context.Background(), config) // the context is for connections that it opens at once: none
	if err != nil {
		return nil, fmt.Errorf("make connections: %w", err)
	}
	q := &River{now: o.Now, log: o.Log, pool: pool, db: stdlib.OpenDBFromPool(pool), gatherer: newGatherer()}
	if q.client, err = river.NewClient(riverdatabasesql.NewWithPgxListener(q.db, pool), q.config(o.Periodic)); err != nil {
		return nil, errors.Join(fmt.Errorf("make client of river: %w", err), q.close())
	}
	return q, nil
}

func (q *River) config(works []Periodic) *river.Config {
	known := river.NewWorkers()
	river.AddWorker(known, &wakeWorker{gatherer: q.gatherer})
	var periodic []*river.PeriodicJob
	for _, p := range works {
		w := &periodicWorker{Periodic: p, log: q.log}
		q.periodic = append(q.periodic, w)
		river.AddWorkerArgs(known, w.args(), w)
		periodic = append(periodic, w.job())
	}
	return &river.Config{
		CancelledJobRetentionPeriod: keepFailed,
		CompletedJobRetentionPeriod: keepCompleted,
		DiscardedJobRetentionPeriod: keepFailed,
		FetchCooldown:               tellPause,
		FetchOnlyKnownKinds:         true, // what a newer process has to do is not for this one
		FetchPollInterval:           poll,
		Hooks:                       []rivertype.Hook{river.HookMetricEmitFunc(q.fetched)},
		JobTimeout:                  jobTime,
		Logger:                      slog.New(quiet{q.log.Handler()}),
		PeriodicJobs:                periodic,
		Queues:                      map[string]river.QueueConfig{name: {FetchCooldown: fetchPause, MaxWorkers: workers}},
		RescueStuckJobsAfter:        rescueTime,
		SoftStopTimeout:             softStop,
		Workers:                     known,
	}
}

// Start lets this process take jobs and take part in the election of the leader, until Stop. claim is handed the tasks that
// are to be woken, each once, and never while an earlier call of it is out. It must be quick and has to deal with its errors:
// a wake-up is used up by it, and the sweep is what finds a task that it could not claim. After an error it may be called again.
func (q *River) Start(ctx context.Context, claim func(context.Context, []stdops.TaskRef)) error {
	if err := checkTables(ctx, q.db); err != nil {
		return err
	}
	background := context.WithoutCancel(ctx) // it goes on until Stop
	if err := q.client.Start(background); err != nil {
		return fmt.Errorf("start client of river: %w", err)
	}
	gathering, finish := context.WithCancel(background) // jobs that have come meanwhile wait for it
	q.finish = finish
	go q.gatherer.run(gathering, claim)
	return nil
}

// Stop ends all work: jobs that are out get a moment to end and are then cut off, to be taken by another process. If ctx is
// done before that, it leaves them behind and says so: the process is about to end, and the leader frees its jobs. It may be
// called again.
func (q *River) Stop(ctx context.Context) error {
	if err := q.client.Stop(ctx); err != nil {
		return fmt.Errorf("stop client of river: %w", err)
	}
	if q.finish != nil {
		q.finish()
		select {
		case <-q.gatherer.done:
		case <-ctx.Done():
			return fmt.Errorf("wait for the last claim: %w", ctx.Err())
		}
		q.finish = nil
	}
	return q.close()
}

// ID names this process among those that share the queue. No two have the same, not one after the other either.
func (q *River) ID() string { return q.client.ID() }

// leadership is where River tells of a leader that has resigned.
const leadership = "river_leadership"

// Resign takes the office of leader from processes that are dead, named by their IDs, so that the others elect one at once and
// not when its term is over. One that lives all the same finds out at its next try to stay in office, five seconds later.
func (q *River) Resign(ctx context.Context, dead []string) error {
	elections := q.client.Driver().GetExecutor()
	leader, err := elections.LeaderGetElectedLeader(ctx, &riverdriver.LeaderGetElectedLeaderParams{})
	switch {
	case errors.Is(err, rivertype.ErrNotFound):
		return nil
	case err != nil:
		return fmt.Errorf("read leader of the queue: %w", err)
	case !slices.Contains(dead, leader.LeaderID):
		return nil
	}
	resigned, err := elections.LeaderResign(ctx, &riverdriver.LeaderResignParams{
		ElectedAt: leader.ElectedAt, LeaderID: leader.LeaderID, LeadershipTopic: leadership,
	})
	if err != nil {
		return fmt.Errorf("resign for the leader of the queue: %w", err)
	}
	if resigned { // else somebody else has done it
		q.log.InfoContext(ctx, "the leader of the queue is dead, another one is elected", "leader", leader.LeaderID)
	}
	return nil
}

func (q *River) close() error {
	err := q.db.Close()
	q.pool.Close()
	return err
}
