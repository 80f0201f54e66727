package engine

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/flow"
	"github.com/stdops/stdops/internal/plugin"
)

// Find implements [Plugins].
func (p *clusterProcess) Find(code, _ string) plugin.Plugin {
	spec, ok := clusterSpecs[code]
	if !ok {
		return nil
	}
	return &clusterPlugin{spec, p}
}

var clusterSpecs = map[string]plugin.Spec{
	"work":   {Code: "work"},
	"once":   {Code: "once", Execute: plugin.Unknown, Schedule: plugin.Unknown},
	"ask":    {Code: "ask", Execute: plugin.Ask},
	"many":   {Code: "many", ManyCallbacks: true},
	"sleep":  {Code: "sleep", Inward: true},
	"script": {Code: "script", Class: plugin.Script, Execute: plugin.Unknown, StopOnRevoke: true},
	"child":  {Code: "child", Child: true},
}

var clusterCodes = []string{"work", "work", "once", "once", "ask", "many", "sleep", "script", "script", "child"}

func drawClusterGraph(r *rand.Rand) *flow.Graph {
	g := simGraphs[r.IntN(len(simGraphs))].Example(int(r.Uint32()))
	for i := range g.Nodes {
		if a := g.Nodes[i].Activity; a != nil {
			a.Code = clusterCodes[r.IntN(len(clusterCodes))]
		}
	}
	return g
}

// clusterPlugin takes some time, and ends soon when it is told to.
type clusterPlugin struct {
	spec    plugin.Spec
	process *clusterProcess
}

func (p *clusterPlugin) Spec() plugin.Spec { return p.spec }

func (p *clusterPlugin) Execute(ctx context.Context, call *plugin.Call) (plugin.Outcome, error) {
	return p.run(ctx, call, p.spec.Execute == plugin.Repeat)
}

func (p *clusterPlugin) Schedule(ctx context.Context, call *plugin.Call) (plugin.Outcome, error) {
	return p.run(ctx, call, p.spec.Schedule == plugin.Repeat)
}

func (p *clusterPlugin) run(ctx context.Context, call *plugin.Call, repeats bool) (plugin.Outcome, error) {
	c := p.process.cluster
	node := stdops.AttemptRef{Task: call.Attempt.Task, Node: call.Attempt.Node}
	c.enter(node, p.process.name, call.Key, repeats)
	defer c.leave(node)
	c.store.mu.Lock()
	takes := time.Duration(c.store.rand.IntN(3000)) * time.Millisecond
	if c.store.chance(10) {
		takes *= 20
	}
	lingers := time.Duration(c.store.rand.IntN(1000)) * time.Millisecond
	fails := c.store.chance(10)
	outcome := simOutcomes[c.store.rand.IntN(len(simOutcomes))]
	switch {
	case p.spec.Child:
		outcome = plugin.Outcome{Next: plugin.Callback}
	case p.spec.Inward && call.Count == 0:
		outcome = plugin.PollAfter(time.Duration(1+c.store.rand.IntN(300)) * time.Second)
	case c.store.calm:
		takes, outcome = takes/3, plugin.Done
	}
	mistake := c.store.mistake
	c.store.mu.Unlock()
	if mistake == mistakeNoFence {
		ctx = context.WithoutCancel(ctx)
	}
	if !sleep(ctx, takes) {
		time.Sleep(lingers)
		return outcome, context.Cause(ctx)
	}
	if fails {
		return outcome, plugin.ErrFailed
	}
	if p.spec.Child {
		c.makeChild(call, p.process)
	}
	return outcome, nil
}

func (c *cluster) makeChild(call *plugin.Call, p *clusterProcess) {
	c.mu.Lock()
	_, made := c.children[call.Key]
	c.children[call.Key] = 0
	c.mu.Unlock()
	if !made {
		c.create(call.Attempt, len(c.graphs)-1, p)
	}
}

// enter notes that a call begins.
func (c *cluster) enter(node stdops.AttemptRef, process, key string, repeats bool) {
	c.mu.Lock()
	other := c.running[node]
	c.running[node] = process
	c.begun[key]++
	times, most := c.begun[key], 1
	if repeats {
		most += c.faults
	}
	c.mu.Unlock()
	if other != "" {
		c.wrong("node %d of task %d is called by %s while a call by %s is out", node.Node, node.Task, process, other)
	}
	if times > most {
		c.wrong("call %s begins %d times, at most %d are right", key, times, most)
	}
}

func (c *cluster) leave(node stdops.AttemptRef) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.running, node)
}
