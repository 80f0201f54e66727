package engine

import (
	"context"
	"runtime"
	"sync"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/fail"
)

// maxBatch is how many changes go into one transaction.
const maxBatch = 1000

// writer is the one group-commit writer: changes that come while a transaction is on its way go together into the next.
type writer struct {
	commits Commits
	limit   time.Duration // that one transaction may take; 0: any time
	todo    chan pending
	done    sync.WaitGroup
}

type pending struct {
	ctx    context.Context
	change *stdops.Change
	answer chan<- outcome
}

type outcome struct {
	verdict stdops.Verdict
	err     error
}

func newWriter(commits Commits, limit time.Duration) *writer {
	w := &writer{commits: commits, limit: limit, todo: make(chan pending, maxBatch)}
	w.done.Add(1)
	go w.run()
	return w
}

// commit stores a change and returns when it is durable.
func (w *writer) commit(ctx context.Context, change *stdops.Change) (stdops.Verdict, error) {
	answer := make(chan outcome, 1)
	w.todo <- pending{ctx, change, answer}
	if fail.On("commit.early") { // the mistake that the crash test has to find
		return stdops.Committed, nil
	}
	out := <-answer
	return out.verdict, out.err
}

// close ends the writer after everything handed to it was stored. Nobody may call commit after it.
func (w *writer) close() {
	close(w.todo)
	w.done.Wait()
}

func (w *writer) run() {
	defer w.done.Done()
	batch := make([]pending, 0, maxBatch)
	for {
		batch = w.next(batch)
		if len(batch) == 0 {
			return
		}
		batch = w.gather(batch)
		busy := w.store(batch)
		clear(batch) // what was stored is kept by nobody
		batch = append(batch[:0], busy...)
	}
}

// busyPause is how long a change waits for whoever holds its task, while nothing else is to be stored.
const busyPause = 5 * time.Millisecond

// next waits for something to be stored, and adds it to what waits to be tried again. Nothing at all is the end.
func (w *writer) next(busy []pending) []pending {
	var pause <-chan time.Time
	if len(busy) > 0 {
		pause = time.After(busyPause)
	}
	todo := w.todo
	for {
		select {
		case p, ok := <-todo:
			switch {
			case ok:
				return append(busy, p)
			case len(busy) == 0:
				return nil
			}
			todo = nil // closed, but what is busy is carried to its end
		case <-pause:
			return busy
		}
	}
}

// gather takes what else is to be stored. As long as something more comes it lets others go first: those whose changes
// were just stored decide their next one meanwhile, and a transaction costs the same for ten changes as for a hundred.
func (w *writer) gather(batch []pending) []pending {
	for len(batch) < maxBatch {
		had := len(batch)
		runtime.Gosched()
		for more := true; more && len(batch) < maxBatch; {
			select {
			case p, ok := <-w.todo:
				if more = ok; ok {
					batch = append(batch, p)
				}
			default:
				more = false
			}
		}
		if len(batch) == had {
			break
		}
	}
	return batch
}

// within gives a context that ends after some time, when there is a limit.
func within(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	if limit <= 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, limit)
}

// store commits a batch, and gives what is to be tried again. After an error it tries the halves, so that one change that
// cannot be stored keeps no other task from going on. A store that gives no answer has none for the halves either, and what it
// has stored all the same would be taken for the change of somebody else.
func (w *writer) store(batch []pending) (busy []pending) {
	changes := make([]stdops.Change, len(batch))
	for i, p := range batch {
		changes[i] = *p.change
	}
	fail.Point("commit.before")
	ctx, cancel := within(batch[0].ctx, w.limit)
	verdicts, err := w.commits.Commit(ctx, changes)
	silent := ctx.Err() != nil || stdops.ErrorCode(err) == stdops.CodeUnavailable
	cancel()
	fail.Point("commit.after")
	if err != nil && len(batch) > 1 && !silent && stdops.ErrorCode(err) != stdops.CodeDiskFull { // which is about no single change
		busy = w.store(batch[:len(batch)/2])
		return append(busy, w.store(batch[len(batch)/2:])...)
	}
	for i, p := range batch {
		if err != nil {
			p.answer <- outcome{err: err}
			continue
		}
		switch verdicts[i] {
		case stdops.Busy:
			busy = append(busy, p)
		case stdops.Unknown:
			p.answer <- outcome{err: errUnknown}
		default:
			p.answer <- outcome{verdict: verdicts[i]}
		}
	}
	return busy
}

// errUnknown says that a change may be stored or not: whoever asked for it is told so, and what happened by itself is decided
// on what is stored.
var errUnknown = stdops.Errorf(stdops.CodeUnavailable,
	"the connection to the database was lost: whether this was done is not known, look at the task")
