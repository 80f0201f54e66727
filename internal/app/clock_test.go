package app_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/clock"
	"github.com/stdops/stdops/internal/engine"
	"github.com/stdops/stdops/internal/flow"
	"github.com/stdops/stdops/internal/plugin"
	"github.com/stdops/stdops/internal/plugin/builtin"
	"github.com/stdops/stdops/internal/plugin/testplugin"
	"github.com/stdops/stdops/internal/queue"
	"github.com/stdops/stdops/internal/service"
	"github.com/stdops/stdops/internal/store"
)

const tenYears = 10 * 365 * 24 * time.Hour

// waitings are flows that wait for a time to come, in all the ways there are.
var waitings = map[string]piece{
	"time limit":                 option(act("there", "callback_node"), "timeout_config", map[string]any{"enable": true, "seconds": 20, "action": "forced_fail"}),
	"time limit of half an hour": option(act("there", "callback_node"), "timeout_config", map[string]any{"enable": true, "seconds": 1800, "action": "forced_fail"}),
	"polls":                      act("there", "poll_later", "after", "15"),
	"polls that are far apart":   act("there", "poll_later", "after", "900"),
	"retries by itself":          option(act("there", "fail_ctrl_node"), "auto_retry", map[string]any{"enable": true, "times": 2, "interval": 25}),
	"timer":                      act("there", "sleep_timer", "bk_timing", "30"),
	"timer of two hours":         act("there", "sleep_timer", "bk_timing", "7200"),
	"timer of a moment":          act("there", "sleep_timer", "bk_timing", "2000-01-01 03:00:00"),
}

// pollLater asks for three polls, with the time "after" before each but the first.
type pollLater struct{}

// Spec describes the plugin.
func (pollLater) Spec() plugin.Spec {
	return plugin.Spec{Code: "poll_later", Versions: []string{plugin.DefaultVersion}, Name: "poll_later", Group: "test"}
}

// Execute asks for a poll.
func (pollLater) Execute(context.Context, *plugin.Call) (plugin.Outcome, error) {
	return plugin.PollAfter(0), nil
}

// Schedule asks for the next one.
func (pollLater) Schedule(_ context.Context, call *plugin.Call) (plugin.Outcome, error) {
	if call.Count == 3 {
		return plugin.Done, nil
	}
	after, err := time.ParseDuration(call.Inputs.Text("after") + "s")
	return plugin.PollAfter(after), err
}

// still is a server without its wire in a world in which time is fake, on a machine whose clock can be set.
type still struct {
	*store.Store
	t       *testing.T
	began   time.Time
	off     atomic.Int64 // of the clock of the machine, in nanoseconds
	engine  *engine.Engine
	service *service.Service

	mu       sync.Mutex
	happened map[stdops.TaskID][]string
}

// wall is what the clock of the machine shows.
func (s *still) wall() time.Time { return time.Now().Add(time.Duration(s.off.Load())) }

// passed is what really passes.
func (s *still) passed() time.Duration { return time.Since(s.began) }

// newStill starts a server; with plain, its time is what the clock of the machine shows.
func newStill(t *testing.T, plain bool) *still {
	t.Helper()
	s, quiet := &still{t: t, began: time.Now(), happened: make(map[stdops.TaskID][]string)}, slog.New(slog.DiscardHandler)
	c := clock.Of(s.wall, s.passed)
	now := c.Now
	if plain {
		now = s.wall
	}
	var err error
	s.Store, err = store.Open(t.Context(), store.Options{
		Dir: t.TempDir(), Log: quiet, Now: now, NotBefore: c.NotBefore, DecodeSkeleton: flow.DecodeSkeleton,
	})
	s.must(err)
	plugins, err := plugin.NewRegistry(append(append(builtin.All(), testplugin.All()...), pollLater{})...)
	s.must(err)
	around, err := service.NewSurroundings(s.Store, time.UTC, "http://clock.example")
	s.must(err)
	s.engine = engine.New(engine.Options{
		Commits: s, Tasks: s.Store, Surroundings: around, Plugins: plugins, Wakes: queue.NewLocal(now), Now: now, Epoch: s.Epoch(), Log: quiet,
	})
	s.service, err = service.New(t.Context(), service.Deps{
		Store: s.Store, Engine: s.engine, Plugins: plugins, Surroundings: around, Key: make([]byte, 32), Log: quiet,
	})
	s.must(err)
	s.must(s.engine.Start(t.Context()))
	return s
}

func (s *still) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// Commit stores changes and notes down what happened really when, and what the log says when it was.
func (s *still) Commit(ctx context.Context, changes []stdops.Change) ([]stdops.Verdict, error) {
	s.mu.Lock()
	for i := range changes {
		for _, tr := range changes[i].Transitions {
			s.happened[changes[i].Task] = append(s.happened[changes[i].Task], fmt.Sprintf("node %d is %v after %v, in the log after %v",
				tr.Node, tr.To, shown(s.passed()), shown(tr.Time.Sub(s.began))))
		}
	}
	s.mu.Unlock()
	return s.Store.Commit(ctx, changes)
}

// shown leaves out the microseconds that SQLite waits for another reader: here they pass when nothing else does.
func shown(d time.Duration) time.Duration { return d.Round(time.Millisecond) }

// run makes and starts a task.
func (s *still) run(p piece) stdops.TaskID {
	s.t.Helper()
	text, err := json.Marshal(p.tree())
	s.must(err)
	wire, err := stdops.DecodeValue(text)
	s.must(err)
	access, err := s.service.Access(s.t.Context(), service.LocalAdmin(), service.ProjectRef{ID: "2", Scope: service.ScopeBiz})
	s.must(err)
	made, err := s.service.FastCreateTask(s.t.Context(), access, service.NewTask{Name: "waits", Start: true}, wire.(*stdops.Object))
	s.must(err)
	return made.Task.ID
}

// play gives what happens in each flow within four hours. After ten seconds somebody sets the clock of the machine, after
// 200 minutes it is put right.
func play(t *testing.T, step time.Duration, plain bool) map[string][]string {
	t.Helper()
	happened := make(map[string][]string)
	synctest.Test(t, func(t *testing.T) {
		s := newStill(t, plain)
		tasks := make(map[string]stdops.TaskID)
		for name, p := range waitings {
			tasks[name] = s.run(p)
		}
		time.Sleep(10 * time.Second)
		s.off.Store(int64(step))
		time.Sleep(200 * time.Minute)
		s.off.Store(0)
		time.Sleep(40 * time.Minute)
		s.must(s.engine.Stop(t.Context()))
		s.must(s.Close())
		for name, id := range tasks {
			happened[name] = s.happened[id]
		}
	})
	return happened
}

// TestClockSteps sets the clock of a machine to and fro while time limits, polls, retries and timers are pending: everything
// happens at the very moments at which it happens otherwise, and is recorded with them.
func TestClockSteps(t *testing.T) {
	t.Parallel()
	want := play(t, 0, true)
	for name, end := range map[string]string{
		"time limit": "20s", "time limit of half an hour": "30m0s", "polls": "30s", "polls that are far apart": "30m0s",
		"retries by itself": "50s", "timer": "30s", "timer of two hours": "2h0m0s", "timer of a moment": "3h0m0s",
	} {
		if all := want[name]; len(all) == 0 || !strings.HasSuffix(all[len(all)-1], "after "+end+", in the log after "+end) {
			t.Errorf("%s: %q, want an end after %s", name, all, end)
		}
	}
	for _, step := range []time.Duration{time.Hour, -time.Hour, tenYears, -tenYears} {
		t.Run(step.String(), func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(want, play(t, step, false)); diff != "" {
				t.Errorf("(-without a step +with it):\n%s", diff)
			}
			for name, got := range play(t, step, true) { // the control
				if cmp.Equal(want[name], got) {
					t.Errorf("%s: a server that goes by the clock of the machine gets by as well", name)
				}
			}
		})
	}
}
