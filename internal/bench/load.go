package bench

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"time"

	"golang.org/x/sync/errgroup"
)

// patience is how long past its time a load may wait for its last answers.
const patience = 30 * time.Second

// load is the same request sent again and again, over connections that stay open. The client runs on the processors of
// the server, so it does as little as it can: the request is written as ready bytes, the answer's headers are read, its
// body is counted.
type load struct {
	address string
	request []byte
}

func newLoad(address string, r *http.Request) (*load, error) {
	var text bytes.Buffer
	if err := r.Write(&text); err != nil {
		return nil, err
	}
	return &load{address: address, request: text.Bytes()}, nil
}

// run gives the answers per second of d.
func (l *load) run(ctx context.Context, d time.Duration) (float64, error) {
	clients := make([]*client, 0, connections)
	defer func() {
		for _, c := range clients {
			_ = c.conn.Close()
		}
	}()
	for range connections {
		c, err := l.connect(ctx, d+patience)
		if err != nil {
			return 0, err
		}
		clients = append(clients, c)
		if err := c.ask(l.request); err != nil { // the first answer over a connection is not measured
			return 0, err
		}
	}
	began := time.Now()
	var all errgroup.Group
	for _, c := range clients {
		c.answers = 0
		all.Go(func() error { return c.askUntil(ctx, l.request, began.Add(d)) })
	}
	if err := all.Wait(); err != nil {
		return 0, err
	}
	took, answers := time.Since(began), 0
	for _, c := range clients {
		answers += c.answers
	}
	return float64(answers) / took.Seconds(), nil
}

// once times one answer over a connection that was open before.
func (l *load) once(ctx context.Context) (time.Duration, error) {
	c, err := l.connect(ctx, patience)
	if err != nil {
		return 0, err
	}
	defer c.conn.Close()
	if err := c.ask(ping); err != nil {
		return 0, err
	}
	runtime.GC() // what was left behind by the start before is no cost of a process that was just started
	began := time.Now()
	err = c.ask(l.request)
	return time.Since(began), err
}

// ping is a request that has nothing to do with tasks.
var ping = []byte("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")

// client is one connection.
type client struct {
	conn    net.Conn
	in      *bufio.Reader
	answers int
}

func (l *load) connect(ctx context.Context, limit time.Duration) (*client, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", l.address)
	if err != nil {
		return nil, err
	}
	return &client{conn: conn, in: bufio.NewReaderSize(conn, 64<<10)}, conn.SetDeadline(time.Now().Add(limit))
}

func (c *client) askUntil(ctx context.Context, request []byte, end time.Time) error {
	for time.Now().Before(end) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := c.ask(request); err != nil {
			return err
		}
	}
	return nil
}

func (c *client) ask(request []byte) error {
	if _, err := c.conn.Write(request); err != nil {
		return err
	}
	res, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	n, err := io.Copy(io.Discard, res.Body)
	switch {
	case err != nil:
		return err
	case res.StatusCode != http.StatusOK || n == 0:
		return fmt.Errorf("an answer has HTTP status %d and %d bytes", res.StatusCode, n)
	}
	c.answers++
	return nil
}
