package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"
)

// Handler is the outermost handler: it names each request, writes one access log line for it, refuses one whose head is
// too large, and turns a panic into an answer without its text.
func Handler(next http.Handler, log *slog.Logger) http.Handler {
	next = bounded(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		ids := newIDs(r)
		entry := &Entry{}
		ctx := context.WithValue(r.Context(), idsKey{}, ids)
		r = r.WithContext(context.WithValue(ctx, entryKey{}, entry))
		seen := &watched{ResponseWriter: w}
		h := w.Header()
		h.Set("X-Request-Id", ids.Request)
		h.Set("X-Content-Type-Options", "nosniff")
		defer func() {
			cause := recover()
			if err, _ := cause.(error); cause != nil && !errors.Is(err, http.ErrAbortHandler) {
				log.ErrorContext(ctx, "panic in a handler", "cause", cause, "request_id", ids.Request, "stack", string(debug.Stack()))
			}
			half := seen.status != 0
			if cause != nil && !half {
				fail(seen, r, errPanic)
			}
			// The path alone: a query may hold credentials. slog escapes what a caller may have put into these texts.
			log.LogAttrs(ctx, slog.LevelInfo, "request",
				slog.String("method", r.Method), slog.String("path", pathOf(r)), slog.Int("status", seen.status),
				slog.Int("code", entry.Number), slog.String("app", entry.App), slog.String("user", entry.User),
				slog.Duration("took", time.Since(began)), slog.String("request_id", ids.Request), slog.String("trace_id", ids.Trace))
			if cause != nil && half {
				panic(http.ErrAbortHandler) // half an answer is out: the connection must not end as if it were whole
			}
		}()
		next.ServeHTTP(seen, r)
	})
}

// longestPath is how much of a path is logged; none that leads anywhere is longer.
const longestPath = 256

// pathOf gives the path of a request for the log: the secret of a sign-in link is cut away, since the link may still work.
func pathOf(r *http.Request) string {
	switch path := r.URL.Path; {
	case strings.HasPrefix(path, "/login/"):
		return "/login/…"
	case len(path) > longestPath:
		return strings.ToValidUTF8(path[:longestPath], "") + "…"
	default:
		return path
	}
}

var errPanic = &Refusal{Status: http.StatusInternalServerError, Message: messageOfDefect}

// Entry is what a handler adds to the access log line of its request.
type Entry struct {
	App, User string
	Number    int
}

type entryKey struct{}

// LogEntry gives the entry of the request that ctx belongs to.
func LogEntry(ctx context.Context) *Entry {
	entry, ok := ctx.Value(entryKey{}).(*Entry)
	if !ok {
		return &Entry{}
	}
	return entry
}

// watched remembers the status of an answer.
type watched struct {
	http.ResponseWriter
	status int
}

// WriteHeader remembers the status and passes it on.
func (w *watched) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write counts as status 200 when nothing else was said.
func (w *watched) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap gives the writer behind, for http.ResponseController.
func (w *watched) Unwrap() http.ResponseWriter { return w.ResponseWriter }
