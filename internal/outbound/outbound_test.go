package outbound_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stdops/stdops/internal/outbound"
)

// serve runs a handler and gives its URL.
func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

func client() *outbound.Client {
	return outbound.New(outbound.Options{Guard: outbound.NewGuard(loopback)})
}

func TestSendBringsTheRequestAndTheAnswer(t *testing.T) {
	t.Parallel()
	type arrived struct {
		*http.Request
		body []byte
	}
	requests := make(chan arrived, 1)
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		requests <- arrived{r, body}
		w.WriteHeader(http.StatusTeapot)
		_, _ = io.WriteString(w, "short and stout")
	})
	answer, err := client().Send(t.Context(), outbound.Request{
		Method: "PATCH", URL: strings.Replace(url, "//", "//ann:pass@", 1) + "/a%20b?c=d", Body: `{"x":1}`,
		Headers: []outbound.Header{
			{"X-Two", "1"},
			{"x-two", "2"},
			{"user-agent", "mine"},
			{"Host", "other.example"},
			{"Content-Length", "3"},
			{"Transfer-Encoding", "chunked"},
			{"Connection", "keep-alive"},
			{"Content-Type", "application/json"},
		},
	})
	if err != nil || answer.Status != http.StatusTeapot || string(answer.Body) != "short and stout" {
		t.Fatalf("%+v, %v", answer, err)
	}
	got := <-requests
	user, password, _ := got.BasicAuth()
	switch {
	case got.Method != "PATCH" || got.RequestURI != "/a%20b?c=d" || string(got.body) != `{"x":1}` || got.ContentLength != 7:
		t.Errorf("%s %s with %q", got.Method, got.RequestURI, got.body)
	case !slices.Equal(got.Header["X-Two"], []string{"1", "2"}) || got.UserAgent() != "mine" || got.Host != "other.example":
		t.Errorf("head %v, host %s", got.Header, got.Host)
	case user != "ann" || password != "pass":
		t.Errorf("user %q, password %q", user, password)
	case len(got.TransferEncoding) > 0:
		t.Errorf("transfer encoding %v", got.TransferEncoding)
	}
}

func TestSendFollowsNoRedirect(t *testing.T) {
	t.Parallel()
	var followed atomic.Bool
	target := serve(t, func(http.ResponseWriter, *http.Request) { followed.Store(true) })
	for _, status := range []int{301, 302, 303, 307, 308} {
		url := serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, target, status) })
		answer, err := client().Send(t.Context(), outbound.Request{URL: url})
		if err != nil || answer.Status != status || followed.Load() {
			t.Errorf("%+v, %v; followed %t", answer, err, followed.Load())
		}
	}
}

func zipped(t *testing.T, text []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestSendBoundsAnswers(t *testing.T) {
	t.Parallel()
	whole := bytes.Repeat([]byte("x"), outbound.MaxBody)
	none := zipped(t, nil)
	for name, c := range map[string]struct {
		body     []byte
		encoding string
		times    int
		size     int // -1: too large
	}{
		"as large as may be":          {body: whole, size: len(whole)},
		"one byte more":               {body: append(whole, 'x'), size: -1},
		"endless":                     {body: whole, times: 1 << 30, size: -1},
		"compressed":                  {body: zipped(t, []byte("hello")), encoding: "gzip", size: 5},
		"compressed, in capitals":     {body: zipped(t, []byte("hello")), encoding: "GZIP", size: 5},
		"as large as may be inflated": {body: zipped(t, whole), encoding: "gzip", size: len(whole)},
		"one byte more inflated":      {body: zipped(t, append(whole, 'x')), encoding: "gzip", size: -1},
		"a bomb":                      {body: zipped(t, whole), encoding: "gzip", times: 1000, size: -1},
		"nothing, compressed for ever": {
			body: bytes.Repeat(none, 1000), encoding: "gzip", times: 1 << 30, size: -1,
		},
		"empty and said to be compressed": {encoding: "gzip", size: 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				if c.encoding != "" {
					w.Header().Set("Content-Encoding", c.encoding)
				}
				for range max(1, c.times) {
					if _, err := w.Write(c.body); err != nil {
						return
					}
				}
			})
			answer, err := client().Send(t.Context(), outbound.Request{URL: url})
			switch {
			case c.size < 0 && !errors.Is(err, outbound.ErrTooLarge):
				t.Errorf("%v", err)
			case c.size >= 0 && (err != nil || len(answer.Body) != c.size):
				t.Errorf("%+v, %v; want %d bytes", answer, err, c.size)
			}
		})
	}
}

func TestSendRefusesBrokenAnswers(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"no HTTP":          "hello\r\n\r\n",
		"cut off":          "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
		"a head too large": "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 1<<20) + "\r\n\r\n",
		"a broken gzip":    "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd",
		"nothing":          "",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := raw(t, text)
			if answer, err := client().Send(t.Context(), outbound.Request{URL: url}); err == nil {
				t.Errorf("%+v", answer)
			}
		})
	}
}

// raw answers each connection with a text and closes it.
func raw(t *testing.T, text string) string {
	t.Helper()
	return serve(t, func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			_, _ = io.WriteString(conn, text)
			_ = conn.Close()
		}
	})
}

// TestSendEndsWithItsContext: before the head, and while a body drips.
func TestSendEndsWithItsContext(t *testing.T) {
	t.Parallel()
	for _, begins := range []bool{false, true} {
		reached := make(chan struct{})
		url := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if begins {
				w.WriteHeader(http.StatusOK)
				_ = http.NewResponseController(w).Flush()
			}
			close(reached)
			<-r.Context().Done()
		})
		ctx, cancel := context.WithCancel(t.Context())
		go func() { <-reached; cancel() }()
		if _, err := client().Send(ctx, outbound.Request{URL: url}); !errors.Is(err, context.Canceled) {
			t.Errorf("begins %t: %v", begins, err)
		}
	}
	ctx, cancel := context.WithDeadline(t.Context(), time.Now())
	defer cancel()
	if _, err := client().Send(ctx, outbound.Request{URL: "http://127.0.0.1:1"}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}

// TestSendSendsOnce: net/http would send a request again that has an Idempotency-Key, when the connection that it used again
// broke. Whoever asked for the key alone decides whether it is sent twice.
func TestSendSendsOnce(t *testing.T) {
	t.Parallel()
	var posts atomic.Int64
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if posts.Add(1) == 1 {
			return
		}
		if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
			_ = conn.Close()
		}
	})
	c := client()
	request := outbound.Request{Method: "POST", URL: url, Headers: []outbound.Header{{"Idempotency-Key", "k"}}}
	if _, err := c.Send(t.Context(), request); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Send(t.Context(), request); err == nil {
		t.Error("a broken connection is no error")
	}
	if posts.Load() != 2 {
		t.Errorf("two requests were sent %d times", posts.Load())
	}
}

func TestSendKeepsSecretsOutOfErrors(t *testing.T) {
	t.Parallel()
	broken := strings.TrimPrefix(raw(t, "nonsense\r\n\r\n"), "http://")
	closed, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone := closed.Addr().String()
	_ = closed.Close()
	for name, c := range map[string]struct {
		request outbound.Request
		want    string
	}{
		"unreadable":   {outbound.Request{URL: "http://ann:s3cret@host:port/?t=s3cret"}, "the URL cannot be read"},
		"escape":       {outbound.Request{URL: "http://ann:s3cret@host/%zz?t=s3cret"}, "the URL cannot be read"},
		"other scheme": {outbound.Request{URL: "file:///etc/passwd?s3cret"}, "http:// or https://"},
		"no scheme":    {outbound.Request{URL: "host/s3cret"}, "http:// or https://"},
		"no host":      {outbound.Request{URL: "http:///s3cret"}, "names no host"},
		"empty":        {outbound.Request{}, "http:// or https://"},
		"method":       {outbound.Request{Method: "GET s3cret", URL: "http://" + gone}, "method"},
		"refused":      {outbound.Request{URL: "http://ann:s3cret@" + gone + "/s3cret?t=s3cret"}, gone},
		"inside":       {outbound.Request{URL: "http://ann:s3cret@10.0.0.1/s3cret?t=s3cret"}, "address not allowed"},
		"no answer":    {outbound.Request{URL: "http://ann:s3cret@" + broken + "/s3cret?t=s3cret"}, broken},
		"header name":  {outbound.Request{URL: "http://" + gone, Headers: []outbound.Header{{"X Y", "s3cret"}}}, "header field name"},
		"header value": {outbound.Request{URL: "http://" + gone, Headers: []outbound.Header{{"X", "s3cret\r\nY: 1"}}}, "header field value"},
	} {
		_, err := client().Send(t.Context(), c.request)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v; want %q and no secret", name, err, c.want)
		}
	}
}

// What a flow is told names neither an address of this host nor that of a name server, and is short.
func TestSendKeepsTheInsideOutOfErrors(t *testing.T) {
	t.Parallel()
	reset := strings.TrimPrefix(serve(t, func(w http.ResponseWriter, _ *http.Request) {
		if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
			_ = conn.(*net.TCPConn).SetLinger(0) // the other side reads a reset
			_ = conn.Close()
		}
	}), "http://")
	names := &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		return nil, errors.New("no way there")
	}}
	for name, c := range map[string]struct {
		client          *outbound.Client
		host, want, not string
	}{
		"own address": {client(), reset, "reset by peer", "->"},
		"name server": {outbound.New(outbound.Options{Guard: outbound.NewGuard(nil), Resolver: names}), "some.test", "lookup some.test", " on "},
		"long answer": {client(), strings.TrimPrefix(raw(t, strings.Repeat("x\xc3", 50_000)), "http://"), "malformed", strings.Repeat("x", 1000)},
	} {
		_, err := c.client.Send(t.Context(), outbound.Request{URL: "http://" + c.host})
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), c.not) || len(err.Error()) > 1000 {
			t.Errorf("%s: %v; want %q, not %q", name, err, c.want, c.not)
		}
	}
}
