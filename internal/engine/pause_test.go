package engine

import (
	"testing"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/flow"
	"github.com/stdops/stdops/internal/plugin"
)

// TestDecidePausesOnlySubprocessesThatRun: one that failed on its entry and waits to be tried again was not entered, so
// there is nothing to pause. To resume it would leave it RUNNING with nothing in it.
func TestDecidePausesOnlySubprocessesThatRun(t *testing.T) {
	t.Parallel()
	g := build(func(b *builder, p stdops.NodeIndex, heads []head) []head {
		b.g.Nodes[p].Pipeline.Variables["n"] = flow.Variable{Shown: true}
		heads = b.subprocess(p, heads, func(b *builder, p stdops.NodeIndex, heads []head) []head {
			b.g.Nodes[p].Pipeline.Params = []flow.Param{{Key: "v", Value: "${'a' * n ** 9}", Render: true}}
			return b.activity(p, heads, nil)
		})
		return heads
	})
	w := newWorld(t, g, stdops.NewObject("n", int64(10)), stubs()...)
	mustDo(t, w, Command{Kind: Start})
	n := w.nodeNamed("S3")
	if w.st.nodes[n].State != stdops.StateFailed {
		t.Fatalf("the subprocess is %s", w.st.nodes[n].State)
	}
	mustDo(t, w, Command{Kind: Pause})
	mustDo(t, w, Command{Kind: SetConstants, Values: stdops.NewObject("n", int64(1))})
	mustDo(t, w, Command{Kind: Retry, Node: n})
	wantRefusal(t, w.step(Command{Kind: SubPause, Node: n}), "can't not transit node("+stdops.NodeID(7, n)+") state from READY to SUSPENDED")
	mustDo(t, w, Command{Kind: Resume})
	mustDo(t, w, Command{Kind: SubPause, Node: n})
	mustDo(t, w, Command{Kind: SubResume, Node: n})
	w.answerCall(0, plugin.Done, false)
	if w.st.root.State != stdops.StateFinished {
		t.Errorf("the task did not finish: %v", w.states())
	}
}

// TestDecideRefusesCallbacksDuringPolls: a node that is polled takes no callbacks, neither between polls nor during one.
func TestDecideRefusesCallbacksDuringPolls(t *testing.T) {
	t.Parallel()
	g := build(func(b *builder, p stdops.NodeIndex, heads []head) []head {
		return b.activity(p, heads, func(a *flow.Activity) { a.Code = "poll" })
	})
	w := newWorld(t, g, nil, stubs()...)
	mustDo(t, w, Command{Kind: Start})
	n := w.nodeNamed("A3")
	w.answerCall(0, plugin.PollAfter(0), false) // the first poll begins at once
	if w.st.nodes[n].Phase != stdops.PhaseScheduling {
		t.Fatalf("the node is in phase %s", w.st.nodes[n].Phase)
	}
	refused := "can not find sleep process with current node id: " + stdops.NodeID(7, n)
	wantRefusal(t, w.step(Command{Kind: CallBack, Node: n, Data: "x"}), refused)
	w.answerCall(0, plugin.PollAfter(1e9), false)
	wantRefusal(t, w.step(Command{Kind: CallBack, Node: n, Data: "x"}), refused)
}

// TestDecideKeepsCallbacksWhileOneIsHandled: they are decided one after the other.
func TestDecideKeepsCallbacksWhileOneIsHandled(t *testing.T) {
	t.Parallel()
	g := build(func(b *builder, p stdops.NodeIndex, heads []head) []head {
		return b.activity(p, heads, func(a *flow.Activity) { a.Code = "many" })
	})
	w := newWorld(t, g, nil, stubs()...)
	mustDo(t, w, Command{Kind: Start})
	n := w.nodeNamed("A3")
	many := plugin.Outcome{Next: plugin.Callback}
	w.answerCall(0, many, false)
	for _, data := range []string{"1", "2", "3"} {
		mustDo(t, w, Command{Kind: CallBack, Node: n, Data: data})
	}
	for _, want := range []string{"1", "2", "3"} {
		if len(w.calls) != 1 || w.calls[0].callback != want {
			t.Fatalf("calls %+v, want the callback %s", w.calls, want)
		}
		w.answerCall(0, many, false)
	}
	if len(w.calls) != 0 || len(w.st.callbacks) != 0 {
		t.Errorf("left: calls %+v, callbacks %+v", w.calls, w.st.callbacks)
	}
}

// TestDecideRetryKeepsWhatIsNotRendered: an input that was passed on as it stands is so in later retries too.
func TestDecideRetryKeepsWhatIsNotRendered(t *testing.T) {
	t.Parallel()
	g := build(func(b *builder, p stdops.NodeIndex, heads []head) []head {
		b.g.Nodes[p].Pipeline.Variables["v"] = flow.Variable{Shown: true}
		return b.activity(p, heads, func(a *flow.Activity) {
			a.Inputs = []flow.Input{{Key: "x", Value: "${v}", Render: true}, {Key: "raw", Value: "${v}"}, {Key: "plain", Value: "p", Render: true}}
		})
	})
	w := newWorld(t, g, stdops.NewObject("v", "1"), stubs()...)
	mustDo(t, w, Command{Kind: Start})
	n := w.nodeNamed("A3")
	for i, c := range []struct{ given, want *stdops.Object }{
		{
			stdops.NewObject("x", "<${v}>", "raw", "<${v}>", "plain", "<${v}>", "new", "<${v}>"),
			stdops.NewObject("x", "<1>", "raw", "<${v}>", "plain", "<${v}>", "new", "<1>"),
		},
		{stdops.NewObject("x", "<${v}>", escapeKey, []any{"x"}), stdops.NewObject("x", "<${v}>")},
		{stdops.NewObject("x", "(${v})"), stdops.NewObject("x", "(${v})")},
		{nil, stdops.NewObject("x", "(${v})")},
	} {
		w.answerCall(0, plugin.Done, true)
		mustDo(t, w, Command{Kind: Retry, Node: n, Inputs: c.given})
		w.crash()
		got := w.calls[0].inputs.Clone()
		got.Delete("_loop")
		got.Delete("_inner_loop")
		if gotText, wantText := textOf(t, got), textOf(t, c.want); gotText != wantText {
			t.Errorf("retry %d: inputs %s, want %s", i+1, gotText, wantText)
		}
	}
}

func textOf(t *testing.T, o *stdops.Object) string {
	t.Helper()
	text, err := stdops.EncodeValue(o)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
