package engine_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/engine"
	"github.com/stdops/stdops/internal/plugin"
)

// TestEngineTasksWaitForSeats: every start is accepted and shown, only so many tasks are in memory and call, and all come
// to their end, each call once, also when the process ends meanwhile.
func TestEngineTasksWaitForSeats(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		live, tasks int
		restart     bool
	}{{1, 4, false}, {1, 4, true}, {3, 7, false}, {3, 7, true}} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			t.Parallel()
			p := newScripted(plugin.Repeat)
			r := newSmallRig(t, c.live, engine.Line(2), p)
			var refs []stdops.TaskRef
			for range c.tasks {
				ref := r.create()
				r.do(ref, engine.Command{Kind: engine.Start})
				refs = append(refs, ref)
			}
			for range c.live {
				<-p.began
			}
			r.settle(c.tasks - c.live)
			if n := len(p.began); n > 0 {
				t.Fatalf("%d calls are out beyond the %d tasks that there is room for", n, c.live)
			}
			for _, ref := range refs {
				if state := r.load(ref).Task.Root.State; state != stdops.StateRunning {
					t.Errorf("task %d is %s", ref.Task, state)
				}
			}
			waits := refs[c.tasks-1]
			r.do(waits, engine.Command{Kind: engine.Pause})
			r.do(waits, engine.Command{Kind: engine.Resume})
			again := 0
			if c.restart {
				over, cancel := context.WithCancel(t.Context())
				cancel()
				r.close(over)
				r.open()
				again = c.live
			}
			close(p.leave)
			for _, ref := range refs {
				r.await(ref, finished)
			}
			p.wantCalls(t, 2*c.tasks, again)
		})
	}
}

// wantCalls checks how many calls there were, of which some may have been cut off and begun again.
func (p *scripted) wantCalls(t *testing.T, calls, again int) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	began := 0
	for _, n := range p.keys {
		began += n
	}
	if len(p.keys) != calls || began > calls+again {
		t.Errorf("%d calls, want %d; they began %d times, %d were cut off", len(p.keys), calls, began, again)
	}
}

// settle waits until so many tasks wait for a seat.
func (r *rig) settle(waiting int) {
	r.t.Helper()
	limit := time.Now().Add(30 * time.Second)
	for r.engine.Stats().Waiting != waiting {
		if time.Now().After(limit) {
			r.t.Fatalf("%+v, want %d to wait", r.engine.Stats(), waiting)
		}
		time.Sleep(time.Millisecond)
	}
}

// TestEngineRestingTasksMakeRoom: a task that only waits for its next poll does not keep others out, and is polled when it
// is due.
func TestEngineRestingTasksMakeRoom(t *testing.T) {
	t.Parallel()
	for _, after := range []time.Duration{30 * time.Second, 50 * time.Millisecond} { // both within what stays in memory
		t.Run(after.String(), func(t *testing.T) {
			t.Parallel()
			p := newScripted(plugin.Repeat)
			p.after = after
			r := newSmallRig(t, 1, engine.Line(1), p)
			var refs []stdops.TaskRef
			for range 4 {
				ref := r.create()
				r.do(ref, engine.Command{Kind: engine.Start})
				refs = append(refs, ref)
			}
			for range 8 { // execute and first poll of each
				<-p.began
			}
			if after > time.Second {
				return
			}
			for _, ref := range refs {
				r.await(ref, finished)
			}
		})
	}
}

// TestEngineSeatsAndSlots: tasks wait for a seat in memory and their calls for a slot, in every order; none is forgotten.
func TestEngineSeatsAndSlots(t *testing.T) {
	t.Parallel()
	for live := 1; live <= 4; live++ {
		t.Run(fmt.Sprint(live), func(t *testing.T) {
			t.Parallel()
			p := newScripted(plugin.Repeat)
			p.class, p.pool, p.leave = plugin.Script, 4, nil // of which one project has two
			r := newSmallRig(t, live, engine.Wide(3), p)
			var refs []stdops.TaskRef
			for range 8 {
				refs = append(refs, r.create())
			}
			var all sync.WaitGroup
			for _, ref := range refs {
				all.Go(func() { r.do(ref, engine.Command{Kind: engine.Start}) })
			}
			all.Wait()
			for _, ref := range refs {
				r.await(ref, finished)
			}
			p.wantOnce(t, len(refs)*6)
		})
	}
}
