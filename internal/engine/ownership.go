package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/fail"
)

// Ownership shares the tasks of a store out to the processes that have it open (docs/cluster.md). A task in the memory of
// a process is driven by it and by nobody else. Revision says which change is right, epoch who drives: what is committed
// under an epoch that is over is refused, so that two processes which both believe to drive a task do no harm.
type Ownership interface {
	// Join makes this process one that drives tasks, as a new one that drives none. It holds for [stdops.LeaseTime].
	Join(ctx context.Context) error
	// Renew lets it hold for as long from now on; [stdops.ErrNoLease] when others hold this process for dead.
	Renew(ctx context.Context) error
	// Leave, Release and the end of a lease raise the epoch as Claim does: what was sent before and is done late is refused.

	// Leave lets all tasks of this process go, for others to take at once; also one that a statement takes which is still on its
	// way.
	Leave(ctx context.Context) error
	// Claim takes those of some tasks that are live and driven by nobody, or by this process: it asks only for tasks that it does
	// not know of, so that it has never learned that it had taken them. Who drives one of the others is told to look at it.
	Claim(ctx context.Context, refs []stdops.TaskRef) ([]stdops.Claim, error)
	// Sweep frees the tasks of dead processes, and takes as many tasks as there is room for whose time has come.
	Sweep(ctx context.Context, room int) (stdops.Sweep, error)
	// Owned gives the revisions of all tasks that this process drives, as the store knows it.
	Owned(ctx context.Context) (map[stdops.TaskRef]int64, error)
	// Release lets tasks go. It reports false for those that were not: something has happened to them, or they are driven under
	// another epoch.
	Release(ctx context.Context, tasks []stdops.Release) ([]bool, error)
	// Step commits what decide makes of a task while nobody else can change it, whoever drives it. decide gives no change
	// when there is nothing to do. A change with a key that is taken gives [stdops.ErrRepeated].
	Step(ctx context.Context, ref stdops.TaskRef, decide func(*stdops.Snapshot) (*stdops.Change, error)) error
}

var (
	errElsewhere = errors.New("the task is driven elsewhere") // answers a command that is to be carried out from outside
	errLost      = errors.New("the process was cut off from its store: others go on with the task")
)

const (
	renewEvery = 3 * time.Second
	fenceAfter = 7 * time.Second // without a sign of life this process stops by itself, well before others begin ([stdops.LeaseTime])
	renewLimit = 2 * time.Second // that one renewal may take
	sweepEvery = time.Second
	shareLimit = 5 * time.Second // that one look for work may take, or one statement that takes or lets go tasks
	storeLimit = 5 * time.Second // that a step may take to be stored, or a task to be read
	// recallEvery is how often a process asks which tasks it drives although it knows of no answer that was lost: what it has
	// sent may have been done late.
	recallEvery = 30 * time.Second
	// mostClaims bounds how many tasks are taken or let go in one statement.
	mostClaims = 500
	// outsideLimit bounds a step from outside.
	outsideLimit = 2 * time.Second
	// roomAtOnce is how many tasks leave memory at once for others that are due.
	roomAtOnce = 100
)

// owners is the part of an engine that shares tasks with other processes. Its maps are guarded by the engine's lock.
type owners struct {
	Ownership
	engine *Engine
	drives bool // false: this process only carries out commands

	wanted   map[stdops.TaskRef]struct{} // to be claimed
	leaving  []*driver                   // to be let go
	doubt    bool                        // an answer was lost: the store may have given us tasks, or told us of some
	recalled time.Duration               // when the store was asked for them
	claim    chan struct{}               // holds a token when something is wanted
	release  chan struct{}               // holds a token when something is leaving
	deadline time.Duration               // until when this process may drive, by the clock that nobody can set; 0: not now

	running sync.WaitGroup
	stop    context.CancelFunc
}

func newOwners(e *Engine, o Ownership, drives bool) *owners {
	return &owners{
		Ownership: o, engine: e, drives: drives, wanted: make(map[stdops.TaskRef]struct{}),
		claim: make(chan struct{}, 1), release: make(chan struct{}, 1),
	}
}

// start begins to drive tasks, once this process has joined.
func (o *owners) start(ctx context.Context) {
	if !o.drives {
		return
	}
	background, stop := context.WithCancel(context.WithoutCancel(ctx)) // the lease is kept until nothing runs any more
	o.stop = stop
	for _, loop := range []func(context.Context){o.keepLease, o.share, o.releaseAlways} {
		o.running.Add(1)
		go func() {
			defer o.running.Done()
			loop(background)
		}()
	}
}

// end lets all tasks go. Nothing runs any more.
func (o *owners) end(ctx context.Context) error {
	if !o.drives {
		return nil
	}
	o.stop()
	o.running.Wait()
	o.engine.mu.Lock()
	for _, d := range o.leaving {
		d.turnAway(errStopping)
	}
	o.engine.mu.Unlock()
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), renewLimit) // also when the calls took all the time there was
	defer cancel()
	if err := o.Leave(limited); err != nil {
		return fmt.Errorf("let tasks go: %w", err) // others take them when the lease is over
	}
	return nil
}

// share looks for work and takes what is wanted. One goroutine does both, and joins anew after a fence, so that no task is taken
// twice at a time, nor by a process that is another one when it hears of it.
func (o *owners) share(ctx context.Context) {
	sweep := time.NewTimer(sweepEvery)
	defer sweep.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-o.claim:
			o.claimWanted(ctx)
		case <-sweep.C:
			sweep.Reset(o.look(ctx))
		}
	}
}

// look does what is to be done at times, and says when it is to be done again.
func (o *owners) look(ctx context.Context) time.Duration {
	if o.until() == 0 && !o.rejoin(ctx) {
		return sweepEvery
	}
	if err := o.recall(ctx); err != nil {
		o.unheard(ctx, "the tasks of this process could not be read", err)
		return sweepEvery
	}
	return o.sweep(ctx)
}

func (o *owners) rejoin(ctx context.Context) bool {
	limited, cancel := context.WithTimeout(ctx, renewLimit)
	defer cancel()
	if err := o.join(limited); err != nil {
		return false
	}
	o.engine.Log.Info("the store answers again: this process drives tasks again")
	return true
}

// sweep looks for work, and says when to look again.
func (o *owners) sweep(ctx context.Context) time.Duration {
	room := o.room()
	if room < 0 {
		return sweepEvery
	}
	limited, cancel := context.WithTimeout(ctx, shareLimit)
	defer cancel()
	found, err := o.Sweep(limited, room)
	if err != nil {
		o.unheard(ctx, "the sweep for due tasks failed", err)
		return sweepEvery
	}
	o.drive(found.Claimed)
	for _, ref := range found.Touched {
		o.engine.Touched(ref)
	}
	if !found.More {
		return sweepEvery
	}
	if room == 0 {
		o.makeRoom()
	}
	return sweepEvery / 10
}

// unheard notes that what the store was asked for may have been done, though nobody has learned of it.
func (o *owners) unheard(ctx context.Context, text string, err error) {
	if ctx.Err() == nil {
		o.engine.Log.Warn(text, "error", err)
	}
	o.engine.mu.Lock()
	defer o.engine.mu.Unlock()
	o.doubt = true
}

// recall asks the store which tasks this process drives, when there is doubt about it. Those that are not in memory are taken
// once more, and those in memory that have changed are read again.
func (o *owners) recall(ctx context.Context) error {
	e := o.engine
	e.mu.Lock()
	now := e.Passed()
	doubt := (o.doubt || now >= o.recalled+recallEvery) && o.mayDrive() && !e.stopping
	if doubt {
		o.doubt, o.recalled = false, now // what is lost from here on counts
	}
	e.mu.Unlock()
	if !doubt {
		return nil
	}
	limited, cancel := context.WithTimeout(ctx, shareLimit)
	defer cancel()
	owned, err := o.Owned(limited)
	if err != nil {
		return err
	}
	var forgotten []stdops.TaskRef
	e.mu.Lock()
	for ref, revision := range owned {
		switch d := e.drivers[ref]; {
		case d == nil:
			forgotten = append(forgotten, ref)
		case d.busy, d.st == nil, d.st.root.Revision != revision:
			e.reread(d)
		}
	}
	e.mu.Unlock()
	for some := range slices.Chunk(forgotten, mostClaims) {
		claims, err := o.Claim(limited, some)
		if err != nil {
			return err
		}
		o.drive(claims)
	}
	return nil
}

// room is how many more tasks may be in memory; -1 when this process may drive none.
func (o *owners) room() int {
	e := o.engine
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.stopping || !o.mayDrive():
		return -1
	case e.seats.limit <= 0:
		return mostClaims
	}
	return max(0, min(mostClaims, e.seats.limit-len(e.drivers)))
}

// makeRoom lets tasks go that only rest, longest first, so that others that are due have their turn.
func (o *owners) makeRoom() {
	e := o.engine
	e.mu.Lock()
	defer e.mu.Unlock()
	for range roomAtOnce {
		first := e.seats.resting.Front()
		if first == nil {
			return
		}
		d := first.Value.(*driver)
		e.seats.wakeUp(d)
		o.letGo(d)
	}
}

// nudge asks for a task that may need somebody who drives it. The lock is held.
func (o *owners) nudge(ref stdops.TaskRef) {
	if !o.drives || o.engine.stopping {
		return
	}
	o.wanted[ref] = struct{}{}
	token(o.claim)
}

// token puts a token into a channel that holds one.
func token(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// claimWanted takes the tasks that were asked for. Those for which there is no room are left to the sweep of whoever has.
func (o *owners) claimWanted(ctx context.Context) {
	refs := o.takeWanted()
	if len(refs) == 0 {
		return
	}
	limited, cancel := context.WithTimeout(ctx, shareLimit)
	defer cancel()
	claims, err := o.Claim(limited, refs)
	if err != nil {
		o.unheard(ctx, "tasks could not be claimed", err)
		return
	}
	o.drive(claims)
}

func (o *owners) takeWanted() (refs []stdops.TaskRef) {
	room := o.room()
	e := o.engine
	e.mu.Lock()
	defer e.mu.Unlock()
	for ref := range o.wanted {
		if len(refs) >= room {
			break
		}
		delete(o.wanted, ref)
		if e.drivers[ref] == nil {
			refs = append(refs, ref)
		}
	}
	switch {
	case room <= 0:
		clear(o.wanted)
	case len(o.wanted) > 0:
		token(o.claim)
	}
	return refs
}

// drive begins to drive tasks that were claimed.
func (o *owners) drive(claims []stdops.Claim) {
	e := o.engine
	var old []*driver
	e.mu.Lock()
	for _, c := range claims {
		if e.stopping || !o.mayDrive() { // Leave, or the end of the lease, frees it
			continue
		}
		if d := e.drivers[c.Ref]; d != nil {
			if d.epoch >= c.Epoch {
				continue
			}
			o.lose(d) // of an epoch that is over: it does not know yet
			old = append(old, d)
		}
		e.drivers[c.Ref] = &driver{engine: e, ref: c.Ref, epoch: c.Epoch}
		fail.Point("task.claimed")
		e.deliver(c.Ref, letter{wake: true})
	}
	e.mu.Unlock()
	for _, d := range old {
		d.wantNothing()
	}
}

// Touched lets whoever drives a task in this process read it again: somebody else has changed it.
func (e *Engine) Touched(ref stdops.TaskRef) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if d := e.drivers[ref]; d != nil {
		e.reread(d)
	}
}

// reread lets a driver read its task again. The lock is held.
func (e *Engine) reread(d *driver) {
	if !e.stopping { // else what is in the mailbox may not be looked at any more
		e.deliver(d.ref, letter{wake: true, reread: true})
	}
}

// Due asks for tasks whose time may have come.
func (e *Engine) Due(refs []stdops.TaskRef) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, ref := range refs {
		if e.owners != nil && e.drivers[ref] == nil {
			e.owners.nudge(ref)
		}
	}
}
