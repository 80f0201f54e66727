package engine

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/flow"
	"github.com/stdops/stdops/internal/plugin"
)

// world is a task with everything around it in one thread: a clock that only moves when told, a record that is changed
// as the store would change it, and calls that wait to be answered. After each step it checks what must always hold.
type world struct {
	t       tester
	st      *state
	graph   *flow.Graph
	plugins *plugin.Registry
	entropy *rand.ChaCha8
	now     time.Time

	record   record
	timers   timerHeap
	calls    []call // that are out, oldest first
	answers  []error
	started  map[string]int // how often each call key began
	once     map[string]bool
	versions map[stdops.Version]string
	ended    stdops.RootState // as it was when the task ended
	crashes  int
	slots    *scarceSlots // nil: there is room for every call
	limits   *stdops.Limits
	tell     func([]stdops.Tell) // stores what a step tells the parent, in its transaction
}

// scarceSlots is a process with room for so many calls and no more.
type scarceSlots struct{ left, taken int }

func (s *scarceSlots) take(plugin.Class) bool {
	if s.left == 0 {
		return false
	}
	s.left--
	s.taken++
	return true
}

// tester is what *testing.T and *rapid.T have in common.
type tester interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// record is what the store would hold.
type record struct {
	snap     stdops.Snapshot
	attempts []stdops.Attempt
	log      []stdops.Transition
	logged   []stdops.LoggedTransition
}

func newWorld(t tester, graph *flow.Graph, inputs *stdops.Object, plugins ...plugin.Plugin) *world {
	t.Helper()
	registry, err := plugin.NewRegistry(plugins...)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC)
	task := stdops.Task{ID: 7, Project: 1, Name: "a task", Created: began, Root: stdops.RootState{State: stdops.StateCreated}}
	w := &world{
		t: t, graph: graph, plugins: registry, entropy: rand.NewChaCha8([32]byte{1}), now: began,
		started: make(map[string]int), once: make(map[string]bool), versions: make(map[stdops.Version]string),
	}
	if inputs == nil {
		inputs = &stdops.Object{}
	}
	w.st = newState(task, graph, testInfo, inputs)
	text, err := stdops.EncodeValue(inputs)
	if err != nil {
		t.Fatal(err)
	}
	w.record.snap = stdops.Snapshot{Task: task, Inputs: text}
	return w
}

var testInfo = Info{ProjectName: "default", Biz: 2, Zone: time.UTC, TaskURL: "http://example/task"}

// step decides events at the present moment and commits what follows; it gives the answer to the last event.
func (w *world) step(events ...event) error {
	w.t.Helper()
	commands := len(events)
	for _, due := range w.timers.due(w.now) {
		events = append(events, due)
	}
	for {
		env := env{now: w.now, entropy: w.entropy, plugins: w.plugins, limits: w.limits, nextDue: w.timers.next()}
		if w.slots != nil {
			w.slots.taken, env.slots = 0, w.slots
		}
		d, answers, err := decide(w.st, events, env)
		if err != nil {
			w.t.Fatalf("step cannot be decided: %v", err)
		}
		w.commit(d)
		w.checkSlots(d)
		if len(answers) > 0 {
			w.answers = answers[:min(commands, len(answers))]
		}
		if !d.more {
			break
		}
		events = []event{goOn{}}
	}
	if len(w.answers) == 0 {
		return nil
	}
	return w.answers[len(w.answers)-1]
}

func (w *world) commit(d *delta) {
	w.t.Helper()
	if !d.empty() {
		w.record.store(w.t, &d.change)
		if w.tell != nil {
			w.tell(d.change.Tells)
		}
		w.st.apply(d)
	}
	w.st.keep(d)
	for _, n := range d.cancel {
		w.calls = slices.DeleteFunc(w.calls, func(c call) bool { return c.node == n })
	}
	for _, n := range d.step.nodes {
		w.timers.add(n)
	}
	for _, c := range d.calls {
		key := fmt.Sprintf("%d.%s.%d", c.node, c.version, c.number)
		w.started[key]++
		w.once[key] = c.code == "once"
		w.checkInput(c)
		w.calls = append(w.calls, c)
	}
	w.check(&d.change)
}

// check holds the state in memory against the record and looks at what must always be true.
func (w *world) check(c *stdops.Change) {
	w.t.Helper()
	again, err := restore(&w.record.snap, w.graph, testInfo)
	if err != nil {
		w.t.Fatalf("the record cannot be read back: %v", err)
	}
	if diff := cmp.Diff(again.nodes, w.st.nodes, cmpopts.EquateEmpty()); diff != "" {
		w.t.Fatalf("node states in memory differ from the record (-record +memory):\n%s", diff)
	}
	if diff := cmp.Diff(again.forks, w.st.forks, cmpopts.EquateEmpty()); diff != "" {
		w.t.Fatalf("forks in memory differ from the record (-record +memory):\n%s", diff)
	}
	if diff := cmp.Diff(again.texts(w.t), w.st.texts(w.t)); diff != "" {
		w.t.Fatalf("variables in memory differ from the record (-record +memory):\n%s", diff)
	}
	if again.calls != w.st.calls {
		w.t.Fatalf("%d calls are out in memory, %d in the record", w.st.calls, again.calls)
	}
	if len(again.callbacks) != len(w.st.callbacks) {
		w.t.Fatalf("%d callbacks in memory, %d in the record", len(w.st.callbacks), len(again.callbacks))
	}
	root := w.st.root
	if w.ended.State.Ended() && (root.State != w.ended.State || !root.Finished.Equal(w.ended.Finished)) {
		w.t.Fatalf("an ended task changed from %v to %v", w.ended, root)
	}
	if root.State.Ended() {
		w.ended = root
	}
	for i := range c.Nodes {
		n := &c.Nodes[i]
		if !n.Finished.IsZero() && n.Finished.Before(n.Started) {
			w.t.Fatalf("node %d finished before it started", n.Node)
		}
		if wrong := wrongCalled(n); wrong != "" {
			w.t.Fatalf("node %d %s", n.Node, wrong)
		}
		if (n.Phase != stdops.PhaseNone) != (n.State == stdops.StateRunning && w.graph.Nodes[n.Node].Kind == stdops.KindActivity) {
			w.t.Fatalf("node %d is %s in phase %q", n.Node, n.State, n.Phase)
		}
		if owner := w.versions[n.Version]; n.Version != "" && owner != "" && owner != fmt.Sprint(n.Node) {
			w.t.Fatalf("version %s belongs to nodes %s and %d", n.Version, owner, n.Node)
		}
		w.versions[n.Version] = fmt.Sprint(n.Node)
		w.checkDoubt(n)
	}
	w.checkMoving()
	if wrong := Audit(w.record.whole(), w.graph, w.now); len(wrong) > 0 {
		w.t.Fatalf("the record is not as it has to be: %q", wrong)
	}
}

// whole gives the record as the store would give it.
func (r *record) whole() *stdops.Record {
	all := &stdops.Record{Snapshot: r.snap, Attempts: r.attempts, Log: r.logged}
	for _, d := range r.snap.Data {
		if d.Outputs != nil {
			all.Outputs = append(all.Outputs, d.Node)
		}
	}
	return all
}

// checkDoubt makes sure that a node fails as interrupted only when a call of it had begun.
func (w *world) checkDoubt(n *stdops.NodeState) {
	w.t.Helper()
	outputs := w.st.data[n.Node].outputs
	if n.State != stdops.StateFailed || outputs == nil || outputs.Text("ex_data") != outcomeUnknown {
		return
	}
	if w.started[fmt.Sprintf("%d.%s.%d", n.Node, n.Version, n.Call)] == 0 {
		w.t.Fatalf("node %d failed as interrupted, though its call %d never began", n.Node, n.Call)
	}
}

// checkSlots makes sure that a step uses every slot that it took, or says that it does not.
func (w *world) checkSlots(d *delta) {
	w.t.Helper()
	if w.slots == nil {
		return
	}
	spare := d.spare[plugin.Light]
	if w.slots.taken != len(d.calls)+spare {
		w.t.Fatalf("%d slots taken, %d calls begun, %d slots spare", w.slots.taken, len(d.calls), spare)
	}
	w.slots.left += spare
	if w.slots.left > 0 && d.wants[plugin.Light] > 0 {
		w.t.Fatalf("%d calls wait while %d slots are free", d.wants[plugin.Light], w.slots.left)
	}
}

// checkInput makes sure that a call is given the constant v as it is now.
func (w *world) checkInput(c call) {
	w.t.Helper()
	got, ok := c.inputs.Get("v")
	want, has := w.st.inputs.Get("v")
	if ok && has && c.number == 0 && w.graph.Nodes[c.node].Parent == stdops.RootNode && got != want {
		w.t.Fatalf("node %d is called with v = %v, the constant is %v", c.node, got, want)
	}
}

// texts gives the constants and variables of a task as they are stored, with their size. Texts, because nested values are
// compared slowly.
func (st *state) texts(t tester) map[string]string {
	t.Helper()
	inputs, err := stdops.EncodeValue(st.inputs)
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{"": string(inputs), "bytes": fmt.Sprint(st.varBytes)}
	for k, v := range st.vars {
		texts[fmt.Sprintf("%d.%s", k.scope, k.key)] = string(v.text)
	}
	return texts
}

// checkMoving makes sure that a live task is busy, due, or waits for somebody.
func (w *world) checkMoving() {
	w.t.Helper()
	root := w.st.root
	if root.State != stdops.StateRunning || len(w.calls) > 0 || !root.WakeAt.IsZero() {
		return
	}
	for _, n := range w.st.nodes {
		if n == nil {
			continue
		}
		if n.State == stdops.StateFailed || n.State == stdops.StateSuspended || n.Phase == stdops.PhaseWaiting {
			return
		}
	}
	w.t.Fatalf("the task is stuck: %+v", root)
}

// answerCall lets the i-th call that is out end.
func (w *world) answerCall(i int, outcome plugin.Outcome, failed bool) {
	w.t.Helper()
	c := w.calls[i]
	w.calls = slices.Delete(w.calls, i, i+1)
	w.step(callEnded{node: c.node, version: c.version, call: c.number, inputs: c.inputs, outputs: c.outputs, outcome: outcome, failed: failed, called: c.called})
}

// crash forgets all but the record, as the end of a process does.
func (w *world) crash() {
	w.t.Helper()
	st, err := restore(&w.record.snap, w.graph, testInfo)
	if err != nil {
		w.t.Fatal(err)
	}
	w.st, w.calls, w.timers = st, nil, nil
	for _, n := range st.nodes {
		if n != nil {
			w.timers.add(n)
		}
	}
	w.step(loaded{})
}

// reread lets the task look at its record again, while its calls stay out.
func (w *world) reread() {
	w.t.Helper()
	out := make(map[callID]bool)
	for i := range w.calls {
		out[w.calls[i].id()] = true
	}
	st, err := restore(&w.record.snap, w.graph, testInfo)
	if err != nil {
		w.t.Fatal(err)
	}
	w.st = st
	w.step(loaded{out: out})
}

// states gives the state words by name of node.
func (w *world) states() map[string]string {
	out := map[string]string{"root": w.st.root.State.String()}
	for i, n := range w.st.nodes {
		if n != nil && n.Order > 0 {
			out[w.graph.Nodes[i].Name] = n.State.String()
		}
	}
	return out
}

// store changes the record as the store would.
func (r *record) store(t tester, c *stdops.Change) {
	t.Helper()
	s := &r.snap
	if c.Revision != s.Task.Root.Revision {
		t.Fatalf("a change decided on revision %d meets revision %d", c.Revision, s.Task.Root.Revision)
	}
	for _, n := range c.Archive {
		i := slices.IndexFunc(s.Nodes, func(old stdops.NodeState) bool { return old.Node == n })
		if i < 0 {
			t.Fatalf("node %d has no attempt to keep", n)
		}
		kept := stdops.Attempt{State: s.Nodes[i]}
		if i := slices.IndexFunc(s.Data, func(d stdops.NodeData) bool { return d.Node == n }); i >= 0 {
			kept.Data = s.Data[i]
		}
		r.attempts = append(r.attempts, kept)
	}
	r.attempts = append(r.attempts, c.Attempts...)
	s.Task.Root = c.Root
	s.Task.Root.Revision = c.Revision + 1
	if c.Executor != "" {
		s.Task.Executor = c.Executor
	}
	for _, n := range c.Nodes {
		s.Nodes = upsert(s.Nodes, n, func(a stdops.NodeState) bool { return a.Node == n.Node })
	}
	for _, d := range c.Data {
		s.Data = upsert(s.Data, d, func(a stdops.NodeData) bool { return a.Node == d.Node })
	}
	if c.Inputs != nil {
		s.Inputs = c.Inputs
	}
	for _, v := range c.Variables {
		if v.Value == nil {
			s.Variables = slices.DeleteFunc(s.Variables, func(a stdops.Variable) bool { return a.Scope == v.Scope && a.Key == v.Key })
			continue
		}
		s.Variables = upsert(s.Variables, v, func(a stdops.Variable) bool { return a.Scope == v.Scope && a.Key == v.Key })
	}
	for _, f := range c.Forks {
		if f.Dead {
			s.Forks = slices.DeleteFunc(s.Forks, func(a stdops.Fork) bool { return a.Token == f.Token })
			continue
		}
		s.Forks = upsert(s.Forks, f, func(a stdops.Fork) bool { return a.Token == f.Token })
	}
	s.Callbacks = append(s.Callbacks, c.Callbacks...)
	s.Callbacks = slices.DeleteFunc(s.Callbacks, func(a stdops.Callback) bool { return slices.Contains(c.Consumed, a.Seq) })
	r.log = append(r.log, c.Transitions...)
	for i, move := range c.Transitions {
		r.logged = append(r.logged, stdops.LoggedTransition{Revision: c.Revision + 1, N: int64(i), Transition: move})
	}
}

func upsert[T any](list []T, item T, same func(T) bool) []T {
	if i := slices.IndexFunc(list, same); i >= 0 {
		list[i] = item
		return list
	}
	return append(list, item)
}
