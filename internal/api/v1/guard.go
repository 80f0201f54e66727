package v1

import (
	"errors"
	"net/http"
	"runtime/debug"

	"github.com/stdops/stdops/internal/api"
)

// guarded serves a request; a panic becomes a problem document without its text. Once an answer has begun it is left to
// [api.Handler], which breaks the connection.
func (s *server) guarded(w http.ResponseWriter, r *http.Request) {
	begun := &watched{ResponseWriter: w}
	defer s.rescue(begun, r)
	s.mux.ServeHTTP(begun, r)
	if left := callerOf(r.Context()).stay; left.answer != nil {
		defer left.leave()
		left.answer(begun, r)
	}
}

func (s *server) rescue(w *watched, r *http.Request) {
	cause := recover()
	if cause == nil {
		return
	}
	if err, ok := cause.(error); w.begun || ok && errors.Is(err, http.ErrAbortHandler) {
		panic(cause)
	}
	s.log.ErrorContext(r.Context(), "panic in a handler", "cause", cause,
		"request_id", api.RequestIDs(r.Context()).Request, "stack", string(debug.Stack()))
	s.fail(w, r, http.StatusInternalServerError, messageOfDefect)
}

// watched remembers whether an answer has begun.
type watched struct {
	http.ResponseWriter
	begun bool
}

// WriteHeader begins the answer.
func (w *watched) WriteHeader(status int) {
	w.begun = true
	w.ResponseWriter.WriteHeader(status)
}

// Write begins the answer where nothing else has.
func (w *watched) Write(b []byte) (int, error) {
	w.begun = true
	return w.ResponseWriter.Write(b)
}

// Unwrap gives the writer behind, for http.ResponseController.
func (w *watched) Unwrap() http.ResponseWriter { return w.ResponseWriter }
