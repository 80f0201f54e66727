package app_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stdops/stdops/client"
	"github.com/stdops/stdops/internal/app"
	"github.com/stdops/stdops/internal/plugin"
)

var stops = flag.Int("stops", 3, "how often TestStopUnderLoad stops the server")

// longestStop is what is promised of SIGTERM.
const longestStop = 30 * time.Second

// TestStopUnderLoad sends SIGTERM to a real server at random moments under load. It has to end in time and well; whatever was
// acknowledged must be there afterwards, once; and no call that could end in time may happen twice, scripts among them: to
// whom a server says goodbye nothing is in doubt.
func TestStopUnderLoad(t *testing.T) {
	t.Parallel()
	c := newCrash(t)
	var scripts *shape
	begun, ended := filepath.Join(t.TempDir(), "begun"), filepath.Join(t.TempDir(), "ended")
	if runtime.GOOS == "linux" { // scripts run nowhere else
		text := fmt.Sprintf("echo $STDOPS_IDEMPOTENCY_KEY >> %s; sleep 0.1; echo $STDOPS_IDEMPOTENCY_KEY >> %s", begun, ended)
		scripts = &shape{name: "scripts", flow: chain(act("first script", "shell_script", "script", text), act("second script", "shell_script", "script", text))}
	}
	var longest time.Duration
	for range *stops {
		longest = max(longest, c.runAndStop(scripts))
		if !c.sound() {
			t.FailNow()
		}
	}
	c.verify()
	c.startWithScripts()
	c.finishAll()
	c.stop()
	c.verify()
	transitions := c.checkRecord(c.dir)
	if repeated := c.checkEffects(); repeated != 0 {
		t.Errorf("%d effects happened again after a clean stop", repeated)
	}
	if len(c.tasks) == 0 || transitions == 0 {
		t.Error("the load did nothing")
	}
	first, last := linesOf(begun), linesOf(ended)
	for i, key := range first {
		task, _, _ := strings.Cut(key, ".")
		id, err := strconv.ParseInt(task, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		if slices.Contains(first[:i], key) {
			t.Errorf("script %s ran twice", key)
		}
		if revoked := c.tasks[id].said["revoke"]; !slices.Contains(last, key) && revoked.yes+revoked.unknown == 0 {
			t.Errorf("script %s began, and did not come to its end", key)
		}
	}
	if scripts != nil && len(last) == 0 {
		t.Error("no script ran")
	}
	t.Logf("%d stops, the longest took %v; %d tasks, %d acknowledgements, %d transitions, %d scripts",
		*stops, longest.Round(time.Millisecond), len(c.tasks), c.acks, transitions, len(first))
}

// runAndStop lets five clients work until the server is told to end, at a random moment, and gives how long it took.
func (c *crash) runAndStop(scripts *shape) time.Duration {
	c.t.Helper()
	c.startWithScripts()
	var load sync.WaitGroup
	for range 4 {
		load.Go(c.work)
	}
	if scripts != nil {
		load.Go(func() {
			for !c.gone() {
				c.createShape(scripts)
				c.each(1, c.startTask)
				c.watch(c.pick(20))
			}
		})
	}
	time.Sleep(time.Duration(50+rand.IntN(400)) * time.Millisecond)
	c.down.Store(true)
	began := time.Now()
	if err := c.process.Process.Signal(syscall.SIGTERM); err != nil {
		c.t.Fatal(err)
	}
	err := c.died(longestStop)
	took := time.Since(began)
	load.Wait()
	if err != nil {
		c.t.Fatalf("the server did not end well: %v\n%s", err, c.log)
	}
	return took
}

// startWithScripts begins a life that has to last, in which flows may run scripts.
func (c *crash) startWithScripts() {
	c.t.Helper()
	c.victim.mustStart(scriptsEnv + "=same-user")
	c.begun(nil)
}

// gated is a plugin whose calls end when the test lets them.
type gated struct {
	begun chan struct{}
	gate  chan struct{}
}

// Spec describes the plugin.
func (gated) Spec() plugin.Spec {
	return plugin.Spec{
		Code: "gated", Versions: []string{plugin.DefaultVersion}, Name: "gated", Group: "test", Doc: "For tests only.",
		Execute: plugin.Unknown, Schedule: plugin.Unknown,
	}
}

// Execute waits for the gate.
func (g gated) Execute(ctx context.Context, _ *plugin.Call) (plugin.Outcome, error) {
	g.begun <- struct{}{}
	select {
	case <-g.gate:
		return plugin.Done, nil
	case <-ctx.Done():
		return plugin.Done, context.Cause(ctx)
	}
}

// draining is a server with a task of which a call is out, which was asked to drain.
type draining struct {
	*caller
	server  *app.App
	gate    chan struct{}
	id      int64
	stopped chan error
	answer  chan client.Drained
}

// drain makes a server and asks it to drain, which has to be over when ctx is done.
func drain(ctx context.Context, t *testing.T) *draining {
	t.Helper()
	dir := t.TempDir()
	g := gated{make(chan struct{}), make(chan struct{})}
	a, err := app.New(t.Context(), app.Options{
		Listen: "127.0.0.1:0", DataDir: dir, Plugins: append(effectPlugins(dir, "1"), g),
		BootstrapAppCode: appCode, BootstrapAppSecret: appSecret,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	d := &draining{
		caller: &caller{t: t, base: "http://" + a.Addr(), socket: app.SocketPath(dir)}, server: a, gate: g.gate,
		stopped: make(chan error, 1), answer: make(chan client.Drained, 1),
	}
	c := &crash{victim: &victim{}, t: t}
	c.base, c.caller.t = d.base, t
	d.id = c.runTree(chain(act("out", "gated"), act("next", "effect")).tree())
	<-g.begun
	to, err := client.New(client.Options{Socket: d.socket})
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		defer to.Close()
		left, err := to.Drain(context.Background()) // beyond the test's own: it ends with the server
		if err != nil {
			t.Errorf("drain: %v", err)
		}
		d.answer <- *left
	}()
	if err := a.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	go func() { d.stopped <- a.Stop(ctx) }()
	return d
}

// answered calls until there is an answer: a server that drains closes idle connections, under the feet of a request too.
func (d *draining) answered(path string, body any) (got answer) {
	eventually(d.t, "it answers", func() bool {
		got, _ = d.call(path, body)
		return got.Result || got.Code != 0
	})
	return got
}

// TestDrain: as long as a call is out, how tasks stand is told, and commands are refused. The call ends, what follows it does
// not begin, and who asked for it all is answered when the data directory is free.
func TestDrain(t *testing.T) {
	t.Parallel()
	d := drain(context.Background(), t)
	d.down.Store(true) // its refusals are no surprise
	eventually(t, "it is not ready", func() bool { return status(t, d.base+"/readyz") == http.StatusServiceUnavailable })
	if got := d.answered("/apigw/get_tasks_status/2/", map[string]any{"task_id_list": []int64{d.id}}); !strings.Contains(string(got.Data), "RUNNING") {
		t.Errorf("status: %+v", got)
	}
	got := d.answered(fmt.Sprintf("/apigw/operate_task/%d/2/", d.id), map[string]any{"action": "pause"})
	if got.Code != 3555000 || got.Message != "the server is shutting down" {
		t.Errorf("a command: %+v", got)
	}
	close(d.gate)
	if err := <-d.stopped; err != nil {
		t.Error(err)
	}
	if left := <-d.answer; left != (client.Drained{LiveTasks: 1}) {
		t.Errorf("left: %+v", left)
	}
	again := start(t, filepath.Dir(d.socket))
	defer stop(t, again)
	if status(t, "http://"+again.Addr()+"/readyz") != http.StatusOK {
		t.Error("the next server is not ready")
	}
}

// TestDrainCutsOff: a call that does not end in time is cut off, and told of.
func TestDrainCutsOff(t *testing.T) {
	t.Parallel()
	over, cancel := context.WithCancel(context.Background())
	cancel()
	d := drain(over, t)
	if err := <-d.stopped; err != nil {
		t.Error(err)
	}
	if left := <-d.answer; left != (client.Drained{CallsCutOff: 1, LiveTasks: 1}) {
		t.Errorf("left: %+v", left)
	}
	to, err := client.New(client.Options{Socket: d.socket})
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	var unreachable *client.UnreachableError
	if _, err := to.Drain(t.Context()); !errors.As(err, &unreachable) {
		t.Errorf("a server that is gone: %v", err)
	}
}
