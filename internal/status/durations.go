package status

import (
	"math"
	"slices"
	"time"

	"github.com/stdops/stdops"
)

// LeastRuns is how many runs there have to be before anything is said of how long one usually takes: fewer tell of themselves only.
const LeastRuns = 3

// FinishedRun is a task that FINISHED, with the states of its nodes.
type FinishedRun struct {
	Root  *stdops.RootState
	Nodes []stdops.NodeState
}

// Durations is how long runs of one tree took. It is zero where fewer than [LeastRuns] tell.
type Durations struct {
	Runs        int // that are told of
	Median, P95 time.Duration
	Nodes       []NodeDurations // by index, of those that were done in at least [LeastRuns] runs
}

// NodeDurations is how long a node took in the last of its loops, and how long it was from its end to that of the run.
type NodeDurations struct {
	Node   stdops.NodeIndex
	Runs   int
	Median time.Duration
	Rest   time.Duration // a median too
}

// DurationsOf tells how long runs took. A run in which a person retried or skipped a node is left out as a whole: it tells how
// long people took to come. What the tree does by itself, to retry or to ignore a failure, belongs to a run; but the time of a
// node whose failure was ignored says nothing of how long its work takes, and is left out.
func DurationsOf(runs []FinishedRun) Durations {
	var whole []time.Duration
	took, rest := map[stdops.NodeIndex][]time.Duration{}, map[stdops.NodeIndex][]time.Duration{}
	for _, run := range runs {
		end := run.Root.Finished
		if run.Root.Started.IsZero() || end.Before(run.Root.Started) || slices.ContainsFunc(run.Nodes, byHand) {
			continue
		}
		whole = append(whole, end.Sub(run.Root.Started))
		for i := range run.Nodes {
			n := &run.Nodes[i]
			if n.Node == stdops.RootNode || n.State != stdops.StateFinished || n.ErrorIgnored || n.Started.IsZero() || n.Finished.Before(n.Started) {
				continue
			}
			took[n.Node] = append(took[n.Node], n.Finished.Sub(n.Started))
			rest[n.Node] = append(rest[n.Node], max(0, end.Sub(n.Finished)))
		}
	}
	if len(whole) < LeastRuns {
		return Durations{}
	}
	d := Durations{Runs: len(whole), Median: median(whole), P95: p95(whole)}
	for n, list := range took {
		if len(list) >= LeastRuns {
			d.Nodes = append(d.Nodes, NodeDurations{Node: n, Runs: len(list), Median: median(list), Rest: median(rest[n])})
		}
	}
	slices.SortFunc(d.Nodes, func(a, b NodeDurations) int { return int(a.Node) - int(b.Node) })
	return d
}

// byHand reports whether a person has retried or skipped a node. Automatic retries are counted over all loops, so that of a
// node in a loop some retry of a person may not be seen.
func byHand(n stdops.NodeState) bool { return n.Skip || n.Retry > n.AutoRetries }

// median sorts what it is given.
func median(list []time.Duration) time.Duration {
	slices.Sort(list)
	mid := len(list) / 2
	if len(list)%2 == 1 {
		return list[mid]
	}
	return list[mid-1] + (list[mid]-list[mid-1])/2
}

// p95 gives the least of the values that 95 of 100 do not exceed; of fewer than twenty values it is the greatest. It sorts what it is given.
func p95(list []time.Duration) time.Duration {
	slices.Sort(list)
	return list[int(math.Ceil(float64(len(list))*0.95))-1]
}
