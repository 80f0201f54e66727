package pgtest

import (
	"bytes"
	"errors"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// Requests at which a connection can break.
const (
	Begin     = "begin"
	Commit    = "commit"
	Statement = "B\x00" // the start of what runs a prepared statement: its length is less than 16 MiB
)

// Proxy stands between clients and a server, and breaks connections at the moments that matter.
type Proxy struct {
	server   *Server
	dir      string
	listener net.Listener
	all      sync.WaitGroup

	mu    sync.Mutex
	open  map[net.Conn]struct{}
	loses []byte           // what the request has at which the next connection breaks; nil for none
	after bool             // it has reached the server, and was answered
	held  [2]chan struct{} // by direction: closed when what comes goes on; nil when it does anyway
	delay time.Duration
}

// Directions of what goes through a proxy.
const (
	Requests = iota
	Answers
)

// Hold keeps what comes from now on, in the given directions, until Pass: connections stay open, and nothing is heard. What
// a client has sent reaches the server afterwards, even if the client has given up, as it does in a network that was cut.
func (p *Proxy) Hold(directions ...int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, d := range directions {
		if p.held[d] == nil {
			p.held[d] = make(chan struct{})
		}
	}
}

// Pass lets everything go on.
func (p *Proxy) Pass() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for d := range p.held {
		if p.held[d] != nil {
			close(p.held[d])
			p.held[d] = nil
		}
	}
}

// Delay lets each part of what comes wait so long.
func (p *Proxy) Delay(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay = d
}

// wait lets something go on when it is its turn.
func (p *Proxy) wait(direction int) {
	p.mu.Lock()
	held, delay := p.held[direction], p.delay
	p.mu.Unlock()
	if held != nil {
		<-held
	}
	time.Sleep(delay)
}

// Proxy starts a proxy that ends with the test.
func (s *Server) Proxy(t testing.TB) *Proxy {
	t.Helper()
	p := &Proxy{server: s, open: map[net.Conn]struct{}{}}
	dir, err := os.MkdirTemp("", "stdops-proxy") // shorter than that of the test: names of sockets are
	if err != nil {
		t.Fatal(err)
	}
	p.dir = dir
	if p.listener, err = net.Listen("unix", filepath.Join(dir, filepath.Base(s.Socket()))); err != nil {
		t.Fatal(err)
	}
	p.all.Go(p.serve)
	t.Cleanup(func() {
		err := p.listener.Close()
		p.Pass()
		p.Cut()
		p.all.Wait()
		if err := errors.Join(err, os.RemoveAll(dir)); err != nil {
			t.Error(err)
		}
	})
	return p
}

// URL gives the address of a database, which is an address of the server, by way of the proxy.
func (p *Proxy) URL(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		panic(err) // it is one of ours
	}
	u.RawQuery = url.Values{"host": {p.dir}}.Encode()
	return u.String()
}

// LoseRequest breaks the connection of the next request of a kind before it reaches the server.
func (p *Proxy) LoseRequest(kind string) { p.lose(kind, false) }

// LoseAnswer breaks it when the server has answered, which the client never hears.
func (p *Proxy) LoseAnswer(kind string) { p.lose(kind, true) }

func (p *Proxy) lose(kind string, after bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.loses, p.after = []byte(kind), after
}

// Lost reports whether the connection has broken that was to break.
func (p *Proxy) Lost() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.loses == nil
}

// Cut breaks all connections.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.open {
		_ = c.Close()
	}
}

func (p *Proxy) serve() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("unix", p.server.Socket())
		if err != nil {
			_ = client.Close()
			continue
		}
		p.mu.Lock()
		p.open[client], p.open[server] = struct{}{}, struct{}{}
		p.mu.Unlock()
		link := &link{proxy: p, client: client, server: server}
		p.all.Go(link.requests)
		p.all.Go(link.answers)
	}
}

// link is one connection through the proxy.
type link struct {
	proxy          *Proxy
	client, server net.Conn

	mu     sync.Mutex
	losing bool // the next answer is the last
}

func (l *link) close() {
	l.proxy.mu.Lock()
	defer l.proxy.mu.Unlock()
	for _, c := range []net.Conn{l.client, l.server} {
		_ = c.Close()
		delete(l.proxy.open, c)
	}
}

// breaks tells whether a request is the one at which a connection breaks, and whether it reaches the server first.
func (p *Proxy) breaks(request []byte) (breaks, after bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.loses == nil || !bytes.Contains(request[:min(len(request), 16)], p.loses) {
		return false, false
	}
	p.loses = nil
	return true, p.after
}

func (l *link) requests() {
	defer l.close()
	buf := make([]byte, 64<<10)
	begins := true // clients wait for an answer before they ask again, and send what is larger than a buffer in parts
	for {
		n, err := l.client.Read(buf)
		if err != nil {
			return
		}
		if begins {
			if breaks, after := l.proxy.breaks(buf[:n]); breaks && !after {
				return
			} else if breaks {
				l.mu.Lock()
				l.losing = true
				l.mu.Unlock()
			}
		}
		begins = n < len(buf)
		l.proxy.wait(Requests)
		if _, err := l.server.Write(buf[:n]); err != nil {
			return
		}
	}
}

func (l *link) answers() {
	defer l.close()
	buf := make([]byte, 64<<10)
	for {
		n, err := l.server.Read(buf)
		if err != nil {
			return
		}
		l.mu.Lock()
		losing := l.losing
		l.mu.Unlock()
		if losing {
			return
		}
		l.proxy.wait(Answers)
		if _, err := l.client.Write(buf[:n]); err != nil {
			return
		}
	}
}
