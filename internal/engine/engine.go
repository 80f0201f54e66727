package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"sync"
	"time"

	crand "crypto/rand"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/fail"
	"github.com/stdops/stdops/internal/flow"
	"github.com/stdops/stdops/internal/plugin"
)

// Commits stores steps. One call is one transaction; a change that is no longer wanted gets the verdict Stale and the
// others are stored all the same. After an error nothing of the batch is stored.
type Commits interface {
	Commit(ctx context.Context, changes []stdops.Change) ([]stdops.Verdict, error)
}

// Tasks reads what drivers need.
type Tasks interface {
	Load(ctx context.Context, ref stdops.TaskRef) (*stdops.Snapshot, error)
	Taken(ctx context.Context, keys []*stdops.RequestKey) ([]bool, error)
	Live(ctx context.Context) ([]stdops.Wake, error)
}

// Surroundings gives what a task shares with others: its compiled tree and its project.
type Surroundings interface {
	Graph(ctx context.Context, hash string) (*flow.Graph, error)
	Info(ctx context.Context, task *stdops.Task) (Info, error)
}

// calls runs what steps begin, outside of the drivers.
type calls interface {
	// start begins a call that has its slot; the slot is released when it ends, and its result posted.
	start(d *driver, c call)
	// cancel asks those calls of a task to end that are meant, with the reason.
	cancel(ref stdops.TaskRef, meant func(callID) bool, why error)
	// out gives the calls of a task that are out, with those whose result is on its way: of one driver, nil of all.
	out(ref stdops.TaskRef, of *driver) map[callID]bool
}

// Info is what flows may ask about their task's surroundings.
type Info struct {
	ProjectName string
	Biz         int64
	Zone        *time.Location
	TaskURL     string
}

// Wakes wakes tasks later.
type Wakes interface {
	Wake(w stdops.Wake)
	Run(ctx context.Context, fire func(stdops.TaskRef))
}

// Options are the parts that an engine is made of.
type Options struct {
	Commits      Commits
	Tasks        Tasks
	Surroundings Surroundings
	Plugins      Plugins
	Logs         Logs // nil keeps none
	Wakes        Wakes
	Now          func() time.Time // of the server: it never falls, whatever becomes of the clock of the machine
	Epoch        int64            // of all tasks, where one process has the store for itself

	// Ownership shares the tasks with other processes; nil: there are none.
	Ownership Ownership
	// Passed counts by a clock that nobody can set; Ownership needs it.
	Passed func() time.Duration
	// Aside keeps this process from driving tasks: it carries out commands, and others go on from there. It needs Ownership.
	Aside bool

	// Began is told of each first call of an attempt how long after its node was entered it begins; nil: nobody is.
	Began func(class plugin.Class, waited time.Duration)

	Limits *stdops.Limits // nil: the defaults
	Log    *slog.Logger
}

// keepFor is how long a task stays in memory for the sake of its next due time.
const keepFor = time.Minute

// Engine drives the live tasks of a process.
type Engine struct {
	Options
	writer  *writer
	journal *journal // nil where logs are not kept
	pool    *pool
	calls   calls // the pool; a simulation has its own
	slots   *slots
	owners  *owners // nil: this process has the store for itself
	sizes   [plugin.Classes]int

	drive   func(*driver) // lets a driver turn the crank until nothing is left to decide; it must not wait for it
	entropy func() *rand.ChaCha8
	changes int // how many nodes one step may enter; 0: maxChanges

	mu       sync.Mutex
	drivers  map[stdops.TaskRef]*driver
	seats    seats
	stopping bool
	cutOff   int // calls, by Stop

	// thinking holds a token for each step that is being decided. To decide is work of a processor, and rendering may take
	// some megabytes meanwhile, so that more steps at the same time than processors would cost memory and gain nothing.
	thinking chan struct{}

	steps   sync.WaitGroup // steps on their way that may begin calls: none comes once stopping is set
	running sync.WaitGroup // drivers that turn the crank
	stop    context.CancelFunc
	done    chan struct{}
}

// New makes an engine. It does nothing before Start.
func New(o Options) *Engine {
	if o.Limits == nil {
		limits := stdops.DefaultLimits()
		o.Limits = &limits
	}
	e := &Engine{
		Options: o, sizes: poolSizes(o.Limits), drivers: make(map[stdops.TaskRef]*driver), seats: newSeats(int(o.Limits.LiveTasks)),
		thinking: make(chan struct{}, runtime.GOMAXPROCS(0)), entropy: entropy,
	}
	e.drive = func(d *driver) {
		e.running.Add(1)
		go d.run()
	}
	if o.Ownership != nil {
		e.owners = newOwners(e, o.Ownership, !o.Aside)
	}
	return e
}

// Start begins to drive: whatever was live when the last process ended goes on. Where other processes drive tasks too, those
// that nobody drives are taken one after the other.
func (e *Engine) Start(ctx context.Context) error {
	live, err := e.enroll(ctx)
	if err != nil {
		return err
	}
	fail.Point("start.read")
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	e.mu.Lock()
	e.stop, e.done = stop, make(chan struct{})
	e.writer = newWriter(e.Commits, e.storeLimit()) //nolint:contextcheck // what it stores outlives the start
	if e.Logs != nil {
		e.journal = newJournal(e.Logs, journalBounds{e.Limits.Log, e.storeLimit()}, e.now, e.Log) //nolint:contextcheck // what it stores outlives the start
	}
	e.slots = newSlots(e.sizes, e.slotFree)
	e.pool = newPool(background, &e.Options, e.journal, e.slots)
	e.calls = e.pool
	e.mu.Unlock()
	for _, w := range live {
		e.Wakes.Wake(w)
	}
	fail.Point("start.woken")
	go func() {
		defer close(e.done)
		e.Wakes.Run(background, e.wake)
	}()
	if e.owners != nil {
		e.owners.start(background)
	}
	return nil
}

// storeLimit gives how long one access to the store may take. A file answers, or fails; a connection may do neither.
func (e *Engine) storeLimit() time.Duration {
	if e.owners == nil {
		return 0
	}
	return storeLimit
}

// enroll does what may keep the engine from starting. It gives the tasks to begin with, of a process that has them all.
func (e *Engine) enroll(ctx context.Context) ([]stdops.Wake, error) {
	if e.owners != nil {
		err := e.owners.join(ctx)
		if stdops.ErrorCode(err) == stdops.CodeUnavailable { // it joins when the store answers
			e.Log.Warn("no tasks are driven yet", "error", err)
			err = nil
		}
		return nil, err
	}
	live, err := e.Tasks.Live(ctx)
	if err != nil {
		return nil, fmt.Errorf("read live tasks: %w", err)
	}
	return live, nil
}

// Stop ends driving: nothing new begins, calls that are out get until ctx is done to end and are then cut off, to be
// dealt with by the crash rule of their plugin at the next start.
func (e *Engine) Stop(ctx context.Context) error {
	if !e.end() {
		return nil
	}
	cutOff := e.pool.drain(ctx)
	e.running.Wait()
	e.stop()
	<-e.done
	e.writer.close()
	if e.journal != nil {
		e.journal.close()
	}
	e.mu.Lock()
	e.cutOff = cutOff
	e.mu.Unlock()
	if e.owners != nil {
		return e.owners.end(ctx)
	}
	return nil
}

// CutOff gives how many calls Stop has cut off.
func (e *Engine) CutOff() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.cutOff
}

// end lets no call begin any more, false when there is nothing to end.
func (e *Engine) end() bool {
	e.mu.Lock()
	ends := !e.stopping && e.stop != nil
	e.stopping = e.stopping || ends
	e.mu.Unlock()
	if ends {
		e.steps.Wait()
	}
	return ends
}

func (e *Engine) ending() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.stopping
}

// errDefect marks a step that decide could not make: a defect of ours, not of the store.
var errDefect = errors.New("step cannot be decided")

var errStopping = &stdops.Error{Code: stdops.CodeUnavailable, Message: "the server is shutting down"}

// Do carries out a command and returns after its commit. A refusal is a [*stdops.Error]; a command whose key is taken
// is refused or gets [stdops.ErrRepeated]. When ctx ends first the command
// may still be carried out.
func (e *Engine) Do(ctx context.Context, ref stdops.TaskRef, cmd Command) error {
	answer := make(chan error, 1)
	err := e.post(ref, letter{event: cmd, answer: answer})
	if err == nil {
		select {
		case err = <-answer:
		case <-ctx.Done():
			return &stdops.Error{Code: stdops.CodeUnavailable, Message: "the command was not answered in time; it may still be carried out", Err: ctx.Err()}
		}
	}
	if errors.Is(err, errElsewhere) {
		return e.outside(ctx, ref, cmd)
	}
	return err
}

// Begin gives the first change of a task that is created and started at once. The caller stores it together with the
// task and calls Adopt.
func (e *Engine) Begin(ctx context.Context, task stdops.Task, graph *flow.Graph, inputs *stdops.Object, actor string) (*stdops.Change, error) {
	info, err := e.Surroundings.Info(ctx, &task)
	if err != nil {
		return nil, err
	}
	st := newState(task, graph, info, inputs)
	env := e.env(e.entropy(), time.Time{})
	env.hold = true // no call may begin before the commit that makes the task; Adopt lets them begin
	if e.owners != nil {
		env.epoch = task.Root.Epoch // nobody has claimed it
	}
	d, answers, err := decide(st, []event{Command{Kind: Start, Actor: actor}}, env)
	if err != nil {
		return nil, err
	}
	d.change.Outside = e.owners != nil
	return &d.change, answers[0]
}

// Adopt starts to drive a task that was stored together with its first change.
func (e *Engine) Adopt(first *stdops.Change) {
	e.wakeParent(first)
	e.wake(stdops.TaskRef{Project: first.Project, Task: first.Task})
}

// wakeParent lets a task read what a step of its child has told it.
func (e *Engine) wakeParent(c *stdops.Change) {
	for _, t := range c.Tells {
		_ = e.post(stdops.TaskRef{Project: c.Project, Task: t.To.Task}, letter{wake: true, reread: true}) // the next start reads it too
		fail.Point("parent.woken")
	}
}

// Preview gives the inputs that a node which did not run would get now (docs/spec/engine.md 6.10).
func (e *Engine) Preview(ctx context.Context, ref stdops.TaskRef, n stdops.NodeIndex) (*stdops.Object, error) {
	st, err := e.load(ctx, ref)
	if err != nil {
		return nil, err
	}
	return preview(st, e.env(e.entropy(), time.Time{}), n)
}

// CallsOut gives the versions that the calls of a node which are out began with. A call that nobody waits for any more is
// among them until it has returned. There are none before Start.
func (e *Engine) CallsOut(ref stdops.TaskRef, n stdops.NodeIndex) (versions []stdops.Version) {
	e.mu.Lock()
	p := e.pool
	e.mu.Unlock()
	if p == nil {
		return nil
	}
	for id := range p.out(ref, nil) {
		if id.node == n {
			versions = append(versions, id.version)
		}
	}
	return versions
}

// Stats are figures of the moment.
type Stats struct {
	Driven  int // tasks in memory
	Waiting int // tasks that wait until there is room in memory
	Classes []ClassStats
}

// ClassStats are those of the calls of one class.
type ClassStats struct {
	Class   plugin.Class
	Out     int // slots that are taken
	Waiting int // calls that wait for a slot; those that wait for others of their own task are not counted
}

// Stats gives the figures of the moment; there are none before Start.
func (e *Engine) Stats() Stats {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.pool == nil {
		return Stats{}
	}
	return Stats{Driven: len(e.drivers), Waiting: len(e.seats.line), Classes: e.slots.stats()}
}

// load reads a task.
func (e *Engine) load(ctx context.Context, ref stdops.TaskRef) (*state, error) {
	snap, err := e.Tasks.Load(ctx, ref)
	if err != nil {
		return nil, err
	}
	return e.stateOf(ctx, snap)
}

// stateOf makes the state of a task of what was read.
func (e *Engine) stateOf(ctx context.Context, snap *stdops.Snapshot) (*state, error) {
	graph, err := e.Surroundings.Graph(ctx, snap.Task.TreeHash)
	if err != nil {
		return nil, fmt.Errorf("tree of task %d: %w", snap.Task.ID, ofRecord(err))
	}
	info, err := e.Surroundings.Info(ctx, &snap.Task)
	if err != nil {
		return nil, fmt.Errorf("project of task %d: %w", snap.Task.ID, ofRecord(err))
	}
	st, err := restore(snap, graph, info)
	if err != nil {
		return nil, damaged(err)
	}
	return st, nil
}

// ofRecord makes of a refusal what it means of a part of a stored task: that it is not there does not make the task one that
// does not exist, nor is it the caller's fault that it cannot be read.
func ofRecord(err error) error {
	if code := stdops.ErrorCode(err); code == stdops.CodeNotFound || code == stdops.CodeInvalid {
		return damaged(err)
	}
	return err
}

// damaged hides the code of an error that a stored task met with.
func damaged(err error) error {
	return stdops.Errorf(stdops.CodeInternal, "%s: %w", err, stdops.ErrRecord)
}

func (e *Engine) env(entropy *rand.ChaCha8, nextDue time.Time) env {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.envLocked(entropy, nextDue)
}

// stepEnv gives what a step needs, and notes that the step is on its way, if it may begin calls.
func (e *Engine) stepEnv(t *turn, entropy *rand.ChaCha8, nextDue time.Time) env {
	e.mu.Lock()
	defer e.mu.Unlock()
	if t.stepped = !e.stopping; t.stepped {
		e.steps.Add(1)
	}
	return e.envLocked(entropy, nextDue)
}

func (e *Engine) envLocked(entropy *rand.ChaCha8, nextDue time.Time) env {
	hold := e.stopping || e.owners != nil && !e.owners.mayDrive()
	return env{limits: e.Limits, now: e.now(), entropy: entropy, plugins: e.Plugins, epoch: e.Epoch, changes: e.changes, nextDue: nextDue, hold: hold}
}

// now is cut to what is stored.
func (e *Engine) now() time.Time { return e.Now().UTC().Truncate(time.Microsecond) }

func entropy() *rand.ChaCha8 {
	var seed [32]byte
	crand.Read(seed[:]) // never fails: it ends the program where the system has no entropy
	return rand.NewChaCha8(seed)
}

func (e *Engine) slotFree(ref stdops.TaskRef) { _ = e.post(ref, letter{event: slotFree{}}) }

func (e *Engine) wake(ref stdops.TaskRef) { _ = e.post(ref, letter{wake: true}) }

// post puts a letter into the mailbox of a task. It refuses when the engine stops, and a command for a task that this process
// does not drive.
func (e *Engine) post(ref stdops.TaskRef, l letter) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	known := e.drivers[ref] != nil
	switch {
	case e.stopping && !l.result:
		return errStopping
	case !known && e.owners != nil:
		if l.answer != nil {
			return errElsewhere
		}
		if l.wake {
			e.owners.nudge(ref)
		}
	case l.wake && !known && !e.seat():
		e.standInLine(ref)
	default:
		e.deliver(ref, l)
	}
	return nil
}

// postResult takes the result of a call. Where tasks are shared it counts only for the driver that began the call: after a
// lost lease others have dealt with it.
func (e *Engine) postResult(d *driver, result callEnded) {
	l := letter{event: result, result: true}
	if e.owners == nil {
		_ = e.post(d.ref, l)
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	d.out--
	if e.drivers[d.ref] == d {
		e.deliver(d.ref, l)
	}
}

// deliver puts a letter into the mailbox of a task and lets its driver turn the crank. The lock is held.
func (e *Engine) deliver(ref stdops.TaskRef, l letter) {
	d := e.drivers[ref]
	if d == nil {
		d = &driver{engine: e, ref: ref, epoch: e.Epoch, held: !e.seat()}
		e.drivers[ref] = d
	}
	e.seats.wakeUp(d)
	d.mailbox = append(d.mailbox, l)
	if !d.busy {
		d.busy = true
		e.drive(d)
	}
}

// answerOf turns an error of loading or storing into what a caller may see.
func answerOf(err error) error {
	var known *stdops.Error
	switch {
	case errors.As(err, &known):
		return known
	case errors.Is(err, errDefect):
		return stdops.Errorf(stdops.CodeInternal, "the command could not be decided: %w", err)
	}
	return &stdops.Error{Code: stdops.CodeUnavailable, Message: "the store is not available, try again", Err: err}
}
