package app_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

var histories = flag.Int("histories", 10, "how many tasks TestLinear lets twenty clients fight for")

// request is a command, or a look, of one client at the one task of a history; its flow is start → called → end.
type request struct {
	do  string // a command of the task or of its node, callback, or look
	bit int    // callback: 1 ends the node well, 0 badly
}

// seen is what a client was told: for a command whether it was accepted, for a look how task and node stand.
type seen struct {
	accepted   bool
	root, node string
	retry      int
	skip       bool
}

// world is a task as docs/spec/engine.md describes it.
type world struct {
	root, node string // as recorded
	retry      int
	skip       bool
	held       bool // the thread waits before the end, until the task is resumed
	waiting    bool // a callback was accepted and not handled yet
	bit        int  // of that callback
}

// handled gives the world after the callback that waits was handled. When that is, nobody knows.
func (w world) handled() world {
	w.waiting = false
	if w.bit == 0 {
		w.node = "FAILED"
		return w
	}
	w.node = "FINISHED"
	return w.goesOn()
}

// goesOn lets the thread leave the node.
func (w world) goesOn() world {
	switch w.root {
	case "RUNNING":
		w.root = "FINISHED"
	case "SUSPENDED":
		w.held = true
	}
	return w
}

// shown gives what a look tells.
func (w world) shown() seen {
	root := w.root
	if root == "RUNNING" && w.node == "FAILED" {
		root = "FAILED"
	}
	return seen{root: root, node: w.node, retry: w.retry, skip: w.skip}
}

// take carries out a command that is accepted; ok is false when it has to be refused.
func (w world) take(r request) (_ world, ok bool) {
	open := w.root == "RUNNING" || w.root == "SUSPENDED"
	switch {
	case r.do == "start" && w.root == "CREATED":
		w.root, w.node = "RUNNING", "RUNNING"
	case r.do == "pause" && w.root == "RUNNING":
		w.root = "SUSPENDED"
	case r.do == "resume" && w.root == "SUSPENDED":
		w.root = "RUNNING"
		if w.node == "READY" {
			w.node = "RUNNING"
		}
		if w.held {
			w.held, w.root = false, "FINISHED"
		}
	case r.do == "revoke" && open:
		w.root, w.held = "REVOKED", false
	case r.do == "retry" && open && w.node == "FAILED":
		w.retry++
		w.node = map[string]string{"RUNNING": "RUNNING", "SUSPENDED": "READY"}[w.root]
	case r.do == "skip" && open && w.node == "FAILED":
		w.node, w.skip = "FINISHED", true
		w = w.goesOn()
	case r.do == "forced_fail" && open && w.node == "RUNNING":
		w.node, w.waiting = "FAILED", false
	case r.do == "callback" && open && w.node == "RUNNING" && !w.waiting:
		w.waiting, w.bit = true, r.bit
	default:
		return w, false
	}
	return w, true
}

// taskModel says which histories of a task are possible: each request takes effect at one moment between its begin and its
// answer, and a callback that was accepted is handled at any moment later.
func taskModel() porcupine.Model {
	model := porcupine.NondeterministicModel{
		Init: func() []any { return []any{world{root: "CREATED"}} },
		Step: func(state, input, output any) (next []any) {
			before, r, told := state.(world), input.(request), output.(seen)
			worlds := []world{before}
			if before.waiting {
				worlds = append(worlds, before.handled())
			}
			for _, w := range worlds {
				if r.do == "look" {
					if told == w.shown() {
						next = append(next, w)
					}
					continue
				}
				after, ok := w.take(r)
				if ok == told.accepted {
					next = append(next, after)
				}
			}
			return next
		},
		Equal: func(a, b any) bool { return a == b },
	}
	return model.ToModel()
}

// TestLinear lets twenty clients start, pause, resume, revoke, retry, skip, fail and call back one task at the same time,
// and look at it. Each history must be one that the model allows; it allows one start.
func TestLinear(t *testing.T) {
	t.Parallel()
	c := newCaller(t)
	requests := 0
	for i := range *histories {
		history := c.history(20, drawBursts(10))
		requests += len(history)
		if starts := countAccepted(history, "start"); starts != 1 {
			t.Errorf("history %d: %d starts were accepted", i, starts)
		}
		if got := porcupine.CheckOperationsTimeout(taskModel(), history, time.Minute); got != porcupine.Ok {
			t.Fatalf("history %d is %s:\n%s", i, got, told(history))
		}
	}
	t.Logf("%d histories of %d requests", *histories, requests)
}

// TestLinearControl alters good histories so that they tell of a server that loses an acknowledged command, acknowledges
// one twice, or shows something old: the model must refuse each.
func TestLinearControl(t *testing.T) {
	t.Parallel()
	c := newCaller(t)
	alterations := 0
	for range 1 + *histories/10 {
		history := c.history(5, [][]request{
			{{do: "start"}, {do: "start"}, {do: "start"}, {do: "look"}, {do: "pause"}},
			{{do: "callback"}, {do: "look"}, {do: "resume"}, {do: "retry"}, {do: "look"}},
			{{do: "look"}, {do: "forced_fail"}, {do: "retry"}, {do: "start"}, {do: "pause"}},
			{{do: "revoke"}},
			{{do: "look"}, {do: "revoke"}, {do: "resume"}},
		})
		if got := porcupine.CheckOperationsTimeout(taskModel(), history, time.Minute); got != porcupine.Ok {
			t.Fatalf("a history is %s:\n%s", got, told(history))
		}
		for mistake, changed := range altered(history) {
			alterations++
			if got := porcupine.CheckOperationsTimeout(taskModel(), changed, time.Minute); got != porcupine.Illegal {
				t.Errorf("a history with the mistake %q is %s:\n%s", mistake, got, told(changed))
			}
		}
	}
	t.Logf("%d alterations were all found", alterations)
}

// history plays one task: clients at the same time, in bursts. A burst begins when all answers of the one before have come,
// or the search for an order of so many requests at once would not end.
func (c *caller) history(clients int, bursts [][]request) []porcupine.Operation {
	c.t.Helper()
	got, ok := c.call("/apigw/fast_create_task/2/", map[string]any{"name": "fought for", "pipeline_tree": act("called", "callback_node").tree()})
	var data struct {
		TaskID int64 `json:"task_id"`
	}
	if err := json.Unmarshal(got.Data, &data); !ok || err != nil || !got.Result {
		c.t.Fatalf("create: %+v", got)
	}
	node := c.called(data.TaskID)
	var mu sync.Mutex
	var history []porcupine.Operation
	began := time.Now()
	for turn, requests := range bursts {
		var all sync.WaitGroup
		for first := range clients {
			client := (first + 7*turn) % clients
			all.Go(func() {
				for i := first; i < len(requests); i += clients {
					op := porcupine.Operation{ClientId: client, Input: requests[i], Call: int64(time.Since(began))}
					op.Output = c.ask(data.TaskID, node, requests[i])
					op.Return = int64(time.Since(began))
					mu.Lock()
					history = append(history, op)
					mu.Unlock()
				}
			})
		}
		all.Wait()
	}
	return history
}

// drawBursts gives fifty starts at once, then bursts with size requests each, fifty callbacks in all.
func drawBursts(size int) (bursts [][]request) {
	bursts = append(bursts, slices.Repeat([]request{{do: "start"}}, 50))
	others := []string{"pause", "pause", "resume", "resume", "retry", "retry", "forced_fail", "look", "look"}
	for callbacks := 50; callbacks > 0; {
		var burst []request
		for range size {
			if do := others[rand.IntN(len(others))]; rand.IntN(2) == 0 {
				burst = append(burst, request{do: do})
			} else {
				burst = append(burst, request{do: "callback", bit: rand.IntN(20) / 19})
				callbacks--
			}
		}
		bursts = append(bursts, burst)
	}
	return append(bursts, []request{{do: "skip"}, {do: "revoke"}, {do: "look"}, {do: "resume"}, {do: "revoke"}, {do: "skip"}, {do: "retry"}, {do: "look"}})
}

// called computes the id of the node: it is told once the node was reached, which nobody may look at before.
func (c *caller) called(task int64) string {
	got, ok := c.get(fmt.Sprintf("/apigw/get_task_detail/%d/2/", task))
	var data struct {
		Tree struct {
			Activities map[string]struct{} `json:"activities"`
		} `json:"pipeline_tree"`
	}
	if err := json.Unmarshal(got.Data, &data); !ok || err != nil || len(data.Tree.Activities) != 1 {
		c.t.Fatalf("detail: %+v", got)
	}
	for id := range data.Tree.Activities {
		return id
	}
	return ""
}

// ask sends one request and gives what came back.
func (c *caller) ask(task int64, node string, r request) seen {
	var got answer
	var ok bool
	switch r.do {
	case "look":
		return c.look(task)
	case "start":
		got, ok = c.call(fmt.Sprintf("/apigw/start_task/%d/2/", task), map[string]any{})
	case "callback":
		got, ok = c.call(fmt.Sprintf("/apigw/node_callback/%d/2/", task), map[string]any{"node_id": node, "callback_data": map[string]any{"bit": r.bit}})
	case "retry", "skip", "forced_fail":
		got, ok = c.call(fmt.Sprintf("/apigw/operate_node/2/%d/", task), map[string]any{"node_id": node, "action": r.do})
	default:
		got, ok = c.call(fmt.Sprintf("/apigw/operate_task/%d/2/", task), map[string]any{"action": r.do})
	}
	if !ok {
		c.t.Errorf("no answer to %s", r.do)
	}
	return seen{accepted: got.Result}
}

func (c *caller) look(task int64) seen {
	got, ok := c.call("/apigw/get_tasks_status/2/", map[string]any{"task_id_list": []int64{task}, "include_children_status": true})
	var entries []struct {
		Status nodeStatus `json:"status"`
	}
	if err := json.Unmarshal(got.Data, &entries); !ok || err != nil || len(entries) != 1 {
		c.t.Errorf("look: %+v", got)
		return seen{}
	}
	told := seen{root: entries[0].Status.State}
	entries[0].Status.walk(func(n nodeStatus) {
		if n.Name == "called" {
			told.node, told.retry, told.skip = n.State, n.Retry, n.Skip
		}
	})
	return told
}

func countAccepted(history []porcupine.Operation, do string) (n int) {
	for _, op := range history {
		if op.Input.(request).do == do && op.Output.(seen).accepted {
			n++
		}
	}
	return n
}

// altered makes histories out of a good one that no server may give, each named for its mistake.
func altered(history []porcupine.Operation) map[string][]porcupine.Operation {
	made := make(map[string][]porcupine.Operation)
	for _, m := range []struct {
		name, do string
		was      bool
	}{
		{"the acknowledged start is lost", "start", true},
		{"two starts are acknowledged", "start", false},
		{"the acknowledged revoke is lost", "revoke", true},
		{"two revokes are acknowledged", "revoke", false},
	} {
		changed := slices.Clone(history)
		i := slices.IndexFunc(changed, func(op porcupine.Operation) bool {
			return op.Input.(request).do == m.do && op.Output.(seen).accepted == m.was
		})
		changed[i].Output = seen{accepted: !m.was}
		made[m.name] = changed
	}
	last := slices.MaxFunc(history, func(a, b porcupine.Operation) int { return int(a.Return - b.Return) }).Return
	for i, op := range history {
		if op.Input.(request).do == "look" && op.Output.(seen).root != "REVOKED" {
			old := porcupine.Operation{ClientId: 99, Input: op.Input, Output: op.Output, Call: last + 1, Return: last + 2}
			made[fmt.Sprintf("what look %d told is told again at the end", i)] = append(slices.Clone(history), old)
		}
	}
	return made
}

func told(history []porcupine.Operation) string {
	slices.SortFunc(history, func(a, b porcupine.Operation) int { return int(a.Call - b.Call) })
	var text strings.Builder
	for _, op := range history {
		fmt.Fprintf(&text, "%9d-%9d client %2d %+v → %+v\n", op.Call, op.Return, op.ClientId, op.Input, op.Output)
	}
	return text.String()
}
