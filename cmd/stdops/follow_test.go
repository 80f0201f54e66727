package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
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
			if looks.Load() < 4 {
				t.Errorf("%d looks, %d tries to watch", looks.Load(), watches.Load())
			}
		})
	}
}
