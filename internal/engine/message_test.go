package engine

import (
	"strings"
	"testing"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/flow"
	"github.com/stdops/stdops/internal/plugin"
)

func TestChildWithAnOutputThatIsTooLargeFailsItsNode(t *testing.T) {
	t.Parallel()
	f := newFamily(t, maker(nil), worker(nil))
	f.settle()
	f.members[1].work(strings.Repeat("x", maxOutput), false)
	f.settle()
	f.wantNode(f.root(), made, stdops.StateFailed)
	if got := f.root().exData(made); !strings.Contains(got, "output made of the child cannot be kept") {
		t.Errorf("ex_data %q", got)
	}
}

// What its parent shows of a failure has none of the passwords of a child, which the parent may not know: they may have been
// set in the child.
func TestChildTellsNoSecrets(t *testing.T) {
	t.Parallel()
	f := newFamily(t, maker(nil), worker(nil))
	f.settle()
	child := f.members[1]
	child.st.graph.Secrets = []flow.VariableRef{{Pipeline: stdops.RootNode, Key: "pw"}}
	child.st.inputs, child.record.snap.Inputs = stdops.NewObject("pw", "s3cret-text"), []byte(`{"pw":"s3cret-text"}`)
	child.calls[0].outputs.Set("ex_data", "s3cret-text is wrong")
	child.answerCall(0, plugin.Done, true)
	f.settle()
	if got, want := f.root().exData(made), `task 8, node "A3": ****** is wrong`; got != want {
		t.Errorf("ex_data %q, want %q", got, want)
	}
}

// What a child tells can be read back, however deep the values nest that it may give.
func TestChildWithADeepOutputIsHeard(t *testing.T) {
	t.Parallel()
	f := newFamily(t, maker(nil), worker(nil))
	f.settle()
	var deep any = "x"
	for range stdops.MaxDepth - 1 { // of an output, which stands in an object of them
		deep = []any{deep}
	}
	f.members[1].work(deep, false)
	f.settle()
	f.wantNode(f.root(), made, stdops.StateFinished)
}

// A text that has to be cut is cut between characters, or it could not be stored.
func TestChildWithALongTextIsHeard(t *testing.T) {
	t.Parallel()
	f := newFamily(t, maker(nil), worker(nil))
	f.settle()
	child := f.members[1]
	child.calls[0].outputs.Set("ex_data", strings.Repeat("世", maxOutput/3))
	child.answerCall(0, plugin.Done, true)
	f.settle()
	if got := f.root().exData(made); !strings.HasSuffix(got, "世") || len(got) > maxOutput {
		t.Errorf("ex_data of %d bytes", len(got))
	}
}
