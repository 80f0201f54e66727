package app_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stdops/stdops/internal/app"
)

func start(t *testing.T, dir string) *app.App {
	t.Helper()
	a, err := app.New(t.Context(), app.Options{Listen: "127.0.0.1:0", DataDir: dir, TimeZone: "UTC"})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return a
}

func stop(t *testing.T, a *app.App) {
	t.Helper()
	if err := a.Stop(context.Background()); err != nil {
		t.Errorf("stop: %v", err)
	}
}

func status(t *testing.T, url string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if err := res.Body.Close(); err != nil {
		t.Fatal(err)
	}
	return res.StatusCode
}

func TestAppServesAndStops(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a := start(t, dir)
	for _, path := range []string{"/healthz", "/readyz", "/metrics", "/openapi.json", "/login"} {
		if got := status(t, "http://"+a.Addr()+path); got != http.StatusOK {
			t.Errorf("%s: status %d", path, got)
		}
	}
	if _, err := app.New(t.Context(), app.Options{Listen: "127.0.0.1:0", DataDir: dir}); !errors.Is(err, app.ErrInUse) {
		t.Errorf("a second server on the data directory: %v", err)
	}
	stop(t, a)
	stop(t, a)
	stop(t, start(t, dir))
}

func TestAppTellsFiguresOfCalls(t *testing.T) {
	t.Parallel()
	a, err := app.New(t.Context(), app.Options{
		Listen: "127.0.0.1:0", DataDir: t.TempDir(), TimeZone: "UTC", BootstrapAppCode: appCode, BootstrapAppSecret: appSecret,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer stop(t, a)
	wantFigures(t, a, `stdops_calls_out{class="light"} 0`, `stdops_calls_out{class="http"} 0`, `stdops_calls_waiting{class="script"} 0`,
		"stdops_outbound_refused_total 0",
		`stdops_node_ready_to_start_seconds_count{class="light"} 0`, `stdops_node_ready_to_start_seconds_count{class="script"} 0`)

	c := &caller{t: t, base: "http://" + a.Addr()}
	tree := chain(act("One", "bk_display", "bk_display_message", "1"), act("Two", "bk_display", "bk_display_message", "2")).tree()
	id := c.createTree("two calls", tree)
	c.must(fmt.Sprintf("/apigw/start_task/%d/2/", id), map[string]any{})
	for state := ""; state != "FINISHED"; time.Sleep(10 * time.Millisecond) {
		var status nodeStatus
		got, _ := c.get(fmt.Sprintf("/apigw/get_task_status/%d/2/", id))
		if err := json.Unmarshal(got.Data, &status); err != nil {
			t.Fatal(err)
		}
		state = status.State
	}
	wantFigures(t, a, `stdops_node_ready_to_start_seconds_count{class="light"} 2`, `stdops_node_ready_to_start_seconds_count{class="http"} 0`)
}

// wantFigures looks for lines of /metrics.
func wantFigures(t *testing.T, a *app.App, lines ...string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+a.Addr()+"/metrics", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range lines {
		if !strings.Contains(string(text), "\n"+line+"\n") {
			t.Errorf("/metrics has no line %s", line)
		}
	}
}

func TestAppRefusesAUsedStoreWithoutItsKey(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a, err := app.New(t.Context(), app.Options{Listen: "127.0.0.1:0", DataDir: dir, BootstrapAppCode: "one", BootstrapAppSecret: "two"})
	if err != nil {
		t.Fatal(err)
	}
	stop(t, a)
	if err := os.Remove(filepath.Join(dir, "key")); err != nil {
		t.Fatal(err)
	}
	a, err = app.New(t.Context(), app.Options{Listen: "127.0.0.1:0", DataDir: dir})
	if err == nil {
		stop(t, a)
	}
	if err == nil || !strings.Contains(err.Error(), "restore it from a backup") {
		t.Errorf("a store without its key is opened: %v", err)
	}
}

// A first start that ends while it makes the key leaves a part of it.
func TestAppMakesAKeyAnewThatWasNeverUsed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	options := app.Options{Listen: "127.0.0.1:0", DataDir: dir, BootstrapAppCode: "one", BootstrapAppSecret: "two"}
	half := func() {
		if err := os.WriteFile(filepath.Join(dir, "key"), []byte("0123"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	half()
	for range 2 {
		a, err := app.New(t.Context(), options)
		if err != nil {
			t.Fatal(err)
		}
		stop(t, a)
	}
	half()
	if _, err := app.New(t.Context(), options); err == nil || !strings.Contains(err.Error(), "restore it from a backup") {
		t.Errorf("a store with half of its key is opened: %v", err)
	}
}

func TestAppTakesALongDataDirectory(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), strings.Repeat("long", 30))
	a := start(t, dir)
	if _, err := os.Stat(app.SocketPath(dir)); err != nil {
		t.Errorf("socket: %v", err)
	}
	stop(t, a)
	stop(t, start(t, dir))
}
