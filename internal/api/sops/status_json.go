package sops

import (
	"strconv"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/status"
)

// statusEncoder appends status objects (docs/spec/api.md 1.9.4). It writes by hand: this is what the server does most,
// and a batch holds thousands of them.
type statusEncoder struct {
	times    clock
	task     stdops.TaskID
	children bool
	absent   string // what the outermost object is called when it is about a node that the task does not have or reach

	leave bool  // elapsed times that grow are left out
	gaps  []gap // where they belong
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
	b = e.elapsed(append(b, `,"elapsed_time":`...), s)
	b = e.times.append(append(b, `,"start_time":`...), s.Started)
	b = e.times.append(append(b, `,"finish_time":`...), s.Finished)
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

// elapsed appends the elapsed time, or notes down where one that grows belongs.
func (e *statusEncoder) elapsed(b []byte, s *status.Status) []byte {
	if e.leave && s.Grows {
		e.gaps = append(e.gaps, gap{at: len(b), since: s.Started})
		return b
	}
	return strconv.AppendInt(b, s.Elapsed, 10)
}
