package engine

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/plugin"
)

// TestDecideTakesEventsTogetherLikeOneByOne: what comes while a commit is on its way is decided together in the next
// step. That is only faster: each event finds what those before it have left.
func TestDecideTakesEventsTogetherLikeOneByOne(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		graph := drawGraph(rt)
		for i := range graph.Nodes { // what is due at once would come between single events
			if a := graph.Nodes[i].Activity; a != nil && a.AutoRetry.Interval == 0 {
				a.AutoRetry.Interval = time.Second
			}
		}
		single := newWorld(rt, graph, stdops.NewObject("v", "0"), stubs()...)
		together := newWorld(rt, graph, stdops.NewObject("v", "0"), stubs()...)
		mustStart(rt, single)
		mustStart(rt, together)
		for range rapid.IntRange(1, 25).Draw(rt, "rounds") {
			wait := time.Duration(rapid.IntRange(0, 4).Draw(rt, "seconds")) * time.Second
			events := single.drawEvents(rt)
			for _, w := range []*world{single, together} {
				w.now = w.now.Add(wait)
				w.step() // what is due comes first
				w.forget(events)
			}
			for _, ev := range events {
				single.step(ev)
			}
			together.step(events...)
			if rapid.IntRange(0, 9).Draw(rt, "crash") == 0 {
				single.crash()
				together.crash()
			}
			if diff := gocmp.Diff(single.outcome(), together.outcome()); diff != "" {
				rt.Fatalf("after %+v (-one by one +together):\n%s", events, diff)
			}
		}
	})
}

// drawEvents draws what comes at once: commands, and results of calls that are out.
func (w *world) drawEvents(t *rapid.T) []event {
	calls := slices.Clone(w.calls)
	slices.SortFunc(calls, func(a, b call) int { return cmp.Compare(a.node, b.node) })
	var events []event
	for range rapid.IntRange(1, 5).Draw(t, "events") {
		node := stdops.NodeIndex(rapid.IntRange(0, len(w.graph.Nodes)-1).Draw(t, "node"))
		var flows []stdops.FlowIndex
		for _, e := range w.graph.Nodes[node].Out {
			flows = append(flows, e.Flow)
		}
		kind := rapid.SampledFrom([]Kind{
			0, 0, 0, Pause, Resume, NodePause, NodeResume, Retry, Retry, Skip, Skip, SkipBranch, SkipBranches, SubPause, SubResume,
			ForceFail, CallBack, Revoke,
		}).Draw(t, "kind")
		switch {
		case kind != 0:
			cmd := Command{Kind: kind, Actor: "ann", Node: node, Flows: flows[:min(1, len(flows))]}
			if kind == SkipBranches {
				cmd.Flows = flows
			}
			if kind == Retry && rapid.Bool().Draw(t, "inputs") {
				cmd.Inputs = stdops.NewObject("x", int64(1))
			}
			if kind == Revoke && len(events) > 0 { // the task must not end before calls of nodes that were just entered begin
				continue
			}
			events = append(events, cmd)
		case len(calls) > 0:
			i := rapid.IntRange(0, len(calls)-1).Draw(t, "call")
			c := calls[i]
			calls = slices.Delete(calls, i, i+1)
			outputs := c.outputs.Clone()
			outputs.Set("ex_data", fmt.Sprintf("call %d", c.number))
			events = append(events, callEnded{
				node: c.node, version: c.version, call: c.number, inputs: c.inputs, outputs: outputs,
				outcome: drawOutcomeOf(t, c), failed: rapid.IntRange(0, 2).Draw(t, "fails") == 0,
			})
		}
	}
	return events
}

func drawOutcomeOf(t *rapid.T, c call) plugin.Outcome {
	switch more := rapid.Bool().Draw(t, "more"); {
	case (c.code == "poll" || c.code == "once") && more:
		return plugin.PollAfter(time.Second)
	case c.code == "wait" && c.number == 0, c.code == "many" && (c.number == 0 || more):
		return plugin.Outcome{Next: plugin.Callback}
	}
	return plugin.Done
}

// forget takes calls whose results are among the events out of those that are out.
func (w *world) forget(events []event) {
	for _, ev := range events {
		if ended, ok := ev.(callEnded); ok {
			w.calls = slices.DeleteFunc(w.calls, func(c call) bool {
				return c.id() == callID{ended.node, ended.version, ended.call}
			})
		}
	}
}

// outcome gives all that follows from events and can be seen, or will have followed later.
func (w *world) outcome() map[string]string {
	all := map[string]string{}
	for _, n := range w.record.snap.Nodes {
		all[fmt.Sprintf("node %d", n.Node)] = fmt.Sprintf("%+v", n)
	}
	for _, f := range w.record.snap.Forks {
		all[fmt.Sprintf("thread %d", f.Token)] = fmt.Sprintf("%+v", f)
	}
	for _, c := range w.record.snap.Callbacks {
		all[fmt.Sprintf("callback %d", c.Seq)] = fmt.Sprintf("%+v %s", c, c.Data)
	}
	for i, a := range w.record.attempts {
		all[fmt.Sprintf("attempt %d", i)] = fmt.Sprintf("%+v %s %s %s", a.State, a.Data.Inputs, a.Data.Outputs, a.Data.Template)
	}
	for i, m := range w.record.log {
		all[fmt.Sprintf("move %d", i)] = fmt.Sprintf("%+v", m)
	}
	for _, c := range w.calls {
		all[fmt.Sprintf("call %d.%s.%d", c.node, c.version, c.number)] = fmt.Sprint(c.callback)
	}
	root := w.st.root
	all["root"] = fmt.Sprintf("%s from %s to %s", root.State, root.Started, root.Finished)
	return all
}
