package app_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops/client"
	"github.com/stdops/stdops/internal/app"
)

// TestClusterDriver asks three servers on one database, of which one drives no tasks, who drives a task: they tell the same,
// from its start to its end.
func TestClusterDriver(t *testing.T) {
	t.Parallel()
	c := newCluster(t, app.Roles{}, app.Roles{}, app.Roles{NoWorker: true})
	tree, err := json.Marshal(chain(act("wait", "sleep_timer", "bk_timing", "30"), act("ask", "pause_node")).tree())
	if err != nil {
		t.Fatal(err)
	}
	task, err := c.client(2).CreateTask(t.Context(), 1, client.NewTask{Name: "one", Tree: tree})
	if err != nil {
		t.Fatal(err)
	}
	// until gives what all servers tell of a node once they tell what is waited for; they are asked one after the other, so that
	// what happens meanwhile is told by some of them only.
	until := func(node, what string, is func(*client.NodeDetail) bool) *client.NodeDetail {
		t.Helper()
		var differ string
		for last := time.Now().Add(time.Minute); time.Now().Before(last); time.Sleep(20 * time.Millisecond) {
			var told []*client.NodeDetail
			for i := range c.apps {
				n, err := c.client(i).Node(t.Context(), 1, task.ID, client.NodeQuery{Node: node})
				if err != nil {
					t.Fatal(err)
				}
				told = append(told, n)
			}
			differ = ""
			for _, n := range told[1:] {
				differ += cmp.Diff(told[0].Driver, n.Driver) + cmp.Diff(told[0].Timing, n.Timing)
			}
			if differ == "" && is(told[0]) && is(told[2]) {
				return told[0]
			}
		}
		t.Fatalf("%s: it does not come to that; how servers differ: %s", what, differ)
		return nil
	}
	until("wait", "not started", func(n *client.NodeDetail) bool { return n.Driver == nil && n.TakenAt.IsZero() })
	if _, err := c.client(2).Do(t.Context(), 1, task.ID, client.Command{Command: "start"}); err != nil {
		t.Fatal(err)
	}
	n := until("wait", "waits for its time", func(n *client.NodeDetail) bool { return n.Phase == "waiting" && n.Driver != nil })
	if n.Driver.Name == "" || n.Driver.PID == 0 || n.Driver.Lost || n.Timing.Due.Sub(n.Timing.Started) < 29*time.Second {
		t.Errorf("%+v, driven by %+v", n.Timing, n.Driver)
	}
	if _, err := c.client(1).Do(t.Context(), 1, task.ID, client.Command{Command: "force-fail", Node: "wait"}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.client(0).Do(t.Context(), 1, task.ID, client.Command{Command: "retry", Node: "wait", Inputs: json.RawMessage(`{"bk_timing":"7200"}`)}); err != nil {
		t.Fatal(err)
	}
	n = until("wait", "waits for hours", func(n *client.NodeDetail) bool {
		return n.Driver == nil && !n.TakenAt.IsZero() && !n.Timing.Due.IsZero() && len(n.Attempts) == 1
	})
	if left := n.Attempts[0].Timing.Left; left.IsZero() || !left.Equal(n.Timing.Retried) || n.TakenAt.After(n.Timing.Due) {
		t.Errorf("taken at %v: %+v after %+v", n.TakenAt, n.Timing, n.Attempts[0].Timing)
	}
}
