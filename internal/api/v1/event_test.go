package v1

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops/client"
)

func TestEventsTellWhoDidWhatAndWhy(t *testing.T) {
	t.Parallel()
	b := setup(t)
	task := b.create(t, client.NewTask{Name: "closed", Tree: closedTree("ExclusiveGateway")})
	b.do(t, task.ID, 200, client.Command{Command: "start", Reason: "change 4711"})
	b.await(t, task.ID, client.Failed)
	b.do(t, task.ID, 200, client.Command{Command: "retry", Node: "Which", Reason: "再试一次"})
	b.await(t, task.ID, client.Failed)
	path := fmt.Sprintf("%s/%d/events", tasksPath, task.ID)
	all := as[client.EventList](t, b, 200, "GET", path, "")
	var got []string
	for _, e := range all.Events {
		got = append(got, strings.TrimSpace(fmt.Sprintf("%d %s: %s to %s by %s: %s", e.Index, e.Name, e.From, e.To, e.Actor, e.Reason)))
		if e.At.IsZero() || e.Node == "" || e.Revision == 0 {
			t.Errorf("event %+v", e)
		}
	}
	want := []string{
		"0 closed: CREATED to RUNNING by local: change 4711",
		"1 :  to RUNNING by :", "1 : RUNNING to FINISHED by :", "6 Which:  to RUNNING by :", "6 Which: RUNNING to FAILED by :",
		"6 Which: FAILED to READY by local: 再试一次", "6 Which: READY to RUNNING by :", "6 Which: RUNNING to FAILED by :",
	}
	if diff := cmp.Diff(want, got); diff != "" || all.Cursor != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	for _, order := range []string{"asc", "desc"} {
		var paged []client.Event
		for cursor := ""; ; {
			page := as[client.EventList](t, b, 200, "GET", fmt.Sprintf("%s?limit=3&order=%s&cursor=%s", path, order, cursor), "")
			if paged = append(paged, page.Events...); page.Cursor == "" {
				break
			}
			cursor = page.Cursor
		}
		if order == "desc" {
			slices.Reverse(paged)
		}
		if diff := cmp.Diff(all.Events, paged); diff != "" {
			t.Errorf("pages %s (-want +got):\n%s", order, diff)
		}
	}
	for _, bad := range []string{"?cursor=x", "?cursor=1.2x", "?cursor=1", "?limit=0", "?limit=1001", "?order=up"} {
		if got := send(t, b.local, request{method: "GET", path: path + bad}); got.status != 422 {
			t.Errorf("%s: %d %s", bad, got.status, got.text)
		}
	}
	long := client.Command{Command: "retry", Node: "Which", Reason: strings.Repeat("长", 1001)}
	b.do(t, task.ID, 422, long)
	long.Reason = strings.Repeat("长", 1000)
	b.do(t, task.ID, 200, long)
}

// TestEventsTellCommands also of those that change no state, page by page and without what the server did.
func TestEventsTellCommands(t *testing.T) {
	t.Parallel()
	b := setup(t)
	task := b.create(t, client.NewTask{Name: "release", Tree: example(t, "release-with-approval")})
	if got := b.change(t, task.ID, `{"${version}":"v9"}`); got.status != 200 {
		t.Fatalf("%d %s", got.status, got.text)
	}
	b.do(t, task.ID, 200, client.Command{Command: "start"})
	b.do(t, task.ID, 200, client.Command{Command: "pause", Reason: "lunch"})
	b.do(t, task.ID, 200, client.Command{Command: "resume"})
	b.until(t, task.ID, "waits", func(client.Task) bool { return b.run(t, task.ID).Why.Code == "person" })
	waits := b.run(t, task.ID).Why.Node
	b.do(t, task.ID, 200, client.Command{Command: "callback", Node: waits.ID, Reason: "signed"})
	var got []string
	path := fmt.Sprintf("%s/%d/events?commands=true&limit=2", tasksPath, task.ID)
	for cursor := ""; ; {
		page := as[client.EventList](t, b, 200, "GET", path+"&cursor="+cursor, "")
		for _, e := range page.Events {
			got = append(got, strings.TrimSpace(fmt.Sprintf("%s %s: %s to %s by %s %s", e.Command, e.Name, e.From, e.To, e.Actor, e.Reason)))
		}
		if cursor = page.Cursor; cursor == "" {
			break
		}
	}
	want := []string{
		"set-constants release: CREATED to CREATED by local", "start release: CREATED to RUNNING by local",
		"pause release: RUNNING to SUSPENDED by local lunch", "resume release: SUSPENDED to RUNNING by local",
		"callback " + waits.Name + ": RUNNING to RUNNING by local signed",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("commands (-want +got):\n%s", diff)
	}
}

// TestEventsOfADamagedTree have no names of nodes, but are there.
func TestEventsOfADamagedTree(t *testing.T) {
	t.Parallel()
	b := setup(t)
	task := b.create(t, client.NewTask{Name: "closed", Tree: closedTree("ExclusiveGateway"), Start: true})
	b.await(t, task.ID, client.Failed)
	b.damage(t, `UPDATE task SET tree_hash = 'gone'`)
	got := as[client.EventList](t, b, 200, "GET", fmt.Sprintf("%s/%d/events", tasksPath, task.ID), "")
	if len(got.Events) != 5 || got.Events[0].Name != "closed" || got.Events[0].Command != "start" || got.Events[3].Name != "" {
		t.Errorf("events %+v", got.Events)
	}
}
