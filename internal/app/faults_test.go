//go:build faults

package app_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/stdops/stdops/internal/fail"
)

var passes = flag.Int("passes", 2, "how many passes of each point TestFaults crashes at, the first one always")

// points are the places at which the server is killed, and whether it has to come to them after a crash.
var points = []struct {
	name  string
	after bool // only a start that finds live tasks comes here
}{
	{name: "create.storing"},
	{name: "create.stored"},
	{name: "create.answering"},
	{name: "step.decided"},
	{name: "commit.before"},
	{name: "commit.after"},
	{name: "step.committed"},
	{name: "step.answering"},
	{name: "call.starting"},
	{name: "call.begun"},
	{name: "call.done"},
	{name: "call.posted"},
	{name: "timer.set"},
	{name: "timer.came"},
	{name: "callback.stored"},
	{name: "callback.decided"},
	{name: "start.read", after: true},
	{name: "start.woken", after: true},
	{name: "task.loaded", after: true},
}

// TestFaults crashes a server at each named point in each shape of flow, at the first pass and at passes drawn at random.
// Nothing acknowledged may be lost, no effect may happen more than twice, and the task must end after the next start.
func TestFaults(t *testing.T) {
	if *seed == 0 {
		*seed = rand.Uint64()
	}
	t.Logf("-seed %d", *seed)
	var mu sync.Mutex
	reached := make(map[string]int)
	var crashes, repeats atomic.Int64
	t.Run("points", func(t *testing.T) {
		for i := range points {
			for j := range shapes {
				draw := rand.New(rand.NewPCG(*seed, uint64(i*len(shapes)+j)))
				at := []int{1}
				for range *passes - 1 {
					at = append(at, 2+draw.IntN(12))
				}
				for _, pass := range at {
					name := fmt.Sprintf("%s@%d", points[i].name, pass)
					t.Run(name+"/"+shapes[j].name, func(t *testing.T) {
						t.Parallel()
						c := newCrash(t)
						if !c.crashAt(name, points[i].after, &shapes[j]) {
							return
						}
						crashes.Add(1)
						repeats.Add(int64(c.survive()))
						mu.Lock()
						defer mu.Unlock()
						reached[points[i].name]++
					})
				}
			}
		}
	})
	for _, p := range points {
		if reached[p.name] == 0 {
			t.Errorf("no flow came to the point %s", p.name)
		}
	}
	t.Logf("%d crashes at %d points in %d shapes, %d effects repeated", crashes.Load(), len(points), len(shapes), repeats.Load())
}

// start begins a life that may end before it has taken its address; false when it did.
func (c *crash) start(env ...string) bool {
	c.t.Helper()
	if !c.victim.start(env...) {
		return false
	}
	c.begun(env)
	return true
}

// crashAt runs a flow until the server dies at the point; false: the flow never came there and has ended.
func (c *crash) crashAt(point string, after bool, sh *shape) bool {
	env := fail.Env + "=" + point
	if after {
		c.mustStart(fail.Env + "=call.done")
		c.playUntilDead(sh)
		if !c.start(env) {
			return true
		}
	} else {
		c.mustStart(env)
	}
	return c.playUntilDead(sh)
}

// playUntilDead drives a task of the shape, or the one there is, to its end; true when the server dies meanwhile.
func (c *crash) playUntilDead(sh *shape) bool {
	if len(c.tasks) == 0 {
		c.createShape(sh)
	}
	for deadline := time.Now().Add(2 * time.Minute); len(c.ended) == 0; {
		if open := c.unfinished(); len(open) > 0 {
			c.finish(open)
		} else if len(c.tasks) > 0 {
			time.Sleep(30 * time.Millisecond) // a point may still come after the end was shown
			if len(c.ended) == 0 {
				c.kill()
				return false
			}
		}
		if time.Now().After(deadline) {
			c.kill()
			c.t.Fatalf("tasks %v did not end\n%s", c.unfinished(), c.log)
		}
		time.Sleep(2 * time.Millisecond)
	}
	c.down.Store(true)
	return true
}

// survive starts the server again without faults, brings what is there to its end and holds it against the oracle.
func (c *crash) survive() (repeated int) {
	c.verify()
	c.mustStart()
	if len(c.tasks) == 0 {
		c.create() // the crash came before anything was acknowledged
	}
	c.finishAll()
	c.stop()
	c.verify()
	c.checkRecord(c.dir)
	return c.checkEffects()
}

// TestCrashControl lets a server acknowledge before it commits: the crash test must find what the record then lacks.
func TestCrashControl(t *testing.T) {
	c := newCrash(t)
	c.control = true
	for range 20 {
		c.runAndKill(fail.Env + "=commit.early")
	}
	if c.checkRecord(c.dir); c.lost == 0 {
		t.Errorf("a server that acknowledges before it commits passes the crash test: %q", c.found)
	}
	t.Logf("%d commands are lost; found %d, as %s", c.lost, len(c.found), strings.Join(c.found[:min(1, len(c.found))], ""))
}

// TestEffectsControl lets a server call plugins before the commit that says so: the test must find effects of attempts that
// nobody knows.
func TestEffectsControl(t *testing.T) {
	t.Parallel()
	for pass := range 20 {
		c := newCrash(t)
		c.control = true
		c.mustStart(fmt.Sprintf("%s=call.early,commit.before@%d", fail.Env, 2+pass))
		c.createShape(&shapes[0])
		for len(c.ended) == 0 && len(c.unfinished()) > 0 {
			c.finish(c.unfinished())
		}
		c.kill()
		c.checkRecord(c.dir)
		for _, text := range c.found {
			if strings.Contains(text, "happened, but the record") || strings.Contains(text, "had effects, but the record") {
				t.Logf("at commit %d: %s", 2+pass, text)
				return
			}
		}
	}
	t.Error("a server that calls plugins before the commit passes the test of effects")
}

// TestLinearWrongServer fights for tasks of a server that acknowledges before it commits: a history must show it.
func TestLinearWrongServer(t *testing.T) {
	t.Parallel()
	v := newVictim(t)
	v.mustStart(fail.Env + "=commit.early")
	defer v.kill()
	for i := range 100 {
		if got := porcupine.CheckOperationsTimeout(taskModel(), v.history(5, drawBursts(5)), 10*time.Second); got != porcupine.Ok {
			t.Logf("history %d is %s", i, got)
			return
		}
	}
	t.Error("a server that acknowledges before it commits gives good histories")
}
