package engine

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/plugin"
)

// Logs keeps what attempts write into their logs.
type Logs interface {
	// AppendLogs adds pieces to the ends of their logs and gives the size of each log after it. What goes beyond
	// the limit of a log is dropped.
	AppendLogs(ctx context.Context, pieces []stdops.LogPiece) ([]int64, error)
}

const (
	logPause  = 250 * time.Millisecond // from the first write to the transaction that stores it
	logBuffer = 64 << 10               // what one attempt may have waiting; a writer that has more waits until it is stored
	owedPause = 5 * time.Second        // between tries to tell of losses, while nothing else is to be stored
	maxOwed   = 10_000                 // logs of calls that have ended and lack the line about their loss
)

// journal collects what attempts write and stores it in groups, apart from the steps of their tasks: one transaction
// for many attempts, a few times a second. What cannot be stored is dropped, and the log says so as soon as that can be stored.
type journal struct {
	logs Logs
	journalBounds

	clock func() time.Time
	log   *slog.Logger
	now   chan struct{} // holds a token when somebody waits
	soon  chan struct{} // holds a token when something was written
	end   chan struct{}
	done  chan struct{}
	owed  []*attemptLog // of calls that have ended: their loss is still to be told; only run looks at it

	mu    sync.Mutex
	dirty []*attemptLog // that have something waiting
	round chan struct{} // closed when what is dirty now was stored or dropped
}

// journalBounds are how many bytes one log may have, and how long one transaction may take; 0: any time.
type journalBounds struct {
	most  int64
	limit time.Duration
}

func newJournal(logs Logs, bounds journalBounds, clock func() time.Time, log *slog.Logger) *journal {
	j := &journal{
		logs: logs, journalBounds: bounds, clock: clock, log: log, now: make(chan struct{}, 1), soon: make(chan struct{}, 1),
		end: make(chan struct{}), done: make(chan struct{}), round: make(chan struct{}),
	}
	go j.run()
	return j
}

// close stores what is left. Nobody may write after it.
func (j *journal) close() {
	close(j.end)
	<-j.done
}

func (j *journal) run() {
	defer close(j.done)
	pause := time.NewTimer(0)
	defer pause.Stop()
	for {
		var again <-chan time.Time
		if len(j.owed) > 0 {
			again = time.After(owedPause)
		}
		select {
		case <-j.end:
			j.store()
			return
		case <-j.now:
			j.store()
			continue
		case <-again:
			j.store()
			continue
		case <-j.soon:
		}
		pause.Reset(logPause)
		select {
		case <-j.end:
		case <-j.now:
		case <-pause.C:
		}
		j.store()
	}
}

// store writes all that waits in one transaction.
func (j *journal) store() {
	j.mu.Lock()
	dirty, round := j.dirty, j.round
	j.dirty, j.round = nil, make(chan struct{})
	j.mu.Unlock()
	defer close(round)
	all := slices.Concat(j.owed, dirty) // what is owed first: a later call may go on with the same log
	if len(all) == 0 {
		return
	}
	j.owed = nil
	pieces := make([]stdops.LogPiece, len(all))
	for i, a := range all {
		pieces[i] = a.take()
	}
	// Nobody's request is behind it: it waits for its turn like every other write, and the process ends when the disk has failed.
	ctx, cancel := within(context.Background(), j.limit)
	sizes, err := j.logs.AppendLogs(ctx, pieces)
	cancel()
	if err != nil && len(dirty) > 0 {
		j.log.Error("logs of nodes could not be stored", "attempts", len(dirty), "error", err)
	}
	for i, a := range all {
		switch {
		case err == nil:
			a.stored(sizes[i])
		case a.lose(len(pieces[i].Text)) && len(j.owed) < maxOwed:
			j.owed = append(j.owed, a)
		}
	}
}

// enqueue has an attempt stored with the next round, which it gives.
func (j *journal) enqueue(a *attemptLog) <-chan struct{} {
	j.mu.Lock()
	j.dirty = append(j.dirty, a)
	round := j.round
	j.mu.Unlock()
	wake(j.soon)
	return round
}

func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// attemptLog is the log that one call writes. Its methods may be called from any goroutine.
type attemptLog struct {
	journal *journal
	key     stdops.LogKey
	version stdops.Version

	mu      sync.Mutex
	text    *plugin.TextWriter // into waiting
	waiting bytes.Buffer
	begun   time.Time       // when the first of what waits was written
	queued  bool            // among the dirty ones
	round   <-chan struct{} // that stores, or has stored, what was written last; nil before the first write
	lost    int             // bytes that could not be stored
	shut    bool            // full, or its call has ended: whatever comes is dropped
	ended   bool            // its call has
}

func (j *journal) open(key stdops.LogKey, version stdops.Version) *attemptLog {
	a := &attemptLog{journal: j, key: key, version: version}
	a.text = plugin.NewTextWriter(&a.waiting)
	return a
}

// Write adds text to the log. It never fails: a plugin must not fail for its log.
func (a *attemptLog) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		part := rest[:min(len(rest), logBuffer)]
		rest = rest[len(part):]
		if round := a.add(part); round != nil {
			wake(a.journal.now)
			<-round
		}
	}
	return len(p), nil
}

// add takes text up. When more waits now than may, it gives the round to wait for.
func (a *attemptLog) add(p []byte) <-chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.shut {
		return nil
	}
	if a.begun.IsZero() {
		a.begun = a.journal.clock()
	}
	_, _ = a.text.Write(p) // into a buffer
	a.enqueue()
	if a.waiting.Len() < logBuffer {
		return nil
	}
	return a.round
}

// enqueue has what waits stored. The caller holds the lock.
func (a *attemptLog) enqueue() {
	if !a.queued && (a.waiting.Len() > 0 || a.lost > 0) {
		a.queued, a.round = true, a.journal.enqueue(a)
	}
}

// take gives what waits to be stored.
func (a *attemptLog) take() stdops.LogPiece {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.queued = false
	text := bytes.Clone(a.waiting.Bytes())
	a.waiting.Reset()
	if a.ended {
		a.waiting = bytes.Buffer{}
	}
	if a.lost > 0 {
		text = append([]byte("[a part of the log could not be stored]\n"), text...)
	}
	begun := a.begun
	a.begun = time.Time{}
	return stdops.LogPiece{LogKey: a.key, Version: a.version, Text: text, Begun: begun}
}

// lose counts what could not be stored, and reports whether nobody but the journal will tell of it.
func (a *attemptLog) lose(n int) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.lost += n
	return a.ended && !a.queued
}

func (a *attemptLog) stored(size int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.lost, a.shut = 0, a.shut || size >= a.journal.most
}

// close returns when all that was written is stored, or was dropped. What is written later is dropped.
func (a *attemptLog) close() {
	a.mu.Lock()
	_ = a.text.Close() // into a buffer
	a.enqueue()
	a.shut, a.ended = true, true
	round := a.round
	a.mu.Unlock()
	if round == nil {
		return
	}
	select {
	case <-round: // long since
	default:
		wake(a.journal.now)
		<-round
	}
}
