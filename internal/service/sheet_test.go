package service

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/flow"
)

func TestFlowOrder(t *testing.T) {
	t.Parallel()
	// 1 start, 2 gateway with the branches 5 and 4-3, 6 converge with an edge back to 2, 7 end, 8 subprocess with 9 and 10.
	graph := &flow.Graph{Nodes: make([]flow.Node, 11)}
	graph.Nodes[0].Pipeline = &flow.Pipeline{Start: 1, End: 7}
	graph.Nodes[8].Pipeline = &flow.Pipeline{Start: 10, End: 9}
	for from, to := range map[stdops.NodeIndex][]stdops.NodeIndex{
		1: {2}, 2: {5, 4}, 4: {3}, 3: {6}, 5: {6}, 6: {2, 8}, 8: {7}, 10: {9},
	} {
		for _, target := range to {
			graph.Nodes[from].Out = append(graph.Nodes[from].Out, flow.Edge{Target: target})
		}
	}
	rank := flowOrder(graph)
	var got []stdops.NodeIndex
	for range 8 { // the nodes of the root, by rank
		best := stdops.NodeIndex(0)
		for _, n := range []stdops.NodeIndex{1, 2, 3, 4, 5, 6, 7, 8} {
			if rank[n] >= 0 && (best == 0 || rank[n] < rank[best]) {
				best = n
			}
		}
		got = append(got, best)
		rank[best] = -1
	}
	if diff := cmp.Diff([]stdops.NodeIndex{1, 2, 5, 4, 3, 6, 8, 7}, got); diff != "" {
		t.Error("(-want +got)\n" + diff)
	}
	if rank[10] >= rank[9] {
		t.Errorf("the inside of the subprocess: start %d, end %d", rank[10], rank[9])
	}
}

func TestExText(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		`{"ex_data":"broken"}`: "broken", `{"ex_data":null}`: "", `{}`: "", ``: "", `[`: "",
		`{"ex_data":{"code":7}}`: `{"code":7}`, `{"ex_data":42}`: "42",
	}
	got := map[string]string{}
	for outputs := range want {
		got[outputs] = exText([]byte(outputs))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("(-want +got)\n" + diff)
	}
}
