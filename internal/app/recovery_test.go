package app_test

import (
	"fmt"
	"testing"
	"time"
)

// recovery is a task that is in some state when the server is killed.
type recovery struct {
	name  string
	flow  piece
	pause bool   // the task, after its start
	in    string // state of the node "there" in which the kill finds it; "" for a task that is not started
	stays string // what it is shown as after the next start, until somebody does something; "" when it ends by itself
	then  string // what somebody does
	id    int64
}

// many gives many parallel activities.
func many(n int, name string) piece {
	branches := []piece{held("there", "effect")}
	for i := range n - 1 {
		branches = append(branches, held(fmt.Sprint(name, i), "effect"))
	}
	return parallel(branches...)
}

// lengthy gives a row of activities that is not done before a pause arrives, on a busy machine neither.
func lengthy() piece {
	row := []piece{act("there", "effect_poll")}
	for i := range 50 {
		row = append(row, act(fmt.Sprint("next", i), "effect"))
	}
	return chain(row...)
}

// held is an activity whose call is out when the server is killed.
func held(name, code string) piece { return act(name, code, "hold", "1") }

// option sets a field of the activity of p.
func option(p piece, key string, value map[string]any) piece {
	return func(w *wire, from []string) []string {
		out := p(w, from)
		w.activities[w.source(out[0])][key] = value
		return out
	}
}

var recoveries = []recovery{
	{name: "not started", flow: act("there", "effect"), stays: "CREATED", then: "start"},
	{name: "execute is out", flow: held("there", "effect"), in: "RUNNING"},
	{name: "execute is out that must not be repeated", flow: held("there", "effect_once"), in: "RUNNING", stays: "FAILED", then: "retry"},
	{name: "execute is out whose poll finds out", flow: held("there", "effect_ask"), in: "RUNNING"},
	{name: "polls", flow: held("there", "effect_poll"), in: "RUNNING"},
	{name: "a timer runs", flow: act("there", "sleep_timer", "bk_timing", "4"), in: "RUNNING"},
	{name: "waits for a callback", flow: act("there", "effect_wait"), in: "RUNNING", stays: "RUNNING", then: "callback"},
	{name: "paused before the end", flow: lengthy(), pause: true, in: "FINISHED", stays: "SUSPENDED", then: "resume"},
	{name: "failed", flow: act("there", "effect", "bit", "0"), in: "FAILED", stays: "FAILED", then: "retry"},
	{
		name: "failed, retries by itself", in: "FAILED",
		flow:  option(act("there", "effect", "bit", "0"), "auto_retry", map[string]any{"enable": true, "times": 1, "interval": 1}),
		stays: "FAILED", then: "retry",
	},
	{
		name: "runs against its time limit", in: "RUNNING", stays: "FAILED", then: "skip",
		flow: option(act("there", "effect_wait"), "timeout_config", map[string]any{"enable": true, "seconds": 4, "action": "forced_fail"}),
	},
	{name: "more calls than the task has room for", flow: many(80, "b"), in: "RUNNING"},
	{name: "one branch has come to its end", flow: parallel(act("quick", "effect"), held("there", "effect_poll")), in: "RUNNING"},
	{name: "inside of subprocesses", flow: sub("outer", sub("inner", held("there", "effect"))), in: "RUNNING"},
}

// TestRecovery kills a server that has a task in each state, and starts it again: what needs nobody goes on by itself, what
// waits for somebody waits on, and does what it is told.
func TestRecovery(t *testing.T) {
	t.Parallel()
	c := newCrash(t)
	c.mustStart()
	all := make([]recovery, len(recoveries))
	for i := range recoveries {
		all[i] = recoveries[i]
		r := &all[i]
		r.id = c.making(&shape{name: r.name, flow: r.flow})
		if r.in == "" {
			continue
		}
		c.startTask(r.id)
		if r.pause {
			c.operate(r.id, "pause")
		}
	}
	for i := range all {
		if r := &all[i]; r.in != "" {
			c.until(r.name, func() bool { return c.there(r.id).State == r.in })
		}
	}
	c.kill()
	c.verify()
	c.mustStart()
	began := time.Now()
	for i := range all {
		r := &all[i]
		if r.stays == "" {
			c.until(r.name, func() bool { return c.stateOf(r.id) == "FINISHED" })
			continue
		}
		c.until(r.name, func() bool { return c.stateOf(r.id) == r.stays })
		c.doThen(r)
	}
	t.Logf("all that needs nobody had ended %v after the start, with timers of some seconds among it", time.Since(began).Round(time.Millisecond))
	for i := range all {
		c.until(all[i].name, func() bool { return c.stateOf(all[i].id) == "FINISHED" })
	}
	c.stop()
	c.verify()
}

// making makes a task and gives its id.
func (c *crash) making(sh *shape) int64 {
	before := c.known(c.pick(1 << 20))
	for {
		c.createShape(sh)
		for _, id := range c.pick(1 << 20) {
			if _, old := before[id]; !old {
				return id
			}
		}
	}
}

// there gives how the node "there" stands.
func (c *crash) there(id int64) (found nodeStatus) {
	c.t.Helper()
	roots, err := (&reader{caller: &c.caller}).singles([]int64{id})
	if err != nil {
		c.t.Fatal(err)
	}
	root := roots[id]
	root.walk(func(n nodeStatus) {
		if n.Name == "there" {
			found = n
		}
	})
	return found
}

// doThen does what a task waits for.
func (c *crash) doThen(r *recovery) {
	c.t.Helper()
	n := c.there(r.id)
	switch r.then {
	case "start":
		c.startTask(r.id)
	case "resume":
		c.operate(r.id, "resume")
	case "callback":
		c.callBack(r.id, n, "1")
	case "retry":
		if r.name == "failed, retries by itself" {
			c.until(r.name, func() bool { n = c.there(r.id); return n.State == "FAILED" && n.Retry == 1 })
		}
		c.once(r.id, n, "retry", map[string]any{"bit": "1"})
	default:
		c.once(r.id, n, r.then, nil)
	}
}
