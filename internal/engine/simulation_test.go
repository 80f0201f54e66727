package engine

import (
	"context"
	"encoding/binary"
	"errors"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/flow"
	"github.com/stdops/stdops/internal/plugin"
)

// simulation is a whole server in one thread: the real engine with its drivers, seats, slots and timers, over a store, a
// clock and calls of plugins that are simulated. Everything that could happen next waits to be picked, and one seed decides
// what is. So a history, with all that goes wrong in it, is a function of its seed. After each step the invariants of
// docs/invariants.md are held against what the step has touched.
type simulation struct {
	simPlan
	mistake simMistake
	rand    *rand.Rand
	now     time.Time
	store   *simStore
	engine  *Engine
	life    int // servers so far

	graphs []*flow.Graph
	tasks  []*simTask // that are not settled
	old    []*simTask // that are, the latest of them
	next   int        // of them to be looked at

	ready   []*ride // have letters to decide
	storing []*ride // have decided, and wait for the store
	stored  []*ride // have the store's answer
	pausing []*ride // wait, since the store has failed
	calls   []*simCall
	late    []lateLetter // results that come once more
	users   []*simUser

	stopping simStop
	full     int // steps until there is room on the disk again
	calm     bool
	steps    int
	turns    int // of drivers
	faults   [simFaults]int
	hash     uint64
	serial   int // of what needs a name
}

// ride is a driver that turns its crank.
type ride struct {
	driver  *driver
	task    *simTask
	left    []letter
	turn    *turn
	err     error
	verdict stdops.Verdict
	until   time.Time // while it pauses
}

type simCall struct {
	driver          *driver
	task            *simTask
	call            call
	stuck           bool // it never ends by itself
	cancelled       error
	released, ended bool // its slot is, its result is posted
}

type lateLetter struct {
	ref    stdops.TaskRef
	letter letter
}

type simStop uint8

const (
	simRuns    simStop = iota
	simToStop          // steps that have begun are stored first
	simStopped         // nothing new begins; calls that are out may end
	simCut             // they are cut off
)

var simBegan = time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC)

// newSimulation makes a world that has done nothing yet.
func newSimulation(seed uint64, mistake simMistake) *simulation {
	s := &simulation{rand: rand.New(rand.NewPCG(seed, 1)), now: simBegan, mistake: mistake, hash: seed}
	s.simPlan = drawPlan(s.rand)
	for range 3 {
		s.graphs = append(s.graphs, drawSimGraph(s.rand))
	}
	s.store = newSimStore(func() time.Time { return s.now })
	s.store.watch, s.store.fault = s.watch, s.fault
	s.store.stamp, s.store.forget = mistake == mistakeEndsAgain, mistake == mistakeForgets
	for i := range 3 {
		s.users = append(s.users, &simUser{name: "user" + strconv.Itoa(i)})
	}
	return s
}

// note makes what happens part of the history.
func (s *simulation) note(facts ...uint64) {
	for _, f := range facts {
		s.hash = (s.hash ^ f) * 0x9e3779b97f4a7c15
		s.hash ^= s.hash >> 29
	}
}

func (s *simulation) chance(p float64) bool { return p > 0 && s.rand.Float64() < p }

// clock is the time of the server.
func (s *simulation) clock() time.Time {
	if s.mistake == mistakeClock && s.rand.IntN(50) == 0 {
		return s.now.Add(-time.Hour)
	}
	return s.now
}

// Graph implements [Surroundings].
func (s *simulation) Graph(_ context.Context, hash string) (*flow.Graph, error) {
	i, err := strconv.Atoi(hash)
	return s.graphs[i], err
}

// Info implements [Surroundings].
func (s *simulation) Info(context.Context, *stdops.Task) (Info, error) { return testInfo, nil }

// Find implements [Plugins].
func (s *simulation) Find(code, _ string) plugin.Plugin {
	spec, ok := simSpecs[code]
	switch {
	case !ok && !s.calm: // in the end somebody installs it
		return nil
	case s.mistake == mistakeRepeats:
		spec.Execute, spec.Schedule = plugin.Repeat, plugin.Repeat
	case s.mistake == mistakeRevoke:
		spec.Inward = true
	case s.mistake == mistakePanics && s.rand.IntN(50) == 0:
		panic("a defect")
	}
	return stubPlugin{spec}
}

// Wake implements [Wakes].
func (s *simulation) Wake(w stdops.Wake) {
	if t := s.store.tasks[w.Ref.Task]; t != nil && s.mistake != mistakeSleeps {
		t.wake = w.At
	}
}

// Run implements [Wakes]; a simulation picks wake-ups itself.
func (s *simulation) Run(context.Context, func(stdops.TaskRef)) {}

// entropy gives a driver what it makes versions of.
func (s *simulation) entropy() *rand.ChaCha8 {
	var seed [32]byte
	binary.LittleEndian.PutUint64(seed[:], s.rand.Uint64())
	return rand.NewChaCha8(seed)
}

// boot starts a server on what is stored.
func (s *simulation) boot() {
	s.life++
	s.stopping = simRuns
	limits := s.limits[s.rand.IntN(len(s.limits))]
	e := New(Options{
		Commits: s.store, Tasks: s.store, Surroundings: s, Plugins: s, Wakes: s, Now: s.clock, Epoch: int64(s.life),
		Limits: &limits, Log: slog.New(slog.DiscardHandler),
	})
	e.changes = s.changes
	e.writer, e.calls, e.entropy = &writer{commits: s.store}, s, s.entropy
	e.slots = newSlots(e.sizes, e.slotFree)
	e.drive = func(d *driver) { s.ready = append(s.ready, &ride{driver: d, task: s.store.tasks[d.ref.Task]}) }
	s.engine = e
	live, err := s.store.Live(context.Background())
	for err != nil { // a process that cannot read ends, and is started again
		live, err = s.store.Live(context.Background())
	}
	for _, w := range live {
		e.Wakes.Wake(w)
	}
}

// crash ends the process: what is not stored is gone.
func (s *simulation) crash() {
	for _, r := range s.storing {
		if s.rand.IntN(2) == 0 {
			s.store.store(r.turn.delta.change)
		}
	}
	for _, t := range s.tasks {
		t.out, t.wake = 0, time.Time{}
	}
	for _, t := range s.old {
		t.out, t.wake = 0, time.Time{}
	}
	s.ready, s.storing, s.stored, s.pausing, s.calls, s.late = nil, nil, nil, nil, nil, nil
	for _, u := range s.users {
		u.lost()
	}
	s.boot()
}

// step lets one thing happen, whatever the seed wants, and looks at what it has touched.
func (s *simulation) step() {
	t, kind := s.happen()
	s.steps++
	s.note(uint64(kind), uint64(s.now.UnixMicro()))
	s.full = max(0, s.full-1)
	if t != nil {
		s.checkOwned(t)
	}
	if len(s.tasks) > 0 { // a step may touch a task by way of another: it takes its seat, or its slot
		s.next++
		t := s.tasks[s.next%len(s.tasks)]
		s.checkOwned(t)
		s.settle(t)
	}
	s.stopFurther()
}

// happen lets one thing happen. It gives the task that was touched, if it was one, and what kind of thing it was.
func (s *simulation) happen() (t *simTask, kind int) {
	for happened := false; !happened; {
		happened = true
		switch kind = s.pick(); kind {
		case pickReady:
			t = s.begin(take(s, &s.ready))
		case pickStoring:
			s.commit()
		case pickStored:
			t = s.end(take(s, &s.stored))
		case pickCall:
			t, happened = s.endCall()
		case pickClock:
			s.tick()
		case pickUser:
			happened = s.act(s.users[s.rand.IntN(len(s.users))])
		case pickLate:
			l := take(s, &s.late)
			_ = s.engine.post(l.ref, l.letter)
		case pickFault:
			happened = s.goWrong()
		}
	}
	return t, kind
}

// take takes one element out of a list.
func take[T any](s *simulation, list *[]T) T {
	i := s.rand.IntN(len(*list))
	x := (*list)[i]
	*list = slices.Delete(*list, i, i+1)
	return x
}

// pick draws what happens next among what can.
func (s *simulation) pick() int {
	can := [simPicks]bool{
		pickReady: len(s.ready) > 0 && s.stopping != simToStop, pickStoring: len(s.storing) > 0, pickStored: len(s.stored) > 0,
		pickCall: len(s.calls) > 0, pickUser: true, pickClock: true, pickLate: len(s.late) > 0 && !s.calm, pickFault: !s.calm,
	}
	if s.calm { // what can end ends in time
		can[pickClock] = !can[pickReady] && !can[pickStoring] && !can[pickStored] && !can[pickCall]
	}
	total := 0
	for kind, yes := range can {
		if yes {
			total += s.weight[kind]
		}
	}
	r := s.rand.IntN(total)
	for kind, yes := range can {
		if !yes {
			continue
		}
		if r -= s.weight[kind]; r < 0 {
			return kind
		}
	}
	panic("nothing can happen")
}

// begin lets a driver decide what it has.
func (s *simulation) begin(r *ride) *simTask {
	letters := r.driver.take(r.left)
	if letters == nil {
		return r.task
	}
	s.turns++
	r.turn, r.err = r.driver.begin(context.Background(), letters)
	r.verdict = stdops.Committed
	switch {
	case errors.Is(r.err, errDefect):
		s.broken(everyStepDecided, "task %d: %v", r.task.task.ID, r.err)
	case r.err != nil || !r.turn.stores():
		return s.end(r)
	}
	s.spoil(r.turn)
	s.storing = append(s.storing, r)
	return nil
}

// commit stores what some drivers have decided, in one transaction.
func (s *simulation) commit() {
	n := 1 + s.rand.IntN(len(s.storing))
	var batch []pending
	var rides []*ride
	var answers []chan outcome
	for range n {
		r := take(s, &s.storing)
		answer := make(chan outcome, 1)
		rides, answers = append(rides, r), append(answers, answer)
		batch = append(batch, pending{context.Background(), &r.turn.delta.change, answer})
	}
	s.engine.writer.store(batch)
	for i, r := range rides {
		out := <-answers[i]
		r.verdict, r.err = out.verdict, out.err
		s.stored = append(s.stored, r)
	}
}

// end lets a driver carry out what it has decided, or take it back.
func (s *simulation) end(r *ride) *simTask {
	dl, wasStored := r.turn.delta, r.err == nil && r.verdict == stdops.Committed
	var pause time.Duration
	r.left, pause = r.driver.end(r.turn, r.verdict, r.err)
	if wasStored {
		if s.mistake == mistakeMemory && len(dl.change.Nodes) > 0 && s.rand.IntN(100) == 0 {
			r.driver.st.nodes[dl.change.Nodes[0].Node].Loop++
		}
		s.checkMemory(r.driver, r.task, dl)
	}
	r.turn = nil
	if pause > 0 {
		r.until = s.now.Add(pause)
		s.pausing = append(s.pausing, r)
		return r.task
	}
	s.ready = append(s.ready, r)
	return r.task
}

// settle sets aside a task in which nothing happens any more.
func (s *simulation) settle(t *simTask) {
	i := slices.Index(s.tasks, t)
	if i < 0 || t.out > 0 || !t.task.Root.State.Ended() || t.task.Root.Live {
		return
	}
	s.audit(t)
	s.tasks = slices.Delete(s.tasks, i, i+1)
	s.old = append(s.old, t)
	if len(s.old) > 4 {
		s.old = s.old[1:]
	}
}

// fire wakes a task, as the queue does.
func (s *simulation) fire(t *simTask) {
	t.wake = time.Time{}
	if s.mistake == mistakePutsOff {
		t.wake = s.now.Add(time.Second)
		return
	}
	s.engine.wake(t.ref())
}

// tick wakes a task whose time has come, or lets time pass.
func (s *simulation) tick() {
	var next time.Time
	for _, tasks := range [][]*simTask{s.tasks, s.old} {
		for _, t := range tasks {
			if t.wake.IsZero() {
				continue
			}
			if !t.wake.After(s.now) {
				s.fire(t)
				return
			}
			next = earliest(next, t.wake)
		}
	}
	for i, r := range s.pausing {
		if !r.until.After(s.now) {
			s.pausing = slices.Delete(s.pausing, i, i+1)
			s.ready = append(s.ready, r)
			return
		}
		next = earliest(next, r.until)
	}
	if next.IsZero() || s.rand.IntN(4) == 0 {
		next = s.now.Add(time.Duration(s.rand.IntN(3000)) * time.Millisecond)
	}
	s.now = next.Truncate(time.Microsecond)
}
