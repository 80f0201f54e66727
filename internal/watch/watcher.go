package watch

import (
	"cmp"
	"hash/maphash"
	"slices"
	"time"

	"github.com/stdops/stdops"
)

// Request says what somebody wants to watch: tasks, or a list of them.
type Request struct {
	Project stdops.ProjectID
	To      Audience
	IDs     []stdops.TaskID
	Nodes   bool    // how the nodes of the tasks stand is wanted as well
	Filter  *Filter // counts when it is not nil
	Cursor  Cursor  // where the caller was; nil tells everything first
}

// Watcher is somebody who watches tasks. One goroutine at a time may use it.
type Watcher struct {
	hub     *Hub
	project stdops.ProjectID
	to      Audience
	nodes   bool
	seq     int64
	group   *group // nil for one who watches tasks by their ids
	bell    chan struct{}

	// The rest is guarded by the hub's lock.
	marks   []mark                                        // by id
	unread  int                                           // marks that wait to be read: until they are the watcher is told nothing
	listing bool                                          // its list was not read yet: likewise
	pending int                                           // marks of which something is to be told
	gone    []mark                                        // of tasks that have left the list
	cut     bool                                          // its list was, when it was read last
	recut   bool                                          // that is not what it was told
	first   bool                                          // the first delivery is made even when there is nothing in it
	told    map[stdops.TaskID]map[stdops.NodeIndex]uint64 // hashes of what was told of nodes; nil for one who is told nothing of them
	end     string
}

// mark is what a watcher was told of a task.
type mark struct {
	id      stdops.TaskID
	at      int64 // revision, [unknown] while it was told nothing
	unread  bool
	pending bool
}

// Delivery is what is new to a watcher.
type Delivery struct {
	Tasks  [][]byte // as [Tasks] has encoded them
	Nodes  []Nodes
	Gone   []stdops.TaskID // deleted, or not in the project, or not in the list any more
	Cut    bool            // older tasks may belong to the list, which are not followed
	Recut  bool            // that is new
	Cursor string          // where the watcher is after this
	Now    time.Time
	End    string // why this is the last one; "" when it is not
}

// Nodes are the nodes of a task that are new to a watcher.
type Nodes struct {
	Task     stdops.TaskID
	Revision int64
	Nodes    [][]byte
	Gone     []stdops.NodeIndex
}

// Watch begins to watch. Close must follow.
func (h *Hub) Watch(r Request) (*Watcher, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.ended != "":
		return nil, stdops.Errorf(stdops.CodeUnavailable, "the server is about to end, ask another one or try again")
	case h.marks+len(r.IDs) > MostWatched:
		return nil, stdops.Errorf(stdops.CodeUnavailable, "the server watches as many tasks as it can, try again later")
	}
	h.seq++
	w := &Watcher{hub: h, project: r.Project, to: r.To, nodes: r.Nodes, seq: h.seq, bell: make(chan struct{}, 1), first: r.Cursor == nil}
	if w.nodes {
		w.told = map[stdops.TaskID]map[stdops.NodeIndex]uint64{}
	}
	h.watchers[w] = struct{}{}
	h.listen() // what was acknowledged before is known to be old now
	ids := r.IDs
	if r.Filter != nil {
		h.join(w, *r.Filter)
		ids = r.Cursor.tasks()
	}
	w.marks = make([]mark, 0, len(ids))
	for _, id := range ids {
		w.marks = append(w.marks, mark{id: id, at: r.Cursor.at(id)})
	}
	slices.SortFunc(w.marks, compareMarks)
	w.marks = slices.CompactFunc(w.marks, func(a, b mark) bool { return a.id == b.id })
	now := time.Now()
	for i := range w.marks {
		h.begin(w, &w.marks[i], now)
	}
	w.ring()
	return w, nil
}

func compareMarks(a, b mark) int { return cmp.Compare(a.id, b.id) }

// begin lets a new mark be told what it does not know.
func (h *Hub) begin(w *Watcher, m *mark, now time.Time) {
	e := h.enter(w, m.id)
	current := !h.o.Misses && e.revision != unknown && !e.dirty && !e.reading
	switch {
	case current && m.at == e.revision:
	case m.at != unknown && (!current || m.at > e.revision):
		h.toCheck(e)
	case current && now.Sub(e.read) < fresh && e.complete(w):
		w.mark(m)
	default:
		m.unread = true
		w.unread++
		h.toRead(e)
	}
}

// mark notes that there is something to be told of a task.
func (w *Watcher) mark(m *mark) {
	if m.unread {
		m.unread = false
		w.unread--
	}
	if !m.pending {
		m.pending = true
		w.pending++
	}
	w.ring()
}

func (w *Watcher) find(id stdops.TaskID) *mark {
	i, ok := slices.BinarySearchFunc(w.marks, id, func(m mark, id stdops.TaskID) int { return cmp.Compare(m.id, id) })
	if !ok {
		return nil
	}
	return &w.marks[i]
}

func (w *Watcher) ring() {
	select {
	case w.bell <- struct{}{}:
	default:
	}
}

// Bell gives the channel that is sent to when there may be something new.
func (w *Watcher) Bell() <-chan struct{} { return w.bell }

// Take gives what is new, and false when nothing is.
func (w *Watcher) Take() (Delivery, bool) {
	h := w.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	d := Delivery{Cut: w.cut, End: w.end}
	ready := w.unread == 0 && !w.listing && (w.first || w.recut || w.pending > 0 || len(w.gone) > 0)
	if !ready {
		return d, d.End != ""
	}
	d.Recut, w.first, w.recut = w.recut, false, false
	for i := range w.gone {
		d.Gone = append(d.Gone, w.gone[i].id)
	}
	w.gone = nil
	if w.pending > 0 {
		d.Tasks = make([][]byte, 0, w.pending)
		for i := range w.marks {
			if w.marks[i].pending {
				w.take(&w.marks[i], &d)
			}
		}
	}
	d.Cursor, d.Now = cursorOf(w.project, w.marks), h.o.Now()
	return d, true
}

// take puts what is new of a task into a delivery.
func (w *Watcher) take(m *mark, d *Delivery) {
	m.pending = false
	w.pending--
	e := w.hub.entries[stdops.TaskRef{Project: w.project, Task: m.id}]
	if e.revision <= m.at {
		return
	}
	switch {
	case e.gone:
		d.Gone = append(d.Gone, m.id)
		delete(w.told, m.id)
	case !e.complete(w): // read before this watcher was there
		w.hub.toRead(e)
		return
	default:
		d.Tasks = append(d.Tasks, e.to(w.to))
		if w.nodes {
			w.takeNodes(e, d)
		}
	}
	m.at = e.revision
}

var nodeSeed = maphash.MakeSeed()

// takeNodes puts those nodes of a task into a delivery that do not stand as the watcher was told.
func (w *Watcher) takeNodes(e *entry, d *Delivery) {
	n := Nodes{Task: e.ref.Task, Revision: e.revision}
	before := w.told[n.Task]
	now := make(map[stdops.NodeIndex]uint64, len(e.nodes))
	for i := range e.nodes {
		node := &e.nodes[i]
		hash := maphash.Bytes(nodeSeed, node.Encoded)
		if had, ok := before[node.Index]; !ok || had != hash {
			n.Nodes = append(n.Nodes, node.Encoded)
		}
		now[node.Index] = hash
	}
	for index := range before {
		if _, ok := now[index]; !ok {
			n.Gone = append(n.Gone, index)
		}
	}
	w.told[n.Task] = now
	if len(n.Nodes)+len(n.Gone) > 0 {
		d.Nodes = append(d.Nodes, n)
	}
}

// Began reports whether the watcher has been told all that there was when it began, or had a cursor of that.
func (w *Watcher) Began() bool {
	w.hub.mu.Lock()
	defer w.hub.mu.Unlock()
	return !w.first
}

// Cursor tells where the watcher is.
func (w *Watcher) Cursor() string {
	w.hub.mu.Lock()
	defer w.hub.mu.Unlock()
	return cursorOf(w.project, w.marks)
}

// Close ends watching.
func (w *Watcher) Close() {
	h := w.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.watchers, w)
	if w.group != nil {
		h.part(w)
	}
	for i := range w.marks {
		h.leave(w, w.marks[i].id)
	}
	w.marks = nil
}
