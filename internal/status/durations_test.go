package status

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/stdops/stdops"
)

// ran is a run that began at noon, with one node that began at once.
func ran(whole, first time.Duration, change ...func(*stdops.NodeState)) FinishedRun {
	n := stdops.NodeState{Node: 2, State: stdops.StateFinished, Started: noon, Finished: noon.Add(first)}
	for _, f := range change {
		f(&n)
	}
	return FinishedRun{Root: &stdops.RootState{Started: noon, Finished: noon.Add(whole)}, Nodes: []stdops.NodeState{n}}
}

func TestDurationsOf(t *testing.T) {
	t.Parallel()
	skipped := func(n *stdops.NodeState) { n.Skip = true }
	again := func(n *stdops.NodeState) { n.Retry = 1 }
	itself := func(n *stdops.NodeState) { n.Retry, n.AutoRetries = 1, 1 }
	ignored := func(n *stdops.NodeState) { n.ErrorIgnored = true }
	failed := func(n *stdops.NodeState) { n.State = stdops.StateFailed }
	const s = time.Second
	three := []FinishedRun{ran(30*s, 10*s), ran(20*s, 2*s), ran(70*s, 5*s)}
	told := Durations{Runs: 3, Median: 30 * s, P95: 70 * s, Nodes: []NodeDurations{{Node: 2, Runs: 3, Median: 5 * s, Rest: 20 * s}}}
	four := Durations{Runs: 4, Median: 35 * s, P95: 70 * s, Nodes: told.Nodes}
	for _, c := range []struct {
		name string
		runs []FinishedRun
		want Durations
	}{
		{"none", nil, Durations{}},
		{"two are too few", three[:2], Durations{}},
		{"three", three, told},
		{"one of them skipped", append([]FinishedRun{ran(10*s, s, skipped)}, three[1:]...), Durations{}},
		{"a skipped one beside them", append([]FinishedRun{ran(900*s, s, skipped)}, three...), told},
		{"one that a person retried", append([]FinishedRun{ran(900*s, s, again)}, three...), told},
		{"one that never began", append([]FinishedRun{{Root: &stdops.RootState{Finished: noon}}}, three...), told},
		{"one that retried itself", append([]FinishedRun{ran(40*s, 20*s, itself)}, three...), Durations{
			Runs: 4, Median: 35 * s, P95: 70 * s, Nodes: []NodeDurations{{Node: 2, Runs: 4, Median: 7*s + s/2, Rest: 20 * s}},
		}},
		{"a failure that was ignored", append([]FinishedRun{ran(40*s, 20*s, ignored)}, three...), four},
		{"a node that did not finish", append([]FinishedRun{ran(40*s, 20*s, failed)}, three...), four},
	} {
		if diff := cmp.Diff(c.want, DurationsOf(c.runs)); diff != "" {
			t.Errorf("%s (-want +got)\n%s", c.name, diff)
		}
	}
	var many []FinishedRun
	for i := range 20 {
		many = append(many, ran(time.Duration(20-i)*s, s))
	}
	if got := DurationsOf(many); got.Median != 10*s+s/2 || got.P95 != 19*s {
		t.Errorf("of twenty: %v, %v", got.Median, got.P95)
	}
}

// TestDurationsOfProperty: whatever the runs, the figures lie among those of the runs, in whatever order these come, and at
// least half of the runs took no longer than the median, 95 of 100 no longer than p95.
func TestDurationsOfProperty(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var runs []FinishedRun
		var whole []time.Duration
		for range rapid.IntRange(0, 30).Draw(t, "runs") {
			took := time.Duration(rapid.IntRange(0, 1000).Draw(t, "took"))
			run := FinishedRun{Root: &stdops.RootState{Started: noon, Finished: noon.Add(took)}}
			hand := false
			for n := range rapid.IntRange(0, 4).Draw(t, "nodes") {
				begin := time.Duration(rapid.IntRange(0, int(took)).Draw(t, "begin"))
				end := time.Duration(rapid.IntRange(int(begin), int(took)).Draw(t, "end"))
				node := stdops.NodeState{
					Node: stdops.NodeIndex(n), State: rapid.SampledFrom([]stdops.State{stdops.StateFinished, stdops.StateFailed}).Draw(t, "state"),
					Started: noon.Add(begin), Finished: noon.Add(end),
					Skip: rapid.IntRange(0, 9).Draw(t, "skip") == 0, Retry: int32(rapid.IntRange(0, 1).Draw(t, "retry")), AutoRetries: int32(rapid.IntRange(0, 2).Draw(t, "auto")),
				}
				hand = hand || node.Skip || node.Retry > node.AutoRetries
				run.Nodes = append(run.Nodes, node)
			}
			runs = append(runs, run)
			if !hand {
				whole = append(whole, took)
			}
		}
		got := DurationsOf(runs)
		if len(whole) < LeastRuns {
			if diff := cmp.Diff(Durations{}, got); diff != "" {
				t.Fatalf("of %d runs something is told:\n%s", len(whole), diff)
			}
			return
		}
		within := func(d time.Duration) (n int) {
			for _, w := range whole {
				if w <= d {
					n++
				}
			}
			return n
		}
		if got.Runs != len(whole) || got.Median < slices.Min(whole) || got.P95 > slices.Max(whole) || got.Median > got.P95 ||
			2*within(got.Median) < len(whole) || 100*within(got.P95) < 95*len(whole) {
			t.Fatalf("of %v: %+v", whole, got)
		}
		if !slices.IsSortedFunc(got.Nodes, func(a, b NodeDurations) int { return int(a.Node - b.Node) }) {
			t.Fatalf("nodes %+v", got.Nodes)
		}
		for _, n := range got.Nodes {
			if n.Node == stdops.RootNode || n.Runs < LeastRuns || n.Runs > got.Runs || n.Median < 0 || n.Rest < 0 || n.Median+n.Rest > 2*slices.Max(whole) {
				t.Fatalf("node %+v of %+v", n, got)
			}
		}
		slices.Reverse(runs)
		if diff := cmp.Diff(got, DurationsOf(runs)); diff != "" {
			t.Fatalf("in another order:\n%s", diff)
		}
	})
}
