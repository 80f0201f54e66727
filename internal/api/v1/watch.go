package v1

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/client"
	"github.com/stdops/stdops/internal/service"
	"github.com/stdops/stdops/internal/watch"
)

// The paces of a stream.
const (
	pingEvery = 10 * time.Second
	// lookEvery is after how many pings it is looked again whether the caller may still watch: once a minute.
	lookEvery = 6
	// writeLimit is how long a reader may take nothing before the stream is given up.
	writeLimit = 30 * time.Second
)

// mostWithNodes is how many tasks can be watched together with their nodes.
const mostWithNodes = 10

const eventStream = "text/event-stream"

// watches adds the route by which tasks are watched.
func (s *server) watches() {
	addIn(s, route{
		method: http.MethodPost, path: "/projects/{project}/tasks:watch", id: "watch-tasks", about: "Wait for changes of tasks, or follow them in a stream",
		needs: needs(service.TaskView), watches: true,
	}, s.watch)
	op := s.api.OpenAPI().Paths[prefix+"/projects/{project}/tasks:watch"].Post
	registry := s.api.OpenAPI().Components.Schemas
	op.Description = "With `Accept: text/event-stream` a stream of the events tasks, nodes, gone, ping and end; the id of an event is the " +
		"cursor that goes on after it. Otherwise one answer, as soon as something is new. Without a cursor all is told first. " +
		"What is told is the newest state of each task that has changed, not each step in between; nothing is missed. " +
		"One caller may have three quarters of the places that `watches` bounds, and is refused with 429 and `Retry-After` beyond it."
	ok := op.Responses["200"]
	ok.Description = "What is new"
	ok.Content = map[string]*huma.MediaType{
		"application/json": {Schema: schemaOf[client.Watched](registry)},
		eventStream: {Schema: eventsSchema(map[string]*huma.Schema{
			client.EventTasks: schemaOf[client.WatchedTasks](registry),
			client.EventNodes: schemaOf[client.WatchedNodes](registry),
			client.EventGone:  schemaOf[client.WatchedGone](registry),
			client.EventPing:  schemaOf[client.WatchedPing](registry),
			client.EventEnd:   schemaOf[client.WatchedEnd](registry),
		})},
	}
}

func eventsSchema(events map[string]*huma.Schema) *huma.Schema {
	return &huma.Schema{
		Type: huma.TypeString, Description: "Server-sent events, of which the data is JSON", Extensions: map[string]any{"x-events": events},
	}
}

type watchInput struct {
	ProjectPath
	Accept string `header:"Accept" maxLength:"1000"`
	Body   client.WatchRequest
}

func (s *server) watch(ctx context.Context, a *service.Access, in *watchInput) (*huma.StreamResponse, error) {
	if s.options.Watch == nil {
		return nil, stdops.Errorf(stdops.CodeUnavailable, "this server lets nobody watch tasks")
	}
	r, err := watchRequest(a, &in.Body)
	if err != nil {
		return nil, err
	}
	w, err := s.options.Watch.Watch(r)
	if err != nil {
		return nil, err
	}
	wait := time.Duration(in.Body.Wait) * time.Second
	to := r.To
	stream := strings.Contains(in.Accept, eventStream)
	project := a.Project()
	callerOf(ctx).stay.answer = func(out http.ResponseWriter, r *http.Request) {
		defer w.Close()
		if stream {
			s.stream(out, r, w, project, to)
		} else {
			s.poll(out, r, w, wait)
		}
	}
	return &huma.StreamResponse{Body: func(huma.Context) {}}, nil
}

func watchRequest(a *service.Access, q *client.WatchRequest) (watch.Request, error) {
	r := watch.Request{Project: a.Project(), To: audienceOf(a), Nodes: q.Nodes}
	if (len(q.IDs) > 0) == (q.Filter != nil) {
		return r, stdops.Errorf(stdops.CodeInvalid, "name the tasks to be watched, either by ids or by a filter")
	}
	if q.Nodes && (q.Filter != nil || len(q.IDs) > mostWithNodes) {
		return r, stdops.Errorf(stdops.CodeInvalid, "nodes are told of %d tasks at most, which are named by their ids", mostWithNodes)
	}
	for _, id := range q.IDs {
		if id <= 0 {
			return r, stdops.Errorf(stdops.CodeInvalid, "%d is not the id of a task", id)
		}
		r.IDs = append(r.IDs, stdops.TaskID(id))
	}
	if f := q.Filter; f != nil {
		if strings.ContainsRune(f.Keyword+f.Creator+f.Executor, 0) { // a list that no database can ever look for is not to be tried again and again
			return r, stdops.Errorf(stdops.CodeInvalid, "the filter holds the character NUL, which no text has")
		}
		r.Filter = &watch.Filter{Keyword: f.Keyword, Creator: f.Creator, Executor: f.Executor, Flow: stdops.TemplateID(f.Flow), Limit: f.Limit, State: shownState(f.State)}
	}
	if q.Cursor == "" {
		return r, nil
	}
	var err error
	r.Cursor, err = watch.ReadCursor(a.Project(), q.Cursor)
	return r, err
}

// errNothingRead is told in place of an answer with nothing in it, which would say that there are no tasks.
var errNothingRead = stdops.Errorf(stdops.CodeUnavailable, "how the tasks stand can not be read at the moment, try again")

// poll answers as soon as something is new, or when the wait is over.
func (s *server) poll(out http.ResponseWriter, r *http.Request, w *watch.Watcher, wait time.Duration) {
	connection := http.NewResponseController(out)
	_ = connection.SetReadDeadline(time.Time{}) // else the end of the time for a body would end the wait
	_ = connection.SetWriteDeadline(time.Now().Add(wait + writeLimit))
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for over := false; ; {
		d, ok := w.Take()
		if ok || over {
			if d.Cursor == "" && !w.Began() {
				s.answerRefusal(r.Context(), out, errNothingRead)
				return
			}
			if d.Cursor == "" {
				d.Cursor, d.Now = w.Cursor(), s.svc.Now()
			}
			out.Header().Set("Content-Type", "application/json")
			text := appendCut(appendTasks([]byte(`{`), d.Tasks), d.Cut)
			text = appendIDs(append(text, `,"gone":`...), d.Gone)
			text = appendAllNodes(text, d.Nodes)
			text = append(append(append(text, `,"cursor":"`...), d.Cursor...), `",`...)
			_, _ = out.Write(append(appendNow(text, d.Now), '}', '\n')) // a reader that went away is no concern of ours
			return
		}
		select {
		case <-w.Bell():
		case <-timer.C:
			over = true
		case <-r.Context().Done():
			return
		}
	}
}

// stream tells what is new until either side has enough.
func (s *server) stream(out http.ResponseWriter, r *http.Request, w *watch.Watcher, project stdops.ProjectID, to watch.Audience) {
	tell := beginStream(out)
	ping := time.NewTimer(pingEvery)
	defer ping.Stop()
	for pings, ok := 0, tell(retryHint); ok; {
		select {
		case <-w.Bell():
			d, some := w.Take()
			if some {
				ok = tellNew(tell, &d) && d.End == ""
			}
		case <-ping.C:
			end := ""
			if pings++; pings%lookEvery == 0 {
				end = s.lookAgain(r, project, to)
			}
			ok = tellAlive(tell, s.svc.Now(), end) && end == ""
			ping.Reset(pingEvery)
		case <-r.Context().Done():
			return
		}
	}
}

// retryHint begins a stream: it tells a browser when to come again.
var retryHint = []byte("retry: 2000\n\n")

// beginStream begins a stream of events; what it gives tells of each text whether the reader has taken it.
func beginStream(out http.ResponseWriter) (tell func([]byte) bool) {
	connection := http.NewResponseController(out)
	_ = connection.SetReadDeadline(time.Time{})
	h := out.Header()
	h.Set("Content-Type", eventStream)
	h.Set("X-Accel-Buffering", "no") // for proxies that would wait until there is more
	return func(text []byte) bool {
		_ = connection.SetWriteDeadline(time.Now().Add(writeLimit)) // of this writing, not of the whole answer
		_, err := out.Write(text)
		return err == nil && connection.Flush() == nil
	}
}

// lookAgain tells why the caller may not watch any more, "" when that is not so.
func (s *server) lookAgain(r *http.Request, project stdops.ProjectID, to watch.Audience) (end string) {
	caller, err := s.caller(r)
	var a *service.Access
	if err == nil {
		a, err = s.svc.Access(r.Context(), caller, service.ProjectRef{ID: decimal(int64(project)), Scope: service.ScopeProject})
	}
	if err == nil {
		err = a.Require(service.TaskView)
	}
	if err == nil && audienceOf(a) != to {
		return client.EndChanged
	}
	switch stdops.ErrorCode(err) {
	case stdops.CodeUnauthenticated:
		return client.EndSignedOut
	case stdops.CodeForbidden, stdops.CodeDenied, stdops.CodeNotFound:
		return client.EndDenied
	default: // a store that cannot be asked now is asked again
		return ""
	}
}
