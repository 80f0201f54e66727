package bench

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
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
	var pairs []*pair
	for _, h := range []hot{{children: true}, {}, {children: true, packed: true}} {
		p, err := w.hotBatch(ctx, bare, h)
		if err != nil {
			return nil, err
		}
		pairs = append(pairs, p)
	}
	if list, err = measureAll(ctx, o, pairs...); err != nil {
		return nil, err
	}
	return list, profiled(ctx, o, pairs[0].ours)
}

// hot is a way to ask for the hot batch.
type hot struct{ children, packed bool }

// comparison says what is measured.
func (h hot) comparison() Comparison {
	c := Comparison{Unit: "answers/s", Ours: Series{Name: "server"}, Reference: Series{Name: "bare handler"}}
	switch h {
	case hot{children: true}:
		c.Name, c.Goal = "hot batch with children", Goal{AtLeast: 0.6}
	case hot{children: true, packed: true}:
		c.Name = "hot batch with children, in gzip"
	default:
		c.Name, c.Goal = "hot batch without children", Goal{AtLeast: 0.4}
	}
	return c
}

// request makes the request of a batch.
func (h hot) request(ctx context.Context, w *world) (*http.Request, error) {
	r, err := w.question(ctx, w.tasks, h.children)
	if err == nil && h.packed {
		r.Header.Set("Accept-Encoding", "gzip")
	}
	return r, err
}

// answer gives the bytes with which the server answers at the moment, after a look at what is in them.
func (h hot) answer(ctx context.Context, w *world) ([]byte, error) {
	r, err := h.request(ctx, w)
	if err != nil {
		return nil, err
	}
	sent, err := w.do(r)
	if err != nil {
		return nil, err
	}
	plain := sent
	if h.packed {
		z, err := gzip.NewReader(bytes.NewReader(sent))
		if err != nil {
			return nil, fmt.Errorf("read a packed answer: %w", err)
		}
		if plain, err = io.ReadAll(z); err != nil {
			return nil, fmt.Errorf("read a packed answer: %w", err)
		}
	}
	return sent, w.check(w.tasks, plain, h.children)
}

// hotBatch sends the same request to both sides. Before each of its rounds the bare handler is given an answer of that
// moment to write, because answers grow by some digits while tasks run.
func (w *world) hotBatch(ctx context.Context, bare *bareServer, h hot) (*pair, error) {
	first, err := h.answer(ctx, w)
	if err != nil {
		return nil, err
	}
	r, err := h.request(ctx, w)
	if err != nil {
		return nil, err
	}
	ours, err := newLoad(w.app.Addr(), r)
	if err != nil {
		return nil, err
	}
	reference := &load{address: bare.address(), request: ours.request}
	p := &pair{Comparison: h.comparison(), ours: ours.run}
	p.Bytes = len(first)
	p.reference = func(ctx context.Context, d time.Duration) (float64, error) {
		now, err := h.answer(ctx, w)
		if err != nil {
			return 0, err
		}
		bare.answer.Store(&now)
		return reference.run(ctx, d)
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
