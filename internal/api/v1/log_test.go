package v1

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/client"
	"github.com/stdops/stdops/internal/service"
)

// waitsWithLog makes a task that waits at the node "Approve the release", and gives the path of the node's log.
func (b *bundle) waitsWithLog(t *testing.T) (task client.Task, node client.Node, path string) {
	t.Helper()
	task = b.create(t, client.NewTask{Name: "release", Tree: example(t, "release-with-approval"), Start: true})
	const name = "Approve the release"
	b.until(t, task.ID, "waiting", func(client.Task) bool {
		list := as[client.NodeList](t, b, 200, "GET", fmt.Sprintf("%s/%d/nodes", tasksPath, task.ID), "")
		for _, n := range list.Nodes {
			if n.Name == name && n.Phase == "waiting" {
				node = n
			}
		}
		return node.ID != ""
	})
	return task, node, fmt.Sprintf("%s/%d/nodes/%s/log", tasksPath, task.ID, url.PathEscape(name))
}

func (b *bundle) appendLog(t *testing.T, task int64, node string, retry int32, text string) {
	t.Helper()
	_, index, ok := stdops.ParseNodeID(node)
	if !ok {
		t.Fatalf("%s is no id of a node", node)
	}
	_, err := b.store.AppendLogs(t.Context(), []stdops.LogPiece{{
		LogKey: stdops.LogKey{TaskRef: stdops.TaskRef{Project: 1, Task: stdops.TaskID(task)}, Node: index, Loop: 1, Retry: retry},
		Text:   []byte(text),
	}})
	must(t, err)
}

// untimed leaves out of a comparison when lines were written.
var untimed = cmpopts.IgnoreFields(client.NodeLog{}, "Times")

// Each line is as old as the piece in which it began, whichever part of the log is asked for.
func TestNodeLogTimes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	task, node, path := b.waitsWithLog(t)
	var times []time.Time // before and after each piece
	for _, text := range []string{"one\ntwo\nth", "ree\nfour\n"} {
		times = append(times, b.svc.Now().Truncate(time.Millisecond))
		b.appendLog(t, task.ID, node.ID, 0, text)
		times = append(times, b.svc.Now())
		for until := b.svc.Now().Add(2 * time.Millisecond); b.svc.Now().Before(until); { // the next one is later
			time.Sleep(time.Millisecond)
		}
	}
	starts := []struct {
		from  int64
		piece int
	}{{0, 0}, {4, 0}, {8, 0}, {14, 1}}
	for _, query := range []string{"", "?tail=9", "?line=1"} {
		got := as[client.NodeLog](t, b, 200, "GET", path+query, "")
		for _, line := range starts {
			if at := got.TimeAt(line.from); at.Before(times[2*line.piece]) || at.After(times[2*line.piece+1]) {
				t.Errorf("%s: the line at %d is of %v, want between %v and %v", query, line.from, at, times[2*line.piece], times[2*line.piece+1])
			}
		}
	}
	if got := as[client.NodeLog](t, b, 200, "GET", path+"?from=15", ""); len(got.Times) != 1 || got.Times[0].From > 15 || got.TimeAt(3) != (time.Time{}) {
		t.Errorf("from the second piece on: %+v", got.Times)
	}
}

func TestNodeLogTail(t *testing.T) {
	t.Parallel()
	b := setup(t)
	task, node, path := b.waitsWithLog(t)
	b.appendLog(t, task.ID, node.ID, 0, "一\n二\n三\n")
	got := as[client.NodeLog](t, b, 200, "GET", path+"?tail=2", "")
	want := client.NodeLog{Node: node.ID, Attempt: 1, Attempts: 1, Text: "二\n三\n", From: 4, Line: 2, Next: 12, Size: 12}
	if diff := cmp.Diff(want, got, untimed); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	b.appendLog(t, task.ID, node.ID, 0, strings.Repeat("é", 600))
	if got := as[client.NodeLog](t, b, 200, "GET", path+"?tail=1&limit=1025", ""); got.Text != strings.Repeat("é", 512) || got.Next != got.Size {
		t.Errorf("the end of a long line: %d bytes, next %d of %d", len(got.Text), got.Next, got.Size)
	}
	for _, bad := range []string{"?tail=1&from=4", "?tail=0", "?tail=1001", "?line=0", "?line=1&from=4", "?line=1&tail=1"} {
		as[client.Error](t, b, 422, "GET", path+bad, "")
	}
}

func TestNodeLogCanBeFollowed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	task, node, path := b.waitsWithLog(t)
	want := client.NodeLog{Node: node.ID, Attempt: 1, Attempts: 1}
	check := func(query string) {
		t.Helper()
		got := as[client.NodeLog](t, b, 200, "GET", path+query, "")
		if diff := cmp.Diff(want, got, untimed); diff != "" {
			t.Errorf("%s (-want +got):\n%s", query, diff)
		}
	}
	want.Line = 1
	check("")
	first := strings.Repeat("é", 600) // the limit is in the middle of a character
	b.appendLog(t, task.ID, node.ID, 0, "x"+first)
	want.Text, want.Next, want.Size = "x"+first[:1022], 1023, 1201
	check("?limit=1024")
	want.Text, want.From, want.Line, want.Next = first[1022:], 1023, 0, 1201
	check("?limit=1024&from=1023&attempt=1")
	want.Text, want.From = first[2:], 3
	check("?from=2") // inside of a character
	want.Text, want.From, want.Next = "", 1201, 1201
	check("?from=1201")
	b.appendLog(t, task.ID, node.ID, 0, "end\n")
	want.Text, want.Next, want.Size = "end\n", 1205, 1205
	check("?from=1201")
	want.Text, want.From, want.Line = "", 1205, 2
	check("?line=2")
	check("?line=9")
	want.Text, want.From, want.Line = "end\n", 1201, 0
	b.do(t, task.ID, 200, client.Command{Command: "callback", Node: node.ID})
	b.await(t, task.ID, client.Finished)
	want.Complete = true
	check("?from=1201")
	as[client.Error](t, b, 404, "GET", path+"?attempt=2", "")
	as[client.Error](t, b, 422, "GET", path+"?from=-1", "")
	as[client.Error](t, b, 404, "GET", fmt.Sprintf("%s/%d/nodes/nobody/log", tasksPath, task.ID), "")
	as[client.Error](t, b, 404, "GET", strings.Replace(path, fmt.Sprint("/", task.ID, "/"), "/99/", 1), "")
}

// A log is what a flow has written: a browser must keep it as a file, whatever it looks like.
func TestNodeLogIsNeverShownByABrowser(t *testing.T) {
	t.Parallel()
	b := setup(t)
	task, node, path := b.waitsWithLog(t)
	const text = "<html><script>alert(1)</script>\x1b[31m"
	b.appendLog(t, task.ID, node.ID, 0, text)
	got := send(t, b.local, request{method: "GET", path: path + ".txt"})
	for key, value := range map[string]string{
		"Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store",
		"Content-Disposition": fmt.Sprintf(`attachment; filename="task-%d-%s-attempt-1.txt"`, task.ID, node.ID),
	} {
		if got.header.Get(key) != value {
			t.Errorf("%s is %q, want %q", key, got.header.Get(key), value)
		}
	}
	if got.status != 200 || got.text != text {
		t.Errorf("status %d, %q", got.status, got.text)
	}
}

func TestNodeLogNeedsAPermission(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, _, path := b.waitsWithLog(t)
	as[client.User](t, b, 201, "POST", "/api/v1/users", `{"name":"ann"}`)
	token := as[client.Token](t, b, 201, "POST", "/api/v1/tokens", `{"user":"ann"}`)
	for _, file := range []string{path, path + ".txt"} {
		if got := send(t, b.http, request{method: "GET", path: file, token: token.Secret}); got.status != 403 {
			t.Errorf("%s: status %d: %s", file, got.status, got.text)
		}
	}
	must(t, b.svc.Grant(t.Context(), service.LocalAdmin(), "ann", service.Roles{1: service.Viewer}))
	if got := send(t, b.http, request{method: "GET", path: path, token: token.Secret}); got.status != 200 {
		t.Errorf("a viewer: status %d: %s", got.status, got.text)
	}
}
