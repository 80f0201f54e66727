package engine

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/flow"
	"github.com/stdops/stdops/internal/plugin"
)

// maker is a flow of one activity that makes a child, and takes an output of it.
func maker(change func(*flow.Activity)) *flow.Graph {
	return build(func(b *builder, p stdops.NodeIndex, heads []head) []head {
		b.g.Nodes[p].Pipeline.Variables["got"] = flow.Variable{Output: true}
		b.g.Nodes[p].Pipeline.Outputs = []string{"got"}
		return b.activity(p, heads, func(a *flow.Activity) {
			a.Code, a.Outputs = "child", []flow.Mapping{{Key: "made", Variable: "got"}}
			if change != nil {
				change(a)
			}
		})
	})
}

// worker is a flow of one activity whose output is an output of the flow, beside another one.
func worker(change func(*flow.Activity)) *flow.Graph {
	return build(func(b *builder, p stdops.NodeIndex, heads []head) []head {
		pipeline := b.g.Nodes[p].Pipeline
		pipeline.Variables["made"], pipeline.Variables["other"] = flow.Variable{Output: true}, flow.Variable{Output: true}
		pipeline.Outputs = []string{"made", "other"}
		return b.activity(p, heads, func(a *flow.Activity) {
			a.Outputs = []flow.Mapping{{Key: "out", Variable: "made"}, {Key: "out", Variable: "other"}}
			if change != nil {
				change(a)
			}
		})
	})
}

// two is a parallel gateway with an activity in each of two branches.
func two() *flow.Graph {
	return build(func(b *builder, p stdops.NodeIndex, heads []head) []head {
		return b.gateway(stdops.KindParallel, p, heads, make([]string, 2), func(_ int, heads []head) []head { return b.activity(p, heads, nil) })
	})
}

const made = stdops.NodeIndex(2) // the activity of maker and worker

// work ends the call of a child's activity with an output.
func (m *member) work(value any, failed bool) {
	m.t.Helper()
	if len(m.calls) == 0 {
		m.t.Fatalf("no call of task %d is out", m.st.task.ID)
	}
	m.calls[0].outputs.Set("out", value)
	if failed {
		m.calls[0].outputs.Set("ex_data", "no luck")
	}
	m.answerCall(0, plugin.Done, failed)
}

func (f *family) wantNode(m *member, n stdops.NodeIndex, state stdops.State) *stdops.NodeState {
	f.t.Helper()
	own := m.st.nodes[n]
	if own.State != state {
		f.t.Fatalf("node %d of task %d is %s, want %s: %v", n, m.st.task.ID, own.State, state, m.states())
	}
	return own
}

// exData gives the text of the failure of a node.
func (m *member) exData(n stdops.NodeIndex) string { return m.st.data[n].outputs.Text("ex_data") }

func TestChildGivesItsParentTheOutputsThatItWants(t *testing.T) {
	t.Parallel()
	f := newFamily(t, maker(nil), worker(nil))
	f.settle()
	f.wantNode(f.root(), made, stdops.StateRunning)
	f.members[1].work("x", false)
	f.settle()
	f.wantNode(f.root(), made, stdops.StateFinished)
	if got, want := f.root().storedOutputs(made), `{"_result":true,"_loop":1,"_inner_loop":1,"made":"x"}`; got != want {
		t.Errorf("outputs %s, want %s", got, want)
	}
	if got := f.root().storedOutputs(stdops.RootNode); got != `{"${got}":"x"}` {
		t.Errorf("the parent ends with %s", got)
	}
}

func (m *member) storedOutputs(n stdops.NodeIndex) string {
	data := m.record.snap.Data
	return string(data[slices.IndexFunc(data, func(d stdops.NodeData) bool { return d.Node == n })].Outputs)
}

func TestChildThatIsRetriedRevivesTheSameAttempt(t *testing.T) {
	t.Parallel()
	f := newFamily(t, maker(nil), worker(nil))
	f.settle()
	version := f.wantNode(f.root(), made, stdops.StateRunning).Version
	f.members[1].work(nil, true)
	f.settle()
	failed := f.wantNode(f.root(), made, stdops.StateFailed)
	if got, want := f.root().exData(made), `task 8, node "A3": no luck`; got != want || failed.Version != version {
		t.Errorf("ex_data %q, want %q; version %s", got, want, failed.Version)
	}
	if err := f.members[1].step(Command{Kind: Retry, Node: made, Actor: "ann"}); err != nil {
		t.Fatal(err)
	}
	f.settle()
	own := f.wantNode(f.root(), made, stdops.StateRunning)
	if own.Version != version || own.Retry != 0 || len(f.root().record.attempts) > 0 || !own.Finished.IsZero() || f.root().exData(made) != "" {
		t.Errorf("revived as %+v with ex_data %q, %d attempts kept", own, f.root().exData(made), len(f.root().record.attempts))
	}
	if got := f.root().record.log[len(f.root().record.log)-1]; got.From != stdops.StateFailed || got.To != stdops.StateRunning || got.Node != made {
		t.Errorf("logged as %+v", got)
	}
	f.members[1].work("x", false)
	f.settle()
	f.wantNode(f.root(), made, stdops.StateFinished)
}

func TestChildThatWasSkippedOnFinishesAParentThatHadFailed(t *testing.T) {
	t.Parallel()
	f := newFamily(t, maker(nil), worker(nil))
	f.settle()
	f.members[1].work(nil, true)
	f.settle()
	if err := f.members[1].step(Command{Kind: Skip, Node: made, Actor: "ann"}); err != nil { // FINISHED in the same step
		t.Fatal(err)
	}
	f.settle()
	f.wantNode(f.root(), made, stdops.StateFinished)
	if f.root().st.root.State != stdops.StateFinished {
		t.Error("the parent has not ended")
	}
}

func TestChildOfAChildTellsAllTheWayUp(t *testing.T) {
	t.Parallel()
	f := newFamily(t, maker(nil), maker(func(a *flow.Activity) { a.Outputs = nil }), worker(nil))
	f.settle()
	f.members[2].work(nil, true)
	f.settle()
	f.wantNode(f.members[1], made, stdops.StateFailed)
	f.wantNode(f.root(), made, stdops.StateFailed)
	if got, want := f.root().exData(made), `task 8, node "A3": task 9, node "A3": no luck`; got != want {
		t.Errorf("ex_data %q, want %q", got, want)
	}
	if err := f.members[2].step(Command{Kind: Retry, Node: made, Actor: "ann"}); err != nil {
		t.Fatal(err)
	}
	f.settle()
	f.wantNode(f.members[1], made, stdops.StateRunning)
	f.wantNode(f.root(), made, stdops.StateRunning)
	f.members[2].work("x", false)
	f.settle()
	f.wantNode(f.root(), made, stdops.StateFinished)
}

func TestChildThatIsRevokedFailsItsNode(t *testing.T) {
	t.Parallel()
	f := newFamily(t, maker(nil), worker(nil))
	f.settle()
	if err := f.members[1].step(Command{Kind: Revoke, Actor: "ann"}); err != nil {
		t.Fatal(err)
	}
	f.settle()
	f.wantNode(f.root(), made, stdops.StateFailed)
	if got := f.root().exData(made); got != "task 8 was revoked" {
		t.Errorf("ex_data %q", got)
	}
	if err := f.root().step(Command{Kind: Retry, Node: made, Actor: "ann"}); err != nil {
		t.Fatal(err)
	}
	f.members[1].work(nil, true) // its call was out; nobody minds any more
	f.settle()
	if want := []string{`{"told":"failed","text":"task 8 was revoked"}`}; !slices.Equal(f.told, want) {
		t.Errorf("told %q, want %q", f.told, want)
	}
	f.wantNode(f.root(), made, stdops.StateRunning)
	f.members[2].work("x", false)
	f.settle()
	f.wantNode(f.root(), made, stdops.StateFinished)
}

// What a child tells of which its node does not want to know any more is forgotten.
func TestChildOfAnAttemptThatIsOverIsNotHeard(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		over func(f *family)
		want stdops.State
	}{
		"forced to fail": {func(f *family) { f.root().step(Command{Kind: ForceFail, Node: made, Actor: "ann"}) }, stdops.StateFailed},
		"retried": {func(f *family) {
			f.root().step(Command{Kind: ForceFail, Node: made, Actor: "ann"})
			f.root().step(Command{Kind: Retry, Node: made, Actor: "ann"})
		}, stdops.StateRunning},
		"skipped": {func(f *family) {
			f.root().step(Command{Kind: ForceFail, Node: made, Actor: "ann"})
			f.root().step(Command{Kind: Skip, Node: made, Actor: "ann"})
		}, stdops.StateFinished},
		"over its time limit": {func(f *family) { f.pass(10 * time.Second) }, stdops.StateFailed},
		"revoked":             {func(f *family) { f.root().step(Command{Kind: Revoke, Actor: "ann"}) }, stdops.StateRunning},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, failed := range []bool{false, true} {
				f := newFamily(t, maker(func(a *flow.Activity) { a.Timeout.After = 10 * time.Second }), worker(nil))
				f.settle()
				c.over(f)
				f.settle()
				before := fmt.Sprintf("%+v", *f.root().st.nodes[made])
				f.members[1].work("x", failed)
				f.settle()
				f.wantNode(f.root(), made, c.want)
				if after := fmt.Sprintf("%+v", *f.root().st.nodes[made]); after != before {
					t.Errorf("child failed %t: the node changed from\n%s to\n%s", failed, before, after)
				}
				if left := f.root().record.snap.Callbacks; len(left) > 0 && f.root().st.root.Live {
					t.Errorf("child failed %t: %v is left", failed, left)
				}
			}
		})
	}
}

func TestChildThatGoesOnLeavesItsNodeItsTimeLimit(t *testing.T) {
	t.Parallel()
	f := newFamily(t, maker(func(a *flow.Activity) { a.Timeout.After = 10 * time.Second }), worker(nil))
	f.settle()
	first := f.root().st.nodes[made].Deadline
	f.members[1].work(nil, true)
	f.settle()
	f.pass(6 * time.Second)
	if err := f.members[1].step(Command{Kind: Retry, Node: made, Actor: "ann"}); err != nil {
		t.Fatal(err)
	}
	f.settle()
	if got := f.wantNode(f.root(), made, stdops.StateRunning).Deadline; !got.Equal(first) {
		t.Errorf("time limit %s, it was %s", got, first)
	}
	f.pass(5 * time.Second)
	f.wantNode(f.root(), made, stdops.StateFailed)
}

func TestChildThatRetriesByItselfHasNotFailed(t *testing.T) {
	t.Parallel()
	f := newFamily(t, maker(nil), worker(func(a *flow.Activity) { a.AutoRetry = flow.AutoRetry{Times: 1, Interval: time.Second} }))
	f.settle()
	f.members[1].work(nil, true)
	f.settle()
	f.wantNode(f.root(), made, stdops.StateRunning)
	f.pass(time.Second)
	f.members[1].work(nil, true)
	f.settle()
	f.wantNode(f.root(), made, stdops.StateFailed)
}

func TestChildOfANodeThatIgnoresErrorsLetsItGoOn(t *testing.T) {
	t.Parallel()
	f := newFamily(t, maker(func(a *flow.Activity) { a.IgnoreErrors = true }), worker(nil))
	f.settle()
	f.members[1].work(nil, true)
	f.settle()
	if own := f.wantNode(f.root(), made, stdops.StateFinished); !own.ErrorIgnored {
		t.Error("not as an ignored error")
	}
}

// A node that retries by itself makes a new child; the old one may still come to life and is not heard then.
func TestChildThatFailsIsReplacedByANodeThatRetries(t *testing.T) {
	t.Parallel()
	f := newFamily(t, maker(func(a *flow.Activity) { a.AutoRetry = flow.AutoRetry{Times: 1, Interval: time.Second} }), worker(nil))
	f.settle()
	f.members[1].work(nil, true)
	f.settle()
	f.pass(time.Second)
	f.settle()
	if len(f.members) != 3 {
		t.Fatalf("%d tasks", len(f.members))
	}
	f.members[1].step(Command{Kind: Skip, Node: made, Actor: "ann"})
	f.settle()
	f.wantNode(f.root(), made, stdops.StateRunning)
}

// A child whose nodes fail in several branches has failed until none of them is left that waits for a person.
func TestChildHasFailedWhileAnyOfItsNodesWaits(t *testing.T) {
	t.Parallel()
	f := newFamily(t, maker(nil), two())
	f.settle()
	child := f.members[1]
	child.work(nil, true)
	child.work(nil, true)
	f.settle()
	f.wantNode(f.root(), made, stdops.StateFailed)
	var failed []stdops.NodeIndex
	for _, n := range child.st.nodes {
		if n != nil && n.State == stdops.StateFailed {
			failed = append(failed, n.Node)
		}
	}
	for i, want := range []stdops.State{stdops.StateFailed, stdops.StateRunning} {
		if err := child.step(Command{Kind: Retry, Node: failed[i], Actor: "ann"}); err != nil {
			t.Fatal(err)
		}
		f.settle()
		f.wantNode(f.root(), made, want)
	}
	if want := []string{`{"told":"failed","text":"task 8, node \"A4\": no luck"}`, `{"told":"resumed"}`}; !slices.Equal(f.told, want) {
		t.Errorf("told %q, want %q", f.told, want)
	}
}

func TestChildThatHasFailedIsRevokedWithoutAnotherFailure(t *testing.T) {
	t.Parallel()
	f := newFamily(t, maker(nil), worker(nil))
	f.settle()
	f.members[1].work(nil, true)
	f.settle()
	before := len(f.root().record.log)
	f.members[1].step(Command{Kind: Revoke, Actor: "ann"})
	f.settle()
	f.wantNode(f.root(), made, stdops.StateFailed)
	if after := len(f.root().record.log); after != before || !strings.Contains(f.root().exData(made), "no luck") {
		t.Errorf("the log grew from %d to %d, ex_data %q", before, after, f.root().exData(made))
	}
}

// A task that was revoked may go on for a while, with calls that are out. What its children tell then is forgotten.
func TestChildOfATaskThatWasRevokedIsNotHeardWhileCallsAreOut(t *testing.T) {
	t.Parallel()
	graph := build(func(b *builder, p stdops.NodeIndex, heads []head) []head {
		return b.gateway(stdops.KindParallel, p, heads, make([]string, 2), func(i int, heads []head) []head {
			return b.activity(p, heads, func(a *flow.Activity) { a.Code = []string{"child", "work"}[i] })
		})
	})
	f := newFamily(t, graph, worker(nil))
	f.settle()
	f.root().step(Command{Kind: Revoke, Actor: "ann"})
	n := f.members[1].of.Node
	f.members[1].work("x", false)
	if len(f.root().record.snap.Callbacks) != 1 {
		t.Fatal("nothing was told to a task that is live")
	}
	f.settle()
	f.wantNode(f.root(), n, stdops.StateRunning)
	if left := f.root().record.snap.Callbacks; len(left) > 0 {
		t.Errorf("%v is left", left)
	}
}

func TestChildThatIsFasterThanItsMakingIsHeardAfterIt(t *testing.T) {
	t.Parallel()
	empty := build(func(_ *builder, _ stdops.NodeIndex, heads []head) []head { return heads })
	f := newFamily(t, maker(nil), empty)
	f.takeCall(f.root(), 0, plugin.Done, false) // it has FINISHED in its first step
	f.deliver()
	if own := f.wantNode(f.root(), made, stdops.StateRunning); own.Phase != stdops.PhaseExecuting {
		t.Errorf("in phase %s", own.Phase)
	}
	f.settle()
	f.wantNode(f.root(), made, stdops.StateFinished)
}

func TestChildAloneCallsItsNodeBack(t *testing.T) {
	t.Parallel()
	f := newFamily(t, maker(nil), worker(nil))
	want := "can not find sleep process with current node id: " + stdops.NodeID(7, made)
	wantRefusal(t, f.root().step(Command{Kind: CallBack, Node: made}), want)
	f.settle()
	wantRefusal(t, f.root().step(Command{Kind: CallBack, Node: made}), want)
}

// Many children that end at the same time are heard in parts, each of which one commit can hold.
func TestChildrenThatEndTogetherAreAllHeard(t *testing.T) {
	t.Parallel()
	const branches = 700
	graph := build(func(b *builder, p stdops.NodeIndex, heads []head) []head {
		return b.gateway(stdops.KindParallel, p, heads, make([]string, branches), func(_ int, heads []head) []head {
			return b.activity(p, heads, func(a *flow.Activity) { a.Code = "child" })
		})
	})
	w := newWorld(t, graph, nil, stub("child", makesChildren))
	mustDo(t, w, Command{Kind: Start, Actor: "ann"})
	for len(w.calls) > 0 {
		var ended []event
		for _, c := range w.calls {
			ended = append(ended, callEnded{node: c.node, version: c.version, inputs: c.inputs, outputs: c.outputs, outcome: plugin.Outcome{Next: plugin.Callback}})
		}
		w.calls = nil
		mustDo(t, w, ended...)
	}
	var seq int64
	for _, text := range []string{`{"told":"failed","text":"no luck"}`, `{"told":"finished"}`} {
		for _, n := range w.record.snap.Nodes {
			if graph.Nodes[n.Node].Kind == stdops.KindActivity {
				seq--
				w.record.snap.Callbacks = append(w.record.snap.Callbacks, stdops.Callback{Seq: seq, Node: n.Node, Version: n.Version, Data: []byte(text)})
			}
		}
	}
	w.reread()
	if w.st.root.State != stdops.StateFinished || len(w.record.snap.Callbacks) > 0 {
		t.Errorf("%s, %d messages left", w.st.root.State, len(w.record.snap.Callbacks))
	}
	for _, entry := range w.record.logged {
		if entry.N > maxChanges+10 {
			t.Fatalf("revision %d has more than %d transitions", entry.Revision, entry.N)
		}
	}
}

// TestChildrenAndParentsAgree draws families of three generations, commands to all of them, results of calls, crashes of
// the process and letters that come late. Whenever all letters are read, every node that waits for a child stands as the
// child does; and in the end everything can be brought to its end.
func TestChildrenAndParentsAgree(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		f := drawFamily(rt)
		for range rapid.IntRange(0, 60).Draw(rt, "events") {
			f.event(rt)
			if rapid.IntRange(0, 3).Draw(rt, "settle") == 0 {
				f.settle()
				if m := f.disagreement(); m != nil {
					rt.Fatalf("task %d: %v\nits parent: %v", m.st.task.ID, m.states(), m.parent.states())
				}
			}
		}
		f.finish(rt)
	})
}

// TestChildrenAgreeControl lets children tell after their step instead of with it. A crash in between must be noticed.
func TestChildrenAgreeControl(t *testing.T) {
	t.Parallel()
	lost := 0
	rapid.Check(t, func(rt *rapid.T) {
		f := drawFamily(rt)
		f.late = true
		for range 60 {
			f.event(rt)
			if len(f.pending) > 0 && rapid.Bool().Draw(rt, "in between") {
				f.crash()
			}
			f.settle()
			if f.disagreement() != nil {
				lost++
				return
			}
		}
	})
	if lost == 0 {
		t.Error("nothing was lost by children that tell too late")
	}
	t.Logf("%d families lost something", lost)
}

func drawFamily(t *rapid.T) *family {
	var graphs []*flow.Graph
	for depth := range 3 {
		graphs = append(graphs, build(func(b *builder, p stdops.NodeIndex, heads []head) []head {
			return drawGeneration(t, b, p, heads, depth)
		}))
	}
	return newFamily(t, graphs...)
}

// drawGeneration draws a flow of which some activities make children, the last generation excepted.
func drawGeneration(t *rapid.T, b *builder, p stdops.NodeIndex, heads []head, depth int) []head {
	activity := func(_ int, heads []head) []head {
		return b.activity(p, heads, func(a *flow.Activity) {
			if drawPolicy(t, a); depth < 2 && rapid.IntRange(0, 2).Draw(t, "child") > 0 {
				a.Code = "child"
			}
			a.Inputs = nil
		})
	}
	for range rapid.IntRange(0, 2).Draw(t, "length") {
		if rapid.Bool().Draw(t, "parallel") {
			heads = b.gateway(stdops.KindParallel, p, heads, make([]string, rapid.IntRange(1, 3).Draw(t, "branches")), activity)
		} else {
			heads = activity(0, heads)
		}
	}
	return heads
}

var familyCommands = []Kind{Retry, Retry, Retry, Skip, Skip, ForceFail, Pause, Resume, NodePause, NodeResume, CallBack}

func (f *family) event(t *rapid.T) {
	f.flush()
	m := rapid.SampledFrom(f.members).Draw(t, "task")
	switch kind := rapid.IntRange(0, 13).Draw(t, "event"); {
	case kind == 0:
		f.crash()
	case kind == 1:
		f.pass(time.Duration(rapid.IntRange(1, 4).Draw(t, "seconds")) * time.Second)
	case kind == 2 && m.parent != nil && rapid.IntRange(0, 5).Draw(t, "really") == 0:
		m.step(Command{Kind: Revoke, Actor: "ann"})
	case kind < 5 && len(f.letters) > 0:
		f.letters[0].reread()
		f.letters = f.letters[1:]
	case kind < 8 || len(m.calls) == 0:
		n := stdops.NodeIndex(rapid.IntRange(1, len(m.graph.Nodes)-1).Draw(t, "node"))
		kind := rapid.SampledFrom(familyCommands).Draw(t, "command")
		a := m.graph.Nodes[n].Activity
		if err := m.step(Command{Kind: kind, Actor: "ann", Node: n}); kind == CallBack && err == nil && a != nil && a.Code == "child" {
			t.Fatalf("a callback of node %d was accepted", n)
		}
	default:
		outcome := plugin.Outcome{Next: rapid.SampledFrom([]plugin.Next{plugin.Finish, plugin.Finish, plugin.Callback, plugin.Poll}).Draw(t, "outcome")}
		f.takeCall(m, rapid.IntRange(0, len(m.calls)-1).Draw(t, "call"), outcome, rapid.IntRange(0, 2).Draw(t, "fails") == 0)
	}
}

// finish brings all to its end: what was paused goes on, what failed is retried, every call ends well.
func (f *family) finish(t *rapid.T) {
	for range 200 {
		f.settle()
		if m := f.disagreement(); m != nil {
			t.Fatalf("at the end, task %d: %v\nits parent: %v", m.st.task.ID, m.states(), m.parent.states())
		}
		if f.root().st.root.State.Ended() {
			return
		}
		for _, m := range slices.Clone(f.members) {
			m.push()
		}
		f.pass(5 * time.Second)
	}
	t.Fatalf("the family does not come to its end: %v", f.root().states())
}

// push lets a task go on in every way in which it can.
func (m *member) push() {
	m.step(Command{Kind: Resume, Actor: "ann"})
	for i, n := range m.st.nodes {
		switch {
		case n == nil:
		case n.State == stdops.StateSuspended:
			m.step(Command{Kind: NodeResume, Actor: "ann", Node: stdops.NodeIndex(i)})
		case n.State == stdops.StateFailed && m.graph.Nodes[i].Activity.Code != "child":
			m.step(Command{Kind: Retry, Actor: "ann", Node: stdops.NodeIndex(i)})
		case n.State == stdops.StateFailed:
			m.step(Command{Kind: Skip, Actor: "ann", Node: stdops.NodeIndex(i)})
		case n.State == stdops.StateRunning && n.Phase == stdops.PhaseWaiting:
			m.step(Command{Kind: CallBack, Actor: "ann", Node: stdops.NodeIndex(i)})
		}
	}
	for i := 0; i < len(m.calls); {
		if m.calls[i].code == "child" {
			i++
			continue
		}
		m.answerCall(i, plugin.Done, false)
	}
}
