package engine

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/flow"
	"github.com/stdops/stdops/internal/plugin"
)

// stubPlugin is only ever asked for its Spec: the world answers the calls itself.
type stubPlugin struct{ spec plugin.Spec }

func (p stubPlugin) Spec() plugin.Spec { return p.spec }
func (stubPlugin) Execute(context.Context, *plugin.Call) (plugin.Outcome, error) {
	return plugin.Done, nil
}

func stub(code string, change ...func(*plugin.Spec)) plugin.Plugin {
	spec := plugin.Spec{Code: code, Versions: []string{"legacy"}}
	for _, c := range change {
		c(&spec)
	}
	return stubPlugin{spec}
}

func stubs() []plugin.Plugin {
	return []plugin.Plugin{stub("work"), stub("poll"), stub("wait"), stub("many", manyCallbacks), stub("once", onlyOnce)}
}

func manyCallbacks(s *plugin.Spec) { s.ManyCallbacks = true }

func onlyOnce(s *plugin.Spec) { s.Execute, s.Schedule = plugin.Unknown, plugin.Unknown }

func line(n int) *flow.Graph {
	return build(func(b *builder, p stdops.NodeIndex, heads []head) []head {
		for range n {
			heads = b.activity(p, heads, nil)
		}
		return heads
	})
}

func mustDo(t *testing.T, w *world, events ...event) {
	t.Helper()
	if err := w.step(events...); err != nil {
		t.Fatalf("%+v: %v", events, err)
	}
}

func wantRefusal(t *testing.T, err error, text string) {
	t.Helper()
	if err == nil || err.Error() != text {
		t.Fatalf("got %v, want the refusal %q", err, text)
	}
}

// nodeNamed gives the index of a node by its name.
func (w *world) nodeNamed(name string) stdops.NodeIndex {
	for i := range w.graph.Nodes {
		if w.graph.Nodes[i].Name == name {
			return stdops.NodeIndex(i)
		}
	}
	w.t.Fatalf("no node %s", name)
	return 0
}

func wantStates(t *testing.T, w *world, want map[string]string) {
	t.Helper()
	if diff := cmp.Diff(want, w.states()); diff != "" {
		t.Fatalf("states (-want +got):\n%s", diff)
	}
}

func TestDecideRunsALineInOneStepPerCall(t *testing.T) {
	t.Parallel()
	w := newWorld(t, line(2), nil, stubs()...)
	mustDo(t, w, Command{Kind: Start, Actor: "ann"})
	wantStates(t, w, map[string]string{"root": "RUNNING", "s2": "FINISHED", "A3": "RUNNING"})
	w.now = w.now.Add(2 * time.Second)
	revision := w.st.root.Revision
	w.answerCall(0, plugin.Done, false)
	if w.st.root.Revision != revision+1 {
		t.Errorf("the end of one node and the begin of the next took %d commits, want 1", w.st.root.Revision-revision)
	}
	w.answerCall(0, plugin.Done, false)
	wantStates(t, w, map[string]string{"root": "FINISHED", "s2": "FINISHED", "A3": "FINISHED", "A4": "FINISHED", "e5": "FINISHED"})
	if w.st.root.Live || !w.st.root.WakeAt.IsZero() {
		t.Errorf("a finished task is still live: %+v", w.st.root)
	}
}

func TestDecideStartsOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, line(1), nil, stubs()...)
	wantRefusal(t, w.step(Command{Kind: Pause}), "task not started")
	mustDo(t, w, Command{Kind: Start})
	err := w.step(Command{Kind: Start})
	wantRefusal(t, err, "task already started")
	if stdops.ErrorCode(err) != stdops.CodeRefused {
		t.Errorf("code %d, want CodeRefused", stdops.ErrorCode(err))
	}
}

func TestDecideLateResultIsDropped(t *testing.T) {
	t.Parallel()
	w := newWorld(t, line(1), nil, stubs()...)
	mustDo(t, w, Command{Kind: Start})
	late := w.calls[0]
	mustDo(t, w, Command{Kind: ForceFail, Actor: "ann", Node: w.nodeNamed("A3")})
	revision := w.st.root.Revision
	w.step(callEnded{node: late.node, version: late.version, call: late.number, outputs: late.outputs})
	if w.st.root.Revision != revision {
		t.Error("a late result changed the task")
	}
	wantStates(t, w, map[string]string{"root": "RUNNING", "s2": "FINISHED", "A3": "FAILED"})
}

func TestDecideRetryBumpsVersionAndKeepsTheAttempt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, line(1), nil, stubs()...)
	mustDo(t, w, Command{Kind: Start})
	n := w.nodeNamed("A3")
	first := w.st.nodes[n].Version
	w.answerCall(0, plugin.Done, true)
	mustDo(t, w, Command{Kind: Retry, Node: n, Inputs: stdops.NewObject("x", int64(1))})
	again := w.st.nodes[n]
	if again.Version == first || again.Retry != 1 || again.Loop != 1 || again.State != stdops.StateRunning {
		t.Errorf("after the retry: %+v", again)
	}
	if got, _ := w.calls[0].inputs.Get("x"); got != int64(1) {
		t.Errorf("input x is %v, want 1", got)
	}
	if len(w.record.attempts) != 1 || w.record.attempts[0].State.Version != first || w.record.attempts[0].State.State != stdops.StateFailed {
		t.Errorf("kept attempts: %+v", w.record.attempts)
	}
}

func TestDecideSkipGoesOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, line(2), nil, stubs()...)
	mustDo(t, w, Command{Kind: Start})
	n := w.nodeNamed("A3")
	wantRefusal(t, w.step(Command{Kind: Skip, Node: n}), stdops.NodeID(7, n)+" state is not FAILED, actual RUNNING")
	w.answerCall(0, plugin.Done, true)
	mustDo(t, w, Command{Kind: Skip, Node: n})
	if own := w.st.nodes[n]; !own.Skip || own.State != stdops.StateFinished {
		t.Errorf("skipped node: %+v", own)
	}
	wantStates(t, w, map[string]string{"root": "RUNNING", "s2": "FINISHED", "A3": "FINISHED", "A4": "RUNNING"})
}

func TestDecidePauseStopsBeforeTheNextNode(t *testing.T) {
	t.Parallel()
	w := newWorld(t, line(2), nil, stubs()...)
	mustDo(t, w, Command{Kind: Start})
	mustDo(t, w, Command{Kind: Pause})
	w.answerCall(0, plugin.Done, false)
	wantStates(t, w, map[string]string{"root": "SUSPENDED", "s2": "FINISHED", "A3": "FINISHED"})
	w.crash()
	wantStates(t, w, map[string]string{"root": "SUSPENDED", "s2": "FINISHED", "A3": "FINISHED"})
	mustDo(t, w, Command{Kind: Resume})
	wantStates(t, w, map[string]string{"root": "RUNNING", "s2": "FINISHED", "A3": "FINISHED", "A4": "RUNNING"})
}

func TestDecideAppointedPauseShowsWhenReached(t *testing.T) {
	t.Parallel()
	w := newWorld(t, line(2), nil, stubs()...)
	mustDo(t, w, Command{Kind: Start})
	n := w.nodeNamed("A4")
	mustDo(t, w, Command{Kind: NodePause, Node: n})
	wantStates(t, w, map[string]string{"root": "RUNNING", "s2": "FINISHED", "A3": "RUNNING"})
	w.answerCall(0, plugin.Done, false)
	wantStates(t, w, map[string]string{"root": "RUNNING", "s2": "FINISHED", "A3": "FINISHED", "A4": "SUSPENDED"})
	mustDo(t, w, Command{Kind: NodeResume, Node: n})
	wantStates(t, w, map[string]string{"root": "RUNNING", "s2": "FINISHED", "A3": "FINISHED", "A4": "RUNNING"})
}

func TestDecideRevokeIsFinal(t *testing.T) {
	t.Parallel()
	w := newWorld(t, line(2), nil, stubs()...)
	mustDo(t, w, Command{Kind: Start})
	mustDo(t, w, Command{Kind: Revoke})
	w.answerCall(0, plugin.Done, false)
	wantStates(t, w, map[string]string{"root": "REVOKED", "s2": "FINISHED", "A3": "FINISHED"})
	if w.st.root.Live {
		t.Error("a revoked task with nothing out is still live")
	}
	if err := w.step(Command{Kind: Retry, Node: w.nodeNamed("A3")}); stdops.ErrorCode(err) != stdops.CodeEngine {
		t.Errorf("retry in a revoked task: %v", err)
	}
}

func TestDecideRerunLimitFailsTheNode(t *testing.T) {
	t.Parallel()
	g := build(func(b *builder, p stdops.NodeIndex, heads []head) []head {
		x := b.add(stdops.KindExclusive, p)
		b.join(heads, x)
		again, out := b.open(x), b.open(x)
		node := &b.g.Nodes[x]
		node.Branches = []flow.Branch{{Edge: node.Out[0], Evaluate: "1 == 1"}, {Edge: node.Out[1], Evaluate: "1 == 2"}}
		b.join([]head{again}, x)
		return []head{out}
	})
	w := newWorld(t, g, nil, stubs()...)
	mustDo(t, w, Command{Kind: Start})
	wantStates(t, w, map[string]string{"root": "RUNNING", "s2": "FINISHED", "X3": "FAILED"})
	if own := w.st.nodes[w.nodeNamed("X3")]; own.Loop != rerunLimit+1 {
		t.Errorf("loop %d, want %d", own.Loop, rerunLimit+1)
	}
	if len(w.record.attempts) != rerunLimit {
		t.Errorf("%d attempts kept, want %d", len(w.record.attempts), rerunLimit)
	}
}

func TestDecideCallbackBeforeTheNodeWaits(t *testing.T) {
	t.Parallel()
	g := build(func(b *builder, p stdops.NodeIndex, heads []head) []head {
		return b.activity(p, heads, func(a *flow.Activity) { a.Code = "wait" })
	})
	w := newWorld(t, g, nil, stubs()...)
	mustDo(t, w, Command{Kind: Start})
	n := w.nodeNamed("A3")
	mustDo(t, w, Command{Kind: CallBack, Node: n, Data: "early"})
	second := func() {
		t.Helper()
		wantRefusal(t, w.step(Command{Kind: CallBack, Node: n, Data: "second"}), "can not find sleep process with current node id: "+stdops.NodeID(7, n))
	}
	second()
	w.answerCall(0, plugin.Outcome{Next: plugin.Callback}, false)
	if len(w.calls) != 1 || w.calls[0].callback != "early" {
		t.Fatalf("calls after the node began to wait: %+v", w.calls)
	}
	second()
	w.crash()
	if len(w.calls) != 1 || w.calls[0].callback != "early" {
		t.Fatalf("calls after a crash while the callback was handled: %+v", w.calls)
	}
	w.answerCall(0, plugin.Done, false)
	wantStates(t, w, map[string]string{"root": "FINISHED", "s2": "FINISHED", "A3": "FINISHED", "e4": "FINISHED"})
	second()
}

// TestDecideKeepsACallbackThatComesDuringExecute: it was acknowledged, so it is handled once the node waits for it, also
// when the node is polled before.
func TestDecideKeepsACallbackThatComesDuringExecute(t *testing.T) {
	t.Parallel()
	w := newWorld(t, line(1), nil, stubs()...)
	mustDo(t, w, Command{Kind: Start})
	mustDo(t, w, Command{Kind: CallBack, Node: w.nodeNamed("A3"), Data: "kept"})
	w.answerCall(0, plugin.PollAfter(0), false)
	if len(w.calls) != 1 || w.calls[0].called {
		t.Fatalf("calls for the poll: %+v", w.calls)
	}
	w.answerCall(0, plugin.Outcome{Next: plugin.Callback}, false)
	if len(w.calls) != 1 || w.calls[0].callback != "kept" {
		t.Fatalf("calls once the node waits for callbacks: %+v", w.calls)
	}
	w.answerCall(0, plugin.Done, false)
	wantStates(t, w, map[string]string{"root": "FINISHED", "s2": "FINISHED", "A3": "FINISHED", "e4": "FINISHED"})
}

// TestDecideRepeatsACallUnderItsKey: also when the process has no room for it at first, and ends once more meanwhile.
func TestDecideRepeatsACallUnderItsKey(t *testing.T) {
	t.Parallel()
	g := build(func(b *builder, p stdops.NodeIndex, heads []head) []head {
		return b.activity(p, heads, func(a *flow.Activity) { a.Code = "poll" })
	})
	for polls := range 3 {
		w := newWorld(t, g, nil, stubs()...)
		mustDo(t, w, Command{Kind: Start})
		for range polls {
			w.answerCall(0, plugin.PollAfter(0), false)
			w.step()
		}
		first := w.calls[0].id()
		w.slots = &scarceSlots{}
		for range 2 {
			w.crash()
			if len(w.calls) != 0 {
				t.Fatalf("%d calls begin without a slot", len(w.calls))
			}
		}
		w.slots.left = 1
		w.step(slotFree{})
		if len(w.calls) != 1 || w.calls[0].id() != first {
			t.Errorf("after %d polls the call %+v is repeated as %+v", polls, first, w.calls)
		}
	}
}

func TestDecideUnknownOutcomeAfterACrash(t *testing.T) {
	t.Parallel()
	w := newWorld(t, line(1), nil, stub("work", func(s *plugin.Spec) { s.Execute = plugin.Unknown }))
	mustDo(t, w, Command{Kind: Start})
	w.crash()
	wantStates(t, w, map[string]string{"root": "RUNNING", "s2": "FINISHED", "A3": "FAILED"})
	if got := w.st.data[w.nodeNamed("A3")].outputs.Text("ex_data"); got != outcomeUnknown {
		t.Errorf("ex_data %q", got)
	}
}

// byInput is a plugin whose execute may be repeated when its inputs say so.
type byInput struct{ stubPlugin }

func (byInput) ExecuteRule(inputs *stdops.Object) plugin.CrashRule {
	if inputs.Text("again") == "yes" {
		return plugin.Repeat
	}
	return plugin.Unknown
}

func TestDecideCrashRuleByInputs(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		again any
		state string
	}{
		{"yes", "RUNNING"},
		{"${answer}", "RUNNING"},
		{"no", "FAILED"},
		{"${'x' * 2000000}", "FAILED"}, // cannot be rendered any more
	} {
		g := build(func(b *builder, p stdops.NodeIndex, heads []head) []head {
			b.g.Nodes[p].Pipeline.Variables["answer"] = flow.Variable{}
			return b.activity(p, heads, nil)
		})
		p := byInput{stubPlugin{plugin.Spec{Code: "work", Versions: []string{"legacy"}}}}
		w := newWorld(t, g, stdops.NewObject("answer", "yes"), p)
		mustDo(t, w, Command{Kind: Start})
		first := w.calls[0].id()
		w.graph.Nodes[w.nodeNamed("A3")].Activity.Inputs = []flow.Input{{Key: "again", Value: c.again, Render: true}}
		w.crash()
		if got := w.states()["A3"]; got != c.state {
			t.Errorf("again: %v: the node is %s, want %s", c.again, got, c.state)
		}
		if c.state == "FAILED" {
			if got := w.st.data[w.nodeNamed("A3")].outputs.Text("ex_data"); got != outcomeUnknown {
				t.Errorf("ex_data %q", got)
			}
		} else if len(w.calls) != 1 || w.calls[0].id() != first {
			t.Errorf("calls after the crash: %+v", w.calls)
		}
	}
}

func TestDecideWideParallelHoldsCallsBack(t *testing.T) {
	t.Parallel()
	g := build(func(b *builder, p stdops.NodeIndex, heads []head) []head {
		return b.gateway(stdops.KindParallel, p, heads, make([]string, 3*maxCalls), func(_ int, h []head) []head { return b.activity(p, h, nil) })
	})
	w := newWorld(t, g, nil, stubs()...)
	mustDo(t, w, Command{Kind: Start})
	for len(w.calls) > 0 {
		if len(w.calls) > maxCalls {
			t.Fatalf("%d calls are out, the limit is %d", len(w.calls), maxCalls)
		}
		w.answerCall(0, plugin.Done, false)
	}
	if w.st.root.State != stdops.StateFinished {
		t.Errorf("root is %s", w.st.root.State)
	}
}

// TestDecideKeepsItsPromises drives random flows by random events, with crashes in between, and then lets every task
// come to its end. The world checks after each step that memory equals the record, that what ended stays, that no
// version serves two nodes and that no task stands still without a reason.
func TestDecideKeepsItsPromises(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(rt, drawGraph(rt), stdops.NewObject("v", "0"), stubs()...)
		if rapid.Bool().Draw(rt, "scarce") {
			w.slots = &scarceSlots{}
		}
		mustStart(rt, w)
		for range rapid.IntRange(0, 40).Draw(rt, "steps") {
			w.randomStep(rt)
		}
		w.settle(rt)
		for key, n := range w.started {
			if n > 1+w.crashes || n > 1 && w.once[key] {
				rt.Fatalf("call %s began %d times with %d crashes", key, n, w.crashes)
			}
		}
	})
}

func mustStart(t *rapid.T, w *world) {
	if err := w.step(Command{Kind: Start, Actor: "ann"}); err != nil {
		t.Fatal(err)
	}
}

func (w *world) randomStep(t *rapid.T) {
	node := stdops.NodeIndex(rapid.IntRange(0, len(w.graph.Nodes)-1).Draw(t, "node"))
	switch rapid.IntRange(0, 16).Draw(t, "event") {
	case 0:
		w.step(Command{Kind: Pause})
	case 1:
		w.step(Command{Kind: Resume})
	case 2:
		w.step(Command{Kind: NodePause, Node: node}, Command{Kind: NodePause, Node: node})
	case 3:
		w.step(Command{Kind: NodeResume, Node: node})
	case 4:
		w.step(Command{Kind: Retry, Node: node}, Command{Kind: Skip, Node: node})
	case 5:
		w.step(Command{Kind: CallBack, Node: node, Data: int64(1)}, Command{Kind: CallBack, Node: node})
	case 6:
		w.step(Command{Kind: ForceFail, Node: node, Actor: "ann"})
	case 7:
		w.crashes++
		w.crash()
	case 8:
		w.now = w.now.Add(time.Duration(rapid.IntRange(0, 10).Draw(t, "seconds")) * time.Second)
		w.step()
	case 9:
		if rapid.IntRange(0, 9).Draw(t, "really") == 0 {
			w.step(Command{Kind: Revoke})
		}
	case 12:
		w.step(Command{Kind: SetConstants, Values: stdops.NewObject("v", rapid.StringMatching("[0-9]").Draw(t, "value"))})
	case 13:
		w.step(Command{Kind: SubPause, Node: node}, Command{Kind: SubPause, Node: node})
	case 14:
		w.step(Command{Kind: SubResume, Node: node})
	case 10:
		_ = w.skipBranches(node, rapid.IntRange(1, 3).Draw(t, "flows"))
	case 11:
		if w.slots != nil {
			w.slots.left += rapid.IntRange(0, 2).Draw(t, "slots")
			w.step(slotFree{})
		}
	default:
		if len(w.calls) > 0 {
			i := rapid.IntRange(0, len(w.calls)-1).Draw(t, "call")
			w.answerCall(i, w.drawOutcome(t, i), rapid.IntRange(0, 5).Draw(t, "fails") == 0)
		}
	}
}

// skipBranches skips a gateway along its first flows, one for an exclusive gateway, and gives the refusal.
func (w *world) skipBranches(n stdops.NodeIndex, most int) error {
	cmd := Command{Kind: SkipBranches, Node: n}
	if w.graph.Nodes[n].Kind == stdops.KindExclusive {
		cmd.Kind, most = SkipBranch, 1
	}
	for _, e := range w.graph.Nodes[n].Out[:min(most, len(w.graph.Nodes[n].Out))] {
		cmd.Flows = append(cmd.Flows, e.Flow)
	}
	return w.step(cmd)
}

func (w *world) drawOutcome(t *rapid.T, i int) plugin.Outcome {
	more := rapid.Bool().Draw(t, "more")
	c := w.calls[i]
	switch {
	case (c.code == "poll" || c.code == "once") && more:
		return plugin.PollAfter(time.Second)
	case c.code == "wait" && c.number == 0, c.code == "many" && (c.number == 0 || more):
		return plugin.Outcome{Next: plugin.Callback}
	}
	return plugin.Done
}

// settle lets everything that was stopped go on and everything that fails be skipped, until the task has ended.
func (w *world) settle(t *rapid.T) {
	if w.slots != nil {
		w.slots.left = 1 << 20
		w.step(slotFree{})
	}
	for range 400 {
		if w.st.root.State.Ended() && len(w.calls) == 0 {
			return
		}
		if len(w.calls) > 0 {
			next := plugin.Done
			if c := w.calls[0]; c.number == 0 && c.code == "wait" {
				next = plugin.Outcome{Next: plugin.Callback}
			}
			w.answerCall(0, next, false)
			continue
		}
		w.step(Command{Kind: Resume})
		for i := range w.st.nodes {
			n := stdops.NodeIndex(i)
			if own := w.st.nodes[i]; own != nil && own.State == stdops.StateSuspended {
				w.step(Command{Kind: NodeResume, Node: n}, Command{Kind: SubResume, Node: n})
			} else if own != nil && own.State == stdops.StateFailed {
				w.step(Command{Kind: SetConstants, Values: stdops.NewObject("v", "0")})
				if w.skipBranches(n, 1+i%2) != nil {
					w.step(Command{Kind: Retry, Node: n})
				}
			} else if own != nil && own.Phase == stdops.PhaseWaiting && own.Due.IsZero() {
				w.step(Command{Kind: CallBack, Node: n})
			}
		}
		if len(w.calls) == 0 { // else a time limit of a second would end every attempt
			w.now = w.now.Add(time.Second)
			w.step()
		}
	}
	t.Fatalf("the task did not end: %v", w.states())
}
