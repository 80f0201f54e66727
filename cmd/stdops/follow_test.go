package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stdops/stdops/client"
)

// TestFollowWithoutAWatch: where the server tells of no changes, as an old one or one that is full, it is asked again and again.
func TestFollowWithoutAWatch(t *testing.T) {
	t.Parallel()
	for name, status := range map[string]int{"an old server": 404, "one caller has his share": 429, "a full server": 503} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var looks, watches atomic.Int64
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.HasSuffix(r.URL.Path, ":watch") {
					watches.Add(1)
					w.Header().Set("Content-Type", "application/problem+json")
					w.WriteHeader(status)
					_ = json.NewEncoder(w).Encode(client.Error{Status: status, Code: client.CodeUnavailable, Message: "no"})
					return
				}
				task := client.Task{ID: 7, Name: "t", State: client.Running}
				if looks.Add(1) > 3 && watches.Load() > 0 {
					task.State = client.Finished
				}
				w.Header().Set("Content-Type", "application/json")
				_ = json.NewEncoder(w).Encode(client.StatusList{Tasks: []client.Task{task}, Missing: []int64{}, Now: time.Now()})
			}))
			followToTheEnd(t, s)
			if looks.Load() < 4 {
				t.Errorf("%d looks, %d tries to watch", looks.Load(), watches.Load())
			}
		})
	}
}

// TestFollowOverARestart: a server that is away, or says for a moment that it is full, is waited for.
func TestFollowOverARestart(t *testing.T) {
	t.Parallel()
	var looks atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		task := client.Task{ID: 7, Name: "t", State: client.Running}
		switch look := looks.Add(1); {
		case strings.HasSuffix(r.URL.Path, ":watch"):
			looks.Add(-1)
			w.WriteHeader(http.StatusNotFound)
			return
		case look == 2:
			panic(http.ErrAbortHandler)
		case look == 3:
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusServiceUnavailable)
			_ = json.NewEncoder(w).Encode(client.Error{Status: 503, Code: client.CodeUnavailable, Message: "no"})
			return
		case look > 3:
			task.State = client.Finished
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(client.StatusList{Tasks: []client.Task{task}, Missing: []int64{}, Now: time.Now()})
	}))
	followToTheEnd(t, s)
}

// TestNewsPace: tasks that change all the time are looked at about once a second, one that changes now and then at once.
func TestNewsPace(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change time.Duration // how often something changes
		least  int           // looks in a minute
		most   int
	}{
		"all the time":    {10 * time.Millisecond, 60, 60 + quick + 1},
		"now and then":    {5 * time.Second, 12, 13},
		"nothing changes": {time.Hour, 6, 6},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute+time.Millisecond)
				defer cancel()
				n := newNews()
				n.told.Store(true)
				go func() {
					for pause(ctx, c.change); ctx.Err() == nil; pause(ctx, c.change) {
						n.ring()
					}
				}()
				looks := 0
				for n.await(ctx, 500*time.Millisecond); ctx.Err() == nil; n.await(ctx, 500*time.Millisecond) {
					looks++
				}
				if looks < c.least || looks > c.most {
					t.Errorf("%d looks in a minute, want %d to %d", looks, c.least, c.most)
				}
			})
		})
	}
}

// followToTheEnd follows task 7 of a server until it has finished.
func followToTheEnd(t *testing.T, s *httptest.Server) {
	t.Helper()
	t.Cleanup(s.Close)
	to, err := client.New(client.Options{URL: s.URL})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(to.Close)
	c := &cli{out: &bytes.Buffer{}, format: "table"}
	c.projectID = 1
	list, err := c.follow(t.Context(), to, follow{ids: []int64{7}, every: time.Millisecond, until: allEnded, quiet: true})
	if err != nil || list.Tasks[0].State != client.Finished {
		t.Fatalf("%v, %v", list, err)
	}
}
