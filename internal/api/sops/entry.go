package sops

import (
	"slices"
	"strconv"
	"sync"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/service"
	"github.com/stdops/stdops/internal/status"
)

// draft is what an entry is encoded into before its size is known.
type draft struct {
	statusEncoder
	text []byte
}

// drafts are used again; one that grew beyond largestDraft is not.
var drafts = sync.Pool{New: func() any { return &draft{} }}

const largestDraft = 1 << 20

// commonStatus is the length of a status object in most trees.
const commonStatus = 420

// entry encodes the entry of a task (docs/spec/api.md 1.7). Its children stand inside of the status, where clients read
// them, and once more in the entry, where the founding page has them; whole says whether they are wanted.
func (s *sops) entry(t *service.TaskStatus, whole bool) *fragment {
	d := drafts.Get().(*draft)
	d.statusEncoder = statusEncoder{
		times: clock{zone: s.zone, text: d.times.text[:0]}, task: t.Task.ID, children: whole, leave: true, gaps: d.gaps[:0],
	}
	children := 0
	if whole {
		children = count(&t.Status)
	}
	b, at := d.entry(slices.Grow(d.text[:0], (children+2)*commonStatus), t, s.svc.TaskURL(t.Task.Project, t.Task.ID))
	f := &fragment{revision: t.Task.Root.Revision, children: children, pieces: make([]piece, 0, 3+2*len(d.gaps))}
	if cap(b) > largestDraft && len(b) > cap(b)*3/4 { // it would be thrown away, and fits well enough
		f.text, d.text = b, nil
	} else {
		f.text, d.text = slices.Clone(b), b
	}
	if whole {
		f.cut(0, at.second, d.gaps)
		f.cut(at.from, at.to, d.gaps)
	}
	f.cut(at.second, len(b), d.gaps)
	if cap(d.text) <= largestDraft {
		drafts.Put(d)
	}
	return f
}

// places says where the children of an entry stand, and where they belong once more.
type places struct{ from, to, second int }

// entry appends an entry with its children once.
func (d *draft) entry(b []byte, t *service.TaskStatus, url string) ([]byte, places) {
	var at places
	task := &t.Task
	b = strconv.AppendInt(append(b, `{"id":`...), int64(task.ID), 10)
	b = stdops.AppendQuoted(append(b, `,"name":`...), task.Name)
	b = d.open(append(b, `,"status":`...), &t.Status)
	if d.children {
		b = append(b, `,"children":`...)
		at.from = len(b)
		b = d.childrenOf(b, &t.Status)
		at.to = len(b)
	}
	b = append(b, '}')
	b = d.times.append(append(b, `,"create_time":`...), task.Created)
	b = d.times.append(append(b, `,"start_time":`...), task.Root.Started)
	b = d.times.append(append(b, `,"finish_time":`...), task.Root.Finished)
	b = stdops.AppendQuoted(append(b, `,"url":`...), url)
	if d.children {
		b = append(b, `,"children":`...)
		at.second = len(b)
	}
	b = stdops.AppendQuoted(append(b, `,"flow_type":`...), string(task.FlowType))
	b = stdops.AppendQuoted(append(b, `,"current_flow":`...), task.CurrentFlow())
	b = strconv.AppendBool(append(b, `,"is_deleted":`...), task.Deleted)
	if t.Problem != nil {
		b = stdops.AppendQuoted(append(b, `,"error":{"code":3599999,"message":`...), t.Problem.Message)
		b = append(b, '}')
	}
	return append(b, '}'), at
}

func count(s *status.Status) int {
	n := len(s.Children)
	for i := range s.Children {
		n += count(&s.Children[i])
	}
	return n
}
