package sops_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/api"
	"github.com/stdops/stdops/internal/api/sops"
	"github.com/stdops/stdops/internal/engine"
	"github.com/stdops/stdops/internal/flow"
	"github.com/stdops/stdops/internal/plugin"
	"github.com/stdops/stdops/internal/plugin/builtin"
	"github.com/stdops/stdops/internal/plugin/script"
	"github.com/stdops/stdops/internal/plugin/testplugin"
	"github.com/stdops/stdops/internal/queue"
	"github.com/stdops/stdops/internal/service"
	"github.com/stdops/stdops/internal/store"
)

func TestMain(m *testing.M) {
	if script.IsShim(os.Args) {
		os.Exit(script.Shim())
	}
	goleak.VerifyTestMain(m)
}

const publicURL = "http://stdops.example"

// server is a whole server: the real store, engine and plugins behind the handler.
type server struct {
	t     testing.TB
	svc   *service.Service
	deps  service.Deps // of svc
	store *store.Store
	dir   string // of the store
	http  *httptest.Server
	log   *lockedWriter // of the access log

	bodies *api.Bodies

	projects map[int64]stdops.ProjectID // by business
	tokens   map[string]string          // by user
}

var testKey = []byte("0123456789abcdef0123456789abcdef")

// setup makes a server with the project of business 2 and the trusted app "trusted", which may ask as often as it likes. It
// has those plugins that need nothing, the test plugins and more.
func setup(t testing.TB, more ...plugin.Plugin) *server {
	t.Helper()
	limits := stdops.DefaultLimits()
	limits.Rate = 0
	return setupWith(t, limits, more...)
}

func setupWith(t testing.TB, limits stdops.Limits, more ...plugin.Plugin) *server {
	t.Helper()
	return setupPlugins(t, limits, slices.Concat(builtin.All(), testplugin.All(), scripts(t), more)...)
}

// setupPlugins is setup with these plugins and no others.
func setupPlugins(t testing.TB, limits stdops.Limits, all ...plugin.Plugin) *server {
	t.Helper()
	ctx := t.Context()
	dir := t.TempDir()
	st, err := store.Open(ctx, store.Options{Dir: dir, Log: slog.New(slog.DiscardHandler), DecodeSkeleton: flow.DecodeSkeleton})
	must(t, err)
	t.Cleanup(func() { must(t, st.Close()) })
	plugins, err := plugin.NewRegistry(all...)
	must(t, err)
	around, err := service.NewSurroundings(st, time.UTC, publicURL)
	must(t, err)
	log := slog.New(slog.DiscardHandler)
	eng := engine.New(engine.Options{
		Commits: st, Tasks: st, Surroundings: around, Plugins: plugins, Logs: st, Wakes: queue.NewLocal(st.Now), Now: st.Now, Epoch: st.Epoch(), Log: log,
	})
	must(t, eng.Start(ctx))
	t.Cleanup(func() {
		stop, cancel := context.WithCancel(context.Background())
		cancel() // calls that are out are cut off: nobody waits for them any more
		_ = eng.Stop(stop)
	})
	s := &server{
		t: t, store: st, dir: dir, log: &lockedWriter{}, bodies: api.NewBodies(),
		deps:     service.Deps{Store: st, Engine: eng, Plugins: plugins, Surroundings: around, Key: testKey, Log: log},
		projects: map[int64]stdops.ProjectID{2: 1}, tokens: map[string]string{},
	}
	s.listen(t, limits)
	must(t, s.svc.BootstrapApp(ctx, "trusted", "trusted-secret"))
	return s
}

// listen lets the server listen with these limits, on an address of its own.
func (s *server) listen(t testing.TB, limits stdops.Limits) {
	t.Helper()
	deps := s.deps
	deps.Limits = &limits
	svc, err := service.New(t.Context(), deps)
	must(t, err)
	s.svc = svc
	handler, err := sops.New(svc, sops.Options{Zone: time.UTC, PublicURL: publicURL, Bodies: s.bodies, Log: deps.Log})
	must(t, err)
	s.http = httptest.NewUnstartedServer(api.LastIfChunked(api.Handler(handler, slog.New(slog.NewTextHandler(s.log, nil)))))
	s.http.Listener = api.Listener(s.http.Listener)
	s.http.Start()
	t.Cleanup(s.http.Close)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// answer is an answer in its envelope.
type answer struct {
	status int
	header http.Header
	body   *stdops.Object
	raw    string
}

func (a answer) code() int64 { n, _ := a.body.Get("code"); return n.(int64) }

func (a answer) ok() bool { v, _ := a.body.Get("result"); return v == true }

func (a answer) message() string { return a.body.Text("message") }

func (a answer) data() *stdops.Object {
	v, _ := a.body.Get("data")
	o, _ := v.(*stdops.Object)
	return o
}

// auth gives the credential header of an app for a user named by it.
func auth(app, user string) string {
	return fmt.Sprintf(`{"bk_app_code":%q,"bk_app_secret":%q,"bk_username":%q}`, app, app+"-secret", user)
}

// call sends a request as admin by the trusted app.
func (s *server) call(method, path string, body any) answer {
	s.t.Helper()
	return s.send(method, path, body, http.Header{"X-Bkapi-Authorization": {auth("trusted", "admin")}})
}

// send sends a request; a body that is a text or bytes goes out as it is.
func (s *server) send(method, path string, body any, header http.Header) answer {
	s.t.Helper()
	var reader io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		reader = strings.NewReader(b)
	case []byte:
		reader = bytes.NewReader(b)
	default:
		text, err := json.Marshal(b)
		must(s.t, err)
		reader = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(s.t.Context(), method, s.http.URL+path, reader)
	must(s.t, err)
	for key, values := range header {
		request.Header[http.CanonicalHeaderKey(key)] = values
	}
	if host := header.Get("Host"); host != "" {
		request.Host = host
	}
	response, err := s.http.Client().Do(request)
	must(s.t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	must(s.t, err)
	return s.envelope(response, string(text))
}

// envelope checks what holds for every answer: five keys, texts that are texts, no data in a refusal.
func (s *server) envelope(response *http.Response, text string) answer {
	s.t.Helper()
	value, err := stdops.DecodeValue([]byte(text))
	if err != nil {
		s.t.Fatalf("answer with status %d is no JSON: %v\n%.300s", response.StatusCode, err, text)
	}
	a := answer{status: response.StatusCode, header: response.Header, body: value.(*stdops.Object), raw: text}
	if got := strings.Join(a.body.Keys()[:4], ","); got != "result,data,code,message" {
		s.t.Errorf("first keys are %s", got)
	}
	if a.body.Text("trace_id") == "" || a.body.Text("trace_id") != response.Header.Get("Sops-Trace-Id") {
		s.t.Errorf("trace_id %q, header %q", a.body.Text("trace_id"), response.Header.Get("Sops-Trace-Id"))
	}
	if data, _ := a.body.Get("data"); !a.ok() && (data != nil || a.message() == "" || a.code() == 0) {
		s.t.Errorf("refusal with data %v, message %q, code %d", data, a.message(), a.code())
	}
	if response.Header.Get("X-Content-Type-Options") != "nosniff" || response.Header.Get("X-Request-Id") == "" {
		s.t.Error("headers of every answer are missing")
	}
	return a
}

// create makes a task in the project of business 2 and gives its id and its tree.
func (s *server) create(tree *stdops.Object) (id int64, echo *stdops.Object) {
	s.t.Helper()
	a := s.call("POST", "/fast_create_task/2/", stdops.NewObject("name", "a task", "pipeline_tree", tree))
	if !a.ok() {
		s.t.Fatalf("fast_create_task: %s", a.raw)
	}
	v, _ := a.data().Get("task_id")
	e, _ := a.data().Get("pipeline_tree")
	return v.(int64), e.(*stdops.Object)
}

func (s *server) start(id int64) {
	s.t.Helper()
	if a := s.call("POST", fmt.Sprintf("/start_task/%d/2/", id), "{}"); !a.ok() {
		s.t.Fatalf("start_task: %s", a.raw)
	}
}

// entry gives the entry of a task with its children.
func (s *server) entry(id int64) *stdops.Object {
	s.t.Helper()
	a := s.call("POST", "/get_tasks_status/2/", stdops.NewObject("task_id_list", []any{id}, "include_children_status", true))
	list, _ := a.body.Get("data")
	if !a.ok() || len(list.([]any)) != 1 {
		s.t.Fatalf("get_tasks_status: %s", a.raw)
	}
	return list.([]any)[0].(*stdops.Object)
}

func (s *server) state(id int64) string { s.t.Helper(); return at(s.entry(id), "status").Text("state") }

// await waits until a task has reached a state.
func (s *server) await(id int64, state string) {
	s.t.Helper()
	for range 500 {
		if s.state(id) == state {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	s.t.Fatalf("task %d is %s, not %s", id, s.state(id), state)
}

// at gives a nested object.
func at(o *stdops.Object, path ...string) *stdops.Object {
	for _, key := range path {
		v, _ := o.Get(key)
		o, _ = v.(*stdops.Object)
	}
	return o
}

// nodeNamed gives the wire id of the activity with a name in an echoed tree.
func nodeNamed(echo *stdops.Object, name string) string {
	all := at(echo, "activities")
	for _, id := range all.Keys() {
		if at(all, id).Text("name") == name {
			return id
		}
	}
	return ""
}

// chain makes a tree of activities in a row; each is "name" or "name:code".
func chain(activities ...string) *stdops.Object {
	acts, flows := &stdops.Object{}, &stdops.Object{}
	link := func(i int, from, to string) string {
		id := fmt.Sprintf("l%d", i)
		flows.Set(id, stdops.NewObject("id", id, "source", from, "target", to, "is_default", false))
		return id
	}
	last := "start"
	for i, text := range activities {
		name, code, ok := strings.Cut(text, ":")
		if !ok {
			code = "debug_no_schedule_node"
		}
		id := fmt.Sprintf("node%d", i)
		incoming := link(i, last, id)
		acts.Set(id, stdops.NewObject("id", id, "type", "ServiceActivity", "name", name, "incoming", []any{incoming},
			"outgoing", fmt.Sprintf("l%d", i+1), "optional", true, "retryable", true, "skippable", true, "error_ignorable", false,
			"component", stdops.NewObject("code", code, "data", &stdops.Object{})))
		last = id
	}
	end := link(len(activities), last, "end")
	return stdops.NewObject(
		"start_event", stdops.NewObject("id", "start", "name", "", "type", "EmptyStartEvent", "incoming", "", "outgoing", "l0"),
		"end_event", stdops.NewObject("id", "end", "name", "", "type", "EmptyEndEvent", "incoming", []any{end}, "outgoing", ""),
		"activities", acts, "flows", flows, "gateways", &stdops.Object{}, "constants", &stdops.Object{}, "outputs", []any{},
	)
}
