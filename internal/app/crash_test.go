package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/app"
	"github.com/stdops/stdops/internal/flow"
	"github.com/stdops/stdops/internal/plugin/script"
	"github.com/stdops/stdops/internal/store"
)

// The server that is killed is this test binary itself, started again with serverEnv set; fileSizeEnv bounds the size of
// its files, which then fail like those of a broken disk; scriptsEnv lets its flows run scripts.
const (
	serverEnv   = "STDOPS_CRASH_TEST_SERVER"
	fileSizeEnv = "STDOPS_CRASH_TEST_FILE_SIZE"
	scriptsEnv  = "STDOPS_CRASH_TEST_SCRIPTS"
	appCode     = "crash"
	appSecret   = "crash-secret"
)

var cycles = flag.Int("cycles", 3, "how often TestCrash kills the server")

func TestMain(m *testing.M) {
	if script.IsShim(os.Args) {
		os.Exit(script.Shim())
	}
	if dir := os.Getenv(serverEnv); dir != "" {
		serveUntilKilled(dir)
		return
	}
	flag.Parse()
	goleak.VerifyTestMain(m)
}

func serveUntilKilled(dir string) {
	if size, err := strconv.ParseUint(os.Getenv(fileSizeEnv), 10, 64); err == nil {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: size, Max: size}); err != nil {
			panic(err)
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	a, err := app.New(app.Options{
		Listen: "127.0.0.1:0", PublicURL: "http://crash.example", DataDir: dir, TestPlugins: true, TimeZone: "UTC", LocalScripts: os.Getenv(scriptsEnv),
		BootstrapAppCode: appCode, BootstrapAppSecret: appSecret,
		Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err == nil {
		fmt.Println(a.Addr())
		err = a.Start(ctx)
	}
	if err == nil {
		err = a.Wait(ctx)
	}
	if err == nil {
		err = a.Stop(context.Background())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// TestCrash kills a real server at random moments under load. Whatever was acknowledged must be there afterwards, every
// node state that was ever shown must be in the record, no transition may be lost or doubled, and every task must end.
func TestCrash(t *testing.T) {
	c := newCrash(t)
	for range *cycles {
		c.runAndKill()
	}
	c.start()
	c.finishAll()
	c.stop(syscall.SIGTERM)
	c.checkRecord()
}

// TestDiskFailure lets the disk fail under a working server: it must end by itself, and the next start must have all that
// was acknowledged.
func TestDiskFailure(t *testing.T) {
	c := newCrash(t)
	c.start(fileSizeEnv + "=700000")
	c.halt = true // its refusals are no surprise
	ended := make(chan error, 1)
	go func() { ended <- c.server.Wait() }()
	patience := time.After(30 * time.Second)
	for err := error(nil); err == nil; {
		select {
		case <-patience:
			_ = c.server.Process.Kill()
			t.Fatalf("the server goes on without its disk, until it is killed (%v)\n%s", <-ended, c.log)
		case err = <-ended:
			if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.Contains(c.log.String(), "disk") {
				t.Fatalf("the server ended with %v\n%s", err, c.log)
			}
			continue
		default:
		}
		c.create()
		c.each(1, c.startTask)
	}
	c.start()
	c.finishAll()
	c.stop(syscall.SIGTERM)
	c.checkRecord()
}

// crash is the test: the server, the load, and the oracle of what was acknowledged.
type crash struct {
	t       *testing.T
	dir     string
	tree    json.RawMessage
	server  *exec.Cmd
	base    string
	log     *bytes.Buffer
	counter int

	mu    sync.Mutex
	tasks map[int64]*oracle
	sent  []*request // with a key, in the order in which they ended
	halt  bool       // the server is gone or about to be
}

// oracle is what the server has acknowledged about one task.
type oracle struct {
	attempts int // to start it
	started  bool
	ended    bool
	pauses   int               // that were accepted
	wire     map[string]string // "node version" → the last state shown
}

func newCrash(t *testing.T) *crash {
	tree, err := os.ReadFile("testdata/crash_tree.json")
	if err != nil {
		t.Fatal(err)
	}
	return &crash{t: t, dir: t.TempDir(), tree: tree, tasks: make(map[int64]*oracle)}
}

func (c *crash) start(env ...string) {
	c.t.Helper()
	self, err := os.Executable()
	if err != nil {
		c.t.Fatal(err)
	}
	c.server, c.log = exec.Command(self), &bytes.Buffer{}
	c.server.Env = append(os.Environ(), append(env, serverEnv+"="+c.dir)...)
	c.server.Stderr = c.log
	out, err := c.server.StdoutPipe()
	if err != nil {
		c.t.Fatal(err)
	}
	if err := c.server.Start(); err != nil {
		c.t.Fatal(err)
	}
	line := make([]byte, 64)
	n, err := out.Read(line)
	if err != nil {
		_ = c.server.Wait()
		c.t.Fatalf("the server did not start: %v\n%s", err, c.log)
	}
	go io.Copy(io.Discard, out) //nolint:errcheck // ends with the server
	c.base, c.halt = "http://"+strings.TrimSpace(string(line[:n])), false
	c.repeat()
}

func (c *crash) stop(how syscall.Signal) {
	c.t.Helper()
	c.mu.Lock()
	c.halt = true
	c.mu.Unlock()
	if err := c.server.Process.Signal(how); err != nil {
		c.t.Fatal(err)
	}
	if err := c.server.Wait(); err != nil && how == syscall.SIGTERM {
		c.t.Fatalf("the server did not end well: %v\n%s", err, c.log)
	}
}

// runAndKill lets four clients work until the server is killed, at a random moment.
func (c *crash) runAndKill() {
	c.start()
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(c.work)
	}
	time.Sleep(time.Duration(5+rand.IntN(600)) * time.Millisecond)
	c.stop(syscall.SIGKILL)
	clients.Wait()
	c.checkAlive()
}

func (c *crash) checkAlive() {
	if c.t.Failed() {
		c.t.FailNow()
	}
}

func (c *crash) halted() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.halt
}

// work creates, starts, watches, pauses, resumes and confirms tasks.
func (c *crash) work() {
	for !c.halted() {
		switch rand.IntN(5) {
		case 0:
			c.create()
		case 1:
			c.each(1, c.startTask)
		case 2:
			c.each(1, c.pauseAndResume)
		default:
			c.watch(c.pick(20))
		}
	}
}

// pick gives random known tasks.
func (c *crash) pick(n int) []int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	var ids []int64
	for id := range c.tasks { // the order of a map is random
		if len(ids) < n {
			ids = append(ids, id)
		}
	}
	return ids
}

func (c *crash) each(n int, do func(int64)) {
	for _, id := range c.pick(n) {
		do(id)
	}
}

type answer struct {
	Result  bool            `json:"result"`
	Code    int             `json:"code"`
	Message string          `json:"message"`
	Data    json.RawMessage `json:"data"`
}

// call sends a request; ok is false when no answer came, so that nobody knows what became of it.
func (c *crash) call(path string, body any) (got answer, ok bool) { return c.send("", path, body) }

func (c *crash) send(key, path string, body any) (got answer, ok bool) {
	text, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	req, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, c.base+path, bytes.NewReader(text))
	if err != nil {
		panic(err)
	}
	req.Header.Set("X-Bkapi-Authorization", fmt.Sprintf(`{"bk_app_code":%q,"bk_app_secret":%q,"bk_username":"ann"}`, appCode, appSecret))
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return got, false
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(&got); err != nil {
		return got, false
	}
	if res.StatusCode >= 500 && !c.halted() {
		c.t.Errorf("%s: HTTP %d %s", path, res.StatusCode, got.Message)
	}
	return got, res.StatusCode == http.StatusOK
}

func (c *crash) create() {
	c.mu.Lock()
	c.counter++
	name := fmt.Sprintf("crash %d", c.counter)
	c.mu.Unlock()
	c.once("/apigw/fast_create_task/2/", map[string]any{"name": name, "pipeline_tree": c.tree}, c.created)
}

func (c *crash) created(got answer) {
	var data struct {
		TaskID int64 `json:"task_id"`
	}
	if err := json.Unmarshal(got.Data, &data); err != nil || !got.Result {
		c.t.Errorf("create: %+v", got)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.tasks[data.TaskID] != nil {
		c.t.Errorf("two tasks got the id %d", data.TaskID)
	}
	c.tasks[data.TaskID] = &oracle{wire: make(map[string]string)}
}

func (c *crash) startTask(id int64) {
	c.mu.Lock()
	task := c.tasks[id]
	before := task.started
	task.attempts++
	c.mu.Unlock()
	c.once(fmt.Sprintf("/apigw/start_task/%d/2/", id), map[string]any{}, func(got answer) {
		if before && got.Result {
			c.t.Errorf("task %d was started twice", id)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if task.attempts == 1 && !got.Result { // else another attempt may have come first
			c.t.Errorf("task %d cannot be started: %s", id, got.Message)
		}
		task.started = true
	})
}

func (c *crash) pauseAndResume(id int64) {
	c.once(fmt.Sprintf("/apigw/operate_task/%d/2/", id), map[string]any{"action": "pause"}, func(got answer) {
		c.mu.Lock()
		defer c.mu.Unlock()
		if got.Result {
			c.tasks[id].pauses++
		}
	})
	c.once(fmt.Sprintf("/apigw/operate_task/%d/2/", id), map[string]any{"action": "resume"}, func(answer) {})
}

type nodeStatus struct {
	ID       string                `json:"id"`
	Name     string                `json:"name"`
	State    string                `json:"state"`
	Version  string                `json:"version"`
	Children map[string]nodeStatus `json:"children"`
}

// watch asks how tasks stand, holds the answer against what was known before it was asked, and confirms what waits.
func (c *crash) watch(ids []int64) {
	known := c.known(ids)
	got, ok := c.call("/apigw/get_tasks_status/2/", map[string]any{"task_id_list": ids, "include_children_status": true})
	if !ok || len(ids) == 0 {
		return
	}
	var entries []struct {
		ID     int64      `json:"id"`
		Status nodeStatus `json:"status"`
	}
	if err := json.Unmarshal(got.Data, &entries); err != nil || !got.Result || len(entries) != len(ids) {
		c.t.Errorf("asked for %d tasks, got %d: %s", len(ids), len(entries), got.Message)
		return
	}
	for _, e := range entries {
		c.compare(e.ID, known[e.ID], e.Status)
		c.confirm(e.ID, e.Status)
	}
}

// known copies what the server has acknowledged so far: other clients go on asking meanwhile.
func (c *crash) known(ids []int64) map[int64]oracle {
	c.mu.Lock()
	defer c.mu.Unlock()
	copies := make(map[int64]oracle, len(ids))
	for _, id := range ids {
		task := *c.tasks[id]
		task.wire = maps.Clone(task.wire)
		copies[id] = task
	}
	return copies
}

func (c *crash) compare(id int64, task oracle, root nodeStatus) {
	if task.started && root.State == "CREATED" {
		c.t.Errorf("task %d was started, and is CREATED now", id)
	}
	if task.ended && root.State != "FINISHED" {
		c.t.Errorf("task %d was FINISHED, and is %s now", id, root.State)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.tasks[id]
	now.ended = now.ended || root.State == "FINISHED"
	var walk func(nodeStatus)
	walk = func(n nodeStatus) {
		key := n.ID + " " + n.Version
		if task.wire[key] == "FINISHED" && n.State != "FINISHED" && n.ID != root.ID {
			c.t.Errorf("node %s (%s) of task %d was FINISHED in version %s, and is %s now", n.ID, n.Name, id, n.Version, n.State)
		}
		if now.wire[key] != "FINISHED" {
			now.wire[key] = n.State
		}
		for _, child := range n.Children {
			walk(child)
		}
	}
	walk(root)
}

func (c *crash) confirm(id int64, root nodeStatus) {
	for _, n := range root.Children {
		if n.Name == "confirm" && n.State == "RUNNING" {
			c.call(fmt.Sprintf("/apigw/node_callback/%d/2/", id), map[string]any{"node_id": n.ID, "callback_data": map[string]any{"bit": 1}, "version": n.Version})
		}
	}
}

// finishAll brings every task to its end.
func (c *crash) finishAll() {
	for deadline := time.Now().Add(2 * time.Minute); ; {
		open := c.unfinished()
		if len(open) == 0 {
			return
		}
		if time.Now().After(deadline) {
			c.t.Fatalf("tasks %v did not end\n%s", open, c.log)
		}
		for batch := range slices.Chunk(open, 50) {
			for _, id := range batch {
				c.startOnce(id)
			}
			c.watch(batch)
		}
		time.Sleep(50 * time.Millisecond)
		c.checkAlive()
	}
}

func (c *crash) startOnce(id int64) {
	c.mu.Lock()
	started := c.tasks[id].started
	c.mu.Unlock()
	if !started {
		c.startTask(id)
	}
	c.call(fmt.Sprintf("/apigw/operate_task/%d/2/", id), map[string]any{"action": "resume"}) // a kill may have come between pause and resume
}

func (c *crash) unfinished() []int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	var open []int64
	for id, task := range c.tasks {
		if !task.ended {
			open = append(open, id)
		}
	}
	return open
}

// checkRecord reads the log of transitions: of each node every transition must follow on the one before, and whatever
// was shown must be in it.
func (c *crash) checkRecord() {
	st, err := store.Open(c.t.Context(), store.Options{Dir: c.dir, DecodeSkeleton: flow.DecodeSkeleton})
	if err != nil {
		c.t.Fatal(err)
	}
	defer st.Close()
	stored, err := st.Statuses(c.t.Context(), 1, store.StatusQuery{Newest: len(c.tasks) + 1})
	if err != nil {
		c.t.Fatal(err)
	}
	if len(stored.Tasks) != len(c.tasks) {
		c.t.Errorf("%d tasks are known, there are %d", len(c.tasks), len(stored.Tasks))
	}
	transitions := 0
	for id := range c.tasks {
		pauses := 0
		last := make(map[stdops.NodeIndex]stdops.State)
		last[stdops.RootNode] = stdops.StateCreated
		log, err := st.Transitions(c.t.Context(), stdops.TaskRef{Project: 1, Task: stdops.TaskID(id)}, 0, 1_000_000)
		if err != nil {
			c.t.Fatal(err)
		}
		for _, tr := range log {
			if tr.From != last[tr.Node] {
				c.t.Errorf("task %d, node %d: a transition from %s follows one to %s", id, tr.Node, tr.From, last[tr.Node])
			}
			last[tr.Node] = tr.To
			if tr.Node == stdops.RootNode && tr.To == stdops.StateSuspended {
				pauses++
			}
		}
		if accepted := c.tasks[id].pauses; pauses != accepted {
			c.t.Errorf("task %d was paused %d times, and %d pauses were accepted", id, pauses, accepted)
		}
		transitions += len(log)
		for node, state := range last {
			if state != stdops.StateFinished {
				c.t.Errorf("task %d ended with node %d %s", id, node, state)
			}
		}
	}
	if len(c.tasks) == 0 || transitions == 0 {
		c.t.Error(errors.New("the load did nothing"))
	}
	c.t.Logf("%d kills, %d tasks, %d transitions", *cycles, len(c.tasks), transitions)
}
