package app_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stdops/stdops/internal/app"
)

func start(t *testing.T, dir string) *app.App {
	t.Helper()
	a, err := app.New(app.Options{Listen: "127.0.0.1:0", DataDir: dir, TimeZone: "UTC"})
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
	if _, err := app.New(app.Options{Listen: "127.0.0.1:0", DataDir: dir}); !errors.Is(err, app.ErrInUse) {
		t.Errorf("a second server on the data directory: %v", err)
	}
	stop(t, a)
	stop(t, a)
	stop(t, start(t, dir))
}

func TestAppRefusesAUsedStoreWithoutItsKey(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a, err := app.New(app.Options{Listen: "127.0.0.1:0", DataDir: dir, BootstrapAppCode: "one", BootstrapAppSecret: "two"})
	if err != nil {
		t.Fatal(err)
	}
	stop(t, a)
	if err := os.Remove(filepath.Join(dir, "key")); err != nil {
		t.Fatal(err)
	}
	a, err = app.New(app.Options{Listen: "127.0.0.1:0", DataDir: dir})
	if err == nil {
		stop(t, a)
	}
	if err == nil || !strings.Contains(err.Error(), "restore it from a backup") {
		t.Errorf("a store without its key is opened: %v", err)
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
