package sops

import (
	"cmp"
	"slices"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/service"
)

// entries are the entries of an answer, by descending id.
type entries struct {
	tasks     []stdops.TaskID
	fragment  func(i int) *fragment
	size      int // of all, when it is known; never less
	truncated bool
	now       time.Time
}

// key names the fragment of a task that the request is answered with.
func (q *tasksStatusRequest) key(id stdops.TaskID) fragmentKey {
	return fragmentKey{id, q.children, q.packed}
}

// entries gives what is to be answered. When the server kept all of it, and knows it to be current, nothing is read;
// else all is of the moment of one read, in which what was kept is only confirmed.
func (c *call) entries(access *service.Access, q *tasksStatusRequest) (*entries, error) {
	query := q.query()
	kept, err := c.keptEntries(access, q, query.IDs)
	if kept != nil || err != nil {
		return kept, err
	}
	had := map[stdops.TaskID]*fragment{}
	query.Known = func(id stdops.TaskID) (revision int64, ok bool) {
		f := c.sops.fragments.get(q.key(id))
		if f == nil || !f.moment.IsZero() {
			return 0, false
		}
		had[id] = f
		return f.revision, true
	}
	batch, err := c.sops.svc.TaskStatuses(c.ctx, access, query)
	if err != nil {
		return nil, err
	}
	e := &entries{tasks: make([]stdops.TaskID, len(batch.Tasks)), truncated: batch.Truncated, now: batch.Now}
	for i := range batch.Tasks {
		e.tasks[i] = batch.Tasks[i].Task.ID
	}
	e.fragment = func(i int) *fragment {
		t := &batch.Tasks[i]
		if t.Unchanged {
			return had[t.Task.ID]
		}
		return c.newFragment(t, q, e.now)
	}
	return e, nil
}

// keptEntries gives the entries of tasks that were all encoded before and did not change since, nil when it has to be
// looked.
func (c *call) keptEntries(access *service.Access, q *tasksStatusRequest, ids []stdops.TaskID) (*entries, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	slices.SortFunc(ids, func(a, b stdops.TaskID) int { return cmp.Compare(b, a) })
	current, now, err := c.sops.svc.Revisions(c.ctx, access, ids)
	if err != nil {
		return nil, err
	}
	kept, children, size := make([]*fragment, len(ids)), 0, 0
	for i, id := range ids {
		f := c.keptFragment(q.key(id), current[i], now)
		if f == nil {
			return nil, nil
		}
		kept[i] = f
		children += f.children
		size += f.most()
	}
	if children > c.sops.svc.MostChildren() {
		return nil, nil
	}
	return &entries{tasks: ids, fragment: func(i int) *fragment { return kept[i] }, size: size, now: now}, nil
}

// keptFragment gives a fragment of a revision. One that is kept as it is, but not packed, is packed.
func (c *call) keptFragment(key fragmentKey, revision int64, now time.Time) *fragment {
	f := c.sops.fragments.get(key)
	if f != nil && f.revision == revision && f.at(now) {
		return f
	}
	plain := fragmentKey{key.task, key.children, false}
	if f = c.sops.fragments.get(plain); !key.packed || f == nil || f.revision != revision {
		return nil
	}
	f = f.pack(now)
	c.sops.fragments.put(key, f)
	return f
}

// newFragment encodes the entry of a task and keeps it, unless the entry is not whole.
func (c *call) newFragment(t *service.TaskStatus, q *tasksStatusRequest, now time.Time) *fragment {
	f := c.sops.entry(t, q.children)
	if q.packed {
		f = f.pack(now)
	}
	if t.Problem == nil {
		c.sops.fragments.put(q.key(t.Task.ID), f)
	}
	return f
}

func (c *call) writeEntries(e *entries, q *tasksStatusRequest) {
	b := c.out.Begin()
	if q.packed {
		c.out.Pack()
	} else {
		b = c.out.Expect(b, e.size)
	}
	b = append(b, '[')
	for i := range e.tasks {
		if i > 0 {
			b = append(b, ',')
		}
		b = c.addFragment(b, e.fragment(i), e.now)
	}
	extra := stdops.NewObject("missing", q.missing(e.tasks))
	if e.truncated {
		extra.Set("truncated", true)
	}
	c.out.End(append(b, ']'), "", extra)
}

// addFragment adds an entry as it stands at a moment.
func (c *call) addFragment(b []byte, f *fragment, now time.Time) []byte {
	for i := range f.pieces {
		p := &f.pieces[i]
		if text := f.text[p.from:p.to]; f.packed {
			b = c.out.AddDeflated(b, text, p.sum)
		} else {
			b = c.out.Add(b, text)
		}
		b = p.appendElapsed(b, now)
	}
	return b
}
