package store

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"time"

	"github.com/stdops/stdops"
)

// LogSize gives how long a log is by now.
func (s *Store) LogSize(ctx context.Context, key stdops.LogKey) (int64, error) {
	end, err := endOfLog(ctx, s.readers, key)
	return end.length(), explain(err)
}

// readLog reads the part of a log that a page asks for.
func (s *Store) readLog(ctx context.Context, q querier, l *NodeLog, page LogPage) error {
	end, err := endOfLog(ctx, q, l.Key)
	if err != nil {
		return err
	}
	l.Size = end.length()
	switch {
	case page.Tail > 0:
		err = s.logTail(ctx, q, l, page)
	case page.Line > 0:
		if l.From, l.Line, err = s.beginOfLine(ctx, q, l, page.Line); err == nil {
			err = s.logText(ctx, q, l, page.Limit)
		}
	default:
		if l.From = page.From; l.From == 0 {
			l.Line = 1
		}
		err = s.logText(ctx, q, l, page.Limit)
	}
	l.Times = timesOfPart(l.Times, l.From, l.From+int64(len(l.Text)))
	return err
}

// logTail reads the last lines of a log, and counts those before them.
func (s *Store) logTail(ctx context.Context, q querier, l *NodeLog, page LogPage) error {
	l.From = max(0, l.Size-int64(page.Limit))
	inside := l.From > 0 // of the log, where a line may have begun before
	if inside {
		l.From-- // to see whether one has
	}
	if err := s.logText(ctx, q, l, int(l.Size-l.From)); err != nil {
		return err
	}
	l.Text = lastLines(l.Text, page.Tail, inside)
	l.From = l.Size - int64(len(l.Text))
	before, err := s.countLines(ctx, q, l.Key, l.From)
	l.Line = before + 1
	return err
}

// lastLines gives the last lines of a text; one without an end counts too. Of a text that begins inside of a log the first
// byte stands in front of what is meant. A line whose beginning is not there is left out, unless it is the only one.
func lastLines(text []byte, n int, inside bool) []byte {
	if inside && len(text) > 0 {
		at := bytes.IndexByte(text, '\n')
		if at < 0 || at == len(text)-1 {
			at = 0
		}
		text = text[at+1:]
	}
	at := len(bytes.TrimSuffix(text, []byte{'\n'}))
	for ; n > 0 && at >= 0; n-- {
		at = bytes.LastIndexByte(text[:at], '\n')
	}
	return text[at+1:]
}

// countLines counts the lines that end before a place of a log.
func (s *Store) countLines(ctx context.Context, q querier, key stdops.LogKey, until int64) (lines int64, err error) {
	err = s.eachChunk(ctx, q, logPart{key, 0, until}, func(c logChunk) bool {
		lines += int64(bytes.Count(c.body[:min(int64(len(c.body)), until-c.seq)], []byte{'\n'}))
		return true
	})
	return lines, err
}

// beginOfLine gives where a line of a log begins; of one that there is not yet it gives the end of the log, and the number
// of the line that is there.
func (s *Store) beginOfLine(ctx context.Context, q querier, l *NodeLog, wanted int64) (from, line int64, err error) {
	line = 1
	if wanted == 1 {
		return 0, 1, nil
	}
	from = l.Size
	err = s.eachChunk(ctx, q, logPart{l.Key, 0, math.MaxInt64}, func(c logChunk) bool {
		for rest := c.body; ; {
			i := bytes.IndexByte(rest, '\n')
			if i < 0 {
				return true
			}
			rest = rest[i+1:]
			if line++; line == wanted {
				from = c.seq + int64(len(c.body)-len(rest))
				return false
			}
		}
	})
	return from, line, err
}

// logText reads a part of a log from where it begins, and the times of what it read.
func (s *Store) logText(ctx context.Context, q querier, l *NodeLog, limit int) error {
	err := s.eachChunk(ctx, q, logPart{l.Key, l.From, l.From + int64(limit)}, func(c logChunk) bool {
		l.Text = append(l.Text, c.body[min(max(l.From-c.seq, 0), int64(len(c.body))):]...)
		times := unpackTimes(c.seq, c.times)
		if len(times) == 0 || times[0].From > c.seq {
			l.Times = withTime(l.Times, c.seq, time.Time{})
		}
		for _, t := range times {
			l.Times = withTime(l.Times, t.From, t.At)
		}
		return true
	})
	l.Text = l.Text[:min(len(l.Text), limit)]
	return err
}

// logPart is a part of a log, from a place to that before which it ends.
type logPart struct {
	key         stdops.LogKey
	from, until int64
}

// logChunk is a row of a log.
type logChunk struct {
	seq         int64 // place of its first byte
	body, times []byte
}

// eachChunk hands out the rows of a part of a log as long as more are wanted; the one in which it begins is the last one that
// does not begin after it. A body is good until the next one comes.
func (s *Store) eachChunk(ctx context.Context, q querier, part logPart, hand func(logChunk) (more bool)) error {
	key := part.key
	rows, err := q.QueryContext(ctx, `
		SELECT seq, body, times FROM log_chunk
		WHERE task_id = $1 AND node = $2 AND loop = $3 AND retry = $4 AND project_id = $5 AND seq > $6 AND seq < $7
		ORDER BY seq`,
		int64(key.Task), int64(key.Node), int64(key.Loop), int64(key.Retry), int64(key.Project),
		part.from-maxChunk, part.until)
	if err != nil {
		return fmt.Errorf("load log of node %d of task %d: %w", key.Node, key.Task, err)
	}
	defer rows.Close()
	var body []byte
	for rows.Next() {
		var c logChunk
		var packed []byte
		if err := rows.Scan(&c.seq, &packed, &c.times); err != nil {
			return fmt.Errorf("load log of node %d of task %d: %w", key.Node, key.Task, err)
		}
		if body, err = s.unzip.DecodeAll(packed, body[:0]); err != nil {
			return fmt.Errorf("inflate log of node %d of task %d: %w", key.Node, key.Task, err)
		}
		if c.body = body; !hand(c) {
			return nil
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("load log of node %d of task %d: %w", key.Node, key.Task, err)
	}
	return nil
}
