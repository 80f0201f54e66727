package engine_test

import (
	"testing"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/plugin"
)

// TestEngineNodeWaitsForASlot: of two tasks with one slot between them the first is called as it is entered, the second when the
// slot is free; both are told with how long they waited.
func TestEngineNodeWaitsForASlot(t *testing.T) {
	t.Parallel()
	p, r, first, second := oneSlot(t, plugin.Repeat)
	entered := r.load(second).Nodes
	for i := range entered {
		if n := &entered[i]; !n.Called.IsZero() {
			t.Errorf("while it waits node %d was called at %s", n.Node, n.Called)
		}
	}
	for start := r.store.Now(); r.store.Now().Sub(start) < time.Millisecond; time.Sleep(time.Millisecond) { // so that the two times differ
	}
	close(p.leave)
	var waits []time.Duration
	for i, ref := range []stdops.TaskRef{first, second} {
		calls := 0
		for _, n := range r.await(ref, finished).Nodes {
			if n.Called.IsZero() {
				continue
			}
			calls++
			if n.Called.After(n.Finished) || n.Called.Equal(n.Started) != (i == 0) || n.Called.Before(n.Started) {
				t.Errorf("task %d: entered at %s, called at %s, ended at %s", i, n.Started, n.Called, n.Finished)
			}
			waits = append(waits, n.Called.Sub(n.Started))
		}
		if calls != 1 {
			t.Errorf("task %d: %d nodes were called", i, calls)
		}
	}
	for i := range waits { // what was told is the wait for the slot and, besides, for the commit
		if got := <-r.begun; got.class != plugin.Script || got.waited < waits[i] {
			t.Errorf("call %d: %+v, it waited for %s", i, got, waits[i])
		}
	}
	if len(r.begun) > 0 {
		t.Errorf("%d more calls are told of", len(r.begun))
	}
}
