package testplugin_test

import (
	"context"
	"errors"
	"testing"

	"go.uber.org/goleak"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/plugin"
	"github.com/stdops/stdops/internal/plugin/testplugin"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func find(t *testing.T, code string) plugin.Plugin {
	t.Helper()
	registry, err := plugin.NewRegistry(testplugin.All()...)
	if err != nil {
		t.Fatal(err)
	}
	p := registry.Find(code, plugin.DefaultVersion)
	if p == nil {
		t.Fatalf("no plugin %s", code)
	}
	return p
}

func TestFailCtrlNodeReadsItsBit(t *testing.T) {
	t.Parallel()
	p := find(t, "fail_ctrl_node")
	for _, c := range []struct {
		bit   any
		fails bool
	}{{int64(1), false}, {int64(0), true}, {" 2 ", false}, {"0", true}, {"x", true}, {true, false}, {0.5, true}, {[]any{}, true}} {
		call := &plugin.Call{Inputs: stdops.NewObject("bit", c.bit), Outputs: &stdops.Object{}}
		if _, err := p.Execute(t.Context(), call); (err != nil) != c.fails {
			t.Errorf("bit %v: %v", c.bit, err)
		}
	}
}

func TestScheduleNodeEndsAtTheSixthPoll(t *testing.T) {
	t.Parallel()
	p := find(t, "schedule_node").(plugin.Scheduler)
	call := &plugin.Call{Inputs: &stdops.Object{}, Outputs: &stdops.Object{}}
	for poll := 1; poll <= 6; poll++ {
		got, err := p.Schedule(t.Context(), call)
		if err != nil || (got == plugin.Done) != (poll == 6) {
			t.Errorf("poll %d: %+v, %v", poll, got, err)
		}
	}
	if count, _ := call.Outputs.Get("count"); count != int64(5) {
		t.Errorf("count is %v", count)
	}
}

func TestCallbackNodeReadsItsData(t *testing.T) {
	t.Parallel()
	p := find(t, "callback_node").(plugin.Scheduler)
	for _, c := range []struct {
		data  any
		fails bool
	}{
		{&stdops.Object{}, false},
		{nil, false},
		{stdops.NewObject("bit", int64(1)), false},
		{stdops.NewObject("bit", int64(0)), true},
		{stdops.NewObject("other", int64(1)), true},
	} {
		call := &plugin.Call{Inputs: &stdops.Object{}, Outputs: &stdops.Object{}, Callback: c.data, HasCallback: true}
		if _, err := p.Schedule(t.Context(), call); (err != nil) != c.fails {
			t.Errorf("data %v: %v", c.data, err)
		}
	}
}

func TestDummyExecNodeEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	call := &plugin.Call{Inputs: stdops.NewObject("time", int64(3600)), Outputs: &stdops.Object{}}
	if _, err := find(t, "dummy_exec_node").Execute(ctx, call); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
