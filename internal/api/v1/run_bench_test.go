package v1

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stdops/stdops/client"
)

// longTree is a tree of activities one after the other, of which the last waits for a person.
func longTree(activities int) json.RawMessage {
	var acts, flows []string
	flow := func(i int, from, to string) {
		flows = append(flows, fmt.Sprintf(`"f%d":{"id":"f%d","source":%q,"target":%q}`, i, i, from, to))
	}
	before := "s"
	for i := range activities {
		id, code, version := fmt.Sprintf("a%d", i), "bk_display", "1.0"
		if i == activities-1 {
			code, version = "pause_node", "legacy"
		}
		acts = append(acts, fmt.Sprintf(`%q:{"id":%q,"type":"ServiceActivity","name":%q,"incoming":["f%d"],"outgoing":"f%d",
			"component":{"code":%q,"version":%q,"data":{}}}`, id, id, id, i, i+1, code, version))
		flow(i, before, id)
		before = id
	}
	flow(activities, before, "e")
	return json.RawMessage(fmt.Sprintf(`{
		"start_event":{"id":"s","name":"","type":"EmptyStartEvent","outgoing":"f0"},
		"end_event":{"id":"e","name":"","type":"EmptyEndEvent","incoming":["f%d"]},
		"activities":{%s},"gateways":{},"flows":{%s},"constants":{},"outputs":[]}`, activities, strings.Join(acts, ","), strings.Join(flows, ",")))
}

// waiting makes tasks of a tree and waits until each waits for a person.
func (b *bundle) waiting(tb testing.TB, tasks, activities int) []int64 {
	tb.Helper()
	tree := longTree(activities)
	ids := make([]int64, tasks)
	for i := range ids {
		text, err := json.Marshal(client.NewTask{Name: fmt.Sprint("task ", i), Tree: tree, Start: true})
		must(tb, err)
		var task client.Task
		must(tb, json.Unmarshal(b.ask(tb, http.MethodPost, tasksPath, string(text)), &task))
		ids[i] = task.ID
	}
	for _, id := range ids {
		for {
			var task client.Task
			must(tb, json.Unmarshal(b.ask(tb, http.MethodGet, fmt.Sprintf("%s/%d?run=true", tasksPath, id), ""), &task))
			if task.Run.Phase == client.PhaseWaitingHuman {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
	return ids
}

// ask gives the body of an answer to the local door.
func (b *bundle) ask(tb testing.TB, method, path, body string) []byte {
	tb.Helper()
	q := httptest.NewRequestWithContext(tb.Context(), method, "http://127.0.0.1"+path, strings.NewReader(body))
	if body == "" {
		q.Body = http.NoBody
	}
	q.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	b.local.ServeHTTP(w, q)
	if w.Code >= http.StatusMultipleChoices {
		tb.Fatalf("%s %s: %d %.300s", method, path, w.Code, w.Body)
	}
	return w.Body.Bytes()
}

// BenchmarkRunsOfTasks asks how 1,000 tasks of 20 nodes go on, with their states alone beside it.
func BenchmarkRunsOfTasks(b *testing.B) {
	s := setupLog(b, nil, slog.New(slog.DiscardHandler))
	ids := s.waiting(b, 1000, 18)
	for _, run := range []bool{false, true} {
		body, err := json.Marshal(client.StatusRequest{IDs: ids, Run: run})
		must(b, err)
		b.Run(fmt.Sprintf("run=%t", run), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s.ask(b, http.MethodPost, tasksPath+":status", string(body))
			}
		})
	}
}

// BenchmarkStatesOfALargeTask asks how the nodes of a task of 10,000 nodes stand.
func BenchmarkStatesOfALargeTask(b *testing.B) {
	s := setupLog(b, nil, slog.New(slog.DiscardHandler))
	id := s.waiting(b, 1, 9998)[0]
	for _, of := range []string{"states", "graph"} {
		b.Run(of, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s.ask(b, http.MethodGet, fmt.Sprintf("%s/%d/%s", tasksPath, id, of), "")
			}
		})
	}
}
