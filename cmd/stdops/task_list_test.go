package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops/client"
)

// TestPages: pages are asked for until there are as many tasks as are wanted, also when a page comes out short.
func TestPages(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		limit  int
		asked  []string
		tasks  int
		cursor string
	}{
		{1, []string{"limit=1"}, 1, "3"},
		{2, []string{"limit=2", "cursor=3&limit=1"}, 2, "2"},
		{900, []string{"limit=200", "cursor=3&limit=200", "cursor=2&limit=200", "cursor=1&limit=200"}, 3, ""},
	} {
		var asked []string
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked = append(asked, r.URL.RawQuery)
			pages := map[string]string{
				"": `{"tasks":[{"id":3}],"next_cursor":"3"}`, "3": `{"tasks":[{"id":2}],"next_cursor":"2"}`,
				"2": `{"tasks":[],"next_cursor":"1"}`, "1": `{"tasks":[{"id":1}]}`,
			}
			_, _ = fmt.Fprint(w, pages[r.URL.Query().Get("cursor")])
		}))
		to, err := client.New(client.Options{URL: server.URL})
		if err != nil {
			t.Fatal(err)
		}
		list, err := (&cli{}).pages(t.Context(), to, client.TaskPage{}, c.limit)
		if err != nil || len(list.Tasks) != c.tasks || list.Cursor != c.cursor {
			t.Errorf("limit %d: %+v, %v", c.limit, list, err)
		}
		if d := cmp.Diff(c.asked, asked); d != "" {
			t.Errorf("limit %d: asked (-want +got)\n%s", c.limit, d)
		}
		to.Close()
		server.Close()
	}
}

func TestPastMoment(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"": {}, "90m": now.Add(-90 * time.Minute), "2026-05-04T09:00:00+08:00": time.Date(2026, 5, 4, 1, 0, 0, 0, time.UTC),
		"2026-05-04":          time.Date(2026, 5, 4, 0, 0, 0, 0, time.Local),
		"2026-05-04 09:30":    time.Date(2026, 5, 4, 9, 30, 0, 0, time.Local),
		"2026-05-04 09:30:05": time.Date(2026, 5, 4, 9, 30, 5, 0, time.Local),
	} {
		if got, err := pastMoment(text, now); err != nil || !got.Equal(want) {
			t.Errorf("%q: %s, %v, want %s", text, got, err, want)
		}
	}
	if _, err := pastMoment("soon", now); err == nil || !strings.Contains(err.Error(), `"soon" is no moment`) {
		t.Errorf("soon: %v", err)
	}
}

// TestUsual: how long tasks take is told in seconds, of short ones with what lies between.
func TestUsual(t *testing.T) {
	t.Parallel()
	for median, want := range map[float64]string{-1: "-", 0.0214: "21ms", 9.8765: "9.877s", 12.4: "12s", 3725: "1h2m5s"} {
		task := &client.Task{}
		if median >= 0 {
			task.Usual = &client.Usual{Median: median}
		}
		if got := usual(task); got != want {
			t.Errorf("%v: %s, want %s", median, got, want)
		}
	}
}
