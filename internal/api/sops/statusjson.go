package sops

import (
	"strconv"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/service"
	"github.com/stdops/stdops/internal/status"
)

// timeLayout is the form of every time in answers about status.
const timeLayout = "2006-01-02 15:04:05 -0700"

// statusEncoder appends status objects (docs/spec/api.md 1.9.4). It writes by hand: this is what the server does most,
// and a batch holds thousands of them.
type statusEncoder struct {
	zone     *time.Location
	task     stdops.TaskID
	children bool
	absent   string // what the outermost object is called when it is about a node that the task does not have or reach
}

// status appends a status object: the keys of the founding page first and in its order.
func (e *statusEncoder) status(b []byte, s *status.Status) []byte {
	b = e.open(b, s)
	if e.children {
		b = e.childrenOf(append(b, `,"children":`...), s)
	}
	return append(b, '}')
}

// open appends a status object but for its end and its children.
func (e *statusEncoder) open(b []byte, s *status.Status) []byte {
	absent := e.absent
	e.absent = ""
	b = e.nodeID(append(b, `{"id":`...), s.Node, absent)
	b = append(b, `,"state":"`...)
	b = append(b, s.State.String()...)
	b = stdops.AppendQuoted(append(b, `","name":`...), s.Name)
	b = strconv.AppendInt(append(b, `,"retry":`...), int64(s.Retry), 10)
	b = strconv.AppendInt(append(b, `,"loop":`...), int64(s.Loop), 10)
	b = strconv.AppendBool(append(b, `,"skip":`...), s.Skip)
	b = strconv.AppendBool(append(b, `,"error_ignorable":`...), s.ErrorIgnored)
	b = stdops.AppendQuoted(append(b, `,"version":`...), string(s.Version))
	b = strconv.AppendInt(append(b, `,"elapsed_time":`...), s.Elapsed, 10)
	b = e.time(append(b, `,"start_time":`...), s.Started)
	b = e.time(append(b, `,"finish_time":`...), s.Finished)
	b = strconv.AppendBool(append(b, `,"error_ignored":`...), s.ErrorIgnored)
	return e.nodeID(append(b, `,"parent_id":`...), s.Parent, absent)
}

// nodeID appends the id of a node, or the text that stands in its place.
func (e *statusEncoder) nodeID(b []byte, node stdops.NodeIndex, absent string) []byte {
	if absent != "" {
		return stdops.AppendQuoted(b, absent)
	}
	b = append(b, '"')
	b = stdops.AppendNodeID(b, e.task, node)
	return append(b, '"')
}

func (e *statusEncoder) childrenOf(b []byte, s *status.Status) []byte {
	b = append(b, '{')
	for i := range s.Children {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '"')
		b = stdops.AppendNodeID(b, e.task, s.Children[i].Node)
		b = append(b, `":`...)
		b = e.status(b, &s.Children[i])
	}
	return append(b, '}')
}

func (e *statusEncoder) time(b []byte, t time.Time) []byte { return appendTime(b, t, e.zone) }

// appendTime appends a time as text, "" for one that is absent.
func appendTime(b []byte, t time.Time, zone *time.Location) []byte {
	b = append(b, '"')
	if !t.IsZero() {
		b = t.In(zone).AppendFormat(b, timeLayout)
	}
	return append(b, '"')
}

// timeText gives a time as text, "" for one that is absent.
func timeText(t time.Time, zone *time.Location) string {
	if t.IsZero() {
		return ""
	}
	return t.In(zone).Format(timeLayout)
}

// entry appends the entry of a task (docs/spec/api.md 1.7). Its children stand inside of the status, where clients read
// them, and once more in the entry, where the founding page has them: encoded once, copied.
func (s *sops) entry(b []byte, t *service.TaskStatus, children bool) []byte {
	e := statusEncoder{zone: s.zone, task: t.Task.ID, children: children}
	task := &t.Task
	b = strconv.AppendInt(append(b, `{"id":`...), int64(task.ID), 10)
	b = stdops.AppendQuoted(append(b, `,"name":`...), task.Name)
	b = e.open(append(b, `,"status":`...), &t.Status)
	from, to := 0, 0
	if children {
		b = append(b, `,"children":`...)
		from = len(b)
		b = e.childrenOf(b, &t.Status)
		to = len(b)
	}
	b = append(b, '}')
	b = e.time(append(b, `,"create_time":`...), task.Created)
	b = e.time(append(b, `,"start_time":`...), task.Root.Started)
	b = e.time(append(b, `,"finish_time":`...), task.Root.Finished)
	b = stdops.AppendQuoted(append(b, `,"url":`...), s.svc.TaskURL(task.Project, task.ID))
	if children {
		b = append(b, `,"children":`...)
		b = append(b, b[from:to]...)
	}
	b = stdops.AppendQuoted(append(b, `,"flow_type":`...), string(task.FlowType))
	b = stdops.AppendQuoted(append(b, `,"current_flow":`...), task.CurrentFlow())
	b = strconv.AppendBool(append(b, `,"is_deleted":`...), task.Deleted)
	if t.Problem != nil {
		b = stdops.AppendQuoted(append(b, `,"error":{"code":3599999,"message":`...), t.Problem.Message)
		b = append(b, '}')
	}
	return append(b, '}')
}
