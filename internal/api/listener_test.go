package api

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// guarded starts a server behind [Listener]; it answers with the path of a request and what became of its context.
func guarded(t *testing.T, handler http.HandlerFunc) net.Conn {
	t.Helper()
	server := httptest.NewUnstartedServer(LastIfChunked(handler))
	server.Config.DisableGeneralOptionsHandler = true
	server.Listener = Listener(server.Listener)
	server.Start()
	t.Cleanup(server.Close)
	c, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

const ambiguousRequest = "POST /bad HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG"

func TestListener(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, sent string
		want       []string // status and body of each answer before the connection ends
	}{
		{"ambiguous", ambiguousRequest, []string{"400 400 Bad Request"}},
		{"behind another", "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx" + ambiguousRequest, []string{"200 /a", "400 400 Bad Request"}},
		{"old and chunked", "POST /a HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", []string{"400 400 Bad Request"}},
		{"chunked is the last", "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n", []string{"200 /a"}},
		{"chunked without address", "OPTIONS * HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + ambiguousRequest, []string{"200 *"}},
		{
			"many", strings.Repeat("GET /a HTTP/1.1\r\nHost: a\r\n\r\n", 20) + "GET /b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
			append(repeated("200 /a", 20), "200 /b"),
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			connection := guarded(t, func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				if err != nil || strings.Contains(r.URL.Path, "bad") {
					t.Errorf("%s was served: %q, %v", r.URL.Path, body, err)
				}
				fmt.Fprint(w, r.URL.Path)
			})
			if _, err := io.WriteString(connection, c.sent); err != nil {
				t.Fatal(err)
			}
			answers := bufio.NewReader(connection)
			for _, want := range c.want {
				response, err := http.ReadResponse(answers, nil)
				if err != nil {
					t.Fatalf("no answer %q: %v", want, err)
				}
				body, err := io.ReadAll(response.Body)
				if got := fmt.Sprintf("%d %s", response.StatusCode, body); err != nil || got != want {
					t.Errorf("answer %q, %v, want %q", got, err, want)
				}
			}
			if more, err := answers.ReadByte(); err == nil {
				t.Errorf("the connection goes on with %q", more)
			}
		})
	}
}

// TestListenerSparesEarlierRequest: a request that is being served does not suffer from what came in behind it.
func TestListenerSparesEarlierRequest(t *testing.T) {
	t.Parallel()
	connection := guarded(t, func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
			t.Error("the request was cut off")
		case <-time.After(50 * time.Millisecond): // long enough to see it fail; nothing depends on it when all is well
		}
		fmt.Fprint(w, "whole")
	})
	if _, err := io.WriteString(connection, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"+ambiguousRequest); err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(connection)
	if err != nil || !strings.Contains(string(text), "whole") || !strings.Contains(string(text), "HTTP/1.1 400 Bad Request") {
		t.Errorf("answers %q, %v", text, err)
	}
}

// TestConnReadsInSmallParts: a read of one byte, as net/http does ahead of time, meets no error before the next.
func TestConnReadsInSmallParts(t *testing.T) {
	t.Parallel()
	near, far := net.Pipe()
	defer near.Close()
	go func() {
		defer far.Close()
		_, _ = io.WriteString(far, "\nx\n y\n")
	}()
	c, one := &conn{Conn: near, framing: newFraming()}, make([]byte, 1)
	var got []byte
	for {
		n, err := c.Read(one)
		got = append(got, one[:n]...)
		if err != nil {
			if !errors.Is(err, errFraming) || string(got) != "\nx\n y\r" {
				t.Errorf("read %q, then %v", got, err)
			}
			return
		}
	}
}

func repeated(s string, n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = s
	}
	return list
}

func BenchmarkFraming(b *testing.B) {
	text := []byte("POST /get_tasks_status/2/ HTTP/1.1\r\nHost: localhost:8080\r\nUser-Agent: python-requests/2.31.0\r\n" +
		"Accept-Encoding: gzip, deflate\r\nAccept: */*\r\nConnection: keep-alive\r\nContent-Type: application/json\r\n" +
		"X-Bkapi-Authorization: " + strings.Repeat("x", 150) + "\r\nContent-Length: 1000\r\n\r\n" + strings.Repeat("y", 1000))
	f := newFraming()
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := f.follow(text); !ok {
			b.Fatal("refused")
		}
	}
}
