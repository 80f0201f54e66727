package v1

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stdops/stdops/client"
	"github.com/stdops/stdops/internal/api"
	"github.com/stdops/stdops/internal/service"
	"github.com/stdops/stdops/internal/watch"
)

const watchPath = tasksPath + ":watch"

// watching is a server that lets tasks be watched, on an address of its own with the time limits of a real one.
type watching struct {
	*bundle
	hub    *watch.Hub
	gates  *api.Gates
	server *httptest.Server
	token  string // of ann, who may see the project
}

func setupWatch(t *testing.T) *watching {
	t.Helper()
	w := &watching{bundle: setup(t), gates: api.NewGates(10, 10)}
	w.hub = watch.NewHub(watch.Options{Tasks: NewWatched(w.svc), Now: w.svc.Now})
	t.Cleanup(w.store.Changes(w.hub.Changed))
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() { w.hub.Run(ctx) })
	t.Cleanup(func() { cancel(); done.Wait() })
	log := slog.New(slog.DiscardHandler)
	h, err := New(w.svc, Options{PublicURL: publicURL, Gates: w.gates, Watch: w.hub, Log: log})
	must(t, err)
	w.server = httptest.NewUnstartedServer(api.Handler(h, log))
	w.server.Config.ReadTimeout, w.server.Config.WriteTimeout = 2*time.Second, 2*time.Second
	w.server.Start()
	t.Cleanup(w.server.Close)
	admin := service.LocalAdmin()
	must(t, w.svc.CreateUser(t.Context(), admin, service.NewUser{Name: "ann"}))
	must(t, w.svc.Grant(t.Context(), admin, "ann", service.Roles{1: service.Operator}))
	w.token, _, err = w.svc.CreateToken(t.Context(), admin, service.NewToken{User: "ann", Name: "t"})
	must(t, err)
	return w
}

func (w *watching) client(t *testing.T) *client.Client {
	t.Helper()
	c, err := client.New(client.Options{URL: w.server.URL, Token: w.token})
	must(t, err)
	t.Cleanup(c.Close)
	return c
}

func (w *watching) task(t *testing.T, start bool) client.Task {
	t.Helper()
	return w.create(t, client.NewTask{Name: "release", Tree: example(t, "release-with-approval"), Start: start})
}

// TestWatchFollowsTasks follows a task in a stream, longer than the server lets any other answer take, until it is deleted.
func TestWatchFollowsTasks(t *testing.T) {
	t.Parallel()
	w := setupWatch(t)
	task, other := w.task(t, false), w.task(t, false)
	c := w.client(t)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	ids := []int64{task.ID, other.ID, 99}
	var states []string
	cursors := map[string]bool{}
	for got, err := range c.Watch(ctx, 1, client.WatchRequest{IDs: ids}) {
		must(t, err)
		if cursors[got.Cursor] || got.Now.IsZero() {
			t.Errorf("cursor %q came twice, or no time: %v", got.Cursor, got.Now)
		}
		cursors[got.Cursor] = true
		if len(states) == 0 {
			if len(got.Tasks) != 2 || !slices.Equal(got.Gone, []int64{99}) {
				t.Fatalf("first: %v", got)
			}
			time.Sleep(600 * time.Millisecond)
		} else if len(got.Tasks) != 1 && len(got.Gone) != 1 {
			t.Errorf("one task has changed, told %v", got)
		}
		if slices.Equal(got.Gone, []int64{task.ID}) {
			break
		}
		for _, told := range got.Tasks {
			if told.ID != task.ID || len(states) > 0 && states[len(states)-1] == told.State {
				continue // commanded already: what the engine does after a command is told as well
			}
			states = append(states, told.State)
			path := fmt.Sprintf("%s/%d", tasksPath, task.ID)
			switch told.State {
			case client.Created:
				as[client.Task](t, w.bundle, 200, "POST", path+"/commands", `{"command":"start"}`)
			case client.Running:
				as[client.Task](t, w.bundle, 200, "POST", path+"/commands", `{"command":"pause"}`)
			case client.Suspended:
				as[client.Task](t, w.bundle, 200, "POST", path+"/commands", `{"command":"revoke"}`)
			case client.Revoked:
				if got := send(t, w.local, request{method: "DELETE", path: path}); got.status != 204 {
					t.Fatal(got)
				}
			}
		}
	}
	if want := []string{client.Created, client.Running, client.Suspended, client.Revoked}; !slices.Equal(states, want) {
		t.Errorf("told %v, want %v", states, want)
	}
}

func TestWatchPollsAndGoesOnWithACursor(t *testing.T) {
	t.Parallel()
	w := setupWatch(t)
	task := w.task(t, false)
	c := w.client(t)
	first, err := c.Poll(t.Context(), 1, client.WatchRequest{IDs: []int64{task.ID}})
	must(t, err)
	if len(first.Tasks) != 1 || first.Tasks[0].State != client.Created || first.Tasks[0].Name != "release" || first.Gone == nil {
		t.Fatalf("first: %+v", first)
	}
	if run := first.Tasks[0].Run; run == nil || !slices.Equal(run.Actions, []string{"start"}) { // an operator may not delete
		t.Errorf("its run: %+v", run)
	}
	none, err := c.Poll(t.Context(), 1, client.WatchRequest{IDs: []int64{task.ID}, Cursor: first.Cursor, Wait: 3})
	must(t, err)
	if len(none.Tasks)+len(none.Gone) != 0 || none.Cursor != first.Cursor || none.Tasks == nil {
		t.Errorf("nothing has changed: %+v", none)
	}
	path := fmt.Sprintf("%s/%d", tasksPath, task.ID)
	if got := send(t, w.local, request{method: "DELETE", path: path}); got.status != 204 {
		t.Fatal(got)
	}
	gone, err := c.Poll(t.Context(), 1, client.WatchRequest{IDs: []int64{task.ID}, Cursor: none.Cursor})
	must(t, err)
	if len(gone.Tasks) != 0 || !slices.Equal(gone.Gone, []int64{task.ID}) {
		t.Errorf("the task was deleted: %+v", gone)
	}
}

func TestWatchAList(t *testing.T) {
	t.Parallel()
	w := setupWatch(t)
	c := w.client(t)
	q := client.WatchRequest{Filter: &client.WatchFilter{State: client.Created, Keyword: "REL"}}
	first, err := c.Poll(t.Context(), 1, q)
	must(t, err)
	if len(first.Tasks) != 0 {
		t.Errorf("an empty list: %+v", first)
	}
	task := w.task(t, false)
	w.create(t, client.NewTask{Name: "else", Tree: example(t, "release-with-approval")})
	q.Cursor = first.Cursor
	next, err := c.Poll(t.Context(), 1, q)
	must(t, err)
	if len(next.Tasks) != 1 || next.Tasks[0].ID != task.ID {
		t.Fatalf("a new task: %+v", next)
	}
	as[client.Task](t, w.bundle, 200, "POST", fmt.Sprintf("%s/%d/commands", tasksPath, task.ID), `{"command":"start"}`)
	for range 10 {
		q.Cursor = next.Cursor
		next, err = c.Poll(t.Context(), 1, q)
		must(t, err)
		if len(next.Gone) > 0 {
			break
		}
	}
	if !slices.Equal(next.Gone, []int64{task.ID}) {
		t.Errorf("the task has left the list: %+v", next)
	}
}

func TestWatchNodes(t *testing.T) {
	t.Parallel()
	w := setupWatch(t)
	task := w.task(t, false)
	c := w.client(t)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	phases := map[string]string{}
	for got, err := range c.Watch(ctx, 1, client.WatchRequest{IDs: []int64{task.ID}, Nodes: true}) {
		must(t, err)
		if got.Tasks[0].State == client.Created {
			if len(got.Nodes) != 0 {
				t.Errorf("nothing was reached: %v", got.Nodes)
			}
			as[client.Task](t, w.bundle, 200, "POST", fmt.Sprintf("%s/%d/commands", tasksPath, task.ID), `{"command":"start"}`)
			continue
		}
		for _, of := range got.Nodes {
			if of.Task != task.ID || of.Revision != got.Tasks[0].Run.Revision {
				t.Errorf("nodes of task %d at %d with %+v", of.Task, of.Revision, got.Tasks[0].Run)
			}
			for _, n := range of.Nodes {
				if phases[n.ID] == n.State+n.Phase+n.Version {
					t.Errorf("node %s was told twice as %+v", n.ID, n)
				}
				phases[n.ID] = n.State + n.Phase + n.Version
			}
		}
		if got.Tasks[0].Run.Phase == client.PhaseWaitingHuman || got.Tasks[0].Run.Why.Code == "callback" {
			break
		}
	}
	states := as[client.NodeStates](t, w.bundle, 200, "GET", fmt.Sprintf("%s/%d/states", tasksPath, task.ID), "")
	want := map[string]string{}
	for _, n := range states.Nodes {
		want[n.ID] = n.State + n.Phase + n.Version
	}
	if !maps.Equal(want, phases) {
		t.Errorf("told %v, the states are %v", phases, want)
	}
}

// damage changes the database behind the server's back.
func (b *bundle) damage(t *testing.T, change string) {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+filepath.Join(b.dir, "stdops.db"))
	must(t, err)
	_, err = db.ExecContext(t.Context(), change)
	must(t, err)
	must(t, db.Close())
}

// TestWatchADamagedTask: the secrets of a failed task cannot be told any more, so that the texts of its failures cannot be
// shown. Of the task that is told, and nobody else hears less of theirs.
func TestWatchADamagedTask(t *testing.T) {
	t.Parallel()
	w := setupWatch(t)
	tree := strings.Replace(string(closedTree("ExclusiveGateway")), `"source_type":"custom"`, `"source_type":"custom","custom_type":"password"`, 1)
	damaged := w.create(t, client.NewTask{Name: "damaged", Tree: json.RawMessage(tree), Start: true})
	w.await(t, damaged.ID, client.Failed)
	w.damage(t, `DELETE FROM task_input`)
	task := w.task(t, false)
	c := w.client(t)
	got, err := c.Poll(t.Context(), 1, client.WatchRequest{IDs: []int64{damaged.ID, task.ID}, Nodes: true, Wait: 3})
	must(t, err)
	if len(got.Tasks) != 2 || got.Tasks[0].State != client.Failed || got.Tasks[0].Problem == "" || got.Tasks[1].Problem != "" {
		t.Fatalf("first: %+v", got)
	}
	w.do(t, task.ID, 200, client.Command{Command: "start"})
	got, err = c.Poll(t.Context(), 1, client.WatchRequest{IDs: []int64{damaged.ID, task.ID}, Nodes: true, Wait: 3, Cursor: got.Cursor})
	must(t, err)
	if len(got.Tasks) != 1 || got.Tasks[0].ID != task.ID || len(got.Nodes) != 1 {
		t.Errorf("a change of the other: %+v", got)
	}
}

func TestWatchRefusals(t *testing.T) {
	t.Parallel()
	w := setupWatch(t)
	admin := service.LocalAdmin()
	must(t, w.svc.CreateUser(t.Context(), admin, service.NewUser{Name: "bob"}))
	stranger, _, err := w.svc.CreateToken(t.Context(), admin, service.NewToken{User: "bob", Name: "t"})
	must(t, err)
	for name, c := range map[string]struct {
		token, body string
		status      int
		text        string
	}{
		"nobody":          {"", `{"ids":[1]}`, 401, "token"},
		"a stranger":      {stranger, `{"ids":[1]}`, 403, "task_view"},
		"nothing":         {w.token, `{}`, 422, "either by ids or by a filter"},
		"both":            {w.token, `{"ids":[1],"filter":{}}`, 422, "either by ids or by a filter"},
		"no id":           {w.token, `{"ids":[0]}`, 422, "0 is not the id of a task"},
		"too many":        {w.token, `{"ids":[1` + strings.Repeat(",1", 1000) + `]}`, 422, "ids"},
		"a long list":     {w.token, `{"filter":{"limit":201}}`, 422, "limit"},
		"NUL":             {w.token, `{"filter":{"keyword":"a\u0000"}}`, 422, "NUL"},
		"an odd cursor":   {w.token, `{"ids":[1],"cursor":"12"}`, 422, "cursor is none"},
		"a damaged one":   {w.token, `{"ids":[1],"cursor":"AQEDAAAAAA"}`, 422, "cursor is none"},
		"nodes of a list": {w.token, `{"filter":{},"nodes":true}`, 422, "10 tasks at most"},
		"nodes of many":   {w.token, `{"ids":[1,2,3,4,5,6,7,8,9,10,11],"nodes":true}`, 422, "10 tasks at most"},
		"an odd wait":     {w.token, `{"ids":[1],"wait_s":61}`, 422, "wait_s"},
		"an unknown word": {w.token, `{"ids":[1],"nodez":true}`, 422, "nodez"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, accept := range []string{"application/json", eventStream} {
				h, _ := New(w.svc, Options{Watch: w.hub, Log: slog.New(slog.DiscardHandler)})
				got := send(t, h, request{method: "POST", path: watchPath, token: c.token, body: c.body, header: map[string]string{"Accept": accept}})
				if got.status != c.status || !strings.Contains(got.text, c.text) || got.header.Get("Content-Type") != "application/problem+json" {
					t.Errorf("%s: %d %s %s, want %d %q", accept, got.status, got.header.Get("Content-Type"), got.text, c.status, c.text)
				}
			}
		})
	}
	if n := w.hub.Watching(); n != 0 {
		t.Errorf("%d who were refused watch", n)
	}
}

// TestWatchBeforeAnythingIsRead: that nothing could be read is not told as that there is nothing.
func TestWatchBeforeAnythingIsRead(t *testing.T) {
	t.Parallel()
	b := setup(t)
	task := b.create(t, client.NewTask{Name: "release", Tree: example(t, "release-with-approval")})
	hub := watch.NewHub(watch.Options{Tasks: NewWatched(b.svc), Now: b.svc.Now}) // it does not run
	h := b.handlerOf(t, slog.New(slog.DiscardHandler), Options{Local: true, Watch: hub})
	for _, which := range []string{fmt.Sprintf(`"ids":[%d]`, task.ID), `"filter":{}`} {
		got := send(t, h, request{method: "POST", path: watchPath, body: `{` + which + `,"wait_s":1}`})
		if got.status != 503 || got.header.Get("Retry-After") == "" || !strings.Contains(got.text, "try again") {
			t.Errorf("%s: %v", which, got)
		}
	}
	var all sync.WaitGroup
	defer all.Wait()
	all.Go(func() {
		for hub.Watching() == 0 && t.Context().Err() == nil {
			time.Sleep(time.Millisecond)
		}
		hub.Stop(client.EndDraining)
	})
	if got := send(t, h, request{method: "POST", path: watchPath, body: `{"filter":{}}`}); got.status != 503 {
		t.Errorf("at a server that ends: %v", got)
	}
}

// open opens a stream and gives its events.
func (w *watching) open(t *testing.T, ids ...int64) (next func() (event, data string), close func()) {
	t.Helper()
	body, err := json.Marshal(client.WatchRequest{IDs: ids})
	must(t, err)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.server.URL+watchPath, strings.NewReader(string(body)))
	must(t, err)
	r.Header.Set("Authorization", "Bearer "+w.token)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", eventStream)
	transport := &http.Transport{}
	answer, err := transport.RoundTrip(r)
	must(t, err)
	if answer.StatusCode != 200 || answer.Header.Get("Content-Type") != eventStream || answer.Header.Get("Cache-Control") != "no-store" {
		text, _ := io.ReadAll(answer.Body)
		t.Fatalf("status %d: %s", answer.StatusCode, text)
	}
	lines := bufio.NewReader(answer.Body)
	next = func() (event, data string) {
		for {
			line, err := lines.ReadString('\n')
			switch {
			case errors.Is(err, io.EOF):
				return "", ""
			case err != nil:
				t.Fatal(err)
			case strings.HasPrefix(line, "event: "):
				event = strings.TrimSpace(line[7:])
			case strings.HasPrefix(line, "data: "):
				data = strings.TrimSpace(line[6:])
			case line == "\n" && event != "":
				return event, data
			}
		}
	}
	return next, func() { _ = answer.Body.Close(); transport.CloseIdleConnections() }
}

func TestWatchEndsWhenTheServerDoes(t *testing.T) {
	t.Parallel()
	w := setupWatch(t)
	task := w.task(t, false)
	next, stop := w.open(t, task.ID)
	defer stop()
	if event, _ := next(); event != client.EventTasks {
		t.Fatalf("first %s", event)
	}
	w.hub.Stop(client.EndDraining)
	if event, data := next(); event != client.EventEnd || data != `{"reason":"draining"}` {
		t.Errorf("%s %s", event, data)
	}
	if event, data := next(); event != "" {
		t.Errorf("after the end: %s %s", event, data)
	}
	got := send(t, w.server.Config.Handler, request{method: "POST", path: watchPath, token: w.token, body: `{"ids":[1]}`})
	if got.status != 503 || got.header.Get("Retry-After") == "" {
		t.Errorf("watch at a server that ends: %v", got)
	}
}

// TestWatchHasAShareForEachCaller: one caller cannot take the places of all.
func TestWatchHasAShareForEachCaller(t *testing.T) {
	t.Parallel()
	w := setupWatch(t)
	w.gates.Watches = api.NewSharedGate(4)
	task := w.task(t, false)
	admin := service.LocalAdmin()
	must(t, w.svc.CreateUser(t.Context(), admin, service.NewUser{Name: "bob"}))
	must(t, w.svc.Grant(t.Context(), admin, "bob", service.Roles{1: service.Viewer}))
	bob, _, err := w.svc.CreateToken(t.Context(), admin, service.NewToken{User: "bob", Name: "t"})
	must(t, err)
	var stops []func()
	for range 3 {
		next, stop := w.open(t, task.ID)
		defer stop()
		stops = append(stops, stop)
		next()
	}
	ask := request{method: "POST", path: watchPath, token: w.token, body: fmt.Sprintf(`{"ids":[%d]}`, task.ID)}
	refused := send(t, w.server.Config.Handler, ask)
	if refused.status != 429 || refused.header.Get("Retry-After") != "5" || !strings.Contains(refused.text, "you have 3 such requests open") {
		t.Errorf("one more than the share of a caller: %v", refused)
	}
	other := ask
	other.token = bob
	if got := send(t, w.server.Config.Handler, other); got.status != 200 {
		t.Errorf("another caller: %v", got)
	}
	stops[0]()
	eventually(t, func() bool { return send(t, w.server.Config.Handler, ask).status == 200 })
}

// TestWatchOfAListThatIsCut: of the tasks that may be in a list 2000 are looked at, and that there are older ones is told.
func TestWatchOfAListThatIsCut(t *testing.T) {
	t.Parallel()
	w := setupWatch(t)
	running := w.task(t, true)
	w.await(t, running.ID, client.Running)
	failed := w.create(t, client.NewTask{Name: "failed", Tree: json.RawMessage(closedTree("ExclusiveGateway")), Start: true})
	w.await(t, failed.ID, client.Failed)
	c := w.client(t)
	q := client.WatchRequest{Filter: &client.WatchFilter{State: client.Running}}
	whole, err := c.Poll(t.Context(), 1, q)
	must(t, err)
	if len(whole.Tasks) != 1 || whole.Tasks[0].ID != running.ID || whole.Cut {
		t.Errorf("before: %+v", whole)
	}
	w.copies(t, failed.ID, 2000)
	short, err := c.Poll(t.Context(), 1, q)
	must(t, err)
	if len(short.Tasks) != 0 || !short.Cut {
		t.Errorf("an answer: %+v", short)
	}
	for first, err := range c.Watch(t.Context(), 1, q) {
		must(t, err)
		if len(first.Tasks) != 0 || !first.Cut {
			t.Errorf("the first event: %+v", first)
		}
		break
	}
	q.Filter.State = client.Failed // of which the newest are enough
	newest, err := c.Poll(t.Context(), 1, q)
	must(t, err)
	if len(newest.Tasks) != 50 || newest.Cut {
		t.Errorf("%d tasks of a list that is full, cut %v", len(newest.Tasks), newest.Cut)
	}
}

// copies makes tasks that are like one in all but their numbers.
func (w *watching) copies(t *testing.T, of int64, n int) {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+filepath.Join(w.dir, "stdops.db"))
	must(t, err)
	defer db.Close()
	for table, key := range map[string]string{"task": "id", "node_state": "task_id"} {
		var columns string
		must(t, db.QueryRowContext(t.Context(), `SELECT group_concat(name) FROM pragma_table_info(?)`, table).Scan(&columns))
		values := strings.Replace(","+columns+",", ","+key+",", ","+key+"+i,", 1)
		_, err := db.ExecContext(t.Context(), fmt.Sprintf(`WITH RECURSIVE copy(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM copy WHERE i < %[1]d)
			INSERT INTO %[2]s (%[3]s) SELECT %[4]s FROM %[2]s, copy WHERE %[5]s = %[6]d`, n, table, columns, strings.Trim(values, ","), key, of))
		must(t, err)
	}
}

func TestWatchHasPlacesOfItsOwn(t *testing.T) {
	t.Parallel()
	w := setupWatch(t)
	task := w.task(t, false)
	for i := range 9 { // by others
		must(t, w.gates.Watches.Enter(api.Who{User: fmt.Sprint(i / 2)}))
	}
	next, stop := w.open(t, task.ID)
	defer stop()
	next()
	ask := request{method: "POST", path: watchPath, token: w.token, body: fmt.Sprintf(`{"ids":[%d]}`, task.ID)}
	if got := send(t, w.server.Config.Handler, ask); got.status != 503 || got.header.Get("Retry-After") == "" {
		t.Errorf("one too many: %v", got)
	}
	for range 10 {
		must(t, w.gates.Known.Enter())
	}
	stop()
	eventually(t, func() bool { return w.hub.Watching() == 0 })
	eventually(t, func() bool { return send(t, w.server.Config.Handler, ask).status == 200 })
}

// TestWatchLooksAgain: who may not watch any more is told so within a minute.
func TestWatchLooksAgain(t *testing.T) {
	t.Parallel()
	w := setupWatch(t)
	h, err := New(w.svc, Options{Watch: w.hub})
	must(t, err)
	s := h.(*server)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, watchPath, http.NoBody)
	r.Header.Set("Authorization", "Bearer "+w.token)
	if end := s.lookAgain(r, 1, mayOperate); end != "" {
		t.Errorf("ann may watch, and is told %q", end)
	}
	if end := s.lookAgain(r, 7, mayOperate); end != client.EndDenied {
		t.Errorf("there is no project 7: %q", end)
	}
	must(t, w.svc.Grant(t.Context(), service.LocalAdmin(), "ann", service.Roles{1: service.Editor}))
	if end := s.lookAgain(r, 1, mayOperate); end != client.EndChanged {
		t.Errorf("ann may delete tasks now: %q", end)
	}
	must(t, w.svc.Grant(t.Context(), service.LocalAdmin(), "ann", service.Roles{1: ""}))
	if end := s.lookAgain(r, 1, mayOperate); end != client.EndDenied {
		t.Errorf("ann may not watch any more: %q", end)
	}
	r.Header.Set("Authorization", "Bearer x")
	if end := s.lookAgain(r, 1, mayOperate); end != client.EndSignedOut {
		t.Errorf("the token does not count any more: %q", end)
	}
}

// TestWatchASlowReader: one that takes nothing holds up neither the others nor the end of the server.
func TestWatchASlowReader(t *testing.T) {
	t.Parallel()
	w := setupWatch(t)
	task := w.task(t, false)
	conn, err := net.Dial("tcp", w.server.Listener.Addr().String())
	must(t, err)
	defer conn.Close()
	must(t, conn.(*net.TCPConn).SetReadBuffer(1))
	body := fmt.Sprintf(`{"ids":[%d]}`, task.ID)
	_, err = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\nAccept: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		watchPath, w.token, eventStream, len(body), body)
	must(t, err)
	eventually(t, func() bool { return w.hub.Watching() == 1 })
	next, stop := w.open(t, task.ID)
	defer stop()
	next()
	for i := range 50 {
		cmd := []string{"resume", "pause"}[i%2]
		if i == 0 {
			cmd = "start"
		}
		as[client.Task](t, w.bundle, 200, "POST", fmt.Sprintf("%s/%d/commands", tasksPath, task.ID), `{"command":"`+cmd+`"}`)
		if event, _ := next(); event != client.EventTasks {
			t.Fatalf("%s", event)
		}
	}
}

func eventually(t *testing.T, done func() bool) {
	t.Helper()
	for range 1000 {
		if done() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("never")
}
