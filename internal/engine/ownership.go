package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/fail"
)

// Ownership shares the tasks of a store out to the processes that have it open (docs/cluster.md). A task in the memory of
// a process is driven by it and by nobody else. Revision says which change is right, epoch who drives: what is committed
// under an epoch that is over is refused, so that two processes which both believe to drive a task do no harm.
type Ownership interface {
	// Join makes this process one that drives tasks, as a new one that drives none. It holds for [leaseTime].
	Join(ctx context.Context) error
	// Renew lets it hold for as long from now on; [stdops.ErrNoLease] when others hold this process for dead.
	Renew(ctx context.Context) error
	// Leave lets all tasks of this process go, for others to take at once.
	Leave(ctx context.Context) error
	// Claim takes those of some tasks that are live and driven by nobody. Who drives one of the others is told to look at it.
	Claim(ctx context.Context, refs []stdops.TaskRef) ([]stdops.Claim, error)
	// Sweep frees the tasks of dead processes, and takes as many tasks as there is room for whose time has come.
	Sweep(ctx context.Context, room int) (stdops.Sweep, error)
	// Release lets tasks go. It reports false for those that were not: something has happened to them.
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
	leaseTime  = 10 * time.Second // how long others wait for a sign of life
	renewEvery = 3 * time.Second
	fenceAfter = 7 * time.Second // without one this process stops by itself, well before others begin
	renewLimit = 2 * time.Second // that one renewal may take
	sweepEvery = time.Second
	shareLimit = 5 * time.Second // that one look for work may take, or one statement that takes or lets go tasks
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
	for _, loop := range []func(context.Context){o.keepLease, o.sweepAlways, o.claimAlways, o.releaseAlways} {
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
	if err := o.Leave(ctx); err != nil {
		return fmt.Errorf("let tasks go: %w", err) // others take them when the lease is over
	}
	return nil
}

// mayDrive reports whether this process may begin something outside. The lock is held.
func (o *owners) mayDrive() bool { return o.engine.Passed() < o.deadline }

// join makes this process one that drives tasks, if it is to.
func (o *owners) join(ctx context.Context) error {
	if !o.drives {
		return nil
	}
	began := o.engine.Passed()
	if err := o.Join(ctx); err != nil {
		return fmt.Errorf("join the processes that drive tasks: %w", err)
	}
	o.prolong(began)
	return nil
}

func (o *owners) prolong(began time.Duration) {
	o.engine.mu.Lock()
	defer o.engine.mu.Unlock()
	o.deadline = began + fenceAfter
}

// keepLease tells the store again and again that this process lives. When it cannot for too long it stops everything,
// and begins anew as another process once the store answers.
func (o *owners) keepLease(ctx context.Context) {
	wait := renewEvery
	for joined := true; sleep(ctx, wait); {
		if !joined {
			joined, wait = o.rejoin(ctx), renewEvery
			continue
		}
		began := o.engine.Passed()
		limit := min(renewLimit, o.deadline-began)
		limited, cancel := context.WithTimeout(ctx, limit)
		err := o.Renew(limited)
		cancel()
		switch {
		case err == nil:
			o.prolong(began)
			wait = renewEvery
		case ctx.Err() != nil:
			return
		case errors.Is(err, stdops.ErrNoLease), o.engine.Passed() >= o.deadline:
			o.engine.Log.Error("cut off from the store: tasks are given up, and what runs is ended", "error", err)
			o.fence()
			joined, wait = false, 0
		default:
			o.engine.Log.Warn("the lease could not be renewed", "error", err)
			wait = min(renewEvery/6, o.deadline-o.engine.Passed())
		}
	}
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

// sleep waits, false when ctx ends first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return ctx.Err() == nil
	}
}

// fence gives up all tasks: what they have out is ended, and what it gives is not taken any more.
func (o *owners) fence() {
	e := o.engine
	e.mu.Lock()
	defer e.mu.Unlock()
	o.deadline = 0
	clear(o.wanted)
	for _, d := range e.drivers {
		o.lose(d)
	}
}

// lose takes a task out of memory that others drive, or will. The lock is held.
func (o *owners) lose(d *driver) {
	e := o.engine
	if d.lost {
		return
	}
	d.lost = true
	e.seats.wakeUp(d)
	delete(e.drivers, d.ref)
	e.Wakes.Wake(stdops.Wake{Ref: d.ref})
	e.calls.cancel(d.ref, func(callID) bool { return true }, errLost)
	if !d.busy {
		d.turnAway()
	}
}

// turnAway answers whoever waits for a driver that is lost. The lock is held.
func (d *driver) turnAway() {
	for _, l := range d.mailbox {
		if l.answer != nil {
			l.answer <- errElsewhere
		}
	}
	d.mailbox = nil
}

// sweepAlways looks for work.
func (o *owners) sweepAlways(ctx context.Context) {
	for wait := sweepEvery; ; {
		if !sleep(ctx, wait) {
			return
		}
		room := o.room()
		if room < 0 {
			continue
		}
		limited, cancel := context.WithTimeout(ctx, shareLimit)
		found, err := o.Sweep(limited, room)
		cancel()
		if err != nil {
			if ctx.Err() == nil {
				o.engine.Log.Warn("the sweep for due tasks failed", "error", err)
			}
			continue
		}
		o.drive(found.Claimed)
		for _, ref := range found.Touched {
			o.engine.Touched(ref)
		}
		wait = sweepEvery
		if found.More {
			wait = sweepEvery / 10
			if room == 0 {
				o.makeRoom()
			}
		}
	}
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

// claimAlways takes the tasks that were asked for. Those for which there is no room are left to the sweep of whoever has.
func (o *owners) claimAlways(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-o.claim:
		}
		refs := o.takeWanted()
		if len(refs) == 0 {
			continue
		}
		limited, cancel := context.WithTimeout(ctx, shareLimit)
		claims, err := o.Claim(limited, refs)
		cancel()
		if err != nil {
			if ctx.Err() == nil {
				o.engine.Log.Warn("tasks could not be claimed", "error", err)
			}
			continue
		}
		o.drive(claims)
	}
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
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, c := range claims {
		if e.stopping || !o.mayDrive() { // Leave, or the end of the lease, frees it
			continue
		}
		if old := e.drivers[c.Ref]; old != nil { // of an epoch that is over: it does not know yet
			o.lose(old)
		}
		e.drivers[c.Ref] = &driver{engine: e, ref: c.Ref, epoch: c.Epoch}
		fail.Point("task.claimed")
		e.deliver(c.Ref, letter{wake: true})
	}
}

// rest lets a driver with nothing to do go, or stay for the sake of its next due time. One that could not read its task stays,
// and is woken to try again. The lock is held.
func (o *owners) rest(d *driver) {
	switch {
	case d.lost || o.engine.stopping:
	case d.st == nil && !d.parked:
	case d.st != nil && !d.st.root.Live: // its last commit has let it go
		delete(o.engine.drivers, d.ref)
	case d.st == nil || d.idle():
		o.letGo(d)
	case d.st.calls == 0:
		d.place = o.engine.seats.resting.PushBack(d)
	}
}

// letGo lets a task leave memory. It stays there until the store has heard of it. The lock is held.
func (o *owners) letGo(d *driver) {
	d.busy = true
	o.leaving = append(o.leaving, d)
	token(o.release)
}

func (o *owners) releaseAlways(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-o.release:
		}
		for ctx.Err() == nil && o.releaseSome(ctx) {
		}
	}
}

// releaseSome lets some tasks go, false when there are none left.
func (o *owners) releaseSome(ctx context.Context) bool {
	all := o.takeLeaving()
	if len(all) == 0 {
		return false
	}
	releases := make([]stdops.Release, len(all))
	for i, d := range all {
		releases[i] = d.release()
	}
	fail.Point("task.releasing")
	limited, cancel := context.WithTimeout(ctx, shareLimit)
	gone, err := o.Release(limited, releases)
	cancel()
	if err != nil {
		if ctx.Err() == nil {
			o.engine.Log.Warn("tasks could not be let go", "error", err)
		}
		gone = make([]bool, len(all))
		sleep(ctx, storePause)
	}
	e := o.engine
	e.mu.Lock()
	defer e.mu.Unlock()
	for i, d := range all {
		o.released(d, gone[i])
	}
	return true
}

func (o *owners) takeLeaving() []*driver {
	o.engine.mu.Lock()
	defer o.engine.mu.Unlock()
	some := o.leaving[:min(len(o.leaving), mostClaims)]
	o.leaving = o.leaving[len(some):]
	return some
}

// release is what the store is told of a task that leaves memory. One that could not even be read is left to a person.
func (d *driver) release() stdops.Release {
	r := stdops.Release{Ref: d.ref, Epoch: d.epoch, Revision: stdops.AnyRevision}
	if d.st != nil {
		r.Revision, r.WakeAt = d.st.root.Revision, d.st.root.WakeAt
	}
	return r
}

// released ends the drive of a task that was let go, or goes on with it. The lock is held.
func (o *owners) released(d *driver, gone bool) {
	e := o.engine
	switch {
	case d.lost:
		d.turnAway()
	case gone:
		delete(e.drivers, d.ref)
		e.Wakes.Wake(stdops.Wake{Ref: d.ref})
		if len(d.mailbox) > 0 { // whatever came is to be found in the store, but for commands
			o.nudge(d.ref)
		}
		d.turnAway()
	default:
		d.busy = false
		e.deliver(d.ref, letter{wake: true, reread: true})
	}
}

// outside carries out a command by a step on the stored task, whoever drives it. Nothing of what follows begins here.
func (e *Engine) outside(ctx context.Context, ref stdops.TaskRef, cmd Command) error {
	ctx, cancel := context.WithTimeout(ctx, outsideLimit)
	defer cancel()
	if cmd.Key != nil {
		taken, err := e.Tasks.Taken(ctx, []*stdops.RequestKey{cmd.Key})
		if err != nil {
			return answerOf(err)
		}
		if taken[0] {
			return stdops.ErrRepeated
		}
	}
	var change *stdops.Change
	err := e.owners.Step(ctx, ref, func(snap *stdops.Snapshot) (_ *stdops.Change, err error) {
		change, err = e.decideOutside(ctx, snap, cmd)
		return change, err
	})
	if err != nil {
		return answerOf(err)
	}
	fail.Point("outside.committed")
	e.mu.Lock()
	e.owners.nudge(ref)
	e.mu.Unlock()
	if change != nil {
		e.wakeParent(change)
	}
	return nil
}

// decideOutside gives what a command changes; nil when nothing.
func (e *Engine) decideOutside(ctx context.Context, snap *stdops.Snapshot, cmd Command) (*stdops.Change, error) {
	st, err := e.stateOf(ctx, snap)
	if err != nil {
		return nil, err
	}
	var timers timerHeap
	for _, n := range st.nodes {
		if n != nil {
			timers.add(n)
		}
	}
	env := e.env(e.entropy(), timers.next())
	env.hold, env.epoch = true, snap.Task.Root.Epoch // whoever drives the task begins what follows
	e.thinking <- struct{}{}
	defer func() { <-e.thinking }()
	// First the step learns what waits in the task, as one of its driver would.
	d, answers, err := decideSafely(st, []event{loaded{}, cmd}, env)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", errDefect, err)
	case answers[1] != nil:
		return nil, answers[1]
	case d.empty():
		return nil, nil
	}
	d.change.Outside = true
	return &d.change, nil
}

// Touched lets whoever drives a task in this process read it again: somebody else has changed it.
func (e *Engine) Touched(ref stdops.TaskRef) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.drivers[ref] != nil {
		e.deliver(ref, letter{wake: true, reread: true})
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
