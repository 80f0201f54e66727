// Package outbound is the one way by which the server sends requests to elsewhere. What is inside of the network stays out
// of reach of flows: every address is judged when it is dialled, after its name was resolved, so that a name cannot be
// harmless when it is looked at and something else when it is used.
//
// No other package makes an HTTP client for addresses that come from outside. The package knows nothing of ours.
package outbound

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// What bounds an answer. Redirects are never followed.
const (
	MaxBody   = 4 << 20   // bytes, after inflating
	maxHeader = 256 << 10 // bytes
)

// ErrTooLarge is wrapped by the error about an answer that is.
var ErrTooLarge = fmt.Errorf("response too large: the limit is %d bytes", MaxBody)

// Options are what a client is made of.
type Options struct {
	Guard    *Guard
	Resolver *net.Resolver // finds the addresses of names; nil is that of the system
}

// Client sends requests. It keeps no cookies, asks no proxy and follows no redirect. Each request has a connection of its
// own: over one that is used again net/http may send a request twice, even a POST when it has an Idempotency-Key.
type Client struct {
	http *http.Client
}

// New makes a client.
func New(o Options) *Client {
	dialer := &net.Dialer{Timeout: 30 * time.Second, Resolver: o.Resolver, ControlContext: o.Guard.control}
	return &Client{http: &http.Client{
		Transport: &http.Transport{
			DialContext:            dialer.DialContext,
			DisableKeepAlives:      true,
			DisableCompression:     true, // inflated here, where it is counted
			TLSHandshakeTimeout:    10 * time.Second,
			MaxResponseHeaderBytes: maxHeader,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Request is what is sent. Headers that connections are made of (Content-Length, Transfer-Encoding, Connection and the
// like) are not taken from it.
type Request struct {
	Method  string // "" is GET
	URL     string // http or https; a user in it becomes Basic credentials
	Headers []Header
	Body    string
}

// Header is one line of a head.
type Header struct{ Name, Value string }

// Target gives the scheme and host that a request goes to, without what may be secret: for logs.
func (r Request) Target() string {
	target, err := url.Parse(r.URL)
	if err != nil {
		return "?"
	}
	return target.Scheme + "://" + target.Host
}

// Answer is what came back.
type Answer struct {
	Status int
	Body   []byte // inflated
}

// Send sends a request and reads the answer until ctx ends. Its errors name host and port but neither the rest of the URL
// nor headers, which may hold secrets.
func (c *Client) Send(ctx context.Context, r Request) (*Answer, error) {
	request, err := r.build(ctx)
	if err != nil {
		return nil, err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, explain(request.URL.Host, err)
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusSwitchingProtocols { // of which ctx would end nothing
		return nil, fmt.Errorf("%s: the answer is in another protocol", request.URL.Host)
	}
	body, err := read(response)
	if err != nil {
		return nil, explain(request.URL.Host, err)
	}
	return &Answer{Status: response.StatusCode, Body: body}, nil
}

// ours are headers that the connection itself is made of.
var ours = map[string]bool{
	"Connection": true, "Content-Length": true, "Keep-Alive": true, "Proxy-Connection": true, "Te": true, "Trailer": true,
	"Transfer-Encoding": true, "Upgrade": true,
}

func (r Request) build(ctx context.Context) (*http.Request, error) {
	target, err := url.Parse(r.URL)
	switch {
	case err != nil: // its text holds the whole of it
		return nil, errors.New("the URL cannot be read")
	case target.Scheme != "http" && target.Scheme != "https":
		return nil, errors.New("the URL does not begin with http:// or https://")
	case target.Hostname() == "":
		return nil, errors.New("the URL names no host")
	}
	if r.Method == http.MethodConnect || r.Method == http.MethodTrace {
		return nil, fmt.Errorf("requests with %s are not sent", r.Method)
	}
	request, err := http.NewRequestWithContext(ctx, r.Method, target.String(), strings.NewReader(r.Body))
	if err != nil {
		return nil, errors.New("the method is not one word")
	}
	request.Header.Set("User-Agent", "stdops")
	request.Header.Set("Accept-Encoding", "gzip")
	seen := make(map[string]bool, len(r.Headers))
	for _, h := range r.Headers {
		name := http.CanonicalHeaderKey(h.Name)
		switch {
		case name == "Host":
			if target, err := url.Parse("http://" + h.Value); err != nil || target.Host != h.Value {
				return nil, errors.New("the header Host is no host") // net/http would send what it can make of it
			}
			request.Host = h.Value
		case ours[name]:
		case seen[name]:
			request.Header.Add(name, h.Value)
		default:
			request.Header.Set(name, h.Value)
		}
		seen[name] = true
	}
	return request, nil
}

// read reads a body to its end, and no further than it may be large, whatever of it is compressed.
func read(response *http.Response) ([]byte, error) {
	raw := &limited{from: response.Body, left: MaxBody}
	switch strings.ToLower(response.Header.Get("Content-Encoding")) {
	case "gzip", "x-gzip":
	default:
		return io.ReadAll(raw)
	}
	unzipped, err := gzip.NewReader(raw)
	if errors.Is(err, io.EOF) { // nothing, as the answer to HEAD has
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return io.ReadAll(&limited{from: unzipped, left: MaxBody})
}

// limited is a reader that fails where an answer is too large.
type limited struct {
	from io.Reader
	left int
}

func (l *limited) Read(b []byte) (int, error) {
	n, err := l.from.Read(b[:min(len(b), l.left+1)])
	if l.left -= n; l.left < 0 {
		return 0, ErrTooLarge
	}
	return n, err
}

// longestReason is how much an error tells of what came from elsewhere, in bytes.
const longestReason = 500

// explain makes an error that says what failed and where, and no more: neither the addresses of this host nor those of its
// name servers, and not all of what the other side sent.
func explain(host string, err error) error {
	var outer *url.Error
	if errors.As(err, &outer) {
		err = outer.Err
	}
	var op *net.OpError
	if errors.As(err, &op) {
		err = op.Err
	}
	var lookup *net.DNSError
	if errors.As(err, &lookup) {
		told := *lookup
		told.Server = ""
		err = &told
	}
	if text := err.Error(); len(text) > longestReason {
		err = &shortened{text: strings.ToValidUTF8(text[:longestReason], "") + "…", err: err}
	}
	return fmt.Errorf("%s: %w", host, err)
}

// shortened is an error with less text.
type shortened struct {
	text string
	err  error
}

// Error gives the text.
func (s *shortened) Error() string { return s.text }

// Unwrap gives the error with all of its text.
func (s *shortened) Unwrap() error { return s.err }
