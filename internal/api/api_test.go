package api

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/stdops/stdops"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var testIDs = &IDs{Request: "r", Trace: "t"}

func TestWriter(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("0123456789", flushAt/4)
	for _, c := range []struct {
		name   string
		write  func(*Writer)
		status int
		body   string
		header map[string]string
	}{
		{
			"data", func(w *Writer) { w.Data(stdops.NewObject("b", int64(1), "a", "<"), "done", nil) }, 200,
			`{"result":true,"data":{"b":1,"a":"\u003c"},"code":0,"message":"done","trace_id":"t"}`,
			map[string]string{"Content-Type": "application/json; charset=utf-8", "Sops-Trace-Id": "t", "Cache-Control": "no-store"},
		},
		{
			"further keys", func(w *Writer) { w.RequestKey = true; w.Data(nil, "", stdops.NewObject("missing", []any{})) }, 200,
			`{"result":true,"data":null,"code":0,"message":"","missing":[],"trace_id":"t","request_id":"r"}`, nil,
		},
		{
			"in parts", func(w *Writer) {
				b := w.Add(append(w.Begin(), '"'), []byte(large[:flushAt-100]))
				b = w.Add(w.Add(b, []byte(large[flushAt-100:flushAt])), []byte(large[flushAt:]))
				w.End(append(b, '"'), "", nil)
			}, 200, `{"result":true,"data":"` + large + `","code":0,"message":"","trace_id":"t"}`, map[string]string{"Content-Length": ""},
		},
		{
			"refusal", func(w *Writer) { w.Fail(fmt.Errorf("around: %w", stdops.Errorf(stdops.CodeNotFound, "no %q", "x"))) }, 200,
			`{"result":false,"data":null,"code":3540400,"message":"no \"x\"","trace_id":"t"}`, nil,
		},
		{
			"fields", func(w *Writer) {
				w.Fail(&stdops.Error{Code: stdops.CodeInvalidForm, Message: "m", Fields: map[string][]string{"b": {"1", "2"}, "a": {"3"}}})
			}, 200, `{"result":false,"data":null,"code":3546100,"message":"m","errors":{"a":["3"],"b":["1","2"]},"trace_id":"t"}`, nil,
		},
		{
			"defect", func(w *Writer) { w.Fail(errors.New("SELECT secret")) }, 500,
			`{"result":false,"data":null,"code":3599999,"message":"` + messageOfDefect + `","trace_id":"t"}`, nil,
		},
		{
			"defect that says so", func(w *Writer) { w.Fail(stdops.Errorf(stdops.CodeInternal, "secret")) }, 500,
			`{"result":false,"data":null,"code":3599999,"message":"` + messageOfDefect + `","trace_id":"t"}`, nil,
		},
		{
			"method", func(w *Writer) { w.Fail(&Refusal{Status: 405, Message: "m", Allow: "POST"}) }, 405,
			`{"result":false,"data":null,"code":3540000,"message":"m","trace_id":"t"}`,
			map[string]string{"Allow": "POST"},
		},
		{
			"unavailable", func(w *Writer) { w.Fail(stdops.Errorf(stdops.CodeUnavailable, "m")) }, 503,
			`{"result":false,"data":null,"code":3555000,"message":"m","trace_id":"t"}`,
			map[string]string{"Retry-After": "1"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			recorder := httptest.NewRecorder()
			c.write(NewWriter(recorder, testIDs))
			if recorder.Code != c.status {
				t.Errorf("status %d, want %d", recorder.Code, c.status)
			}
			if diff := cmp.Diff(c.body, recorder.Body.String()); diff != "" {
				t.Errorf("body (-want +got)\n%s", diff)
			}
			for key, want := range c.header {
				if got := recorder.Header().Get(key); got != want {
					t.Errorf("%s: %q, want %q", key, got, want)
				}
			}
		})
	}
}

// TestCodes: every kind of refusal, and every status of the transport, has its number (docs/spec/api.md 2.3, 2.4).
func TestCodes(t *testing.T) {
	t.Parallel()
	for code, want := range map[stdops.Code][2]int{
		stdops.CodeInternal: {3599999, 500}, stdops.CodeInvalid: {3540000, 200}, stdops.CodeInvalidForm: {3546100, 200},
		stdops.CodeUnauthenticated: {3540100, 401}, stdops.CodeForbidden: {3540100, 200}, stdops.CodeDenied: {3599999, 200},
		stdops.CodeNotFound: {3540400, 200}, stdops.CodeRefused: {3545000, 200}, stdops.CodeEngine: {3599999, 200},
		stdops.CodeTooMany: {3545000, 429}, stdops.CodeUnavailable: {3555000, 503}, stdops.CodeDiskFull: {3555000, 507},
		stdops.CodeGone: {3540400, 200},
	} {
		f := explain(stdops.Errorf(code, "x"))
		if f.number != want[0] || f.status != want[1] || Defect(stdops.Errorf(code, "x")) != (code == stdops.CodeInternal) {
			t.Errorf("code %d gives %d with status %d", code, f.number, f.status)
		}
	}
	for status, want := range map[int]int{
		401: 3540100, 403: 3540100, 421: 3540100, 404: 3540400, 405: 3540000, 408: 3540000, 413: 3540000, 415: 3540000,
		431: 3540000, 429: 3545000, 503: 3555000, 507: 3555000, 500: 3599999,
	} {
		if f := explain(Refuse(status, "x")); f.number != want || f.status != status {
			t.Errorf("status %d gives %d with status %d", status, f.number, f.status)
		}
	}
	if len(codes) != int(stdops.CodeGone)+1 {
		t.Errorf("the table has %d codes of %d", len(codes), stdops.CodeGone+1)
	}
}

func TestHandlerRecovers(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	handler := Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		LogEntry(r.Context()).App = "an\nlevel=ERROR app"
		if r.URL.Path == "/half" {
			_, _ = io.WriteString(w, `{"result":true`)
		}
		panic("secret of ours")
	}), slog.New(slog.NewTextHandler(&log, nil)))
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, httptest.NewRequest("GET", "/x%0Alevel=ERROR?bk_app_secret=hidden", nil))
	if recorder.Code != 500 || strings.Contains(recorder.Body.String(), "secret") || !strings.Contains(recorder.Body.String(), `"code":3599999`) {
		t.Errorf("status %d: %s", recorder.Code, recorder.Body)
	}
	if recorder.Header().Get("X-Request-Id") == "" || recorder.Header().Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("headers %v", recorder.Header())
	}
	text := log.String()
	if strings.Contains(text, "\nlevel=ERROR") || strings.Contains(text, "hidden") || !strings.Contains(text, "secret of ours") {
		t.Errorf("log:\n%s", text)
	}
	func() {
		defer func() {
			cause := recover()
			if err, _ := cause.(error); !errors.Is(err, http.ErrAbortHandler) {
				t.Errorf("half an answer ends with %v", cause)
			}
		}()
		handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/half", nil))
	}()
}

func TestReadCredentialsStrips(t *testing.T) {
	t.Parallel()
	object := stdops.NewObject("bk_app_secret", "s", "bk_token", "t", "access_token", "a", "bk_app_code", "c", "scope", "x")
	r := httptest.NewRequest("POST", "/", nil)
	head, err := ReadHead(r, url.Values{"bk_app_code": {"from the query"}}, NewCookie(""))
	if err != nil {
		t.Fatal(err)
	}
	if got := head.Credentials(&Body{Object: object}); got.AppCode != "from the query" || got.AppSecret != "s" || got.Token != "t" || got.Cookie {
		t.Errorf("%+v", got)
	}
	if diff := cmp.Diff([]string{"bk_app_code", "scope"}, object.Keys()); diff != "" {
		t.Errorf("what is left of the body (-want +got)\n%s", diff)
	}
}

func TestBrowser(t *testing.T) {
	t.Parallel()
	b := NewBrowser("https://Ops.example:8443/path")
	for _, c := range []struct {
		method, host string
		header       http.Header
		status       int
	}{
		{"POST", "ops.example:8443", http.Header{"Content-Type": {"application/json; charset=utf-8"}}, 0},
		{"POST", "127.0.0.1:8080", http.Header{"Content-Type": {"application/json"}}, 0},
		{"GET", "[::1]:8080", nil, 0},
		{"GET", "LOCALHOST", nil, 0},
		{"GET", "ops.example", nil, 421},
		{"GET", "127.0.0.1.evil.example", nil, 421},
		{"GET", "localhost.evil.example:80", nil, 421},
		{"GET", "", nil, 421},
		{"POST", "localhost", http.Header{"Content-Type": {"text/plain"}}, 415},
		{"POST", "localhost", nil, 415},
		{"POST", "localhost", http.Header{"Content-Type": {"application/json"}, "Origin": {"https://evil.example"}}, 403},
		{"POST", "localhost", http.Header{"Content-Type": {"application/json"}, "Sec-Fetch-Site": {"same-site"}}, 403},
		{"POST", "localhost", http.Header{"Content-Type": {"application/json"}, "Sec-Fetch-Site": {"same-origin"}}, 0},
		{"GET", "localhost", http.Header{"Sec-Fetch-Site": {"cross-site"}}, 0},
	} {
		r := httptest.NewRequest(c.method, "/", nil)
		if r.Header = c.header; c.header == nil {
			r.Header = http.Header{}
		}
		r.Host = c.host
		refusal := &Refusal{}
		errors.As(b.Check(r), &refusal)
		if refusal.Status != c.status {
			t.Errorf("%s %s %v: status %d, want %d", c.method, c.host, c.header, refusal.Status, c.status)
		}
	}
}

func TestHandlerBoundsHead(t *testing.T) {
	t.Parallel()
	served := 0
	var log bytes.Buffer
	handler := Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { served++ }), slog.New(slog.NewTextHandler(&log, nil)))
	for _, c := range []struct {
		path   string
		header http.Header
		status int
	}{
		{"/x", http.Header{"Cookie": {strings.Repeat("a", 60<<10)}}, 0},
		{"/x", http.Header{"Cookie": {strings.Repeat("a", 64<<10)}}, 431},
		{"/x", http.Header{"X": slices.Repeat([]string{""}, 64<<10/5)}, 431},
		{"/x?" + strings.Repeat("a", 64<<10), http.Header{}, 431},
		{"/" + strings.Repeat("a", 64<<10), http.Header{}, 431},
	} {
		served = 0
		log.Reset()
		r := httptest.NewRequest("GET", c.path, http.NoBody)
		r.Header = c.header
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, r)
		if c.status == 0 && served == 1 {
			continue
		}
		if recorder.Code != c.status || served != 0 || !strings.Contains(recorder.Body.String(), `"code":3540000`) {
			t.Errorf("%.10s with %d headers: status %d, served %d: %.200s", c.path, len(c.header), recorder.Code, served, recorder.Body)
		}
		if !strings.Contains(log.String(), "status=431 code=3540000") || log.Len() > 1000 {
			t.Errorf("the log has %d bytes: %.1000s", log.Len(), log.String())
		}
	}
}

// TestLogHoldsNoSignInSecret: the path of a sign-in link is a secret, however it is written, and so is all of a query.
func TestLogHoldsNoSignInSecret(t *testing.T) {
	t.Parallel()
	const secret = "c2VjcmV0"
	for _, target := range []string{
		"/login/" + secret, "/login/" + secret + "/", "/login/x/../" + secret, "/login/" + secret + "?next=/" + secret,
		"/%6Cogin/" + secret, "/login%2F" + secret, "/login//" + secret, "/login?token=" + secret, "/x?bk_token=" + secret,
		"/login/" + secret + "%0A%00%ff",
	} {
		for _, end := range []func(http.ResponseWriter){
			func(w http.ResponseWriter) { w.WriteHeader(http.StatusSeeOther) },
			func(http.ResponseWriter) { panic("for the log") },
		} {
			var log bytes.Buffer
			handler := Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { end(w) }), slog.New(slog.NewTextHandler(&log, nil)))
			handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", target, http.NoBody))
			if text := log.String(); strings.Contains(text, secret) || !strings.Contains(text, "msg=request method=POST path=/") {
				t.Errorf("%s: the log says %s", target, text)
			}
		}
	}
}

// TestWriterBorrowed: a piece that was sent without being copied is not written to afterwards.
func TestWriterBorrowed(t *testing.T) {
	t.Parallel()
	piece := bytes.Repeat([]byte("x"), 2*flushAt)
	before := slices.Clone(piece)
	w := NewWriter(httptest.NewRecorder(), &IDs{})
	for range 2 {
		w.Add(w.Begin(), piece)
		w.Fail(errors.New("too late"))
	}
	if !bytes.Equal(piece, before) {
		t.Errorf("the piece now begins with %.40s", piece)
	}
}
