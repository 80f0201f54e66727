package conformance

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/stdops/stdops"
)

// server is the server under test, as one caller with its credentials sees it.
type server struct {
	bases        []string // http://host:port of the processes that answer; they are asked in turn
	turn         atomic.Uint64
	code, secret string // of the app
	user         string // the acting user
	project, biz int64
	inline       bool // child flows are embedded in the tree, not stored as templates
	patience     float64
	http         *http.Client
}

// newHTTPClient makes a client that changes nothing on the way: no redirects followed, no compression asked for.
func newHTTPClient(patience float64) *http.Client {
	return &http.Client{
		Timeout:       time.Duration(60 * patience * float64(time.Second)),
		Transport:     &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 64},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// request is one HTTP request of a case. Body is nil, a text that is sent as it is, or a value that is sent as JSON.
type request struct {
	method, path string
	body         any
	query        *stdops.Object
	headers      *stdops.Object
	auth         *stdops.Object // "in": header (default), body, query or none; other keys replace credentials, null removes
}

// response is what came back.
type response struct {
	status  int
	headers *stdops.Object // lower-case names
	text    []byte
}

// value gives the body as JSON value, nil when it is empty or no JSON.
func (r response) value() any {
	v, err := stdops.DecodeValue(r.text)
	if err != nil {
		return nil
	}
	return v
}

// send sends a request with the credentials where its auth wants them.
func (s *server) send(ctx context.Context, q request) (response, error) {
	headers, query := merged(q.headers), merged(q.query)
	body, err := s.authorize(q, headers, query)
	if err != nil {
		return response{}, err
	}
	address := s.bases[s.turn.Add(1)%uint64(len(s.bases))] + q.path
	if query.Len() > 0 {
		sep := "?"
		if strings.Contains(q.path, "?") {
			sep = "&"
		}
		address += sep + encodeQuery(query)
	}
	payload, err := encodeBody(body)
	if err != nil {
		return response{}, err
	}
	out, err := http.NewRequestWithContext(ctx, q.method, address, payload)
	if err != nil {
		return response{}, err
	}
	if payload != nil {
		out.Header.Set("Content-Type", "application/json")
	}
	for _, name := range headers.Keys() {
		out.Header.Set(name, headers.Text(name))
	}
	return s.roundTrip(out)
}

// authorize puts the credentials into headers or query, or returns the body with them.
func (s *server) authorize(q request, headers, query *stdops.Object) (any, error) {
	credentials := stdops.NewObject("bk_app_code", s.code, "bk_app_secret", s.secret, "bk_username", s.user)
	place := "header"
	for _, key := range q.auth.Keys() {
		value, _ := q.auth.Get(key)
		switch {
		case key == "in":
			place = q.auth.Text(key)
		case value == nil:
			credentials.Delete(key)
		default:
			credentials.Set(key, value)
		}
	}
	switch place {
	case "header":
		raw, err := stdops.EncodeValue(credentials)
		if err != nil {
			return nil, err
		}
		headers.Set("X-Bkapi-Authorization", get(headers, "X-Bkapi-Authorization", string(raw)))
	case "query":
		update(query, credentials)
	case "body":
		body, _ := q.body.(*stdops.Object)
		return merged(body, credentials), nil
	}
	return q.body, nil
}

func encodeQuery(query *stdops.Object) string {
	values := url.Values{}
	for _, key := range query.Keys() {
		value, _ := query.Get(key)
		values.Set(key, asText(value))
	}
	return values.Encode()
}

// asText gives a text as it is and any other value as JSON.
func asText(v any) string {
	if text, ok := v.(string); ok {
		return text
	}
	raw, err := stdops.EncodeValue(v)
	if err != nil {
		return err.Error()
	}
	return string(raw)
}

func encodeBody(body any) (io.Reader, error) {
	switch body := body.(type) {
	case nil:
		return nil, nil
	case string:
		return strings.NewReader(body), nil
	default:
		raw, err := stdops.EncodeValue(body)
		return strings.NewReader(string(raw)), err
	}
}

func (s *server) roundTrip(out *http.Request) (response, error) {
	in, err := s.http.Do(out)
	if err != nil {
		return response{}, err
	}
	defer in.Body.Close()
	text, err := io.ReadAll(in.Body)
	if err != nil {
		return response{}, fmt.Errorf("read answer: %w", err)
	}
	headers := &stdops.Object{}
	for name, values := range in.Header {
		headers.Set(strings.ToLower(name), strings.Join(values, ", "))
	}
	return response{status: in.StatusCode, headers: headers, text: text}, nil
}

// call calls an endpoint of the compatible API by name and gives its answer, whose envelope is in order. The fields go
// to the query of a GET and to the body of any other method.
func (s *server) call(ctx context.Context, method, name string, ids []int64, fields *stdops.Object) (*stdops.Object, error) {
	q := request{method: method, path: "/apigw/" + name + "/"}
	for _, id := range ids {
		q.path += fmt.Sprintf("%d/", id)
	}
	fields = merged(stdops.NewObject("scope", "project"), fields)
	if method == http.MethodGet {
		q.query = fields
	} else {
		q.body = fields
	}
	got, err := s.send(ctx, q)
	if err != nil {
		return nil, err
	}
	value, err := stdops.DecodeValue(got.text)
	if err != nil {
		return nil, &mismatch{name + " answer", "<JSON>", fmt.Sprintf("<HTTP %d: %.200s>", got.status, got.text)}
	}
	if err := checkEnvelope(value, name); err != nil {
		return nil, err
	}
	return value.(*stdops.Object), nil
}

// codeNotOffered answers a call of an endpoint that the server knows but does not offer.
const codeNotOffered = 3545000

// chooseChildren looks whether the server can store child flows as templates; without it they are embedded.
func (s *server) chooseChildren(ctx context.Context) error {
	got, err := s.send(ctx, request{
		method: http.MethodPost, path: fmt.Sprintf("/apigw/create_template/%d/", s.project),
		body: stdops.NewObject("scope", "project"),
	})
	if err != nil {
		return err
	}
	answer, _ := got.value().(*stdops.Object)
	code := get(answer, "code", nil)
	s.inline = got.status == 404 || got.status == 405 || got.status == 501 || equal(code, int64(codeNotOffered))
	return nil
}
