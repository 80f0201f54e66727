package engine

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/flow"
	"github.com/stdops/stdops/internal/plugin"
)

// closedGateway draws a gateway none of whose three branches opens, after an activity.
func closedGateway(kind stdops.NodeKind) *flow.Graph {
	return build(func(b *builder, p stdops.NodeIndex, heads []head) []head {
		heads = b.activity(p, heads, nil)
		heads = b.gateway(kind, p, heads, []string{"1 == 2", "1 == 3", "1 == 4"}, func(i int, h []head) []head {
			if i == 2 {
				return h
			}
			return b.activity(p, h, nil)
		})
		return b.activity(p, heads, nil)
	})
}

// failedGateway gives a world in which the gateway has failed, with the gateway.
func failedGateway(t *testing.T, kind stdops.NodeKind) (*world, stdops.NodeIndex) {
	t.Helper()
	w := newWorld(t, closedGateway(kind), nil, stubs()...)
	mustDo(t, w, Command{Kind: Start})
	w.answerCall(0, plugin.Done, false)
	n := w.nodeNamed(kindLetter[kind] + "4")
	if w.st.nodes[n].State != stdops.StateFailed {
		t.Fatalf("the gateway is %s", w.st.nodes[n].State)
	}
	return w, n
}

func flowsOf(w *world, n stdops.NodeIndex, which ...int) []stdops.FlowIndex {
	var flows []stdops.FlowIndex
	for _, i := range which {
		flows = append(flows, w.graph.Nodes[n].Out[i].Flow)
	}
	return flows
}

func TestDecideSkipsConditionalGateways(t *testing.T) {
	t.Parallel()
	base := map[string]string{"root": "RUNNING", "s2": "FINISHED", "A3": "FINISHED", "C4": "FINISHED"}
	for _, c := range []struct {
		name  string
		taken []int
		want  map[string]string // besides base
	}{
		{"one branch", []int{0}, map[string]string{"A5": "RUNNING"}},
		{"two branches", []int{0, 1}, map[string]string{"A5": "RUNNING", "A6": "RUNNING"}},
		{"twice the same", []int{1, 1}, map[string]string{"A6": "RUNNING"}},
		{"a branch without nodes", []int{2}, map[string]string{"J7": "FINISHED", "A8": "RUNNING"}},
		{"all branches", []int{2, 1, 0}, map[string]string{"A5": "RUNNING", "A6": "RUNNING"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w, n := failedGateway(t, stdops.KindConditionalParallel)
			failed := *w.st.nodes[n]
			mustDo(t, w, Command{Kind: SkipBranches, Node: n, Flows: flowsOf(w, n, c.taken...)})
			want := map[string]string{}
			for _, from := range []map[string]string{base, c.want} {
				for k, v := range from {
					want[k] = v
				}
			}
			wantStates(t, w, want)
			own := w.st.nodes[n]
			if !own.Skip || own.Version == failed.Version || own.Retry != 0 || own.Finished.IsZero() {
				t.Errorf("the skipped gateway: %+v", own)
			}
			kept := w.record.attempts
			if len(kept) != 1 || kept[0].State.Version != failed.Version || kept[0].State.Skip {
				t.Errorf("kept attempts: %+v", kept)
			}
			w.crash()
			for range 4 {
				if len(w.calls) > 0 {
					w.answerCall(0, plugin.Done, false)
				}
			}
			if w.st.root.State != stdops.StateFinished || len(w.st.forks) != 0 {
				t.Errorf("after the skip the task did not come to its end: %v, threads %v", w.states(), w.st.forks)
			}
		})
	}
}

func TestDecideRefusesToSkipOtherBranches(t *testing.T) {
	t.Parallel()
	id := func(n stdops.NodeIndex) string { return stdops.NodeID(7, n) }
	for _, c := range []struct {
		name    string
		gateway stdops.NodeKind
		kind    Kind
		flows   func(*world, stdops.NodeIndex) []stdops.FlowIndex
		want    func(*world, stdops.NodeIndex) string
	}{
		{"conditional without flows", stdops.KindConditionalParallel, SkipBranches, nil, func(_ *world, n stdops.NodeIndex) string {
			return "flow_ids must name at least one flow of " + id(n)
		}},
		{"conditional with a foreign flow", stdops.KindConditionalParallel, SkipBranches, func(w *world, n stdops.NodeIndex) []stdops.FlowIndex {
			return append(flowsOf(w, n, 0), 0)
		}, func(_ *world, n stdops.NodeIndex) string { return stdops.FlowID(7, 0) + " is no flow of " + id(n) }},
		{"conditional like an exclusive one", stdops.KindConditionalParallel, SkipBranch, func(w *world, n stdops.NodeIndex) []stdops.FlowIndex {
			return flowsOf(w, n, 0)
		}, func(_ *world, n stdops.NodeIndex) string {
			return id(n) + " is not exclusive gateway, actual: ConditionalParallelGateway"
		}},
		{"exclusive like a conditional one", stdops.KindExclusive, SkipBranches, func(w *world, n stdops.NodeIndex) []stdops.FlowIndex {
			return flowsOf(w, n, 0)
		}, func(_ *world, n stdops.NodeIndex) string {
			return id(n) + " is not conditional parallel gateway, actual: ExclusiveGateway"
		}},
		{"exclusive along two flows", stdops.KindExclusive, SkipBranch, func(w *world, n stdops.NodeIndex) []stdops.FlowIndex {
			return flowsOf(w, n, 0, 1)
		}, func(*world, stdops.NodeIndex) string { return "an exclusive gateway is skipped along one flow, not 2" }},
		{"exclusive along none", stdops.KindExclusive, SkipBranch, nil, func(*world, stdops.NodeIndex) string {
			return "an exclusive gateway is skipped along one flow, not 0"
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w, n := failedGateway(t, c.gateway)
			cmd := Command{Kind: c.kind, Node: n}
			if c.flows != nil {
				cmd.Flows = c.flows(w, n)
			}
			before, revision := w.states(), w.st.root.Revision
			wantRefusal(t, w.step(cmd), c.want(w, n))
			if diff := cmp.Diff(before, w.states()); diff != "" || w.st.root.Revision != revision {
				t.Errorf("a refused command changed the task (revision %d to %d):\n%s", revision, w.st.root.Revision, diff)
			}
		})
	}
}

// TestDecideSkipsAGatewayOnce: of two who skip the same gateway, the second is refused.
func TestDecideSkipsAGatewayOnce(t *testing.T) {
	t.Parallel()
	for _, kind := range []stdops.NodeKind{stdops.KindExclusive, stdops.KindConditionalParallel} {
		t.Run(fmt.Sprint(kind), func(t *testing.T) {
			t.Parallel()
			w, n := failedGateway(t, kind)
			command := SkipBranches
			if kind == stdops.KindExclusive {
				command = SkipBranch
			}
			err := w.step(Command{Kind: command, Node: n, Flows: flowsOf(w, n, 0)}, Command{Kind: command, Node: n, Flows: flowsOf(w, n, 1)})
			wantRefusal(t, err, stdops.NodeID(7, n)+" state is not FAILED, actual FINISHED")
			if len(w.calls) != 1 {
				t.Errorf("%d branches begin, want 1", len(w.calls))
			}
		})
	}
}
