package status

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/stdops/stdops"
)

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// skeleton makes a skeleton from the parents of its nodes; nodes that are a parent become subprocesses.
func skeleton(parents ...stdops.NodeIndex) *stdops.Skeleton {
	sk := &stdops.Skeleton{}
	for i, parent := range parents {
		kind := stdops.KindActivity
		if slices.Contains(parents, stdops.NodeIndex(i)) {
			kind = stdops.KindSubprocess
		}
		sk.Nodes = append(sk.Nodes, stdops.SkeletonNode{Kind: kind, Parent: parent, Name: fmt.Sprintf("node %d", i)})
	}
	return sk
}

func node(i stdops.NodeIndex, order int32, state stdops.State) stdops.NodeState {
	return stdops.NodeState{Node: i, Order: order, State: state, Loop: 1}
}

func task(state stdops.State) *stdops.Task {
	return &stdops.Task{ID: 7, Name: "a task", Root: stdops.RootState{State: state, Started: noon}}
}

// TestProjectTruthTable is the table of docs/spec/api.md 1.14, each set of children in both orders, for the root and for
// a subprocess inside of a running root.
func TestProjectTruthTable(t *testing.T) {
	t.Parallel()
	var (
		running, failed, suspended = stdops.StateRunning, stdops.StateFailed, stdops.StateSuspended
		ready, finished            = stdops.StateReady, stdops.StateFinished
	)
	for _, c := range []struct {
		own      stdops.State
		children []stdops.State
		want     stdops.State
	}{
		{running, nil, running},
		{running, []stdops.State{running, ready, finished}, running},
		{running, []stdops.State{failed, finished}, failed},
		{running, []stdops.State{failed, suspended, running}, failed},
		{running, []stdops.State{suspended, running}, stdops.StateNodeSuspended},
		{running, []stdops.State{suspended, ready, finished}, stdops.StateNodeSuspended},
		{suspended, []stdops.State{failed, running}, suspended},
		{suspended, []stdops.State{suspended}, suspended},
		{ready, []stdops.State{failed, suspended}, ready},
		{failed, []stdops.State{finished, suspended}, failed},
		{finished, []stdops.State{failed, running}, finished},
		{stdops.StateRevoked, []stdops.State{failed, running, suspended}, stdops.StateRevoked},
		{stdops.StateCreated, nil, stdops.StateCreated},
		{stdops.StateExpired, nil, stdops.StateExpired},
	} {
		t.Run(fmt.Sprint(c.own, c.children), func(t *testing.T) {
			t.Parallel()
			for _, states := range [][]stdops.State{c.children, reversed(c.children)} {
				if got := projectRoot(t, c.own, states); got != c.want {
					t.Errorf("root with %v shows %v, want %v", states, got, c.want)
				}
				if c.own <= failed {
					if got := projectSub(t, c.own, states); got != c.want {
						t.Errorf("subprocess with %v shows %v, want %v", states, got, c.want)
					}
				}
			}
		})
	}
}

func reversed(states []stdops.State) []stdops.State {
	out := slices.Clone(states)
	slices.Reverse(out)
	return out
}

func projectRoot(t *testing.T, own stdops.State, children []stdops.State) stdops.State {
	t.Helper()
	parents, nodes := []stdops.NodeIndex{0}, []stdops.NodeState(nil)
	for i, state := range children {
		parents = append(parents, 0)
		nodes = append(nodes, node(stdops.NodeIndex(i+1), int32(i+1), state))
	}
	got, err := Project(skeleton(parents...), task(own), nodes, noon, true)
	if err != nil {
		t.Fatal(err)
	}
	return got.State
}

func projectSub(t *testing.T, own stdops.State, children []stdops.State) stdops.State {
	t.Helper()
	parents, nodes := []stdops.NodeIndex{0, 0}, []stdops.NodeState{node(1, 1, own)}
	for i, state := range children {
		parents = append(parents, 1)
		nodes = append(nodes, node(stdops.NodeIndex(i+2), int32(i+2), state))
	}
	got, err := Project(skeleton(parents...), task(stdops.StateRunning), nodes, noon, true)
	if err != nil {
		t.Fatal(err)
	}
	if passed := projectRoot(t, stdops.StateRunning, []stdops.State{got.Children[0].State}); got.Children[0].State != stdops.StateNodeSuspended && passed != got.State {
		t.Errorf("the root makes %v of a child that shows %v, want %v", got.State, got.Children[0].State, passed)
	}
	return got.Children[0].State
}

// TestProjectProperty compares with the rules as they are written: children first, then the pipeline itself.
func TestProjectProperty(t *testing.T) {
	t.Parallel()
	stored := []stdops.State{
		stdops.StateReady, stdops.StateRunning, stdops.StateRunning, stdops.StateRunning,
		stdops.StateSuspended, stdops.StateFinished, stdops.StateFailed,
	}
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.IntRange(1, 40).Draw(t, "size")
		parents := []stdops.NodeIndex{0}
		nodes := []stdops.NodeState(nil)
		shown := map[stdops.NodeIndex]stdops.State{0: rapid.SampledFrom(append(stored, stdops.StateRevoked)).Draw(t, "root")}
		for i := 1; i < size; i++ {
			parent := stdops.NodeIndex(rapid.IntRange(0, i-1).Draw(t, "parent"))
			parents = append(parents, parent)
			if _, entered := shown[parent]; entered && rapid.Bool().Draw(t, "entered") {
				shown[stdops.NodeIndex(i)] = rapid.SampledFrom(stored).Draw(t, "state")
				nodes = append(nodes, node(stdops.NodeIndex(i), int32(len(nodes)+1), shown[stdops.NodeIndex(i)]))
			}
		}
		got, err := Project(skeleton(parents...), task(shown[0]), nodes, noon, true)
		if err != nil {
			t.Fatal(err)
		}
		want := naive(parents, shown, 0)
		seen := map[stdops.NodeIndex]stdops.State{}
		flatten(&got, seen)
		if diff := cmp.Diff(want, seen); diff != "" {
			t.Errorf("states (-want +got)\n%s", diff)
		}
		brief, err := Project(skeleton(parents...), task(shown[0]), unfinished(nodes), noon, false)
		if err != nil || brief.State != got.State || brief.Children != nil {
			t.Errorf("without children: %v, %v, want %v", brief.State, err, got.State)
		}
	})
}

func unfinished(nodes []stdops.NodeState) []stdops.NodeState {
	return slices.DeleteFunc(slices.Clone(nodes), func(n stdops.NodeState) bool { return n.State == stdops.StateFinished })
}

func naive(parents []stdops.NodeIndex, own map[stdops.NodeIndex]stdops.State, at stdops.NodeIndex) map[stdops.NodeIndex]stdops.State {
	shown := map[stdops.NodeIndex]stdops.State{at: own[at]}
	var failed, suspended bool
	for i := 1; i < len(parents); i++ {
		child := stdops.NodeIndex(i)
		if _, entered := own[child]; !entered || parents[i] != at {
			continue
		}
		inner := naive(parents, own, child)
		for k, v := range inner {
			shown[k] = v
		}
		failed = failed || inner[child] == stdops.StateFailed
		suspended = suspended || inner[child] == stdops.StateSuspended || inner[child] == stdops.StateNodeSuspended
	}
	if own[at] == stdops.StateRunning && failed {
		shown[at] = stdops.StateFailed
	} else if own[at] == stdops.StateRunning && suspended {
		shown[at] = stdops.StateNodeSuspended
	}
	return shown
}

func flatten(s *Status, into map[stdops.NodeIndex]stdops.State) {
	into[s.Node] = s.State
	for i := range s.Children {
		flatten(&s.Children[i], into)
	}
}

func TestProjectFields(t *testing.T) {
	t.Parallel()
	later := noon.Add(90 * time.Second)
	nodes := []stdops.NodeState{
		{Node: 2, Order: 1, State: stdops.StateFinished, Loop: 3, Retry: 2, Skip: true, ErrorIgnored: true, Version: "v2", Started: noon, Finished: later},
		{Node: 1, Order: 2, State: stdops.StateRunning, Loop: 1, Version: "v1", Started: noon},
		{Node: 3, Order: 3, State: stdops.StateSuspended, Version: "v3"},
		{Node: 4, Order: 0, State: stdops.StateSuspended, Loop: 1, Version: "v4"}, // a pause was appointed, nothing entered
	}
	run := task(stdops.StateRunning)
	run.Root.Version = "v0"
	got, err := Project(skeleton(0, 0, 0, 1, 0), run, nodes, later.Add(900*time.Millisecond), true)
	if err != nil {
		t.Fatal(err)
	}
	want := Status{
		State: stdops.StateNodeSuspended, Name: "a task", Version: "v0", Loop: 1, Elapsed: 90, Grows: true, Started: noon,
		Children: []Status{
			{Node: 2, State: stdops.StateFinished, Name: "node 2", Version: "v2", Loop: 3, Retry: 2, Skip: true, ErrorIgnored: true, Elapsed: 90, Started: noon, Finished: later},
			{Node: 1, State: stdops.StateNodeSuspended, Name: "node 1", Version: "v1", Loop: 1, Elapsed: 90, Grows: true, Started: noon, Children: []Status{
				{Node: 3, Parent: 1, State: stdops.StateSuspended, Name: "node 3", Version: "v3", Loop: 1},
			}},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("status (-want +got)\n%s", diff)
	}
	if found := got.Find(3); found == nil || found.Version != "v3" || got.Find(4) != nil {
		t.Errorf("Find gives %v and %v", found, got.Find(4))
	}
}

// TestProjectRevoked: what only waited when the task was revoked stays RUNNING and counts to the revoke.
func TestProjectRevoked(t *testing.T) {
	t.Parallel()
	ended := task(stdops.StateRevoked)
	ended.Root.Finished = noon.Add(30 * time.Second)
	got, err := Project(skeleton(0, 0), ended, []stdops.NodeState{{Node: 1, Order: 1, State: stdops.StateRunning, Loop: 1, Started: noon.Add(10 * time.Second)}}, noon.Add(time.Hour), true)
	if err != nil {
		t.Fatal(err)
	}
	if got.Elapsed != 30 || got.Children[0].Elapsed != 20 || got.Children[0].State != stdops.StateRunning {
		t.Errorf("root %d s, child %d s %v; want 30, 20, RUNNING", got.Elapsed, got.Children[0].Elapsed, got.Children[0].State)
	}
}

func TestProjectDamaged(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		sk    *stdops.Skeleton
		nodes []stdops.NodeState
	}{
		"no skeleton":      {nil, nil},
		"empty skeleton":   {&stdops.Skeleton{}, nil},
		"beyond the tree":  {skeleton(0, 0), []stdops.NodeState{node(2, 1, stdops.StateRunning)}},
		"negative":         {skeleton(0, 0), []stdops.NodeState{node(-1, 1, stdops.StateRunning)}},
		"state of root":    {skeleton(0, 0), []stdops.NodeState{node(0, 1, stdops.StateRunning)}},
		"parent not there": {skeleton(0, 0, 1), []stdops.NodeState{node(2, 1, stdops.StateRunning)}},
		"parent beyond":    {skeleton(0, 9), []stdops.NodeState{node(1, 1, stdops.StateRunning)}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := Project(c.sk, task(stdops.StateRunning), c.nodes, noon.Add(5*time.Second), true)
			if err == nil {
				t.Fatal("no error")
			}
			if _, err := Project(c.sk, task(stdops.StateRunning), c.nodes, noon, false); err == nil && name != "parent not there" {
				t.Error("no error without children")
			}
			if diff := cmp.Diff(Root(task(stdops.StateRunning), noon.Add(5*time.Second)), got); diff != "" {
				t.Errorf("status beside the error (-want +got)\n%s", diff)
			}
		})
	}
}

func TestElapsed(t *testing.T) {
	t.Parallel()
	ms := func(n int) time.Time { return noon.Add(time.Duration(n) * time.Millisecond) }
	for _, c := range []struct {
		started, finished, now time.Time
		want                   int64
	}{
		{time.Time{}, time.Time{}, ms(9000), 0},
		{time.Time{}, ms(9000), ms(9000), 0},
		{ms(0), ms(499), ms(9000), 0},
		{ms(0), ms(500), ms(9000), 0}, // half goes to the even neighbour
		{ms(0), ms(501), ms(9000), 1},
		{ms(0), ms(1500), ms(9000), 2},
		{ms(0), ms(2500), ms(9000), 2},
		{ms(0), ms(2501), ms(9000), 3},
		{ms(0), time.Time{}, ms(2999), 2}, // now is cut first
		{ms(900), time.Time{}, ms(999), 0},
		{ms(5000), time.Time{}, ms(1000), 0}, // a clock that was set back
		{ms(5000), ms(1000), ms(9000), 0},
	} {
		if got := Elapsed(c.started, c.finished, c.now); got != c.want {
			t.Errorf("from %v to %v at %v: %d, want %d", c.started, c.finished, c.now, got, c.want)
		}
	}
}

// TestElapsedNeverFalls: a later read never shows less, also when the node has ended in between.
func TestElapsedNeverFalls(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		started := noon.Add(time.Duration(rapid.Int64Range(0, 2e6).Draw(t, "started")) * time.Microsecond)
		first := started.Add(time.Duration(rapid.Int64Range(0, 1e7).Draw(t, "first")) * time.Microsecond)
		second := first.Add(time.Duration(rapid.Int64Range(0, 1e7).Draw(t, "second")) * time.Microsecond)
		a, b, end := Elapsed(started, time.Time{}, first), Elapsed(started, time.Time{}, second), Elapsed(started, second, second)
		if a > b || b > end || a < 0 {
			t.Errorf("%d, then %d, ended %d", a, b, end)
		}
	})
}

// TestGrows: from one moment to another nothing changes but the elapsed times that are said to grow, and these are what
// Elapsed gives. So what was made of a status can be kept for all moments.
func TestGrows(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		moment := func(name string, absent bool) time.Time {
			if absent && rapid.Bool().Draw(t, name+" absent") {
				return time.Time{}
			}
			return noon.Add(time.Duration(rapid.Int64Range(0, 1e8).Draw(t, name)) * time.Microsecond)
		}
		of := task(rapid.SampledFrom([]stdops.State{stdops.StateRunning, stdops.StateSuspended, stdops.StateFinished, stdops.StateRevoked}).Draw(t, "root"))
		of.Root.Started, of.Root.Finished = moment("started", true), moment("finished", true)
		parents, nodes := []stdops.NodeIndex{0}, []stdops.NodeState(nil)
		for i := range stdops.NodeIndex(rapid.IntRange(0, 5).Draw(t, "nodes")) {
			n := node(i+1, int32(i)+1, rapid.SampledFrom([]stdops.State{stdops.StateRunning, stdops.StateFinished, stdops.StateFailed}).Draw(t, "state"))
			n.Started, n.Finished = moment("node started", true), moment("node finished", true)
			parents, nodes = append(parents, stdops.NodeIndex(rapid.IntRange(0, int(i)).Draw(t, "parent"))), append(nodes, n)
		}
		first, second := moment("first", false), moment("second", false)
		a, err := Project(skeleton(parents...), of, nodes, first, true)
		if err != nil {
			t.Fatal(err)
		}
		b, err := Project(skeleton(parents...), of, nodes, second, true)
		if err != nil {
			t.Fatal(err)
		}
		moveTo(&a, second)
		if diff := cmp.Diff(b, a); diff != "" {
			t.Errorf("moved from one moment to another (-there +moved)\n%s", diff)
		}
	})
}

func moveTo(s *Status, now time.Time) {
	if s.Grows {
		s.Elapsed = Elapsed(s.Started, time.Time{}, now)
	}
	for i := range s.Children {
		moveTo(&s.Children[i], now)
	}
}

func BenchmarkProject(b *testing.B) {
	parents, nodes := []stdops.NodeIndex{0}, []stdops.NodeState(nil)
	for i := 1; i <= 10_000; i++ {
		parents = append(parents, 0)
		nodes = append(nodes, node(stdops.NodeIndex(i), int32(i), stdops.StateFinished))
	}
	sk, run := skeleton(parents...), task(stdops.StateRunning)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Project(sk, run, nodes, noon, true); err != nil {
			b.Fatal(err)
		}
	}
}

// TestOf_tells_when_the_first_call_began, unless what is stored is of an earlier attempt: then it is not known.
func TestOf_tells_when_the_first_call_began(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct{ started, called, want time.Time }{
		"at once":                 {noon, noon, noon},
		"later":                   {noon, noon.Add(time.Second), noon.Add(time.Second)},
		"not yet, or not known":   {started: noon},
		"of an earlier attempt":   {started: noon, called: noon.Add(-time.Second)},
		"of one that was retried": {called: noon},
	} {
		n := &stdops.NodeState{Node: 2, State: stdops.StateRunning, Started: c.started, Called: c.called}
		if got := Of(task(stdops.StateRunning), n, 0, "", noon).Called; !got.Equal(c.want) {
			t.Errorf("%s: %s, want %s", what, got, c.want)
		}
	}
}
