package engine

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/flow"
	"github.com/stdops/stdops/internal/plugin"
)

// backTo draws an exclusive gateway after heads that leads back to target while again holds, else on.
func backTo(b *builder, p stdops.NodeIndex, heads []head, target stdops.NodeIndex, again string) []head {
	x := b.add(stdops.KindExclusive, p)
	b.join(heads, x)
	back, out := b.open(x), b.open(x)
	node := &b.g.Nodes[x]
	node.Branches = []flow.Branch{{Edge: node.Out[0], Evaluate: again}}
	b.join([]head{back}, target)
	node.Default = &flow.Edge{Flow: node.Out[1].Flow}
	return []head{out}
}

func TestDecideKeepsAttemptsOfAReenteredSubprocess(t *testing.T) {
	t.Parallel()
	var sub stdops.NodeIndex
	g := build(func(b *builder, p stdops.NodeIndex, heads []head) []head {
		sub = stdops.NodeIndex(len(b.g.Nodes))
		heads = b.subprocess(p, heads, func(b *builder, p stdops.NodeIndex, heads []head) []head {
			b.g.Nodes[p].Pipeline.Mapping = []flow.Mapping{{Key: "_loop", Variable: "i"}}
			return b.activity(p, b.activity(p, heads, nil), nil)
		})
		b.g.Nodes[p].Pipeline.Variables["i"] = flow.Variable{Output: true}
		return backTo(b, p, heads, sub, "${i} < 2")
	})
	w := newWorld(t, g, nil, stubs()...)
	mustDo(t, w, Command{Kind: Start})
	for range 3 {
		w.answerCall(0, plugin.Done, false)
	}
	var kept int
	for _, a := range w.record.attempts {
		if a.State.Node > sub && g.Nodes[a.State.Node].Parent == sub {
			kept++
			if a.State.Node != sub+2 {
				continue
			}
			if a.State.InnerLoop != 1 || !a.Archived.IsZero() || a.Data.Outputs == nil { // memory has no longer got its data, the store has
				t.Errorf("attempt of %s was not taken from what is stored: %+v", g.Nodes[a.State.Node].Name, a)
			}
		}
	}
	if kept != 3 { // start event and both activities; the end event is not reached yet
		t.Errorf("%d attempts kept inside the subprocess, want 3", kept)
	}
}

func wide(n int, change func(*flow.Activity)) *flow.Graph {
	return build(func(b *builder, p stdops.NodeIndex, heads []head) []head {
		return b.gateway(stdops.KindParallel, p, heads, make([]string, n), func(_ int, h []head) []head {
			return b.activity(p, b.activity(p, h, change), change)
		})
	})
}

// TestDecideQueueSurvivesAReload: a task that is read again while all its calls are out has queued nodes, though nothing
// is to be committed.
func TestDecideQueueSurvivesAReload(t *testing.T) {
	t.Parallel()
	w := newWorld(t, wide(maxCalls+3, func(a *flow.Activity) { a.Code = "poll" }), nil, stubs()...)
	mustDo(t, w, Command{Kind: Start})
	for range maxCalls {
		w.answerCall(0, plugin.PollAfter(0), false) // the first poll begins at once
	}
	out := make(map[callID]bool)
	for _, c := range w.calls {
		out[c.id()] = true
	}
	st, err := restore(&w.record.snap, w.graph, testInfo)
	if err != nil {
		t.Fatal(err)
	}
	w.st = st
	w.step(loaded{out: out})
	for len(w.calls) > 0 {
		w.answerCall(0, plugin.Done, false)
	}
	if w.st.root.State != stdops.StateFinished {
		t.Errorf("root is %s: %v", w.st.root.State, w.states())
	}
}

func TestDecideFinishedTaskWithTimeLimitsIsSettled(t *testing.T) {
	t.Parallel()
	g := build(func(b *builder, p stdops.NodeIndex, heads []head) []head {
		return b.activity(p, heads, func(a *flow.Activity) { a.Timeout.After = time.Hour })
	})
	w := newWorld(t, g, nil, stubs()...)
	mustDo(t, w, Command{Kind: Start})
	w.answerCall(0, plugin.Done, false)
	if w.st.root.State != stdops.StateFinished || w.st.root.Live || !w.st.root.WakeAt.IsZero() {
		t.Errorf("root: %+v", w.st.root)
	}
}

// TestDecideCallbackAcceptedWhileStoppingIsHandledLater: it was acknowledged, so the next process has to look at the task.
func TestDecideCallbackAcceptedWhileStoppingIsHandledLater(t *testing.T) {
	t.Parallel()
	g := build(func(b *builder, p stdops.NodeIndex, heads []head) []head {
		return b.activity(p, heads, func(a *flow.Activity) { a.Code = "wait" })
	})
	w := newWorld(t, g, nil, stubs()...)
	mustDo(t, w, Command{Kind: Start})
	w.answerCall(0, plugin.Outcome{Next: plugin.Callback}, false)
	d, answers, err := decide(w.st, []event{Command{Kind: CallBack, Node: w.nodeNamed("A3")}},
		env{now: w.now, entropy: w.entropy, plugins: w.plugins, hold: true})
	if err != nil || answers[0] != nil {
		t.Fatal(err, answers)
	}
	if d.change.Root.WakeAt.IsZero() {
		t.Error("a stored callback wakes nobody")
	}
}

func TestDecideBeginsNoCallAfterALoadWhileStopping(t *testing.T) {
	t.Parallel()
	w := newWorld(t, line(1), nil, stubs()...)
	mustDo(t, w, Command{Kind: Start})
	d, _, err := decide(w.st, []event{loaded{}}, env{now: w.now, entropy: w.entropy, plugins: w.plugins, hold: true})
	if err != nil {
		t.Fatal(err)
	}
	if len(d.calls) > 0 {
		t.Errorf("%d calls begin", len(d.calls))
	}
}

func TestDecideTimeLimitSkipsOnlyWhatMayBeSkipped(t *testing.T) {
	t.Parallel()
	for skippable, want := range map[bool]string{true: "FINISHED", false: "FAILED"} {
		g := build(func(b *builder, p stdops.NodeIndex, heads []head) []head {
			return b.activity(p, heads, func(a *flow.Activity) {
				a.Skippable, a.Timeout = skippable, flow.Timeout{After: time.Second, ThenSkip: true}
			})
		})
		w := newWorld(t, g, nil, stubs()...)
		mustDo(t, w, Command{Kind: Start})
		w.now = w.now.Add(time.Second)
		w.step()
		if got := w.states()["A3"]; got != want {
			t.Errorf("skippable %t: the node is %s, want %s", skippable, got, want)
		}
	}
}

func TestDecideRetriesByItselfOnlyWhatMayBeRetried(t *testing.T) {
	t.Parallel()
	g := build(func(b *builder, p stdops.NodeIndex, heads []head) []head {
		return b.activity(p, heads, func(a *flow.Activity) { a.Retryable, a.AutoRetry.Times = false, 3 })
	})
	w := newWorld(t, g, nil, stubs()...)
	mustDo(t, w, Command{Kind: Start})
	w.answerCall(0, plugin.Done, true)
	w.step()
	wantStates(t, w, map[string]string{"root": "RUNNING", "s2": "FINISHED", "A3": "FAILED"})
}

// TestDecideUnknownOutcomeShowsNothingOfEarlierAttempts: the stored data of the node are those of the attempt before.
func TestDecideUnknownOutcomeShowsNothingOfEarlierAttempts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, line(1), nil, stub("work", func(s *plugin.Spec) { s.Execute = plugin.Unknown }))
	mustDo(t, w, Command{Kind: Start})
	w.calls[0].outputs.Set("made", "first")
	w.answerCall(0, plugin.Done, true)
	mustDo(t, w, Command{Kind: Retry, Node: w.nodeNamed("A3")})
	w.crash()
	outputs := w.st.data[w.nodeNamed("A3")].outputs
	if _, ok := outputs.Get("made"); ok || outputs.Text("ex_data") != outcomeUnknown {
		t.Errorf("outputs of the second attempt: %v", outputs.Keys())
	}
}

// TestDecideInputsAreThoseOfTheCall: another branch changes the variable while the call is out and the task is read again.
func TestDecideInputsAreThoseOfTheCall(t *testing.T) {
	t.Parallel()
	g := build(func(b *builder, p stdops.NodeIndex, heads []head) []head {
		b.g.Nodes[p].Pipeline.Variables["x"] = flow.Variable{Output: true}
		return b.gateway(stdops.KindParallel, p, heads, make([]string, 2), func(i int, h []head) []head {
			return b.activity(p, h, func(a *flow.Activity) {
				if i == 0 {
					a.Inputs = []flow.Input{{Key: "in", Value: "${x}", Render: true}}
				} else {
					a.Outputs = []flow.Mapping{{Key: "made", Variable: "x"}}
				}
			})
		})
	})
	w := newWorld(t, g, nil, stubs()...)
	mustDo(t, w, Command{Kind: Start})
	reader := w.calls[0]
	w.calls[1].outputs.Set("made", "later")
	w.answerCall(1, plugin.Done, false)
	st, err := restore(&w.record.snap, w.graph, testInfo)
	if err != nil {
		t.Fatal(err)
	}
	w.st = st
	w.step(loaded{out: map[callID]bool{reader.id(): true}})
	w.step(callEnded{node: reader.node, version: reader.version, call: reader.number, inputs: reader.inputs, outputs: reader.outputs})
	for _, d := range w.record.snap.Data {
		if d.Node == reader.node && !strings.Contains(string(d.Inputs), "${x}") {
			t.Errorf("stored inputs %s are not those that the plugin was given", d.Inputs)
		}
	}
}

func TestDecideRetriesASubprocessThatFailedOnEntry(t *testing.T) {
	t.Parallel()
	var sub stdops.NodeIndex
	g := build(func(b *builder, p stdops.NodeIndex, heads []head) []head {
		sub = stdops.NodeIndex(len(b.g.Nodes))
		heads = b.subprocess(p, heads, func(b *builder, p stdops.NodeIndex, heads []head) []head { return b.activity(p, heads, nil) })
		b.g.Nodes[p].Pipeline.Variables["big"] = flow.Variable{}
		b.g.Nodes[sub].Pipeline.Params = []flow.Param{{Key: "x", Value: tooMuch, Render: true}}
		return heads
	})
	w := newWorld(t, g, stdops.NewObject("big", "xx"), stubs()...)
	mustDo(t, w, Command{Kind: Start})
	if got := w.st.nodes[sub]; got == nil || got.State != stdops.StateFailed {
		t.Fatalf("subprocess: %+v", got)
	}
	first := w.st.nodes[sub].Version
	mustDo(t, w, Command{Kind: Retry, Node: sub})
	again := w.st.nodes[sub]
	if again.State != stdops.StateFailed || again.Retry != 1 || again.Version == first || len(w.record.attempts) != 1 {
		t.Errorf("after the retry: %+v, %d attempts kept", again, len(w.record.attempts))
	}
}

// tooMuch is a template that exceeds a budget.
const tooMuch = "${big * 3000000}"

func TestDecidePreRenderedVariablesAreFixedAtTheStart(t *testing.T) {
	t.Parallel()
	g := build(func(b *builder, p stdops.NodeIndex, heads []head) []head {
		pipe := b.g.Nodes[p].Pipeline
		pipe.Variables["once"] = flow.Variable{PreRender: true}
		pipe.Variables["base"] = flow.Variable{}
		pipe.Order = []string{"once", "base"}
		return b.activity(p, heads, nil)
	})
	w := newWorld(t, g, stdops.NewObject("once", "${base}-${1+1}", "base", "b"), stubs()...)
	mustDo(t, w, Command{Kind: Start})
	if got := w.st.vars[varKey{0, "once"}]; got.value != "b-2" {
		t.Errorf("once is %v, want b-2", got)
	}
}

func TestDecidePreRenderFailureFailsTheStartEvent(t *testing.T) {
	t.Parallel()
	g := build(func(b *builder, p stdops.NodeIndex, heads []head) []head {
		pipe := b.g.Nodes[p].Pipeline
		pipe.Variables["once"], pipe.Order = flow.Variable{PreRender: true}, []string{"once"}
		pipe.Variables["big"] = flow.Variable{}
		return heads
	})
	w := newWorld(t, g, stdops.NewObject("once", tooMuch, "big", "xx"), stubs()...)
	mustDo(t, w, Command{Kind: Start})
	wantStates(t, w, map[string]string{"root": "RUNNING", "s2": "FAILED"})
	mustDo(t, w, Command{Kind: Skip, Node: w.nodeNamed("s2")})
	if w.st.root.State != stdops.StateFinished {
		t.Errorf("root is %s after the skip", w.st.root.State)
	}
}

// TestDecideVariablesThatNameEachOtherTwice: each is evaluated once for a node, else their number doubles at each level.
func TestDecideVariablesThatNameEachOtherTwice(t *testing.T) {
	t.Parallel()
	const levels = 60
	inputs := stdops.NewObject("v0", "x")
	g := build(func(b *builder, p stdops.NodeIndex, heads []head) []head {
		vars := b.g.Nodes[p].Pipeline.Variables
		vars["v0"] = flow.Variable{}
		for i := 1; i <= levels; i++ {
			vars[fmt.Sprint("v", i)] = flow.Variable{}
			inputs.Set(fmt.Sprint("v", i), fmt.Sprintf("${v%d[:0]}${v%d[0:0]}", i-1, i-1))
		}
		return b.activity(p, heads, func(a *flow.Activity) {
			a.Inputs = []flow.Input{{Key: "in", Value: fmt.Sprintf("${v%d}", levels), Render: true}}
		})
	})
	done := make(chan *world, 1)
	go func() {
		w := newWorld(t, g, inputs, stubs()...)
		mustDo(t, w, Command{Kind: Start})
		done <- w
	}()
	select {
	case w := <-done:
		if got, _ := w.calls[0].inputs.Get("in"); got != "" {
			t.Errorf("input %q", got)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the inputs are still being rendered")
	}
}

func TestDecideNothingFinishesBeforeItBegan(t *testing.T) {
	t.Parallel()
	w := newWorld(t, line(1), nil, stubs()...)
	mustDo(t, w, Command{Kind: Start})
	w.now = w.now.Add(-time.Hour) // somebody sets the clock back
	w.answerCall(0, plugin.Done, false)
	if root := w.st.root; root.Finished.Before(root.Started) {
		t.Errorf("the task began at %s and finished at %s", root.Started, root.Finished)
	}
}

func TestTimersHoldOneEntryForAMomentThatStays(t *testing.T) {
	t.Parallel()
	g := build(func(b *builder, p stdops.NodeIndex, heads []head) []head {
		return b.activity(p, heads, func(a *flow.Activity) { a.Code, a.Timeout.After = "poll", 24*time.Hour })
	})
	w := newWorld(t, g, nil, stubs()...)
	mustDo(t, w, Command{Kind: Start})
	var timers timerHeap
	for range 50 {
		d, _, err := decide(w.st, []event{callEnded{
			node: w.calls[0].node, version: w.calls[0].version, call: w.calls[0].number, outputs: w.calls[0].outputs,
			outcome: plugin.PollAfter(time.Second),
		}}, env{now: w.now, entropy: w.entropy, plugins: w.plugins})
		if err != nil {
			t.Fatal(err)
		}
		timers.follow(w.st, d)
		w.answerCall(0, plugin.PollAfter(time.Second), false)
		w.now = w.now.Add(time.Second)
		timers.due(w.now)
		w.step()
	}
	if len(timers) > 2 {
		t.Errorf("%d timers for one node", len(timers))
	}
}

// TestDecideWideBranchesBeginInParts: a commit holds about as many changes as it may, and a crash between two parts
// loses and doubles nothing.
func TestDecideWideBranchesBeginInParts(t *testing.T) {
	t.Parallel()
	const branches = 3*maxChanges + 100
	g := wide(branches, nil)
	w := newWorld(t, g, nil, stubs()...)
	var d *delta
	for events := []event{Command{Kind: Start}}; ; events = []event{loaded{out: nil}} {
		var err error
		if d, _, err = decide(w.st, events, env{now: w.now, entropy: w.entropy, plugins: w.plugins, hold: true}); err != nil {
			t.Fatal(err)
		}
		if len(w.st.forks) > 0 && (len(d.change.Nodes) > maxChanges || len(d.change.Forks) > maxChanges) {
			t.Fatalf("a step changes %d nodes and %d forks", len(d.change.Nodes), len(d.change.Forks))
		}
		w.record.store(t, &d.change)
		if w.st, err = restore(&w.record.snap, g, testInfo); err != nil { // every step ends in a crash
			t.Fatal(err)
		}
		if !d.more {
			break
		}
	}
	queued := 0
	for _, n := range w.st.nodes {
		if n != nil && n.Phase == stdops.PhaseQueued {
			queued++
		}
	}
	if queued != branches {
		t.Errorf("%d branches have begun, want %d", queued, branches)
	}
}

// TestDecideRepeatsAPollAsAPollAfterACrash: a callback that came during execute waits until the polls are over, also when
// the process ends during one.
func TestDecideRepeatsAPollAsAPollAfterACrash(t *testing.T) {
	t.Parallel()
	g := build(func(b *builder, p stdops.NodeIndex, heads []head) []head {
		return b.activity(p, heads, func(a *flow.Activity) { a.Code = "poll" })
	})
	w := newWorld(t, g, nil, stubs()...)
	mustDo(t, w, Command{Kind: Start})
	mustDo(t, w, Command{Kind: CallBack, Node: w.nodeNamed("A3"), Data: "early"})
	w.answerCall(0, plugin.PollAfter(0), false)
	poll := w.calls[0].id()
	w.crash()
	if c := w.calls[0]; c.id() != poll || c.called {
		t.Fatalf("the poll %+v is repeated as %+v with the callback %v", poll, c.id(), c.callback)
	}
	w.answerCall(0, plugin.Outcome{Next: plugin.Callback}, false)
	if c := w.calls[0]; !c.called || c.callback != "early" {
		t.Fatalf("after the poll: %+v", c)
	}
	w.answerCall(0, plugin.Done, false)
	if w.st.root.State != stdops.StateFinished {
		t.Errorf("states: %v", w.states())
	}
}
