package engine

import (
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/plugin"
)

// later moves the clock.
func (w *world) later(seconds int) time.Time {
	w.now = w.now.Add(time.Duration(seconds) * time.Second)
	return w.now
}

// TestDecideNotesWhenTheFirstCallBegan: with a free slot that is when the node was entered, without one it is later; polls change
// nothing, and what calls nothing has no such time.
func TestDecideNotesWhenTheFirstCallBegan(t *testing.T) {
	t.Parallel()
	w := newWorld(t, line(2), nil, stubs()...)
	w.slots = &scarceSlots{left: 1}
	entered := w.now
	mustDo(t, w, Command{Kind: Start})
	a, b := w.st.nodes[w.nodeNamed("A3")], w.nodeNamed("A4")
	if !a.Called.Equal(entered) || !a.Started.Equal(entered) {
		t.Errorf("with a free slot %+v", a)
	}
	if s := w.st.nodes[w.nodeNamed("s2")]; !s.Called.IsZero() {
		t.Errorf("the start event was called at %s", s.Called)
	}
	entered = w.later(5)
	w.answerCall(0, plugin.Done, false)
	if n := w.st.nodes[b]; n.Phase != stdops.PhaseQueued || !n.Called.IsZero() {
		t.Fatalf("without a slot %+v", n)
	}
	called := w.later(7)
	w.slots.left = 1
	w.step(slotFree{})
	want := func(when string) {
		t.Helper()
		if n := w.st.nodes[b]; !n.Started.Equal(entered) || !n.Called.Equal(called) {
			t.Errorf("%s entered at %s and called at %s, want %s and %s", when, n.Started, n.Called, entered, called)
		}
	}
	want("with its slot")
	w.later(1)
	w.answerCall(0, plugin.PollAfter(0), false)
	w.slots.left = 1
	w.later(1)
	w.step()
	if n := w.st.nodes[b]; n.Phase != stdops.PhaseScheduling {
		t.Fatalf("it is not polled: %+v", n)
	}
	want("polled")
	w.later(1)
	w.answerCall(0, plugin.Done, false)
	want("at the end")
}

// TestDecideCountsTheCallAfterACrash: of a call that is made again the new one counts, of one whose result is asked for the old one.
func TestDecideCountsTheCallAfterACrash(t *testing.T) {
	t.Parallel()
	for rule, again := range map[plugin.CrashRule]bool{plugin.Repeat: true, plugin.Ask: false} {
		w := newWorld(t, line(1), nil, stub("work", func(s *plugin.Spec) { s.Execute = rule }))
		first := w.now
		mustDo(t, w, Command{Kind: Start})
		n := w.nodeNamed("A3")
		w.slots = &scarceSlots{}
		w.later(5)
		w.crash()
		if got := w.st.nodes[n]; got.Called.IsZero() != again || !got.Started.Equal(first) {
			t.Errorf("rule %v: after the crash %+v", rule, got)
		}
		want := w.later(5)
		if !again {
			want = first
		}
		w.slots.left = 1
		w.step(slotFree{})
		if got := w.st.nodes[n]; !callOut(got) || !got.Called.Equal(want) {
			t.Errorf("rule %v: called at %s, want %s: %+v", rule, got.Called, want, got)
		}
	}
}

// TestDecideKeepsTheCallWithItsAttempt: a retry begins anew, and a node that is ended while it waits for a slot was never called.
func TestDecideKeepsTheCallWithItsAttempt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, line(1), nil, stubs()...)
	n := w.nodeNamed("A3")
	first := w.now
	mustDo(t, w, Command{Kind: Start})
	w.later(1)
	w.answerCall(0, plugin.Done, true)
	w.slots = &scarceSlots{}
	w.later(1)
	mustDo(t, w, Command{Kind: Retry, Node: n})
	if got := w.st.nodes[n]; !got.Called.IsZero() || got.Phase != stdops.PhaseQueued {
		t.Errorf("after the retry %+v", got)
	}
	w.later(1)
	mustDo(t, w, Command{Kind: ForceFail, Node: n})
	if got := w.st.nodes[n]; !got.Called.IsZero() || got.State != stdops.StateFailed {
		t.Errorf("ended without a call %+v", got)
	}
	// What the store keeps is the row as it stood; of the world the test sees that it was right then.
	if len(w.record.attempts) != 1 || !w.record.attempts[0].State.Called.Equal(first) {
		t.Errorf("the first attempt is kept as %+v", w.record.attempts)
	}
}

// TestPoolTellsOfFirstCallsOnly: polls and callbacks are no first calls.
func TestPoolTellsOfFirstCallsOnly(t *testing.T) {
	t.Parallel()
	registry, err := plugin.NewRegistry(stub("work"))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 5, 4, 9, 0, 9, 0, time.UTC)
	limits := stdops.DefaultLimits()
	var told []time.Duration
	p := newPool(t.Context(), &Options{
		Plugins: registry, Limits: &limits, Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler),
		Began: func(_ plugin.Class, waited time.Duration) { told = append(told, waited) },
	}, nil, nil)
	for number, ago := range []int{3, 4, -5} { // the last one by the clock of another process
		c := call{code: "work", plugin: "legacy", inputs: &stdops.Object{}, outputs: &stdops.Object{}, entered: now.Add(-time.Duration(ago) * time.Second)}
		c.number = int32(number % 2)
		p.call(t.Context(), stdops.TaskRef{}, c)
	}
	if want := []time.Duration{3 * time.Second, 0}; !slices.Equal(told, want) {
		t.Errorf("told of %v, want %v", told, want)
	}
}
