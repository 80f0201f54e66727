package conformance

import (
	"context"
	"testing"
	"time"

	"github.com/stdops/stdops/internal/app"
)

// startServer runs a server with test plugins in this process, on a store of its own, until the test ends.
func startServer(t *testing.T, code, secret string) string {
	t.Helper()
	a, err := app.New(t.Context(), app.Options{
		Listen: "127.0.0.1:0", DataDir: t.TempDir(), TestPlugins: true,
		BootstrapAppCode: code, BootstrapAppSecret: secret,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := a.Stop(ctx); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	if err := a.Start(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
	return "http://" + a.Addr()
}
