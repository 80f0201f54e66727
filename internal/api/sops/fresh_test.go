package sops_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stdops/stdops"
)

// TestTasksStatusFresh lets callers pause and resume tasks while others look at them in both ways: whoever was told that
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
	look := func(s *server, children bool) map[int64]string {
		a := s.call("POST", "/get_tasks_status/2/",
			fmt.Sprintf(`{"task_id_list":[%s],"include_children_status":%v}`, strings.Join(list, ","), children))
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
				if got := look(&s, step%3 == 0)[ids[i]]; got != want {
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
				states := look(&s, w%2 == 0)
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
