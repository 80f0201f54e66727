package engine

import (
	"strings"
	"testing"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/flow"
	"github.com/stdops/stdops/internal/plugin"
)

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
