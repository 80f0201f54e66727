package engine

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/flow"
	"github.com/stdops/stdops/internal/queue"
)

var clusters = flag.Int("clusters", 6, "how many clusters of engines are run, from -seed on")

// cluster is three engines over one store: two drive tasks, the third only carries out commands. All that goes wrong is drawn
// from one seed; time is virtual, the goroutines are real.
type cluster struct {
	store  *clusterStore
	graphs []*flow.Graph // the last one is that of children
	began  time.Time
	log    *slog.Logger
	logged lockedBuffer

	mu        sync.Mutex
	processes [3]*clusterProcess // nil while it is down
	old       []*clusterProcess
	running   map[stdops.AttemptRef]string // which process a call of a node is out in, by task and node
	begun     map[string]int               // how often each call began
	faults    int                          // that may end a call
	children  map[string]stdops.TaskID     // by the call that made them
	sent      []*clusterCommand
	problems  []string
	serial    atomic.Int64

	users sync.WaitGroup
	doing sync.WaitGroup // what processes are restarted by
	over  chan struct{}
}

type clusterProcess struct {
	*clusterLink
	cluster *cluster
	name    string
	engine  *Engine
	asked   atomic.Int32 // commands that were not answered yet
}

type clusterCommand struct {
	Command
	ref     stdops.TaskRef
	done    bool // it was acknowledged
	refused bool // and cannot have been carried out
}

// clusterMistake is what is wrong with a cluster of which a test wants to know whether it is found.
type clusterMistake uint8

const (
	noClusterMistake       clusterMistake = iota
	mistakeNoEpoch                        // the store does not look at the epoch of a change
	mistakeNoFence                        // calls go on when the lease is over
	mistakeForgetsFreed                   // what a dead process drove is freed, and nobody has to take it
	mistakeReleasesLetters                // a task is let go though somebody else has changed it
	mistakeNoTrace                        // what was stored, and then changed by others before anybody heard of it, counts as not stored
)

type lockedBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func (c *cluster) wrong(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.problems = append(c.problems, fmt.Sprintf("after %s: ", time.Since(c.began))+fmt.Sprintf(format, args...))
}

// runCluster gives what went wrong in the history of a seed.
func runCluster(t *testing.T, seed uint64, mistake clusterMistake) (problems []string) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 3))
	var graphs []*flow.Graph
	for range 3 {
		graphs = append(graphs, drawClusterGraph(r))
	}
	graphs = append(graphs, line(2))
	synctest.Test(t, func(t *testing.T) {
		c := &cluster{
			store: newClusterStore(seed, mistake), graphs: graphs, began: time.Now(), running: make(map[stdops.AttemptRef]string),
			begun: make(map[string]int), children: make(map[string]stdops.TaskID), over: make(chan struct{}),
		}
		c.log = slog.New(slog.NewTextHandler(&c.logged, nil))
		c.store.wrong, c.store.hint = c.wrong, c.hint
		c.run()
		problems = c.problems
		if len(problems) > 0 && testing.Verbose() && mistake == noClusterMistake {
			t.Log(c.logged.String())
		}
	})
	return problems
}

func (c *cluster) run() {
	applied := make(map[string]int)
	c.store.tasks.watch = func(_ *simTask, change *stdops.Change) {
		for i := range change.Keys {
			applied[change.Keys[i].Key]++
		}
	}
	for i := range c.processes {
		c.boot(i)
	}
	for range 3 {
		c.users.Go(c.use)
	}
	c.chaos()
	c.calm()
	c.settle()
	close(c.over)
	c.users.Wait()
	c.checkEngines()
	c.end()
	c.checkRecords(applied)
}

// end stops all that still runs.
func (c *cluster) end() {
	cut, cancel := context.WithCancel(context.Background())
	cancel()
	for i, p := range c.processes {
		if p != nil {
			c.stop(p, context.Background())
			c.mu.Lock() // a hint may still be on its way
			c.processes[i] = nil
			c.mu.Unlock()
		}
	}
	for _, p := range c.old {
		c.stop(p, cut)
	}
}

// boot starts a process, as often as it takes.
func (c *cluster) boot(i int) {
	for {
		p := &clusterProcess{
			clusterLink: &clusterLink{clusterStore: c.store}, cluster: c,
			name: string(rune('a'+i)) + strconv.FormatInt(c.serial.Add(1), 10),
		}
		limits := stdops.DefaultLimits()
		if c.store.draw(2) == 0 {
			limits.LiveTasks = int64(2 + c.store.draw(4))
		}
		if c.store.draw(2) == 0 {
			limits.LightCalls, limits.ScriptCalls = int64(2+c.store.draw(3)), int64(2+c.store.draw(2))
		}
		p.engine = New(Options{
			Commits: p, Tasks: p, Surroundings: c, Plugins: p, Wakes: queue.NewLocal(time.Now), Now: time.Now, Limits: &limits,
			Log: c.log.With("process", p.name), Ownership: p, Passed: func() time.Duration { return time.Since(c.began) }, Aside: i == 2,
		})
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		err := p.engine.Start(ctx)
		cancel()
		if err == nil {
			c.mu.Lock()
			c.processes[i] = p
			c.mu.Unlock()
			return
		}
		c.stop(p, context.Background())
		time.Sleep(time.Second)
	}
}

func (c *cluster) stop(p *clusterProcess, ctx context.Context) {
	if err := p.engine.Stop(ctx); err != nil {
		c.log.Info("stop", "process", p.name, "error", err)
	}
	time.Sleep(10 * time.Second)
	if n := p.asked.Load(); n > 0 {
		c.wrong("process %s has stopped, and %d commands were not answered", p.name, n)
	}
}

// Graph implements [Surroundings].
func (c *cluster) Graph(_ context.Context, hash string) (*flow.Graph, error) {
	i, err := strconv.Atoi(hash)
	return c.graphs[i], err
}

// Info implements [Surroundings].
func (c *cluster) Info(context.Context, *stdops.Task) (Info, error) { return testInfo, nil }

// hint tells somebody to look at a task, as the store does when it can: who drives it, or anybody.
func (c *cluster) hint(ref stdops.TaskRef, owner int64) {
	if c.store.rand.IntN(2) == 0 {
		return
	}
	takes := time.Duration(c.store.rand.IntN(5000)) * time.Microsecond
	go func() {
		time.Sleep(takes)
		c.mu.Lock()
		all := slices.Concat(c.processes[:], c.old)
		c.mu.Unlock()
		for _, p := range all {
			switch {
			case p == nil || p.engine.owners.drives && !p.reachable():
			case owner == 0:
				p.engine.Due([]stdops.TaskRef{ref})
			case p.is(owner):
				p.engine.Touched(ref)
			}
		}
	}()
}

func (p *clusterProcess) reachable() bool {
	p.clusterStore.mu.Lock()
	defer p.clusterStore.mu.Unlock()
	return p.away().IsZero()
}

func (p *clusterProcess) is(worker int64) bool {
	p.clusterStore.mu.Lock()
	defer p.clusterStore.mu.Unlock()
	return p.worker == worker
}

// chaos lets things go wrong for a while.
func (c *cluster) chaos() {
	for time.Since(c.began) < 4*time.Minute {
		time.Sleep(time.Duration(1+c.store.draw(12)) * time.Second)
		i := c.store.draw(len(c.processes))
		c.mu.Lock()
		p := c.processes[i]
		c.faults++
		c.mu.Unlock()
		if p == nil {
			continue
		}
		switch c.store.draw(8) {
		case 0, 1, 2:
			c.cutOff(&p.cut, 2+c.store.draw(29))
		case 3, 4:
			c.replace(i, p, true)
		case 5, 6:
			c.replace(i, p, false)
		default:
			c.cutOff(&c.store.gone, 5+c.store.draw(16))
		}
	}
}

func (c *cluster) cutOff(what *time.Time, seconds int) {
	c.store.mu.Lock()
	defer c.store.mu.Unlock()
	*what = time.Now().Add(time.Duration(seconds) * time.Second)
}

// replace stops a process, or cuts it off for ever, and starts another one.
func (c *cluster) replace(i int, p *clusterProcess, kill bool) {
	c.mu.Lock()
	c.processes[i] = nil
	if kill {
		c.old = append(c.old, p)
	}
	c.mu.Unlock()
	if kill {
		c.store.mu.Lock()
		p.dead = true
		c.store.mu.Unlock()
	}
	grace, pause := time.Duration(c.store.draw(10_000))*time.Millisecond, time.Duration(c.store.draw(15))*time.Second
	c.doing.Go(func() {
		if !kill {
			ctx, cancel := context.WithTimeout(context.Background(), grace)
			defer cancel()
			c.stop(p, ctx)
		} else {
			time.Sleep(pause)
		}
		c.boot(i)
	})
}

// calm lets nothing go wrong any more.
func (c *cluster) calm() {
	c.store.mu.Lock()
	c.store.calm, c.store.gone = true, time.Time{}
	c.mu.Lock()
	for _, p := range c.processes {
		if p != nil {
			p.cut = time.Time{}
		}
	}
	c.mu.Unlock()
	c.store.mu.Unlock()
	c.doing.Wait()
	c.store.delayed.Wait()
	time.Sleep(30 * time.Second)
}

// TestClusters runs histories of several engines over one store.
func TestClusters(t *testing.T) {
	t.Parallel()
	for i := range *clusters {
		seed := *simulateSeed + uint64(i)
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			t.Parallel()
			if problems := runCluster(t, seed, noClusterMistake); len(problems) > 0 {
				t.Errorf("%s\nto see it again:\n\tgo test ./internal/engine -run '^TestClusters$' -v -clusters 1 -seed %d",
					strings.Join(problems[:min(len(problems), 5)], "\n"), seed)
			}
		})
	}
}

// clusterControls are the mistakes that have to be found.
var clusterControls = map[string]clusterMistake{
	"the store does not look at the epoch": mistakeNoEpoch,
	"calls go on when the lease is over":   mistakeNoFence,
	"freed tasks are forgotten":            mistakeForgetsFreed,
	"tasks that were changed are let go":   mistakeReleasesLetters,
	"what was stored is decided anew":      mistakeNoTrace,
}

// TestClustersControls gives the clusters one mistake after the other. Each must be found.
func TestClustersControls(t *testing.T) {
	t.Parallel()
	for name, mistake := range clusterControls {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(100) {
				if problems := runCluster(t, seed, mistake); len(problems) > 0 {
					t.Logf("seed %d finds it: %s", seed, problems[0])
					return
				}
			}
			t.Error("not found in 100 histories")
		})
	}
}
