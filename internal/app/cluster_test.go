package app_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	"github.com/stdops/stdops/client"
	"github.com/stdops/stdops/internal/app"
	"github.com/stdops/stdops/internal/store/pgtest"
)

// cluster are servers on one database.
type cluster struct {
	t    *testing.T
	db   string
	apps []*app.App
	dirs []string
}

func newCluster(t *testing.T, roles ...app.Roles) *cluster {
	t.Helper()
	c := &cluster{t: t, db: database(t, pgtest.Shared(t))}
	for _, r := range roles {
		c.add(r)
	}
	return c
}

// database makes an empty database with the schema of this program.
func database(t *testing.T, server *pgtest.Server) string {
	t.Helper()
	return server.Database(t, "app", func(ctx context.Context, url string) error {
		return app.Upgrade(ctx, app.Place{DB: url}, slog.New(slog.DiscardHandler))
	})
}

func (c *cluster) add(r app.Roles) *app.App {
	c.t.Helper()
	dir := c.t.TempDir()
	a, err := app.New(c.t.Context(), app.Options{
		Listen: "127.0.0.1:0", DataDir: dir, DB: c.db, Roles: r, TimeZone: "UTC", TestPlugins: true, Plugins: effectPlugins(dir, "1"),
		BootstrapAppCode: appCode, BootstrapAppSecret: appSecret, Limits: anyRate(), LocalScripts: "same-user",
		Log: slog.New(slog.NewTextHandler(c.t.Output(), nil)),
	})
	if err != nil {
		c.t.Fatal(err)
	}
	if err := a.Start(c.t.Context()); err != nil {
		c.t.Fatal(err)
	}
	c.apps, c.dirs = append(c.apps, a), append(c.dirs, dir)
	c.t.Cleanup(func() { stop(c.t, a) })
	return a
}

func (c *cluster) client(i int) *client.Client {
	c.t.Helper()
	native, err := client.New(client.Options{Socket: app.SocketPath(c.dirs[i])})
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { native.Close() })
	return native
}

func TestCluster(t *testing.T) {
	t.Parallel()
	c := newCluster(t, app.Roles{}, app.Roles{NoWorker: true}, app.Roles{NoAPI: true})
	tree, err := json.Marshal(chain(parallel(child("one", act("a", "bk_display", "bk_display_message", "x")), act("b", "bk_display", "bk_display_message", "x")), act("c", "bk_display", "bk_display_message", "x")).tree())
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	for i := range 2 {
		task, err := c.client(i).CreateTask(t.Context(), 1, client.NewTask{Name: "one", Tree: tree, Start: true})
		if err != nil {
			t.Fatal(err)
		}
		if got := settled(t, c.client(1-i), task.ID); got != client.Finished {
			t.Errorf("%s", got)
		}
		t.Logf("%v", time.Since(began))
	}
}
