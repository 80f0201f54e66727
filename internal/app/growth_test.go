package app_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stdops/stdops/internal/app"
	"github.com/stdops/stdops/internal/store"
)

// BenchmarkGrowth tells by how many bytes a data directory grows with each finished task of 20 nodes, and what of that is
// left when the task is archived. It is run by go test ./internal/app -run '^$' -bench Growth -benchtime 1x.
func BenchmarkGrowth(b *testing.B) {
	const tasks = 1000
	dir := b.TempDir()
	a, err := app.New(b.Context(), app.Options{
		Listen: "127.0.0.1:0", DataDir: dir, TimeZone: "UTC", Limits: anyRate(), BootstrapAppCode: appCode, BootstrapAppSecret: appSecret,
	})
	if err != nil {
		b.Fatal(err)
	}
	if err := a.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	c := &caller{t: b, base: "http://" + a.Addr()}
	var steps []piece
	for i := range 14 { // and a gateway with its converge gateway, two branches, and both events
		steps = append(steps, act(fmt.Sprintf("Step %d", i+1), "bk_display", "bk_display_message", fmt.Sprintf("what step %d tells of a rollout", i+1)))
	}
	tree := chain(chain(steps...), parallel(act("Left", "bk_display", "bk_display_message", "left"), act("Right", "bk_display", "bk_display_message", "right"))).tree()
	var last int64
	for i := range tasks {
		last = c.createTree(fmt.Sprintf("Rollout %d", i), tree)
		c.must(fmt.Sprintf("/apigw/start_task/%d/2/", last), map[string]any{})
	}
	for state := ""; state != "FINISHED"; time.Sleep(10 * time.Millisecond) {
		var status nodeStatus
		got, _ := c.get(fmt.Sprintf("/apigw/get_task_status/%d/2/", last))
		if err := json.Unmarshal(got.Data, &status); err != nil {
			b.Fatal(err)
		}
		if state = status.State; state == "FINISHED" && len(status.Children) != 20 {
			b.Fatalf("%d nodes", len(status.Children))
		}
	}
	clients.CloseIdleConnections()
	if err := a.Stop(context.Background()); err != nil {
		b.Fatal(err)
	}
	whole := size(b, dir)
	for b.Loop() {
		s, err := store.Open(b.Context(), store.Options{Dir: dir, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			b.Fatal(err)
		}
		for n := -1; n != 0; {
			if n, err = s.Archive(b.Context(), time.Now().Add(time.Hour), 100); err != nil {
				b.Fatal(err)
			}
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
	kept := size(b, dir)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(whole)/tasks, "whole-B/task")
	b.ReportMetric(float64(kept)/tasks, "archived-B/task")
}

// size gives the size of a database without the room that it has to spare.
func size(b *testing.B, dir string) int64 {
	b.Helper()
	file := filepath.Join(b.TempDir(), "copy.db")
	db, err := sql.Open("sqlite3", "file:"+filepath.Join(dir, "stdops.db"))
	if err != nil {
		b.Fatal(err)
	}
	_, err = db.ExecContext(b.Context(), "VACUUM INTO '"+file+"'")
	if err := errors.Join(err, db.Close()); err != nil {
		b.Fatal(err)
	}
	info, err := os.Stat(file)
	if err != nil {
		b.Fatal(err)
	}
	return info.Size()
}
