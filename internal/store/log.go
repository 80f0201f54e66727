package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/stdops/stdops"
)

// maxChunk is how many bytes of a log go into one row.
const maxChunk = 64 << 10

// smallChunk is below how many bytes the last row of a log takes up what comes next.
const smallChunk = 4 << 10

// cutLine ends a log that has reached its limit; it may stand a little beyond the limit.
func cutLine(limit int64) string {
	size := fmt.Sprintf("%d bytes", limit)
	if limit%(1<<20) == 0 {
		size = fmt.Sprintf("%d MiB", limit>>20)
	}
	return "\n[the log ends here: it has reached its limit of " + size + "]\n"
}

// AppendLogs adds pieces to the ends of their logs, all in one transaction, and gives the size of each log after its piece.
// A log that would grow beyond its limit is cut there and ends with a line that says so.
func (s *Store) AppendLogs(ctx context.Context, pieces []stdops.LogPiece) ([]int64, error) {
	sizes := make([]int64, len(pieces))
	err := s.writeBeside(ctx, func(ctx context.Context, tx *sql.Conn, _ *sql.Tx) error {
		if err := s.holdLogs(ctx, tx, pieces); err != nil {
			return err
		}
		now := s.Now()
		for i := range pieces {
			p := pieces[i]
			if p.Begun.IsZero() {
				p.Begun = now
			}
			p.Begun = p.Begun.Truncate(time.Millisecond)
			end, err := endOfLog(ctx, tx, p.LogKey)
			if err != nil {
				return err
			}
			if sizes[i], err = s.appendLog(ctx, tx, &p, end); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.logBells.ring(pieces)
	return sizes, nil
}

// logLock tells the advisory locks of logs from others.
const logLock = 0x73746c67

// holdLogs lets nobody else append to the logs of the same tasks until the transaction has ended: a log may have no row yet
// that could be locked. On SQLite nobody else writes meanwhile.
func (s *Store) holdLogs(ctx context.Context, tx *sql.Conn, pieces []stdops.LogPiece) error {
	if s.pg == nil {
		return nil
	}
	var tasks []int32 // all take them in the same order; two tasks may share a lock
	for i := range pieces {
		tasks = append(tasks, int32(pieces[i].Task))
	}
	slices.Sort(tasks)
	_, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock($1, t) FROM unnest($2::integer[]) t`, logLock, slices.Compact(tasks))
	if err != nil {
		return fmt.Errorf("hold logs: %w", err)
	}
	return nil
}

// logEnd is the last row of a log.
type logEnd struct {
	seq, size int64
	version   stdops.Version
	body      []byte // of a small one
	times     []byte // of a small one
}

// length gives how long the log is.
func (e *logEnd) length() int64 { return e.seq + e.size }

func endOfLog(ctx context.Context, q querier, key stdops.LogKey) (end logEnd, err error) {
	err = q.QueryRowContext(ctx, `
		SELECT seq, size, version, CASE WHEN size < $1 THEN body END, CASE WHEN size < $1 THEN times END FROM log_chunk
		WHERE task_id = $2 AND node = $3 AND loop = $4 AND retry = $5 AND project_id = $6
		ORDER BY seq DESC LIMIT 1`,
		smallChunk, int64(key.Task), int64(key.Node), int64(key.Loop), int64(key.Retry), int64(key.Project),
	).Scan(&end.seq, &end.size, (*string)(&end.version), &end.body, &end.times)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return end, fmt.Errorf("load end of log of node %d of task %d: %w", key.Node, key.Task, err)
	}
	return end, nil
}

// appendLog adds rows to a log. Small pieces of one version are put together into the last row, which keeps their times.
func (s *Store) appendLog(ctx context.Context, tx *sql.Conn, p *stdops.LogPiece, end logEnd) (size int64, err error) {
	size = end.length()
	text := fitting(p.Text, size, s.logLimit)
	var times []LogTime
	if len(text) > 0 && end.body != nil && end.version == p.Version {
		// One that cannot be read any more stays as it is: it must not take the other logs of the transaction with it.
		if before, err := s.unzip.DecodeAll(end.body, nil); err == nil {
			times = withTime(unpackTimes(end.seq, end.times), size, p.Begun)
			text, size = append(before, text...), end.seq
		}
	}
	for len(text) > 0 {
		chunk := text[:min(len(text), maxChunk)]
		text = text[len(chunk):]
		if times == nil {
			times = withTime(nil, size, p.Begun)
		}
		_, err := tx.ExecContext(ctx, `
			INSERT INTO log_chunk (project_id, task_id, node, loop, retry, seq, version, size, body, times)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
			ON CONFLICT (task_id, node, loop, retry, seq) DO UPDATE SET size = excluded.size, body = excluded.body, times = excluded.times`,
			int64(p.Project), int64(p.Task), int64(p.Node), int64(p.Loop), int64(p.Retry), size, string(p.Version),
			int64(len(chunk)), s.zip.EncodeAll(chunk, nil), packTimes(size, times))
		if err != nil {
			return 0, fmt.Errorf("append to log of node %d of task %d: %w", p.Node, p.Task, err)
		}
		size += int64(len(chunk))
		times = nil
	}
	return size, nil
}

// fitting gives what of a text a log of some size still takes. The cut is never inside of a character.
func fitting(text []byte, size, limit int64) []byte {
	room := limit - size
	switch {
	case room <= 0:
		return nil
	case int64(len(text)) < room:
		return text
	}
	kept := text[:room]
	for len(kept) > 0 && room < int64(len(text)) && !utf8.RuneStart(text[len(kept)]) {
		kept = kept[:len(kept)-1]
	}
	return append(kept[:len(kept):len(kept)], cutLine(limit)...)
}

// LoggedAttempt is an attempt of a node, which may have a log.
type LoggedAttempt struct {
	Loop, Retry int32
	Versions    []stdops.Version // those that it has had; its present one is among them
}

// LogPage asks for a part of the log of one attempt of a node.
type LogPage struct {
	Version stdops.Version // that the attempt has or had; "" leaves the choice to Attempt
	Attempt int            // from 1, the oldest; 0 is the newest one
	From    int64          // place of the first byte
	Limit   int            // bytes
	Tail    int            // how many of the last lines are meant, instead of From; 0: From counts
	Line    int64          // the line to begin at, from 1, instead of From; 0: From counts
}

// NodeLog is a part of the log of an attempt, with how its node stood at the same moment.
type NodeLog struct {
	Root     stdops.RootState
	State    *stdops.NodeState // nil: never reached
	Attempts []LoggedAttempt   // oldest first
	Attempt  int               // the one that was asked for, from 1; 0 when there is none such
	Key      stdops.LogKey     // of that attempt
	From     int64             // place of the first byte of Text
	Line     int64             // number of the line in which Text begins, from 1; 0 when it was not counted
	Text     []byte
	Times    []LogTime // of the parts that Text is of; the first may begin before it
	Size     int64     // of the whole log
}

// NodeLog reads from the log of a node. That the tree has such a node is not checked here.
func (s *Store) NodeLog(ctx context.Context, ref stdops.TaskRef, node stdops.NodeIndex, page LogPage) (*NodeLog, error) {
	l := &NodeLog{}
	err := s.read(ctx, func(ctx context.Context, tx *sql.Tx) error {
		task, err := findWhole(ctx, tx, ref)
		if err != nil {
			return err
		}
		l.Root = task.Root
		if l.State, _, err = findNode(ctx, tx, ref.Task, node); err != nil {
			return err
		}
		if l.Attempts, err = loggedAttempts(ctx, tx, ref, node); err != nil {
			return err
		}
		if l.Attempt = page.choose(l.Attempts); l.Attempt == 0 {
			return nil
		}
		chosen := l.Attempts[l.Attempt-1]
		l.Key = stdops.LogKey{TaskRef: ref, Node: node, Loop: chosen.Loop, Retry: chosen.Retry}
		return s.readLog(ctx, tx, l, page)
	})
	if err != nil {
		return nil, err
	}
	return l, nil
}

func (p *LogPage) choose(from []LoggedAttempt) int {
	switch {
	case p.Version != "":
		return 1 + slices.IndexFunc(from, func(a LoggedAttempt) bool { return slices.Contains(a.Versions, p.Version) })
	case p.Attempt == 0:
		return len(from)
	case p.Attempt > len(from):
		return 0
	default:
		return p.Attempt
	}
}

// loggedAttempts lists the attempts of a node: those that are kept, the present one, and whatever has written a log.
func loggedAttempts(ctx context.Context, q querier, ref stdops.TaskRef, node stdops.NodeIndex) ([]LoggedAttempt, error) {
	type row struct {
		loop, retry int32
		version     stdops.Version
	}
	rows, err := q.QueryContext(ctx, `
		SELECT loop, retry, version FROM node_attempt WHERE task_id = $1 AND node = $2 AND project_id = $3
		UNION SELECT loop, retry, version FROM node_state WHERE task_id = $1 AND node = $2 AND project_id = $3 AND ord > 0
		UNION SELECT loop, retry, version FROM log_chunk WHERE task_id = $1 AND node = $2 AND project_id = $3
		ORDER BY 1, 2, 3`,
		int64(ref.Task), int64(node), int64(ref.Project))
	found, err := collect(rows, err, func(r *row) []any { return []any{number(&r.loop), number(&r.retry), (*string)(&r.version)} })
	if err != nil {
		return nil, fmt.Errorf("load attempts of node %d of task %d: %w", node, ref.Task, err)
	}
	var all []LoggedAttempt
	for _, r := range found {
		if last := len(all) - 1; last >= 0 && all[last].Loop == r.loop && all[last].Retry == r.retry {
			all[last].Versions = append(all[last].Versions, r.version)
			continue
		}
		all = append(all, LoggedAttempt{Loop: r.loop, Retry: r.retry, Versions: []stdops.Version{r.version}})
	}
	return all, nil
}
