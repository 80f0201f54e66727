package queue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

// Periodic is work that has to be done now and then by one of all processes. It is begun whenever a leader is elected and
// then in its interval, by any process that has it, and never while one is still at it. What fails is tried in the next
// interval; what died with its process, when its limit and at most a minute and a half have passed.
type Periodic struct {
	Name  string // one word; the same work has the same name in all processes
	Every time.Duration
	Limit time.Duration // how long it may take: then its context ends
	Do    func(context.Context) error
}

// grace is what River waits beyond the limit of periodic work before it takes the work for dead.
const grace = 10 * time.Second

// periodicArgs are what is stored of periodic work: nothing but its kind.
type periodicArgs struct{ work string }

// Kind fulfils river.JobArgs.
func (a periodicArgs) Kind() string { return "periodic:" + a.work }

// InsertOpts fulfils river.JobArgsWithInsertOpts. It is unique while it waits or runs.
func (periodicArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{
		MaxAttempts: 1, Priority: priorityPeriodic, Queue: name,
		UniqueOpts: river.UniqueOpts{ByState: []rivertype.JobState{
			rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRetryable,
			rivertype.JobStateRunning, rivertype.JobStateScheduled,
		}},
	}
}

// periodicWorker does the work when it is the turn of this process.
type periodicWorker struct {
	river.WorkerDefaults[periodicArgs]
	Periodic
	log *slog.Logger

	done, failed atomic.Uint64
}

func (w *periodicWorker) args() periodicArgs { return periodicArgs{w.Name} }

func (w *periodicWorker) job() *river.PeriodicJob {
	return river.NewPeriodicJob(river.PeriodicInterval(w.Every),
		func() (river.JobArgs, *river.InsertOpts) { return w.args(), nil }, &river.PeriodicJobOpts{RunOnStart: true})
}

// Timeout fulfils river.Worker.
func (w *periodicWorker) Timeout(*river.Job[periodicArgs]) time.Duration {
	return w.Limit + grace
}

// Work fulfils river.Worker.
func (w *periodicWorker) Work(ctx context.Context, _ *river.Job[periodicArgs]) error {
	ctx, cancel := context.WithTimeout(ctx, w.Limit)
	defer cancel()
	err := w.do(ctx)
	switch {
	case err == nil:
		w.done.Add(1)
	case !errors.Is(ctx.Err(), context.Canceled): // else this process stops, and another one takes over
		w.failed.Add(1)
		w.log.ErrorContext(ctx, "periodic work failed", "work", w.Name, "error", err)
	}
	return err
}

// do makes an error of a panic: one work must not end what the process does besides.
func (w *periodicWorker) do(ctx context.Context) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return w.Do(ctx)
}
