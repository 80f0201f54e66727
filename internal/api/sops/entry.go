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

// entry encodes the entry of a task (docs/spec/api.md 1.7). Its children stand inside of the status, where clients read
// them, and once more in the entry, where the founding page has them.
func (s *sops) entry(t *service.TaskStatus, children bool) *fragment {
	d := drafts.Get().(*draft)
	d.statusEncoder = statusEncoder{
		times: clock{zone: s.zone, text: d.times.text[:0]}, task: t.Task.ID, children: children, leave: true, gaps: d.gaps[:0],
	}
	b, at := d.entry(d.text[:0], t, s.svc.TaskURL(t.Task.Project, t.Task.ID))
	f := &fragment{revision: t.Task.Root.Revision, text: slices.Clone(b), pieces: make([]piece, 0, 3+2*len(d.gaps))}
	if children {
		f.children = count(&t.Status)
		f.cut(0, at.second, d.gaps)
		f.cut(at.from, at.to, d.gaps)
	}
	f.cut(at.second, len(b), d.gaps)
	if d.text = b; cap(b) <= largestDraft {
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
