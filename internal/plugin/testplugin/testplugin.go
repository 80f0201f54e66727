// Package testplugin holds the plugins that black-box tests build flows of (conformance/README.md describes each). They
// are registered only by serve --test-plugins.
package testplugin

import (
	"context"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/plugin"
)

// All gives the test plugins.
func All() []plugin.Plugin {
	return []plugin.Plugin{
		scheduled{test{"debug_node", debugExecute}, func(call *plugin.Call) (plugin.Outcome, error) { return plugin.Done, nil }},
		test{"debug_no_schedule_node", copyExecute},
		scheduled{test{"schedule_node", pollNow}, countToFive},
		test{"loop_count_node", loopExecute},
		scheduled{test{"loop_count_s_node", pollNow}, countToTwo},
		test{"fail_at_second_node", failFirstLoop},
		test{"fail_ctrl_node", failByBit},
		test{"dummy_exec_node", work},
		scheduled{test{"callback_node", waitForCallback}, callbackByBit},
		scheduled{test{"multi_callback_node", waitForCallback}, countCallbacks},
	}
}

// test is a plugin whose execute is a function.
type test struct {
	code    string
	execute func(context.Context, *plugin.Call) (plugin.Outcome, error)
}

// Spec describes the plugin.
func (t test) Spec() plugin.Spec {
	return plugin.Spec{Code: t.code, Versions: []string{plugin.DefaultVersion}, Name: t.code, Group: "test", Doc: "For tests only."}
}

// Execute runs the function.
func (t test) Execute(ctx context.Context, call *plugin.Call) (plugin.Outcome, error) {
	return t.execute(ctx, call)
}

// scheduled is a test plugin that is polled or called back as well.
type scheduled struct {
	test
	schedule func(*plugin.Call) (plugin.Outcome, error)
}

// Spec describes the plugin.
func (s scheduled) Spec() plugin.Spec {
	spec := s.test.Spec()
	spec.ManyCallbacks = s.code == "multi_callback_node"
	return spec
}

// Schedule runs the function.
func (s scheduled) Schedule(ctx context.Context, call *plugin.Call) (plugin.Outcome, error) {
	if s.code == "multi_callback_node" {
		if err := pause(ctx, 2*time.Second); err != nil {
			return plugin.Done, err
		}
	}
	return s.schedule(call)
}

func copyInputs(call *plugin.Call) {
	for _, key := range call.Inputs.Keys() {
		v, _ := call.Inputs.Get(key)
		call.Outputs.Set(key, v)
	}
}

func copyExecute(_ context.Context, call *plugin.Call) (plugin.Outcome, error) {
	copyInputs(call)
	return plugin.Done, nil
}

func debugExecute(_ context.Context, call *plugin.Call) (plugin.Outcome, error) {
	copyInputs(call)
	return plugin.PollAfter(0), nil
}

func pollNow(context.Context, *plugin.Call) (plugin.Outcome, error) { return plugin.PollAfter(0), nil }

func waitForCallback(context.Context, *plugin.Call) (plugin.Outcome, error) {
	return plugin.Outcome{Next: plugin.Callback}, nil
}

func count(call *plugin.Call, key string) int64 {
	v, _ := call.Outputs.Get(key)
	n, _ := v.(int64)
	return n
}

func countToFive(call *plugin.Call) (plugin.Outcome, error) {
	n := count(call, "count")
	if n == 5 {
		return plugin.Done, nil
	}
	call.Outputs.Set("count", n+1)
	return plugin.PollAfter(2 * time.Second), nil
}

func countToTwo(call *plugin.Call) (plugin.Outcome, error) {
	n := count(call, "count")
	if n == 2 {
		call.Outputs.Set("loop", call.Loop)
		copyInputs(call)
		return plugin.Done, nil
	}
	call.Outputs.Set("count", n+1)
	return plugin.PollAfter(time.Second), nil
}

func loopExecute(_ context.Context, call *plugin.Call) (plugin.Outcome, error) {
	call.Outputs.Set("loop", call.Loop)
	copyInputs(call)
	return plugin.Done, nil
}

func failFirstLoop(ctx context.Context, call *plugin.Call) (plugin.Outcome, error) {
	if canGo, _ := call.Inputs.Get("can_go"); call.Loop == 1 && canGo != true {
		return plugin.Done, plugin.ErrFailed
	}
	return loopExecute(ctx, call)
}

func failByBit(_ context.Context, call *plugin.Call) (plugin.Outcome, error) {
	given, ok := call.Inputs.Get("bit")
	if !ok {
		given = int64(0)
	}
	bit, err := whole(given)
	if err != nil {
		return plugin.Done, err
	}
	if bit == 0 {
		return plugin.Done, plugin.ErrFailed
	}
	return plugin.Done, nil
}

// whole reads a number as Python's int() does.
func whole(v any) (int64, error) {
	switch v := v.(type) {
	case bool:
		if v {
			return 1, nil
		}
		return 0, nil
	case int64:
		return v, nil
	case *big.Int:
		return int64(v.Sign()), nil
	case float64:
		return int64(v), nil
	case string:
		return strconv.ParseInt(strings.TrimSpace(v), 10, 64)
	default:
		return 0, fmt.Errorf("%v is no number", v)
	}
}

func work(ctx context.Context, call *plugin.Call) (plugin.Outcome, error) {
	given, _ := call.Inputs.Get("time")
	seconds, err := whole(given)
	if err != nil {
		return plugin.Done, fmt.Errorf("time: %w", err)
	}
	return plugin.Done, pause(ctx, time.Duration(seconds)*time.Second)
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// bitOf gives the bit of callback data: 1 when there is nothing in it, 0 when it has other keys only.
func bitOf(call *plugin.Call) (int64, error) {
	data, _ := call.Callback.(*stdops.Object)
	if data.Len() == 0 {
		return 1, nil
	}
	bit, ok := data.Get("bit")
	if !ok {
		return 0, nil
	}
	return whole(bit)
}

func callbackByBit(call *plugin.Call) (plugin.Outcome, error) {
	bit, err := bitOf(call)
	if err == nil && bit == 0 {
		err = plugin.ErrFailed
	}
	return plugin.Done, err
}

func countCallbacks(call *plugin.Call) (plugin.Outcome, error) {
	bit, err := bitOf(call)
	if err == nil && bit == 0 {
		err = plugin.ErrFailed
	}
	if err != nil {
		return plugin.Done, err
	}
	n := count(call, "_scheduled_times") + 1
	call.Outputs.Set("_scheduled_times", n)
	if n == 5 {
		return plugin.Done, nil
	}
	return plugin.Outcome{Next: plugin.Callback}, nil
}
