package app_test

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

var (
	cycles = flag.Int("cycles", 3, "how often TestCrash kills the server")
	seed   = flag.Uint64("seed", 0, "of what TestFaults and TestPowerLoss draw; 0 takes a new one")
)

// TestCrash kills a real server at random moments under load. Whatever was acknowledged must be there afterwards, once;
// every node state that was ever shown must be in the record; no transition may be lost or doubled, no effect happen more
// often than its plugin allows; and every task must end.
func TestCrash(t *testing.T) {
	c := newCrash(t)
	for range *cycles {
		c.runAndKill()
		if c.lives%20 == 0 {
			c.verify()
		}
		if !c.sound() {
			t.FailNow()
		}
	}
	c.verify()
	c.mustStart()
	c.finishAll()
	c.stop()
	c.verify()
	transitions := c.checkRecord(c.dir)
	repeated := c.checkEffects()
	if len(c.tasks) == 0 || transitions == 0 {
		t.Error("the load did nothing")
	}
	t.Logf("%d kills, %d tasks, %d acknowledgements, %d transitions, %d effects repeated after a crash",
		*cycles, len(c.tasks), c.acks, transitions, repeated)
}

// TestDiskFailure lets the disk fail under a working server: it must end by itself, and the next start must have all that
// was acknowledged.
func TestDiskFailure(t *testing.T) {
	c := newCrash(t)
	c.mustStart(fileSizeEnv + "=700000")
	c.down.Store(true) // its refusals are no surprise
	load := make(chan struct{})
	go func() {
		defer close(load)
		for len(c.ended) == 0 {
			c.create()
			c.each(1, c.startTask)
		}
	}()
	<-load
	err := c.died(30 * time.Second)
	if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.Contains(c.log.String(), "disk") {
		t.Fatalf("the server ended with %v\n%s", err, c.log)
	}
	c.mustStart()
	c.finishAll()
	c.stop()
	c.checkRecord(c.dir)
}

// crash is a server under load that is killed, and the oracle of what it acknowledged.
type crash struct {
	*victim
	*oracle
	t       *testing.T
	name    string // begins its keys
	keys    int
	sent    []*keyed // in the order in which they ended
	mayDie  bool     // the server is to kill itself, nobody knows when
	insists int      // how often a request with a key that is not answered is sent at once
}

func newCrash(t *testing.T) *crash {
	return &crash{victim: newVictim(t), oracle: newOracle(t), t: t, name: fmt.Sprintf("%x", rand.Uint64())}
}

// mustStart begins a life that has to last, and sends again what may be sent again.
func (c *crash) mustStart(env ...string) {
	c.t.Helper()
	c.victim.mustStart(env...)
	c.begun(env)
}

func (c *crash) begun(env []string) {
	c.mayDie = len(env) > 0
	c.repeat()
}

// runAndKill lets four clients work until the server is killed, at a random moment.
func (c *crash) runAndKill(env ...string) {
	c.mustStart(env...)
	var load sync.WaitGroup
	for range 4 {
		load.Go(c.work)
	}
	time.Sleep(time.Duration(5+rand.IntN(500)) * time.Millisecond)
	c.kill()
	load.Wait()
}

// work creates, starts, watches, pauses, resumes and revokes tasks, and does what their nodes need.
func (c *crash) work() {
	for !c.gone() {
		switch rand.IntN(60) {
		case 0:
			c.each(1, func(id int64) { c.operate(id, "revoke") })
		case 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12:
			c.create()
		case 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24:
			c.each(1, c.startTask)
		case 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36:
			c.each(1, func(id int64) {
				c.operate(id, "pause")
				c.operate(id, "resume")
			})
		default:
			c.watch(c.pick(20))
		}
	}
}

// each does something with up to n tasks, mostly with such as were not seen to have ended.
func (c *crash) each(n int, do func(int64)) {
	ids := c.pick(n)
	if open := c.unfinished(); rand.IntN(4) > 0 {
		ids = open[:min(n, len(open))] // in no order
	}
	for _, id := range ids {
		do(id)
	}
}

func (c *crash) create() { c.createShape(&shapes[rand.IntN(len(shapes))]) }

func (c *crash) createShape(sh *shape) {
	c.creates(1)
	told := func(got answer, known bool) {
		c.creates(-1)
		var data struct {
			TaskID int64 `json:"task_id"`
		}
		switch err := json.Unmarshal(got.Data, &data); {
		case !known:
			c.createdPerhaps()
		case err != nil || !got.Result:
			c.wrong("create %s: %+v", sh.name, got)
		default:
			c.created(data.TaskID, sh, false)
		}
	}
	c.ask("/apigw/fast_create_task/2/", map[string]any{"name": sh.name, "pipeline_tree": sh.flow.tree()}, told)
}

// ask sends a request, half of them with a key; told gets the answer, or that there will be none.
func (c *crash) ask(path string, body any, told func(got answer, known bool)) {
	if rand.IntN(2) == 0 {
		c.sendKeyed(path, body, func(got answer) { told(got, true) })
		return
	}
	told(c.call(path, body))
}

// command sends a command of a task or, with a node, of a node; accepted is called when it was.
func (c *crash) command(id int64, command, path string, body any, accepted func()) {
	before := c.asks(id, command)
	c.ask(path, body, func(got answer, known bool) {
		c.answered(id, command, got.Result, known)
		if known && got.Result && accepted != nil {
			accepted()
		}
		if known && !got.Result && before.yes+before.unknown == 0 && !c.excused(id, command, before) {
			c.wrong("task %d (%s): %s was refused: %d %s", id, c.known([]int64{id})[id].shape.name, command, got.Code, got.Message)
		}
	})
}

// excused reports whether a refusal can have a reason that others gave: a second command at the same time, or an end of
// the task. Pauses and resumes are sent without looking.
func (c *crash) excused(id int64, command string, before said) bool {
	now := c.known([]int64{id})[id]
	revoke, others := now.said["revoke"], now.said[command]
	return before.out+others.out+others.yes+others.unknown > 0 || command == "pause" || command == "resume" || command == "revoke" ||
		now.ended != "" || revoke.out+revoke.yes+revoke.unknown > 0
}

func (c *crash) startTask(id int64) {
	before := c.known([]int64{id})[id].said["start"]
	c.command(id, "start", fmt.Sprintf("/apigw/start_task/%d/2/", id), map[string]any{}, func() {
		if before.yes > 0 {
			c.wrong("task %d was started twice", id)
		}
	})
}

func (c *crash) operate(id int64, action string) {
	c.command(id, action, fmt.Sprintf("/apigw/operate_task/%d/2/", id), map[string]any{"action": action}, nil)
}

type nodeStatus struct {
	ID       string                `json:"id"`
	Name     string                `json:"name"`
	State    string                `json:"state"`
	Version  string                `json:"version"`
	Loop     int                   `json:"loop"`
	Retry    int                   `json:"retry"`
	Skip     bool                  `json:"skip"`
	Children map[string]nodeStatus `json:"children"`
}

// walk calls do for every node inside, at all levels.
func (n nodeStatus) walk(do func(nodeStatus)) {
	for _, child := range n.Children {
		do(child)
		child.walk(do)
	}
}

// watch asks how tasks stand, holds the answer against what was known before it was asked, and does what nodes need.
func (c *crash) watch(ids []int64) {
	if len(ids) == 0 {
		return
	}
	before := c.known(ids)
	got, ok := c.call("/apigw/get_tasks_status/2/", map[string]any{"task_id_list": ids, "include_children_status": true})
	if !ok {
		return
	}
	var entries []struct {
		ID     int64      `json:"id"`
		Status nodeStatus `json:"status"`
	}
	if err := json.Unmarshal(got.Data, &entries); err != nil || !got.Result || len(entries) != len(ids) {
		c.wrong("asked for %d tasks, got %d: %s", len(ids), len(entries), got.Message)
		return
	}
	for _, e := range entries {
		c.compare(e.ID, before[e.ID], e.Status)
		if e.Status.State != "REVOKED" && e.Status.State != "FINISHED" {
			e.Status.walk(func(n nodeStatus) { c.guide(e.ID, n) })
		}
	}
}

// guide does what a node waits for: its name says what that is.
func (c *crash) guide(id int64, n nodeStatus) {
	switch {
	case n.Name == "called" && n.State == "RUNNING":
		for i := range manyCallbacks {
			c.callBack(id, n, fmt.Sprint(i+1))
		}
	case n.Name == "forced" && n.State == "RUNNING":
		c.once(id, n, "forced_fail", nil)
	case n.State != "FAILED" || len(n.Children) > 0: // a subprocess is shown like what is inside
	case strings.HasSuffix(n.Name, " script"): // which no server may cut off that is given the time
		c.wrong("task %d: %s has failed", id, n.Name)
	case n.Name == "tried" && n.Retry == 0: // retries by itself
	case n.Name == "skipped", n.Name == "forced", n.Name == "tried":
		c.once(id, n, "skip", nil)
	default:
		c.once(id, n, "retry", map[string]any{"bit": "1"})
	}
}

// once sends a command that makes a new version of the node, unless it was acknowledged for this version or is out.
func (c *crash) once(id int64, n nodeStatus, action string, inputs map[string]any) {
	now := c.known([]int64{id})[id]
	key := n.ID + " " + n.Version
	if now.gone[key] != "" || now.said[action+" "+n.ID].out > 0 {
		return
	}
	body := map[string]any{"node_id": n.ID, "action": action}
	if inputs != nil {
		body["inputs"] = inputs
	}
	c.command(id, action+" "+n.ID, fmt.Sprintf("/apigw/operate_node/2/%d/", id), body, func() {
		c.oracle.mu.Lock()
		defer c.oracle.mu.Unlock()
		c.tasks[id].gone[key] = action
	})
}

// callBack sends a callback, unless it was acknowledged or is out: one that is lost lets its node wait for ever.
func (c *crash) callBack(id int64, n nodeStatus, what string) {
	command := "callback " + what + " " + n.ID + " " + n.Version
	if now := c.known([]int64{id})[id].said[command]; now.out+now.yes > 0 {
		return
	}
	if c.known([]int64{id})[id].shape.name == "callback" && what != "1" {
		return
	}
	c.command(id, command, fmt.Sprintf("/apigw/node_callback/%d/2/", id),
		map[string]any{"node_id": n.ID, "callback_data": map[string]any{"said": what}, "version": n.Version}, nil)
}

// finishAll brings every task to its end.
func (c *crash) finishAll() {
	for deadline := time.Now().Add(5 * time.Minute); ; {
		open := c.unfinished()
		if len(open) == 0 {
			return
		}
		if time.Now().After(deadline) {
			c.t.Fatalf("tasks %v did not end\n%s", open, c.log)
		}
		var helpers sync.WaitGroup
		for part := range slices.Chunk(open, len(open)/8+1) {
			helpers.Go(func() { c.finish(part) })
		}
		helpers.Wait()
		if !c.sound() {
			c.t.FailNow()
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (c *crash) finish(ids []int64) {
	for batch := range slices.Chunk(ids, 50) {
		for _, id := range batch {
			if c.known([]int64{id})[id].said["start"].yes == 0 {
				c.startTask(id)
			}
			if c.known([]int64{id})[id].said["pause"].yes+c.known([]int64{id})[id].said["pause"].unknown > 0 {
				c.operate(id, "resume") // a kill may have come between pause and resume
			}
		}
		c.watch(batch)
	}
}
