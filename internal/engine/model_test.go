package engine

import (
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/plugin"
)

// part is a piece of a flow as a person reads it. The model knows no graph: no flows, no converge gateways to look for.
type part struct {
	kind     partKind
	node     stdops.NodeIndex // the activity, gateway or subprocess
	join     stdops.NodeIndex // where branches meet; the gateway that leads back of a loop
	start    stdops.NodeIndex // events of a subprocess
	end      stdops.NodeIndex
	branches [][]part // of a gateway; one for the inside of a subprocess or a loop
	open     []bool   // which conditions hold
	times    int      // a loop goes back while its first node was entered less often
	inner    bool     // counting within the subprocess around it
	policy   policy
}

type partKind uint8

const (
	partActivity partKind = iota
	partAll
	partSome
	partOne
	partSubprocess
	partLoop
)

// policy is how the failures of an activity are treated, and what it is given.
type policy struct {
	once                  bool // a call that was out at a crash fails it
	many                  bool // it takes any number of callbacks
	ignore, skip, retry   bool
	autoTimes             int
	autoAfter, limitAfter time.Duration
	limitSkips            bool
}

// model runs a flow as docs/spec/engine.md tells it: every thread of execution is a coroutine that walks through the
// parts and waits where it has to. It shares no code with the engine.
type model struct {
	now     time.Time
	root    stdops.State
	nodes   map[stdops.NodeIndex]*modelNode
	vars    map[stdops.NodeIndex]map[string]any // by pipeline
	threads []*modelThread
}

// modelNode is a node that was reached, or for which a pause was appointed.
type modelNode struct {
	state         stdops.State
	loop, inner   int
	retry, autos  int
	skip, ignored bool
	attempts      int // that are kept
	version       int
	around        []stdops.NodeIndex
	policy        *policy // of an activity

	wants     bool // a call is to begin at the end of the step
	out       bool // a call is out
	call      int
	asked     any // what the call was given as input
	replaced  any // input given with a retry
	result    any // of the calls of this attempt so far
	called    bool
	callbacks []int
	waits     bool // for due, or for a callback
	due       time.Time
	deadline  time.Time
	counter   string // variable that its loop counter feeds
	byInner   bool
	back      bool // the gateway of a loop was skipped along the flow that leads back
}

// modelThread is a thread of execution; it waits until ready.
type modelThread struct {
	model  *model
	ready  func() bool
	yield  func(struct{}) bool
	resume func() (struct{}, bool)
	stop   func()
	done   bool
}

// errTaskEnded unwinds a thread whose task has ended.
type errTaskEnded struct{}

func newModel(now time.Time) *model {
	return &model{
		now: now, root: stdops.StateCreated, nodes: make(map[stdops.NodeIndex]*modelNode),
		vars: make(map[stdops.NodeIndex]map[string]any),
	}
}

// spawn begins a thread.
func (m *model) spawn(walk func(*modelThread)) *modelThread {
	th := &modelThread{model: m, ready: func() bool { return true }}
	var body iter.Seq[struct{}] = func(yield func(struct{}) bool) {
		defer func() {
			th.done = true
			if r := recover(); r != nil {
				if _, ended := r.(errTaskEnded); !ended {
					panic(r)
				}
			}
		}()
		th.yield = yield
		walk(th)
	}
	th.resume, th.stop = iter.Pull(body)
	m.threads = append(m.threads, th)
	return th
}

// wait lets the thread rest until ready says that it can go on, and ends it with its task.
func (th *modelThread) wait(ready func() bool) {
	for !ready() {
		th.ready = ready
		if !th.yield(struct{}{}) {
			panic(errTaskEnded{})
		}
	}
	if th.model.root.Ended() {
		panic(errTaskEnded{})
	}
}

// settle lets every thread go as far as it can.
func (m *model) settle() {
	for moved := true; moved; {
		moved = false
		for _, th := range m.threads {
			for !th.done && th.ready() {
				moved = true
				th.resume()
			}
		}
		m.threads = slices.DeleteFunc(m.threads, func(th *modelThread) bool { return th.done })
	}
}

// close ends what still waits.
func (m *model) close() {
	for _, th := range m.threads {
		th.stop()
	}
}

// at gives a node, made when it is reached for the first time.
func (m *model) at(n stdops.NodeIndex, around []stdops.NodeIndex) *modelNode {
	own := m.nodes[n]
	if own == nil {
		own = &modelNode{}
		m.nodes[n] = own
	}
	own.around = around
	return own
}

// paused reports whether the task, something around a node or the node itself is paused (2.2, 5 and 6b).
func (m *model) paused(own *modelNode) bool {
	for _, s := range own.around {
		if m.nodes[s].state == stdops.StateSuspended {
			return true
		}
	}
	return m.root == stdops.StateSuspended || own.state == stdops.StateSuspended
}

// enter lets a thread enter a node (2.2).
func (th *modelThread) enter(n stdops.NodeIndex, around []stdops.NodeIndex) *modelNode {
	m := th.model
	own := m.at(n, around)
	th.wait(func() bool { return m.root.Ended() || !m.paused(own) })
	if own.state == stdops.StateFinished {
		own.attempts++
		own.loop++
		own.inner++
		own.version++
		own.retry, own.skip, own.ignored = 0, false, false
	}
	own.loop, own.inner = max(own.loop, 1), max(own.inner, 1)
	own.state = stdops.StateRunning
	return own
}

func (th *modelThread) pass(n stdops.NodeIndex, around []stdops.NodeIndex) {
	th.enter(n, around).state = stdops.StateFinished
}

// sequence walks through parts, one after the other.
func (th *modelThread) sequence(parts []part, around []stdops.NodeIndex) {
	for i := range parts {
		th.part(&parts[i], around)
	}
}

func (th *modelThread) part(p *part, around []stdops.NodeIndex) {
	switch p.kind {
	case partActivity:
		th.activity(p, around)
	case partAll, partSome:
		th.pass(p.node, around)
		th.branch(p, around)
		th.pass(p.join, around)
	case partOne:
		th.pass(p.node, around)
		th.sequence(p.branches[slices.Index(p.open, true)], around)
		th.pass(p.join, around)
	case partSubprocess:
		th.subprocess(p, around)
	case partLoop:
		for again := true; again; {
			th.sequence(p.branches[0], around)
			again = th.goesBack(p, around)
		}
	}
}

// branch runs the open branches of a gateway at the same time, and waits for all of them (2.7).
func (th *modelThread) branch(p *part, around []stdops.NodeIndex) {
	var all []*modelThread
	for i, branch := range p.branches {
		if p.kind == partAll || p.open[i] {
			all = append(all, th.model.spawn(func(b *modelThread) { b.sequence(branch, around) }))
		}
	}
	th.wait(func() bool { return !slices.ContainsFunc(all, func(b *modelThread) bool { return !b.done }) })
}

// scope gives the variables that nodes inside of these subprocesses see.
func (m *model) scope(around []stdops.NodeIndex) map[string]any {
	pipeline := stdops.RootNode
	if len(around) > 0 {
		pipeline = around[len(around)-1]
	}
	if m.vars[pipeline] == nil {
		m.vars[pipeline] = make(map[string]any)
	}
	return m.vars[pipeline]
}

// render gives the value of ${name}; what has no value stays as it is (6.3).
func render(vars map[string]any, name string) any {
	if v, ok := vars[name]; ok {
		return v
	}
	return "${" + name + "}"
}

// subprocess runs a pipeline with variables of its own (2.6, 2.9).
func (th *modelThread) subprocess(p *part, around []stdops.NodeIndex) {
	m := th.model
	own := th.enter(p.node, around)
	inside := append(slices.Clone(around), p.node)
	for _, n := range m.nodes {
		if slices.Equal(n.around, inside) {
			n.inner = 0
		}
	}
	m.scope(inside)["given"] = render(m.scope(around), "shared")
	th.pass(p.start, inside)
	th.sequence(p.branches[0], inside)
	th.pass(p.end, inside)
	own.state = stdops.StateFinished
	m.scope(around)[givenBy(p)] = render(m.scope(inside), "shared")
}

// goesBack lets the gateway of a loop decide whether it runs again. Its counter is a variable that the first node feeds when
// an attempt ends; one without a value stays text, which cannot be ordered with a number (2.8): the gateway fails, to be
// retried, or skipped along one of its flows.
func (th *modelThread) goesBack(p *part, around []stdops.NodeIndex) bool {
	for {
		own := th.enter(p.join, around)
		if n, ok := th.model.scope(around)[counterOf(p)].(int); ok {
			own.state = stdops.StateFinished
			return n < p.times
		}
		own.state = stdops.StateFailed
		th.wait(func() bool { return own.state == stdops.StateFinished || own.state == stdops.StateReady })
		if own.state == stdops.StateFinished {
			return own.back
		}
	}
}

// givenBy names the variable that a subprocess feeds. Nothing reads it: which of two branches comes first within a step is
// not told anywhere.
func givenBy(p *part) string { return fmt.Sprintf("from%d", p.node) }

func counterOf(p *part) string { return fmt.Sprintf("loop%d", p.join) }

// activity runs attempts until one is finished or skipped (2.5).
func (th *modelThread) activity(p *part, around []stdops.NodeIndex) {
	m := th.model
	for {
		own := th.enter(p.node, around)
		own.policy = &p.policy
		own.result, own.called, own.callbacks = nil, false, nil
		if p.policy.limitAfter > 0 {
			own.deadline = m.now.Add(p.policy.limitAfter)
		}
		own.wants, own.call = true, 0
		th.wait(func() bool { return own.state == stdops.StateFinished || own.state == stdops.StateReady })
		if own.state == stdops.StateFinished {
			return
		}
	}
}

// next lets a poll, or a callback, be called at the end of the step.
func (own *modelNode) next(called bool) {
	own.wants, own.called, own.waits = true, called, false
	own.due = time.Time{}
	own.call++
}

// endStep lets happen what was due when the step began, and what follows, and then sends the calls that are wanted to
// their plugins.
func (m *model) endStep(due map[*modelNode]int) {
	m.settle()
	m.tick(due)
	m.settle()
	for _, own := range m.nodes {
		if !own.wants || own.call == 0 && m.root.Ended() {
			continue
		}
		own.wants, own.out = false, true
		if own.call > 0 {
			continue
		}
		if own.asked = own.replaced; own.replaced == nil {
			own.asked = render(m.scope(own.around), "shared")
		}
	}
}

// result takes the result of a call (2.3, 2.5, 7.2); out is what the plugin has put out.
func (m *model) result(n stdops.NodeIndex, outcome plugin.Outcome, failed bool, out any) {
	own := m.nodes[n]
	own.out = false
	if own.called {
		own.callbacks = own.callbacks[1:]
	}
	own.called, own.result = false, out
	switch {
	case failed || outcome.Next == plugin.Finish:
		vars := m.scope(own.around)
		vars["shared"] = own.result
		if own.counter != "" {
			if vars[own.counter] = own.loop; own.byInner {
				vars[own.counter] = own.inner
			}
		}
		if failed && !own.policy.ignore {
			m.fail(own)
			return
		}
		own.ignored = failed
		m.rest(own, stdops.StateFinished)
	case outcome.Next == plugin.Poll && own.call == 0 && !m.root.Ended():
		own.next(false)
	case outcome.Next == plugin.Poll && !m.root.Ended():
		own.waits, own.due = true, m.now.Add(outcome.After)
	default:
		own.waits = true
		m.takeCallback(own)
	}
}

// takeCallback hands the next callback to a node that waits for one.
func (m *model) takeCallback(own *modelNode) {
	if own.waits && own.due.IsZero() && len(own.callbacks) > 0 && !m.root.Ended() {
		own.next(true)
	}
}

// rest ends an attempt.
func (m *model) rest(own *modelNode, state stdops.State) {
	own.state, own.out, own.wants, own.waits, own.called = state, false, false, false, false
	own.due, own.deadline, own.callbacks = time.Time{}, time.Time{}, nil
}

// fail makes a node FAILED and appoints its automatic retry (5.3).
func (m *model) fail(own *modelNode) {
	m.rest(own, stdops.StateFailed)
	if p := own.policy; p.retry && own.autos < p.autoTimes && !m.root.Ended() {
		own.due = m.now.Add(p.autoAfter)
	}
}
