package app_test

import (
	"flag"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stdops/stdops/internal/store/pgtest"
)

var takeovers = flag.Int("takeovers", 0, "how often TestClusterTakeover kills a server that has a task in each state")

// TestClusterTakeover kills a server that has a task in each state, while another one lives: what needs nobody goes on there,
// what waits for somebody waits on, and does what it is told.
func TestClusterTakeover(t *testing.T) {
	t.Parallel()
	if *takeovers == 0 {
		t.Skip("takes as long as a lease: see -takeovers")
	}
	var mu sync.Mutex
	var all []time.Duration
	t.Run("rounds", func(t *testing.T) {
		for range *takeovers {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				took := takeOver(t)
				mu.Lock()
				defer mu.Unlock()
				all = append(all, took...)
			})
		}
	})
	if len(all) > 0 {
		slices.Sort(all)
		t.Logf("%d tasks of %d servers that were killed went on after %v at the median, %v at nine of ten, %v at most",
			len(all), *takeovers, all[len(all)/2], all[len(all)*9/10], all[len(all)-1])
	}
}

// takeOver gives how long after the kill each task had gone on.
func takeOver(t *testing.T) (took []time.Duration) {
	f := newFleet(t, database(t, pgtest.Shared(t)), everything, "api", everything)
	f.begin(f.members[0]) // of which calls that are held do not end
	f.begin(f.members[1])
	tasks := f.prepare()
	f.begin(f.members[2])
	f.members[2].until("it is ready", f.members[2].ready)
	f.members[0].kill()
	killed := time.Now()
	took = make([]time.Duration, len(tasks))
	f.until("all tasks go on", func() bool {
		for i := range tasks {
			r := &tasks[i]
			if took[i] > 0 {
				continue
			}
			// What waits for somebody and looked the same before is left to the next step.
			if state := f.stateOf(r.id); state == "FINISHED" || r.stays != "" && state == r.stays {
				took[i] = time.Since(killed).Round(time.Millisecond)
			}
		}
		return !slices.Contains(took, 0)
	})
	for i := range tasks {
		if tasks[i].stays != "" {
			f.doThen(&tasks[i])
		}
	}
	for i := range tasks {
		f.until(tasks[i].name, func() bool { return f.stateOf(tasks[i].id) == "FINISHED" })
	}
	f.begin(f.members[0]) // so that all can be stopped
	f.members[0].until("it is ready", f.members[0].ready)
	f.stop()
	f.verify()
	moved := took[:0]
	for i := range tasks {
		if tasks[i].stays == "" || tasks[i].stays == "FAILED" && tasks[i].in == "RUNNING" {
			moved = append(moved, took[i])
		}
	}
	return moved
}

// prepare brings a task into each state.
func (f *fleet) prepare() []recovery {
	f.t.Helper()
	tasks := slices.Clone(recoveries)
	for i := range tasks {
		r := &tasks[i]
		r.id = f.making(&shape{name: r.name, flow: r.flow})
		if r.in == "" {
			continue
		}
		f.startTask(r.id)
		if r.pause {
			f.operate(r.id, "pause")
		}
	}
	for i := range tasks {
		if r := &tasks[i]; r.in != "" {
			f.until(r.name, func() bool { return f.there(r.id).State == r.in })
		}
	}
	return tasks
}
