package page

import (
	"cmp"
	"slices"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/service"
	"github.com/stdops/stdops/internal/status"
)

const (
	longestName  = 160
	longestError = 300
	deepest      = 8 // level of subprocesses that is still shown as one of its own
)

// row is one line of the table of nodes.
type row struct {
	ID      string // on the wire, also the anchor of the line
	Href    string // leads to the line from anywhere on the page
	Look    look
	Name    string
	Full    string // the whole name when Name is cut
	Depth   int
	Kind    string // of a node that runs no plugin
	Plugin  string
	Reached bool

	Started, Finished stamp
	Elapsed           string
	Loop, Retry       int32

	Notes []string
	Error string
	Whole string // the whole error text when Error is cut
	Open  bool   // Whole is to be shown
	Needs bool   // a person may have to do something, and needs the id for that
}

// table makes the lines of a task.
type table struct {
	sheet     *service.Sheet
	clock     clock
	unreached [][]stdops.NodeIndex // by pipeline
	rows      []row
}

// rowsOf gives the lines of all nodes: in each pipeline those that were reached, in the order of their first execution,
// then the others as the flows would lead to them. What is inside of a subprocess follows it.
func rowsOf(sheet *service.Sheet, c clock) []row {
	if sheet.Skeleton == nil {
		return nil
	}
	t := &table{sheet: sheet, clock: c, rows: make([]row, 0, len(sheet.Skeleton.Nodes))}
	t.findUnreached()
	t.pipeline(stdops.RootNode, sheet.Status.Children, 0)
	return t.rows
}

func (t *table) findUnreached() {
	t.unreached = make([][]stdops.NodeIndex, len(t.sheet.Skeleton.Nodes))
	for i := 1; i < len(t.unreached); i++ {
		if n := t.sheet.Nodes[i]; n != nil && n.Order > 0 {
			continue
		}
		parent := t.sheet.Skeleton.Nodes[i].Parent
		t.unreached[parent] = append(t.unreached[parent], stdops.NodeIndex(i))
	}
	rank := t.sheet.Rank
	if rank == nil {
		return
	}
	for _, level := range t.unreached {
		slices.SortStableFunc(level, func(a, b stdops.NodeIndex) int { return cmp.Compare(rank[a], rank[b]) })
	}
}

// pipeline adds one level; it calls itself as deep as subprocesses nest, which a tree limits to 32.
func (t *table) pipeline(at stdops.NodeIndex, reached []status.Status, depth int) {
	for i := range reached {
		st := &reached[i]
		t.rows = append(t.rows, t.reached(st, depth))
		t.pipeline(st.Node, st.Children, depth+1)
	}
	for _, n := range t.unreached[at] {
		t.rows = append(t.rows, t.ahead(n, depth))
		t.pipeline(n, nil, depth+1)
	}
}

// line makes what lines of all nodes have.
func (t *table) line(n stdops.NodeIndex, depth int) row {
	place := &t.sheet.Skeleton.Nodes[n]
	r := row{
		ID: stdops.NodeID(t.sheet.Task.ID, n), Depth: min(depth, deepest),
		Name: cut(place.Name, longestName), Plugin: cut(place.Plugin, longestName), Kind: kindWords[place.Kind],
	}
	if r.Name != place.Name {
		r.Full = place.Name
	}
	if r.Name == r.Kind { // events are mostly called like what they are
		r.Name = ""
	}
	return r
}

func (t *table) reached(st *status.Status, depth int) row {
	r := t.line(st.Node, depth)
	r.Reached, r.Look = true, lookOf(st.State)
	r.Started, r.Finished = t.clock.stamp(st.Started), t.clock.stamp(st.Finished)
	r.Elapsed, r.Loop, r.Retry = duration(st.Elapsed), st.Loop, st.Retry
	own := t.sheet.Nodes[st.Node]
	r.Notes = t.notes(own)
	r.Needs = needsPerson(own, t.sheet.Task.Root.State)
	if text := t.sheet.Failures[st.Node]; text != "" {
		r.Error = cut(text, longestError)
		if r.Error != text {
			r.Whole = text
		}
	}
	return r
}

// ahead makes the line of a node that was not reached. It can have a state: a pause was appointed for it then.
func (t *table) ahead(n stdops.NodeIndex, depth int) row {
	r := t.line(n, depth)
	r.Look = unreached
	if own := t.sheet.Nodes[n]; own != nil && own.State == stdops.StateSuspended {
		r.Notes, r.Needs = []string{"the task will pause here"}, !t.sheet.Task.Root.State.Ended()
	}
	return r
}

// notes says what the columns do not: what a node waits for, and what was done to it.
func (t *table) notes(own *stdops.NodeState) []string {
	var notes []string
	add := func(when bool, text string) {
		if when {
			notes = append(notes, text)
		}
	}
	ended := t.sheet.Task.Root.State.Ended()
	due := t.clock.stamp(own.Due).Short
	switch {
	case own.State == stdops.StateFailed:
		add(due != "" && !ended, "automatic retry at "+due)
	case own.State == stdops.StateSuspended:
		add(!ended, "paused before it begins")
	case own.State == stdops.StateRunning && own.Phase == stdops.PhaseQueued:
		add(!ended, "waits for its turn")
	case own.State == stdops.StateRunning && own.Phase == stdops.PhaseWaiting && due != "":
		add(!ended, "next check at "+due)
	case own.State == stdops.StateRunning && own.Phase == stdops.PhaseWaiting:
		add(!ended, "waits for a callback")
		add(ended, "was waiting for a callback when the task ended")
	}
	if own.State == stdops.StateRunning && !own.Deadline.IsZero() && !ended {
		notes = append(notes, "time limit at "+t.clock.stamp(own.Deadline).Short)
	}
	add(own.Skip, "skipped")
	add(own.ErrorIgnored, "error ignored")
	add(own.AutoRetries == 1, "retried automatically")
	add(own.AutoRetries > 1, "retried automatically "+count(int(own.AutoRetries), "time", "times"))
	return notes
}

// needsPerson reports whether nothing goes on at a node unless somebody does something.
func needsPerson(own *stdops.NodeState, root stdops.State) bool {
	if root.Ended() {
		return false
	}
	switch own.State {
	case stdops.StateFailed:
		return own.Due.IsZero()
	case stdops.StateSuspended:
		return true
	case stdops.StateRunning:
		return own.Phase == stdops.PhaseWaiting && own.Due.IsZero()
	default:
		return false
	}
}
