package engine

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/flow"
)

// simStore is the store of a simulation: it keeps tasks in memory, gives what the real one would give, and fails when it
// is told to. TestStores holds it against the real one.
type simStore struct {
	tasks  map[stdops.TaskID]*simTask
	keys   map[simKey]bool
	now    func() time.Time
	fault  func(reads bool) simFault // of each transaction or read; nil: none
	watch  func(*simTask, *stdops.Change)
	twin   *simTwin
	resend bool // a mistake: what may be stored is stored once more
	stamp  bool // a mistake: every change of a task that has ended ends it anew
	forget bool // a mistake: no data of nodes are kept
}

type simKey struct {
	project stdops.ProjectID
	owner   string
	key     string
}

func simKeyOf(k *stdops.RequestKey) simKey { return simKey{k.Project, k.Owner, k.Key} }

// simFault is what becomes of one access to the store.
type simFault uint8

const (
	simFine    simFault = iota
	simBroken           // nothing is stored
	simFull             // there is no room, nothing is stored
	simUnheard          // it is stored, and nobody learns of it
)

var (
	errBroken  = errors.New("the disk is gone")
	errUnheard = errors.New("the connection was cut during the commit")
	errFull    = stdops.Errorf(stdops.CodeDiskFull, "the disk is full")
)

// simTask is all that is stored of a task, with what the checks know of it.
type simTask struct {
	task      stdops.Task
	graph     *flow.Graph
	inputs    []byte
	nodes     []*stdops.NodeState // by index
	data      map[stdops.NodeIndex]stdops.NodeData
	variables map[varKey][]byte
	forks     map[stdops.Token]stdops.Fork
	callbacks []stdops.Callback
	attempts  []stdops.Attempt
	log       []stdops.LoggedTransition

	watched
}

func newSimStore(now func() time.Time) *simStore {
	return &simStore{tasks: make(map[stdops.TaskID]*simTask), keys: make(map[simKey]bool), now: now}
}

// create stores a task that has done nothing yet.
func (s *simStore) create(task stdops.Task, graph *flow.Graph, inputs []byte) *simTask {
	t := &simTask{
		task: task, graph: graph, inputs: inputs, nodes: make([]*stdops.NodeState, len(graph.Nodes)),
		data: make(map[stdops.NodeIndex]stdops.NodeData), variables: make(map[varKey][]byte), forks: make(map[stdops.Token]stdops.Fork),
		watched: newWatched(len(graph.Nodes)),
	}
	s.tasks[task.ID] = t
	s.twin.create(t)
	return t
}

func (t *simTask) ref() stdops.TaskRef {
	return stdops.TaskRef{Project: t.task.Project, Task: t.task.ID}
}

func (s *simStore) find(ref stdops.TaskRef) (*simTask, error) {
	t := s.tasks[ref.Task]
	if t == nil || t.task.Project != ref.Project {
		return nil, stdops.Errorf(stdops.CodeNotFound, "task %d does not exist", ref.Task)
	}
	return t, nil
}

func (s *simStore) fails(reads bool) (unheard bool, _ error) {
	if s.fault == nil {
		return false, nil
	}
	switch s.fault(reads) {
	case simBroken:
		return false, errBroken
	case simFull:
		if !reads {
			return false, errFull
		}
	case simUnheard:
		return true, errUnheard
	case simFine:
	}
	return false, nil
}

// Commit implements [Commits].
func (s *simStore) Commit(_ context.Context, changes []stdops.Change) ([]stdops.Verdict, error) {
	unheard, err := s.fails(false)
	if err != nil && !unheard {
		return nil, err
	}
	verdicts := s.store(changes...)
	if unheard {
		return nil, err
	}
	return verdicts, nil
}

// store stores changes, whatever the disk is like.
func (s *simStore) store(changes ...stdops.Change) []stdops.Verdict {
	verdicts := make([]stdops.Verdict, len(changes))
	for i := range changes {
		verdicts[i] = s.apply(&changes[i])
	}
	s.twin.store(changes, verdicts)
	return verdicts
}

func (s *simStore) apply(c *stdops.Change) stdops.Verdict {
	t := s.tasks[c.Task]
	taken := slices.ContainsFunc(c.Keys, func(k stdops.RequestKey) bool { return s.keys[simKeyOf(&k)] })
	if t == nil || taken || t.task.Project != c.Project || t.task.Root.Revision != c.Revision || t.task.Root.Epoch > c.Epoch {
		return stdops.Stale
	}
	s.write(t, c)
	if s.resend {
		again := *c
		again.Revision++
		s.write(t, &again)
	}
	return stdops.Committed
}

func (s *simStore) write(t *simTask, c *stdops.Change) {
	t.keep(c, s.now())
	if s.stamp && c.Root.State.Ended() && t.task.Root.State.Ended() {
		c.Root.Finished = s.now()
	}
	t.task.Root = c.Root
	t.task.Root.Revision, t.task.Root.Epoch = c.Revision+1, c.Epoch
	t.task.Executor = cmp.Or(c.Executor, t.task.Executor)
	if c.Inputs != nil {
		t.inputs = c.Inputs
	}
	nodes := slices.Clone(c.Nodes)
	for i := range nodes {
		t.nodes[nodes[i].Node] = &nodes[i]
	}
	for _, d := range c.Data {
		if !s.forget {
			t.data[d.Node] = d
		}
	}
	for _, v := range c.Variables {
		if k := (varKey{v.Scope, v.Key}); v.Value == nil {
			delete(t.variables, k)
		} else {
			t.variables[k] = v.Value
		}
	}
	t.callbacks = append(t.callbacks, c.Callbacks...)
	if len(c.Consumed) > 0 {
		t.callbacks = slices.DeleteFunc(t.callbacks, func(cb stdops.Callback) bool { return slices.Contains(c.Consumed, cb.Seq) })
	}
	for i, tr := range c.Transitions {
		t.log = append(t.log, stdops.LoggedTransition{Revision: c.Revision + 1, N: int64(i), Transition: tr})
	}
	for i := range c.Keys {
		s.keys[simKeyOf(&c.Keys[i])] = true
	}
	for _, f := range c.Forks {
		t.thread(f)
	}
	if s.watch != nil {
		s.watch(t, c)
	}
}

// thread stores a thread and counts the branches of its parent.
func (t *simTask) thread(f stdops.Fork) {
	if old, had := t.forks[f.Token]; had {
		t.branches[old.Parent]--
	}
	if f.Dead {
		delete(t.forks, f.Token)
		return
	}
	t.branches[f.Parent]++
	t.forks[f.Token] = f
}

// keep keeps the attempts of a change, as they are before it.
func (t *simTask) keep(c *stdops.Change, now time.Time) {
	for _, n := range c.Archive {
		if old := t.nodes[n]; old != nil {
			t.attempts = append(t.attempts, stdops.Attempt{ID: int64(len(t.attempts) + 1), State: *old, Data: t.data[n], Archived: now})
			t.kept[n]++
		}
	}
	for _, a := range c.Attempts {
		a.ID = int64(len(t.attempts) + 1)
		t.attempts = append(t.attempts, a)
		t.kept[a.State.Node]++
	}
}

// Load implements [Tasks].
func (s *simStore) Load(_ context.Context, ref stdops.TaskRef) (*stdops.Snapshot, error) {
	if _, err := s.fails(true); err != nil {
		return nil, err
	}
	t, err := s.find(ref)
	if err != nil {
		return nil, err
	}
	snap := t.snapshot()
	s.twin.load(snap)
	return snap, nil
}

func (t *simTask) snapshot() *stdops.Snapshot {
	snap := &stdops.Snapshot{Task: t.task, Inputs: t.inputs, Callbacks: slices.Clone(t.callbacks)}
	for i, n := range t.nodes {
		if n != nil {
			snap.Nodes = append(snap.Nodes, *n)
		}
		d, has := t.data[stdops.NodeIndex(i)]
		if has && (n == nil || n.State != stdops.StateFinished || d.Template != nil) {
			snap.Data = append(snap.Data, d)
		}
	}
	for k, v := range t.variables {
		snap.Variables = append(snap.Variables, stdops.Variable{Scope: k.scope, Key: k.key, Value: v})
	}
	slices.SortFunc(snap.Variables, func(a, b stdops.Variable) int {
		return cmp.Or(cmp.Compare(a.Scope, b.Scope), cmp.Compare(a.Key, b.Key))
	})
	for _, f := range t.forks {
		snap.Forks = append(snap.Forks, f)
	}
	slices.SortFunc(snap.Forks, func(a, b stdops.Fork) int { return cmp.Compare(a.Token, b.Token) })
	return snap
}

// record gives all that is stored of a task, for an audit.
func (t *simTask) record() *stdops.Record {
	all := &stdops.Record{Snapshot: *t.snapshot(), Attempts: t.attempts, Log: t.log}
	for _, n := range slices.Sorted(maps.Keys(t.data)) {
		if t.data[n].Outputs != nil {
			all.Outputs = append(all.Outputs, n)
		}
	}
	return all
}

// Taken implements [Tasks].
func (s *simStore) Taken(_ context.Context, keys []*stdops.RequestKey) ([]bool, error) {
	if _, err := s.fails(true); err != nil {
		return nil, err
	}
	taken := make([]bool, len(keys))
	for i, k := range keys {
		taken[i] = s.keys[simKeyOf(k)]
	}
	s.twin.taken(keys, taken)
	return taken, nil
}

// Live implements [Tasks].
func (s *simStore) Live(context.Context) (wakes []stdops.Wake, _ error) {
	if _, err := s.fails(true); err != nil {
		return nil, err
	}
	for _, id := range slices.Sorted(maps.Keys(s.tasks)) {
		if t := s.tasks[id]; t.task.Root.Live {
			wakes = append(wakes, stdops.Wake{Ref: t.ref(), At: t.task.Root.WakeAt})
		}
	}
	s.twin.live(wakes)
	return wakes, nil
}
