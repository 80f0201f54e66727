package sops_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stdops/stdops"
)

// TestTasksStatusFresh lets callers pause and resume tasks while others look at them in all ways: whoever was told that
// a task is paused sees it so, and nobody sees a task go back.
func TestTasksStatusFresh(t *testing.T) {
	t.Parallel()
	s := setup(t)
	const tasks, rounds, watchers = 4, 15, 4
	var ids []int64
	for range tasks {
		id, _ := s.create(chain("A:callback_node"))
		s.start(id)
		s.await(id, "RUNNING")
		ids = append(ids, id)
	}
	var list []string
	for _, id := range ids {
		list = append(list, fmt.Sprint(id))
	}
	look := func(s *server, way int) map[int64]string { // with and without children, by their ids and as the newest
		body := fmt.Sprintf(`{"include_children_status":%v}`, way%2 == 0)
		if way%3 != 0 {
			body = fmt.Sprintf(`{"task_id_list":[%s],"include_children_status":%v}`, strings.Join(list, ","), way%2 == 0)
		}
		a := s.call("POST", "/get_tasks_status/2/", body)
		data, _ := a.body.Get("data")
		states := map[int64]string{}
		for _, entry := range data.([]any) {
			id, _ := entry.(*stdops.Object).Get("id")
			states[id.(int64)] = at(entry.(*stdops.Object), "status").Text("state")
		}
		return states
	}
	// Even steps pause a task, odd ones resume it: its state tells at which step it is.
	var begun, done [tasks]atomic.Int64
	var running atomic.Int64
	running.Store(tasks)
	var all sync.WaitGroup
	for i := range tasks {
		all.Go(func() {
			defer running.Add(-1)
			s := *s
			for step := range int64(2 * rounds) {
				action, want := "pause", "SUSPENDED"
				if step%2 == 1 {
					action, want = "resume", "RUNNING"
				}
				begun[i].Store(step + 1)
				if a := s.call("POST", fmt.Sprintf("/operate_task/%d/2/", ids[i]), stdops.NewObject("action", action)); !a.ok() {
					t.Errorf("%s: %s", action, a.raw)
				}
				done[i].Store(step + 1)
				if got := look(&s, int(step))[ids[i]]; got != want {
					t.Errorf("after %s the task is %s", action, got)
				}
			}
		})
	}
	for w := range watchers {
		all.Go(func() {
			s := *s
			var seen [tasks]int64 // the least step at which each task must be
			for running.Load() > 0 {
				for i := range seen {
					seen[i] = max(seen[i], done[i].Load())
				}
				states := look(&s, w)
				for i, id := range ids {
					// The least step from seen on with this state; one beyond those begun would mean that the task went back.
					step := seen[i]
					if (states[id] == "SUSPENDED") != (step%2 == 1) {
						step++
					}
					if step > begun[i].Load() {
						t.Errorf("task %d is %s at step %d or before", id, states[id], seen[i]-1)
					}
					seen[i] = step
				}
			}
		})
	}
	all.Wait()
}

// TestTasksStatusElapsed: the time of a running task goes on in answers of which nothing was read anew.
func TestTasksStatusElapsed(t *testing.T) {
	t.Parallel()
	s := setup(t)
	id, echo := s.create(chain("A", "B:callback_node"))
	s.start(id)
	waitFor(t, func() bool { return at(s.entry(id), "children", nodeNamed(echo, "B")) != nil })
	elapsed := func() (all []int64) {
		entry := s.entry(id)
		for _, o := range []*stdops.Object{
			at(entry, "status"), at(entry, "status", "children", nodeNamed(echo, "B")), at(entry, "children", nodeNamed(echo, "B")),
			at(entry, "children", nodeNamed(echo, "A")),
		} {
			v, _ := o.Get("elapsed_time")
			all = append(all, v.(int64))
		}
		return all
	}
	first := elapsed()
	waitFor(t, func() bool {
		now := elapsed()
		return now[0] > first[0] && now[1] > first[1] && now[2] == now[1] && now[3] == first[3]
	})
	if now := elapsed(); slices.Compare(now, first) <= 0 {
		t.Errorf("%v, before %v", now, first)
	}
}

// ask asks for tasks the way a client does that reads gzip itself, and gives what came and what it reads as.
func ask(t *testing.T, s *server, ids []int64, children bool, encoding string) (a answer, sent int) {
	t.Helper()
	body, err := stdops.NewObject("task_id_list", anyList(ids), "include_children_status", children).MarshalJSON()
	must(t, err)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.http.URL+"/get_tasks_status/2/", bytes.NewReader(body))
	must(t, err)
	request.Header.Set("X-Bkapi-Authorization", auth("trusted", "admin"))
	request.Header.Set("Accept-Encoding", encoding)
	response, err := s.http.Client().Do(request)
	must(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	must(t, err)
	sent = len(text)
	if response.ContentLength != int64(sent) {
		t.Errorf("Content-Length %d of %d bytes", response.ContentLength, sent)
	}
	if response.Header.Get("Vary") != "Accept-Encoding" {
		t.Errorf("Vary is %q", response.Header.Get("Vary"))
	}
	if response.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(bytes.NewReader(text))
		must(t, err)
		text, err = io.ReadAll(z)
		must(t, err)
	}
	return s.envelope(response, string(text)), sent
}

func anyList(ids []int64) (list []any) {
	for _, id := range ids {
		list = append(list, id)
	}
	return list
}

// TestTasksStatusPacked: who reads gzip gets the same in less, whether it is new, kept, kept in the other form, or changed.
func TestTasksStatusPacked(t *testing.T) {
	t.Parallel()
	s := setup(t)
	tree := chain("first", "second", "third", "fourth", "last:callback_node")
	var ids []int64
	for i := range 12 {
		id, echo := s.create(tree)
		if i%2 == 0 {
			s.start(id)
			waitFor(t, func() bool { return at(s.entry(id), "children", nodeNamed(echo, "last")) != nil })
		}
		ids = append(ids, id)
	}
	same := func(what string, children bool) {
		t.Helper()
		packed, sent := ask(t, s, ids, children, "br, gzip")
		plain, whole := ask(t, s, ids, children, "gzip;q=0")
		if packed.header.Get("Content-Encoding") != "gzip" || plain.header.Get("Content-Encoding") != "" {
			t.Fatalf("%s: encoded as %q and %q", what, packed.header.Get("Content-Encoding"), plain.header.Get("Content-Encoding"))
		}
		if got, want := withoutTimes(packed.raw), withoutTimes(plain.raw); got != want {
			t.Errorf("%s:\n got %.3000s\nwant %.3000s", what, got, want)
		}
		if sent > whole*2/3 {
			t.Errorf("%s: %d bytes of %d", what, sent, whole)
		}
	}
	for _, children := range []bool{true, false} {
		same("new", children)
		same("kept", children)
	}
	for i := 0; i < len(ids); i += 4 {
		id := ids[i]
		if a := s.call("POST", fmt.Sprintf("/operate_task/%d/2/", id), stdops.NewObject("action", "pause")); !a.ok() {
			t.Fatal(a.raw)
		}
	}
	ask(t, s, ids, true, "identity")
	same("changed, and read by another since", true)
	same("changed", false)
	if few, _ := ask(t, s, ids[:2], false, "gzip"); few.header.Get("Content-Encoding") != "" {
		t.Error("a small answer is packed")
	}
}

// withoutTimes takes away what differs from one answer to the next.
func withoutTimes(raw string) string {
	return regexp.MustCompile(`"elapsed_time":\d+|"trace_id":"[^"]*"`).ReplaceAllString(raw, "")
}
