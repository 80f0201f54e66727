package v1

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops/client"
)

// closedTree is a tree of a gateway of two branches, both closed, and a last activity.
func closedTree(kind string) json.RawMessage {
	act := func(id, name, in, out string) string {
		return fmt.Sprintf(`%q:{"id":%q,"type":"ServiceActivity","name":%q,"incoming":%s,"outgoing":%q,
			"component":{"code":"bk_display","version":"1.0","data":{"bk_display_message":{"hook":false,"value":"${who}"}}}}`, id, id, name, in, out)
	}
	flows := ""
	for i, ends := range [][2]string{{"s", "g"}, {"g", "a"}, {"g", "b"}, {"a", "c"}, {"b", "c"}, {"c", "z"}, {"z", "e"}} {
		flows += fmt.Sprintf(`,"f%d":{"id":"f%d","source":%q,"target":%q}`, i, i, ends[0], ends[1])
	}
	return json.RawMessage(fmt.Sprintf(`{
		"start_event":{"id":"s","name":"","type":"EmptyStartEvent","outgoing":"f0"},
		"end_event":{"id":"e","name":"","type":"EmptyEndEvent","incoming":["f6"]},
		"activities":{%s,%s,%s},
		"gateways":{
			"g":{"id":"g","name":"Which","type":%q,"incoming":["f0"],"outgoing":["f1","f2"],
				"conditions":{"f1":{"evaluate":"1 == 2"},"f2":{"evaluate":"${who} == 'nobody'"}}},
			"c":{"id":"c","name":"Both","type":"ConvergeGateway","incoming":["f3","f4"],"outgoing":"f5"}},
		"flows":{%s},
		"constants":{"${who}":{"key":"${who}","name":"who","value":"ann","show_type":"show","source_type":"custom"}},
		"outputs":[]}`,
		act("a", "Left", `["f1"]`, "f3"), act("b", "Right", `["f2"]`, "f4"), act("z", "Last", `["f5"]`, "f6"), kind, flows[1:]))
}

func (b *bundle) node(t *testing.T, id int64, status int, node, query string) client.NodeDetail {
	t.Helper()
	return as[client.NodeDetail](t, b, status, "GET", fmt.Sprintf("%s/%d/nodes/%s%s", tasksPath, id, url.PathEscape(node), query), "")
}

func TestSkipGatewaysAlongBranches(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for kind, taken := range map[string][]string{"ExclusiveGateway": {"Right"}, "ConditionalParallelGateway": {"Right", "Left"}} {
		task := b.create(t, client.NewTask{Name: kind, Tree: closedTree(kind), Start: true})
		b.await(t, task.ID, client.Failed)
		gateway := b.node(t, task.ID, 200, "Which", "")
		if gateway.Kind != kind || gateway.State != client.Failed || !strings.Contains(gateway.Error, "all conditions of branches are not meet") || len(gateway.Branches) != 2 {
			t.Fatalf("the failed gateway %+v", gateway)
		}
		right := gateway.Branches[1]
		if right.Name != "Right" || right.Condition != "${who} == 'nobody'" || right.Default || !strings.HasPrefix(right.Flow, "l") || !strings.HasPrefix(right.Node, "n") {
			t.Errorf("branch %+v", right)
		}
		for _, c := range []struct {
			status   int
			node     string
			branches []string
			text     string
		}{
			{422, "Which", nil, "skip-branch needs branches"},
			{422, "Which", []string{"Last"}, `no branch of the gateway leads to \"Last\"`},
			{409, "Last", []string{"Left"}, "has no branches to choose from, it is a ServiceActivity"},
			{404, "Nobody", []string{"Left"}, "has no node"},
		} {
			got := send(t, b.local, request{method: "POST", path: fmt.Sprintf("%s/%d/commands", tasksPath, task.ID), body: encode(t, client.Command{
				Command: "skip-branch", Node: c.node, Branches: c.branches,
			})})
			if got.status != c.status || !strings.Contains(got.text, c.text) {
				t.Errorf("%s along %q: %d %s, want %d %s", c.node, c.branches, got.status, got.text, c.status, c.text)
			}
		}
		taken[0] = []string{right.Flow, right.Node, right.Name}[len(taken)]
		b.do(t, task.ID, 200, client.Command{Command: "skip-branch", Node: "Which", Branches: taken})
		b.await(t, task.ID, client.Finished)
		gateway = b.node(t, task.ID, 200, gateway.ID, "")
		if !gateway.Skipped || len(gateway.Attempts) != 1 || gateway.Attempts[0].Skipped || gateway.Attempts[0].Error == "" {
			t.Errorf("the skipped gateway %+v", gateway)
		}
		if left := b.node(t, task.ID, 200, "Left", ""); (left.State == client.Finished) != (len(taken) == 2) {
			t.Errorf("the other branch is %s", left.State)
		}
	}
}

// TestNodeDetail: what a node would be given, was given and gave, and its earlier attempts.
func TestNodeDetail(t *testing.T) {
	t.Parallel()
	b := setup(t)
	task := b.create(t, client.NewTask{Name: "night", Tree: example(t, "maintenance-window")})
	wait := b.node(t, task.ID, 200, "Wait for the window", "")
	if wait.State != client.Created || string(wait.Inputs) != `{"bk_timing":"tomorrow night"}` || wait.Plugin != "sleep_timer" || wait.Loop != 0 && wait.Loop != 1 || len(wait.Attempts) != 0 {
		t.Errorf("before the start %+v", wait)
	}
	b.do(t, task.ID, 200, client.Command{Command: "start"})
	b.await(t, task.ID, client.Failed)
	b.do(t, task.ID, 200, client.Command{Command: "pause-node", Node: "Do the work"})
	if work := b.node(t, task.ID, 200, "Do the work", ""); work.State != client.Created || work.Phase != "appointed" {
		t.Errorf("with an appointed pause %+v", work)
	}
	failed := b.node(t, task.ID, 200, "Wait for the window", "")
	if failed.State != client.Failed || !strings.Contains(failed.Error, "tomorrow night") || failed.Version == "" {
		t.Errorf("after the failure %+v", failed)
	}
	b.do(t, task.ID, 200, client.Command{Command: "retry", Node: failed.ID, Inputs: json.RawMessage(`{"bk_timing":"0"}`)})
	b.await(t, task.ID, client.NodeSuspended)
	again := b.node(t, task.ID, 200, "Wait for the window", "")
	if again.State != client.Finished || again.Retry != 1 || !strings.Contains(string(again.Inputs), `"bk_timing":"0"`) || again.Error != "" {
		t.Errorf("after the retry %+v", again)
	}
	var keys []string
	for _, o := range again.Outputs {
		keys = append(keys, o.Key)
	}
	if d := cmp.Diff([]string{"business_tz", "timing_time", "_result", "_loop", "_inner_loop"}, keys); d != "" {
		t.Errorf("outputs (-want +got):\n%s", d)
	}
	if len(again.Attempts) != 1 {
		t.Fatalf("attempts %+v", again.Attempts)
	}
	first := again.Attempts[0]
	if first.State != client.Failed || first.Version != failed.Version || first.Error != failed.Error || !strings.Contains(string(first.Inputs), "tomorrow night") || !strings.Contains(string(first.Outputs), "ex_data") {
		t.Errorf("the first attempt %+v", first)
	}
	b.node(t, task.ID, 404, "nobody", "")
	b.node(t, task.ID, 404, "n00000000000000630000000000000003", "")
	b.node(t, 999, 404, "Do the work", "")
	b.node(t, task.ID, 422, failed.ID, "?loop=0")
	b.node(t, task.ID, 404, failed.ID, "?loop=2")
	if got := b.node(t, task.ID, 200, failed.ID, "?loop=1"); got.Loop != 1 {
		t.Errorf("its first loop %+v", got)
	}
}

// TestEveryNodeCommand: what the compatible API can do with nodes, the native one can as well.
func TestEveryNodeCommand(t *testing.T) {
	t.Parallel()
	b := setup(t)
	inside := fmt.Sprintf(`{"start_event":{"id":"s","name":"","type":"EmptyStartEvent","outgoing":"f0"},
		"end_event":{"id":"e","name":"","type":"EmptyEndEvent","incoming":["f1"]},
		"activities":{"p":{"id":"p","type":"SubProcess","name":"Release","incoming":["f0"],"outgoing":"f1","pipeline":%s}},
		"gateways":{},"flows":{"f0":{"id":"f0","source":"s","target":"p"},"f1":{"id":"f1","source":"p","target":"e"}},
		"constants":{},"outputs":[]}`, example(t, "release-with-approval"))
	task := b.create(t, client.NewTask{Name: "release", Tree: json.RawMessage(inside), Start: true})
	const approve = "Approve the release"
	b.until(t, task.ID, "waiting for approval", func(client.Task) bool { return b.node(t, task.ID, 200, approve, "").Phase == "waiting" })
	b.do(t, task.ID, 200, client.Command{Command: "pause-subprocess", Node: "Release"})
	b.await(t, task.ID, client.NodeSuspended)
	b.do(t, task.ID, 409, client.Command{Command: "retry-subprocess", Node: "Release"})
	b.do(t, task.ID, 200, client.Command{Command: "resume-subprocess", Node: "Release"})
	b.do(t, task.ID, 200, client.Command{Command: "force-fail", Node: approve})
	if n := b.node(t, task.ID, 200, approve, ""); n.State != client.Failed || n.Error != "The node has been terminated by local." {
		t.Errorf("after the forced failure %+v", n)
	}
	b.do(t, task.ID, 200, client.Command{Command: "skip", Node: approve})
	b.await(t, task.ID, client.Finished)
}
