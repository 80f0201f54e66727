package v1

import (
	"log/slog"
	"net/http"
	"testing"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/client"
	"github.com/stdops/stdops/internal/api"
	"github.com/stdops/stdops/internal/service"
)

// TestFullServer: what changes something is refused while the server is full, what only looks is not.
func TestFullServer(t *testing.T) {
	t.Parallel()
	b := setup(t)
	gates := api.NewGates(1, 1)
	handler, err := New(b.svc, Options{Local: true, Gates: gates})
	must(t, err)
	outer := api.Handler(handler, slog.New(slog.DiscardHandler))
	must(t, gates.Known.Enter())
	post := request{method: "POST", path: tasksPath, body: encode(t, client.NewTask{Name: "one", Tree: example(t, "release-with-approval")})}
	if got := send(t, outer, post); got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") != "1" {
		t.Errorf("a task for a full server: %v", got)
	}
	if got := send(t, outer, request{method: "GET", path: tasksPath}); got.status != http.StatusOK {
		t.Errorf("a list: %v", got)
	}
	gates.Known.Leave()
	if got := send(t, outer, post); got.status != http.StatusCreated {
		t.Errorf("a task when there is room again: %v", got)
	}
}

// TestTooManyRequestsOfAUser: users without an app have a bucket each; the socket of the data directory has none.
func TestTooManyRequestsOfAUser(t *testing.T) {
	t.Parallel()
	limits := stdops.DefaultLimits()
	limits.Rate = 2
	b := setupWith(t, &limits)
	tokens := map[string]string{}
	for _, name := range []string{"ann", "bob"} {
		must(t, b.svc.CreateUser(t.Context(), service.LocalAdmin(), service.NewUser{Name: name}))
		secret, _, err := b.svc.CreateToken(t.Context(), service.LocalAdmin(), service.NewToken{User: name, Name: "t"})
		must(t, err)
		tokens[name] = secret
	}
	var refused reply
	for range 1000 {
		if refused = send(t, b.http, request{method: "GET", path: "/api/v1/me", token: tokens["ann"]}); refused.status != http.StatusOK {
			break
		}
	}
	if refused.status != http.StatusTooManyRequests || refused.header.Get("Retry-After") != "1" {
		t.Errorf("too many requests: %v", refused)
	}
	if got := send(t, b.http, request{method: "GET", path: "/api/v1/me", token: tokens["bob"]}); got.status != http.StatusOK {
		t.Errorf("another user: %v", got)
	}
	for range 10 {
		if got := send(t, b.local, request{method: "GET", path: "/api/v1/me"}); got.status != http.StatusOK {
			t.Errorf("by the socket: %v", got)
		}
	}
}
