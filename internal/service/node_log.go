package service

import (
	"context"
	"slices"
	"unicode/utf8"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/store"
)

// LogQuery asks for a part of the log of an attempt of a node.
type LogQuery struct {
	Node    string         // wire id
	Version stdops.Version // that the attempt has or had; "" leaves the choice to Attempt
	Attempt int            // from 1, the oldest; 0 is the newest one
	From    int64          // place of the first byte, as an earlier answer gave it
	Limit   int            // bytes, 4 or more
	Tail    int            // how many of the last lines, instead of From; 0: From counts
	Line    int64          // the line to begin at, from 1, instead of From; 0: From counts
}

// WholeLog is a limit that no log reaches.
const WholeLog = 2 * stdops.MostLog

// NodeLog is a part of the log of an attempt of a node.
type NodeLog struct {
	Node     string // wire id
	Attempt  int    // from 1; 0 when there is none such
	Attempts int
	Text     string
	From     int64 // place of the first byte of the text
	Line     int64 // number of the line in which it begins, from 1; 0 where it was not counted
	Next     int64 // place of the byte after the text
	Size     int64 // of the whole log, so far
	Times    []store.LogTime
	Complete bool // nothing will be added to it

	key      stdops.LogKey // of the attempt
	awaiting bool          // it would be complete if a call were not out still
}

// NodeLog reads from the log of a node; deleted tasks can still be looked at. A node that has not run, or not so often,
// has an empty one.
func (s *Service) NodeLog(ctx context.Context, a *Access, id stdops.TaskID, q LogQuery) (*NodeLog, error) {
	at, err := s.nodeToSee(ctx, a, id, q.Node)
	if err != nil {
		return nil, err
	}
	out := s.engine.CallsOut(a.ref(id), at.index) // first: a call has stored its log before it is out no more
	page := store.LogPage{Version: q.Version, Attempt: q.Attempt, From: q.From, Limit: q.Limit, Tail: q.Tail, Line: q.Line}
	found, err := s.store.NodeLog(ctx, a.ref(id), at.index, page)
	if err != nil {
		return nil, err
	}
	text, from := characters(found.Text, found.From, found.Size)
	never := at.task.Deleted && found.Attempt == 0 // a node of a task that was deleted does not begin any more
	return &NodeLog{
		Node: stdops.NodeID(id, at.index), Attempt: found.Attempt, Attempts: len(found.Attempts),
		Text: text, From: from, Line: found.Line, Next: from + int64(len(text)), Size: found.Size, Times: found.Times,
		Complete: never || complete(found, out),
		key:      found.Key,
		awaiting: len(out) > 0 && !complete(found, out) && complete(found, nil),
	}, nil
}

// characters takes off a text the parts of characters at its ends, and gives where it begins then. What ends with its log
// ends with a character.
func characters(text []byte, from, size int64) (string, int64) {
	for len(text) > 0 && !utf8.RuneStart(text[0]) {
		text = text[1:]
		from++
	}
	if from+int64(len(text)) < size {
		for n := 1; n < utf8.UTFMax && n <= len(text); n++ {
			if end := text[len(text)-n:]; utf8.RuneStart(end[0]) {
				if !utf8.FullRune(end) {
					text = text[:len(text)-n]
				}
				break
			}
		}
	}
	return string(text), from
}

// complete reports whether nothing will be added to a log: its attempt is of the past, or has ended. The log of a node
// that has not run grows as long as the task can go on, and that of an attempt whose call is out until it has returned: a
// script that was failed by force may take a while to end.
func complete(l *store.NodeLog, out []stdops.Version) bool {
	switch {
	case l.Attempt > 0 && slices.ContainsFunc(l.Attempts[l.Attempt-1].Versions, func(v stdops.Version) bool { return slices.Contains(out, v) }):
		return false
	case l.Attempt > 0 && l.Attempt < len(l.Attempts):
		return true
	case l.State == nil || l.State.Order == 0 || l.Attempt == 0:
		return l.Root.State.Ended()
	case l.State.State == stdops.StateRunning: // a node of an ended task that only waits does so for ever
		return l.Root.State.Ended() && l.State.Phase == stdops.PhaseWaiting
	default:
		return l.State.State == stdops.StateFinished || l.State.State == stdops.StateFailed || l.Root.State.Ended()
	}
}
