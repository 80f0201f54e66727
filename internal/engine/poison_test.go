package engine

import (
	"regexp"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/flow"
	"github.com/stdops/stdops/internal/plugin"
)

// poisoning is one run of the property: a tree that is drawn, damaged, and then treated like one that a caller sent.
type poisoning struct{ *rapid.T }

// placed is a text that begins with the place of what is wrong.
var placed = regexp.MustCompile(`^(start_event|end_event|activities|gateways|flows|constants|outputs)[^:]*: .`)

// poison checks what must hold for any tree. It gives nil for one that was refused.
func (p *poisoning) poison(tree *stdops.Object) *flow.Graph {
	text, err := stdops.EncodeValue(tree)
	if err != nil {
		return nil // deeper than a body may be
	}
	value, err := stdops.DecodeValue(text)
	if err != nil {
		return nil
	}
	parsed, err := flow.ParseLoose(value.(*stdops.Object))
	if p.refused(err) {
		return nil
	}
	leaf, err := flow.Parse(wireTree(line(1)))
	if err != nil {
		p.Fatal(err)
	}
	load := func(flow.ChildRef) (*flow.Tree, error) { return leaf, nil }
	if err := parsed.Expand(load, flow.Limits{Nodes: 300, Nesting: 32}); err != nil {
		return nil // too large, or too deep
	}
	parsed.KeepMeta()
	if p.refused(parsed.Validate()) {
		return nil
	}
	values := parsed.TakeValues()
	graph, err := flow.Compile(parsed)
	if err != nil {
		p.Fatalf("a tree that was accepted does not compile: %v\n%s", err, text)
	}
	for _, used := range parsed.Plugins() {
		if !slices.Contains([]string{"work", "poll", "wait", "many", "once"}, used.Code) || used.Version != "legacy" {
			return nil
		}
	}
	p.play(graph, values)
	return graph
}

// refused reports whether there is a refusal, and checks that it is one of the caller and names its place.
func (p *poisoning) refused(err error) bool {
	if err == nil {
		return false
	}
	if stdops.ErrorCode(err) != stdops.CodeInvalid || !placed.MatchString(err.Error()) {
		p.Fatalf("refused without a place: %v", err)
	}
	return true
}

// play runs a graph in a small world, whose steps check that the task is not stuck, until it has ended or waits for
// somebody. Failed nodes are left failed.
func (p *poisoning) play(graph *flow.Graph, values *stdops.Object) {
	w := newWorld(p.T, graph, values, stubs()...)
	if err := w.step(Command{Kind: Start, Actor: "ann"}); err != nil {
		p.Fatalf("start: %v", err)
	}
	for range 200 {
		if w.st.root.State.Ended() {
			return
		}
		switch action := rapid.IntRange(0, 9).Draw(p.T, "action"); {
		case action == 0:
			w.crash()
		case len(w.calls) > 0:
			c := rapid.IntRange(0, len(w.calls)-1).Draw(p.T, "call")
			outcome := plugin.Done
			switch w.calls[c].code {
			case "poll":
				outcome = plugin.PollAfter(time.Duration(action) * time.Second)
			case "wait", "many":
				outcome = plugin.Outcome{Next: plugin.Callback}
			}
			w.answerCall(c, outcome, action == 1)
		case !w.st.root.WakeAt.IsZero():
			w.now = w.now.Add(time.Minute)
			w.step()
		default: // it waits for somebody: the world has looked
			return
		}
	}
}

func TestPoisonedTrees(t *testing.T) {
	t.Parallel()
	var sound, accepted, damaged atomic.Int64
	rapid.Check(t, func(r *rapid.T) {
		p := &poisoning{T: r}
		tree := drawTree(r)
		if p.poison(tree) != nil {
			sound.Add(1)
		}
		spoil(r, tree)
		damaged.Add(1)
		if p.poison(tree) != nil {
			accepted.Add(1)
		}
	})
	t.Logf("of %d trees %d were accepted as they were drawn, %d when damaged", damaged.Load(), sound.Load(), accepted.Load())
	if n := damaged.Load(); sound.Load() < n/4 || accepted.Load() == 0 || accepted.Load() == n {
		t.Error("no test of anything")
	}
}

// FuzzPoison is TestPoisonedTrees, with damage that looks for ways that no damage has gone before.
func FuzzPoison(f *testing.F) {
	f.Fuzz(rapid.MakeFuzz(func(t *rapid.T) {
		tree := drawTree(t)
		spoil(t, tree)
		(&poisoning{T: t}).poison(tree)
	}))
}
