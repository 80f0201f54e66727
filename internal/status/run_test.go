package status_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/status"
)

var runNow = time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC)

// runTree is a subprocess (1) with a gateway (2) and activities by what their plugins wait for.
var runTree = &stdops.Skeleton{Nodes: []stdops.SkeletonNode{
	{Kind: stdops.KindPipeline},
	{Kind: stdops.KindSubprocess},
	{Kind: stdops.KindExclusive, Parent: 1},
	{Kind: stdops.KindActivity, Parent: 1, Plugin: "work"},
	{Kind: stdops.KindActivity, Plugin: "work"},
	{Kind: stdops.KindActivity, Plugin: "sleep"},
	{Kind: stdops.KindActivity, Plugin: "ask"},
	{Kind: stdops.KindActivity, Plugin: "child"},
}}

func runNature(code string) status.Nature {
	return map[string]status.Nature{
		"sleep": {Inward: true}, "ask": {Person: true, Inward: true}, "child": {Child: true},
	}[code]
}

func at(n stdops.NodeIndex, state stdops.State, phase stdops.Phase, due time.Duration) stdops.NodeState {
	s := stdops.NodeState{Node: n, Order: int32(n), State: state, Phase: phase}
	if due != 0 {
		s.Due = runNow.Add(due)
	}
	return s
}

func TestRun(t *testing.T) {
	t.Parallel()
	const (
		run, paused, failed = stdops.StateRunning, stdops.StateSuspended, stdops.StateFailed
		none, queued        = stdops.PhaseNone, stdops.PhaseQueued
		out, poll, wait     = stdops.PhaseExecuting, stdops.PhaseScheduling, stdops.PhaseWaiting
	)
	type nodes = []stdops.NodeState
	some := func(n ...stdops.NodeIndex) status.Some { return status.Some{Nodes: n, Count: len(n)} }
	soon := runNow.Add(time.Minute)
	appointed := at(4, paused, none, 0)
	appointed.Order = 0
	for _, c := range []struct {
		name  string
		task  stdops.Task
		nodes nodes
		want  status.Run
	}{
		{"not started", task(stdops.StateCreated), nil, status.Run{Phase: status.Queued, Why: status.Why{Cause: status.NotStarted}}},
		{
			"not claimed",
			stdops.Task{FlowType: stdops.FlowFunctional, Root: stdops.RootState{State: stdops.StateCreated}},
			nil,
			status.Run{Phase: status.Queued, Why: status.Why{Cause: status.NotClaimed}},
		},
		{
			"claimed",
			stdops.Task{FlowType: stdops.FlowFunctional, Claimed: true, Root: stdops.RootState{State: stdops.StateCreated}},
			nil,
			status.Run{Phase: status.Queued, Why: status.Why{Cause: status.NotStarted}},
		},
		{"between two nodes", task(run), nodes{at(1, run, none, 0)}, status.Run{Phase: status.Queued, Why: status.Why{Cause: status.Slot}}},
		{
			"waits for a slot", task(run),
			nodes{at(4, run, queued, 0)},
			status.Run{Phase: status.Queued, Why: status.Why{Cause: status.Slot, Node: 4, Count: 1}},
		},
		{
			"waits for a slot beside a failure", task(run),
			nodes{at(3, failed, none, 0), at(4, run, queued, 0)},
			status.Run{Phase: status.Queued, Failed: some(3), Why: status.Why{Cause: status.Slot, Node: 4, Count: 1}},
		},
		{
			"a call is out", task(run),
			nodes{at(3, failed, none, 0), at(4, run, out, 0), at(5, run, out, 0)},
			status.Run{Phase: status.Running, Running: some(4, 5), Failed: some(3), Why: status.Why{Cause: status.Calling, Node: 4, Count: 2}},
		},
		{
			"a callback is handled", task(run),
			nodes{at(4, run, poll, 0)},
			status.Run{Phase: status.Running, Running: some(4), Why: status.Why{Cause: status.Calling, Node: 4, Count: 1}},
		},
		{
			"a poll is out", task(run),
			nodes{at(4, run, poll, time.Minute)},
			status.Run{Phase: status.Running, Running: some(4), Why: status.Why{Cause: status.Polling, Node: 4, Until: soon, Count: 1}},
		},
		{
			"a poll will come", task(run),
			nodes{at(3, run, wait, time.Hour), at(4, run, wait, time.Minute)},
			status.Run{Phase: status.Running, Running: some(3, 4), Why: status.Why{Cause: status.Polling, Node: 3, Until: soon, Count: 2}},
		},
		{
			"a timer", task(run),
			nodes{at(5, run, wait, time.Minute), at(6, run, wait, 0)},
			status.Run{Phase: status.Running, Running: some(5), Paused: some(6), Why: status.Why{Cause: status.Timer, Node: 5, Until: soon, Count: 1}},
		},
		{
			"a callback is awaited", task(run),
			nodes{at(4, run, wait, 0)},
			status.Run{Phase: status.Running, Running: some(4), Why: status.Why{Cause: status.Callback, Node: 4, Count: 1}},
		},
		{
			"a child", task(run),
			nodes{at(7, run, wait, 0)},
			status.Run{Phase: status.Running, Running: some(7), Why: status.Why{Cause: status.Child, Node: 7, Count: 1}},
		},
		{
			"will try again", task(run),
			nodes{at(4, failed, none, time.Minute)},
			status.Run{Phase: status.Running, Failed: some(4), Why: status.Why{Cause: status.RetryAt, Node: 4, Until: soon, Count: 1}},
		},
		{
			"a person", task(run),
			nodes{at(6, run, wait, 0)},
			status.Run{Phase: status.WaitingHuman, Paused: some(6), Why: status.Why{Cause: status.Person, Node: 6, Count: 1}},
		},
		{
			"a paused node", task(run),
			nodes{at(4, paused, none, 0)},
			status.Run{Phase: status.WaitingHuman, Paused: some(4), Why: status.Why{Cause: status.NodePaused, Node: 4, Count: 1}},
		},
		{
			"a paused subprocess", task(run),
			nodes{at(1, paused, none, 0)},
			status.Run{Phase: status.WaitingHuman, Paused: some(1), Why: status.Why{Cause: status.NodePaused, Node: 1, Count: 1}},
		},
		{
			"an appointed pause is none yet", task(run),
			nodes{appointed, at(5, run, out, 0)},
			status.Run{Phase: status.Running, Running: some(5), Why: status.Why{Cause: status.Calling, Node: 5, Count: 1}},
		},
		{
			"failed", task(run),
			nodes{at(1, run, none, 0), at(2, failed, none, 0), at(6, run, wait, 0)},
			status.Run{Phase: status.Blocked, Failed: some(2), Paused: some(6), Why: status.Why{Cause: status.Failing, Node: 2, Count: 1}},
		},
		{
			"paused", task(paused),
			nodes{at(1, run, none, 0), at(4, failed, none, time.Minute)},
			status.Run{Phase: status.WaitingHuman, Failed: some(4), Why: status.Why{Cause: status.Paused}},
		},
		{
			"paused with a failure", task(paused),
			nodes{at(3, failed, none, 0)},
			status.Run{Phase: status.Blocked, Failed: some(3), Why: status.Why{Cause: status.Failing, Node: 3, Count: 1}},
		},
		{
			"pauses", task(paused),
			nodes{at(4, run, queued, 0), at(5, run, wait, time.Minute)},
			status.Run{Phase: status.Draining, Running: some(5), Why: status.Why{Cause: status.Stopping, Node: 5, Until: soon, Count: 2}},
		},
		{"finished", task(stdops.StateFinished), nil, status.Run{Phase: status.Ended, Why: status.Why{Cause: status.Finished}}},
		{
			"revoked", task(stdops.StateRevoked),
			nodes{at(3, failed, none, 0), at(4, run, wait, 0), at(5, run, queued, 0), at(6, run, wait, 0), at(7, paused, none, 0)},
			status.Run{Phase: status.Ended, Failed: some(3), Why: status.Why{Cause: status.Revoked}},
		},
		{
			"revoked while a call is out", task(stdops.StateRevoked),
			nodes{at(4, run, out, 0)},
			status.Run{Phase: status.Draining, Running: some(4), Why: status.Why{Cause: status.Stopping, Node: 4, Count: 1}},
		},
		{"damaged", task(run), nodes{at(99, run, out, 0)}, status.Run{Phase: status.Running, Why: status.Why{Cause: status.Unreadable}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := status.RunOf(&status.RunRows{Skeleton: runTree, Task: &c.task, Nodes: c.nodes, Done: 2, Nature: runNature})
			if c.want.Why.Cause != status.Unreadable {
				c.want.Done, c.want.Total = 2, 5
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("run (-want +got):\n%s", diff)
			}
		})
	}
}

func task(root stdops.State) stdops.Task { return stdops.Task{Root: stdops.RootState{State: root}} }

func TestRunNamesSomeNodes(t *testing.T) {
	t.Parallel()
	sk := &stdops.Skeleton{Nodes: make([]stdops.SkeletonNode, 201)}
	var nodes []stdops.NodeState
	for i := range 200 {
		sk.Nodes[i+1].Kind = stdops.KindActivity
		n := at(stdops.NodeIndex(i+1), stdops.StateFailed, stdops.PhaseNone, 0)
		if i%2 == 0 {
			n.State, n.Phase = stdops.StateRunning, stdops.PhaseExecuting
		}
		nodes = append(nodes, n)
	}
	root := task(stdops.StateRunning)
	got := status.RunOf(&status.RunRows{Skeleton: sk, Task: &root, Nodes: nodes, Nature: runNature})
	if len(got.Running.Nodes) != 8 || got.Running.Count != 100 || len(got.Failed.Nodes) != 50 || got.Failed.Count != 100 {
		t.Errorf("names %d of %d running and %d of %d failed nodes, want 8 of 100 and 50 of 100",
			len(got.Running.Nodes), got.Running.Count, len(got.Failed.Nodes), got.Failed.Count)
	}
}

// TestRunIsConsistent draws any record of a task, also ones that the engine never makes.
func TestRunIsConsistent(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		root := task(rapid.SampledFrom([]stdops.State{
			stdops.StateCreated, stdops.StateRunning, stdops.StateSuspended, stdops.StateFinished, stdops.StateRevoked,
		}).Draw(t, "root"))
		var nodes []stdops.NodeState
		for n := 1; n < len(runTree.Nodes); n++ {
			state := stdops.State(rapid.IntRange(0, int(stdops.StateFailed)).Draw(t, "state"))
			if state == stdops.StateNone {
				continue
			}
			own := at(stdops.NodeIndex(n), state, stdops.Phase(rapid.IntRange(0, int(stdops.PhaseWaiting)).Draw(t, "phase")),
				time.Duration(rapid.IntRange(-1, 1).Draw(t, "due"))*time.Minute)
			own.Order = rapid.Int32Range(0, 3).Draw(t, "order")
			nodes = append(nodes, own)
		}
		r := status.RunOf(&status.RunRows{Skeleton: runTree, Task: &root, Nodes: nodes, Nature: runNature})
		ended, why := root.Root.State.Ended(), r.Why.Cause
		quiet := r.Running.Count == 0
		must := map[string]bool{
			"an ended phase is of an ended task":     r.Phase != status.Ended || ended,
			"an ended task has ended or drains":      !ended || r.Phase == status.Ended || r.Phase == status.Draining,
			"an ended phase is quiet":                r.Phase != status.Ended || quiet,
			"blocked is failed and quiet":            r.Phase != status.Blocked || r.Failed.Count > 0 && quiet && why == status.Failing,
			"a person is waited for quietly":         r.Phase != status.WaitingHuman || quiet,
			"running is not paused":                  r.Phase != status.Running || root.Root.State == stdops.StateRunning,
			"running has somebody who runs or fails": r.Phase != status.Running || !quiet || why == status.RetryAt,
			"draining is stopping":                   (r.Phase == status.Draining) == (why == status.Stopping),
			"queued is quiet":                        r.Phase != status.Queued || quiet,
			"what is counted is named":               len(r.Failed.Nodes) == r.Failed.Count && len(r.Paused.Nodes) == r.Paused.Count,
			"a count has a node":                     (r.Why.Count > 0) == (r.Why.Node != stdops.RootNode),
			"there is a phase and a cause":           r.Phase != "" && why != "",
		}
		for rule, holds := range must {
			if !holds {
				t.Errorf("%s: not so of %+v, made of %s and %+v", rule, r, root.Root.State, nodes)
			}
		}
	})
}

// BenchmarkRun projects what a batch of 1,000 tasks of 20 nodes asks for.
func BenchmarkRun(b *testing.B) {
	sk := &stdops.Skeleton{Nodes: make([]stdops.SkeletonNode, 21)}
	var nodes []stdops.NodeState
	for i := 1; i < len(sk.Nodes); i++ {
		sk.Nodes[i] = stdops.SkeletonNode{Kind: stdops.KindActivity, Plugin: "work"}
		nodes = append(nodes, at(stdops.NodeIndex(i), stdops.StateRunning, stdops.PhaseExecuting, 0))
	}
	root := task(stdops.StateRunning)
	rows := &status.RunRows{Skeleton: sk, Task: &root, Nodes: nodes, Nature: runNature}
	b.ReportAllocs()
	for b.Loop() {
		for range 1000 {
			if status.RunOf(rows).Phase != status.Running {
				b.Fatal("does not run")
			}
		}
	}
}
