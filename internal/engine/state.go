package engine

import (
	"fmt"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/flow"
)

// state is all that decide knows of a task. decide never writes to it; apply does, after the commit.
type state struct {
	task   stdops.Task // Root is kept apart
	root   stdops.RootState
	graph  *flow.Graph
	info   Info
	system *stdops.Object // attributes of ${_system}, as of the last step; nil before the first
	inputs *stdops.Object // values of the task's constants

	nodes     []*stdops.NodeState // by index; nil for a node that was never reached
	data      map[stdops.NodeIndex]nodeData
	vars      map[varKey]variable
	forks     map[stdops.Token]stdops.Fork
	callbacks []callback
	tells     []toldBy                  // in the order in which they were told
	lines     [lanes][]stdops.NodeIndex // nodes whose call waits for room, oldest first

	calls     int // executes and schedules that are out
	appointed int // nodes with a due time or a time limit
	stuck     int // failed nodes that wait for a person
	lastToken stdops.Token
	lastOrder int32
	varBytes  int // of the stored forms of all variables
	lastSeq   int64
}

// nodeData is what a node was given and gave; objects in it are never changed in place.
type nodeData struct {
	inputs, outputs *stdops.Object
	template        *stdops.Object // inputs given with a retry
}

type varKey struct {
	scope stdops.NodeIndex
	key   string
}

// variable is a value that an output or a parameter gave, with its stored form.
type variable struct {
	value any
	text  []byte
}

type callback struct {
	stdops.Callback
	data any
}

// mainToken is the thread of execution that a task begins with.
const mainToken stdops.Token = 1

// newState makes the state of a task that has done nothing yet.
func newState(task stdops.Task, graph *flow.Graph, info Info, inputs *stdops.Object) *state {
	return &state{
		task: task, root: task.Root, graph: graph, info: info, inputs: inputs,
		nodes: make([]*stdops.NodeState, len(graph.Nodes)), data: make(map[stdops.NodeIndex]nodeData),
		vars: make(map[varKey]variable), forks: make(map[stdops.Token]stdops.Fork), lastToken: mainToken,
	}
}

// restore makes the state of a task from what is stored.
func restore(snap *stdops.Snapshot, graph *flow.Graph, info Info) (*state, error) {
	inputs, err := decodeObject(snap.Inputs)
	if err != nil {
		return nil, fmt.Errorf("inputs of task %d: %w", snap.Task.ID, err)
	}
	st := newState(snap.Task, graph, info, inputs)
	for i := range snap.Nodes {
		n := snap.Nodes[i]
		if int(n.Node) >= len(st.nodes) || n.Node < 0 {
			return nil, fmt.Errorf("task %d has a state for node %d of a tree of %d nodes", snap.Task.ID, n.Node, len(st.nodes))
		}
		st.put(&n)
		st.lastToken = max(st.lastToken, n.Token)
	}
	for _, d := range snap.Data {
		if st.data[d.Node], err = decodeData(d); err != nil {
			return nil, fmt.Errorf("data of node %d of task %d: %w", d.Node, snap.Task.ID, err)
		}
	}
	for _, v := range snap.Variables {
		value, err := stdops.DecodeValue(v.Value)
		if err != nil {
			return nil, fmt.Errorf("variable %s of task %d: %w", v.Key, snap.Task.ID, err)
		}
		st.vars[varKey{v.Scope, v.Key}] = variable{value, v.Value}
		st.varBytes += len(v.Value)
	}
	for _, f := range snap.Forks {
		for _, n := range []stdops.NodeIndex{f.Next, f.SuspendedBy} {
			if int(n) >= len(st.nodes) || n < 0 {
				return nil, fmt.Errorf("thread %d of task %d is at node %d of a tree of %d nodes", f.Token, snap.Task.ID, n, len(st.nodes))
			}
		}
		st.forks[f.Token] = f
		st.lastToken = max(st.lastToken, f.Token)
	}
	for _, c := range snap.Callbacks {
		if c.Seq < 0 {
			if err := st.restoreTold(&c); err != nil {
				return nil, err
			}
			continue
		}
		data, err := stdops.DecodeValue(c.Data)
		if err != nil {
			return nil, fmt.Errorf("callback %d of task %d: %w", c.Seq, snap.Task.ID, err)
		}
		st.callbacks = append(st.callbacks, callback{c, data})
		st.lastSeq = max(st.lastSeq, c.Seq)
	}
	return st, nil
}

// restoreTold takes up what a child has told.
func (st *state) restoreTold(c *stdops.Callback) error {
	if int(c.Node) >= len(st.nodes) || c.Node < 0 {
		return fmt.Errorf("task %d was told about node %d of a tree of %d nodes", st.task.ID, c.Node, len(st.nodes))
	}
	m, err := decodeMessage(c.Data)
	if err != nil {
		return fmt.Errorf("what task %d was told (%d): %w", st.task.ID, c.Seq, err)
	}
	st.tells = append(st.tells, toldBy{c.Seq, c.Node, c.Version, m})
	return nil
}

// put stores the state of a node and keeps the counts.
func (st *state) put(n *stdops.NodeState) {
	if old := st.nodes[n.Node]; old != nil {
		st.calls -= count(callOut(old))
		st.appointed -= count(hasTime(old))
		st.stuck -= count(stuck(old))
	}
	st.calls += count(callOut(n))
	st.appointed += count(hasTime(n))
	st.stuck += count(stuck(n))
	st.nodes[n.Node] = n
	st.lastOrder = max(st.lastOrder, n.Order)
}

func callOut(n *stdops.NodeState) bool {
	return n.Phase == stdops.PhaseExecuting || n.Phase == stdops.PhaseScheduling
}

// hasTime reports whether something is to happen to the node by the clock.
func hasTime(n *stdops.NodeState) bool { return !n.Due.IsZero() || !n.Deadline.IsZero() }

func count(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// keep takes over what a step decided but does not store: it follows from what is stored. It is called for every step,
// also for one that has nothing to commit.
func (st *state) keep(d *delta) {
	st.root.WakeAt = d.change.Root.WakeAt
	for i := range st.lines {
		line := &d.step.lines[i]
		st.lines[i] = append(st.lines[i][line.taken:], line.added...)
	}
}

// apply makes a committed delta part of the state.
func (st *state) apply(d *delta) {
	s := d.step
	st.system = s.system()
	st.root = d.change.Root
	st.root.Revision = d.change.Revision + 1
	if d.change.Executor != "" {
		st.task.Executor = d.change.Executor
	}
	for i, n := range s.nodes {
		st.put(n)
		if data, ok := s.data[i]; ok {
			st.data[i] = data.nodeData
		}
		if n.State == stdops.StateFinished && st.data[i].template == nil {
			delete(st.data, i)
		}
	}
	st.inputs = s.inputs
	for k, v := range s.vars {
		if v.text == nil {
			delete(st.vars, k)
		} else {
			st.vars[k] = v
		}
	}
	for token, f := range s.forks {
		if f.Dead {
			delete(st.forks, token)
		} else {
			st.forks[token] = f
		}
	}
	st.callbacks, st.tells = s.callbacks, s.tells
	st.varBytes = s.varBytes
	st.lastToken, st.lastSeq = s.lastToken, s.lastSeq
}

func decodeObject(text []byte) (*stdops.Object, error) {
	if len(text) == 0 {
		return &stdops.Object{}, nil
	}
	o := &stdops.Object{}
	return o, o.UnmarshalJSON(text)
}

func decodeData(d stdops.NodeData) (data nodeData, err error) {
	if data.inputs, err = decodeObject(d.Inputs); err != nil {
		return data, err
	}
	if data.outputs, err = decodeObject(d.Outputs); err != nil {
		return data, err
	}
	if len(d.Template) > 0 {
		data.template, err = decodeObject(d.Template)
	}
	return data, err
}

// earliest gives the earlier of two times; the zero time means never.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
