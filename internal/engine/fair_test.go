package engine_test

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/engine"
	"github.com/stdops/stdops/internal/plugin"
	"github.com/stdops/stdops/internal/store"
)

// waitingCalls gives how many calls of the class wait for a slot.
func (r *rig) waitingCalls(class plugin.Class) int { return r.engine.Stats().Classes[class].Waiting }

// oneSlot starts two tasks of one node whose plugin has one slot: the first has it, the second waits for it.
func oneSlot(t *testing.T, rule plugin.CrashRule) (p *scripted, r *rig, first, second stdops.TaskRef) {
	t.Helper()
	p = newScripted(rule)
	p.class, p.pool = plugin.Script, 1
	r = newRig(t, engine.Line(1), p)
	first, second = r.create(), r.create()
	r.do(first, engine.Command{Kind: engine.Start})
	<-p.began
	r.do(second, engine.Command{Kind: engine.Start})
	if n := r.waitingCalls(plugin.Script); n != 1 {
		t.Fatalf("%d calls wait for the slot", n)
	}
	return p, r, first, second
}

// TestEngineSlowProjectHoldsUpNoOther: thousands of calls of one project never end, and tasks of another come to theirs,
// one after the other and many at once.
func TestEngineSlowProjectHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	p := newScripted(plugin.Unknown)
	p.class, p.pool = plugin.HTTP, 20
	slow := map[string]bool{}
	p.quick = func(task string) bool { return !slow[task] }
	r := newRig(t, engine.Wide(50), p)
	other, err := r.store.CreateProject(t.Context(), store.Project{Name: "other", Biz: store.NoBiz, Created: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	var tasks []stdops.TaskRef
	for range 60 {
		ref := r.create()
		slow[strconv.FormatInt(int64(ref.Task), 10)] = true
		tasks = append(tasks, ref)
	}
	for _, ref := range tasks {
		r.do(ref, engine.Command{Kind: engine.Start})
	}
	for range 10 { // half of the pool
		<-p.began
	}
	if n := r.waitingCalls(plugin.HTTP); n < 2000 {
		t.Fatalf("%d calls of the slow project wait, the test wants thousands", n)
	}
	var quick []stdops.TaskRef
	for range 5 {
		ref := r.createIn(other.ID)
		quick = append(quick, ref)
		r.do(ref, engine.Command{Kind: engine.Start})
	}
	for _, ref := range quick {
		r.await(ref, finished)
	}
	p.wantOnce(t, 10+5*100) // ten of the slow project, all of the other
	over, cancel := context.WithCancel(t.Context())
	cancel()
	r.close(over)
}

// TestEngineCallsThatWaitAreInNoDoubt: of two nodes that must not run twice one has the only slot when the process ends
// suddenly. It is in doubt; the other has not begun, and runs after the next start.
func TestEngineCallsThatWaitAreInNoDoubt(t *testing.T) {
	t.Parallel()
	p, r, first, second := oneSlot(t, plugin.Unknown)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	r.close(over)
	close(p.leave)
	r.open()
	r.await(first, inState(stdops.StateFailed))
	r.await(second, finished)
	p.wantOnce(t, 2)
}

// TestEngineCallsThatWaitCanBeEnded: a node that waits for a slot is ended by force, by its time limit or with its task,
// without ever running, and those behind it go on.
func TestEngineCallsThatWaitCanBeEnded(t *testing.T) {
	t.Parallel()
	for name, cmd := range map[string]engine.Command{
		"forced": {Kind: engine.ForceFail, Node: 2, Actor: "ann"},
		"revoke": {Kind: engine.Revoke},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newScripted(plugin.Unknown)
			p.class, p.pool = plugin.Script, 1
			r := newRig(t, engine.Line(1), p)
			first, ended, last := r.create(), r.create(), r.create()
			r.do(first, engine.Command{Kind: engine.Start})
			<-p.began
			for _, ref := range []stdops.TaskRef{ended, last} {
				r.do(ref, engine.Command{Kind: engine.Start})
			}
			r.do(ended, cmd)
			close(p.leave)
			r.await(first, finished)
			r.await(last, finished)
			p.wantOnce(t, 2)
			if n := r.waitingCalls(plugin.Script); n != 0 {
				t.Errorf("%d calls still wait", n)
			}
		})
	}
}

// TestEngineLineGoesOnAfterTheStoreFailed: a slot is set aside for a task that cannot store that its call begins.
func TestEngineLineGoesOnAfterTheStoreFailed(t *testing.T) {
	t.Parallel()
	p, r, first, second := oneSlot(t, plugin.Unknown)
	r.broken.Store(true)
	close(p.leave)
	for task := range r.lost {
		if task == second.Task {
			break
		}
	}
	r.broken.Store(false)
	r.do(second, engine.Command{Kind: engine.Pause}) // it is read again now, not seconds later
	r.do(second, engine.Command{Kind: engine.Resume})
	r.await(first, finished)
	r.await(second, finished)
	p.wantOnce(t, 2)
	if c := r.engine.Stats().Classes[plugin.Script]; c.Waiting != 0 {
		t.Errorf("%+v", c)
	}
}
