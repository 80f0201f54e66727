package service

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/engine"
	"github.com/stdops/stdops/internal/flow"
	"github.com/stdops/stdops/internal/plugin"
	"github.com/stdops/stdops/internal/plugin/builtin"
	"github.com/stdops/stdops/internal/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var dataKey = []byte("0123456789abcdef")

// fakeEngine accepts every command and remembers it.
type fakeEngine struct {
	mu       sync.Mutex
	commands []engine.Command
	adopted  []stdops.TaskID
}

func (e *fakeEngine) Do(_ context.Context, _ stdops.TaskRef, cmd engine.Command) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.commands = append(e.commands, cmd)
	return nil
}

func (e *fakeEngine) Begin(_ context.Context, task stdops.Task, _ *flow.Graph, _ *stdops.Object, actor string) (*stdops.Change, error) {
	root := task.Root
	root.State, root.Started = stdops.StateRunning, time.Unix(1, 0)
	return &stdops.Change{Task: task.ID, Project: task.Project, Epoch: 1, Root: root, Executor: actor}, nil
}

func (e *fakeEngine) Adopt(first *stdops.Change) { e.adopted = append(e.adopted, first.Task) }

func (e *fakeEngine) Preview(context.Context, stdops.TaskRef, stdops.NodeIndex) (*stdops.Object, error) {
	return &stdops.Object{}, nil
}

func (*fakeEngine) CallsOut(stdops.TaskRef, stdops.NodeIndex) []stdops.Version { return nil }

// bundle is a service on a real store whose clock the test moves.
type bundle struct {
	*Service
	engine *fakeEngine
	clock  *clock
}

type clock struct {
	mu     sync.Mutex
	now    time.Time
	before func() // is called once, when somebody looks at the clock
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	do := c.before
	c.before = nil
	c.mu.Unlock()
	if do != nil {
		do()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func setup(t testing.TB) *bundle {
	t.Helper()
	b := &bundle{engine: &fakeEngine{}, clock: &clock{now: time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)}}
	st, err := store.Open(t.Context(), store.Options{
		Dir: t.TempDir(), Log: slog.New(slog.DiscardHandler), Now: b.clock.Now, DecodeSkeleton: flow.DecodeSkeleton,
	})
	must(t, err)
	t.Cleanup(func() { must(t, st.Close()) })
	plugins, err := plugin.NewRegistry(builtin.All()...)
	must(t, err)
	around, err := NewSurroundings(st, nil, "http://stdops.example/")
	must(t, err)
	b.Service, err = New(t.Context(), Deps{
		Store: st, Engine: b.engine, Plugins: plugins, Surroundings: around, Key: dataKey, Log: slog.New(slog.DiscardHandler),
	})
	must(t, err)
	return b
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// refused checks the kind of a refusal.
func refused(t *testing.T, err error, code stdops.Code) {
	t.Helper()
	if err == nil || stdops.ErrorCode(err) != code {
		t.Errorf("error %v, want one of kind %d", err, code)
	}
}
