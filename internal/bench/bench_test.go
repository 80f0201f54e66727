package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/stdops/stdops"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "serve" {
		if err := serveLike(os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

// small is a run that measures nothing worth knowing, but does everything.
func small() Options { return Options{Tasks: 4, Nodes: 5, Duration: time.Millisecond, Rounds: 2} }

// TestStatus runs the whole bench. It looks at what was done and never at how fast: that would fail on a busy machine.
func TestStatus(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	var told []string
	var profile bytes.Buffer
	o := small()
	o.Progress, o.Profile = func(name string) { told = append(told, name) }, &profile
	report, err := Status(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	names := []string{
		"hot batch with children", "hot batch without children", "hot batch with children, in gzip", "cold answer, trees known", "first answer of a server",
		"read of the store, trees known", "first read of a store",
	}
	if diff := cmp.Diff(names, told); diff != "" {
		t.Errorf("progress (-want +got):\n%s", diff)
	}
	for i, c := range report.Comparisons {
		if c.Name != names[i] || c.Unit == "" || (c.Bytes == 0) == (c.Rows == 0) {
			t.Errorf("comparison %d: %+v", i, c)
		}
		if c.Rows != 0 && c.Rows != o.Tasks*(1+o.Nodes) {
			t.Errorf("%s: %d rows", c.Name, c.Rows)
		}
		for _, s := range []Series{c.Ours, c.Reference} {
			// In rounds as short as these a busy machine may see no answer in one.
			if s.Name == "" || len(s.Rounds) != o.Rounds || s.Max <= 0 || s.Min > s.Median || s.Median > s.Max {
				t.Errorf("%s: %+v", c.Name, s)
			}
		}
	}
	text, err := json.Marshal(report)
	if err != nil {
		t.Fatal(err)
	}
	var again Report
	if err := json.Unmarshal(text, &again); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(*report, again); diff != "" {
		t.Errorf("read from JSON (-want +got):\n%s", diff)
	}
	if profile.Len() == 0 {
		t.Error("no CPU profile")
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestHotBatch_same_bytes sends the request of the load to both sides.
func TestHotBatch_same_bytes(t *testing.T) {
	t.Parallel()
	w := newTestWorld(t)
	bare, err := serveBare()
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := bare.close(); err != nil {
			t.Error(err)
		}
	}()
	for _, children := range []bool{true, false} {
		p, err := w.hotBatch(t.Context(), bare, hot{children: children})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.reference(t.Context(), time.Millisecond); err != nil {
			t.Fatal(err)
		}
		ours := get(t, w, w.app.Addr(), children)
		theirs := get(t, w, bare.address(), children)
		if err := w.check(w.tasks, theirs, children); err != nil {
			t.Errorf("children %v: the bare handler: %v", children, err)
		}
		if len(theirs) != len(ours) || len(theirs) != p.Bytes {
			t.Errorf("children %v: %d bytes of the server, %d of the bare handler, %d reported", children, len(ours), len(theirs), p.Bytes)
		}
	}
}

func newTestWorld(t *testing.T) *world {
	t.Helper()
	w, err := newWorld(t.Context(), small())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.remove)
	return w
}

func get(t *testing.T, w *world, address string, children bool) []byte {
	t.Helper()
	r, err := w.question(t.Context(), w.tasks, children)
	if err != nil {
		t.Fatal(err)
	}
	r.URL.Host = address
	res, err := w.http.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("HTTP status %d, %v", res.StatusCode, err)
	}
	return text
}

// TestWorld_check refuses answers that are not about the tasks as they are meant to stand, so that no side can be fast
// by answering something else.
func TestWorld_check(t *testing.T) {
	t.Parallel()
	w := newTestWorld(t)
	good, err := w.ask(t.Context(), w.tasks, true)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, old, new string }{
		{"a task is missing", `{"result":true,"data":[`, `{"result":true,"data":[],"x":[`},
		{"a refusal", `{"result":true`, `{"result":false`},
		{"another state", `"state":"FINISHED"`, `"state":"FAILED"`},
		{"no JSON", `}`, ``},
		{"no children", `"children":`, `"child":`},
	} {
		if err := w.check(w.tasks, []byte(strings.ReplaceAll(string(good), c.old, c.new)), true); err == nil {
			t.Errorf("%s: not refused", c.name)
		}
	}
	slices.Reverse(w.tasks)
	if err := w.check(w.tasks, good, true); err == nil {
		t.Error("tasks in another order: not refused")
	}
}

// TestTrees_differ: a first read has a skeleton to read for each task.
func TestTrees_differ(t *testing.T) {
	t.Parallel()
	w := newTestWorld(t)
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	s, err := w.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	hashes := map[string]int{}
	for _, id := range slices.Concat(w.tasks, w.twins) {
		task, err := s.Task(t.Context(), stdops.TaskRef{Project: project, Task: id})
		if err != nil {
			t.Fatal(err)
		}
		hashes[task.TreeHash]++
	}
	if len(hashes) != len(w.tasks) {
		t.Errorf("%d trees of %d tasks and their twins", len(hashes), len(w.tasks))
	}
}

func TestOptions_check(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		change func(*Options)
		want   string
	}{
		{func(*Options) {}, ""},
		{func(o *Options) { o.Tasks = 0 }, "tasks must be between 1 and 50"},
		{func(o *Options) { o.Tasks = 51 }, "tasks must be between 1 and 50"},
		{func(o *Options) { o.Nodes = 2 }, "nodes must be between 3 and 1000"},
		{func(o *Options) { o.Duration = 0 }, "duration must be more than 0"},
		{func(o *Options) { o.Rounds = 0 }, "rounds must be at least 1"},
	} {
		o := small()
		c.change(&o)
		got := ""
		if err := o.Check(); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%+v: %q, want %q", o, got, c.want)
		}
	}
}

func TestSeries_conclude(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rounds           []float64
		median, min, max float64
	}{
		{[]float64{3}, 3, 3, 3},
		{[]float64{3, 1}, 2, 1, 3},
		{[]float64{9, 1, 2}, 2, 1, 9},
		{[]float64{4, 1, 2, 9}, 3, 1, 9},
	} {
		want := Series{Rounds: slices.Clone(c.rounds), Median: c.median, Min: c.min, Max: c.max}
		got := Series{Rounds: c.rounds}
		got.conclude()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}
