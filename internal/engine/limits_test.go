package engine

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/flow"
	"github.com/stdops/stdops/internal/plugin"
)

// The limits that hold where a test sets no others.
const (
	rerunLimit   = 100
	maxCalls     = 64
	maxCallback  = 1 << 20
	maxCallbacks = 1000
	maxOutput    = 256 << 10
	maxVariables = 4 << 20
)

// limited gives a world in which one limit is another than usual.
func limited(t *testing.T, g *flow.Graph, name string, value int64) *world {
	t.Helper()
	w, limits := newWorld(t, g, nil, stubs()...), stdops.DefaultLimits()
	if err := limits.Set(name, value); err != nil {
		t.Fatal(err)
	}
	w.limits = &limits
	return w
}

func TestRerunIsASetting(t *testing.T) {
	t.Parallel()
	w := limited(t, build(func(b *builder, p stdops.NodeIndex, heads []head) []head {
		return backTo(b, p, b.activity(p, heads, nil), 2, "1 == 1")
	}), "rerun", 2)
	mustDo(t, w, Command{Kind: Start})
	for len(w.calls) > 0 {
		w.answerCall(0, plugin.Done, false)
	}
	n := w.nodeNamed("A3")
	if text := w.st.data[n].outputs.Text("ex_data"); w.st.nodes[n].Loop != 3 || text != "node execution exceed rerun limit 2" {
		t.Errorf("loop %d, %q", w.st.nodes[n].Loop, text)
	}
}

func TestCallsOfATaskAreASetting(t *testing.T) {
	t.Parallel()
	w := limited(t, wide(10, nil), "calls", 3)
	mustDo(t, w, Command{Kind: Start})
	if len(w.calls) != 3 {
		t.Errorf("%d calls are out", len(w.calls))
	}
}

func TestCallbacksAreSettings(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		value int64
		size  int // of the callbacks
		want  []stdops.Code
	}{
		{"callback", 2048, 2046, []stdops.Code{0}},
		{"callback", 2048, 2047, []stdops.Code{stdops.CodeInvalid}},
		{"callbacks", 1, 1, []stdops.Code{0, stdops.CodeTooMany}},
	} {
		w := limited(t, wide(2, func(a *flow.Activity) { a.Code = "wait" }), c.name, c.value)
		mustDo(t, w, Command{Kind: Start})
		for i, want := range c.want {
			err := w.step(Command{Kind: CallBack, Node: w.calls[i].node, Data: strings.Repeat("x", c.size)})
			if (err == nil) != (want == 0) || err != nil && stdops.ErrorCode(err) != want {
				t.Errorf("%s=%d, %d bytes, callback %d: %v", c.name, c.value, c.size, i, err)
			}
		}
	}
}

func TestVariablesAreASetting(t *testing.T) {
	t.Parallel()
	g := build(func(b *builder, p stdops.NodeIndex, heads []head) []head {
		b.g.Nodes[p].Pipeline.Variables["x"] = flow.Variable{Output: true}
		return b.activity(p, heads, func(a *flow.Activity) { a.Outputs = []flow.Mapping{{Key: "made", Variable: "x"}} })
	})
	w := limited(t, g, "variables", 64<<10)
	mustDo(t, w, Command{Kind: Start})
	w.calls[0].outputs.Set("made", strings.Repeat("x", 64<<10))
	w.answerCall(0, plugin.Done, false)
	n := w.nodeNamed("A3")
	if text := w.st.data[n].outputs.Text("ex_data"); w.st.nodes[n].State != stdops.StateFailed || !strings.Contains(text, "65536 bytes") {
		t.Errorf("%s, %q", w.st.nodes[n].State, text)
	}
}

// TestNewTakesItsLimits: of calls, outputs and logs.
func TestNewTakesItsLimits(t *testing.T) {
	t.Parallel()
	limits := stdops.DefaultLimits()
	limits.LightCalls, limits.HTTPCalls, limits.ScriptCalls, limits.LiveTasks = 7, 8, 9, 10
	e := New(Options{Limits: &limits, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if want := [plugin.Classes]int{plugin.Light: 7, plugin.HTTP: 8, plugin.Script: 9}; e.sizes != want || e.seats.limit != 10 {
		t.Errorf("pools %v, %d seats", e.sizes, e.seats.limit)
	}
	if env := e.env(entropy(), time.Time{}); env.limits != &limits {
		t.Error("steps are decided under other limits")
	}
	for most, fits := range map[int]bool{1 << 20: true, 1<<20 - 1: false} {
		if err := checkOutputs(stdops.NewObject("x", strings.Repeat("x", 1<<20-2)), most); (err == nil) != fits {
			t.Errorf("limit %d: %v", most, err)
		}
	}
}

// TestOutputsMayAlwaysHaveWhatPluginsRelyOn: scripts cut theirs to it.
func TestOutputsMayAlwaysHaveWhatPluginsRelyOn(t *testing.T) {
	t.Parallel()
	limits := stdops.DefaultLimits()
	if limits.Set("output", plugin.MaxOutput) != nil || limits.Set("output", plugin.MaxOutput-1) == nil {
		t.Errorf("the least limit of outputs is not %d", plugin.MaxOutput)
	}
}

func TestJournalClosesALogThatIsFull(t *testing.T) {
	t.Parallel()
	logs := &fakeLogs{}
	j := newJournal(logs, journalBounds{most: 1000}, time.Now, slog.New(slog.DiscardHandler))
	t.Cleanup(j.close)
	a := j.open(keyOf(1), "v")
	for range 3 { // each is stored before the next one
		write(t, a, strings.Repeat("x", logBuffer))
	}
	a.close()
	if got := len(logs.text(keyOf(1))); got != logBuffer {
		t.Errorf("%d bytes were stored, want the %d of the write with which it became full", got, logBuffer)
	}
}
