package engine

import (
	"slices"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/flow"
	"github.com/stdops/stdops/internal/plugin"
)

// family is a task with its children and theirs, each a world of its own. What a step tells is stored with it, and the
// letter that lets the parent read it may come late, or be lost in a crash.
type family struct {
	t       tester
	graphs  []*flow.Graph // by depth; a child is made by an activity of the code "child"
	members []*member
	letters []*member // who is to read its record again
	told    []string  // all that was ever told

	late    bool          // the mistake that a test has to find: what is told is stored after the step, not with it
	pending []func()      // what is told and not stored
	now     time.Duration // that has passed
}

type member struct {
	*world
	depth  int
	parent *member
	of     stdops.AttemptRef
}

func newFamily(t tester, graphs ...*flow.Graph) *family {
	f := &family{t: t, graphs: graphs}
	f.add(0, nil, stdops.AttemptRef{})
	return f
}

// root gives the task that all others come from.
func (f *family) root() *member { return f.members[0] }

func (f *family) add(depth int, parent *member, of stdops.AttemptRef) *member {
	f.t.Helper()
	m := &member{world: newWorld(f.t, f.graphs[depth], nil, append(stubs(), stub("child", makesChildren))...), depth: depth, parent: parent, of: of}
	m.now = m.now.Add(f.now)
	id := stdops.TaskID(len(f.members) + 7)
	for _, task := range []*stdops.Task{&m.st.task, &m.record.snap.Task} {
		task.ID, task.Parent = id, of
	}
	m.tell = func(tells []stdops.Tell) {
		for _, t := range tells {
			f.store(m, t)
		}
	}
	f.members = append(f.members, m)
	if err := m.step(Command{Kind: Start, Actor: "ann"}); err != nil {
		f.t.Fatal(err)
	}
	return m
}

func makesChildren(s *plugin.Spec) { s.Child = true }

// store puts what a member tells into the record of its parent, and writes the letter.
func (f *family) store(m *member, t stdops.Tell) {
	f.t.Helper()
	if t.To != m.of {
		f.t.Fatalf("task %d tells %+v, it comes from %+v", m.st.task.ID, t.To, m.of)
	}
	f.told = append(f.told, string(t.Data))
	do := func() {
		p := m.parent
		if !p.record.snap.Task.Root.Live {
			return
		}
		seq := int64(-1)
		for _, c := range p.record.snap.Callbacks {
			seq = min(seq, c.Seq-1)
		}
		p.record.snap.Callbacks = append(p.record.snap.Callbacks,
			stdops.Callback{Seq: seq, Node: t.To.Node, Version: t.To.Version, Data: t.Data})
		f.letters = append(f.letters, p)
	}
	if f.late {
		f.pending = append(f.pending, do)
		return
	}
	do()
}

// child finds the task that an attempt has made, nil when there is none.
func (f *family) child(p *member, n stdops.NodeIndex, v stdops.Version) *member {
	of := stdops.AttemptRef{Task: p.st.task.ID, Node: n, Version: v}
	i := slices.IndexFunc(f.members, func(m *member) bool { return m.parent == p && m.of == of })
	if i < 0 {
		return nil
	}
	return f.members[i]
}

// takeCall lets a call that is out go on by one step: one that makes a child makes it first and ends then.
func (f *family) takeCall(p *member, i int, outcome plugin.Outcome, failed bool) {
	c := p.calls[i]
	if c.code != "child" {
		p.answerCall(i, outcome, failed)
		return
	}
	made := f.child(p, c.node, c.version)
	own := p.record.snap.Nodes[slices.IndexFunc(p.record.snap.Nodes, func(n stdops.NodeState) bool { return n.Node == c.node })]
	switch {
	case made != nil:
		p.answerCall(i, plugin.Outcome{Next: plugin.Callback}, false)
	case own.Version != c.version || own.State != stdops.StateRunning || p.record.snap.Task.Root.State.Ended():
		p.answerCall(i, plugin.Done, true)
	default:
		f.add(p.depth+1, p, stdops.AttemptRef{Task: p.st.task.ID, Node: c.node, Version: c.version})
	}
}

// deliver lets whoever has a letter read it.
func (f *family) deliver() {
	for len(f.letters) > 0 {
		m := f.letters[0]
		f.letters = f.letters[1:]
		m.reread()
	}
}

// flush stores what was told too late.
func (f *family) flush() {
	for _, do := range f.pending {
		do()
	}
	f.pending = nil
}

// settle delivers all letters and makes all children that are to be made.
func (f *family) settle() {
	f.t.Helper()
	for busy := true; busy; {
		f.flush()
		f.deliver()
		busy = false
		for _, m := range f.members {
			if i := slices.IndexFunc(m.calls, func(c call) bool { return c.code == "child" }); i >= 0 {
				f.takeCall(m, i, plugin.Done, false)
				busy = true
			}
		}
		busy = busy || len(f.letters)+len(f.pending) > 0
	}
}

// crash ends the process: every task is read again, and letters are lost.
func (f *family) crash() {
	f.letters, f.pending = nil, nil
	for _, m := range f.members {
		m.crash()
	}
}

// pass lets time go by.
func (f *family) pass(d time.Duration) {
	f.now += d
	for _, m := range f.members {
		m.world.now = m.world.now.Add(d)
		m.step()
	}
}

// disagreement gives a child of which its parent believes something else than what is true; nil when there is none. It is
// asked once all is settled.
func (f *family) disagreement() *member {
	for _, m := range f.members {
		if m.parent != nil && len(AuditChild(m.record.whole(), m.parent.record.whole(), m.parent.graph)) > 0 {
			return m
		}
		if m.parent == nil || m.parent.st.root.State.Ended() {
			continue
		}
		own := m.parent.st.nodes[m.of.Node]
		if own.Version != m.of.Version || own.State == stdops.StateFinished && own.ErrorIgnored {
			continue
		}
		want := stdops.StateRunning
		switch {
		case m.st.root.State == stdops.StateFinished:
			want = stdops.StateFinished
		case m.st.root.State == stdops.StateRevoked || slices.ContainsFunc(m.st.nodes, func(n *stdops.NodeState) bool { return n != nil && stuck(n) }):
			want = stdops.StateFailed
		}
		if own.State != want {
			return m
		}
	}
	return nil
}
