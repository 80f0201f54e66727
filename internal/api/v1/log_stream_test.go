package v1

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/client"
	"github.com/stdops/stdops/internal/api"
	"github.com/stdops/stdops/internal/service"
)

// TestNodeLogStream follows the log of a node from its tail to the end of the attempt, over a stream that breaks.
func TestNodeLogStream(t *testing.T) {
	t.Parallel()
	w := setupWatch(t)
	task, node, _ := w.waitsWithLog(t)
	w.appendLog(t, task.ID, node.ID, 0, "one\ntwo\nthree\n")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var got []client.NodeLog
	for part, err := range w.client(t).FollowLog(ctx, 1, task.ID, client.LogPage{Node: node.ID, Tail: 2}) {
		must(t, err)
		got = append(got, *part)
		switch len(got) {
		case 1:
			w.server.CloseClientConnections() // it is gone on with
			w.appendLog(t, task.ID, node.ID, 0, "four")
		case 2:
			w.appendLog(t, task.ID, node.ID, 0, " and a half\nfive\n")
		case 3:
			w.do(t, task.ID, 200, client.Command{Command: "callback", Node: node.ID})
		}
	}
	base := client.NodeLog{Node: node.ID, Attempt: 1, Attempts: 1}
	part := func(text string, from, line, size int64) client.NodeLog {
		p := base
		p.Text, p.From, p.Line, p.Next, p.Size = text, from, line, from+int64(len(text)), size
		return p
	}
	want := []client.NodeLog{
		part("two\nthree\n", 4, 2, 14), part("four", 14, 4, 18), part(" and a half\nfive\n", 18, 4, 35),
	}
	if len(got) == 4 { // what was new while the stream was away is told with an empty text, or not
		got = got[:3]
	}
	if diff := cmp.Diff(want, got, untimed); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
	for w.hub.Watching() > 0 || w.gates.Watches.Enter(api.Who{}) != nil {
		time.Sleep(time.Millisecond)
	}
	w.gates.Watches.Leave(api.Who{})
}

// events reads the stream of a log; the function that it gives reads the next event, "" at the end.
func (w *watching) events(t *testing.T, path string, header map[string]string) (status int, next func() (name, id, data string)) {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.server.URL+path, nil)
	must(t, err)
	q.Header.Set("Accept", eventStream)
	q.Header.Set("Authorization", "Bearer "+w.token)
	for k, v := range header {
		q.Header.Set(k, v)
	}
	answer, err := http.DefaultClient.Do(q)
	must(t, err)
	t.Cleanup(func() { answer.Body.Close() })
	lines := bufio.NewScanner(answer.Body)
	return answer.StatusCode, func() (name, id, data string) {
		for lines.Scan() {
			field, value, _ := strings.Cut(lines.Text(), ": ")
			switch field {
			case "event":
				name = value
			case "id":
				id = value
			case "data":
				data = value
			case "":
				if name != "" && name != client.EventPing {
					return name, id, data
				}
				name, id, data = "", "", ""
			}
		}
		return "", "", ""
	}
}

func TestNodeLogStreamGoesOnAfterAnID(t *testing.T) {
	t.Parallel()
	w := setupWatch(t)
	task, node, path := w.waitsWithLog(t)
	long := strings.Repeat("0123456789abcde\n", 200) // more than one event
	w.appendLog(t, task.ID, node.ID, 0, long)
	w.do(t, task.ID, 200, client.Command{Command: "callback", Node: node.ID})
	w.await(t, task.ID, client.Finished)
	var ids []string
	_, next := w.events(t, path+"?limit=1024", nil)
	for i := range 4 {
		name, id, data := next()
		if text := fmt.Sprintf(`"from":%d,"line":%d`, i*1024, i*64+1); name != client.EventLog || !strings.Contains(data, text) {
			t.Fatalf("event %d: %s, data without %s: %.300s", i, name, text, data)
		}
		ids = append(ids, id)
	}
	if name, _, data := next(); name != client.EventEnd || data != `{"reason":"complete"}` {
		t.Errorf("the end: %s %s", name, data)
	}
	_, next = w.events(t, path+"?tail=3&limit=1024", map[string]string{"Last-Event-ID": ids[1]})
	if name, _, data := next(); name != client.EventLog || !strings.Contains(data, `"from":2048,"line":129`) {
		t.Errorf("after %s: %s %.300s", ids[1], name, data)
	}
	_, next = w.events(t, path, map[string]string{"Last-Event-ID": ids[3]})
	if _, id, data := next(); id != ids[3] || !strings.Contains(data, `"text":""`) {
		t.Errorf("after the last: %s, %.300s", id, data)
	}
	if name, _, _ := next(); name != client.EventEnd {
		t.Errorf("after that: %s", name)
	}
	for _, bad := range []string{"x", "1.2", "9.9.9.x"} {
		if status, _ := w.events(t, path, map[string]string{"Last-Event-ID": bad}); status != 422 {
			t.Errorf("after %q: status %d", bad, status)
		}
	}
	if status, _ := w.events(t, path+"?attempt=2", nil); status != 404 {
		t.Errorf("an attempt that there is not: status %d", status)
	}
}

// A node that has not run is waited for, and the end of the server ends the stream.
func TestNodeLogStreamWaitsForTheNode(t *testing.T) {
	t.Parallel()
	w := setupWatch(t)
	task := w.task(t, false)
	path := fmt.Sprintf("%s/%d/nodes/Approve%%20the%%20release/log", tasksPath, task.ID)
	_, next := w.events(t, path, nil)
	if name, id, data := next(); name != client.EventLog || id != "" || !strings.Contains(data, `"attempt":0`) {
		t.Errorf("at first: %s %q %s", name, id, data)
	}
	as[client.Task](t, w.bundle, 200, "POST", fmt.Sprintf("%s/%d/commands", tasksPath, task.ID), `{"command":"start"}`)
	if name, id, data := next(); name != client.EventLog || id == "" || !strings.Contains(data, `"attempt":1`) {
		t.Errorf("when it runs: %s %q %s", name, id, data)
	}
	w.hub.Stop(client.EndDraining)
	if name, _, data := next(); name != client.EventEnd || data != `{"reason":"draining"}` {
		t.Errorf("the end: %s %s", name, data)
	}
	if status, _ := w.events(t, path, nil); status != 503 {
		t.Errorf("after the end: status %d", status)
	}
}

// Nobody waits for a node of a task that is deleted before it was started.
func TestNodeLogStreamEndsWithADeletedTask(t *testing.T) {
	t.Parallel()
	w := setupWatch(t)
	task := w.task(t, false)
	_, next := w.events(t, fmt.Sprintf("%s/%d/nodes/Approve%%20the%%20release/log", tasksPath, task.ID), nil)
	if name, _, data := next(); name != client.EventLog || !strings.Contains(data, `"complete":false`) {
		t.Errorf("at first: %s %s", name, data)
	}
	must(t, w.store.DeleteTask(t.Context(), stdops.TaskRef{Project: 1, Task: stdops.TaskID(task.ID)}))
	if name, _, data := next(); name != client.EventEnd || data != `{"reason":"complete"}` {
		t.Errorf("the end: %s %s", name, data)
	}
}

// Streams have places of their own; a page of a log needs none of these.
func TestNodeLogStreamsHavePlaces(t *testing.T) {
	t.Parallel()
	w := setupWatch(t)
	_, _, path := w.waitsWithLog(t)
	for i := range 10 { // by others
		must(t, w.gates.Watches.Enter(api.Who{User: fmt.Sprint(i / 5)}))
	}
	if status, _ := w.events(t, path, nil); status != 503 {
		t.Errorf("no place is left: status %d", status)
	}
	if status, _ := w.events(t, path, map[string]string{"Accept": "application/json"}); status != 200 {
		t.Errorf("a page: status %d", status)
	}
	w.gates.Watches.Leave(api.Who{User: "0"})
	must(t, w.svc.Grant(t.Context(), service.LocalAdmin(), "ann", service.Roles{1: ""}))
	if status, _ := w.events(t, path, nil); status != 403 {
		t.Errorf("without a permission: status %d", status)
	}
	must(t, w.gates.Watches.Enter(api.Who{})) // who was refused has given the place back
}
