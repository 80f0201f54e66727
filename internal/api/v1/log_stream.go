package v1

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/client"
	"github.com/stdops/stdops/internal/service"
	"github.com/stdops/stdops/internal/watch"
)

// The paces of a stream of a log. What this process writes is heard of. Whether another one has written is asked for often while
// the log grows, and with one small statement. Whether the log is complete is asked for when its task has changed; often when
// only a call that was given up may still write, of whose end nothing tells; and else now and then, should anything be missed.
const (
	logPace, logPaceQuiet = 200 * time.Millisecond, 2 * time.Second
	logLook, logLookQuiet = 3 * time.Second, 30 * time.Second
)

// logStream is somebody who follows a log.
type logStream struct {
	*server
	follower *service.LogFollower
	watcher  *watch.Watcher
	project  stdops.ProjectID
	to       watch.Audience
	first    *service.NodeLog

	tell    func([]byte) bool
	ping    *time.Ticker
	pings   int
	pace    time.Duration // to the next question whether the log has grown
	looked  time.Time     // when it was read last, by the clock of the server
	attempt int           // that was told last
}

func (s *server) streamLog(ctx context.Context, a *service.Access, in *nodeLogInput) (*huma.StreamResponse, error) {
	if s.options.Watch == nil {
		return nil, stdops.Errorf(stdops.CodeUnavailable, "this server lets nobody watch logs")
	}
	q, line := in.query(), int64(0)
	q.Attempt = in.Attempt
	if in.Last != "" {
		at, err := readLogCursor(in.Last)
		if err != nil {
			return nil, err
		}
		q.Attempt, q.From, q.Tail, q.Line, line = at.attempt, at.From, 0, 0, at.Line
	}
	id := stdops.TaskID(in.ID)
	var err error
	if q.Node, err = s.svc.NodeNamed(ctx, a, id, in.Node); err != nil {
		return nil, err
	}
	l := &logStream{server: s, follower: s.svc.FollowLog(a, id, q, line), project: a.Project(), to: audienceOf(a)}
	l.watcher, err = s.options.Watch.Watch(watch.Request{Project: l.project, To: l.to, IDs: []stdops.TaskID{id}})
	if err != nil {
		return nil, err
	}
	if l.first, err = l.follower.Next(ctx); err == nil {
		err = in.has(l.first.Attempt, l.first.Attempts)
	}
	if err != nil {
		l.watcher.Close()
		l.follower.Close()
		return nil, err
	}
	callerOf(ctx).stay.answer = func(out http.ResponseWriter, r *http.Request) {
		defer l.watcher.Close()
		defer l.follower.Close()
		l.tell = beginStream(out)
		if l.tell(retryHint) {
			l.run(r)
		}
	}
	return &huma.StreamResponse{Body: func(huma.Context) {}}, nil
}

// run tells what is there and what comes, until the log is complete or either side has enough.
func (l *logStream) run(r *http.Request) {
	l.ping = time.NewTicker(pingEvery)
	defer l.ping.Stop()
	for log := l.first; l.tellLog(log); {
		l.looked = l.svc.Now()
		if log == l.first || log.Text != "" {
			l.pace = logPace
		}
		if allTold := log.Text == "" || log.Next >= log.Size; allTold && !l.wait(r) {
			return
		}
		var err error
		if log, err = l.follower.Next(r.Context()); err != nil {
			if r.Context().Err() == nil { // whoever follows asks again, and is told why not
				l.log.WarnContext(r.Context(), "a log can not be followed on", "error", err)
			}
			return
		}
	}
}

// tellLog tells what is new, and the end when nothing can come after it.
func (l *logStream) tellLog(log *service.NodeLog) (more bool) {
	text := []byte{}
	if log.Text != "" || log.Attempt != l.attempt || log == l.first {
		l.attempt = log.Attempt
		data, err := json.Marshal(wireLog(log))
		if err != nil {
			return false // a number or a text can always be written
		}
		id := ""
		if log.Attempt > 0 {
			id = logCursor{log.Attempt, service.LogPlace{From: log.Next, Line: log.NextLine()}}.String()
		}
		text = append(append(begin(text, client.EventLog, id), data...), "\n\n"...)
	}
	end := log.Complete && log.Next >= log.Size
	if end {
		text = appendEnd(text, client.EndComplete)
	}
	return (len(text) == 0 || l.tell(text)) && !end
}

// wait waits until there may be something new; it gives false when the stream is over.
func (l *logStream) wait(r *http.Request) (on bool) {
	look := time.NewTimer(logLookQuiet - l.svc.Now().Sub(l.looked))
	if l.follower.Awaits() {
		look.Reset(logLook)
	}
	defer look.Stop()
	// Once at least: something may have been written after the log was read and before the bell could tell.
	for asked := false; ; {
		var ask <-chan time.Time
		if !asked || !l.follower.Hears() {
			ask = time.After(l.pace)
		}
		select {
		case <-l.follower.Bell():
			return true
		case <-l.watcher.Bell():
			d, some := l.watcher.Take()
			if d.End != "" {
				l.tell(appendEnd(nil, d.End))
				return false
			}
			if some {
				return true
			}
		case <-look.C:
			return true
		case <-ask:
			asked = true
			if grown, err := l.follower.Grown(r.Context()); grown || err != nil { // who reads on meets the error as well
				return true
			}
			l.pace = min(2*l.pace, logPaceQuiet)
		case <-l.ping.C:
			end := ""
			if l.pings++; l.pings%lookEvery == 0 {
				end = l.lookAgain(r, l.project, l.to)
			}
			if !tellAlive(l.tell, l.svc.Now(), end) || end != "" {
				return false
			}
		case <-r.Context().Done():
			return false
		}
	}
}
