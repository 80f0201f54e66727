//go:build faults

package app_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/client"
	"github.com/stdops/stdops/internal/app"
	"github.com/stdops/stdops/internal/fail"
)

// childPoints are the places at which a server is killed that runs a task with children.
var childPoints = []string{
	"create.storing", "create.stored", "create.answering", "commit.before", "commit.after", "step.decided", "step.committed",
	"call.starting", "call.begun", "call.done", "call.posted", "tell.stored", "parent.woken", "tell.heard", "task.loaded",
}

// TestChildrenControl lets a server lose what children tell, as one that told after its step would lose it in a crash: the
// check of the record must find it.
func TestChildrenControl(t *testing.T) {
	t.Parallel()
	p := &parents{victim: newVictim(t)}
	p.mustStart(fail.Env + "=tell.lost")
	failed := func(l listedTask) bool { return l.State == "FAILED" }
	for deadline := time.Now().Add(time.Minute); !slices.ContainsFunc(p.tasks(), failed) || !p.waiting("inner"); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("no child has failed")
		}
		p.begin()
	}
	p.kill()
	var found []string
	if _, err := app.Verify(t.Context(), p.dir, func(_ stdops.TaskID, problem string) { found = append(found, problem) }); err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(found, func(text string) bool { return strings.HasSuffix(text, "waits and was not told") }) {
		t.Errorf("found %q", found)
	}
}

// waiting reports whether a node of that name waits in one of the tasks.
func (p *parents) waiting(name string) bool {
	p.t.Helper()
	native, err := client.New(client.Options{Socket: app.SocketPath(p.dir)})
	if err != nil {
		p.t.Fatal(err)
	}
	defer native.Close()
	for _, task := range p.tasks() {
		list, err := native.Nodes(p.t.Context(), 1, task.ID)
		if err != nil {
			p.t.Fatal(err)
		}
		if slices.ContainsFunc(list.Nodes, func(n client.Node) bool { return n.Name == name && n.Phase == "waiting" }) {
			return true
		}
	}
	return false
}

// TestChildrenFaults crashes a server at each point while three generations of tasks run and one of them waits for a person.
// After the next start all must come to its end, with one child for each node and no attempt more than there has to be.
func TestChildrenFaults(t *testing.T) {
	if *seed == 0 {
		*seed = rand.Uint64()
	}
	t.Logf("-seed %d", *seed)
	var mu sync.Mutex
	reached := make(map[string]int)
	var crashes atomic.Int64
	t.Run("points", func(t *testing.T) {
		for i, point := range childPoints {
			draw := rand.New(rand.NewPCG(*seed, uint64(i)))
			at := []int{1, 2, 3, 4, 5, 6, 7} // so often something is told
			for range *passes {
				at = append(at, 8+draw.IntN(16))
			}
			for _, pass := range at {
				name := fmt.Sprintf("%s@%d", point, pass)
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					p := &parents{victim: newVictim(t)}
					p.mustStart(fail.Env + "=" + name)
					if p.play() {
						p.stop()
						return
					}
					crashes.Add(1)
					p.verify()
					p.mustStart()
					if !p.play() {
						t.Fatalf("the server died\n%s", p.log)
					}
					p.stop()
					p.verify()
					p.check()
					mu.Lock()
					defer mu.Unlock()
					reached[point]++
				})
			}
		}
	})
	for _, point := range childPoints {
		if reached[point] == 0 {
			t.Errorf("no crash at the point %s", point)
		}
	}
	t.Logf("%d crashes at %d points", crashes.Load(), len(childPoints))
}
