package store

import (
	"iter"

	"github.com/stdops/stdops"
)

// arguments gives the parameters of the batch statement, and which parts it has.
func (b *batchOf) arguments() (parts uint32, args []any) {
	wanted, kinds := newRows(want), map[string]*rows{}
	of := func(name string) *rows { return kinds[name] }
	for _, part := range batchParts {
		for _, r := range part.rows {
			kinds[r.name] = newRows(r)
		}
	}
	for _, i := range b.open {
		c := &b.changes[i]
		b.addTask(wanted, i, c)
		b.addAttempts(of, i, c)
		b.addNodes(of, i, c)
		addContext(of, i, c)
		addEvents(of, i, c)
	}
	args = wanted.args()
	for i, part := range batchParts {
		var columns []any
		some := false
		for _, r := range part.rows {
			some = some || !kinds[r.name].empty()
			columns = append(columns, kinds[r.name].args()...)
		}
		if some {
			parts |= 1 << i
			args = append(args, columns...)
		}
	}
	return parts, args
}

func (b *batchOf) addTask(to *rows, i int, c *stdops.Change) {
	r := &c.Root
	to.add(i).number(int64(c.Task)).number(int64(c.Project)).number(c.Revision).number(c.Epoch).number(int64(r.State)).
		text(string(r.Version)).instant(r.Started).instant(r.Finished).instant(r.WakeAt).text(c.Executor).flag(r.Live).
		flag(c.Outside).instant(b.now).number(b.commitIDs[i])
}

// addAttempts adds the attempts to keep: those that are stored, as they stand before the change, and then further ones.
func (b *batchOf) addAttempts(of func(string) *rows, i int, c *stdops.Change) {
	for n, node := range c.Archive {
		of("kept").add(i).number(int64(n)).number(int64(node)).instant(b.now)
	}
	for n := range c.Attempts {
		a := &c.Attempts[n]
		archived := a.Archived
		if archived.IsZero() {
			archived = b.now
		}
		of("attempts").add(i).number(int64(n)).instant(archived).node(&a.State).
			bytes(a.Data.Inputs).bytes(a.Data.Outputs).bytes(a.Data.Template)
	}
}

func (r *rows) node(n *stdops.NodeState) *rows {
	return r.number(int64(n.Node)).number(int64(n.Order)).number(int64(n.State)).number(int64(n.Phase)).
		number(int64(n.Call)).number(int64(n.Loop)).number(int64(n.InnerLoop)).number(int64(n.Retry)).
		number(int64(n.AutoRetries)).flag(n.Skip).flag(n.ErrorIgnored).text(string(n.Version)).number(int64(n.Token)).
		instant(n.Started).instant(n.Finished).instant(n.Due).instant(n.Deadline).instant(n.Called)
}

func (b *batchOf) addNodes(of func(string) *rows, i int, c *stdops.Change) {
	for n := range latest(c.Nodes, func(n *stdops.NodeState) stdops.NodeIndex { return n.Node }) {
		of("nodes").add(i).node(n)
	}
	for d := range latest(c.Data, func(d *stdops.NodeData) stdops.NodeIndex { return d.Node }) {
		of("data").add(i).number(int64(d.Node)).bytes(d.Inputs).bytes(d.Outputs).bytes(d.Template)
	}
	for n := range c.Transitions {
		t := &c.Transitions[n]
		of("transitions").add(i).number(int64(n)).number(int64(t.Node)).number(int64(t.From)).number(int64(t.To)).
			text(t.Actor).text(t.Reason).instant(t.Time)
	}
}

func addContext(of func(string) *rows, i int, c *stdops.Change) {
	if c.Inputs != nil {
		of("inputs").add(i).bytes(c.Inputs)
	}
	type name struct {
		scope stdops.NodeIndex
		key   string
	}
	for v := range latest(c.Variables, func(v *stdops.Variable) name { return name{v.Scope, v.Key} }) {
		if v.Value == nil {
			of("variables_gone").add(i).number(int64(v.Scope)).text(v.Key)
		} else {
			of("variables").add(i).number(int64(v.Scope)).text(v.Key).bytes(v.Value)
		}
	}
	for f := range latest(c.Forks, func(f *stdops.Fork) stdops.Token { return f.Token }) {
		if f.Dead {
			of("forks_gone").add(i).number(int64(f.Token))
		} else {
			of("forks").add(i).number(int64(f.Token)).number(int64(f.Parent)).number(int64(f.Destination)).
				number(int64(f.Need)).number(int64(f.Have)).number(int64(f.Next)).flag(f.Stopped).
				number(int64(f.SuspendedBy)).flag(f.Moving)
		}
	}
}

// addEvents adds callbacks; one that the same change has decided already never gets a row.
func addEvents(of func(string) *rows, i int, c *stdops.Change) {
	consumed := make(map[int64]bool, len(c.Consumed))
	for _, seq := range c.Consumed {
		consumed[seq] = true
	}
	for n := range c.Callbacks {
		e := &c.Callbacks[n]
		if consumed[e.Seq] {
			delete(consumed, e.Seq)
			continue
		}
		of("events").add(i).number(e.Seq).number(int64(e.Node)).text(string(e.Version)).bytes(e.Data)
	}
	for seq := range consumed {
		of("events_gone").add(i).number(seq)
	}
	for n := range c.Tells {
		t := &c.Tells[n]
		of("tells").add(i).number(int64(n)).number(int64(t.To.Task)).number(int64(t.To.Node)).text(string(t.To.Version)).bytes(t.Data)
	}
}

// latest gives of a list the last value for each key: a statement stores a row once.
func latest[T any, K comparable](list []T, key func(*T) K) iter.Seq[*T] {
	last := make(map[K]int, len(list))
	for i := range list {
		last[key(&list[i])] = i
	}
	return func(yield func(*T) bool) {
		for i := range list {
			if last[key(&list[i])] == i && !yield(&list[i]) {
				return
			}
		}
	}
}
