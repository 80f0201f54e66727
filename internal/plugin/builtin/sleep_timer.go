package builtin

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/plugin"
)

// sleepTimer waits for a number of seconds or until a moment (docs/spec/engine.md 7.4).
type sleepTimer struct{}

// Spec describes the plugin.
func (sleepTimer) Spec() plugin.Spec {
	return plugin.Spec{
		Code: "sleep_timer", Versions: []string{"legacy"}, Name: "Timer", Group: "basic",
		Doc: "Waits for a number of seconds, or until a moment in the time zone of the project.",
		Inputs: []plugin.Field{
			{Key: "bk_timing", Name: "Time", Type: "string", Required: true, Doc: "seconds, or a moment written YYYY-MM-DD HH:MM:SS"},
			{Key: "force_check", Name: "Must be ahead", Type: "boolean", Doc: "fail when the moment has passed already (default true)"},
		},
		Outputs: []plugin.Field{
			{Key: "business_tz", Name: "Time zone", Type: "string"},
			{Key: "timing_time", Name: "Moment waited for", Type: "string"},
		},
		Execute: plugin.Repeat, Schedule: plugin.Repeat, Inward: true,
	}
}

var (
	momentText  = regexp.MustCompile(`^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}$`)
	secondsText = regexp.MustCompile(`^\d+$`)
)

// longestWait bounds a number of seconds, so that the end is a time that can be written down.
const longestWait = 100 * 365 * 24 * time.Hour

// Execute works out the moment to wait for.
func (sleepTimer) Execute(_ context.Context, call *plugin.Call) (plugin.Outcome, error) {
	end, err := timingOf(call)
	if err != nil {
		return plugin.Done, err
	}
	call.Outputs.Set("business_tz", call.Zone.String())
	call.Outputs.Set("timing_time", end.In(call.Zone).Format(time.RFC3339Nano))
	return plugin.PollAfter(0), nil
}

func timingOf(call *plugin.Call) (time.Time, error) {
	given, _ := call.Inputs.Get("bk_timing")
	text := fmt.Sprint(given)
	if secondsText.MatchString(text) {
		seconds, err := strconv.ParseInt(text, 10, 64)
		if err != nil || seconds > int64(longestWait/time.Second) {
			return time.Time{}, fmt.Errorf("bk_timing: %s seconds are more than can be waited for", text)
		}
		return call.Now.Add(time.Duration(seconds) * time.Second), nil
	}
	if !momentText.MatchString(text) {
		return time.Time{}, fmt.Errorf("bk_timing: %q is neither a number of seconds nor a moment written YYYY-MM-DD HH:MM:SS", text)
	}
	end, err := time.ParseInLocation(time.DateTime, text, call.Zone)
	if err != nil {
		return time.Time{}, fmt.Errorf("bk_timing: %q is no moment", text)
	}
	if forced, given := call.Inputs.Get("force_check"); (!given || stdops.Truth(forced)) && call.Now.After(end) {
		return time.Time{}, fmt.Errorf("bk_timing: %s has passed already", text)
	}
	return end, nil
}

// Schedule waits on while the moment is ahead.
func (sleepTimer) Schedule(_ context.Context, call *plugin.Call) (plugin.Outcome, error) {
	end, err := time.Parse(time.RFC3339Nano, call.Outputs.Text("timing_time"))
	if err != nil {
		return plugin.Done, fmt.Errorf("timing_time: %w", err)
	}
	if left := end.Sub(call.Now); left > 0 {
		return plugin.PollAfter(left), nil
	}
	return plugin.Done, nil
}
