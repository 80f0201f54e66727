package engine

import (
	"cmp"
	"container/heap"
	"container/list"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/fail"
	"github.com/stdops/stdops/internal/plugin"
)

// letter is an event on its way to a driver.
type letter struct {
	event  event
	answer chan<- error // of a command; nil for everything else
	wake   bool         // no event: the driver itself knows what is due
	reread bool         // the record has got something that memory does not know of
	result bool         // of a call that was out: still taken while the engine stops
}

// driver drives one task. It lives in memory only while the task has something to do soon; at most one goroutine turns
// its crank, and mailbox and busy are guarded by the engine's lock.
type driver struct {
	engine *Engine
	ref    stdops.TaskRef
	epoch  int64

	mailbox []letter
	busy    bool
	place   *list.Element // among those that rest
	held    bool          // there was no seat for it: it begins no call, and leaves memory as soon as it can
	lost    bool          // others drive the task, or will: nothing that this driver decides counts
	out     int           // calls that are out, with those that nobody waits for any more; counted where tasks are shared
	parked  bool          // the task cannot be driven: it leaves memory until something is done to it

	st      *state // nil until it was read
	timers  timerHeap
	entropy *rand.ChaCha8
	pause   time.Duration // after the last failure of the store; zero after a step
}

// storePause is how long a driver waits when the store fails, before it tries again. It waits twice as long each time, up to
// longestPause: a disk that is full stays so for a while.
const (
	storePause   = 500 * time.Millisecond
	longestPause = 8 * storePause
)

// run turns the crank until there is nothing left to decide.
func (d *driver) run() {
	defer d.engine.running.Done()
	deepen(0)
	ctx := context.Background() // the crank is stopped by Stop, which waits for it; a step is never abandoned half-way
	var letters []letter
	for {
		if letters = d.take(letters); letters == nil {
			return
		}
		t, err := d.begin(ctx, letters)
		verdict := stdops.Committed
		switch {
		case err != nil:
		case t.stores():
			verdict, err = d.store(ctx, t.delta)
		case d.mayBeBehind(t):
			verdict = stdops.Stale
		}
		var pause time.Duration
		letters, pause = d.end(t, verdict, err)
		time.Sleep(pause)
	}
}

// deepen makes room on the stack for a step, while there is nothing on it. To let the stack grow in the middle of the step, as
// often as it takes, costs a tenth of all the time of a processor that the engine needs.
//
//go:noinline
func deepen(n int) byte {
	var room [10 << 10]byte
	return room[n]
}

// take gives the letters to be decided next: those left from before and all that came meanwhile. nil ends the run.
func (d *driver) take(left []letter) []letter {
	e := d.engine
	e.mu.Lock()
	defer e.mu.Unlock()
	letters := append(left, d.mailbox...)
	d.mailbox = nil
	if d.lost {
		d.mailbox = letters
		d.turnAway(errElsewhere)
		return nil
	}
	if len(letters) > 0 {
		return letters
	}
	d.busy = false
	e.rest(d)
	return nil
}

// holder names the driver where slots are shared out.
func (d *driver) holder() holder { return holder{d.ref, d.epoch} }

// undoubted gives the calls that are in no doubt: those that are out, and those whose result waits to be decided.
func (d *driver) undoubted(letters []letter) map[callID]bool {
	out := d.engine.calls.out(d.ref, d.ownCalls()) // first: a result is in the mailbox before its call leaves the pool
	d.engine.mu.Lock()
	defer d.engine.mu.Unlock()
	for _, l := range slices.Concat(letters, d.mailbox) {
		if ended, ok := l.event.(callEnded); ok {
			out[callID{ended.node, ended.version, ended.call}] = true
		}
	}
	return out
}

// ownCalls gives the driver whose calls count. Where tasks are shared, those of an earlier one are others' business by now.
func (d *driver) ownCalls() *driver {
	if d.engine.owners == nil {
		return nil
	}
	return d
}

// idle reports that the task need not stay in memory.
func (d *driver) idle() bool {
	return d.st.calls == 0 && (d.st.root.WakeAt.IsZero() || d.st.root.WakeAt.Sub(d.engine.now()) > keepFor)
}

func (d *driver) restore(ctx context.Context) error {
	st, err := d.engine.load(ctx, d.ref)
	if err != nil {
		return err
	}
	fail.Point("task.loaded")
	if d.engine.owners != nil && st.task.Root.Epoch != d.epoch {
		return errLost
	}
	d.st, d.timers = st, nil
	d.endStale()
	if d.entropy == nil {
		d.entropy = d.engine.entropy()
	}
	for _, n := range st.nodes {
		if n != nil {
			d.timers.add(n)
		}
	}
	return nil
}

// endStale ends calls that a step made needless which another process made, or of whose commit this one did not learn.
func (d *driver) endStale() {
	current := func(id callID) *stdops.NodeState {
		if n := d.st.nodes[id.node]; n != nil && n.Version == id.version && n.Call == id.number && callOut(n) {
			return n
		}
		return nil
	}
	d.engine.calls.cancel(d.ref, func(id callID) bool { return current(id) == nil }, errGivenUp)
	if d.st.root.State == stdops.StateRevoked {
		d.engine.calls.cancel(d.ref, func(id callID) bool {
			n := current(id)
			return n != nil && stopsOnRevoke(d.engine.Plugins, d.st.graph, n.Node)
		}, plugin.ErrRevoked)
	}
}

// giveUp answers commands that cannot be carried out. Results of calls stay for the next try, unless there can be none:
// there is no such task any more, the process ends, its record is damaged, or the step is a defect. The last two a later command or
// start meets again with the record as it is stored.
func (d *driver) giveUp(letters []letter, err error) ([]letter, time.Duration) {
	code := stdops.ErrorCode(err)
	gone := code == stdops.CodeNotFound || code == stdops.CodeGone
	final := gone || errors.Is(err, errDefect) || errors.Is(err, stdops.ErrRecord) || d.engine.ending()
	asked := !slices.ContainsFunc(letters, func(l letter) bool { return l.answer == nil })
	var left []letter
	for _, l := range letters {
		switch {
		case l.answer != nil:
			l.answer <- answerOf(err)
		case !final && l.result:
			left = append(left, l)
		}
	}
	d.parked = final
	if gone && asked { // for a task that does not exist: nothing is wrong with ours
		return nil, 0
	}
	if code != stdops.CodeDiskFull { // of which the store has told, once for all tasks
		d.engine.Log.Error("task cannot be driven", "task", int64(d.ref.Task), "error", err)
	}
	if final {
		return nil, 0
	}
	if len(left) == 0 {
		d.engine.Wakes.Wake(stdops.Wake{Ref: d.ref, At: d.engine.now().Add(10 * storePause)})
		return nil, 0
	}
	d.pause = min(max(2*d.pause, storePause), longestPause)
	return left, d.pause
}

// unrepeated answers commands whose keys are taken, and gives the other letters. A key that was taken meanwhile makes the
// step stale, so that it comes by here again.
func (d *driver) unrepeated(ctx context.Context, letters []letter) ([]letter, error) {
	var keys []*stdops.RequestKey
	for _, l := range letters {
		if cmd, ok := l.event.(Command); ok && cmd.Key != nil {
			keys = append(keys, cmd.Key)
		}
	}
	if len(keys) == 0 {
		return letters, nil
	}
	taken, err := d.engine.Tasks.Taken(ctx, keys)
	if err != nil {
		return letters, err
	}
	var left []letter
	for _, l := range letters {
		if cmd, ok := l.event.(Command); ok && cmd.Key != nil {
			repeated := taken[0]
			if taken = taken[1:]; repeated {
				l.answer <- stdops.ErrRepeated
				continue
			}
		}
		left = append(left, l)
	}
	return left, nil
}

// withoutLoaded drops the mark of an earlier read whose step was not stored.
func withoutLoaded(letters []letter) []letter {
	return slices.DeleteFunc(letters, func(l letter) bool { _, is := l.event.(loaded); return is })
}

// turn is one turn of the crank on its way: its letters, what was decided of them, and the slots that were taken for it.
type turn struct {
	letters []letter
	answers []error
	delta   *delta // nil: nothing could be decided
	hand    hand
	read    bool // the task was read for it
	stepped bool // Stop waits for it
}

// stores reports whether there is something to be stored before the turn may end.
func (t *turn) stores() bool { return !t.delta.empty() }

// mayBeBehind reports that a turn with nothing to be stored would answer commands by what is in memory, where others may have
// changed the task since it was read: a commit finds that out by itself.
func (d *driver) mayBeBehind(t *turn) bool {
	return d.engine.owners != nil && !t.read && slices.ContainsFunc(t.letters, func(l letter) bool { return l.answer != nil })
}

// begin decides letters, on what is stored when the task is not in memory. Whatever it returns goes to end.
func (d *driver) begin(ctx context.Context, letters []letter) (*turn, error) {
	t := &turn{letters: letters, hand: hand{slots: d.engine.slots, holder: d.holder()}}
	if slices.ContainsFunc(letters, func(l letter) bool { return l.reread }) {
		d.st = nil
	}
	if d.st == nil {
		ctx, cancel := within(ctx, d.engine.storeLimit())
		defer cancel()
		if err := d.restore(ctx); err != nil {
			return t, err
		}
		t.read = true
		left, err := d.unrepeated(ctx, letters)
		if err != nil {
			return t, err
		}
		t.letters = append([]letter{{event: loaded{out: d.undoubted(left)}}}, withoutLoaded(left)...)
	}
	return t, d.decide(t)
}

// decide gives a turn what follows from its letters and from what is due.
func (d *driver) decide(t *turn) (err error) {
	e := d.engine
	events := make([]event, 0, len(t.letters)+1)
	for _, l := range t.letters {
		if !l.wake {
			events = append(events, l.event)
		}
	}
	e.thinking <- struct{}{}
	defer func() { <-e.thinking }()
	at := e.now()
	for _, due := range d.timers.due(at) {
		events = append(events, due)
		fail.Point("timer.came")
	}
	env := e.stepEnv(t, d.entropy, d.timers.next())
	env.now, env.slots, env.hold, env.epoch = at, &t.hand, env.hold || d.held, d.epoch
	t.delta, t.answers, err = decideSafely(d.st, events, env)
	if err != nil {
		return fmt.Errorf("%w: %w", errDefect, err)
	}
	return nil
}

// store commits what was decided.
func (d *driver) store(ctx context.Context, dl *delta) (stdops.Verdict, error) {
	fail.Point("step.decided")
	if fail.On("call.early") { // the mistake that tests of effects have to find
		d.startCalls(dl)
		dl.calls = nil
		time.Sleep(10 * time.Millisecond) // so that they do something before the commit
	}
	if fail.On("tell.lost") { // the mistake that tests of children have to find
		dl.change.Tells = nil
	}
	return d.engine.writer.commit(ctx, &dl.change)
}

// end carries out a turn that was stored, or takes it back. It gives what is still to be decided, and how long to wait
// before.
func (d *driver) end(t *turn, verdict stdops.Verdict, err error) ([]letter, time.Duration) {
	if verdict == stdops.Fenced || errors.Is(err, errLost) {
		return d.endLost(t), 0
	}
	if err != nil || verdict == stdops.Stale {
		d.st = nil // read again what is stored, and decide on that
		t.hand.giveBack()
		d.leave(t)
		if err == nil {
			return t.letters, 0
		}
		if t.delta != nil { // it may be stored all the same, and this task will not tell it again
			d.engine.wakeParent(&t.delta.change)
		}
		return d.giveUp(t.letters, err)
	}
	dl := t.delta
	if t.stores() {
		pointsOf(&dl.change)
		d.timers.follow(d.st, dl)
		d.st.apply(dl)
		d.engine.wakeParent(&dl.change)
	}
	d.st.keep(dl)
	d.parked = false
	d.carryOut(dl)
	d.leave(t)
	d.pause = 0
	fail.Point("step.answering")
	d.reply(t.letters, t.answers)
	if dl.more {
		return []letter{{event: goOn{}}}, 0
	}
	return nil, 0
}

// endLost ends the drive of a task that others drive. Its commands are carried out from outside.
func (d *driver) endLost(t *turn) []letter {
	t.hand.giveBack()
	d.leave(t)
	e := d.engine
	e.mu.Lock()
	defer e.mu.Unlock()
	e.owners.lose(d)
	d.mailbox = append(t.letters, d.mailbox...)
	d.turnAway(errElsewhere)
	return nil
}

// leave lets Stop go on, if it waits for this turn.
func (d *driver) leave(t *turn) {
	if t.stepped {
		d.engine.steps.Done()
	}
}

// pointsOf names what was just committed, for tests that crash there.
func pointsOf(c *stdops.Change) {
	fail.Point("step.committed")
	if len(c.Callbacks) > 0 {
		fail.Point("callback.stored")
	}
	if len(c.Tells) > 0 {
		fail.Point("tell.stored")
	}
	if slices.ContainsFunc(c.Consumed, func(seq int64) bool { return seq > 0 }) {
		fail.Point("callback.decided")
	}
	if slices.ContainsFunc(c.Consumed, func(seq int64) bool { return seq < 0 }) {
		fail.Point("tell.heard")
	}
}

// decideSafely makes an error of a panic: a task that cannot be decided must not take all others with it, at this start
// and at every later one.
func decideSafely(st *state, events []event, env env) (dl *delta, answers []error, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	return decide(st, events, env)
}

// reply answers the commands; their refusals stand in the order of the events.
func (d *driver) reply(letters []letter, answers []error) {
	i := 0
	for _, l := range letters {
		if l.wake {
			continue
		}
		if l.answer != nil {
			l.answer <- answers[i]
		}
		i++
	}
}

// carryOut does what follows from a step that is stored, and says how many calls wait for a slot.
func (d *driver) carryOut(dl *delta) {
	slots, wants, spare := d.engine.slots, dl.wants, dl.spare
	if !d.act(dl) {
		wants = none
		for _, c := range dl.calls {
			spare[c.class]++
		}
	}
	slots.settle(d.holder(), wants, spare)
	if d.engine.owners != nil && d.isLost() { // meanwhile: nobody is left who would take what it waits for
		slots.settle(d.holder(), none, none)
	}
}

// act starts and ends calls and appoints the next wake-up. Where tasks are shared it does so under the lock, so that a task is
// lost before or after it: then nothing begins, and whoever drives the task next finds calls of which nobody knows whether they
// were made.
func (d *driver) act(dl *delta) bool {
	e := d.engine
	if e.owners != nil {
		e.mu.Lock()
		defer e.mu.Unlock()
		if d.lost || !e.owners.mayDrive() {
			return false
		}
		d.out += len(dl.calls)
	}
	for _, n := range dl.cancel {
		e.calls.cancel(d.ref, ofNode(n), errGivenUp)
	}
	for _, n := range dl.stop {
		e.calls.cancel(d.ref, ofNode(n), plugin.ErrRevoked)
	}
	d.startCalls(dl)
	var next time.Time
	if d.st.root.Live {
		next = d.timers.next()
	}
	e.Wakes.Wake(stdops.Wake{Ref: d.ref, At: next})
	if !next.IsZero() {
		fail.Point("timer.set")
	}
	return true
}

func (d *driver) isLost() bool {
	d.engine.mu.Lock()
	defer d.engine.mu.Unlock()
	return d.lost
}

func ofNode(n stdops.NodeIndex) func(callID) bool {
	return func(id callID) bool { return id.node == n }
}

func (d *driver) startCalls(dl *delta) {
	for _, c := range dl.calls {
		fail.Point("call.starting")
		d.engine.calls.start(d, c)
	}
}

// timerHeap holds due times of nodes, earliest first and at one moment in the order of the nodes. Entries of the past attempts stay until their time; they are
// recognised by their version.
type timerHeap []timeCame

func (h *timerHeap) add(n *stdops.NodeState) {
	due := n.Due
	if callOut(n) { // the time of a poll that is out has come
		due = time.Time{}
	}
	for _, at := range []time.Time{due, n.Deadline} {
		if !at.IsZero() {
			heap.Push(h, timeCame{n.Node, n.Version, at})
		}
	}
}

// follow takes up what a step appoints, before it is applied. What was appointed already is in the heap.
func (h *timerHeap) follow(st *state, d *delta) {
	for i, n := range d.step.nodes {
		fresh := *n
		if old := st.nodes[i]; old != nil && old.Version == n.Version {
			if old.Due.Equal(n.Due) && !callOut(old) {
				fresh.Due = time.Time{}
			}
			if old.Deadline.Equal(n.Deadline) {
				fresh.Deadline = time.Time{}
			}
		}
		h.add(&fresh)
	}
}

func (h *timerHeap) due(now time.Time) []timeCame {
	var out []timeCame
	for len(*h) > 0 && !(*h)[0].at.After(now) {
		out = append(out, heap.Pop(h).(timeCame))
	}
	return out
}

func (h timerHeap) next() time.Time {
	if len(h) == 0 {
		return time.Time{}
	}
	return h[0].at
}

func (h timerHeap) Len() int { return len(h) }
func (h timerHeap) Less(i, j int) bool {
	return cmp.Or(h[i].at.Compare(h[j].at), cmp.Compare(h[i].node, h[j].node)) < 0
}
func (h timerHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *timerHeap) Push(x any)   { *h = append(*h, x.(timeCame)) }
func (h *timerHeap) Pop() any {
	old := *h
	last := old[len(old)-1]
	*h = old[:len(old)-1]
	return last
}
