package v1

import (
	"bytes"
	"cmp"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/api"
	"github.com/stdops/stdops/internal/engine"
	"github.com/stdops/stdops/internal/flow"
	"github.com/stdops/stdops/internal/plugin"
	"github.com/stdops/stdops/internal/plugin/builtin"
	"github.com/stdops/stdops/internal/queue"
	"github.com/stdops/stdops/internal/service"
	"github.com/stdops/stdops/internal/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const publicURL = "http://ops.example"

// bundle is a server on a real store with a real engine, seen from both of its doors.
type bundle struct {
	svc         *service.Service
	store       *store.Store
	dir         string // of the store
	http, local http.Handler
	logged      *bytes.Buffer
	bodies      *api.Bodies
}

func setup(t *testing.T) *bundle {
	t.Helper()
	return setupWith(t, nil)
}

func setupWith(t *testing.T, limits *stdops.Limits) *bundle {
	t.Helper()
	logged := &bytes.Buffer{}
	b := setupLog(t, limits, slog.New(slog.NewTextHandler(logged, nil)))
	b.logged = logged
	return b
}

func setupLog(t testing.TB, limits *stdops.Limits, log *slog.Logger) *bundle {
	t.Helper()
	b := &bundle{bodies: api.NewBodies(), dir: t.TempDir()}
	st, err := store.Open(t.Context(), store.Options{Dir: b.dir, Log: log, DecodeSkeleton: flow.DecodeSkeleton})
	must(t, err)
	t.Cleanup(func() { must(t, st.Close()) })
	b.store = st
	plugins, err := plugin.NewRegistry(builtin.All()...)
	must(t, err)
	around, err := service.NewSurroundings(st, nil, publicURL)
	must(t, err)
	e := engine.New(engine.Options{
		Commits: st, Tasks: st, Surroundings: around, Plugins: plugins, Wakes: queue.NewLocal(st.Now), Now: st.Now, Epoch: st.Epoch(), Log: log,
	})
	must(t, e.Start(t.Context()))
	t.Cleanup(func() { must(t, e.Stop(t.Context())) })
	b.svc, err = service.New(t.Context(), service.Deps{
		Store: st, Engine: e, Plugins: plugins, Surroundings: around, Key: bytes.Repeat([]byte("k"), 32), Limits: limits, Log: log,
	})
	must(t, err)
	b.http, b.local = b.handler(t, log, false), b.handler(t, log, true)
	return b
}

func (b *bundle) handler(t testing.TB, log *slog.Logger, local bool) http.Handler {
	t.Helper()
	return b.handlerOf(t, log, Options{PublicURL: publicURL, Local: local})
}

func (b *bundle) handlerOf(t testing.TB, log *slog.Logger, o Options) http.Handler {
	t.Helper()
	o.Version, o.Bodies, o.Log = "1.2.3", b.bodies, log
	h, err := New(b.svc, o)
	must(t, err)
	return api.Handler(h, log)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// request is one request; the zero value of a field sends nothing.
type request struct {
	method, path string
	body         string
	token        string
	header       map[string]string
	host, peer   string
}

type reply struct {
	status int
	header http.Header
	text   string
}

// send gives the answer of a handler.
func send(t *testing.T, h http.Handler, r request) reply {
	t.Helper()
	var body io.Reader
	if r.body != "" {
		body = strings.NewReader(r.body)
	}
	q := httptest.NewRequestWithContext(t.Context(), r.method, "http://127.0.0.1"+r.path, body)
	if r.body != "" {
		q.Header.Set("Content-Type", "application/json")
	}
	if r.token != "" {
		q.Header.Set("Authorization", "Bearer "+r.token)
	}
	for k, v := range r.header {
		q.Header.Set(k, v)
	}
	q.Host = cmp.Or(r.host, q.Host)
	q.RemoteAddr = cmp.Or(r.peer, q.RemoteAddr)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, q)
	return reply{w.Code, w.Header(), w.Body.String()}
}

// as asks the local door and reads the answer, which must have the status.
func as[T any](t *testing.T, b *bundle, status int, method, path, body string) T {
	t.Helper()
	got := send(t, b.local, request{method: method, path: path, body: body})
	if got.status != status {
		t.Fatalf("%s %s: status %d, want %d: %s", method, path, got.status, status, got.text)
	}
	var v T
	if err := json.Unmarshal([]byte(got.text), &v); got.text != "" && err != nil {
		t.Fatalf("%s %s: %v in %s", method, path, err, got.text)
	}
	return v
}
