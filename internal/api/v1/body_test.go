package v1

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stdops/stdops/internal/api"
)

// TestTreesTakeTurns: a request with a large tree is not read before there is room for it, and makes room again.
func TestTreesTakeTurns(t *testing.T) {
	t.Parallel()
	b := setup(t)
	body := `{"name":"x","tree":{"pad":"` + strings.Repeat("x", 100<<10) + `"}}`
	leave, err := b.bodies.Enter(t.Context(), api.KnownBytes, true)
	must(t, err)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for _, length := range []int64{int64(len(body)), -1} {
		r := httptest.NewRequestWithContext(gone, "POST", "http://127.0.0.1/api/v1/projects/1/flows", strings.NewReader(body))
		r.ContentLength = length
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		b.local.ServeHTTP(w, r)
		if w.Code != http.StatusRequestTimeout {
			t.Errorf("without room: status %d: %s", w.Code, w.Body)
		}
	}
	leave()
	for range 2 {
		if got := send(t, b.local, request{method: "POST", path: "/api/v1/projects/1/flows", body: body}); got.status != http.StatusUnprocessableEntity {
			t.Errorf("with room: status %d: %s", got.status, got.text)
		}
		leave, err := b.bodies.Enter(t.Context(), api.KnownBytes, true)
		must(t, err)
		leave()
	}
}
