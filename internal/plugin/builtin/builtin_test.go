package builtin_test

import (
	"testing"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/plugin"
	"github.com/stdops/stdops/internal/plugin/builtin"
)

func find(t *testing.T, code, version string) plugin.Scheduler {
	t.Helper()
	registry, err := plugin.NewRegistry(builtin.All()...)
	if err != nil {
		t.Fatal(err)
	}
	p, ok := registry.Find(code, version).(plugin.Scheduler)
	if !ok {
		t.Fatalf("no plugin %s (%s) that can be scheduled", code, version)
	}
	return p
}

func TestSleepTimer(t *testing.T) {
	t.Parallel()
	shanghai := time.FixedZone("UTC+8", 8*3600)
	now := time.Date(2026, 5, 4, 9, 0, 0, 0, shanghai)
	for _, c := range []struct {
		name   string
		inputs *stdops.Object
		wait   time.Duration
		fails  bool
	}{
		{"seconds as a number", stdops.NewObject("bk_timing", int64(3)), 3 * time.Second, false},
		{"seconds as text", stdops.NewObject("bk_timing", "3"), 3 * time.Second, false},
		{"a moment in the zone of the project", stdops.NewObject("bk_timing", "2026-05-04 09:00:10"), 10 * time.Second, false},
		{"a moment that has passed", stdops.NewObject("bk_timing", "2026-05-04 08:00:00"), 0, true},
		{"one that may have passed", stdops.NewObject("bk_timing", "2026-05-04 08:00:00", "force_check", false), 0, false},
		{"words", stdops.NewObject("bk_timing", "soon"), 0, true},
		{"no moment of any calendar", stdops.NewObject("bk_timing", "2026-13-40 09:00:00"), 0, true},
		{"more than can be waited for", stdops.NewObject("bk_timing", "99999999999999"), 0, true},
		{"nothing", &stdops.Object{}, 0, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := find(t, "sleep_timer", "legacy")
			call := &plugin.Call{Inputs: c.inputs, Outputs: &stdops.Object{}, Now: now, Zone: shanghai}
			_, err := p.Execute(t.Context(), call)
			if (err != nil) != c.fails {
				t.Fatalf("execute: %v", err)
			}
			if c.fails {
				return
			}
			got, err := p.Schedule(t.Context(), call)
			if err != nil || got.After != c.wait || (got == plugin.Done) != (c.wait == 0) {
				t.Errorf("first poll: %+v, %v; want to wait %s", got, err, c.wait)
			}
			call.Now = now.Add(c.wait)
			if got, err := p.Schedule(t.Context(), call); err != nil || got != plugin.Done {
				t.Errorf("poll at the end: %+v, %v", got, err)
			}
		})
	}
}

func TestPauseNodeKeepsTheConfirmation(t *testing.T) {
	t.Parallel()
	p := find(t, "pause_node", "legacy")
	call := &plugin.Call{Inputs: &stdops.Object{}, Outputs: &stdops.Object{}, Callback: "yes"}
	if got, err := p.Execute(t.Context(), call); err != nil || got.Next != plugin.Callback {
		t.Fatalf("execute: %+v, %v", got, err)
	}
	if got, err := p.Schedule(t.Context(), call); err != nil || got != plugin.Done || call.Outputs.Text("callback_data") != "yes" {
		t.Errorf("schedule: %+v, %v, outputs %v", got, err, call.Outputs)
	}
}

func TestRegistryRefusesTwoPluginsForOneVersion(t *testing.T) {
	t.Parallel()
	if _, err := plugin.NewRegistry(append(builtin.All(), builtin.All()...)...); err == nil {
		t.Error("two plugins answer for one code and version")
	}
}
