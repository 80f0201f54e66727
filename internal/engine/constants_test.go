package engine

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/flow"
	"github.com/stdops/stdops/internal/plugin"
)

// withConstants draws two activities that are given the constants v, w and p; w names v, and p is fixed at the start
// with all that it names.
func withConstants() *flow.Graph {
	return build(func(b *builder, p stdops.NodeIndex, heads []head) []head {
		pipeline := b.g.Nodes[p].Pipeline
		for key, def := range map[string]flow.Variable{
			"v": {Shown: true}, "w": {Shown: true}, "q": {Shown: true}, "p": {Shown: true, PreRender: true},
			"hidden": {}, "out": {Shown: true, Output: true},
		} {
			pipeline.Variables[key] = def
		}
		pipeline.Order = []string{"v", "w", "q", "p", "hidden", "out"}
		given := func(a *flow.Activity) {
			for _, key := range []string{"v", "w", "q", "p"} {
				a.Inputs = append(a.Inputs, flow.Input{Key: key, Value: "${" + key + "}", Render: true})
			}
		}
		return b.activity(p, b.activity(p, heads, given), given)
	})
}

func constantsWorld(t *testing.T) *world {
	t.Helper()
	return newWorld(t, withConstants(), stdops.NewObject("v", "1", "w", "<${v}>", "q", "<${v}>", "p", "[${q}]", "hidden", "h", "out", ""), stubs()...)
}

func set(pairs ...any) Command {
	return Command{Kind: SetConstants, Actor: "ann", Values: stdops.NewObject(pairs...)}
}

// given gives the inputs of the call that is out.
func (w *world) given(t *testing.T) map[string]any {
	t.Helper()
	if len(w.calls) != 1 {
		t.Fatalf("%d calls are out", len(w.calls))
	}
	inputs := map[string]any{}
	for _, key := range []string{"v", "w", "q", "p"} {
		inputs[key], _ = w.calls[0].inputs.Get(key)
	}
	return inputs
}

func wantGiven(t *testing.T, w *world, want map[string]any) {
	t.Helper()
	if diff := cmp.Diff(want, w.given(t)); diff != "" {
		t.Fatalf("inputs of the call (-want +got):\n%s", diff)
	}
}

func TestDecideConstantsSetBeforeTheStart(t *testing.T) {
	t.Parallel()
	w := constantsWorld(t)
	mustDo(t, w, set("v", int64(2), "p", "(${q})", "unknown", "x"))
	if w.st.root.Revision != 1 || w.st.root.State != stdops.StateCreated || w.st.root.Live {
		t.Errorf("root: %+v", w.st.root)
	}
	if got := string(w.record.snap.Inputs); !strings.HasPrefix(got, `{"v":2,"w":`) || !strings.HasSuffix(got, `,"p":"(${q})","hidden":"h","out":""}`) {
		t.Errorf("stored constants %s", got)
	}
	mustDo(t, w, set("v", int64(2)))
	if w.st.root.Revision != 1 {
		t.Error("what changed nothing raised the revision")
	}
	w.crash()
	mustDo(t, w, Command{Kind: Start})
	wantGiven(t, w, map[string]any{"v": int64(2), "w": "<2>", "q": "<2>", "p": "(<2>)"})
}

// TestDecideConstantsSetWhileHalted: nodes that begin afterwards see the new values, those that have begun keep theirs. A
// value that another one fixed at the start counts anew.
func TestDecideConstantsSetWhileHalted(t *testing.T) {
	t.Parallel()
	for _, crash := range []bool{false, true} {
		w := constantsWorld(t)
		mustDo(t, w, Command{Kind: Start})
		wantGiven(t, w, map[string]any{"v": "1", "w": "<1>", "q": "<1>", "p": "[<1>]"})
		mustDo(t, w, Command{Kind: Pause})
		mustDo(t, w, set("v", "2"))
		if wantGiven(t, w, map[string]any{"v": "1", "w": "<1>", "q": "<1>", "p": "[<1>]"}); crash {
			w.crash() // the call that was out is repeated: its inputs are rendered again
			wantGiven(t, w, map[string]any{"v": "2", "w": "<2>", "q": "<1>", "p": "[<1>]"})
		}
		w.answerCall(0, plugin.Done, false)
		mustDo(t, w, Command{Kind: Resume})
		wantGiven(t, w, map[string]any{"v": "2", "w": "<2>", "q": "<1>", "p": "[<1>]"})
		w.answerCall(0, plugin.Done, true)
		mustDo(t, w, set("q", "{${w}"))
		if crash {
			w.crash()
		}
		mustDo(t, w, Command{Kind: Retry, Node: w.nodeNamed("A4")})
		wantGiven(t, w, map[string]any{"v": "2", "w": "<2>", "q": "{<2>", "p": "[<1>]"})
		w.answerCall(0, plugin.Done, false)
		wantRefusal(t, w.step(set("v", "3")), "task is finished")
	}
}

// TestDecideConstantsOfAStartThatFailed: nothing was fixed yet, so what made it fail can be mended.
func TestDecideConstantsOfAStartThatFailed(t *testing.T) {
	t.Parallel()
	w := constantsWorld(t)
	mustDo(t, w, set("v", "10", "p", "${'a' * int(v) ** 9}"))
	mustDo(t, w, Command{Kind: Start})
	n := w.nodeNamed("s2")
	if w.st.nodes[n].State != stdops.StateFailed {
		t.Fatalf("the start event is %s", w.st.nodes[n].State)
	}
	mustDo(t, w, set("v", "1", "p", "[${q}]"))
	mustDo(t, w, Command{Kind: Retry, Node: n})
	wantGiven(t, w, map[string]any{"v": "1", "w": "<1>", "q": "<1>", "p": "[<1>]"})
}

func TestDecideRefusesConstants(t *testing.T) {
	t.Parallel()
	running := func(w *world) { w.step(Command{Kind: Start}) }
	paused := func(w *world) { w.step(Command{Kind: Start}); w.step(Command{Kind: Pause}) }
	early := set("v", "2")
	early.Early = true
	for _, c := range []struct {
		name  string
		first func(*world)
		cmd   Command
		want  string
		code  stdops.Code
	}{
		{"hidden", nil, set("v", "2", "hidden", "x"), "constant ${hidden} is hidden, it can not be changed", stdops.CodeInvalid},
		{"output", nil, set("v", "2", "out", "x"), "constant ${out} is fed by an output, it can not be changed", stdops.CodeInvalid},
		{"fixed", paused, set("v", "2", "p", "x"), "constant ${p} was fixed at the start, it can not be changed", stdops.CodeInvalid},
		{"too large", nil, set("v", strings.Repeat("x", maxVariables)), "constants: their values have 4194393 bytes together, the limit is 4194304", stdops.CodeInvalid},
		{"running", running, set("v", "2"), "task is running: constants can be changed while it is paused or has failed", stdops.CodeRefused},
		{"started", paused, early, "task is started", stdops.CodeRefused},
		{"revoked", func(w *world) { running(w); w.step(Command{Kind: Revoke}) }, early, "task is finished", stdops.CodeRefused},
		{
			"appointed only", func(w *world) { running(w); w.step(Command{Kind: NodePause, Node: w.nodeNamed("A4")}) }, set("v", "2"),
			"task is running: constants can be changed while it is paused or has failed", stdops.CodeRefused,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := constantsWorld(t)
			if c.first != nil {
				c.first(w)
			}
			before, revision := w.st.texts(t), w.st.root.Revision
			err := w.step(c.cmd)
			wantRefusal(t, err, c.want)
			if stdops.ErrorCode(err) != c.code {
				t.Errorf("code %d, want %d", stdops.ErrorCode(err), c.code)
			}
			if diff := cmp.Diff(before, w.st.texts(t)); diff != "" || w.st.root.Revision != revision {
				t.Errorf("a refused change changed something:\n%s", diff)
			}
		})
	}
}

// TestDecideConstantsFollowWhatTheTaskShows: they may be changed in every state but RUNNING, as callers see it.
func TestDecideConstantsFollowWhatTheTaskShows(t *testing.T) {
	t.Parallel()
	g := build(func(b *builder, p stdops.NodeIndex, heads []head) []head {
		b.g.Nodes[p].Pipeline.Variables["v"] = flow.Variable{Shown: true}
		return b.gateway(stdops.KindParallel, p, heads, make([]string, 2), func(i int, heads []head) []head {
			if i == 0 {
				return b.activity(p, heads, nil)
			}
			return b.subprocess(p, heads, func(b *builder, p stdops.NodeIndex, heads []head) []head {
				return b.activity(p, b.activity(p, heads, nil), nil)
			})
		})
	})
	for _, c := range []struct {
		name string
		do   func(*world)
		ok   bool
	}{
		{"a node failed in a subprocess", func(w *world) { w.answerCall(1, plugin.Done, true) }, true},
		{"a node paused in a subprocess", func(w *world) {
			w.step(Command{Kind: NodePause, Node: w.nodeNamed("A8")})
			w.answerCall(1, plugin.Done, false)
		}, true},
		{"a subprocess is paused", func(w *world) { w.step(Command{Kind: SubPause, Node: w.nodeNamed("S5")}) }, true},
		{"a node failed and was retried", func(w *world) {
			w.answerCall(1, plugin.Done, true)
			w.step(Command{Kind: Retry, Node: w.nodeNamed("A7")})
		}, false},
		{"nothing happened", func(*world) {}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, g, stdops.NewObject("v", "1"), stubs()...)
			mustDo(t, w, Command{Kind: Start})
			c.do(w)
			w.now = w.now.Add(time.Second)
			if err := w.step(set("v", "2")); (err == nil) != c.ok {
				t.Errorf("%v in %v", err, w.states())
			}
		})
	}
}

func TestDecideRefusesCommandsOnADeletedTask(t *testing.T) {
	t.Parallel()
	w := constantsWorld(t)
	w.st.task.Deleted = true
	for _, cmd := range []Command{{Kind: Start}, set("v", "2"), {Kind: Revoke}} {
		if err := w.step(cmd); stdops.ErrorCode(err) != stdops.CodeNotFound {
			t.Errorf("%s: %v", cmd.Kind, err)
		}
	}
}

// TestDecideKeepsFormerSecrets: what ran with a password shows neither it nor the one that took its place.
func TestDecideKeepsFormerSecrets(t *testing.T) {
	t.Parallel()
	w := constantsWorld(t)
	w.st.graph.Secrets = []flow.VariableRef{{Pipeline: stdops.RootNode, Key: "v"}}
	mustDo(t, w, set("v", "unused-secret"))
	mustDo(t, w, set("v", "first-secret"))
	mustDo(t, w, Command{Kind: Start})
	w.answerCall(0, plugin.Done, true)
	for _, value := range []string{"second-secret", "third-secret", "first-secret", "third-secret"} {
		mustDo(t, w, set("v", value))
		w.crash()
	}
	want := stdops.Secrets{"second-secret", "first-secret", "third-secret"}
	if diff := cmp.Diff(want, w.st.graph.SecretsOf(w.st.inputs)); diff != "" {
		t.Errorf("secrets (-want +got):\n%s", diff)
	}
	mustDo(t, w, Command{Kind: Retry, Node: w.nodeNamed("A3")})
	wantGiven(t, w, map[string]any{"v": "third-secret", "w": "<third-secret>", "q": "<first-secret>", "p": "[<first-secret>]"})
}
