package outbound_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stdops/stdops/internal/outbound"
)

// newRaw is a server that answers each connection with the same bytes and then says nothing more until the other side leaves.
func newRaw(t *testing.T, answer string) (url string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = conn.Close() })
			go func() {
				in := bufio.NewReader(conn)
				for line := ""; line != "\r\n"; {
					if line, err = in.ReadString('\n'); err != nil {
						return
					}
				}
				_, _ = conn.Write([]byte(answer))
				_, _ = io.Copy(io.Discard, in)
			}()
		}
	}()
	return "http://" + listener.Addr().String()
}

// Whatever a server says, and however it stops, a request ends with its context.
func TestSendEndsHoweverAServerStops(t *testing.T) {
	t.Parallel()
	const ok = "HTTP/1.1 200 OK\r\n"
	for name, answer := range map[string]string{
		"nothing":           "",
		"half a head":       ok + "X: y\r\n",
		"half a body":       ok + "Content-Length: 5\r\n\r\nab",
		"far too long":      ok + "Content-Length: 999999999999999999\r\n\r\nab",
		"half a chunk":      ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nab",
		"a body of its own": ok + "\r\nab",
		"only hints":        "HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n",
		"half of a gzip":    ok + "Content-Encoding: gzip\r\nContent-Length: 99\r\n\r\n\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			client := outbound.New(outbound.Options{Guard: outbound.NewGuard(loopback)})
			if answer, err := client.Send(ctx, outbound.Request{URL: newRaw(t, answer)}); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%+v, %v", answer, err)
			}
		})
	}
}

// Nobody is followed to another protocol: net/http hands the connection over then, and no context ends it any more.
func TestSendKeepsToItsProtocol(t *testing.T) {
	t.Parallel()
	url := newRaw(t, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n")
	client := outbound.New(outbound.Options{Guard: outbound.NewGuard(loopback)})
	answer, err := client.Send(t.Context(), outbound.Request{URL: url})
	if err == nil || !strings.Contains(err.Error(), "another protocol") {
		t.Errorf("%+v, %v", answer, err)
	}
}

// No header that a flow gives makes a second one, or a second request.
func TestSendRefusesHeadersThatAreMore(t *testing.T) {
	t.Parallel()
	url := newRaw(t, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
	client := outbound.New(outbound.Options{Guard: outbound.NewGuard(loopback)})
	for _, h := range []outbound.Header{
		{"X\r\nY", "1"},
		{"X: y\r\nZ", "1"},
		{"X", "a\r\nY: 1"},
		{"X", "a\nY: 1"},
		{"X", "a\r\n\r\nGET / HTTP/1.1"},
		{"", "x"},
		{"X y", "z"},
		{"X", "\x00"},
		{"Host", "a\r\nY: 1"},
		{"Host", "a b"},
		{"Host", "a/b"},
		{"Host", "user@a"},
	} {
		if _, err := client.Send(t.Context(), outbound.Request{URL: url, Headers: []outbound.Header{h}}); err == nil {
			t.Errorf("%q was sent", h)
		}
	}
	if _, err := client.Send(t.Context(), outbound.Request{URL: url, Headers: []outbound.Header{{"Host", "name.test:8080"}, {"X", "a b"}}}); err != nil {
		t.Error(err)
	}
}
