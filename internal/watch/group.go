package watch

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/stdops/stdops"
)

// group is a list that one or more watch.
type group struct {
	key      groupKey
	watchers []*Watcher
	changed  bool      // something in the project has, since the list was read
	listed   time.Time // when it was read last
}

type groupKey struct {
	project stdops.ProjectID
	filter  Filter
}

// join lets a watcher watch a list, which is read anew for it.
func (h *Hub) join(w *Watcher, f Filter) {
	key := groupKey{w.project, f}
	g := h.groups[key]
	if g == nil {
		g = &group{key: key}
		h.groups[key] = g
	}
	g.watchers = append(g.watchers, w)
	g.listed = time.Time{}
	w.group, w.listing = g, true
	h.toList(g)
}

func (h *Hub) toList(g *group) {
	g.changed = true
	select {
	case h.kickLists <- struct{}{}:
	default:
	}
}

// part ends that.
func (h *Hub) part(w *Watcher) {
	g := w.group
	g.watchers = slices.DeleteFunc(g.watchers, func(other *Watcher) bool { return other == w })
	if len(g.watchers) == 0 {
		delete(h.groups, g.key)
	}
	w.group = nil
}

// runLists reads lists that may have changed, until ctx ends.
func (h *Hub) runLists(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-h.kickLists:
			if !pause(ctx, gather) {
				return
			}
		case <-timer.C:
		}
		for more := true; more; {
			var err error
			if more, err = h.listOne(ctx); err == nil || ctx.Err() != nil {
				continue
			}
			h.o.Log.WarnContext(ctx, "a list that is watched can not be read at the moment", "error", err)
			if !pause(ctx, retryAfter) {
				return
			}
		}
		timer.Reset(h.nextList())
	}
}

// nextList tells how long no list is to be read, unless one may have changed.
func (h *Hub) nextList() time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	next := time.Hour
	for _, g := range h.groups {
		if g.changed {
			next = min(next, listEvery-time.Since(g.listed))
		}
	}
	return max(next, gather)
}

// listOne reads the list whose turn it is.
func (h *Hub) listOne(ctx context.Context) (more bool, err error) {
	h.mu.Lock()
	var g *group
	for _, other := range h.groups {
		if other.changed && time.Since(other.listed) >= listEvery && (g == nil || other.listed.Before(g.listed)) {
			g = other
		}
	}
	if g == nil {
		h.mu.Unlock()
		return false, nil
	}
	began, until := time.Now(), h.seq
	g.changed, g.listed = false, began
	var to []Audience
	for _, w := range g.watchers {
		if !slices.Contains(to, w.to) {
			to = append(to, w.to)
		}
	}
	h.mu.Unlock()
	list, err := h.o.Tasks.List(ctx, g.key.project, g.key.filter, to)
	h.mu.Lock()
	defer h.mu.Unlock()
	if err != nil {
		g.changed = true
		return false, fmt.Errorf("list tasks: %w", err)
	}
	for _, w := range g.watchers {
		if w.seq <= until {
			h.relist(w, &list)
		}
	}
	for i := range list.States {
		s := &list.States[i]
		if e := h.entries[stdops.TaskRef{Project: g.key.project, Task: s.Task}]; e != nil {
			h.learn(e, s, to, began)
			h.spread(e, until)
		}
	}
	return true, nil
}

// relist compares a list with what a watcher has: new ones get a mark, and of those that have left it is told.
func (h *Hub) relist(w *Watcher, list *List) {
	if w.listing {
		w.listing = false
		w.ring()
	}
	if w.cut != list.Cut {
		w.cut, w.recut = list.Cut, true
		w.ring()
	}
	in := make(map[stdops.TaskID]bool, len(list.States))
	for i := range list.States {
		in[list.States[i].Task] = true
	}
	kept := w.marks[:0:0]
	for _, m := range w.marks {
		if in[m.id] {
			kept = append(kept, m)
			delete(in, m.id)
			continue
		}
		e := h.entries[stdops.TaskRef{Project: w.project, Task: m.id}]
		told := m.at == unknown || e.gone && m.at == e.revision
		h.leave(w, m.id)
		if m.pending {
			w.pending--
		}
		if m.unread {
			w.unread--
		}
		if !told {
			w.gone = append(w.gone, mark{id: m.id, at: m.at})
			w.ring()
		}
	}
	for id := range in {
		m := mark{id: id, at: unknown}
		if i := slices.IndexFunc(w.gone, func(gone mark) bool { return gone.id == id }); i >= 0 { // it is back before that was told
			m = w.gone[i]
			w.gone = slices.Delete(w.gone, i, i+1)
		}
		kept = append(kept, m)
		h.enter(w, id)
	}
	slices.SortFunc(kept, compareMarks)
	w.marks = kept
}
