package app_test

import (
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/app"
)

// TestSlowSendersAreCutOff is the line gts-slowloris-header of the bad inputs, and the same with a body: whoever sends byte
// by byte is cut off when the time is over, however fast the next byte would come, and others are served meanwhile.
func TestSlowSendersAreCutOff(t *testing.T) {
	t.Parallel()
	limits := stdops.DefaultLimits()
	limits.HeadTime, limits.BodyTime = 1, 2
	a, err := app.New(t.Context(), app.Options{
		Listen: "127.0.0.1:0", DataDir: t.TempDir(), Limits: &limits, BootstrapAppCode: appCode, BootstrapAppSecret: appSecret,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, a) })
	const head = "POST /get_tasks_status/2/ HTTP/1.1\r\nHost: 127.0.0.1\r\n" +
		`X-Bkapi-Authorization: {"bk_app_code":"` + appCode + `","bk_app_secret":"` + appSecret + `","bk_username":"ann"}` + "\r\n"
	for _, c := range []struct{ name, at, want string }{
		{"nothing", "", ""},
		{"head", head + "X-Pad: ", ""},
		{"body", head + "Content-Length: 100000\r\n\r\n{\"a\":\"", "HTTP/1.1 408 "},
		{"chunk", head + "Transfer-Encoding: chunked\r\n\r\nffff\r\n{\"a\":\"", "HTTP/1.1 408 "},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			connection, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", a.Addr())
			if err != nil {
				t.Fatal(err)
			}
			defer connection.Close()
			if err := connection.SetDeadline(time.Now().Add(time.Minute)); err != nil {
				t.Fatal(err)
			}
			over := make(chan struct{})
			defer close(over)
			go drip(connection, c.at, over)
			if other := exchange(t, a, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"); !strings.HasPrefix(other, "HTTP/1.1 200 ") {
				t.Errorf("another caller is answered %q", other)
			}
			answer, err := io.ReadAll(connection)
			if errors.Is(err, os.ErrDeadlineExceeded) {
				t.Fatal("the connection was never ended")
			}
			if !strings.HasPrefix(string(answer), c.want) || c.want == "" && len(answer) > 0 {
				t.Errorf("answered %q", answer)
			}
		})
	}
}

// drip sends text at once, when there is any, and then byte after byte until over.
func drip(connection net.Conn, text string, over <-chan struct{}) {
	next := time.NewTicker(20 * time.Millisecond)
	defer next.Stop()
	_, err := io.WriteString(connection, text)
	for err == nil && text != "" {
		select {
		case <-next.C:
			_, err = io.WriteString(connection, "x")
		case <-over:
			return
		}
	}
}
