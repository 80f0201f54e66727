package bench

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"
)

// hotAnswers measures the hot batch over HTTP: all of a request, credentials and body included.
func hotAnswers(ctx context.Context, w *world, o Options) (list []Comparison, err error) {
	bare, err := serveBare()
	if err != nil {
		return nil, fmt.Errorf("start the bare handler: %w", err)
	}
	defer func() { err = errors.Join(err, bare.close()) }()
	with, err := w.hotBatch(ctx, bare, true)
	if err != nil {
		return nil, err
	}
	without, err := w.hotBatch(ctx, bare, false)
	if err != nil {
		return nil, err
	}
	if list, err = measureAll(ctx, o, with, without); err != nil {
		return nil, err
	}
	return list, profiled(ctx, o, with.ours)
}

// hotBatch sends the same request to both sides. Before each of its rounds the bare handler is given an answer of that
// moment to write, because answers grow by some digits while tasks run.
func (w *world) hotBatch(ctx context.Context, bare *bareServer, children bool) (*pair, error) {
	first, err := w.ask(ctx, w.tasks, children)
	if err != nil {
		return nil, err
	}
	r, err := w.question(ctx, w.tasks, children)
	if err != nil {
		return nil, err
	}
	ours, err := newLoad(w.app.Addr(), r)
	if err != nil {
		return nil, err
	}
	reference := &load{address: bare.address(), request: ours.request}
	p := &pair{ours: ours.run, reference: func(ctx context.Context, d time.Duration) (float64, error) {
		now, err := w.ask(ctx, w.tasks, children)
		if err != nil {
			return 0, err
		}
		bare.answer.Store(&now)
		return reference.run(ctx, d)
	}}
	p.Comparison = Comparison{
		Name: "hot batch without children", Unit: "answers/s", Bytes: len(first), Goal: Goal{AtLeast: 0.4},
		Ours: Series{Name: "server"}, Reference: Series{Name: "bare handler"},
	}
	if children {
		p.Name, p.Goal = "hot batch with children", Goal{AtLeast: 0.6}
	}
	return p, nil
}

// bareServer answers every request with the same bytes. It does not look at the request: nothing can be less.
type bareServer struct {
	listener net.Listener
	server   *http.Server
	answer   atomic.Pointer[[]byte]
	done     chan error
}

func serveBare() (*bareServer, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	b := &bareServer{listener: listener, done: make(chan error, 1)}
	b.answer.Store(&[]byte{})
	b.server = &http.Server{Handler: b, ReadHeaderTimeout: time.Minute}
	go func() { b.done <- b.server.Serve(listener) }()
	return b, nil
}

// ServeHTTP writes the answer.
func (b *bareServer) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	text := *b.answer.Load()
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.Write(text)
}

func (b *bareServer) address() string { return b.listener.Addr().String() }

func (b *bareServer) close() error {
	err := b.server.Close()
	if served := <-b.done; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}
