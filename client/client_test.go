package client

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// server answers with a handler; the client ends its connections with the test.
func server(t *testing.T, token string, h http.HandlerFunc) *Client {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return connect(t, Options{URL: s.URL, Token: token})
}

func connect(t *testing.T, o Options) *Client {
	t.Helper()
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestRequests(t *testing.T) {
	t.Parallel()
	type sent struct{ Method, Path, Body, Token string }
	for name, call := range map[string]struct {
		do   func(context.Context, *Client) error
		want sent
	}{
		"create task": {
			func(ctx context.Context, c *Client) error {
				_, err := c.CreateTask(ctx, 3, NewTask{Name: "x", Tree: json.RawMessage(`{"b":1,"a":2}`), Start: true})
				return err
			},
			sent{"POST", "/api/v1/projects/3/tasks", `{"name":"x","tree":{"b":1,"a":2},"start":true}`, "Bearer t"},
		},
		"list tasks": {
			func(ctx context.Context, c *Client) error {
				_, err := c.Tasks(ctx, 3, TaskPage{Limit: 5, Cursor: "9", State: Failed, TaskFilter: TaskFilter{Keyword: "a&b"}})
				return err
			},
			sent{"GET", "/api/v1/projects/3/tasks?cursor=9&keyword=a%26b&limit=5&state=FAILED", "", "Bearer t"},
		},
		"count tasks": {
			func(ctx context.Context, c *Client) error {
				from := time.Date(2026, 5, 4, 9, 0, 0, 0, time.FixedZone("", 8*3600))
				_, err := c.CountTasks(ctx, 3, TaskFilter{Creator: "ann", Executor: "bob", Flow: 7, From: from})
				return err
			},
			sent{"GET", "/api/v1/projects/3/tasks:count?created_from=2026-05-04T09%3A00%3A00%2B08%3A00&creator=ann&executor=bob&flow=7", "", "Bearer t"},
		},
		"show a flow": {
			func(ctx context.Context, c *Client) error { _, err := c.Flow(ctx, 3, 7); return err },
			sent{"GET", "/api/v1/projects/3/flows/7", "", "Bearer t"},
		},
		"show a project": {
			func(ctx context.Context, c *Client) error { _, err := c.Project(ctx, 3); return err },
			sent{"GET", "/api/v1/projects/3", "", "Bearer t"},
		},
		"list plugins": {
			func(ctx context.Context, c *Client) error { _, err := c.Plugins(ctx); return err },
			sent{"GET", "/api/v1/plugins", "", "Bearer t"},
		},
		"show a plugin": {
			func(ctx context.Context, c *Client) error { _, err := c.Plugin(ctx, "a/b?c", "1 0"); return err },
			sent{"GET", "/api/v1/plugins/a%2Fb%3Fc?version=1+0", "", "Bearer t"},
		},
		"first page": {
			func(ctx context.Context, c *Client) error {
				_, err := c.Tasks(ctx, 3, TaskPage{})
				return err
			},
			sent{"GET", "/api/v1/projects/3/tasks", "", "Bearer t"},
		},
		"statuses": {
			func(ctx context.Context, c *Client) error {
				_, err := c.Statuses(ctx, 3, StatusRequest{IDs: []int64{1, 2}, Nodes: true})
				return err
			},
			sent{"POST", "/api/v1/projects/3/tasks:status", `{"ids":[1,2],"nodes":true}`, "Bearer t"},
		},
		"command": {
			func(ctx context.Context, c *Client) error {
				_, err := c.Do(ctx, 3, 7, Command{Command: "callback", Node: "n", Data: json.RawMessage(`[1]`)})
				return err
			},
			sent{"POST", "/api/v1/projects/3/tasks/7/commands", `{"command":"callback","node":"n","data":[1]}`, "Bearer t"},
		},
		"revoke token": {
			func(ctx context.Context, c *Client) error { return c.RevokeToken(ctx, "a/b") },
			sent{"DELETE", "/api/v1/tokens/a%2Fb", "", "Bearer t"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got sent
			c := server(t, "t", func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				got = sent{r.Method, r.URL.RequestURI(), string(body), r.Header.Get("Authorization")}
				_, _ = io.WriteString(w, "{}")
			})
			if err := call.do(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(call.want, got); d != "" {
				t.Errorf("request (-want +got):\n%s", d)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		body   string
		want   Error
		text   string
	}{
		"problem": {
			404, `{"title":"Not Found","status":404,"code":"not_found","detail":"task 7 does not exist","request_id":"r"}`,
			Error{Title: "Not Found", Status: 404, Code: CodeNotFound, Message: "task 7 does not exist", RequestID: "r"},
			"task 7 does not exist",
		},
		"problem with faults": {
			422, `{"code":"invalid","detail":"validation failed","errors":[{"location":"body.ids","message":"too many"},{"message":"odd"}]}`,
			Error{Status: 422, Code: CodeInvalid, Message: "validation failed", Faults: []Fault{{"body.ids", "too many"}, {"", "odd"}}},
			"validation failed: body.ids: too many; odd",
		},
		"page of a proxy":         {502, "<html>", Error{Status: 502, Code: CodeForeign}, "does not answer like a stdops server (HTTP status 502)"},
		"JSON of something else":  {403, `{"error":"no"}`, Error{Status: 403, Code: CodeForeign}, "does not answer like"},
		"page in place of answer": {200, "<html>", Error{Status: 200, Code: CodeForeign}, "does not answer like"},
		"redirect":                {302, "", Error{Status: 302, Code: CodeForeign}, "HTTP status 302"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			to := server(t, "", func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			})
			_, err := to.Me(t.Context())
			var got *Error
			if !errors.As(err, &got) || !strings.Contains(err.Error(), c.text) {
				t.Fatalf("error %v, want one with %q", err, c.text)
			}
			if c.want.Code == CodeForeign {
				got.Message = ""
			}
			if d := cmp.Diff(c.want, *got); d != "" {
				t.Errorf("error (-want +got):\n%s", d)
			}
		})
	}
}

func TestNobodyThere(t *testing.T) {
	t.Parallel()
	var gone *UnreachableError
	if _, err := connect(t, Options{Socket: filepath.Join(t.TempDir(), "none")}).Me(t.Context()); !errors.As(err, &gone) {
		t.Errorf("error %v, want an UnreachableError", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := connect(t, Options{URL: "http://127.0.0.1:1"}).Me(ctx); !errors.Is(err, context.Canceled) || errors.As(err, &gone) {
		t.Errorf("error %v, want the end of the context alone", err)
	}
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	for url, good := range map[string]bool{
		"http://127.0.0.1:8080": true, "https://ops.example.com/stdops/": true,
		"": false, "127.0.0.1:8080": false, "ops.example.com": false, "ftp://ops.example.com": false,
		"https://ann:secret@ops.example.com": false, "https://ops.example.com?x=1": false, "http://a b": false,
	} {
		if _, err := New(Options{URL: url}); (err == nil) != good {
			t.Errorf("address %q: %v", url, err)
		}
	}
	c := connect(t, Options{URL: "https://ops.example.com/stdops/"})
	if c.Target() != "https://ops.example.com/stdops" {
		t.Errorf("target %q", c.Target())
	}
}

func TestSocketWithLongPath(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), strings.Repeat("long", 30))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "d")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	short := filepath.Join(link, "s")
	if len(short) > longestSocketPath {
		t.Skip("the directory for tests is too deep for a socket")
	}
	listener, err := net.Listen("unix", short)
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			t.Error("a token went to the socket")
		}
		_, _ = io.WriteString(w, `{"user":"local"}`)
	})}
	served := make(chan struct{})
	go func() { defer close(served); _ = s.Serve(listener) }()
	t.Cleanup(func() { _ = s.Close(); <-served })
	me, err := connect(t, Options{Socket: filepath.Join(dir, "s"), Token: "t"}).Me(t.Context())
	if err != nil || me.User != "local" {
		t.Errorf("me %+v, %v", me, err)
	}
}
