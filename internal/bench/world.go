package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/app"
)

// The application that asks, and the business that every new server has a project for.
const (
	appCode   = "bench"
	appSecret = "bench-secret"
	user      = "bench"
	business  = 2
	project   = stdops.ProjectID(1)
)

// settleTime is how long the tasks may take until they stand as they are meant to.
const settleTime = 2 * time.Minute

// world is a server with the tasks that are asked about.
type world struct {
	dir     string
	db      string    // of a store that others share; "": one in dir
	roles   app.Roles // of the server
	log     *os.File
	http    *http.Client
	app     *app.App // nil while no server runs
	address string   // of the server that runs, or ran last
	nodes   int

	tasks batch // that are asked about
	twins batch // tasks of the same trees
}

// batch is tasks that are asked about at once, in the order of their creation.
type batch []stdops.TaskID

// newWorld starts a server and brings its tasks to where they stay: every other one finished, the rest waiting in their
// last activity.
func newWorld(ctx context.Context, o Options) (w *world, err error) {
	if w, err = worldOn(ctx, o.db, app.Roles{}); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			w.remove()
		}
	}()
	w.nodes = o.Nodes
	for _, to := range []*batch{&w.tasks, &w.twins} {
		if *to, err = w.create(ctx, o.Tasks); err != nil {
			return w, err
		}
	}
	return w, errors.Join(w.settle(ctx, w.tasks), w.settle(ctx, w.twins))
}

// emptyWorld starts a server without tasks.
func emptyWorld(ctx context.Context) (*world, error) { return worldOn(ctx, "", app.Roles{}) }

// worldOn starts a server on a database.
func worldOn(ctx context.Context, db string, roles app.Roles) (w *world, err error) {
	w = &world{db: db, roles: roles, http: &http.Client{Transport: &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: atOnce}}}
	defer func() {
		if err != nil {
			w.remove()
		}
	}()
	if w.dir, err = os.MkdirTemp("", "stdops-bench-"); err != nil {
		return w, err
	}
	if w.log, err = os.Create(filepath.Join(w.dir, "log")); err != nil {
		return w, err
	}
	if err := w.start(ctx); err != nil {
		return w, fmt.Errorf("start the server: %w", err)
	}
	return w, nil
}

func (w *world) data() string { return filepath.Join(w.dir, "data") }

// start starts the server as `stdops serve` does, access log included, but for the bound on requests of one app.
func (w *world) start(ctx context.Context) (err error) {
	limits := stdops.DefaultLimits()
	limits.Rate = 0
	w.app, err = app.New(ctx, app.Options{
		Listen: "127.0.0.1:0", DataDir: w.data(), DB: w.db, Roles: w.roles, TimeZone: "UTC", TestPlugins: true, Limits: &limits,
		BootstrapAppCode: appCode, BootstrapAppSecret: appSecret,
		Log: slog.New(slog.NewTextHandler(w.log, nil)),
	})
	if err != nil {
		return err
	}
	w.address = w.app.Addr()
	return w.app.Start(ctx)
}

func (w *world) stop() error {
	if w.app == nil {
		return nil
	}
	a := w.app
	w.app = nil
	w.http.CloseIdleConnections()
	return a.Stop(context.Background()) // also when the bench was interrupted: the server is to end well
}

// remove stops the server and removes its files. What goes wrong with either concerns nobody any more.
func (w *world) remove() {
	_ = w.stop()
	if w.log != nil {
		_ = w.log.Close()
	}
	if w.dir != "" {
		_ = os.RemoveAll(w.dir)
	}
}

func runsOn(task int) bool { return task%2 == 1 }

// create makes a batch of tasks and starts them.
func (w *world) create(ctx context.Context, n int) (batch, error) {
	var tasks batch
	for i := range n {
		id, err := w.createTask(ctx, fmt.Sprintf("bench task %d", i+1), tree(i, w.nodes, runsOn(i)))
		if err != nil {
			return nil, fmt.Errorf("create task %d: %w", i+1, err)
		}
		path := fmt.Sprintf("/apigw/start_task/%d/%d/", id, business)
		if err := w.post(ctx, path, &stdops.Object{}, nil); err != nil {
			return nil, fmt.Errorf("start task %d: %w", i+1, err)
		}
		tasks = append(tasks, id)
	}
	return tasks, nil
}

// createTask makes a task of a tree, without starting it.
func (w *world) createTask(ctx context.Context, name string, tree *stdops.Object) (stdops.TaskID, error) {
	var made struct {
		TaskID stdops.TaskID `json:"task_id"`
	}
	body := stdops.NewObject("name", name, "pipeline_tree", tree)
	err := w.post(ctx, fmt.Sprintf("/apigw/fast_create_task/%d/", business), body, &made)
	return made.TaskID, err
}

// settle waits until every task of a batch stands where it stays.
func (w *world) settle(ctx context.Context, tasks batch) error {
	ctx, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	for {
		_, unsettled := w.ask(ctx, tasks, true)
		if unsettled == nil {
			return nil
		}
		var unfit *unfitError
		if !errors.As(unsettled, &unfit) {
			return unsettled
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("wait for the tasks: %w: %w", ctx.Err(), unsettled)
		}
	}
}

// entry is what is read of a task in an answer.
type entry struct {
	ID     stdops.TaskID `json:"id"`
	Status struct {
		State    string                     `json:"state"`
		Children map[string]json.RawMessage `json:"children"`
	} `json:"status"`
}

// unfitError says that a task does not stand as it is meant to.
type unfitError struct{ text string }

// Error gives the text.
func (e *unfitError) Error() string { return e.text }

// check holds an answer about a batch against how its tasks are meant to stand.
func (w *world) check(tasks batch, answer []byte, children bool) error {
	var entries []entry
	if err := dataOf(answer, &entries); err != nil {
		return err
	}
	if len(entries) != len(tasks) {
		return fmt.Errorf("asked for %d tasks, told of %d", len(tasks), len(entries))
	}
	nodes := 0
	if children {
		nodes = w.nodes
	}
	for i, e := range entries { // by descending id
		at := len(tasks) - 1 - i
		want := "FINISHED"
		if runsOn(at) {
			want = "RUNNING"
		}
		if e.ID != tasks[at] || e.Status.State != want || len(e.Status.Children) != nodes {
			return &unfitError{fmt.Sprintf("task %d is %s with %d nodes, not task %d %s with %d",
				e.ID, e.Status.State, len(e.Status.Children), tasks[at], want, nodes)}
		}
	}
	return nil
}

func dataOf(answer []byte, data any) error {
	var envelope struct {
		Result  bool            `json:"result"`
		Message string          `json:"message"`
		Data    json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal(answer, &envelope); err != nil {
		return fmt.Errorf("read answer: %w", err)
	}
	if !envelope.Result {
		return errors.New(envelope.Message)
	}
	if data == nil {
		return nil
	}
	return json.Unmarshal(envelope.Data, data)
}

// ask asks how the tasks of a batch stand, and checks what comes.
func (w *world) ask(ctx context.Context, tasks batch, children bool) ([]byte, error) {
	r, err := w.question(ctx, tasks, children)
	if err != nil {
		return nil, err
	}
	answer, err := w.do(r)
	if err != nil {
		return nil, err
	}
	return answer, w.check(tasks, answer, children)
}

func (w *world) post(ctx context.Context, path string, body *stdops.Object, data any) error {
	r, err := w.request(ctx, path, body)
	if err != nil {
		return err
	}
	answer, err := w.do(r)
	if err != nil {
		return err
	}
	return dataOf(answer, data)
}

func (w *world) do(r *http.Request) ([]byte, error) {
	res, err := w.http.Do(r)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: HTTP status %d: %.200s", r.URL.Path, res.StatusCode, answer)
	}
	return answer, err
}

// question makes the request that is measured.
func (w *world) question(ctx context.Context, tasks batch, children bool) (*http.Request, error) {
	ids := make([]any, len(tasks))
	for i, id := range tasks {
		ids[i] = int64(id)
	}
	return w.request(ctx, fmt.Sprintf("/apigw/get_tasks_status/%d/", business),
		stdops.NewObject("task_id_list", ids, "include_children_status", children))
}

// request makes a request with credentials, as a caller behind a gateway does.
func (w *world) request(ctx context.Context, path string, body *stdops.Object) (*http.Request, error) {
	text, err := body.MarshalJSON()
	if err != nil {
		return nil, err
	}
	credentials, err := stdops.NewObject("bk_app_code", appCode, "bk_app_secret", appSecret, "bk_username", user).MarshalJSON()
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+w.address+path, bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Bkapi-Authorization", string(credentials))
	return r, nil
}
