package app_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/client"
	"github.com/stdops/stdops/internal/app"
	"github.com/stdops/stdops/internal/store"
)

// TestCallbackReplay sends callbacks that nobody should take: twice, late, early, with an old version, from elsewhere. One
// transition comes of all of them, and each other is refused with its number.
func TestCallbackReplay(t *testing.T) {
	t.Parallel()
	c := newCrash(t)
	c.mustStart()
	other := c.otherProject()
	sh := &shape{name: "callback", flow: act("called", "effect_wait", "slow", "1")}
	id, node := c.waiting(sh, false)
	refused := func(what string, number int, text, path, node, version string) {
		t.Helper()
		body := map[string]any{"node_id": node, "callback_data": map[string]any{"said": "1"}, "version": version}
		if got, ok := c.call(path, body); !ok || got.Result || got.Code != number || !strings.Contains(got.Message, text) {
			t.Errorf("%s: %+v, want %d %s", what, got, number, text)
		}
	}
	here := fmt.Sprintf("/apigw/node_callback/%d/2/", id)
	refused("before the start", 3599999, "not started", here, node, "")
	c.startTask(id)
	old := c.versionOf(id, node)
	c.call(fmt.Sprintf("/apigw/operate_node/2/%d/", id), map[string]any{"node_id": node, "action": "forced_fail"})
	c.call(fmt.Sprintf("/apigw/operate_node/2/%d/", id), map[string]any{"node_id": node, "action": "retry"})
	version := c.versionOf(id, node)
	refused("with an old version", 3599999, "node version "+old+" not exist", here, node, old)
	refused("with a version that never was", 3599999, "not exist", here, node, "v00000000000000000000000000000000")
	refused("from another project", 3540400, "does not exist", fmt.Sprintf("/apigw/node_callback/%d/%d/", id, other), node, version)
	refused("for a task that there is not", 3540400, "does not exist", "/apigw/node_callback/999/2/", node, version)
	foreign, foreignNode := c.waiting(sh, true)
	refused("for a node of another task", 3540000, "does not have node", here, foreignNode, "")
	refused("for no node", 3540000, "does not have node", here, stdops.NodeID(stdops.TaskID(id), 4000), "")

	accepted := c.callBackAtOnce(here, node, version)
	if accepted != 1 {
		t.Errorf("%d of fifty callbacks with one version were accepted", accepted)
	}
	for deadline := time.Now().Add(time.Minute); c.stateOf(id) != "FINISHED"; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the task is %s", c.stateOf(id))
		}
	}
	refused("after the end", 3599999, "can not find sleep process", here, node, version)
	refused("after the end, without a version", 3599999, "can not find sleep process", here, node, "")
	if state := c.stateOf(foreign); state != "RUNNING" {
		t.Errorf("the other task is %s", state)
	}
	c.stop()
	c.verify()
	if n := c.transitionsTo(id, node, stdops.StateFinished); n != 1 {
		t.Errorf("the node was finished %d times", n)
	}
}

// waiting makes a task of one node and gives its id and that of the node.
func (c *crash) waiting(sh *shape, start bool) (id int64, node string) {
	c.t.Helper()
	id = c.making(sh)
	if start {
		c.startTask(id)
	}
	return id, c.called(id)
}

// otherProject makes a project and gives its business id.
func (c *crash) otherProject() int64 {
	c.t.Helper()
	native, err := client.New(client.Options{Socket: app.SocketPath(c.dir)})
	if err != nil {
		c.t.Fatal(err)
	}
	defer native.Close()
	const biz = 77
	if _, err := native.CreateProject(c.t.Context(), client.NewProject{Name: "other", Biz: biz}); err != nil {
		c.t.Fatal(err)
	}
	return biz
}

func (c *crash) versionOf(id int64, node string) (version string) {
	c.t.Helper()
	found, err := (&reader{caller: &c.caller}).singles([]int64{id})
	if err != nil {
		c.t.Fatal(err)
	}
	root := found[id]
	root.walk(func(n nodeStatus) {
		if n.ID == node {
			version = n.Version
		}
	})
	return version
}

func (c *crash) stateOf(id int64) string {
	c.t.Helper()
	found, err := (&reader{caller: &c.caller}).singles([]int64{id})
	if err != nil {
		c.t.Fatal(err)
	}
	return found[id].State
}

// callBackAtOnce sends fifty callbacks and gives how many were accepted.
func (c *crash) callBackAtOnce(path, node, version string) int {
	var accepted atomic.Int64
	var senders sync.WaitGroup
	for range 50 {
		senders.Go(func() {
			body := map[string]any{"node_id": node, "callback_data": map[string]any{"said": "1"}, "version": version}
			switch got, ok := c.call(path, body); {
			case ok && got.Result:
				accepted.Add(1)
			case !ok || got.Code != 3599999:
				c.t.Errorf("one of many: %+v", got)
			}
		})
	}
	senders.Wait()
	return int(accepted.Load())
}

// transitionsTo counts in the record of a stopped server.
func (c *crash) transitionsTo(id int64, node string, state stdops.State) (n int) {
	c.t.Helper()
	data, err := store.OpenCopy(c.t.Context(), c.dir)
	if err != nil {
		c.t.Fatal(err)
	}
	defer data.Close()
	record, err := data.Record(c.t.Context(), stdops.TaskRef{Project: 1, Task: stdops.TaskID(id)})
	if err != nil {
		c.t.Fatal(err)
	}
	for _, tr := range record.Log {
		if stdops.NodeID(stdops.TaskID(id), tr.Node) == node && tr.To == state {
			n++
		}
	}
	return n
}
