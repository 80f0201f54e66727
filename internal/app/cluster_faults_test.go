//go:build faults

package app_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stdops/stdops/internal/fail"
	"github.com/stdops/stdops/internal/store"
	"github.com/stdops/stdops/internal/store/pgtest"
)

// sharedPoints are the places at which a server is killed whose tasks others take.
var sharedPoints = []string{
	"task.claimed", "task.loaded", "step.decided", "commit.before", "commit.after", "step.committed", "step.answering",
	"call.starting", "call.begun", "call.done", "call.posted", "timer.set", "timer.came", "callback.decided",
}

// TestClusterFaults crashes a worker at each point, in some shapes of flows, while another process answers. A worker that lives
// goes on with the task, as if nothing had been.
func TestClusterFaults(t *testing.T) {
	if *seed == 0 {
		*seed = rand.Uint64()
	}
	t.Logf("-seed %d", *seed)
	var mu sync.Mutex
	reached := make(map[string]int)
	var took []time.Duration
	t.Run("points", func(t *testing.T) {
		for i, point := range sharedPoints {
			for j := range shapes {
				draw := rand.New(rand.NewPCG(*seed, uint64(i*len(shapes)+j)))
				if (i+j)%2 > 0 && *passes < 3 {
					continue // half of them
				}
				pass := 1
				if *passes >= 3 {
					pass += draw.IntN(4)
				}
				name := fmt.Sprintf("%s@%d", point, pass)
				t.Run(name+"/"+shapes[j].name, func(t *testing.T) {
					t.Parallel()
					after, crashed := takeOverAt(t, name, &shapes[j])
					if !crashed {
						return
					}
					mu.Lock()
					defer mu.Unlock()
					reached[point]++
					took = append(took, after)
				})
			}
		}
	})
	for _, p := range sharedPoints {
		if reached[p] == 0 {
			t.Errorf("no flow came to the point %s", p)
		}
	}
	if len(took) == 0 {
		return
	}
	slices.Sort(took)
	t.Logf("%d crashes at %d points: the task had come to its end %v after the crash at the median, %v at nine of ten, %v at most",
		len(took), len(sharedPoints), took[len(took)/2], took[len(took)*9/10], took[len(took)-1])
}

// takeOverAt plays a flow until the one worker crashes at a point, and lets another take it over.
func takeOverAt(t *testing.T, point string, sh *shape) (after time.Duration, crashed bool) {
	f := newFleet(t, database(t, pgtest.Shared(t)), "worker", "api", "worker")
	f.begin(f.members[0], fail.Env+"="+point)
	f.begin(f.members[1])
	f.createShape(sh)
	for len(f.members[0].ended) == 0 && len(f.unfinished()) > 0 {
		f.finish(f.unfinished())
	}
	crashed = len(f.members[0].ended) > 0
	began := time.Now()
	f.members[0].kill() // also when it has died already
	f.begin(f.members[2])
	f.members[2].until("it is ready", f.members[2].ready)
	f.finishAll()
	after = time.Since(began).Round(time.Millisecond)
	f.begin(f.members[0])
	f.members[0].until("it is ready", f.members[0].ready)
	f.settle()
	return after, crashed
}

// TestClusterKillsControl lets servers acknowledge before they commit: the test of kills must find what the record lacks.
func TestClusterKillsControl(t *testing.T) {
	t.Parallel()
	f := newFleet(t, database(t, pgtest.Shared(t)), everything, everything)
	f.mustLose(func() {
		time.Sleep(rand.N(500 * time.Millisecond))
		m := f.members[rand.IntN(len(f.members))]
		m.kill()
		f.begin(m, early)
	})
}

// TestClusterOutagesControl is the same for a database that ends.
func TestClusterOutagesControl(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t, pgtest.Options{Durable: true})
	f := newFleet(t, database(t, server), everything, everything)
	f.forgives = func(*http.Response) bool { return true } // refusals are no surprise
	f.mustLose(func() {
		time.Sleep(time.Second + rand.N(time.Second))
		if err := server.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := server.Start(); err != nil {
			t.Fatal(err)
		}
	})
}

// early is the mistake of a server that acknowledges before it commits.
const early = fail.Env + "=commit.early"

// mustLose strikes at servers with that mistake under load until the record lacks something that was acknowledged. One
// round nearly always suffices, but what is struck at is left to chance.
func (f *fleet) mustLose(strike func()) {
	f.t.Helper()
	f.control = true
	for round := range 10 {
		f.beginAll(early)
		stop := f.load(4)
		for range 4 {
			strike()
		}
		stop()
		for _, m := range f.members {
			m.kill()
		}
		if f.checkStored(store.Options{DB: f.db}, f.dir); f.lost > 0 {
			f.t.Logf("round %d: %d commands are lost; %d findings, as %s", round, f.lost, len(f.found), f.found[len(f.found)-1])
			return
		}
	}
	f.t.Errorf("the test does not find a server with a mistake: %q", f.found)
}

// TestClusterPartitionsControl lets a server that is cut off go on: its calls are out while others make them, too.
func TestClusterPartitionsControl(t *testing.T) {
	t.Parallel()
	p := newPartitioned(t)
	p.control = true
	p.beginOn(p.members[0], p.proxy.URL(p.db), fail.Env+"=fence.off")
	for i := range longRunning {
		p.startTask(p.making(&longRunning[i]))
	}
	p.until("its calls are out", func() bool { return len(readEffects(t, p.dir)) == len(longRunning) })
	p.proxy.Hold(pgtest.Requests, pgtest.Answers)
	p.members[0].life.Load().down.Store(true)
	for _, m := range p.members[1:] {
		p.begin(m)
	}
	p.until("others have ended the tasks", func() bool { p.finish(p.unfinished()); return len(p.unfinished()) == 0 })
	p.proxy.Pass()
	for _, m := range p.members {
		m.kill()
	}
	if p.checkSpans(p.dir) == 0 {
		t.Errorf("a server that does not stop when it is cut off makes no call beside others: %q", p.found)
	}
	t.Logf("found %q", p.found)
}

// TestClusterStallsWithoutAFence stops a server for longer than its lease that never notices it by itself: the epochs in the
// database are enough.
func TestClusterStallsWithoutAFence(t *testing.T) {
	t.Parallel()
	f := newStalled(t)
	f.begin(f.members[0], fail.Env+"=fence.off")
	f.begin(f.members[1])
	f.begin(f.members[2])
	f.stall(1)
	f.settle()
}

// TestClusterStallsControl does the same where epochs never rise: two servers make the calls of a task by turns.
func TestClusterStallsControl(t *testing.T) {
	t.Parallel()
	f := newStalled(t)
	f.spoil(`NEW.epoch := 0`)
	f.control = true
	first, second := f.members[0], f.members[1]
	polledBy := func(m *member) bool {
		for _, list := range readEffects(t, f.dir) {
			for _, tr := range list {
				if tr.life == m.lives && tr.call > 0 {
					return true
				}
			}
		}
		return false
	}
	f.begin(first, fail.Env+"=fence.off")
	for range 5 {
		f.startTask(f.making(&polls))
	}
	f.until("the first polls", func() bool { return polledBy(first) })
	f.sleep(first, func() {
		f.begin(second)
		f.until("the second polls", func() bool { return polledBy(second) })
	})
	f.calm = time.Now().Add(time.Second).UnixNano()
	f.until("all tasks end", func() bool { f.finish(f.unfinished()); return len(f.unfinished()) == 0 })
	first.kill()
	second.kill()
	f.traces = readEffects(t, f.dir)
	f.checkEffects()
	for _, text := range f.found {
		if strings.Contains(text, "though nothing has happened") {
			t.Logf("%d findings, as %s", len(f.found), text)
			return
		}
	}
	t.Errorf("without epochs nothing happens twice: %q", f.found)
}

// TestClusterClock sets the clock of one of two servers while tasks wait, to and fro: nothing comes early, nothing is stuck, since
// all go by the clock of the database.
func TestClusterClock(t *testing.T) {
	t.Parallel()
	for _, step := range []time.Duration{time.Hour, -time.Hour, tenYears, -tenYears} {
		t.Run(step.String(), func(t *testing.T) {
			t.Parallel()
			s, f := newSteppedFleet(t)
			f.beginAll()
			s.begin()
			s.set(step)
			s.end()
			s.begin()
			s.set(-step)
			f.members[1].kill()
			f.begin(f.members[1])
			s.end()
			f.stop()
			f.verify()
			data, err := store.OpenDatabase(t.Context(), f.db)
			if err != nil {
				t.Fatal(err)
			}
			defer data.Close()
			s.checkRecords(data)
			for _, text := range []string{"cut off", "lease"} {
				if strings.Contains(f.said(), text) {
					t.Errorf("a server lost its lease to the clock:\n%s", f.said())
				}
			}
		})
	}
}

// TestClusterClockControl sets the clock of a server that goes by it forward: what it drives comes early.
func TestClusterClockControl(t *testing.T) {
	t.Parallel()
	s, f := newSteppedFleet(t)
	s.control, s.patience = true, 20*time.Second
	f.begin(f.members[0], fail.Env+"=clock.wall")
	s.begin()
	s.set(time.Hour)
	s.end()
	f.members[0].kill()
	if !strings.Contains(strings.Join(s.found, "\n"), "not before") {
		t.Errorf("nothing came early: %q", s.found)
	}
}

// newSteppedFleet makes two servers, of which the clock of the first one can be set.
func newSteppedFleet(t *testing.T) (*stepped, *fleet) {
	f := newFleet(t, database(t, pgtest.Shared(t)), everything, everything)
	s := &stepped{crash: f.crash, patience: 2 * time.Minute, began: time.Now(), clock: filepath.Join(t.TempDir(), "clock")}
	s.set(0)
	f.members[0].env = []string{fail.ClockEnv + "=" + s.clock}
	return s, f
}
