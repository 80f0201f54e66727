package app_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/client"
	"github.com/stdops/stdops/internal/app"
	"github.com/stdops/stdops/internal/store"
)

// TestDrain_ends_streams: a server that drains ends streams at once, while a call is still out, and who watches goes on where
// it was when there is a server again.
func TestDrain_ends_streams(t *testing.T) {
	t.Parallel()
	d := drain(context.Background(), t)
	d.down.Store(true)
	to, err := client.New(client.Options{Socket: d.socket})
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	eventually(t, "nobody can watch any more", func() bool {
		_, err := to.Poll(t.Context(), 1, client.WatchRequest{IDs: []int64{d.id}})
		refused, ok := err.(*client.Error) //nolint:errorlint // nobody wraps it
		return ok && refused.Code == client.CodeUnavailable
	})
	select {
	case err := <-d.stopped:
		t.Errorf("the server has stopped although a call is out: %v", err)
	default:
	}
	close(d.gate)
	if err := <-d.stopped; err != nil {
		t.Error(err)
	}
	<-d.answer
}

// TestWatch_goes_on_across_a_restart follows a task of a server that is stopped, and made anew on the same data directory.
func TestWatch_goes_on_across_a_restart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a := start(t, dir)
	to, err := client.New(client.Options{Socket: app.SocketPath(dir)})
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	tree, err := json.Marshal(chain(act("a", "bk_display", "bk_display_message", "x")).tree())
	if err != nil {
		t.Fatal(err)
	}
	task, err := to.CreateTask(t.Context(), 1, client.NewTask{Name: "one", Tree: tree})
	if err != nil {
		t.Fatal(err)
	}
	var states []string
	for got, err := range to.Watch(t.Context(), 1, client.WatchRequest{IDs: []int64{task.ID}}) {
		if err != nil {
			t.Fatal(err)
		}
		for _, told := range got.Tasks {
			states = append(states, told.State)
		}
		if len(states) == 1 && len(got.Tasks) == 1 {
			began := time.Now()
			stop(t, a)
			if time.Since(began) > 20*time.Second {
				t.Error("the stop waits for those who watch")
			}
			a = start(t, dir)
			defer stop(t, a)
			if _, err := to.Do(t.Context(), 1, task.ID, client.Command{Command: "start"}); err != nil {
				t.Fatal(err)
			}
		}
		if slices.Contains(states, client.Finished) {
			break
		}
	}
	if n := len(states); states[0] != client.Created || states[n-1] != client.Finished || slices.Contains(states[1:], client.Created) {
		t.Errorf("told %v", states)
	}
}

// TestCluster_watch_without_notifications: what another process does and tells nobody is told all the same, of tasks and of lists,
// and what one tells is.
func TestCluster_watch_without_notifications(t *testing.T) {
	t.Parallel()
	c := newCluster(t, app.Roles{}, app.Roles{})
	here, there := c.client(0), c.client(1)
	silent, err := store.Open(t.Context(), store.Options{DB: c.db, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = silent.Close() })
	tree, err := json.Marshal(chain(act("a", "bk_display", "bk_display_message", "x")).tree())
	if err != nil {
		t.Fatal(err)
	}
	var ids []int64
	for range 2 {
		task, err := there.CreateTask(t.Context(), 1, client.NewTask{Name: "one", Tree: tree})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, task.ID)
	}
	for name, q := range map[string]client.WatchRequest{
		"ids": {IDs: ids[:1]}, "a list": {Filter: &client.WatchFilter{Creator: "local"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			id := ids[0]
			if q.IDs == nil {
				id = ids[1]
			}
			asked := false
			for got, err := range here.Watch(ctx, 1, q) {
				if err != nil {
					t.Fatal(err)
				}
				if !asked {
					asked = true
					ref := stdops.TaskRef{Project: 1, Task: stdops.TaskID(id)}
					if err := silent.DeleteTask(ctx, ref); err != nil {
						t.Fatal(err)
					}
				}
				if slices.Contains(got.Gone, id) {
					return
				}
			}
		})
	}
}
