package page

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/api"
	"github.com/stdops/stdops/internal/engine"
	"github.com/stdops/stdops/internal/flow"
	"github.com/stdops/stdops/internal/plugin"
	"github.com/stdops/stdops/internal/plugin/builtin"
	"github.com/stdops/stdops/internal/service"
	"github.com/stdops/stdops/internal/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// noon is when all tests happen, in a zone that is not UTC.
var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func at(seconds int) time.Time { return noon.Add(time.Duration(seconds) * time.Second) }

// idleEngine drives nothing: the tests store the states that they want to see.
type idleEngine struct{}

var errIdle = errors.New("this engine drives nothing")

func (idleEngine) Do(context.Context, stdops.TaskRef, engine.Command) error { return errIdle }
func (idleEngine) Adopt(*stdops.Change)                                     {}
func (idleEngine) Begin(context.Context, stdops.Task, *flow.Graph, *stdops.Object, string) (*stdops.Change, error) {
	return nil, errIdle
}

func (idleEngine) Preview(context.Context, stdops.TaskRef, stdops.NodeIndex) (*stdops.Object, error) {
	return nil, errIdle
}

func (idleEngine) CallsOut(stdops.TaskRef, stdops.NodeIndex) []stdops.Version { return nil }

// bundle is a server with a store, an administrator "ann" and a user "vic" who may look at project 1.
type bundle struct {
	publicURL string
	t         testing.TB
	store     *store.Store
	service   *service.Service
	handler   http.Handler
	now       time.Time
	token     string // of vic
}

func setup(t testing.TB, publicURL string) *bundle {
	t.Helper()
	b := &bundle{t: t, now: noon, publicURL: publicURL}
	quiet := slog.New(slog.DiscardHandler)
	var err error
	b.store, err = store.Open(t.Context(), store.Options{
		Dir: t.TempDir(), Log: quiet, Now: func() time.Time { return b.now }, DecodeSkeleton: flow.DecodeSkeleton,
	})
	b.must(err)
	t.Cleanup(func() { b.must(b.store.Close()) })
	zone := time.FixedZone("Asia/Shanghai", 8*3600)
	surroundings, err := service.NewSurroundings(b.store, zone, publicURL)
	b.must(err)
	plugins, err := plugin.NewRegistry(builtin.All()...)
	b.must(err)
	b.service, err = service.New(t.Context(), service.Deps{
		Store: b.store, Engine: idleEngine{}, Plugins: plugins, Surroundings: surroundings,
		Key: []byte("0123456789abcdef0123456789abcdef"), Log: quiet,
	})
	b.must(err)
	b.handler = New(b.service, Options{PublicURL: publicURL, Log: quiet})
	return b
}

// people makes ann and vic.
func (b *bundle) people() *bundle {
	b.t.Helper()
	local, ctx := service.LocalAdmin(), b.t.Context()
	b.must(b.service.CreateUser(ctx, local, service.NewUser{Name: "ann", Admin: true}))
	b.must(b.service.CreateUser(ctx, local, service.NewUser{Name: "vic"}))
	b.must(b.service.Grant(ctx, local, "vic", service.Roles{1: service.Viewer}))
	var err error
	b.token, _, err = b.service.CreateToken(ctx, local, service.NewToken{User: "vic", Name: "t"})
	b.must(err)
	return b
}

func (b *bundle) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// session signs vic in.
func (b *bundle) session() *http.Cookie {
	b.t.Helper()
	session, _, err := b.service.SignInWithToken(b.t.Context(), b.token)
	b.must(err)
	return &http.Cookie{Name: api.NewCookie(b.publicURL).Name, Value: session}
}

// access lets ann into project 1.
func (b *bundle) access() *service.Access {
	b.t.Helper()
	link, _, err := b.service.CreateLoginLink(b.t.Context(), service.LocalAdmin(), "ann")
	b.must(err)
	_, caller, err := b.service.SignIn(b.t.Context(), link, "ann")
	b.must(err)
	a, err := b.service.Access(b.t.Context(), caller, service.ProjectRef{ID: "1", Scope: "project"})
	b.must(err)
	return a
}

// answer is what a page answered.
type answer struct {
	*http.Response
	body string
}

// ask sends a request to the handler. A body makes it a posted form.
func (b *bundle) ask(path, body string, change ...func(*http.Request)) answer {
	b.t.Helper()
	method := http.MethodGet
	if body != "" {
		method = http.MethodPost
	}
	r := httptest.NewRequestWithContext(b.t.Context(), method, path, strings.NewReader(body))
	r.Host = "127.0.0.1:8080"
	if body != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	for _, c := range change {
		c(r)
	}
	w := httptest.NewRecorder()
	b.handler.ServeHTTP(w, r)
	text, err := io.ReadAll(w.Result().Body)
	b.must(err)
	return answer{w.Result(), string(text)}
}

func with(c *http.Cookie) func(*http.Request) { return func(r *http.Request) { r.AddCookie(c) } }

func header(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

func host(name string) func(*http.Request) { return func(r *http.Request) { r.Host = name } }

func form(pairs ...string) string {
	v := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return v.Encode()
}

// cookieOf gives the session cookie that an answer sets.
func (a answer) cookieOf(t testing.TB) *http.Cookie {
	t.Helper()
	for _, c := range a.Cookies() {
		if strings.HasSuffix(c.Name, "stdops_session") {
			return c
		}
	}
	t.Fatalf("no session cookie in an answer with status %d", a.StatusCode)
	return nil
}

func readTree(t testing.TB, file string) *stdops.Object {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	tree := &stdops.Object{}
	if err := tree.UnmarshalJSON(text); err != nil {
		t.Fatal(err)
	}
	return tree
}

// chain makes a tree of n activities, one after the other.
func chain(n int, name func(int) string) *stdops.Object {
	activities, flows := &stdops.Object{}, &stdops.Object{}
	line := func(i int, from, to string) {
		id := fmt.Sprintf("l%d", i)
		flows.Set(id, stdops.NewObject("id", id, "source", from, "target", to))
	}
	last := "s"
	for i := range n {
		id := fmt.Sprintf("a%d", i)
		line(i, last, id)
		activities.Set(id, stdops.NewObject("id", id, "type", "ServiceActivity", "name", name(i),
			"incoming", []any{fmt.Sprintf("l%d", i)}, "outgoing", fmt.Sprintf("l%d", i+1),
			"component", stdops.NewObject("code", "sleep_timer", "version", "legacy", "data", &stdops.Object{})))
		last = id
	}
	line(n, last, "e")
	return stdops.NewObject(
		"start_event", stdops.NewObject("id", "s", "name", "", "type", "EmptyStartEvent", "incoming", "", "outgoing", "l0"),
		"end_event", stdops.NewObject("id", "e", "name", "", "type", "EmptyEndEvent", "incoming", []any{fmt.Sprintf("l%d", n)}, "outgoing", ""),
		"activities", activities, "gateways", &stdops.Object{}, "flows", flows, "constants", &stdops.Object{}, "outputs", []any{})
}

func (b *bundle) create(a *service.Access, name string, tree *stdops.Object) stdops.Task {
	b.t.Helper()
	made, err := b.service.FastCreateTask(b.t.Context(), a, service.NewTask{Name: name}, tree)
	b.must(err)
	return made.Task
}

// story writes the states of a task by the names of its nodes.
type story struct {
	b     *bundle
	task  stdops.Task
	graph *flow.Graph
	c     stdops.Change
}

func (b *bundle) story(task stdops.Task) *story {
	b.t.Helper()
	graph, err := b.service.Graph(b.t.Context(), task.TreeHash)
	b.must(err)
	return &story{b, task, graph, stdops.Change{
		Task: task.ID, Project: task.Project, Revision: task.Root.Revision, Epoch: b.store.Epoch(), Executor: "ann",
		Root: stdops.RootState{State: stdops.StateRunning, Version: "v1", Started: at(-600), Live: true},
	}}
}

// node gives the index of a node by its name, or by its kind when it has none.
func (s *story) node(name string) stdops.NodeIndex {
	s.b.t.Helper()
	for i := range s.graph.Nodes {
		if n := &s.graph.Nodes[i]; i > 0 && (n.Name == name || n.Name == "" && n.Kind.String() == name) {
			return stdops.NodeIndex(i)
		}
	}
	s.b.t.Fatalf("the tree has no node %s", name)
	return 0
}

// enter adds the state of the next node that was entered.
func (s *story) enter(name string, n stdops.NodeState) *story {
	n.Node = s.node(name)
	n.Order = int32(len(s.c.Nodes) + 1)
	if n.Loop == 0 {
		n.Loop = 1
	}
	n.Version = stdops.Version(fmt.Sprintf("v%032d", n.Order))
	s.c.Nodes = append(s.c.Nodes, n)
	return s
}

func finished(from, to int) stdops.NodeState {
	return stdops.NodeState{State: stdops.StateFinished, Started: at(from), Finished: at(to)}
}

// gave sets the outputs of a node.
func (s *story) gave(name string, outputs *stdops.Object) *story {
	text, err := outputs.MarshalJSON()
	s.b.must(err)
	s.c.Data = append(s.c.Data, stdops.NodeData{Node: s.node(name), Inputs: []byte("{}"), Outputs: text})
	return s
}

// told stores all of it.
func (s *story) told() stdops.Task {
	s.b.t.Helper()
	verdicts, err := s.b.store.Commit(s.b.t.Context(), []stdops.Change{s.c})
	s.b.must(err)
	if verdicts[0] != stdops.Committed {
		s.b.t.Fatal("the story is stale")
	}
	return s.task
}

// deploying is a task in the middle: a branch failed, one waits for a callback, some nodes were not reached.
func (b *bundle) deploying(a *service.Access, name, exData string) stdops.Task {
	b.t.Helper()
	waiting := stdops.NodeState{State: stdops.StateRunning, Phase: stdops.PhaseWaiting, Started: at(-540)}
	failed := stdops.NodeState{State: stdops.StateFailed, Retry: 2, AutoRetries: 2, Started: at(-90), Finished: at(-60)}
	dumped := finished(-540, -90)
	dumped.Skip, dumped.Loop = true, 3
	return b.story(b.create(a, name, readTree(b.t, "testdata/deploy.json"))).
		enter("EmptyStartEvent", finished(-600, -600)).
		enter("Check the release", finished(-600, -540)).
		enter("ParallelGateway", finished(-540, -540)).
		enter("Back up the database", stdops.NodeState{State: stdops.StateRunning, Started: at(-540)}).
		enter("Ask the team on duty", waiting).
		enter("Dump tables", dumped).
		enter("Copy to the vault", failed).
		gave("Copy to the vault", stdops.NewObject("ex_data", exData, "_result", false)).
		told()
}

func otherProject() store.Project {
	return store.Project{Name: "other", Biz: store.NoBiz, Created: noon}
}
