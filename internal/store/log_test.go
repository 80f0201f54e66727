package store

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops"
)

func appendLogs(t *testing.T, s *Store, pieces ...stdops.LogPiece) []int64 {
	t.Helper()
	sizes, err := s.AppendLogs(t.Context(), pieces)
	if err != nil {
		t.Fatal(err)
	}
	return sizes
}

func nodeLog(t *testing.T, s *Store, task stdops.Task, page LogPage) *NodeLog {
	t.Helper()
	l, err := s.NodeLog(t.Context(), ref(task), 1, page)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

const wholeLog = 2 * stdops.DefaultLog

func TestNodeLog_tail(t *testing.T) {
	t.Parallel()
	s := setup(t)
	task := createTask(t, s, newTask("one"))
	key := stdops.LogKey{TaskRef: ref(task), Node: 1, Loop: 1}
	long := strings.Repeat("x", maxChunk) // the last lines lie in several chunks
	text := "one\n\nthree\n" + long + "\nfive"
	appendLogs(t, s, stdops.LogPiece{LogKey: key, Version: "v1", Text: []byte(text)})
	for _, c := range []struct {
		tail, limit int
		want        string
		line        int64
	}{
		{1, wholeLog, "five", 5},
		{2, wholeLog, long + "\nfive", 4},
		{3, wholeLog, "three\n" + long + "\nfive", 3},
		{4, wholeLog, "\nthree\n" + long + "\nfive", 2},
		{5, wholeLog, text, 1},
		{99, wholeLog, text, 1},
		{3, 10, "five", 5}, // the line before is not there from its beginning
		{3, 4, "five", 5},
		{3, maxChunk + 4, "five", 5},
		{3, maxChunk + 5, long + "\nfive", 4},
		{3, maxChunk + 6, long + "\nfive", 4},
		{1, 3, "ive", 5},
	} {
		got := nodeLog(t, s, task, LogPage{Tail: c.tail, Limit: c.limit, From: 3})
		if string(got.Text) != c.want || got.From+int64(len(c.want)) != got.Size || got.Size != int64(len(text)) || got.Line != c.line {
			t.Errorf("the last %d lines, %d bytes: %d bytes from %d of %d, line %d, want %d, line %d",
				c.tail, c.limit, len(got.Text), got.From, got.Size, got.Line, len(c.want), c.line)
		}
	}
	appendLogs(t, s, stdops.LogPiece{LogKey: key, Version: "v1", Text: []byte("\n")})
	if got := nodeLog(t, s, task, LogPage{Tail: 1, Limit: wholeLog}); string(got.Text) != "five\n" || got.Line != 5 {
		t.Errorf("with an end of line: %q, line %d", got.Text, got.Line)
	}
	if got := nodeLog(t, s, task, LogPage{Tail: 9, Limit: 4}); string(got.Text) != "ive\n" {
		t.Errorf("a line that is longer than what was asked for: %q", got.Text)
	}
	key.Node = 2
	if got, err := s.NodeLog(t.Context(), ref(task), 2, LogPage{Tail: 1, Limit: 9}); err != nil || len(got.Text) > 0 || got.From != 0 {
		t.Errorf("no log: %+v, %v", got, err)
	}
}

func TestNodeLog_begins_at_a_line(t *testing.T) {
	t.Parallel()
	s := setup(t)
	task := createTask(t, s, newTask("one"))
	key := stdops.LogKey{TaskRef: ref(task), Node: 1, Loop: 1}
	long := strings.Repeat("x", maxChunk) // lines begin in several chunks
	text := "one\n\n" + long + "\nfour\n" + long + "\n"
	appendLogs(t, s, stdops.LogPiece{LogKey: key, Version: "v1", Text: []byte(text)})
	for _, c := range []struct {
		wanted, line int64
		from         int
	}{
		{1, 1, 0},
		{2, 2, 4},
		{3, 3, 5},
		{4, 4, 6 + maxChunk},
		{5, 5, 11 + maxChunk},
		{6, 6, len(text)},
		{7, 6, len(text)},
		{1 << 40, 6, len(text)},
	} {
		got := nodeLog(t, s, task, LogPage{Line: c.wanted, Limit: 5, From: 3})
		want := text[c.from:min(len(text), c.from+5)]
		if got.Line != c.line || got.From != int64(c.from) || string(got.Text) != want {
			t.Errorf("line %d: line %d from %d %q, want line %d from %d %q", c.wanted, got.Line, got.From, got.Text, c.line, c.from, want)
		}
		size, err := s.LogSize(t.Context(), got.Key)
		if err != nil || size != int64(len(text)) || got.Key != key {
			t.Errorf("size %d of %+v, %v", size, got.Key, err)
		}
	}
	if got := nodeLog(t, s, task, LogPage{From: 4, Limit: 5}); got.Line != 0 {
		t.Errorf("nobody has counted, but it is line %d", got.Line)
	}
	key.Retry = 1
	if size, err := s.LogSize(t.Context(), key); err != nil || size != 0 {
		t.Errorf("no log has %d bytes, %v", size, err)
	}
}

func TestNodeLog_pages(t *testing.T) {
	t.Parallel()
	s := setup(t)
	task := createTask(t, s, newTask("one"))
	key := stdops.LogKey{TaskRef: ref(task), Node: 1, Loop: 1}
	other := key
	other.Node = 2
	long := bytes.Repeat([]byte("0123456789abcdef"), maxChunk/8) // two chunks
	sizes := appendLogs(t, s,
		stdops.LogPiece{LogKey: key, Version: "v1", Text: []byte("first\n")},
		stdops.LogPiece{LogKey: other, Version: "v2", Text: []byte("of another node\n")},
		stdops.LogPiece{LogKey: key, Version: "v1", Text: long})
	all := append([]byte("first\n"), long...)
	if diff := cmp.Diff([]int64{6, 16, int64(len(all))}, sizes); diff != "" {
		t.Errorf("sizes (-want +got):\n%s", diff)
	}
	appendLogs(t, s, stdops.LogPiece{LogKey: key, Version: "v1", Text: []byte("last\n")})
	all = append(all, "last\n"...)
	size := int64(len(all))
	for _, c := range []struct {
		from  int64
		limit int
	}{
		{0, wholeLog},
		{0, 3},
		{3, 3},
		{4, 5},
		{6, maxChunk},
		{6 + maxChunk - 1, 2},
		{5, maxChunk + 2},
		{size - 5, 100},
		{size - 1, 1},
		{size, 10},
		{size + 1, 10},
		{0, 0},
	} {
		l := nodeLog(t, s, task, LogPage{From: c.from, Limit: c.limit})
		from := min(c.from, size)
		want := all[from:min(from+int64(c.limit), size)]
		if !bytes.Equal(want, l.Text) || l.Size != size || l.Attempt != 1 {
			t.Errorf("from %d, limit %d: %d bytes of %d, want %d", c.from, c.limit, len(l.Text), l.Size, len(want))
		}
	}
}

// A script that says a word now and then, for days, must not become a row for each word.
func TestAppendLogs_puts_small_pieces_together(t *testing.T) {
	t.Parallel()
	s := setup(t)
	task := createTask(t, s, newTask("one"))
	piece := stdops.LogPiece{LogKey: stdops.LogKey{TaskRef: ref(task), Node: 1, Loop: 1}, Version: "v1", Text: []byte("one more word\n")}
	pieces := slices.Repeat([]stdops.LogPiece{piece}, 100)
	for range 10 {
		appendLogs(t, s, pieces...)
	}
	piece.Version = "v2" // that the attempt was given by a forced failure
	appendLogs(t, s, piece, piece)
	l := nodeLog(t, s, task, LogPage{Limit: wholeLog})
	if want := strings.Repeat(string(piece.Text), 1002); string(l.Text) != want || l.Size != int64(len(want)) {
		t.Errorf("%d bytes of %d, want %d", len(l.Text), l.Size, len(want))
	}
	if diff := cmp.Diff([]LoggedAttempt{{Loop: 1, Versions: []stdops.Version{"v1", "v2"}}}, l.Attempts); diff != "" {
		t.Errorf("attempts (-want +got):\n%s", diff)
	}
	var rows int
	if err := s.readers.QueryRowContext(t.Context(), "SELECT count(*) FROM log_chunk").Scan(&rows); err != nil || rows > 14_000/smallChunk+2 {
		t.Errorf("%d rows, %v", rows, err)
	}
}

func TestAppendLogs_cuts_at_the_limit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, text string
		before     int // bytes of an earlier piece
		kept       int
	}{
		{"in one piece", strings.Repeat("x", stdops.DefaultLog+10), 0, stdops.DefaultLog},
		{"that fits to the last byte", strings.Repeat("x", stdops.DefaultLog-10), 10, stdops.DefaultLog},
		{"inside of a character", strings.Repeat("é", stdops.DefaultLog/2), 1, stdops.DefaultLog - 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := setup(t)
			task := createTask(t, s, newTask("one"))
			key := stdops.LogKey{TaskRef: ref(task), Node: 1, Loop: 1}
			appendLogs(t, s, stdops.LogPiece{LogKey: key, Text: bytes.Repeat([]byte("-"), c.before)})
			full := appendLogs(t, s, stdops.LogPiece{LogKey: key, Text: []byte(c.text)})[0]
			after := appendLogs(t, s, stdops.LogPiece{LogKey: key, Text: []byte("more")})[0]
			l := nodeLog(t, s, task, LogPage{Limit: wholeLog})
			want := int64(c.kept + len(cutLine(stdops.DefaultLog)))
			if full != want || after != want || l.Size != want || int64(len(l.Text)) != want {
				t.Errorf("sizes %d, %d, %d, text of %d bytes, want %d", full, after, l.Size, len(l.Text), want)
			}
			if !bytes.HasSuffix(l.Text, []byte(cutLine(stdops.DefaultLog))) || !utf8.Valid(l.Text) || full < stdops.DefaultLog {
				t.Errorf("it ends with %q", l.Text[len(l.Text)-100:])
			}
		})
	}
}

func TestNodeLog_attempts(t *testing.T) {
	t.Parallel()
	s := setup(t)
	task := createTask(t, s, newTask("one"))
	if l := nodeLog(t, s, task, LogPage{Limit: 9}); l.State != nil || l.Attempt != 0 || len(l.Attempts) != 0 || l.Text != nil {
		t.Errorf("a node that was never reached: %+v", l)
	}
	c := running(s, task)
	state := func(retry int32, version stdops.Version) stdops.NodeState {
		return stdops.NodeState{Node: 1, Order: 1, State: stdops.StateFailed, Loop: 1, Retry: retry, Version: version}
	}
	c.Attempts = []stdops.Attempt{{State: state(0, "v1-forced"), Archived: at(1)}, {State: state(1, "v2"), Archived: at(2)}}
	c.Nodes = []stdops.NodeState{state(2, "v3")}
	commit(t, s, c)
	piece := func(retry int32, version stdops.Version, text string) stdops.LogPiece {
		return stdops.LogPiece{LogKey: stdops.LogKey{TaskRef: ref(task), Node: 1, Loop: 1, Retry: retry}, Version: version, Text: []byte(text)}
	}
	appendLogs(t, s, piece(0, "v1", "first"), piece(2, "v3", "third"))
	want := []LoggedAttempt{
		{Loop: 1, Retry: 0, Versions: []stdops.Version{"v1", "v1-forced"}},
		{Loop: 1, Retry: 1, Versions: []stdops.Version{"v2"}},
		{Loop: 1, Retry: 2, Versions: []stdops.Version{"v3"}},
	}
	for _, c := range []struct {
		page    LogPage
		attempt int
		text    string
	}{
		{LogPage{}, 3, "third"},
		{LogPage{Attempt: 1}, 1, "first"},
		{LogPage{Attempt: 2}, 2, ""},
		{LogPage{Attempt: 4}, 0, ""},
		{LogPage{Version: "v1"}, 1, "first"},
		{LogPage{Version: "v1-forced"}, 1, "first"},
		{LogPage{Version: "v3"}, 3, "third"},
		{LogPage{Version: "v4"}, 0, ""},
	} {
		c.page.Limit = 100
		l := nodeLog(t, s, task, c.page)
		if diff := cmp.Diff(want, l.Attempts); diff != "" {
			t.Errorf("attempts (-want +got):\n%s", diff)
		}
		if l.Attempt != c.attempt || string(l.Text) != c.text || l.State.Version != "v3" || l.Root.State != stdops.StateRunning {
			t.Errorf("%+v: attempt %d, %q", c.page, l.Attempt, l.Text)
		}
	}
	foreign := stdops.TaskRef{Project: 2, Task: task.ID}
	if _, err := s.NodeLog(t.Context(), foreign, 1, LogPage{}); stdops.ErrorCode(err) != stdops.CodeNotFound {
		t.Errorf("log of a task of another project: %v", err)
	}
}

func TestAppendLogs_cuts_at_the_limit_that_was_set(t *testing.T) {
	t.Parallel()
	s := setup(t)
	s.logLimit = 5000
	task := createTask(t, s, newTask("one"))
	appendLogs(t, s, stdops.LogPiece{
		LogKey: stdops.LogKey{TaskRef: ref(task), Node: 1, Loop: 1}, Version: "v1", Text: bytes.Repeat([]byte("x"), 6000),
	})
	l := nodeLog(t, s, task, LogPage{Limit: wholeLog})
	if want := strings.Repeat("x", 5000) + "\n[the log ends here: it has reached its limit of 5000 bytes]\n"; string(l.Text) != want {
		t.Errorf("%d bytes, the end is %q", len(l.Text), l.Text[max(0, len(l.Text)-100):])
	}
}

// TestAppendLogs_beside_a_damaged_one: what cannot be read any more takes nothing with it.
func TestAppendLogs_beside_a_damaged_one(t *testing.T) {
	t.Parallel()
	s := setup(t)
	task := createTask(t, s, newTask("one"))
	bad := stdops.LogPiece{LogKey: stdops.LogKey{TaskRef: ref(task), Node: 1, Loop: 1}, Version: "v1", Text: []byte("one\n")}
	appendLogs(t, s, bad)
	damage(t, s, `UPDATE log_chunk SET body = substr(body, 1, 1)`)
	good := bad
	good.Node, good.Text = 2, []byte("two\n")
	appendLogs(t, s, bad, good)
	found, err := s.NodeLog(t.Context(), ref(task), 2, LogPage{Limit: wholeLog})
	if err != nil || string(found.Text) != "two\n" {
		t.Errorf("got %+v, %v", found, err)
	}
}
