package service

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/status"
)

// finished makes a task of two nodes that took so many seconds, the first activity half of them.
func (b *bundle) finished(t *testing.T, seconds int, change ...func(*stdops.NodeState)) stdops.TaskID {
	t.Helper()
	created := b.newTask(t, NewTask{Start: true})
	root := created.Task.Root
	took := time.Duration(seconds) * time.Second
	root.State, root.Live, root.Finished = stdops.StateFinished, false, root.Started.Add(took)
	node := stdops.NodeState{
		Node: 3, Order: 1, Loop: 1, State: stdops.StateFinished, Version: "v", Started: root.Started, Finished: root.Started.Add(took / 2),
	}
	for _, f := range change {
		f(&node)
	}
	_, err := b.store.Commit(t.Context(), []stdops.Change{{
		Task: created.Task.ID, Project: 1, Revision: 1, Epoch: 1, Root: root, Nodes: []stdops.NodeState{node},
	}})
	must(t, err)
	return created.Task.ID
}

// TestDurations: what finished is told of, archived or not, and for a while as it was first found out.
func TestDurations(t *testing.T) {
	t.Parallel()
	b := setup(t)
	a := b.access(t)
	asked := b.newTask(t, NewTask{}).Task
	check := func(what string, want status.Durations) {
		t.Helper()
		got, err := b.Durations(t.Context(), a, asked.ID)
		must(t, err)
		if diff := cmp.Diff(&Durations{Tree: asked.TreeHash, Durations: want}, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", what, diff)
		}
	}
	b.finished(t, 10)
	b.finished(t, 30)
	b.finished(t, 900, func(n *stdops.NodeState) { n.Skip = true })
	check("too few", status.Durations{})
	b.finished(t, 20)
	b.clock.advance(time.Second)
	check("a moment later still", status.Durations{})
	b.clock.advance(durationsLife * time.Second)
	const s = time.Second
	three := status.Durations{
		Runs: 3, Median: 20 * s, P95: 30 * s, Nodes: []status.NodeDurations{{Node: 3, Runs: 3, Median: 10 * s, Rest: 10 * s}},
	}
	check("three", three)
	n, err := b.store.Archive(t.Context(), b.store.Now(), 9)
	must(t, err)
	if n == 0 {
		t.Fatal("nothing was archived")
	}
	b.clock.advance(durationsLife * time.Second)
	check("archived", three)
	_, err = b.Durations(t.Context(), a, 999)
	refused(t, err, stdops.CodeNotFound)
}

// Of the latest twenty is told, and not of those before them.
func TestDurationsOfTheLatest(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var last stdops.TaskID
	for i := range latestRuns + 5 {
		took := 10
		if i < 5 {
			took = 1000
		}
		last = b.finished(t, took)
	}
	got, err := b.Durations(t.Context(), b.access(t), last)
	must(t, err)
	if got.Runs != latestRuns || got.Median != 10*time.Second || got.P95 != 10*time.Second {
		t.Errorf("%+v", got)
	}
}
