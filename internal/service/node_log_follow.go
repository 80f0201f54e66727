package service

import (
	"context"
	"strings"

	"github.com/stdops/stdops"
)

// LogFollower reads a log as it grows, each part of it once. It stays with the attempt that its first part was of; while a node
// has none, the first one that begins is meant. One goroutine at a time may use it.
type LogFollower struct {
	svc    *Service
	access *Access
	task   stdops.TaskID
	next   LogQuery
	line   int64 // in which next begins; 0 where nobody has counted
	key    stdops.LogKey
	bell   <-chan struct{}
	stop   func()

	awaiting bool
}

// FollowLog begins to follow a log where a query says; line is the number of the line in which its From is, 0 where that is
// not known.
func (s *Service) FollowLog(a *Access, id stdops.TaskID, q LogQuery, line int64) *LogFollower {
	return &LogFollower{svc: s, access: a, task: id, next: q, line: line}
}

// Next reads what is new; of a log that has not grown that is an empty text.
func (f *LogFollower) Next(ctx context.Context) (*NodeLog, error) {
	log, err := f.svc.NodeLog(ctx, f.access, f.task, f.next)
	if err != nil {
		return nil, err
	}
	if log.Line == 0 {
		log.Line = f.line
	}
	if log.Attempt == 0 {
		return log, nil
	}
	f.hear(log.key)
	f.awaiting = log.awaiting
	f.next.Attempt, f.next.From, f.next.Tail, f.next.Line = log.Attempt, log.Next, 0, 0
	f.line = log.NextLine()
	return log, nil
}

// hear listens to a log. What was written before it listened, and after it was read, is seen by [LogFollower.Grown].
func (f *LogFollower) hear(key stdops.LogKey) {
	if f.stop != nil && f.key == key {
		return
	}
	f.Close()
	f.key = key
	f.bell, f.stop = f.svc.store.HearLog(key)
}

// Bell holds a token when this process has written into the log; it is another one after [LogFollower.Next].
func (f *LogFollower) Bell() <-chan struct{} { return f.bell }

// Hears reports whether the bell tells of all that is written.
func (f *LogFollower) Hears() bool { return !f.svc.store.MissesChanges() }

// Awaits reports whether the log is complete as soon as a call has returned, of which nothing else tells.
func (f *LogFollower) Awaits() bool { return f.awaiting }

// Close ends it.
func (f *LogFollower) Close() {
	if f.stop != nil {
		f.stop()
		f.bell, f.stop = nil, nil
	}
}

// Grown reports whether the log has more than was read. It costs next to nothing, but sees neither
// that a first attempt has begun nor that a log is complete.
func (f *LogFollower) Grown(ctx context.Context) (bool, error) {
	if f.next.Attempt == 0 {
		return false, nil
	}
	size, err := f.svc.store.LogSize(ctx, f.key)
	return size > f.next.From, err
}

// NextLine gives the number of the line in which what comes after the text begins, 0 where nobody has counted.
func (l *NodeLog) NextLine() int64 {
	if l.Line == 0 {
		return 0
	}
	return l.Line + int64(strings.Count(l.Text, "\n"))
}
