package v1

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stdops/stdops/client"
)

// TestStrangersBodiesAreNotRead: who may not use a route is refused before the body is looked at.
func TestStrangersBodiesAreNotRead(t *testing.T) {
	t.Parallel()
	b := setup(t)
	as[client.User](t, b, 201, "POST", "/api/v1/users", `{"name":"ann"}`)
	token := as[client.Token](t, b, 201, "POST", "/api/v1/tokens", `{"user":"ann"}`)
	for _, c := range []struct {
		name, path, token string
		status            int
	}{
		{"nobody", "/api/v1/projects/1/tasks", "", http.StatusUnauthorized},
		{"a bad token", "/api/v1/projects/1/flows", "x", http.StatusUnauthorized},
		{"no administrator", "/api/v1/apps", token.Secret, http.StatusForbidden},
	} {
		body := &counted{Reader: strings.NewReader(`{"name":"x"} trailing`)}
		q := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://127.0.0.1"+c.path, body)
		q.Header.Set("Content-Type", "application/json")
		if c.token != "" {
			q.Header.Set("Authorization", "Bearer "+c.token)
		}
		w := httptest.NewRecorder()
		b.http.ServeHTTP(w, q)
		if w.Code != c.status || w.Header().Get("Content-Type") != "application/problem+json" || !strings.Contains(w.Body.String(), `"request_id":"`) {
			t.Errorf("%s: status %d, want %d: %s", c.name, w.Code, c.status, w.Body)
		}
		if body.read > 0 {
			t.Errorf("%s: %d bytes of the body were read", c.name, body.read)
		}
	}
}

type counted struct {
	io.Reader
	read int
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.read += n
	return n, err
}
