package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/flow"
	"github.com/stdops/stdops/internal/plugin"
)

func TestPoolKeepsFailuresWithOutputsThatCannotBeKept(t *testing.T) {
	t.Parallel()
	registry, err := plugin.NewRegistry(badOutputs{})
	if err != nil {
		t.Fatal(err)
	}
	limits := stdops.DefaultLimits()
	p := newPool(t.Context(), &Options{Plugins: registry, Limits: &limits, Now: time.Now, Log: slog.New(slog.DiscardHandler)}, nil, nil)
	for _, code := range []string{"ok", "fails"} {
		got := p.call(t.Context(), stdops.TaskRef{}, call{code: "bad", plugin: "legacy", inputs: stdops.NewObject("do", code), outputs: &stdops.Object{}})
		if _, err := stdops.EncodeValue(got.outputs); err != nil || !got.failed {
			t.Errorf("%s: failed %t, outputs cannot be stored: %v", code, got.failed, err)
		}
		text, _ := stdops.EncodeValue(got.outputs)
		if _, err := stdops.DecodeValue(text); err != nil {
			t.Errorf("%s: outputs cannot be read back: %v", code, err)
		}
		if len(text) > 2*maxOutput {
			t.Errorf("%s: outputs of %d bytes are kept", code, len(text))
		}
		if keep, _ := got.outputs.Get("fine"); keep != true {
			t.Errorf("%s: a good output is gone", code)
		}
	}
}

func TestDecideInputsThatNestTooDeepFailTheNode(t *testing.T) {
	t.Parallel()
	g := build(func(b *builder, p stdops.NodeIndex, heads []head) []head {
		b.g.Nodes[p].Pipeline.Variables["deep"] = flow.Variable{}
		return b.activity(p, heads, func(a *flow.Activity) {
			a.Inputs = []flow.Input{{Key: "x", Value: []any{"${deep}"}, Render: true}}
		})
	})
	var deep any = "end"
	for range stdops.MaxDepth - 1 {
		deep = []any{deep}
	}
	w := newWorld(t, g, stdops.NewObject("deep", deep), stubs()...)
	mustDo(t, w, Command{Kind: Start})
	if got := w.st.data[w.nodeNamed("A3")].outputs.Text("ex_data"); got != "expression limit: nesting" {
		t.Errorf("ex_data %q", got)
	}
}

func TestDecideVariablesOfATaskAreBounded(t *testing.T) {
	t.Parallel()
	g := build(func(b *builder, p stdops.NodeIndex, heads []head) []head {
		for i := range 3 {
			heads = b.activity(p, heads, func(a *flow.Activity) {
				a.Outputs = []flow.Mapping{{Key: "big", Variable: fmt.Sprintf("v%d", i%2)}}
			})
		}
		return heads
	})
	w := newWorld(t, g, nil, stubs()...)
	mustDo(t, w, Command{Kind: Start})
	big := strings.Repeat("x", maxVariables*2/3)
	w.calls[0].outputs.Set("big", big)
	w.answerCall(0, plugin.Done, false)
	w.calls[0].outputs.Set("big", big)
	w.answerCall(0, plugin.Done, false)
	n := w.nodeNamed("A4")
	if own := w.st.nodes[n]; own.State != stdops.StateFailed || w.st.data[n].outputs.Text("ex_data") != "variables limit: those of one task may not have more than 4194304 bytes together" {
		t.Fatalf("the second large variable: %+v, %q", own, w.st.data[n].outputs.Text("ex_data"))
	}
	w.crash()
	mustDo(t, w, Command{Kind: Skip, Node: n})
	w.calls[0].outputs.Set("big", "small") // replaces the first one
	w.answerCall(0, plugin.Done, false)
	if w.st.root.State != stdops.StateFinished || w.st.varBytes != len(`"small"`) {
		t.Errorf("root %s, %d bytes of variables", w.st.root.State, w.st.varBytes)
	}
}

func TestDecideCallbacksAreBounded(t *testing.T) {
	t.Parallel()
	g := build(func(b *builder, p stdops.NodeIndex, heads []head) []head {
		return b.activity(p, heads, func(a *flow.Activity) { a.Code = "many" })
	})
	w := newWorld(t, g, nil, stubs()...)
	mustDo(t, w, Command{Kind: Start})
	n := w.nodeNamed("A3")
	err := w.step(Command{Kind: CallBack, Node: n, Data: strings.Repeat("x", maxCallback)})
	if stdops.ErrorCode(err) != stdops.CodeInvalid {
		t.Errorf("a huge callback: %v", err)
	}
	callbacks := make([]event, maxCallbacks)
	for i := range callbacks {
		callbacks[i] = Command{Kind: CallBack, Node: n, Data: int64(i)}
	}
	mustDo(t, w, callbacks...)
	if err := w.step(Command{Kind: CallBack, Node: n}); stdops.ErrorCode(err) != stdops.CodeTooMany {
		t.Errorf("one callback too many: %v", err)
	}
}

// badOutputs is a plugin whose outputs have no JSON form, are too large or too deep.
type badOutputs struct{}

func (badOutputs) Spec() plugin.Spec { return plugin.Spec{Code: "bad", Versions: []string{"legacy"}} }

func (badOutputs) Execute(_ context.Context, c *plugin.Call) (plugin.Outcome, error) {
	var deep any
	for range stdops.MaxDepth {
		deep = []any{deep}
	}
	c.Outputs.Set("a", func() {})
	c.Outputs.Set("b", func() {})
	c.Outputs.Set("c", strings.Repeat("x", maxOutput+1))
	c.Outputs.Set("d", deep)
	c.Outputs.Set("fine", true)
	if c.Inputs.Text("do") == "fails" {
		return plugin.Done, errors.New(strings.Repeat("y", 3*maxOutput))
	}
	return plugin.Done, nil
}
