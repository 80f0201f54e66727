package sops

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/service"
	"github.com/stdops/stdops/internal/status"
)

// newestTasks is how many tasks are told about when a caller names none.
const newestTasks = 50

// tasksStatusRequest is the body of get_tasks_status.
type tasksStatusRequest struct {
	asked    []askedID
	listed   bool // false: no list was sent, the newest tasks are meant
	children bool
}

// readTasksStatus checks the body in the order that callers see: list, length, items, flags.
func readTasksStatus(body *stdops.Object) (q tasksStatusRequest, err error) {
	if q.asked, q.listed, err = askedIDs(body, mostIDs, "task_id_list is too long, maximum length is "+strconv.Itoa(mostIDs)); err != nil {
		return q, err
	}
	wrong := fieldErrors{}
	q.children = wrong.flag(body, "include_children_status")
	wrong.flag(body, "include_edit_info")
	wrong.flag(body, "include_webhook_history")
	return q, wrong.refusal(stdops.CodeInvalid)
}

// getTasksStatus tells how many tasks stand (docs/spec/api.md 1).
func getTasksStatus(c *call) error {
	access, err := c.project()
	if err != nil {
		return err
	}
	if err := access.Require(service.ProjectView); err != nil {
		return err
	}
	if c.body.Empty {
		return invalid("request body is not a valid json")
	}
	q, err := readTasksStatus(c.body.Object)
	if err != nil {
		return err
	}
	entries, err := c.entries(access, &q)
	if err != nil {
		return err
	}
	c.writeEntries(entries, &q)
	return nil
}

func (q *tasksStatusRequest) query() service.StatusQuery {
	to := service.StatusQuery{Newest: newestTasks, Children: q.children}
	if q.listed {
		to.IDs = taskIDs(q.asked)
	}
	return to
}

// entries are the entries of an answer, by descending id.
type entries struct {
	tasks     []stdops.TaskID
	fragment  func(i int) *fragment
	size      int // of all, when it is known; never less
	truncated bool
	now       time.Time
}

// entries gives what is to be answered. When the server kept all of it, and knows it to be current, nothing is read;
// else all is of the moment of one read, in which what was kept is only confirmed.
func (c *call) entries(access *service.Access, q *tasksStatusRequest) (*entries, error) {
	query := q.query()
	kept, err := c.keptEntries(access, query)
	if kept != nil || err != nil {
		return kept, err
	}
	had := map[stdops.TaskID]*fragment{}
	query.Known = map[stdops.TaskID]int64{}
	for _, id := range query.IDs {
		if f := c.sops.fragments.get(fragmentKey{id, q.children}); f != nil {
			had[id], query.Known[id] = f, f.revision
		}
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
		return c.newFragment(t, q.children)
	}
	return e, nil
}

// keptEntries gives the entries of tasks that were all encoded before and did not change since, nil when it has to be
// looked.
func (c *call) keptEntries(access *service.Access, q service.StatusQuery) (*entries, error) {
	if len(q.IDs) == 0 {
		return nil, nil
	}
	slices.SortFunc(q.IDs, func(a, b stdops.TaskID) int { return cmp.Compare(b, a) })
	current, now, err := c.sops.svc.Revisions(c.ctx, access, q.IDs)
	if err != nil {
		return nil, err
	}
	kept, children, size := make([]*fragment, len(q.IDs)), 0, 0
	for i, id := range q.IDs {
		f := c.sops.fragments.get(fragmentKey{id, q.Children})
		if f == nil || f.revision != current[i] {
			return nil, nil
		}
		kept[i] = f
		children += f.children
		size += f.most()
	}
	if children > c.sops.svc.MostChildren() {
		return nil, nil
	}
	return &entries{tasks: q.IDs, fragment: func(i int) *fragment { return kept[i] }, size: size, now: now}, nil
}

// newFragment encodes the entry of a task and keeps it, unless the entry is not whole.
func (c *call) newFragment(t *service.TaskStatus, children bool) *fragment {
	f := c.sops.entry(t, children)
	if t.Problem == nil {
		c.sops.fragments.put(fragmentKey{t.Task.ID, children}, f)
	}
	return f
}

func (c *call) writeEntries(e *entries, q *tasksStatusRequest) {
	b := append(c.out.Expect(c.out.Begin(), e.size), '[')
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
		b = c.out.Add(b, f.text[p.from:p.to])
		if !p.since.IsZero() {
			b = strconv.AppendInt(b, status.Elapsed(p.since, time.Time{}, now), 10)
		}
	}
	return b
}

func (q *tasksStatusRequest) missing(found []stdops.TaskID) []any {
	if len(found) >= len(q.asked) { // all that were asked for, or the newest
		return []any{}
	}
	had := make(map[stdops.TaskID]bool, len(found))
	for _, id := range found {
		had[id] = true
	}
	return missing(q.asked, had)
}
