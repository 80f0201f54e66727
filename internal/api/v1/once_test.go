package v1

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops/client"
)

// keyed sends a request with a key to the local door.
func (b *bundle) keyed(t *testing.T, key, path, body string) reply {
	t.Helper()
	return send(t, b.local, request{method: "POST", path: path, body: body, header: map[string]string{"Idempotency-Key": key}})
}

// TestKeyHasOneEffect: what is made or commanded under a key is that only once, and told about again.
func TestKeyHasOneEffect(t *testing.T) {
	t.Parallel()
	b := setup(t)
	waits := example(t, "release-with-approval")
	flow := client.NewFlow{Name: "f", Description: "d", Tree: waits}
	first := b.keyed(t, "flow", "/api/v1/projects/1/flows", encode(t, flow))
	second := b.keyed(t, "flow", "/api/v1/projects/1/flows", encode(t, flow))
	if first.status != 201 || second.status != 201 || first.text != second.text {
		t.Errorf("a flow twice: %v, %v", first, second)
	}
	task := encode(t, client.NewTask{Name: "one", Tree: waits, Constants: map[string]json.RawMessage{"${version}": json.RawMessage(`"v9"`)}})
	first, second = b.keyed(t, "task", tasksPath, task), b.keyed(t, "task", tasksPath, task)
	if first.status != 201 || second.status != 201 || first.text != second.text {
		t.Errorf("a task twice: %v, %v", first, second)
	}
	list := as[client.TaskList](t, b, 200, "GET", tasksPath, "")
	if len(list.Tasks) != 1 {
		t.Fatalf("%d tasks were made", len(list.Tasks))
	}
	commands := fmt.Sprintf("%s/%d/commands", tasksPath, list.Tasks[0].ID)
	for i, want := range []string{client.Running, client.Running} {
		got := b.keyed(t, "start", commands, `{"command":"start"}`)
		var told client.Task
		must(t, json.Unmarshal([]byte(got.text), &told))
		if got.status != 200 || told.State != want {
			t.Errorf("start %d: %v", i, got)
		}
	}
	b.await(t, list.Tasks[0].ID, client.Running)
	for name, got := range map[string]reply{
		"another body":    b.keyed(t, "start", commands, `{"command":"pause"}`),
		"another address": b.keyed(t, "task", "/api/v1/projects/1/flows", encode(t, flow)),
	} {
		if got.status != 409 {
			t.Errorf("%s: %v", name, got)
		}
	}
	for _, key := range []string{"", "a b", "ä"} {
		if got := b.keyed(t, key, commands, `{"command":"pause"}`); got.status != 422 {
			t.Errorf("key %q: %v", key, got)
		}
	}
}

// TestKeyIsDescribed: the description tells about the key of every operation that takes one.
func TestKeyIsDescribed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var description struct {
		Paths map[string]map[string]struct {
			OperationID string `json:"operationId"`
			Parameters  []struct{ Name, In string }
		}
	}
	must(t, json.Unmarshal([]byte(send(t, b.http, request{method: "GET", path: DescriptionPath}).text), &description))
	got := map[string]bool{}
	for _, operations := range description.Paths {
		for _, op := range operations {
			for _, p := range op.Parameters {
				if p.Name == "Idempotency-Key" && p.In == "header" {
					got[op.OperationID] = true
				}
			}
		}
	}
	if diff := cmp.Diff(map[string]bool{"create-flow": true, "import-flows": true, "create-task": true, "command-task": true, "command-tasks": true, "change-task": true}, got); diff != "" {
		t.Errorf("operations with a key (-want +got)\n%s", diff)
	}
}
