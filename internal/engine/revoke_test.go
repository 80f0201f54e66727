package engine

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/flow"
	"github.com/stdops/stdops/internal/plugin"
)

func TestDecideWaitsForWhatIsDueAfterARevoke(t *testing.T) {
	t.Parallel()
	g := build(func(b *builder, p stdops.NodeIndex, heads []head) []head {
		return b.gateway(stdops.KindParallel, p, heads, make([]string, 2), func(_ int, h []head) []head {
			return b.activity(p, h, func(a *flow.Activity) { a.Code = "clock" })
		})
	})
	w := newWorld(t, g, nil, stub("clock", func(s *plugin.Spec) { s.Inward = true }))
	mustDo(t, w, Command{Kind: Start})
	for range 4 { // both executes, both first polls
		w.answerCall(0, plugin.PollAfter(time.Minute), false)
	}
	mustDo(t, w, Command{Kind: Revoke})
	w.now = w.now.Add(time.Minute)
	w.step()
	w.answerCall(0, plugin.Done, false)
	if !w.st.root.Live {
		t.Error("the task is settled while a call is out")
	}
	w.answerCall(0, plugin.Done, false)
	if w.st.root.Live {
		t.Error("the task is live though nothing is left")
	}
}

// TestDecideWakesForAPollWithoutASlotAfterARevoke: a due poll that waits for a slot is looked at by the next process, also
// when the task has ended and something else was stored meanwhile.
func TestDecideWakesForAPollWithoutASlotAfterARevoke(t *testing.T) {
	t.Parallel()
	codes := []string{"clock", "work"}
	g := build(func(b *builder, p stdops.NodeIndex, heads []head) []head {
		return b.gateway(stdops.KindParallel, p, heads, make([]string, 2), func(i int, h []head) []head {
			return b.activity(p, h, func(a *flow.Activity) { a.Code = codes[i] })
		})
	})
	w := newWorld(t, g, nil, append(stubs(), stub("clock", func(s *plugin.Spec) { s.Inward = true }))...)
	w.slots = &scarceSlots{left: 3}
	mustDo(t, w, Command{Kind: Start})
	for range 2 { // execute and first poll of the clock
		i := slices.IndexFunc(w.calls, func(c call) bool { return c.code == "clock" })
		w.answerCall(i, plugin.PollAfter(time.Minute), false)
	}
	mustDo(t, w, Command{Kind: Revoke})
	w.now = w.now.Add(time.Minute)
	w.step()
	if len(w.calls) != 1 {
		t.Fatalf("%d calls are out, want that of the work alone", len(w.calls))
	}
	w.answerCall(0, plugin.Done, false)
	if root := w.st.root; !root.Live || root.WakeAt.IsZero() {
		t.Errorf("nobody looks at the due poll: %+v", root)
	}
	w.slots.left = 1
	w.crash()
	w.answerCall(0, plugin.Done, false)
	if w.st.root.Live {
		t.Error("the task is live though nothing is left")
	}
}

func TestDecideRepeatsNothingOfARevokedTask(t *testing.T) {
	t.Parallel()
	for _, polled := range []bool{false, true} {
		t.Run(fmt.Sprint("polled=", polled), func(t *testing.T) {
			t.Parallel()
			g := build(func(b *builder, p stdops.NodeIndex, heads []head) []head {
				return b.activity(p, heads, func(a *flow.Activity) { a.Code = "poll" })
			})
			w := newWorld(t, g, nil, stubs()...)
			mustDo(t, w, Command{Kind: Start})
			if polled {
				w.answerCall(0, plugin.PollAfter(time.Second), false)
			}
			mustDo(t, w, Command{Kind: Revoke})
			w.crash()
			if len(w.calls) != 0 {
				t.Errorf("%d calls begin in a revoked task", len(w.calls))
			}
			if w.st.root.Live {
				t.Error("the task is not settled")
			}
		})
	}
}
