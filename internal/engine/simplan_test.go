package engine

import (
	"math/rand/v2"

	"pgregory.net/rapid"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/flow"
	"github.com/stdops/stdops/internal/plugin"
)

// simPlan is how one history goes: each is about other things.
type simPlan struct {
	steps                  int
	most                   int             // tasks at the same time
	weight                 [simPicks]int   // of what can be picked
	faultWeight            [simFaults]int  // of what can go wrong
	brokenReads, brokenAny float64         // how often the store fails
	unheard                float64         // how often its answer is lost
	fails, never, piece    float64         // how calls end
	limits                 []stdops.Limits // with which the server may be started
	changes                int             // how many nodes one step may enter
}

// What can be picked.
const (
	pickReady = iota
	pickStoring
	pickStored
	pickCall
	pickClock
	pickUser
	pickLate
	pickFault
	simPicks
)

// What can go wrong.
const (
	faultCrash = iota
	faultRestart
	faultFull
	faultReorder
	faultRaised
	faultBroken
	faultUnheard
	faultDuplicate
	faultNever
	simFaults
)

var faultNames = [simFaults]string{
	"crashes", "restarts", "full disks", "reordered letters", "records changed by others", "store errors", "unknown outcomes",
	"duplicated results", "calls that never end",
}

func drawPlan(r *rand.Rand) simPlan {
	rate := func(rates ...float64) float64 { return rates[r.IntN(len(rates))] }
	p := simPlan{
		steps: 500 + r.IntN(4000), most: 1 + r.IntN(12),
		brokenReads: rate(0, 0, 0.01, 0.1), brokenAny: rate(0, 0.01, 0.1), unheard: rate(0, 0.01, 0.1),
		changes: []int{0, 0, 1, 3}[r.IntN(4)], fails: rate(0, 0.1, 0.3), never: rate(0, 0.01), piece: rate(0, 0.2, 1),
	}
	for i := range p.weight {
		p.weight[i] = 8 << r.IntN(4)
	}
	p.weight[pickClock] = 1 << r.IntN(4)
	p.weight[pickUser] = 4 << r.IntN(3)
	p.weight[pickLate] = 1
	p.weight[pickFault] = r.IntN(3)
	for i := range p.faultWeight {
		p.faultWeight[i] = r.IntN(3)
	}
	for range 3 {
		l := stdops.DefaultLimits()
		small := func(most int) int64 { return int64(2 + r.IntN(most)) }
		if r.IntN(2) == 0 {
			l.LiveTasks = small(4) - 1
		}
		if r.IntN(2) == 0 {
			l.LightCalls, l.HTTPCalls, l.ScriptCalls = small(4), small(3), small(3)
		}
		if r.IntN(3) == 0 {
			l.Calls, l.Rerun, l.Callbacks = small(3)-1, small(3), small(2)
		}
		p.limits = append(p.limits, l)
	}
	return p
}

// The flows of the other tests of this package, drawn by a seed.
var simGraphs = []*rapid.Generator[*flow.Graph]{
	rapid.Custom(drawGraph),
	rapid.Custom(func(t *rapid.T) *flow.Graph { _, g, _ := drawFlow(t); return g }),
}

// simCodes are the plugins of a simulation; the last one is not registered.
var simCodes = []string{"work", "work", "once", "ask", "many", "both", "clock", "send", "script", "gone"}

var simSpecs = map[string]plugin.Spec{
	"work":   {Code: "work"},
	"once":   {Code: "once", Execute: plugin.Unknown, Schedule: plugin.Unknown},
	"ask":    {Code: "ask", Execute: plugin.Ask},
	"many":   {Code: "many", ManyCallbacks: true},
	"both":   {Code: "both", Execute: plugin.Unknown, Schedule: plugin.Unknown, ManyCallbacks: true},
	"clock":  {Code: "clock", Inward: true},
	"send":   {Code: "send", Class: plugin.HTTP, Execute: plugin.Unknown, Variables: true},
	"script": {Code: "script", Class: plugin.Script, Execute: plugin.Unknown, StopOnRevoke: true},
}

func drawSimGraph(r *rand.Rand) *flow.Graph {
	g := simGraphs[r.IntN(len(simGraphs))].Example(int(r.Uint32()))
	for i := range g.Nodes {
		a := g.Nodes[i].Activity
		if a == nil {
			continue
		}
		if a.Code = simCodes[r.IntN(len(simCodes))]; a.Code == "gone" && r.IntN(4) > 0 {
			a.Code = "work"
		}
	}
	return g
}
