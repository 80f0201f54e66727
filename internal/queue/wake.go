package queue

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/riverqueue/river"

	"github.com/stdops/stdops"
)

// early is how long before its moment a later wake-up becomes a job that can be taken: the leader looks for those whose time
// has come every five seconds. Whoever claims a task early waits for the rest in memory.
const early = 5 * time.Second

// wakeArgs are what is stored of a wake-up.
type wakeArgs struct {
	Project stdops.ProjectID `json:"project"`
	Task    stdops.TaskID    `json:"task"`
}

// Kind fulfils river.JobArgs.
func (wakeArgs) Kind() string { return "wake" }

// InsertOpts fulfils river.JobArgsWithInsertOpts. A wake-up is never unique: River drops the insert of a unique job while
// one runs, and that one may have looked at the task already. It is not tried again either, since the sweep is faster.
func (wakeArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{MaxAttempts: 1, Priority: priorityWake, Queue: name}
}

// Enqueue inserts wake-ups in a transaction: nobody is woken before it is committed. Those that are due within the next five
// seconds wake at once, the others so much before their moment. A wake-up at the zero time asks for nothing.
func (q *River) Enqueue(ctx context.Context, tx *sql.Tx, wakes []stdops.Wake) error {
	now := q.now()
	jobs := make([]river.InsertManyParams, 0, len(wakes))
	for _, w := range wakes {
		if w.At.IsZero() {
			continue
		}
		job := river.InsertManyParams{Args: wakeArgs{Project: w.Ref.Project, Task: w.Ref.Task}}
		if at := w.At.Add(-early); at.After(now) {
			job.InsertOpts = &river.InsertOpts{ScheduledAt: at}
		}
		jobs = append(jobs, job)
	}
	if len(jobs) == 0 {
		return nil
	}
	if _, err := q.client.InsertManyFastTx(ctx, tx, jobs); err != nil {
		return fmt.Errorf("insert wake-ups: %w", err)
	}
	return nil
}

// wakeWorker hands wake-ups to the gatherer.
type wakeWorker struct {
	river.WorkerDefaults[wakeArgs]
	gatherer *gatherer
}

// Work fulfils river.Worker.
func (w *wakeWorker) Work(ctx context.Context, job *river.Job[wakeArgs]) error {
	return w.gatherer.claim(ctx, stdops.TaskRef{Project: job.Args.Project, Task: job.Args.Task})
}

// gatherer makes one claim of all jobs that came while the claim before was out.
type gatherer struct {
	hints chan hint
	done  chan struct{} // closed when run has ended

	claims, claimed atomic.Uint64 // calls of claim that have returned, and the jobs that they were for
}

// hint is one job that waits for the claim of its task.
type hint struct {
	ref     stdops.TaskRef
	claimed chan struct{}
}

func newGatherer() *gatherer {
	return &gatherer{hints: make(chan hint, workers), done: make(chan struct{})}
}

// claim returns when the task was claimed together with others, or ctx is done.
func (g *gatherer) claim(ctx context.Context, ref stdops.TaskRef) error {
	h := hint{ref: ref, claimed: make(chan struct{})}
	select {
	case g.hints <- h:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-h.claimed:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// run claims until ctx is done.
func (g *gatherer) run(ctx context.Context, claim func(context.Context, []stdops.TaskRef)) {
	defer close(g.done)
	for {
		select {
		case <-ctx.Done():
			return
		case first := <-g.hints:
			hints := g.waiting(first)
			refs := tasksOf(hints)
			claim(ctx, refs)
			g.claims.Add(1)
			g.claimed.Add(uint64(len(hints)))
			for _, h := range hints {
				close(h.claimed)
			}
		}
	}
}

// waiting gives first and all that wait at the moment.
func (g *gatherer) waiting(first hint) []hint {
	hints := []hint{first}
	for {
		select {
		case h := <-g.hints:
			hints = append(hints, h)
		default:
			return hints
		}
	}
}

// tasksOf names each task once.
func tasksOf(hints []hint) []stdops.TaskRef {
	refs := make([]stdops.TaskRef, len(hints))
	for i, h := range hints {
		refs[i] = h.ref
	}
	slices.SortFunc(refs, func(a, b stdops.TaskRef) int {
		return cmp.Or(cmp.Compare(a.Task, b.Task), cmp.Compare(a.Project, b.Project))
	})
	return slices.Compact(refs)
}
