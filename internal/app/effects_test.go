package app_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
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
		if _, err := fmt.Fprintf(file, "%s %d %d %s\n", life, time.Now().UnixNano(), rule, key); err != nil {
			return err
		}
		return file.Close()
	}
	return []plugin.Plugin{
		effect{code: "effect", record: record, life: life},
		effect{code: "effect_once", record: record, life: life, rule: plugin.Unknown},
		effect{code: "effect_ask", record: record, life: life, execute: plugin.Ask, next: plugin.PollAfter(0), calls: 1},
		effect{code: "effect_poll", record: record, life: life, next: plugin.PollAfter(5 * time.Millisecond), calls: 3},
		effect{code: "effect_wait", record: record, life: life, next: plugin.Outcome{Next: plugin.Callback}, calls: 1},
		effect{code: "effect_many", record: record, life: life, next: plugin.Outcome{Next: plugin.Callback}, calls: manyCallbacks},
		effect{code: "effect_polls", record: record, life: life, next: plugin.PollAfter(300 * time.Millisecond), calls: 60},
		longPlugin(dir, effect{code: "effect_long", record: record, life: life}),
		longPlugin(dir, effect{code: "effect_long_once", record: record, life: life, rule: plugin.Unknown}),
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
	life    string           // of the server
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
	if call.Inputs.Text("slow") == "1" {
		time.Sleep(300 * time.Millisecond)
	}
	if e.next.Next != plugin.Poll || e.execute == plugin.Ask {
		e.hold(call)
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

// Schedule leaves a trace and counts: polls by their number, callbacks by what they say. With the input "slow" it takes its
// time, so that others can come meanwhile.
func (e effect) Schedule(_ context.Context, call *plugin.Call) (plugin.Outcome, error) {
	if call.Inputs.Text("slow") == "1" {
		time.Sleep(300 * time.Millisecond)
	}
	e.hold(call)
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

// hold keeps a call with the input "hold" out until the server is killed for the first time.
func (e effect) hold(call *plugin.Call) {
	if call.Inputs.Text("hold") == "1" && e.life == "1" {
		select {}
	}
}

// trace is one line of the file of effects.
type trace struct {
	life    int
	at      int64 // nanoseconds since 1970
	rule    plugin.CrashRule
	key     string // <task>.<node>.<version>.<call>
	attempt string // the key without the call
	task    stdops.TaskID
	node    stdops.NodeIndex
	version stdops.Version
	call    int
}

// readEffects gives the traces by task, in the order in which they were left.
func readEffects(t *testing.T, dir string) map[stdops.TaskID][]trace {
	t.Helper()
	traces := make(map[stdops.TaskID][]trace)
	file, err := os.Open(effectsFile(dir))
	if errors.Is(err, fs.ErrNotExist) { // nothing has happened yet
		return traces
	}
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		var tr trace
		if _, err := fmt.Sscanf(lines.Text(), "%d %d %d %s", &tr.life, &tr.at, &tr.rule, &tr.key); err != nil {
			t.Fatalf("effects: %q: %v", lines.Text(), err)
		}
		tr.attempt = tr.key[:strings.LastIndexByte(tr.key, '.')]
		words := strings.ReplaceAll(tr.key, ".", " ")
		if _, err := fmt.Sscan(words, &tr.task, &tr.node, &tr.version, &tr.call); err != nil {
			t.Fatalf("effects: %q: %v", lines.Text(), err)
		}
		traces[tr.task] = append(traces[tr.task], tr)
	}
	return traces
}

// checkEffects holds the traces against the promise: a call that may be repeated happens once in each life at most, so
// again only after a life that was killed during it; one that may not be repeated happens once; once the next call of an
// attempt has happened, which it does after the result was recorded, none before it ever does again; and none happens after
// its node was shown FINISHED. A server that sleeps may do late what it was about to do. Once nothing happens to any server
// nothing is repeated.
func (o *oracle) checkEffects() (repeated int) {
	o.t.Helper()
	last := make(map[string]trace)         // by key
	lives := make(map[string]map[int]bool) // by key: those in which it happened
	latest := make(map[string]int)         // by attempt: its furthest call
	for _, tr := range slices.Concat(slices.Collect(maps.Values(o.traces))...) {
		before, again := last[tr.key]
		switch done, shown := o.doneAt(&tr); {
		case o.stalls && !lives[tr.key][tr.life] && (shown && tr.at > done || tr.call < latest[tr.attempt]) && tr.rule == plugin.Repeat:
			repeated++
		case shown && tr.at > done:
			o.wrong("effect %s happened in life %d, %v after its node was shown FINISHED", tr.key, tr.life, time.Duration(tr.at-done))
		case tr.call < latest[tr.attempt]:
			o.wrong("effect %s happened after the call %d that follows it", tr.key, latest[tr.attempt])
		case again && tr.rule != plugin.Repeat:
			o.wrong("effect %s happened twice, in lives %d and %d, though its plugin must not be called twice", tr.key, before.life, tr.life)
		case again && lives[tr.key][tr.life] && !o.cut:
			o.wrong("effect %s happened twice in life %d", tr.key, tr.life)
		case again && o.calm > 0 && before.at > o.calm:
			o.wrong("effect %s happened in lives %d and %d, though nothing has happened to either", tr.key, before.life, tr.life)
		case again:
			repeated++
		}
		last[tr.key] = tr
		if lives[tr.key] == nil {
			lives[tr.key] = make(map[int]bool)
		}
		lives[tr.key][tr.life] = true
		latest[tr.attempt] = max(latest[tr.attempt], tr.call)
	}
	return repeated
}

// doneAt gives the time at which the node of a trace was first shown FINISHED with the version of the trace.
func (o *oracle) doneAt(tr *trace) (at int64, shown bool) {
	if f := o.tasks[int64(tr.task)]; f != nil {
		at, shown = f.done[stdops.NodeID(tr.task, tr.node)+" "+string(tr.version)]
	}
	return at, shown
}

// checkTraces makes sure that no effect of a task is hidden, and none claimed: each trace is of an attempt that stands in
// the record, unless a forced failure gave the attempt another version, and each finished attempt has left a trace.
func (o *oracle) checkTraces(snap *stdops.Snapshot, kept map[string]stdops.State, commands map[string]int) {
	task := snap.Task.ID
	left, reached := make(map[string]bool), make(map[stdops.NodeIndex]bool)
	for i := range snap.Nodes {
		reached[snap.Nodes[i].Node] = true
	}
	for _, tr := range o.traces[task] {
		key := attemptKey(task, tr.node, tr.version)
		left[key] = true
		_, known := kept[key]
		switch {
		case !reached[tr.node]:
			o.wrong("node %d of task %d had effects, but the record does not know that it was reached", tr.node, task)
		case !known && commands["forced_fail "+stdops.NodeID(task, tr.node)] == 0:
			o.wrong("effect %s happened, but the record knows no such attempt", tr.key)
		}
	}
	for i := range snap.Nodes {
		n := &snap.Nodes[i]
		name := o.tasks[int64(task)].names[stdops.NodeID(task, n.Node)]
		if n.State == stdops.StateFinished && !n.Skip && !left[attemptKey(task, n.Node, n.Version)] && leavesTraces[name] {
			o.wrong("node %d of task %d is FINISHED in version %s, but nothing has happened", n.Node, task, n.Version)
		}
	}
}
