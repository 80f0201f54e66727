package watch

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/stdops/stdops"
)

// Audience stands for what callers may do, as far as that shows in how a task is told.
type Audience uint8

// State is how a task stands.
type State struct {
	Task     stdops.TaskID
	Revision int64
	Gone     bool     // it is deleted
	Encoded  [][]byte // one for each audience that was asked for, in their order
	Nodes    []Node   // by index; nil where they were not asked for
}

// Node is how a node of a task stands.
type Node struct {
	Index   stdops.NodeIndex
	Encoded []byte
}

// Question asks how tasks of a project stand.
type Question struct {
	Project stdops.ProjectID
	IDs     []stdops.TaskID
	Nodes   []stdops.TaskID // those of IDs of which the nodes are wanted too
	To      []Audience
}

// Filter says which tasks of a project are in a list, newest first; what is zero does not filter.
type Filter struct {
	State                      stdops.State // as callers see it
	Keyword, Creator, Executor string
	Flow                       stdops.TemplateID
	Limit                      int
}

// List is the tasks of a list.
type List struct {
	States []State
	Cut    bool // older tasks may belong to it, which were not looked at
}

// Tasks tells how tasks stand. It is asked on behalf of many callers, who were let at the project when they began to watch.
type Tasks interface {
	// Revisions gives the revisions of those of the tasks that exist.
	Revisions(ctx context.Context, ids []stdops.TaskID) ([]stdops.TaskRevision, error)
	// Read gives how those of the tasks stand that the project has, all of one moment.
	Read(ctx context.Context, q Question) ([]State, error)
	// List gives the tasks of a list.
	List(ctx context.Context, project stdops.ProjectID, f Filter, to []Audience) (List, error)
}

// Options are the settings of a [Hub].
type Options struct {
	Tasks Tasks
	// Misses says that [Hub.Changed] may not be told of all changes, so that the revisions of all watched tasks have to be
	// asked for now and then.
	Misses bool
	Now    func() time.Time // of the server
	Log    *slog.Logger
}

// The paces of a hub.
const (
	// gather is how long changes are collected before they are read together, and gatherMost how long when reading takes long.
	gather, gatherMost = 50 * time.Millisecond, 150 * time.Millisecond
	// sweepEvery is how often all revisions are asked for where changes may be missed.
	sweepEvery = 2 * time.Second
	// listEvery is how often a list is asked for at most, and relistEvery how often where changes may be missed.
	listEvery   = time.Second
	relistEvery = 5 * time.Second
	// retryAfter is how long the hub waits after an error.
	retryAfter = time.Second
	// fresh is how old a reading may be that is given to who has just begun to watch: elapsed times grow.
	fresh = time.Second
)

// What one question is about at most.
const (
	mostChecked = 20_000
	mostRead    = 500
)

// MostWatched bounds the marks of all watchers of a process: a million take some hundred megabytes.
const MostWatched = 1_000_000

// Hub knows who watches which tasks. Its methods may be called from any goroutine.
type Hub struct {
	o         Options
	heard     hints
	kick      chan struct{}
	kickLists chan struct{} // a list may have changed

	mu       sync.Mutex
	entries  map[stdops.TaskRef]*entry
	groups   map[groupKey]*group
	watchers map[*Watcher]struct{}
	marks    int      // of all watchers
	seq      int64    // counts the watchers there ever were
	check    []*entry // of which the revision is to be asked for
	dirty    []*entry // that are to be read
	ended    string   // why there are no watchers any more
}

// The revisions of tasks that nothing is known of, and of those that the project does not have.
const (
	unknown = -2
	absent  = -1
)

// entry is a task that somebody watches.
type entry struct {
	ref      stdops.TaskRef
	watchers []*Watcher

	revision     int64 // of what was read last
	gone         bool
	encoded      []encoding
	nodes        []Node // nil when they were not read
	read         time.Time
	check, dirty bool // whether it is in the list of the hub
	reading      bool // it was taken from there, and is not read yet
}

type encoding struct {
	to   Audience
	text []byte
}

// NewHub makes a hub.
func NewHub(o Options) *Hub {
	o.Log = cmp.Or(o.Log, slog.Default())
	return &Hub{
		o: o, kick: make(chan struct{}, 1), kickLists: make(chan struct{}, 1), entries: map[stdops.TaskRef]*entry{}, groups: map[groupKey]*group{},
		watchers: map[*Watcher]struct{}{},
	}
}

// Changed tells the hub which tasks have changed; nil says that it may have missed something. It returns at once.
func (h *Hub) Changed(list []stdops.TaskRevision) {
	h.heard.put(list)
	h.kickOff()
}

func (h *Hub) kickOff() {
	select {
	case h.kick <- struct{}{}:
	default:
	}
}

// Stop ends all watchers, with the reason that they are told, and lets nobody watch any more.
func (h *Hub) Stop(reason string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ended = reason
	for w := range h.watchers {
		w.end = reason
		w.ring()
	}
}

// Watching tells how many watchers there are.
func (h *Hub) Watching() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.watchers)
}

func (h *Hub) toCheck(e *entry) {
	if !e.check {
		e.check = true
		h.check = append(h.check, e)
		h.kickOff()
	}
}

func (h *Hub) toRead(e *entry) {
	if !e.dirty {
		e.dirty = true
		h.dirty = append(h.dirty, e)
		h.kickOff()
	}
}

// enter gives the entry of a task with one more watcher.
func (h *Hub) enter(w *Watcher, id stdops.TaskID) *entry {
	ref := stdops.TaskRef{Project: w.project, Task: id}
	e := h.entries[ref]
	if e == nil {
		e = &entry{ref: ref, revision: unknown}
		h.entries[ref] = e
	}
	e.watchers = append(e.watchers, w)
	h.marks++
	return e
}

// leave takes a watcher away from a task.
func (h *Hub) leave(w *Watcher, id stdops.TaskID) {
	ref := stdops.TaskRef{Project: w.project, Task: id}
	e := h.entries[ref]
	for i, other := range e.watchers {
		if other == w {
			last := len(e.watchers) - 1
			e.watchers[i], e.watchers[last] = e.watchers[last], nil
			e.watchers = e.watchers[:last]
			break
		}
	}
	if h.marks--; len(e.watchers) == 0 {
		delete(h.entries, ref)
	}
}

// to gives what was encoded for an audience, nil when nothing was.
func (e *entry) to(a Audience) []byte {
	for i := range e.encoded {
		if e.encoded[i].to == a {
			return e.encoded[i].text
		}
	}
	return nil
}

// complete reports whether all is known that a watcher is to be told.
func (e *entry) complete(w *Watcher) bool {
	return e.gone || e.to(w.to) != nil && (!w.nodes || e.nodes != nil)
}

// encode keeps what was encoded for an audience.
func (e *entry) encode(a Audience, text []byte) {
	for i := range e.encoded {
		if e.encoded[i].to == a {
			e.encoded[i].text = text
			return
		}
	}
	e.encoded = append(e.encoded, encoding{a, text})
}

// hints are what was heard of changes and not looked into yet. It has a lock of its own: whoever has committed a change tells
// of it and must not wait.
type hints struct {
	mu       sync.Mutex
	changed  map[stdops.TaskRef]int64
	projects map[stdops.ProjectID]struct{}
	missed   bool
}

// mostHints bounds what is remembered while nobody looks into it.
const mostHints = 100_000

func (n *hints) put(list []stdops.TaskRevision) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.changed == nil {
		n.changed, n.projects = map[stdops.TaskRef]int64{}, map[stdops.ProjectID]struct{}{}
	}
	if list == nil || len(n.changed) > mostHints {
		n.missed = true
		clear(n.changed)
		clear(n.projects)
	}
	if n.missed {
		return
	}
	for _, c := range list {
		n.changed[c.Ref] = max(n.changed[c.Ref], c.Revision)
		n.projects[c.Ref.Project] = struct{}{}
	}
}

// take gives what was heard since the last time.
func (n *hints) take() (changed map[stdops.TaskRef]int64, projects map[stdops.ProjectID]struct{}, missed bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	changed, projects, missed = n.changed, n.projects, n.missed
	n.changed, n.projects, n.missed = nil, nil, false
	return changed, projects, missed
}
