package v1

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/client"
)

// approval is a tree of one activity that waits for somebody, with a time limit.
func approval(seconds string) json.RawMessage {
	return json.RawMessage(`{
		"start_event":{"id":"s","name":"","type":"EmptyStartEvent","outgoing":"f0"},
		"end_event":{"id":"e","name":"","type":"EmptyEndEvent","incoming":["f1"]},
		"activities":{"a":{"id":"a","type":"ServiceActivity","name":"Wait","incoming":["f0"],"outgoing":"f1","skippable":true,"retryable":true,
			"timeout_config":{"enable":true,"seconds":` + seconds + `,"action":"forced_fail"},
			"component":{"code":"pause_node","version":"legacy","data":{}}}},
		"gateways":{},"flows":{"f0":{"id":"f0","source":"s","target":"a"},"f1":{"id":"f1","source":"a","target":"e"}},
		"constants":{},"outputs":[]}`)
}

// TestNodeTimingAndDriver: how far a node came when, how long it stood failed, until when it may take, and who drives its task.
func TestNodeTimingAndDriver(t *testing.T) {
	t.Parallel()
	b := setup(t)
	task := b.create(t, client.NewTask{Name: "call", Tree: approval("5000")})
	if n := b.node(t, task.ID, 200, "Wait", ""); n.Driver != nil || n.Timing != nil {
		t.Errorf("before the start %+v, %+v", n.Driver, n.Timing)
	}
	waiting := func() (n client.NodeDetail) {
		t.Helper()
		b.until(t, task.ID, "waiting", func(client.Task) bool {
			n = b.node(t, task.ID, 200, "Wait", "")
			return n.Phase == "waiting"
		})
		return n
	}
	b.do(t, task.ID, 200, client.Command{Command: "start"})
	first := waiting()
	if d := cmp.Diff(&client.Timing{Started: first.Started, Called: b.called(t, task.ID, 3), Deadline: first.Started.Add(5000 * time.Second)}, first.Timing); d != "" {
		t.Errorf("while it waits (-want +got):\n%s", d)
	}
	for what, got := range map[string]time.Time{"node": first.Called, "list": b.listed(t, task.ID, "Wait").Called, "states": b.states(t, task.ID)[3].Called} {
		if !got.Equal(first.Timing.Called) || got.IsZero() {
			t.Errorf("%s: called at %s, want %s", what, got, first.Timing.Called)
		}
	}
	if start := b.listed(t, task.ID, ""); !start.Called.IsZero() {
		t.Errorf("the start event was called: %+v", start)
	}
	// For the sake of its time limit.
	if n := first; n.Driver == nil || n.Driver.PID != os.Getpid() || n.Driver.Name == "" || n.Driver.Lost {
		t.Errorf("driven by %+v", n.Driver)
	}
	b.do(t, task.ID, 200, client.Command{Command: "force-fail", Node: "Wait"})
	failed := b.node(t, task.ID, 200, "Wait", "")
	if !failed.Timing.Deadline.IsZero() || failed.Timing.Finished.IsZero() {
		t.Errorf("while it stands failed %+v", failed.Timing)
	}
	b.do(t, task.ID, 200, client.Command{Command: "retry", Node: "Wait"})
	again := waiting()
	retried := again.Timing.Retried
	if retried.Before(failed.Timing.Finished) || retried.After(again.Timing.Started) || len(again.Attempts) != 1 {
		t.Fatalf("the second attempt %+v", again.Timing)
	}
	want := &client.Timing{Started: first.Started, Called: first.Called, Finished: failed.Finished, Left: retried}
	if d := cmp.Diff(want, again.Attempts[0].Timing); d != "" {
		t.Errorf("the first attempt (-want +got):\n%s", d)
	}
	b.do(t, task.ID, 200, client.Command{Command: "callback", Node: "Wait", Data: json.RawMessage(`{"bit":1}`)})
	b.await(t, task.ID, client.Finished)
	last := b.node(t, task.ID, 200, "Wait", "")
	if last.Called.Before(last.Started) || last.Called.Equal(first.Called) {
		t.Errorf("the second attempt was called at %s", last.Called)
	}
	called := last.Timing.CalledBack
	if called.Before(last.Started) || called.After(last.Finished) || last.Driver != nil {
		t.Errorf("after the callback %+v by %+v", last.Timing, last.Driver)
	}
	list := as[client.EventList](t, b, 200, "GET", fmt.Sprintf("%s/%d/events?commands=true&order=desc", tasksPath, task.ID), "")
	if len(list.Events) == 0 || list.Events[0].Command != "callback" || !list.Events[0].At.Equal(called) {
		t.Errorf("called back at %v: %+v", called, list.Events)
	}
}

// called gives when the first call of a node began as it is stored.
func (b *bundle) called(t *testing.T, task int64, node stdops.NodeIndex) time.Time {
	t.Helper()
	d, err := b.store.NodeDetail(t.Context(), stdops.TaskRef{Project: 1, Task: stdops.TaskID(task)}, node)
	must(t, err)
	return d.State.Called
}

// listed gives a node out of the list of all.
func (b *bundle) listed(t *testing.T, task int64, name string) client.Node {
	t.Helper()
	list := as[client.NodeList](t, b, 200, "GET", fmt.Sprintf("%s/%d/nodes", tasksPath, task), "")
	i := slices.IndexFunc(list.Nodes, func(n client.Node) bool { return n.Name == name })
	if i < 0 {
		t.Fatalf("no node %q in %+v", name, list.Nodes)
	}
	return list.Nodes[i]
}

// states gives how the nodes of a task stand, by index.
func (b *bundle) states(t *testing.T, task int64) map[int]client.NodeState {
	t.Helper()
	states := map[int]client.NodeState{}
	for _, n := range as[client.NodeStates](t, b, 200, "GET", fmt.Sprintf("%s/%d/states", tasksPath, task), "").Nodes {
		states[n.Index] = n
	}
	return states
}

// TestTimingIsDescribed: what the times of a node mean stands in the description of the API.
func TestTimingIsDescribed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var doc struct {
		Components struct {
			Schemas map[string]struct {
				Properties map[string]struct{ Description string }
			}
		}
	}
	if err := json.Unmarshal([]byte(send(t, b.local, request{method: "GET", path: "/openapi.json"}).text), &doc); err != nil {
		t.Fatal(err)
	}
	for _, schema := range []string{"Timing", "Driver"} {
		fields := doc.Components.Schemas[schema].Properties
		if len(fields) < 3 {
			t.Errorf("%s has %d fields", schema, len(fields))
		}
		for name, f := range fields {
			if !strings.Contains(f.Description, " ") {
				t.Errorf("%s.%s is described as %q", schema, name, f.Description)
			}
		}
	}
}
