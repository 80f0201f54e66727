package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// streams is a server that answers each watch in turn with one of some texts, and cuts the connection after it. It answers no
// more watches than it has texts.
type streams struct {
	mu    sync.Mutex
	texts []string
	asked []WatchRequest
}

func (s *streams) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var q WatchRequest
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil || r.URL.Path != "/api/v1/projects/3/tasks:watch" || r.Header.Get("Accept") != "text/event-stream" {
		http.Error(w, fmt.Sprint(r.URL, err), http.StatusTeapot)
		return
	}
	s.mu.Lock()
	s.asked = append(s.asked, q)
	n := len(s.asked)
	s.mu.Unlock()
	if n > len(s.texts) {
		<-r.Context().Done()
		return
	}
	text := s.texts[n-1]
	if status, rest, ok := strings.Cut(text, "!"); ok { // a refusal
		w.Header().Set("Content-Type", "application/problem+json")
		var code int
		_, _ = fmt.Sscan(status, &code)
		w.WriteHeader(code)
		_, _ = fmt.Fprintf(w, `{"status":%d,"code":"%s","detail":"no"}`, code, rest)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	_, _ = io.WriteString(w, text)
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

func (s *streams) cursors() (list []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, q := range s.asked {
		list = append(list, q.Cursor)
	}
	return list
}

// told follows until so much was told, or the watch ends, and gives what was told in short.
func (s *streams) told(t *testing.T, most int) (list []string, err error) {
	t.Helper()
	c := server(t, "t", s.ServeHTTP)
	for w, failed := range c.Watch(t.Context(), 3, WatchRequest{IDs: []int64{1, 2}}) {
		if failed != nil {
			return list, failed
		}
		text := w.Cursor
		for i := range w.Tasks {
			text += fmt.Sprintf(" %d:%s", w.Tasks[i].ID, w.Tasks[i].State)
		}
		if len(w.Gone) > 0 {
			text += fmt.Sprint(" gone ", w.Gone)
		}
		for i := range w.Nodes {
			text += fmt.Sprintf(" nodes of %d", w.Nodes[i].Task)
		}
		if w.Cut {
			text += " cut"
		}
		if list = append(list, text); len(list) == most {
			break
		}
	}
	return list, nil
}

func tasksEvent(id, cursor, state string) string {
	return "event: tasks\nid: " + cursor + "\ndata: {\"tasks\":[{\"id\":" + id + ",\"state\":\"" + state + "\"}],\"now\":\"2026-01-02T03:04:05Z\"}\n\n"
}

// TestWatchGoesOnWhereItWas: after a stream that was cut in the middle of an event, with the cursor of the last whole one.
func TestWatchGoesOnWhereItWas(t *testing.T) {
	t.Parallel()
	whole := tasksEvent("2", "b", Finished)
	s := &streams{texts: []string{
		"retry: 2000\n\n" + tasksEvent("1", "a", Running) + whole[:len(whole)-2],
		whole + "event: end\ndata: {\"reason\":\"draining\"}\n\n" + tasksEvent("1", "never", Failed),
		"event: ping\ndata: {}\n\n",
		tasksEvent("1", "c", Finished),
	}}
	got, err := s.told(t, 3)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a 1:RUNNING", "b 2:FINISHED", "c 1:FINISHED"}, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"", "a", "b", "b"}, s.cursors()); diff != "" {
		t.Error(diff)
	}
}

// TestWatchPutsTogetherWhatBelongsTogether: only the last event of a change has a cursor.
func TestWatchPutsTogetherWhatBelongsTogether(t *testing.T) {
	t.Parallel()
	s := &streams{texts: []string{
		"event: gone\ndata: {\"ids\":[9]}\n\nevent: nodes\ndata: {\"task\":1,\"nodes\":[]}\n\n" + tasksEvent("1", "a", Running) +
			"event: tasks\nid: b\ndata: {\"tasks\":[],\"cut\":true}\n\n" + "event: gone\nid: c\ndata: {\"ids\":[1]}\n\n" +
			"event: tasks\nid: d\ndata: {\"tasks\":[]}\n\n",
	}}
	got, err := s.told(t, 4)
	if err != nil {
		t.Fatal(err)
	}
	// That a list is cut counts until something else is said of it.
	if diff := cmp.Diff([]string{"a 1:RUNNING gone [9] nodes of 1", "b cut", "c gone [1] cut", "d"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestWatchEnds(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		texts []string
		code  string
		tries int
	}{
		"a cursor that is refused":         {[]string{"422!invalid"}, CodeInvalid, 1},
		"no such project":                  {[]string{"404!not_found"}, CodeNotFound, 1},
		"a server that is full for a time": {[]string{"503!unavailable", "429!too_many", "403!denied"}, CodeDenied, 3},
		"a token that was taken away":      {[]string{"event: end\ndata: {\"reason\":\"signed_out\"}\n\n"}, CodeUnauthenticated, 1},
		"a permission that was taken away": {[]string{tasksEvent("1", "a", Running) + "event: end\ndata: {\"reason\":\"denied\"}\n\n"}, CodeDenied, 1},
		"other rights: asked again":        {[]string{"event: end\ndata: {\"reason\":\"changed\"}\n\n", "401!unauthenticated"}, CodeUnauthenticated, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &streams{texts: c.texts}
			_, err := s.told(t, 10)
			var refused *Error
			if !errors.As(err, &refused) || refused.Code != c.code || len(s.cursors()) != c.tries {
				t.Errorf("ended with %v after %d tries", err, len(s.cursors()))
			}
		})
	}
}

// TestWatchOfSomethingElse: what answers with a page is no server of ours, and is not asked again.
func TestWatchOfSomethingElse(t *testing.T) {
	t.Parallel()
	c := server(t, "", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, tasksEvent("1", "a", Running))
	})
	n := 0
	for w, err := range c.Watch(t.Context(), 3, WatchRequest{IDs: []int64{1}}) {
		n++
		var refused *Error
		if w != nil || !errors.As(err, &refused) || refused.Code != CodeForeign {
			t.Errorf("%v, %v", w, err)
		}
	}
	if n != 1 {
		t.Errorf("told %d times", n)
	}
}

func TestWatchEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s := &streams{texts: []string{tasksEvent("1", "a", Running)}}
	c := server(t, "", s.ServeHTTP)
	var last error
	for w, err := range c.Watch(ctx, 3, WatchRequest{IDs: []int64{1}}) {
		if w != nil {
			cancel()
		}
		last = err
	}
	if !errors.Is(last, context.Canceled) {
		t.Errorf("ended with %v", last)
	}
}

// TestWatchOfHostileFrames: what is no event of ours is left out, or the stream is begun anew where it was.
func TestWatchOfHostileFrames(t *testing.T) {
	t.Parallel()
	good := tasksEvent("1", "z", Finished)
	for name, text := range map[string]string{
		"comments and fields that nobody knows": ": hello\n\n:\n\nwhat: x\nid\n" + good,
		"lines that end like those of Windows":  strings.ReplaceAll(good, "\n", "\r\n"),
		"data in two lines":                     strings.Replace(good, `"now"`, "\ndata: \"now\"", 1),
		"no space behind the colon":             strings.ReplaceAll(good, ": ", ":"),
		"an event of another name":              "event: surprise\ndata: no JSON\n\n" + good,
		"an event without data":                 "event: end\n\n" + good,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &streams{texts: []string{text}}
			got, err := s.told(t, 1)
			if err != nil || len(got) != 1 || got[0] != "z 1:FINISHED" || len(s.cursors()) != 1 {
				t.Errorf("told %v, %v, asked with %v", got, err, s.cursors())
			}
		})
	}
	for name, text := range map[string]string{
		"no JSON":              "event: tasks\nid: bad\ndata: {\n\n",
		"JSON of another kind": "event: tasks\nid: bad\ndata: {\"tasks\":7}\n\n",
		"ids that are none":    "event: gone\nid: bad\ndata: {\"ids\":[\"x\"]}\n\n",
		"an end that is none":  "event: end\ndata: []\n\n",
		"not even an end":      "event: tasks\nid: bad\ndata: {}\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &streams{texts: []string{tasksEvent("1", "a", Running) + text, good}}
			got, err := s.told(t, 2)
			if diff := cmp.Diff([]string{"a 1:RUNNING", "z 1:FINISHED"}, got); err != nil || diff != "" {
				t.Errorf("%v, %s", err, diff)
			}
			if diff := cmp.Diff([]string{"", "a"}, s.cursors()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// endless is a line that never ends.
type endless struct{ read int }

func (e *endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = 'x'
	}
	e.read += len(b)
	return len(b), nil
}

// TestEventsAreBounded: neither a line nor many of them make a client hold more than the longest event.
func TestEventsAreBounded(t *testing.T) {
	t.Parallel()
	const longest = 10_000
	line := &endless{}
	if err := readEvents(line, longest, nil); !errors.Is(err, errLongEvent) || line.read > 2*longest+4096 {
		t.Errorf("%v after %d bytes", err, line.read)
	}
	many := strings.NewReader(strings.Repeat("data: x\n", longest))
	if err := readEvents(many, longest, nil); !errors.Is(err, errLongEvent) {
		t.Errorf("many lines: %v", err)
	}
	var got int
	short := strings.Repeat("data: "+strings.Repeat("x", longest/2)+"\n\n", 5)
	err := readEvents(strings.NewReader(short), longest, func(message) error { got++; return nil })
	if !errors.Is(err, io.EOF) || got != 5 {
		t.Errorf("%d events that are not too long: %v", got, err)
	}
}

func TestPoll(t *testing.T) {
	t.Parallel()
	var asked WatchRequest
	c := server(t, "t", func(w http.ResponseWriter, r *http.Request) {
		_ = json.NewDecoder(r.Body).Decode(&asked)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"tasks":[{"id":1,"state":"RUNNING"}],"cut":true,"gone":[2],"cursor":"b","now":"2026-01-02T03:04:05Z"}`)
	})
	q := WatchRequest{Filter: &WatchFilter{State: Running, Limit: 7}, Cursor: "a", Wait: 9}
	got, err := c.Poll(t.Context(), 3, q)
	if err != nil || got.Cursor != "b" || !got.Cut || len(got.Tasks) != 1 || got.Gone[0] != 2 || got.Now.IsZero() {
		t.Errorf("%+v, %v", got, err)
	}
	if diff := cmp.Diff(q, asked); diff != "" {
		t.Error(diff)
	}
}
