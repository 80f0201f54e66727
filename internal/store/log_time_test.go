package store

import (
	"database/sql"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
	"pgregory.net/rapid"

	"github.com/stdops/stdops"
)

// TestNodeLog_times: pieces that are put together into one chunk keep their times, and long ones too.
func TestNodeLog_times(t *testing.T) {
	t.Parallel()
	s := setup(t)
	task := createTask(t, s, newTask("one"))
	piece := stdops.LogPiece{LogKey: stdops.LogKey{TaskRef: ref(task), Node: 1, Loop: 1}, Version: "v1"}
	var want []LogTime
	size := int64(0)
	for i, text := range []string{
		"one\n", "two\n", strings.Repeat("x", smallChunk) + "\n", strings.Repeat("y", 3*maxChunk) + "\n", "five\n", "six", " and more\n",
	} {
		piece.Text, piece.Begun = []byte(text), at(60*i)
		if i == 0 {
			piece.Begun = time.Time{} // it is that of the store
		}
		want = append(want, LogTime{size, at(60 * i).Truncate(time.Millisecond)})
		size = appendLogs(t, s, piece)[0]
	}
	piece.Text = []byte("at the same time\n")
	appendLogs(t, s, piece)
	for _, c := range []struct {
		name string
		page LogPage
		want []LogTime
	}{
		{"all", LogPage{Limit: wholeLog}, want},
		{"from the middle of a piece", LogPage{From: 6, Limit: 9}, want[1:3]},
		{"up to a piece", LogPage{From: 0, Limit: 4}, want[:1]},
		{"from another chunk of a piece", LogPage{From: want[3].From + 2*maxChunk, Limit: 100}, []LogTime{{want[3].From + 2*maxChunk, want[3].At}}},
		{"a tail", LogPage{Tail: 3, Limit: wholeLog}, want[4:]},
		{"a line", LogPage{Line: 2, Limit: 10}, want[1:3]},
		{"after the end", LogPage{From: size + 1000, Limit: 10}, nil},
	} {
		if diff := cmp.Diff(c.want, nodeLog(t, s, task, c.page).Times); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

func TestLogTimes_packed(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		seq := rapid.Int64Range(0, stdops.MostLog).Draw(t, "seq")
		var times []LogTime
		from := seq
		for range rapid.IntRange(0, 20).Draw(t, "n") {
			from += rapid.Int64Range(0, maxChunk).Draw(t, "step")
			times = append(times, LogTime{from, noon.Truncate(time.Millisecond).Add(rapid.Map(rapid.Int64Range(-1e9, 1e9), func(ms int64) time.Duration {
				return time.Duration(ms) * time.Millisecond
			}).Draw(t, "later"))})
		}
		packed := packTimes(seq, times)
		if diff := cmp.Diff(times, unpackTimes(seq, packed)); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
		if cut := unpackTimes(seq, packed[:max(0, len(packed)-1)]); len(cut) != max(0, len(times)-1) {
			t.Fatalf("of a damaged text %d of %d times are read", len(cut), len(times))
		}
	})
}

func TestMigration_keeps_logs_without_times(t *testing.T) {
	t.Parallel()
	dir, db := openBefore(t, 12)
	keepsLogs(t, db, func() *Store { return reopen(t, dir) })
}

func TestPostgres_migration_keeps_logs_without_times(t *testing.T) {
	t.Parallel()
	db, upgraded := openPostgresBefore(t, 12)
	keepsLogs(t, db, upgraded)
}

// keepsLogs writes a chunk as it was before there were times, and goes on with it afterwards.
func keepsLogs(t *testing.T, db *sql.DB, upgraded func() *Store) {
	t.Helper()
	zip, err := zstd.NewWriter(nil)
	must(t, err)
	if _, err := db.ExecContext(t.Context(), `INSERT INTO log_chunk (project_id, task_id, node, loop, retry, seq, version, size, body)
		VALUES (1, 1, 1, 1, 0, 0, 'v1', 4, $1)`, zip.EncodeAll([]byte("old\n"), nil)); err != nil {
		t.Fatal(err)
	}
	s := upgraded()
	defer closeStore(t, s)
	task := createTask(t, s, newTask("one"))
	if task.ID != 1 {
		t.Fatalf("the task has the id %d", task.ID)
	}
	if old := nodeLog(t, s, task, LogPage{Limit: wholeLog}); string(old.Text) != "old\n" || old.Times != nil {
		t.Errorf("the old log is %q, %v", old.Text, old.Times)
	}
	appendLogs(t, s, stdops.LogPiece{LogKey: stdops.LogKey{TaskRef: ref(task), Node: 1, Loop: 1}, Version: "v1", Text: []byte("new\n")})
	got := nodeLog(t, s, task, LogPage{Limit: wholeLog})
	if diff := cmp.Diff([]LogTime{{4, noon.Truncate(time.Millisecond)}}, got.Times); diff != "" || string(got.Text) != "old\nnew\n" {
		t.Errorf("%q, times (-want +got):\n%s", got.Text, diff)
	}
	if old := nodeLog(t, s, task, LogPage{Limit: 4}); old.Times != nil {
		t.Errorf("the old part has %v", old.Times)
	}
}
