package engine_test

import (
	"log/slog"
	"runtime"
	"sync"
	"testing"

	"github.com/stdops/stdops/internal/engine"
	"github.com/stdops/stdops/internal/plugin"
	"github.com/stdops/stdops/internal/queue"
)

// crowd is a registry without plugins, which notes how many look for one at the same time.
type crowd struct {
	mu           sync.Mutex
	inside, most int
	entered      chan struct{}
	leave        chan struct{}
}

func (c *crowd) Find(string, string) plugin.Plugin {
	c.mu.Lock()
	c.inside++
	c.most = max(c.most, c.inside)
	c.mu.Unlock()
	c.entered <- struct{}{}
	<-c.leave
	c.mu.Lock()
	c.inside--
	c.mu.Unlock()
	return nil
}

// TestEngineDecidesFewStepsAtOnce: what a step may take of memory is taken as often as there are processors, however
// many tasks want to go on.
func TestEngineDecidesFewStepsAtOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t, engine.Line(1), newScripted(plugin.Repeat))
	if err := r.engine.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	c := &crowd{entered: make(chan struct{}, 1000), leave: make(chan struct{})}
	r.engine = engine.New(engine.Options{
		Commits: r, Tasks: r.store, Surroundings: r, Plugins: c, Wakes: queue.NewLocal(r.store.Now), Now: r.store.Now, Epoch: r.store.Epoch(),
		Log: slog.New(slog.DiscardHandler),
	})
	if err := r.engine.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	processors := runtime.GOMAXPROCS(0)
	var tasks sync.WaitGroup
	for range processors + 20 {
		ref := r.create()
		tasks.Go(func() { r.do(ref, engine.Command{Kind: engine.Start}) })
	}
	for range processors {
		<-c.entered
	}
	close(c.leave)
	tasks.Wait()
	if c.most != processors {
		t.Errorf("%d steps were decided at the same time on %d processors", c.most, processors)
	}
}
