package engine

import (
	"testing"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/flow"
	"github.com/stdops/stdops/internal/plugin"
)

func TestDecideFinishedTaskWithTimeLimitsIsSettled(t *testing.T) {
	t.Parallel()
	g := build(func(b *builder, p stdops.NodeIndex, heads []head) []head {
		return b.activity(p, heads, func(a *flow.Activity) { a.Timeout.After = time.Hour })
	})
	w := newWorld(t, g, nil, stubs()...)
	mustDo(t, w, Command{Kind: Start})
	w.answerCall(0, plugin.Done, false)
	if w.st.root.State != stdops.StateFinished || w.st.root.Live || !w.st.root.WakeAt.IsZero() {
		t.Errorf("root: %+v", w.st.root)
	}
}

func TestDecideTimeLimitSkipsOnlyWhatMayBeSkipped(t *testing.T) {
	t.Parallel()
	for skippable, want := range map[bool]string{true: "FINISHED", false: "FAILED"} {
		g := build(func(b *builder, p stdops.NodeIndex, heads []head) []head {
			return b.activity(p, heads, func(a *flow.Activity) {
				a.Skippable, a.Timeout = skippable, flow.Timeout{After: time.Second, ThenSkip: true}
			})
		})
		w := newWorld(t, g, nil, stubs()...)
		mustDo(t, w, Command{Kind: Start})
		w.now = w.now.Add(time.Second)
		w.step()
		if got := w.states()["A3"]; got != want {
			t.Errorf("skippable %t: the node is %s, want %s", skippable, got, want)
		}
	}
}

func TestDecideRetriesByItselfOnlyWhatMayBeRetried(t *testing.T) {
	t.Parallel()
	g := build(func(b *builder, p stdops.NodeIndex, heads []head) []head {
		return b.activity(p, heads, func(a *flow.Activity) { a.Retryable, a.AutoRetry.Times = false, 3 })
	})
	w := newWorld(t, g, nil, stubs()...)
	mustDo(t, w, Command{Kind: Start})
	w.answerCall(0, plugin.Done, true)
	w.step()
	wantStates(t, w, map[string]string{"root": "RUNNING", "s2": "FINISHED", "A3": "FAILED"})
}

func TestDecideNothingFinishesBeforeItBegan(t *testing.T) {
	t.Parallel()
	w := newWorld(t, line(1), nil, stubs()...)
	mustDo(t, w, Command{Kind: Start})
	w.now = w.now.Add(-time.Hour) // somebody sets the clock back
	w.answerCall(0, plugin.Done, false)
	if root := w.st.root; root.Finished.Before(root.Started) {
		t.Errorf("the task began at %s and finished at %s", root.Started, root.Finished)
	}
}

func TestTimersHoldOneEntryForAMomentThatStays(t *testing.T) {
	t.Parallel()
	g := build(func(b *builder, p stdops.NodeIndex, heads []head) []head {
		return b.activity(p, heads, func(a *flow.Activity) { a.Code, a.Timeout.After = "poll", 24*time.Hour })
	})
	w := newWorld(t, g, nil, stubs()...)
	mustDo(t, w, Command{Kind: Start})
	var timers timerHeap
	for range 50 {
		d, _, err := decide(w.st, []event{callEnded{
			node: w.calls[0].node, version: w.calls[0].version, call: w.calls[0].number, outputs: w.calls[0].outputs,
			outcome: plugin.PollAfter(time.Second),
		}}, env{now: w.now, entropy: w.entropy, plugins: w.plugins})
		if err != nil {
			t.Fatal(err)
		}
		timers.follow(w.st, d)
		w.answerCall(0, plugin.PollAfter(time.Second), false)
		w.now = w.now.Add(time.Second)
		timers.due(w.now)
		w.step()
	}
	if len(timers) > 2 {
		t.Errorf("%d timers for one node", len(timers))
	}
}
