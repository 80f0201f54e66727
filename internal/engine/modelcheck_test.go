package engine

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/flow"
	"github.com/stdops/stdops/internal/plugin"
)

// drawing draws a flow twice: as parts for the model, and as a graph for the engine.
type drawing struct {
	t      *rapid.T
	b      *builder
	budget int
	kinds  map[stdops.NodeIndex]*part              // activities
	around map[stdops.NodeIndex][]stdops.NodeIndex // subprocesses around a node, outermost first
	feeds  map[stdops.NodeIndex]*part              // activities whose counter a loop looks at
}

// drawFlow draws a flow of all kinds of nodes and gives it in both forms.
func drawFlow(t *rapid.T) (*drawing, *flow.Graph, []part) {
	d := &drawing{
		t: t, budget: rapid.IntRange(1, 12).Draw(t, "nodes"),
		kinds: make(map[stdops.NodeIndex]*part), around: make(map[stdops.NodeIndex][]stdops.NodeIndex), feeds: make(map[stdops.NodeIndex]*part),
	}
	var parts []part
	graph := build(func(b *builder, p stdops.NodeIndex, heads []head) []head {
		d.b = b
		b.g.Nodes[p].Pipeline.Variables["shared"] = flow.Variable{Output: true}
		parts, heads = d.sequence(p, heads, 0)
		return heads
	})
	for i := range graph.Nodes {
		n := stdops.NodeIndex(i)
		for _, s := range enclosingOf(graph, n) {
			d.around[n] = append([]stdops.NodeIndex{s}, d.around[n]...)
		}
	}
	d.index(parts)
	return d, graph, parts
}

// enclosingOf gives the subprocesses around a node, innermost first.
func enclosingOf(g *flow.Graph, n stdops.NodeIndex) (list []stdops.NodeIndex) {
	if n == stdops.RootNode {
		return nil
	}
	for p := g.Nodes[n].Parent; p != stdops.RootNode; p = g.Nodes[p].Parent {
		list = append(list, p)
	}
	return list
}

func (d *drawing) index(parts []part) {
	for i := range parts {
		p := &parts[i]
		switch p.kind {
		case partActivity:
			d.kinds[p.node] = p
		case partLoop:
			d.feeds[p.node] = p
		case partAll, partSome, partOne, partSubprocess:
		}
		for _, branch := range p.branches {
			d.index(branch)
		}
	}
}

func (d *drawing) sequence(p stdops.NodeIndex, heads []head, depth int) (parts []part, _ []head) {
	for range rapid.IntRange(0, 3).Draw(d.t, "length") {
		if d.budget--; d.budget < 0 {
			break
		}
		var next part
		next, heads = d.part(p, heads, depth)
		parts = append(parts, next)
	}
	return parts, heads
}

func (d *drawing) part(p stdops.NodeIndex, heads []head, depth int) (next part, _ []head) {
	next.kind = partKind(rapid.IntRange(0, 5).Draw(d.t, "kind"))
	if depth > 2 {
		next.kind = partActivity
	}
	next.node = stdops.NodeIndex(len(d.b.g.Nodes))
	switch next.kind {
	case partActivity:
		next.policy = d.policy()
		return next, d.b.activity(p, heads, func(a *flow.Activity) { next.policy.apply(a) })
	case partAll, partSome, partOne:
		kind := map[partKind]stdops.NodeKind{
			partAll: stdops.KindParallel, partSome: stdops.KindConditionalParallel, partOne: stdops.KindExclusive,
		}[next.kind]
		conditions := drawConditions(d.t, next.kind == partOne)
		for _, c := range conditions {
			next.open = append(next.open, c == "1 == 1")
		}
		if next.kind == partAll {
			conditions = make([]string, len(conditions))
		}
		heads = d.b.gateway(kind, p, heads, conditions, func(_ int, heads []head) []head {
			branch, out := d.sequence(p, heads, depth+1)
			next.branches = append(next.branches, branch)
			return out
		})
		next.join = heads[0].node
	case partSubprocess:
		heads = d.b.subprocess(p, heads, func(b *builder, s stdops.NodeIndex, heads []head) []head {
			next.start = heads[0].node
			pipeline := b.g.Nodes[s].Pipeline
			pipeline.Variables["shared"], pipeline.Variables["given"] = flow.Variable{Output: true}, flow.Variable{Value: "", Shown: true}
			pipeline.Outputs = []string{"shared"}
			pipeline.Params = []flow.Param{{Key: "given", Value: "${shared}", Render: true}}
			pipeline.Mapping = []flow.Mapping{{Key: "shared", Variable: givenBy(&next)}}
			b.g.Nodes[p].Pipeline.Variables[givenBy(&next)] = flow.Variable{Output: true}
			inside, out := d.sequence(s, heads, depth+1)
			next.branches = [][]part{inside}
			return out
		})
		next.end = d.b.g.Nodes[next.node].Pipeline.End
	case partLoop:
		next.times, next.inner = rapid.IntRange(1, 3).Draw(d.t, "times"), rapid.Bool().Draw(d.t, "inner")
		first := part{kind: partActivity, node: next.node, policy: d.policy()}
		rest, out := d.sequence(p, d.b.activity(p, heads, func(a *flow.Activity) { first.policy.apply(a) }), depth+1)
		next.branches = [][]part{append([]part{first}, rest...)}
		next.join = stdops.NodeIndex(len(d.b.g.Nodes))
		key := "_loop"
		if next.inner {
			key = "_inner_loop"
		}
		a := d.b.g.Nodes[next.node].Activity
		a.Outputs = append(a.Outputs, flow.Mapping{Key: key, Variable: counterOf(&next)})
		d.b.g.Nodes[p].Pipeline.Variables[counterOf(&next)] = flow.Variable{Output: true}
		heads = backTo(d.b, p, out, next.node, fmt.Sprintf("${%s} < %d", counterOf(&next), next.times))
	}
	return next, heads
}

func (d *drawing) policy() policy {
	p := policy{
		once: rapid.IntRange(0, 4).Draw(d.t, "once") == 0, many: rapid.Bool().Draw(d.t, "many"),
		ignore: rapid.IntRange(0, 4).Draw(d.t, "ignore") == 0,
		skip:   rapid.IntRange(0, 4).Draw(d.t, "skip") > 0, retry: rapid.IntRange(0, 4).Draw(d.t, "retry") > 0,
	}
	switch rapid.IntRange(0, 5).Draw(d.t, "by itself") {
	case 0:
		p.autoTimes, p.autoAfter = rapid.IntRange(1, 2).Draw(d.t, "autos"), time.Duration(rapid.IntRange(0, 3).Draw(d.t, "after"))*time.Second
	case 1:
		p.limitAfter, p.limitSkips = time.Duration(rapid.IntRange(1, 9).Draw(d.t, "limit"))*time.Second, rapid.Bool().Draw(d.t, "then skip")
	}
	return p
}

// apply gives an activity of the graph what the policy says.
func (p *policy) apply(a *flow.Activity) {
	a.Code = map[[2]bool]string{{}: "work", {true, false}: "once", {false, true}: "many", {true, true}: "both"}[[2]bool{p.once, p.many}]
	a.Inputs = []flow.Input{{Key: "in", Value: "${shared}", Render: true}}
	a.Outputs = []flow.Mapping{{Key: "out", Variable: "shared"}}
	a.IgnoreErrors, a.Skippable, a.Retryable = p.ignore, p.skip, p.retry
	a.AutoRetry = flow.AutoRetry{Times: p.autoTimes, Interval: p.autoAfter}
	a.Timeout = flow.Timeout{After: p.limitAfter, ThenSkip: p.limitSkips}
}

// race is the engine and the model on the same flow, given the same events.
type race struct {
	*world
	*drawing
	t     *rapid.T
	m     *model
	count int64 // of results, each of which puts out another number

	control bool // the engine is given a mistake: a difference is what is wanted
	differs bool
}

func newRace(t *rapid.T, plugins ...plugin.Plugin) *race {
	d, graph, parts := drawFlow(t)
	r := &race{world: newWorld(t, graph, nil, plugins...), drawing: d, t: t}
	r.m = newModel(r.now)
	for n, p := range d.feeds {
		own := r.m.at(n, d.around[n])
		own.counter, own.byInner = counterOf(p), p.inner
	}
	pipeline := graph.Nodes[stdops.RootNode].Pipeline
	if err := r.step(Command{Kind: Start, Actor: "ann"}); err != nil {
		t.Fatal(err)
	}
	r.m.root = stdops.StateRunning
	r.m.spawn(func(th *modelThread) {
		th.pass(pipeline.Start, nil)
		th.sequence(parts, nil)
		th.pass(pipeline.End, nil)
		r.m.root = stdops.StateFinished
	})
	r.m.endStep(nil)
	r.compareAll("start")
	return r
}

// both gives the engine and the model the same command.
func (r *race) both(cmd Command) {
	due := r.m.due()
	refused := r.step(cmd)
	node := &r.graph.Nodes[cmd.Node]
	var p *policy
	if a := r.kinds[cmd.Node]; a != nil {
		p = &a.policy
	}
	back := stdops.FlowIndex(-1)
	if len(node.Out) > 0 {
		back = node.Out[0].Flow
	}
	if accepted := r.m.command(cmd, node.Kind, r.around[cmd.Node], p, back); accepted != (refused == nil) {
		r.t.Fatalf("%s of %s: the engine says %v, the model accepts it: %t", cmd.Kind, node.Name, refused, accepted)
	}
	r.m.endStep(due)
	r.compareAll(fmt.Sprintf("%s of %s", cmd.Kind, node.Name))
}

// answer lets a call that is out end.
func (r *race) answer(i int, outcome plugin.Outcome, failed bool) {
	c := r.calls[i]
	r.count++
	c.outputs.Set("out", r.count)
	due := r.m.due()
	r.answerCall(i, outcome, failed)
	r.m.result(c.node, outcome, failed, r.count)
	r.m.endStep(due)
	r.compareAll(fmt.Sprintf("answer %+v, failed %t, of call %d of %s", outcome, failed, c.number, r.graph.Nodes[c.node].Name))
}

// compareAll holds the engine against the model.
func (r *race) compareAll(after string) {
	r.t.Helper()
	if got, want := r.engineSays(), r.modelSays(); got != want {
		if r.differs = true; r.control {
			return
		}
		r.t.Fatalf("after %s\nthe engine says\n%s\nthe model says\n%s", after, got, want)
	}
}

func (r *race) engineSays() string {
	kept := make(map[stdops.NodeIndex]int)
	for _, a := range r.record.attempts {
		kept[a.State.Node]++
	}
	text := []string{fmt.Sprintf("root %s", r.st.root.State)}
	for _, n := range r.st.nodes {
		if n != nil {
			text = append(text, fmt.Sprintf("node %d %s loop %d/%d retry %d/%d skip %t ignored %t kept %d", n.Node, n.State, n.Loop, n.InnerLoop,
				n.Retry, n.AutoRetries, n.Skip, n.ErrorIgnored, kept[n.Node]))
		}
	}
	for _, c := range r.calls {
		in, _ := c.inputs.Get("in")
		text = append(text, fmt.Sprintf("call %d of node %d with %v", c.number, c.node, in))
	}
	for k, v := range r.st.vars {
		text = append(text, fmt.Sprintf("variable %s of %d is %v", k.key, k.scope, v.value))
	}
	slices.Sort(text)
	return strings.Join(text, "\n")
}

func (r *race) modelSays() string {
	text := []string{fmt.Sprintf("root %s", r.m.root)}
	for n, own := range r.m.nodes {
		if own.state == stdops.StateNone {
			continue
		}
		text = append(text, fmt.Sprintf("node %d %s loop %d/%d retry %d/%d skip %t ignored %t kept %d", n, own.state, own.loop, own.inner,
			own.retry, own.autos, own.skip, own.ignored, own.attempts))
		if own.out {
			text = append(text, fmt.Sprintf("call %d of node %d with %v", own.call, n, own.asked))
		}
	}
	for scope, vars := range r.m.vars {
		for key, v := range vars {
			text = append(text, fmt.Sprintf("variable %s of %d is %v", key, scope, v))
		}
	}
	slices.Sort(text)
	return strings.Join(text, "\n")
}

// TestEngineAgreesWithModel draws flows, commands, outcomes of calls, crashes and passing time. After every event the
// engine and the model must agree about every state, counter, attempt, call, input and variable.
func TestEngineAgreesWithModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		r := newRace(rt, racePlugins(onlyOnce)...)
		defer r.m.close()
		for range rapid.IntRange(0, 60).Draw(rt, "events") {
			r.event()
		}
	})
}

// racePlugins gives the plugins of a race; once is what those declare that must not be called twice.
func racePlugins(once func(*plugin.Spec)) []plugin.Plugin {
	return []plugin.Plugin{
		stub("work"), stub("many", manyCallbacks), stub("once", once),
		stub("both", func(s *plugin.Spec) { once(s); manyCallbacks(s) }),
	}
}

// TestModelControl gives the engine a mistake: it calls again what must not be called twice. The model must notice.
func TestModelControl(t *testing.T) {
	t.Parallel()
	found := 0
	rapid.Check(t, func(rt *rapid.T) {
		r := newRace(rt, racePlugins(func(*plugin.Spec) {})...)
		defer r.m.close()
		for r.control = true; !r.differs && r.count < 30; r.count++ {
			if r.event(); !r.differs {
				r.crashBoth()
			}
		}
		if r.differs {
			found++
		}
	})
	if found == 0 {
		t.Error("no race was lost by an engine with a mistake")
	}
	t.Logf("%d races were lost", found)
}

var raceCommands = []Kind{Pause, Resume, Resume, NodePause, NodeResume, Retry, Retry, Skip, SubPause, SubResume, ForceFail, CallBack, CallBack, SkipBranch}

func (r *race) crashBoth() {
	due := r.m.due()
	r.world.crash()
	r.m.crash()
	r.m.endStep(due)
	r.compareAll("a crash")
}

func (r *race) event() {
	switch kind := rapid.IntRange(0, 15).Draw(r.t, "event"); {
	case kind == 0:
		r.crashBoth()
	case kind == 1:
		r.now = r.now.Add(time.Duration(rapid.IntRange(1, 4).Draw(r.t, "seconds")) * time.Second)
		r.m.now = r.now
		r.world.step()
		r.m.endStep(r.m.due())
		r.compareAll("some seconds")
	case kind == 2 && rapid.IntRange(0, 5).Draw(r.t, "really") == 0:
		r.both(Command{Kind: Revoke})
	case kind < 9 || len(r.calls) == 0:
		cmd := Command{Kind: rapid.SampledFrom(raceCommands).Draw(r.t, "command"), Actor: "ann"}
		cmd.Node = stdops.NodeIndex(rapid.IntRange(0, len(r.graph.Nodes)-1).Draw(r.t, "node"))
		if cmd.Kind == Retry && rapid.Bool().Draw(r.t, "inputs") {
			cmd.Inputs = stdops.NewObject("in", int64(-1))
		}
		if out := r.graph.Nodes[cmd.Node].Out; cmd.Kind == SkipBranch {
			if len(out) == 0 {
				return
			}
			cmd.Flows = []stdops.FlowIndex{out[rapid.IntRange(0, len(out)-1).Draw(r.t, "flow")].Flow}
		}
		r.both(cmd)
	default:
		i := rapid.IntRange(0, len(r.calls)-1).Draw(r.t, "call")
		outcomes := []plugin.Outcome{plugin.Done, plugin.Done, {Next: plugin.Callback}, plugin.PollAfter(time.Second)}
		r.answer(i, rapid.SampledFrom(outcomes).Draw(r.t, "outcome"), rapid.IntRange(0, 3).Draw(r.t, "fails") == 0)
	}
}
