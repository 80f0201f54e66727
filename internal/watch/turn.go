package watch

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/stdops/stdops"
)

// Run reads what has changed and hands it out, until ctx ends. Lists are read beside it: one can take long.
func (h *Hub) Run(ctx context.Context) {
	var lists sync.WaitGroup
	lists.Go(func() { h.runLists(ctx) })
	defer lists.Wait()
	swept := time.Now()
	timer := time.NewTimer(sweepEvery)
	defer timer.Stop()
	for took := time.Duration(0); ; {
		select {
		case <-ctx.Done():
			return
		case <-h.kick:
			if !pause(ctx, max(gather, min(took, gatherMost))) { // what takes long is not done all the time
				return
			}
		case <-timer.C:
		}
		if h.o.Misses && time.Since(swept) >= sweepEvery {
			swept = time.Now()
			h.sweep()
		}
		began := time.Now()
		err := h.turn(ctx)
		took = time.Since(began)
		if err != nil && ctx.Err() == nil {
			h.o.Log.WarnContext(ctx, "what has changed can not be read at the moment", "error", err)
			if !pause(ctx, retryAfter) {
				return
			}
			h.kickOff()
		}
		timer.Reset(h.nextTurn(swept))
	}
}

func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// nextTurn tells how long nothing is to be done, unless something is heard.
func (h *Hub) nextTurn(swept time.Time) time.Duration {
	if h.o.Misses {
		return max(sweepEvery-time.Since(swept), gather)
	}
	return time.Hour
}

// sweep lets all revisions be asked for, and lists be read that may be out of date.
func (h *Hub) sweep() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.doubt(relistEvery)
}

// doubt has all revisions checked, and lists read again that were not read for a while.
func (h *Hub) doubt(age time.Duration) {
	for _, e := range h.entries {
		h.toCheck(e)
	}
	for _, g := range h.groups {
		if time.Since(g.listed) >= age {
			h.toList(g)
		}
	}
}

// listen looks into what was heard.
func (h *Hub) listen() {
	changed, projects, missed := h.heard.take()
	for ref, revision := range changed {
		if e := h.entries[ref]; e != nil && revision > e.revision {
			h.toRead(e)
		}
	}
	for _, g := range h.groups {
		if _, ok := projects[g.key.project]; ok {
			h.toList(g)
		}
	}
	if missed {
		h.doubt(0)
	}
}

// turn reads all tasks that are to be read. What could not be read is left for the next turn.
func (h *Hub) turn(ctx context.Context) error {
	h.mu.Lock()
	h.listen()
	h.mu.Unlock()
	for _, step := range []func(context.Context) (more bool, err error){h.checkSome, h.readSome} {
		for more := true; more; {
			var err error
			if more, err = step(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkSome asks for the revisions of tasks, and lets those be read that have moved on.
func (h *Hub) checkSome(ctx context.Context) (more bool, err error) {
	h.mu.Lock()
	n := min(len(h.check), mostChecked)
	some, until := slices.Clone(h.check[:n]), h.seq
	if h.check = h.check[n:]; len(h.check) == 0 {
		h.check = nil
	}
	for _, e := range some {
		e.check = false
	}
	h.mu.Unlock()
	if n == 0 {
		return false, nil
	}
	ids := make([]stdops.TaskID, n)
	for i, e := range some {
		ids[i] = e.ref.Task
	}
	slices.Sort(ids)
	found, err := h.o.Tasks.Revisions(ctx, slices.Compact(ids))
	h.mu.Lock()
	defer h.mu.Unlock()
	if err != nil {
		for _, e := range some {
			h.toCheck(e)
		}
		return false, fmt.Errorf("ask for revisions: %w", err)
	}
	revisions := make(map[stdops.TaskRef]int64, len(found))
	for _, f := range found {
		revisions[f.Ref] = f.Revision
	}
	for _, e := range some {
		revision, ok := revisions[e.ref]
		if !ok {
			revision = absent
		}
		h.checked(e, revision, until)
	}
	return true, nil
}

// checked compares the revision of a task with what its watchers were told, those that were there when it was asked for.
func (h *Hub) checked(e *entry, revision, until int64) {
	behind := revision > e.revision && e.revision != unknown
	for _, w := range e.watchers {
		m := w.find(e.ref.Task)
		if w.seq > until || m.unread {
			continue
		}
		if m.at > revision && m.at > e.revision { // it comes from before the record went back: a backup was restored
			m.at = unknown
		}
		behind = behind || m.at < revision && !m.pending
	}
	if behind {
		h.toRead(e)
	}
}

// readSome reads how some tasks of one project stand, and has their watchers told.
func (h *Hub) readSome(ctx context.Context) (more bool, err error) {
	h.mu.Lock()
	var some, rest []*entry
	for _, e := range h.dirty {
		if len(some) < mostRead && e.ref.Project == h.dirty[0].ref.Project {
			some = append(some, e)
			e.dirty, e.reading = false, true
		} else {
			rest = append(rest, e)
		}
	}
	h.dirty = rest
	some = slices.DeleteFunc(some, func(e *entry) bool { return len(e.watchers) == 0 }) // nobody finds it any more
	until, began := h.seq, time.Now()
	q := question(some)
	h.mu.Unlock()
	if len(some) == 0 {
		return len(rest) > 0, nil
	}
	states, err := h.o.Tasks.Read(ctx, q)
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range some {
		e.reading = false
	}
	if err != nil {
		for _, e := range some {
			h.toRead(e)
		}
		return false, fmt.Errorf("read tasks: %w", err)
	}
	found := make(map[stdops.TaskID]*State, len(states))
	for i := range states {
		found[states[i].Task] = &states[i]
	}
	for _, e := range some {
		state := found[e.ref.Task]
		if state == nil {
			state = &State{Task: e.ref.Task, Revision: absent, Gone: true}
		}
		h.learn(e, state, q.To, began)
		h.spread(e, until)
	}
	return true, nil
}

// question asks for all that the watchers of some tasks are to be told.
func question(entries []*entry) (q Question) {
	for _, e := range entries {
		q.Project, q.IDs = e.ref.Project, append(q.IDs, e.ref.Task)
		nodes := false
		for _, w := range e.watchers {
			nodes = nodes || w.nodes
			if !slices.Contains(q.To, w.to) {
				q.To = append(q.To, w.to)
			}
		}
		if nodes {
			q.Nodes = append(q.Nodes, e.ref.Task)
		}
	}
	slices.Sort(q.IDs)
	q.IDs = slices.Compact(q.IDs)
	return q
}

// learn keeps how a task stands, unless something newer is known. Where somebody watches it who is to be told more than
// was read, it is read once more.
func (h *Hub) learn(e *entry, s *State, to []Audience, read time.Time) {
	if s.Revision < e.revision {
		return
	}
	if s.Revision > e.revision || s.Gone {
		e.encoded, e.nodes = nil, nil
	}
	e.revision, e.gone, e.read = s.Revision, s.Gone, read
	if s.Gone {
		return
	}
	for i := range to {
		e.encode(to[i], s.Encoded[i])
	}
	if s.Nodes != nil {
		e.nodes = s.Nodes
	}
	for _, w := range e.watchers {
		if !e.complete(w) {
			h.toRead(e)
		}
	}
}

// spread has the watchers of a task told that know less of it. Who has begun to watch after it was read waits for the reading
// that was asked for then.
func (h *Hub) spread(e *entry, until int64) {
	for _, w := range e.watchers {
		m := w.find(e.ref.Task)
		if m.at < e.revision && (w.seq <= until || !m.unread) {
			w.mark(m)
		}
	}
}
