package v1

import (
	"strconv"
	"sync"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/client"
	"github.com/stdops/stdops/internal/watch"
)

// texts are used again: most of the time a stream says nothing, and then it needs none.
var texts = sync.Pool{New: func() any { return new([]byte) }}

// largestText is how large a text may be that is kept for the next one.
const largestText = 64 << 10

func withText(use func(b []byte) []byte, tell func([]byte) bool) bool {
	kept := texts.Get().(*[]byte)
	text := use((*kept)[:0])
	told := len(text) == 0 || tell(text)
	if cap(text) <= largestText {
		*kept = text
		texts.Put(kept)
	}
	return told
}

// tellNew tells what is new. Only the last event has the cursor: one that is lost before it comes again.
func tellNew(tell func([]byte) bool, d *watch.Delivery) bool {
	return withText(func(b []byte) []byte {
		if d.Cursor != "" {
			var id string
			tasks := len(d.Tasks) > 0 || len(d.Gone) == 0 || d.Recut
			if len(d.Gone) > 0 {
				if !tasks {
					id = d.Cursor
				}
				b = appendIDs(append(begin(b, client.EventGone, id), `{"ids":`...), d.Gone)
				b = append(appendNow(append(b, ','), d.Now), "}\n\n"...)
			}
			for i := range d.Nodes {
				b = append(appendNodes(begin(b, client.EventNodes, ""), &d.Nodes[i]), "\n\n"...)
			}
			if tasks {
				b = appendTasks(append(begin(b, client.EventTasks, d.Cursor), '{'), d.Tasks)
				b = appendCut(b, d.Cut)
				b = append(appendNow(append(b, ','), d.Now), "}\n\n"...)
			}
		}
		return appendEnd(b, d.End)
	}, tell)
}

// tellAlive tells that the stream is, or that it is not for long.
func tellAlive(tell func([]byte) bool, now time.Time, end string) bool {
	return withText(func(b []byte) []byte {
		b = append(appendNow(append(begin(b, client.EventPing, ""), '{'), now), "}\n\n"...)
		return appendEnd(b, end)
	}, tell)
}

func begin(b []byte, event, id string) []byte {
	b = append(append(append(b, "event: "...), event...), '\n')
	if id != "" {
		b = append(append(append(b, "id: "...), id...), '\n')
	}
	return append(b, "data: "...)
}

func appendEnd(b []byte, reason string) []byte {
	if reason == "" {
		return b
	}
	b = append(begin(b, client.EventEnd, ""), `{"reason":`...)
	return append(stdops.AppendQuoted(b, reason), "}\n\n"...)
}

// appendAllNodes appends what is new of nodes to an answer, where something is.
func appendAllNodes(b []byte, all []watch.Nodes) []byte {
	if len(all) == 0 {
		return b
	}
	b = append(b, `,"nodes":[`...)
	for i := range all {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendNodes(b, &all[i])
	}
	return append(b, ']')
}

func appendNodes(b []byte, n *watch.Nodes) []byte {
	b = strconv.AppendInt(append(b, `{"task":`...), int64(n.Task), 10)
	b = strconv.AppendInt(append(b, `,"revision":`...), n.Revision, 10)
	b = appendList(append(b, `,"nodes":[`...), n.Nodes)
	if len(n.Gone) > 0 {
		b = appendIDs(append(b, `,"gone":`...), n.Gone)
	}
	return append(b, '}')
}

func appendTasks(b []byte, tasks [][]byte) []byte {
	return appendList(append(b, `"tasks":[`...), tasks)
}

// appendCut appends that a list was cut, where it was.
func appendCut(b []byte, cut bool) []byte {
	if !cut {
		return b
	}
	return append(b, `,"cut":true`...)
}

func appendList(b []byte, texts [][]byte) []byte {
	for i, text := range texts {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, text...)
	}
	return append(b, ']')
}

func appendIDs[T ~int64 | ~uint16 | ~uint32 | ~int32](b []byte, ids []T) []byte {
	b = append(b, '[')
	for i, id := range ids {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, int64(id), 10)
	}
	return append(b, ']')
}

func appendNow(b []byte, now time.Time) []byte {
	return append(now.AppendFormat(append(b, `"now":"`...), time.RFC3339Nano), '"')
}
