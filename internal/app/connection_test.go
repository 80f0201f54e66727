package app_test

import (
	"bytes"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stdops/stdops/internal/app"
)

// exchange sends bytes as they are and gives all that is answered until the connection ends.
func exchange(t *testing.T, a *app.App, text string) string {
	t.Helper()
	connection, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", a.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	if _, err := io.WriteString(connection, text); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(connection)
	if err != nil {
		t.Fatal(err)
	}
	return string(answer)
}

// TestAppConnections: what no handler can see is refused on the connection.
func TestAppConnections(t *testing.T) {
	t.Parallel()
	a := start(t, t.TempDir())
	defer stop(t, a)
	const host = "Host: localhost\r\n"
	for _, c := range []struct {
		name, text string
		want       []string // parts of the answers, in order
		without    string
	}{
		{"both lengths", "POST /healthz HTTP/1.1\r\n" + host + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", []string{"HTTP/1.1 400 "}, "{"},
		{
			"chunked is the last", "GET /healthz HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /readyz HTTP/1.1\r\n" + host + "\r\n",
			[]string{"HTTP/1.1 200 ", "Connection: close", "ok"},
			"ready",
		},
		{
			"chunked, for the server as a whole", "OPTIONS * HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /readyz HTTP/1.1\r\n" + host + "\r\n",
			[]string{"HTTP/1.1 400 "},
			"ready",
		},
		{
			"large head", "GET / HTTP/1.1\r\n" + host + "Connection: close\r\nCookie: " + strings.Repeat("x", 100<<10) + "\r\n\r\n",
			[]string{"HTTP/1.1 431 ", `{"result":false,"data":null,"code":3540000,"message":"`},
			"",
		},
		{"huge head", "GET / HTTP/1.1\r\n" + host + "Cookie: " + strings.Repeat("x", 1<<20+8<<10), []string{"HTTP/1.1 431 "}, "{"},
	} {
		t.Run(c.name, func(t *testing.T) {
			rest := exchange(t, a, c.text)
			if c.without != "" && strings.Contains(rest, c.without) {
				t.Errorf("%q is in the answer %q", c.without, rest)
			}
			for _, part := range c.want {
				_, after, found := strings.Cut(rest, part)
				if !found {
					t.Fatalf("%q is not in the answer %q", part, rest)
				}
				rest = after
			}
		})
	}
}

// TestAppLogHoldsNoSignInSecret follows the first sign-in through the whole server.
func TestAppLogHoldsNoSignInSecret(t *testing.T) {
	t.Parallel()
	log := &lockedLog{}
	a, err := app.New(t.Context(), app.Options{Listen: "127.0.0.1:0", DataDir: t.TempDir(), Log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer stop(t, a)
	link, err := a.FirstSignIn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	secret := link[strings.LastIndex(link, "/")+1:]
	base := "http://" + a.Addr()
	send := func(method, address, body string, want int) *http.Response {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/json")
		response, err := http.DefaultTransport.RoundTrip(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("%s: status %d, want %d", method, response.StatusCode, want)
		}
		return response
	}
	byLink := func(name string) string { return `{"link":"` + secret + `","name":"` + name + `"}` }
	send(http.MethodGet, base+"//login/"+secret, "", http.StatusTemporaryRedirect)
	send(http.MethodGet, base+"/login/"+secret+"/x", "", http.StatusNotFound)
	send(http.MethodPut, base+"/login/"+secret, "", http.StatusMethodNotAllowed)
	send(http.MethodGet, base+"/login/"+secret, "", http.StatusOK)
	send(http.MethodPost, base+"/api/v1/session:link", byLink("ann"), http.StatusUnprocessableEntity)
	signedIn := send(http.MethodPost, base+"/api/v1/session", byLink("ann"), http.StatusOK)
	send(http.MethodPost, base+"/api/v1/session", byLink("bob"), http.StatusGone)
	send(http.MethodPost, base+"/api/v1/session", `{"token":"`+secret+`"}`, http.StatusUnauthorized)
	if len(signedIn.Cookies()) != 1 {
		t.Fatalf("cookies %v", signedIn.Cookies())
	}
	for name, hidden := range map[string]string{"link": secret, "session": signedIn.Cookies()[0].Value} {
		if strings.Contains(log.String(), hidden) {
			t.Errorf("the log holds the secret of the %s:\n%s", name, log.String())
		}
	}
	if !strings.Contains(log.String(), "path=/login/…") || !strings.Contains(log.String(), "path=/api/v1/session status=200 code=0 app=\"\" user=ann") {
		t.Errorf("the log tells nothing of the sign-in:\n%s", log.String())
	}
}

type lockedLog struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lockedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lockedLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
