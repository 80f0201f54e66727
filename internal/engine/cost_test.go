package engine

import (
	"runtime"
	"testing"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/flow"
	"github.com/stdops/stdops/internal/plugin"
)

// costs are what one event needs in a task of some size.
type costs struct {
	allocs float64
	bytes  uint64
}

// costOfAStep runs a task until some of its nodes have ended and measures the step that ends one more.
func costOfAStep(t *testing.T, g *flow.Graph, ended int) costs {
	t.Helper()
	registry, err := plugin.NewRegistry(stubs()...)
	if err != nil {
		t.Fatal(err)
	}
	st, e := begun(t, g, registry, ended)
	one := func() {
		if _, _, err := decide(st, []event{e}, env{now: tenOClock, entropy: zeros{}, plugins: registry}); err != nil {
			t.Fatal(err)
		}
	}
	const runs = 50
	var before, after runtime.MemStats
	allocs := testing.AllocsPerRun(runs, one)
	runtime.ReadMemStats(&before)
	for range runs {
		one()
	}
	runtime.ReadMemStats(&after)
	return costs{allocs, (after.TotalAlloc - before.TotalAlloc) / runs}
}

var tenOClock = time.Date(2026, 5, 4, 10, 0, 0, 0, time.UTC)

// zeros is entropy without any cost.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) { return len(b), nil }

// begun gives the state of a task in which so many calls have ended, and the event that ends the next.
func begun(t *testing.T, g *flow.Graph, plugins Plugins, ended int) (*state, callEnded) {
	t.Helper()
	task := stdops.Task{ID: 7, Project: 1, Name: "a task", Root: stdops.RootState{State: stdops.StateCreated}}
	st := newState(task, g, testInfo, &stdops.Object{})
	events, out := []event{Command{Kind: Start}}, []callEnded(nil)
	for {
		d, _, err := decide(st, events, env{now: tenOClock, entropy: entropy(), plugins: plugins})
		if err != nil {
			t.Fatal(err)
		}
		if !d.empty() {
			st.apply(d)
		}
		st.keep(d)
		for _, c := range d.calls {
			out = append(out, callEnded{node: c.node, version: c.version, call: c.number, inputs: c.inputs, outputs: c.outputs})
		}
		switch {
		case d.more:
			events = []event{goOn{}}
		case ended > 0:
			ended--
			events, out = []event{out[0]}, out[1:]
		default:
			return st, out[0]
		}
	}
}

func TestDecideCostsTheSameInLargeTasks(t *testing.T) {
	for name, draw := range map[string]func(n int) *flow.Graph{
		"serial":   line,
		"parallel": func(n int) *flow.Graph { return wide(n/2, nil) },
		"branches": func(n int) *flow.Graph { // few branches, each long
			return build(func(b *builder, p stdops.NodeIndex, heads []head) []head {
				return b.gateway(stdops.KindParallel, p, heads, make([]string, 10), func(_ int, h []head) []head {
					for range n / 10 {
						h = b.activity(p, h, nil)
					}
					return h
				})
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			small, large := costOfAStep(t, draw(100), 10), costOfAStep(t, draw(10_000), 10)
			t.Logf("%+v at 100 nodes, %+v at 10,000", small, large)
			if large.allocs > 2*small.allocs || large.bytes > 2*small.bytes {
				t.Errorf("a step costs %+v at 10,000 nodes and %+v at 100", large, small)
			}
		})
	}
}
