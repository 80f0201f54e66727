package app_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/plugin"
)

// effectPlugins are plugins that do something outside which cannot be taken back: every call appends its key to a file.
// life says which process did it.
func effectPlugins(dir, life string) []plugin.Plugin {
	record := func(rule plugin.CrashRule, key string) error {
		file, err := os.OpenFile(effectsFile(dir), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(file, "%s %d %s\n", life, rule, key); err != nil {
			return err
		}
		return file.Close()
	}
	return []plugin.Plugin{
		effect{code: "effect", record: record},
		effect{code: "effect_once", record: record, rule: plugin.Unknown},
		effect{code: "effect_ask", record: record, execute: plugin.Ask, next: plugin.PollAfter(0), calls: 1},
		effect{code: "effect_poll", record: record, next: plugin.PollAfter(5 * time.Millisecond), calls: 3},
		effect{code: "effect_wait", record: record, next: plugin.Outcome{Next: plugin.Callback}, calls: 1},
		effect{code: "effect_many", record: record, next: plugin.Outcome{Next: plugin.Callback}, calls: manyCallbacks},
	}
}

// manyCallbacks is how many different callbacks effect_many waits for.
const manyCallbacks = 3

func effectsFile(dir string) string { return filepath.Join(dir, "effects") }

// effect is a plugin whose calls leave a trace. Its input "bit" fails it when it is "0". After Execute it asks for next,
// so many times as calls says; a callback counts once however often it comes.
type effect struct {
	code    string
	rule    plugin.CrashRule // of both calls
	execute plugin.CrashRule // of Execute, when it differs
	record  func(plugin.CrashRule, string) error
	next    plugin.Outcome
	calls   int
}

// Spec describes the plugin.
func (e effect) Spec() plugin.Spec {
	return plugin.Spec{
		Code: e.code, Versions: []string{plugin.DefaultVersion}, Name: e.code, Group: "test", Doc: "For tests only.",
		Execute: max(e.rule, e.execute), Schedule: e.rule, ManyCallbacks: e.calls == manyCallbacks && e.next.Next == plugin.Callback,
	}
}

// Execute leaves a trace, then fails or not as its input says.
func (e effect) Execute(_ context.Context, call *plugin.Call) (plugin.Outcome, error) {
	if err := e.record(e.Spec().Execute, call.Key); err != nil {
		return plugin.Done, err
	}
	if call.Inputs.Text("bit") == "0" {
		return plugin.Done, plugin.ErrFailed
	}
	call.Outputs.Set("done", call.Key)
	if e.calls == 0 {
		return plugin.Done, nil
	}
	return e.next, nil
}

// Schedule leaves a trace and counts: polls by their number, callbacks by what they say.
func (e effect) Schedule(_ context.Context, call *plugin.Call) (plugin.Outcome, error) {
	if err := e.record(e.rule, call.Key); err != nil {
		return plugin.Done, err
	}
	said := fmt.Sprint(call.Count)
	if data, ok := call.Callback.(*stdops.Object); ok {
		said = data.Text("said")
	}
	call.Outputs.Set("seen "+said, true)
	seen := 0
	for _, key := range call.Outputs.Keys() {
		if strings.HasPrefix(key, "seen ") {
			seen++
		}
	}
	if seen == e.calls {
		return plugin.Done, nil
	}
	return e.next, nil
}

// trace is one line of the file of effects.
type trace struct {
	life    int
	rule    plugin.CrashRule
	key     string // <task>.<node>.<version>.<call>
	attempt string // the key without the call
	call    int
}

func readEffects(t *testing.T, dir string) (traces []trace) {
	t.Helper()
	file, err := os.Open(effectsFile(dir))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		var tr trace
		if _, err := fmt.Sscanf(lines.Text(), "%d %d %s", &tr.life, &tr.rule, &tr.key); err != nil {
			t.Fatalf("effects: %q: %v", lines.Text(), err)
		}
		dot := strings.LastIndexByte(tr.key, '.')
		tr.attempt = tr.key[:dot]
		if _, err := fmt.Sscan(tr.key[dot+1:], &tr.call); err != nil {
			t.Fatalf("effects: %q: %v", lines.Text(), err)
		}
		traces = append(traces, tr)
	}
	return traces
}

// checkEffects holds the traces against the promise: a call that may be repeated happens once in each life at most, so
// again only after a life that was killed during it; one that may not be repeated happens once; and once the next call of
// an attempt has happened, which it does after the result was recorded, none before it ever does again.
func (o *oracle) checkEffects(traces []trace) (repeated int) {
	o.t.Helper()
	last := make(map[string]trace) // by key
	latest := make(map[string]int) // by attempt: its furthest call
	for _, tr := range traces {
		before, again := last[tr.key]
		switch {
		case tr.call < latest[tr.attempt]:
			o.wrong("effect %s happened after the call %d that follows it", tr.key, latest[tr.attempt])
		case again && tr.rule != plugin.Repeat:
			o.wrong("effect %s happened twice, in lives %d and %d, though its plugin must not be called twice", tr.key, before.life, tr.life)
		case again && tr.life <= before.life:
			o.wrong("effect %s happened in lives %d and %d", tr.key, before.life, tr.life)
		case again:
			repeated++
		}
		last[tr.key] = tr
		latest[tr.attempt] = max(latest[tr.attempt], tr.call)
	}
	return repeated
}
