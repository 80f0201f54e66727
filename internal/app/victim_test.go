package app_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/app"
	"github.com/stdops/stdops/internal/plugin/script"
)

// The server that is killed is this test binary itself, started again with serverEnv set. fileSizeEnv bounds the size of
// its files, which then fail like those of a broken disk; lifeEnv counts its lives, for the record of effects; scriptsEnv lets
// its flows run scripts. databaseEnv is the address of a database that servers share, rolesEnv what this one does there, and
// effectsEnv the directory for the effects of them all.
const (
	serverEnv   = "STDOPS_CRASH_TEST_SERVER"
	fileSizeEnv = "STDOPS_CRASH_TEST_FILE_SIZE"
	lifeEnv     = "STDOPS_CRASH_TEST_LIFE"
	scriptsEnv  = "STDOPS_CRASH_TEST_SCRIPTS"
	databaseEnv = "STDOPS_CRASH_TEST_DATABASE"
	rolesEnv    = "STDOPS_CRASH_TEST_ROLES"
	effectsEnv  = "STDOPS_CRASH_TEST_EFFECTS"
	appCode     = "crash"
	appSecret   = "crash-secret"
	person      = "ann"
)

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
	o := victimOptions(dir, os.Getenv(lifeEnv), os.Stderr)
	o.LocalScripts, o.DB = os.Getenv(scriptsEnv), os.Getenv(databaseEnv)
	if roles := os.Getenv(rolesEnv); roles != "" {
		var err error
		if o.Roles, err = app.ParseRoles(strings.Split(roles, ",")); err != nil {
			panic(err)
		}
	}
	if effects := os.Getenv(effectsEnv); effects != "" {
		o.Plugins = effectPlugins(effects, os.Getenv(lifeEnv))
	}
	a, err := app.New(ctx, o)
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

// victimOptions are those of a server that is to be killed, in one of its lives.
func victimOptions(dir, life string, log io.Writer) app.Options {
	return app.Options{
		Listen: "127.0.0.1:0", PublicURL: "http://crash.example", DataDir: dir, TestPlugins: true, TimeZone: "UTC", Limits: anyRate(),
		Plugins: effectPlugins(dir, life), BootstrapAppCode: appCode, BootstrapAppSecret: appSecret,
		Log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelWarn})),
	}
}

// victim is a server in a process of its own, to be killed and started again on the same data directory.
type victim struct {
	caller
	dir     string
	program string // "": this test binary
	process *exec.Cmd
	log     *bytes.Buffer
	lives   int
	ended   chan error // gets how the process ended
}

func newVictim(t *testing.T) *victim { return &victim{caller: caller{t: t}, dir: t.TempDir()} }

// start begins the next life of the server; env is added to its environment. It is false when the server died before it
// took its address.
func (v *victim) start(env ...string) bool {
	v.t.Helper()
	self, err := os.Executable()
	if err != nil {
		v.t.Fatal(err)
	}
	v.lives++
	v.process, v.log = exec.Command(cmp.Or(v.program, self)), &bytes.Buffer{}
	v.process.Env = append(os.Environ(), append(env, serverEnv+"="+v.dir, lifeEnv+"="+strconv.Itoa(v.lives))...)
	v.process.Stderr = v.log
	out, err := v.process.StdoutPipe()
	if err != nil {
		v.t.Fatal(err)
	}
	if err := v.process.Start(); err != nil {
		v.t.Fatal(err)
	}
	ended := make(chan error, 1)
	v.ended = ended
	line := make([]byte, 64)
	n, err := out.Read(line)
	process := v.process
	go func() {
		_, _ = io.Copy(io.Discard, out)
		ended <- process.Wait()
	}()
	v.base = "http://" + strings.TrimSpace(string(line[:n]))
	v.down.Store(err != nil)
	return err == nil
}

// mustStart begins a life that has to last.
func (v *victim) mustStart(env ...string) {
	v.t.Helper()
	if !v.start(env...) {
		v.t.Fatalf("the server did not start: %v\n%s", <-v.ended, v.log)
	}
}

// kill ends the life as kill -9 does.
func (v *victim) kill() {
	v.t.Helper()
	v.down.Store(true)
	if err := v.process.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		v.t.Fatal(err)
	}
	<-v.ended //nolint:errcheck // it was killed
}

// stop lets the server drain and end.
func (v *victim) stop() {
	v.t.Helper()
	clients.CloseIdleConnections() // one that never sent a request would hold up the end
	v.down.Store(true)
	if err := v.process.Process.Signal(syscall.SIGTERM); err != nil {
		v.t.Fatal(err)
	}
	if err := <-v.ended; err != nil {
		v.t.Fatalf("the server did not end well: %v\n%s", err, v.log)
	}
}

// died waits for a server that is to end by itself.
func (v *victim) died(patience time.Duration) error {
	v.t.Helper()
	select {
	case err := <-v.ended:
		v.down.Store(true)
		return err
	case <-time.After(patience):
		v.kill()
		v.t.Fatalf("the server goes on, until it is killed\n%s", v.log)
		return nil
	}
}

// anyRate lets the one app of these tests ask as often as it can.
func anyRate() *stdops.Limits {
	limits := stdops.DefaultLimits()
	limits.Rate = 0
	return &limits
}

// caller speaks to a server as a program of the compatible API does.
type caller struct {
	t      testing.TB
	base   string
	socket string
	down   atomic.Bool    // the server is gone or about to be
	route  func() *caller // nil, or gives which of many servers is asked
	off    func() bool    // nil, or reports that the disk of the server is off, which it may not know yet
	// forgives is nil, or reports whether an answer of 5xx is as it should be at this moment.
	forgives func(*http.Response) bool
}

// gone reports whether the server may fail to answer.
func (c *caller) gone() bool { return c.down.Load() || c.off != nil && c.off() }

// newCaller starts a server in this process and speaks to it.
func newCaller(t *testing.T) *caller {
	t.Helper()
	dir := t.TempDir()
	a, err := app.New(t.Context(), app.Options{
		Listen: "127.0.0.1:0", DataDir: dir, TestPlugins: true, TimeZone: "UTC", Limits: anyRate(), Plugins: effectPlugins(dir, "1"),
		BootstrapAppCode: appCode, BootstrapAppSecret: appSecret,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		clients.CloseIdleConnections()
		if err := a.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return &caller{t: t, base: "http://" + a.Addr(), socket: app.SocketPath(dir)}
}

type answer struct {
	Result  bool            `json:"result"`
	Code    int             `json:"code"`
	Message string          `json:"message"`
	Data    json.RawMessage `json:"data"`
}

// call sends a request; ok is false when no answer came, so that nobody knows what became of it.
func (c *caller) call(path string, body any, key ...string) (got answer, ok bool) {
	text, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	return c.send(http.MethodPost, path, bytes.NewReader(text), key...)
}

// get is call for what is asked without a body.
func (c *caller) get(path string) (got answer, ok bool) {
	return c.send(http.MethodGet, path, http.NoBody)
}

func (c *caller) send(method, path string, body io.Reader, key ...string) (got answer, ok bool) {
	if c.route != nil {
		return c.route().send(method, path, body, key...)
	}
	req, err := http.NewRequestWithContext(c.t.Context(), method, c.base+path, body)
	if err != nil {
		panic(err)
	}
	req.Header.Set("X-Bkapi-Authorization", fmt.Sprintf(`{"bk_app_code":%q,"bk_app_secret":%q,"bk_username":%q}`, appCode, appSecret, person))
	for _, k := range key {
		req.Header.Set("Idempotency-Key", k)
	}
	res, err := clients.Do(req)
	if err != nil {
		return got, false
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(&got); err != nil {
		return got, false
	}
	if res.StatusCode >= 500 && !c.gone() && (c.forgives == nil || !c.forgives(res)) {
		c.t.Errorf("%s: HTTP %d %s", path, res.StatusCode, got.Message)
	}
	return got, res.StatusCode == http.StatusOK
}

// clients holds enough connections for all clients of a test: the default keeps two of them.
var clients = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}, Timeout: 30 * time.Second}
