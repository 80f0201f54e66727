package v1

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/stdops/stdops/internal/api"
)

func TestPanicBecomesAProblem(t *testing.T) {
	t.Parallel()
	b := setup(t)
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	h, err := New(b.svc, Options{Log: log})
	must(t, err)
	mux := h.(*server).mux
	mux.HandleFunc("GET /api/v1/early", func(http.ResponseWriter, *http.Request) { panic("the secret cause") })
	mux.HandleFunc("GET /api/v1/late", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "half an")
		panic("the secret cause")
	})
	door := api.Handler(h, log)
	got := send(t, door, request{method: "GET", path: "/api/v1/early"})
	if got.status != 500 || !strings.Contains(got.text, `"code":"internal"`) || strings.Contains(got.text, "secret") {
		t.Errorf("early panic: %d %s", got.status, got.text)
	}
	func() {
		defer func() {
			if cause, _ := recover().(error); !errors.Is(cause, http.ErrAbortHandler) {
				t.Errorf("late panic: %v, want the connection to break", cause)
			}
		}()
		send(t, door, request{method: "GET", path: "/api/v1/late"})
	}()
}
