package status

import (
	"fmt"
	"time"

	"github.com/stdops/stdops"
)

// Status is how a task, or one node of it, stands.
type Status struct {
	Node         stdops.NodeIndex
	Parent       stdops.NodeIndex // the enclosing pipeline; the root's is itself
	State        stdops.State     // derived: what callers see
	Name         string
	Version      stdops.Version
	Loop         int32
	Retry        int32
	Skip         bool
	ErrorIgnored bool
	Elapsed      int64     // whole seconds
	Grows        bool      // Elapsed counts to the moment of the question: all else is the same at any moment
	Started      time.Time // zero before the first attempt began
	Called       time.Time // when its first call began; zero before, and where that is not known
	Finished     time.Time // zero while unfinished
	Children     []Status  // in the order of first execution; nil unless asked for
}

// Root gives the status of a task from its own row alone: what is known of a task that was not started, or whose node
// states cannot be read.
func Root(task *stdops.Task, now time.Time) Status {
	r := &task.Root
	return Status{
		State: r.State, Name: task.Name, Version: r.Version, Loop: 1,
		Elapsed: elapsed(r.Started, r.Finished, now.Truncate(time.Second)), Grows: grows(r.Started, r.Finished),
		Started: r.Started, Finished: r.Finished,
	}
}

// Unreached gives the status of a node that has not run (docs/spec/api.md 1.11): complete, but nothing happened.
func Unreached(node, parent stdops.NodeIndex, name string) Status {
	return Status{Node: node, Parent: parent, State: stdops.StateCreated, Name: name, Loop: 1}
}

// Project gives the status of a task. The nodes come in the order of first execution; those that were never entered (a
// pause was appointed for them) do not show. Without children only the root is filled, and nodes that are FINISHED may be
// left out: a pipeline that is not among the nodes does not run, so it hides what is inside.
//
// A state that the skeleton has no place for means that the record is damaged: that is an error, and the status is what
// [Root] gives.
func Project(sk *stdops.Skeleton, task *stdops.Task, nodes []stdops.NodeState, now time.Time, children bool) (Status, error) {
	root := Root(task, now)
	p, err := newProjection(sk, task, nodes)
	if err == nil && children {
		err = p.connected(task)
	}
	if err != nil {
		return root, err
	}
	p.derive()
	root.State = p.shown(stdops.RootNode)
	if children {
		root.Children = p.level(stdops.RootNode, p.family(), endOf(task, now))
	}
	return root, nil
}

// projection holds, by node index, what is derived from. A row is the place of a node's state in nodes plus one.
type projection struct {
	sk    *stdops.Skeleton
	nodes []stdops.NodeState
	rows  []int32
	state []stdops.State // own states; StateNone for a node that does not show
	worst []stdops.State // of the children of a RUNNING pipeline: StateFailed, StateNodeSuspended or StateNone
}

func newProjection(sk *stdops.Skeleton, task *stdops.Task, nodes []stdops.NodeState) (*projection, error) {
	if sk == nil || len(sk.Nodes) == 0 {
		return nil, fmt.Errorf("task %d has no skeleton", task.ID)
	}
	n := len(sk.Nodes)
	p := &projection{sk: sk, nodes: nodes, rows: make([]int32, n), state: make([]stdops.State, n), worst: make([]stdops.State, n)}
	for i := range nodes {
		at := nodes[i].Node
		if at <= stdops.RootNode || int(at) >= n {
			return nil, fmt.Errorf("task %d has a state for node %d of a tree of %d nodes", task.ID, at, n)
		}
		if parent := sk.Nodes[at].Parent; parent < 0 || int(parent) >= n {
			return nil, fmt.Errorf("node %d of task %d stands inside of node %d of a tree of %d nodes", at, task.ID, parent, n)
		}
		if !reached(&nodes[i]) {
			continue
		}
		p.rows[at] = int32(i) + 1
		p.state[at] = nodes[i].State
	}
	p.state[stdops.RootNode] = task.Root.State
	return p, nil
}

// reached tells a node that was entered from one that merely has a pause appointed.
func reached(n *stdops.NodeState) bool { return n.Order > 0 }

// connected refuses nodes inside of a pipeline that was never entered: nobody would find them in the tree.
func (p *projection) connected(task *stdops.Task) error {
	for i, row := range p.rows {
		if row == 0 {
			continue
		}
		parent := p.sk.Nodes[i].Parent
		if parent != stdops.RootNode && p.rows[parent] == 0 {
			return fmt.Errorf("task %d has a state for node %d inside of node %d, which was never entered", task.ID, i, parent)
		}
	}
	return nil
}

// derive carries failures, then suspensions, upwards through RUNNING pipelines. Failures go first because they win: a
// pipeline that shows FAILED passes a failure on, whatever else it holds. A pipeline in any other state hides what is
// inside, so the climb ends there; it also ends where another climb has been, so that the whole is linear.
func (p *projection) derive() {
	for i := range p.nodes {
		if n := &p.nodes[i]; n.State == stdops.StateFailed && reached(n) {
			p.climb(n.Node, stdops.StateFailed)
		}
	}
	for i := range p.nodes {
		if n := &p.nodes[i]; n.State == stdops.StateSuspended && reached(n) {
			p.climb(n.Node, stdops.StateNodeSuspended)
		}
	}
}

func (p *projection) climb(from stdops.NodeIndex, to stdops.State) {
	for at := from; at != stdops.RootNode; {
		at = p.sk.Nodes[at].Parent
		if p.state[at] != stdops.StateRunning || p.worst[at] != stdops.StateNone {
			return
		}
		p.worst[at] = to
	}
}

// shown gives the state that callers see.
func (p *projection) shown(at stdops.NodeIndex) stdops.State {
	if p.worst[at] != stdops.StateNone {
		return p.worst[at]
	}
	return p.state[at]
}

// family strings the shown rows of each level together in the order of first execution. Numbers are rows plus one.
type family struct {
	first, last []int32 // by node: of its children
	count       []int32
	next        []int32 // by row
}

func (p *projection) family() *family {
	n := len(p.rows)
	f := &family{first: make([]int32, n), last: make([]int32, n), count: make([]int32, n), next: make([]int32, len(p.nodes)+1)}
	for i := range p.nodes {
		if !reached(&p.nodes[i]) {
			continue
		}
		parent, row := p.sk.Nodes[p.nodes[i].Node].Parent, int32(i)+1
		if f.first[parent] == 0 {
			f.first[parent] = row
		} else {
			f.next[f.last[parent]] = row
		}
		f.last[parent] = row
		f.count[parent]++
	}
	return f
}

// level builds one level; recursion is as deep as subprocesses nest, which a tree limits to 32.
func (p *projection) level(at stdops.NodeIndex, f *family, end end) []Status {
	list := make([]Status, 0, f.count[at])
	for row := f.first[at]; row != 0; row = f.next[row] {
		n := &p.nodes[row-1]
		child := p.node(n, end)
		if f.count[n.Node] > 0 {
			child.Children = p.level(n.Node, f, end)
		}
		list = append(list, child)
	}
	return list
}

func (p *projection) node(n *stdops.NodeState, end end) Status {
	place := &p.sk.Nodes[n.Node]
	s := own(n, place.Parent, place.Name, end)
	s.State = p.shown(n.Node)
	return s
}

// Of gives the status of one node by its own state alone: all there is to say of a node that holds no others.
func Of(task *stdops.Task, n *stdops.NodeState, parent stdops.NodeIndex, name string, now time.Time) Status {
	return own(n, parent, name, endOf(task, now))
}

func own(n *stdops.NodeState, parent stdops.NodeIndex, name string, end end) Status {
	return Status{
		Node: n.Node, Parent: parent, State: n.State, Name: name, Version: n.Version,
		Loop: max(n.Loop, 1), Retry: n.Retry, Skip: n.Skip, ErrorIgnored: n.ErrorIgnored,
		Elapsed: elapsed(n.Started, n.Finished, end.at), Grows: !end.fixed && grows(n.Started, n.Finished),
		Started: n.Started, Called: called(n), Finished: n.Finished,
	}
}

// called gives when the first call of the current attempt began. A process of a version that does not note that down leaves the time
// of an earlier attempt where it is.
func called(n *stdops.NodeState) time.Time {
	if n.Started.IsZero() || n.Called.Before(n.Started) {
		return time.Time{}
	}
	return n.Called
}

// Find gives the status of a node inside of s, s itself included; nil when it is not there.
func (s *Status) Find(node stdops.NodeIndex) *Status {
	if s.Node == node {
		return s
	}
	for i := range s.Children {
		if found := s.Children[i].Find(node); found != nil {
			return found
		}
	}
	return nil
}

// end is the moment to which unfinished nodes count.
type end struct {
	at    time.Time
	fixed bool // it is not that of the question
}

// endOf gives the end for the nodes of a task: a node that waited when its task was revoked stays RUNNING in the record,
// and counts to the revoke (docs/spec/api.md 1.10).
func endOf(task *stdops.Task, now time.Time) end {
	if task.Root.State.Ended() && !task.Root.Finished.IsZero() {
		return end{task.Root.Finished, true}
	}
	return end{now.Truncate(time.Second), false}
}

func grows(started, finished time.Time) bool { return !started.IsZero() && finished.IsZero() }

// Elapsed gives the whole seconds from start to finish, or to now while unfinished: half a second goes to the even
// neighbour, and nothing is ever negative. Now is cut to the second first, so that a later read never shows less.
func Elapsed(started, finished, now time.Time) int64 {
	return elapsed(started, finished, now.Truncate(time.Second))
}

func elapsed(started, finished, end time.Time) int64 {
	if started.IsZero() {
		return 0
	}
	if !finished.IsZero() {
		end = finished
	}
	d := end.Sub(started)
	if d <= 0 {
		return 0
	}
	whole, rest := int64(d/time.Second), d%time.Second
	if rest > time.Second/2 || rest == time.Second/2 && whole%2 == 1 {
		whole++
	}
	return whole
}

// Each calls do for every node inside of s.
func (s *Status) Each(do func(*Status)) {
	for i := range s.Children {
		do(&s.Children[i])
		s.Children[i].Each(do)
	}
}
