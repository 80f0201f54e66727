package app_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/stdops/stdops/client"
	"github.com/stdops/stdops/internal/app"
)

// requestTree is a flow of one request.
func requestTree(t *testing.T, method, url string) json.RawMessage {
	t.Helper()
	value := func(v any) map[string]any { return map[string]any{"hook": false, "need_render": true, "value": v} }
	text, err := json.Marshal(map[string]any{
		"start_event": map[string]any{"id": "s", "type": "EmptyStartEvent", "name": "", "incoming": "", "outgoing": "l1"},
		"end_event":   map[string]any{"id": "e", "type": "EmptyEndEvent", "name": "", "incoming": []string{"l2"}, "outgoing": ""},
		"activities": map[string]any{"ask": map[string]any{
			"id": "ask", "type": "ServiceActivity", "name": "ask", "incoming": []string{"l1"}, "outgoing": "l2",
			"component": map[string]any{"code": "bk_http_request", "version": "v1.0", "data": map[string]any{
				"bk_http_request_method": value(method), "bk_http_request_url": value(url), "bk_http_request_body": value("{}"),
			}},
		}},
		"flows": map[string]any{
			"l1": map[string]any{"id": "l1", "source": "s", "target": "ask"}, "l2": map[string]any{"id": "l2", "source": "ask", "target": "e"},
		},
		"gateways": map[string]any{}, "constants": map[string]any{}, "outputs": []string{},
	})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestAppRepeatsOnlyRequestsThatRead: the server is stopped while two requests are out. At the next start the GET is sent
// again under its key; what became of the POST is for a person to find out.
func TestAppRepeatsOnlyRequestsThatRead(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	keys := map[string][]string{} // by method
	arrived, answer := make(chan struct{}, 10), make(chan struct{})
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		keys[r.Method] = append(keys[r.Method], r.Header.Get("Idempotency-Key"))
		mu.Unlock()
		arrived <- struct{}{}
		select {
		case <-answer:
			_, _ = w.Write([]byte("{}"))
		case <-r.Context().Done():
		}
	}))
	defer target.Close()

	options := app.Options{
		Listen: "127.0.0.1:0", DataDir: t.TempDir(), TimeZone: "UTC", AllowOutbound: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")},
	}
	begin := func() *app.App {
		a, err := app.New(t.Context(), options)
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		return a
	}
	local, err := client.New(client.Options{Socket: app.SocketPath(options.DataDir)})
	if err != nil {
		t.Fatal(err)
	}
	defer local.Close()

	a := begin()
	ids := map[string]int64{}
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		task, err := local.CreateTask(t.Context(), 1, client.NewTask{Name: method, Tree: requestTree(t, method, target.URL), Start: true})
		if err != nil {
			t.Fatal(err)
		}
		ids[method] = task.ID
		<-arrived
	}
	cut, cancel := context.WithCancel(t.Context())
	cancel()
	_ = a.Stop(cut) // nobody waits for the requests
	close(answer)

	a = begin()
	defer stop(t, a)
	for method, want := range map[string]string{http.MethodGet: client.Finished, http.MethodPost: client.Failed} {
		if got := settled(t, local, ids[method]); got != want {
			t.Errorf("the task of the %s is %s, want %s", method, got, want)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if get := keys[http.MethodGet]; len(get) != 2 || get[0] == "" || get[0] != get[1] {
		t.Errorf("the GET was sent with the keys %q", get)
	}
	if post := keys[http.MethodPost]; len(post) != 1 || post[0] == "" {
		t.Errorf("the POST was sent with the keys %q", post)
	}
}

// settled gives the state of a task that goes on no more.
func settled(t *testing.T, c *client.Client, id int64) string {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		task, err := c.Task(t.Context(), 1, id)
		if err != nil {
			t.Fatal(err)
		}
		if task.Ended() || task.State == client.Failed {
			return task.State
		}
	}
	t.Fatalf("task %d goes on and on", id)
	return ""
}
