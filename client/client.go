package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// base is the prefix of all addresses of the API.
const base = "/api/v1"

// longestAnswer bounds what a server may make a client hold.
const longestAnswer = 256 << 20

// Options say where the server is and who asks.
type Options struct {
	URL    string // such as https://ops.example.com; a path in front of /api/v1 is kept
	Token  string // of a user
	Socket string // path of the unix socket of a server on this machine; URL and Token do not count then
}

// Client calls one server. Its methods may be called from any goroutine.
type Client struct {
	url    string
	token  string
	target string // what errors call the server
	http   *http.Client
}

// answerTimeout is how long a server may take to begin an answer; commands are answered after their commit.
const answerTimeout = time.Minute

// New makes a client. It connects at the first call only.
func New(o Options) (*Client, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ResponseHeaderTimeout = answerTimeout
	c := &Client{token: o.Token, http: &http.Client{Transport: transport, CheckRedirect: noRedirect}}
	if o.Socket != "" {
		c.url, c.token, c.target = "http://local", "", o.Socket
		transport.Proxy = nil
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) { return dialUnix(ctx, o.Socket) }
		return c, nil
	}
	u, err := url.Parse(o.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("server address %q is not of the form http://host:port", o.URL)
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("the server address must not hold a user, a query or a fragment")
	}
	c.url = strings.TrimRight(u.String(), "/")
	c.target = c.url
	return c, nil
}

// longestSocketPath is what the address of a unix socket can hold on every system.
const longestSocketPath = 100

// dialUnix connects to a socket; to one whose path is too long for an address by way of a short symbolic link.
func dialUnix(ctx context.Context, path string) (net.Conn, error) {
	if len(path) <= longestSocketPath {
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}
	short, err := os.MkdirTemp("", "stdops")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(short)
	dir, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	link := filepath.Join(short, "d")
	if err := os.Symlink(dir, link); err != nil {
		return nil, err
	}
	return (&net.Dialer{}).DialContext(ctx, "unix", filepath.Join(link, filepath.Base(path)))
}

// noRedirect keeps the token from travelling to another server.
func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// Close ends idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Target names the server: its address, or the path of its socket.
func (c *Client) Target() string { return c.target }

// call sends in as JSON, when there is one, and reads the answer into out, when there is one.
func (c *Client) call(ctx context.Context, method, path string, in, out any) error {
	request, err := c.request(ctx, method, path, in)
	if err != nil {
		return err
	}
	answer, err := c.http.Do(request)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return &UnreachableError{Target: c.target, Err: err}
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, longestAnswer))
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return &UnreachableError{Target: c.target, Err: err}
	}
	if answer.StatusCode >= http.StatusMultipleChoices {
		return c.refusal(answer, body)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(body, out); err != nil {
		return &Error{Status: answer.StatusCode, Code: CodeForeign, Message: c.target + " does not answer like a stdops server"}
	}
	return nil
}

func (c *Client) request(ctx context.Context, method, path string, in any) (*http.Request, error) {
	var body io.Reader
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return nil, fmt.Errorf("write request: %w", err)
		}
		body = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, method, c.url+base+path, body)
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	request.Header.Set("Accept", "application/json")
	if in != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		request.Header.Set("Authorization", "Bearer "+c.token)
	}
	return request, nil
}

// refusal reads a problem document; an answer that is none comes from something that is not stdops.
func (c *Client) refusal(answer *http.Response, body []byte) error {
	refused := &Error{}
	if err := json.Unmarshal(body, refused); err != nil || refused.Code == "" {
		return &Error{
			Status: answer.StatusCode, Code: CodeForeign,
			Message: fmt.Sprintf("%s does not answer like a stdops server (HTTP status %d)", c.target, answer.StatusCode),
		}
	}
	refused.Status = answer.StatusCode
	return refused
}
