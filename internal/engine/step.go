package engine

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/flow"
	"github.com/stdops/stdops/internal/plugin"
)

// step is one turn of the crank in the making: what was touched so far, laid over a state that stays as it is. It costs
// as much as it touches, however large the task.
type step struct {
	*state
	now     time.Time
	entropy io.Reader
	plugins Plugins
	limits  *stdops.Limits
	hold    bool
	changes int
	slots   room
	spare   [plugin.Classes]int // slots taken that no call has used

	inputs    *stdops.Object // as this step leaves them; those of the state are never changed
	nodes     map[stdops.NodeIndex]*stdops.NodeState
	data      map[stdops.NodeIndex]stepData
	vars      map[varKey]variable // one without a text is taken away
	forks     map[stdops.Token]stdops.Fork
	callbacks []callback
	tells     []toldBy
	lines     [lanes]stepLine
	lastToken stdops.Token
	lastOrder int32
	varBytes  int
	lastSeq   int64
	out       int    // calls that are out, were this step committed
	reason    string // of the command that is carried out

	moves  []move
	left   bool // more threads are to move on than one step takes
	change stdops.Change
	calls  []call
	cancel []stdops.NodeIndex // whose calls nobody waits for any more
	stop   []stdops.NodeIndex // whose calls are to end, since the task was revoked; how they end still counts
	err    error              // a defect: the step must not be committed
}

// stepData is the data of a node as a step leaves it; save says that it belongs to the change, not only to memory.
type stepData struct {
	nodeData
	save bool
}

// assign sets an entry of a map that may not be there yet.
func assign[K comparable, V any](m *map[K]V, key K, value V) {
	if *m == nil {
		*m = make(map[K]V)
	}
	(*m)[key] = value
}

// move is a thread of execution that is about to enter a node.
type move struct {
	token stdops.Token
	node  stdops.NodeIndex
}

// call is a call that begins once the step is committed.
type call struct {
	node      stdops.NodeIndex
	version   stdops.Version
	number    int32
	code      string
	plugin    string // version of the plugin
	inputs    *stdops.Object
	outputs   *stdops.Object
	system    *stdops.Object
	variables *stdops.Object // nil unless the plugin asks for them
	loop      int64
	inner     int64
	retry     int32
	callback  any
	called    bool // callback holds data
	class     plugin.Class
	zone      *time.Location
	entered   time.Time      // when its node was
	hide      stdops.Secrets // from the log
}

func (c *call) id() callID { return callID{c.node, c.version, c.number} }

func newStep(st *state, env env) *step {
	if env.limits == nil {
		limits := stdops.DefaultLimits()
		env.limits = &limits
	}
	return &step{
		state: st, limits: env.limits, now: env.now, entropy: env.entropy, plugins: env.plugins, hold: env.hold, slots: env.slots,
		changes: cmp.Or(env.changes, maxChanges), inputs: st.inputs,
		nodes:     make(map[stdops.NodeIndex]*stdops.NodeState, 4), // of the other maps most steps need few
		callbacks: st.callbacks, tells: st.tells, lastToken: st.lastToken, lastOrder: st.lastOrder, varBytes: st.varBytes, lastSeq: st.lastSeq,
		out: st.calls,
		change: stdops.Change{
			Task: st.task.ID, Project: st.task.Project, Revision: st.root.Revision, Epoch: env.epoch, Root: st.root,
		},
	}
}

// root gives the root's state as this step leaves it.
func (s *step) root() *stdops.RootState { return &s.change.Root }

func (s *step) graphNode(n stdops.NodeIndex) *flow.Node { return &s.graph.Nodes[n] }

func (s *step) id(n stdops.NodeIndex) string { return stdops.NodeID(s.task.ID, n) }

// node gives the state of a node, nil when it was never reached. The caller must not change it.
func (s *step) node(n stdops.NodeIndex) *stdops.NodeState {
	if own := s.nodes[n]; own != nil {
		return own
	}
	return s.state.nodes[n]
}

// touch gives a copy of the state of a node that belongs to this step; a node that was never reached gets a blank one.
func (s *step) touch(n stdops.NodeIndex) *stdops.NodeState {
	if own := s.nodes[n]; own != nil {
		return own
	}
	own := &stdops.NodeState{Node: n}
	if old := s.state.nodes[n]; old != nil {
		*own = *old
	}
	s.nodes[n] = own
	return own
}

// transit changes the state of a node by one of the named constructors, which do notes what the change means.
func (s *step) transit(n stdops.NodeIndex, to stdops.State, actor string, do func(*stdops.NodeState)) error {
	own := s.touch(n)
	if !mayBecome(own.State, to) {
		return illegal(s.id(n), own.State, to)
	}
	from, wasOut := own.State, callOut(own)
	do(own)
	if own.State != to {
		return fmt.Errorf("a transition to %s made the node %s", to, own.State)
	}
	if wasOut {
		s.out--
	}
	if from == stdops.StateRunning && to != stdops.StateSuspended {
		s.dropCallbacks(n)
	}
	s.note(n, from, to, actor)
	return nil
}

// must is transit for changes that cannot be illegal.
func (s *step) must(n stdops.NodeIndex, to stdops.State, do func(*stdops.NodeState)) {
	if err := s.transit(n, to, "", do); err != nil && s.err == nil {
		s.err = err
	}
}

// transitRoot changes the state of the task as a whole.
func (s *step) transitRoot(to stdops.State, actor string) error {
	from := s.root().State
	if !mayBecome(from, to) {
		return illegal(s.id(stdops.RootNode), from, to)
	}
	s.root().State = to
	if to.Ended() {
		s.root().Finished = latest(s.root().Started, s.now)
	}
	s.note(stdops.RootNode, from, to, actor)
	return nil
}

func (s *step) note(n stdops.NodeIndex, from, to stdops.State, actor string) {
	s.change.Transitions = append(s.change.Transitions, stdops.Transition{
		Node: n, From: from, To: to, Actor: actor, Reason: s.reason, Time: s.now,
	})
}

// setPhase says what a running node is doing.
func (s *step) setPhase(n stdops.NodeIndex, phase stdops.Phase) *stdops.NodeState {
	own := s.touch(n)
	if callOut(own) {
		s.out--
	}
	own.Phase = phase
	if callOut(own) {
		s.out++
	}
	return own
}

// reached gives a node its place in the order of first execution.
func (s *step) reached(own *stdops.NodeState) {
	if own.Order == 0 {
		s.lastOrder++
		own.Order = s.lastOrder
	}
}

func (s *step) version() stdops.Version {
	var b [16]byte
	if _, err := io.ReadFull(s.entropy, b[:]); err != nil && s.err == nil {
		s.err = fmt.Errorf("no entropy for a version: %w", err)
	}
	return stdops.Version("v" + hex.EncodeToString(b[:]))
}

func (s *step) getData(n stdops.NodeIndex) nodeData {
	if d, ok := s.data[n]; ok {
		return d.nodeData
	}
	return s.state.data[n]
}

// setData keeps the data of a node in memory; save says that it is to be stored too.
func (s *step) setData(n stdops.NodeIndex, d nodeData, save bool) {
	assign(&s.data, n, stepData{d, save || s.data[n].save})
}

func (s *step) fork(token stdops.Token) stdops.Fork {
	if f, ok := s.forks[token]; ok {
		return f
	}
	if f, ok := s.state.forks[token]; ok {
		return f
	}
	return stdops.Fork{Token: token}
}

func (s *step) setFork(f stdops.Fork) {
	if f.Parent == 0 { // the first token needs no row while it simply rests on a node
		f.Dead = f.Need == 0 && !f.Stopped && !f.Moving
	}
	assign(&s.forks, f.Token, f)
}

// eachFork calls do for every fork there is, in the order of their tokens.
func (s *step) eachFork(do func(stdops.Fork)) {
	var tokens []stdops.Token
	for token := range s.state.forks {
		tokens = append(tokens, token)
	}
	for token := range s.forks {
		if _, old := s.state.forks[token]; !old {
			tokens = append(tokens, token)
		}
	}
	slices.Sort(tokens)
	for _, token := range tokens {
		if f := s.fork(token); !f.Dead {
			do(f)
		}
	}
}

// archive keeps the attempt that a node has just had. One that ended before this step is copied by the store from its
// own rows, because memory has not got its data any more; one that began or ended within it is not stored like that and
// is handed over whole.
func (s *step) archive(n stdops.NodeIndex) {
	own, touched := s.nodes[n]
	if old := s.state.nodes[n]; !touched || old != nil && old.State == own.State && old.Version == own.Version {
		s.change.Archive = append(s.change.Archive, n)
		return
	}
	s.change.Attempts = append(s.change.Attempts, stdops.Attempt{State: *own, Data: s.encodeData(n), Archived: s.now})
}

func (s *step) encodeData(n stdops.NodeIndex) stdops.NodeData {
	d := s.getData(n)
	return stdops.NodeData{Node: n, Inputs: s.encode(d.inputs), Outputs: s.encode(d.outputs), Template: s.encode(d.template)}
}

func (s *step) encode(o *stdops.Object) []byte {
	if o == nil {
		return nil
	}
	text, err := stdops.EncodeValue(o)
	if err != nil && s.err == nil {
		s.err = err
	}
	return text
}

// errVariables refuses a value with which the variables of the task would have too many bytes together, stored as JSON.
func (s *step) errVariables() error {
	return fmt.Errorf("variables limit: those of one task may not have more than %d bytes together", s.limits.Variables)
}

// setVariable gives a variable of a pipeline its value.
func (s *step) setVariable(scope stdops.NodeIndex, key string, value any) error {
	text, err := stdops.EncodeValue(value)
	if err != nil {
		return err
	}
	k := varKey{scope, key}
	old, own := s.vars[k]
	if !own {
		old = s.state.vars[k]
	}
	if int64(s.varBytes+len(text)-len(old.text)) > s.limits.Variables {
		return s.errVariables()
	}
	s.varBytes += len(text) - len(old.text)
	assign(&s.vars, k, variable{value, text})
	return nil
}

// dropVariable takes the value of a variable away, so that the pipeline's own counts again.
func (s *step) dropVariable(scope stdops.NodeIndex, key string) {
	k := varKey{scope, key}
	old, own := s.vars[k]
	if !own {
		old = s.state.vars[k]
	}
	if old.text == nil {
		return
	}
	s.varBytes -= len(old.text)
	assign(&s.vars, k, variable{})
}

// dropCallbacks forgets callbacks of a node that nobody will decide any more.
func (s *step) dropCallbacks(n stdops.NodeIndex) {
	keep := slices.DeleteFunc(slices.Clone(s.callbacks), func(c callback) bool {
		if c.Node != n {
			return false
		}
		s.change.Consumed = append(s.change.Consumed, c.Seq)
		return true
	})
	s.callbacks = keep
}

// delta is the outcome of decide.
type delta struct {
	change stdops.Change
	step   *step
	calls  []call
	cancel []stdops.NodeIndex
	stop   []stdops.NodeIndex
	wants  [plugin.Classes]int // calls that wait for a slot
	spare  [plugin.Classes]int // slots that were taken and not needed
	more   bool                // a run of nodes goes on in the next step
}

// empty reports that there is nothing to commit.
func (d *delta) empty() bool {
	c, root := &d.change, d.step.state.root
	root.WakeAt = c.Root.WakeAt // alone it is not worth a commit: a task that is woken too early does no harm
	return len(d.step.nodes) == 0 && len(c.Transitions) == 0 && len(c.Keys) == 0 && len(c.Callbacks) == 0 && len(c.Consumed) == 0 &&
		len(d.step.forks) == 0 && len(d.step.vars) == 0 && c.Inputs == nil && c.Root == root
}

// finish writes down what the step touched.
func (s *step) finish(nextDue time.Time) (*delta, error) {
	s.tell()
	d := &delta{step: s, calls: s.calls, cancel: s.cancel, stop: s.stop, wants: s.wants(), spare: s.spare, more: len(s.moves) > 0 || s.left}
	for _, m := range s.moves {
		f := s.fork(m.token)
		f.Moving, f.Next = true, m.node
		s.setFork(f)
	}
	s.moves = nil
	s.change.Nodes = make([]stdops.NodeState, 0, len(s.nodes))
	for _, n := range s.nodes {
		s.change.Nodes = append(s.change.Nodes, *n)
	}
	slices.SortFunc(s.change.Nodes, func(a, b stdops.NodeState) int { return int(a.Node - b.Node) })
	for n, d := range s.data {
		if d.save {
			s.change.Data = append(s.change.Data, s.encodeData(n))
		}
	}
	for k, v := range s.vars {
		s.change.Variables = append(s.change.Variables, stdops.Variable{Scope: k.scope, Key: k.key, Value: v.text})
	}
	for _, f := range s.forks {
		if _, stored := s.state.forks[f.Token]; stored || !f.Dead {
			s.change.Forks = append(s.change.Forks, f)
		}
	}
	s.setWake(nextDue, d.more)
	d.change = s.change
	return d, s.err
}

// setWake notes when the task wants to be looked at again, were this process to end now.
func (s *step) setWake(next time.Time, more bool) {
	root, appointed := s.root(), s.state.appointed
	for i, n := range s.nodes {
		next = earliest(next, earliest(n.Due, n.Deadline))
		appointed += count(hasTime(n))
		if old := s.state.nodes[i]; old != nil {
			appointed -= count(hasTime(old))
		}
	}
	// What waits is held back until the next process goes on. Polls that look at the clock outlive their task.
	pending := s.anyWaiting() || len(s.callbacks) > 0 && !root.State.Ended()
	if s.out > 0 || more || pending {
		next = s.now
	}
	root.WakeAt = next
	root.Live = root.State != stdops.StateCreated && (!root.State.Ended() || s.out > 0 || more || appointed > 0)
	if !root.Live {
		root.WakeAt = time.Time{}
	}
}
