package sops_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stdops/stdops/internal/api"
	"github.com/stdops/stdops/internal/api/sops"
)

// TestGates: a full server refuses with 503 before it reads a body, and those who are known and those who are not have a
// share each.
func TestGates(t *testing.T) {
	t.Parallel()
	s := setup(t)
	gates := api.NewGates(1, 1)
	inner, err := sops.New(s.svc, sops.Options{Gates: gates})
	must(t, err)
	handler := api.Handler(inner, slog.New(slog.DiscardHandler))
	inBody := `{"task_id_list":[],` + auth("trusted", "admin")[1:]
	send := func(known bool) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), "POST", "/get_tasks_status/2/", strings.NewReader(inBody))
		if known {
			r.Header.Set("X-Bkapi-Authorization", auth("trusted", "admin"))
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w
	}
	for _, full := range []*api.Gate{nil, gates.Known, gates.Strangers} {
		if full != nil {
			must(t, full.Enter())
		}
		for known, gate := range map[bool]*api.Gate{true: gates.Known, false: gates.Strangers} {
			w := send(known)
			want := http.StatusOK
			if gate == full {
				want = http.StatusServiceUnavailable
			}
			if w.Code != want || (w.Header().Get("Retry-After") == "1") != (gate == full) {
				t.Errorf("known %v: status %d, want %d: %s", known, w.Code, want, w.Body)
			}
		}
		if full != nil {
			full.Leave()
		}
	}
}
