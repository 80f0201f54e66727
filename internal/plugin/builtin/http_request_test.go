package builtin_test

import (
	"bytes"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/outbound"
	"github.com/stdops/stdops/internal/plugin"
	"github.com/stdops/stdops/internal/plugin/builtin"
)

// httpPlugin is the plugin with a client that may go to loopback.
func httpPlugin() plugin.Plugin {
	guard := outbound.NewGuard([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")})
	return builtin.HTTPRequest(outbound.New(outbound.Options{Guard: guard}))
}

// sent is a request as it arrived.
type sent struct {
	Method, Path, Body, Key, Type, Custom string
}

// requested calls the plugin against a server that gives the answer, and tells what arrived there.
func requested(t *testing.T, status int, answer string, inputs ...any) (out *stdops.Object, log string, arrived sent, err error) {
	t.Helper()
	requests := make(chan sent, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		requests <- sent{r.Method, r.RequestURI, string(body), r.Header.Get("Idempotency-Key"), r.Header.Get("Content-Type"), r.Header.Get("X-Custom")}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	}))
	defer server.Close()
	given := stdops.NewObject(
		"bk_http_request_method", "GET", "bk_http_request_url", " "+server.URL+"/path?token=s3cret ", "bk_http_request_header", []any{},
		"bk_http_request_body", "", "bk_http_timeout", int64(5), "bk_http_success_exp", "",
	)
	for i := 0; i+1 < len(inputs); i += 2 {
		given.Set(inputs[i].(string), inputs[i+1])
	}
	var lines bytes.Buffer
	call := &plugin.Call{Key: "7.2.v1.0", Inputs: given, Outputs: &stdops.Object{}, Now: time.Now(), Log: &lines}
	outcome, err := httpPlugin().Execute(t.Context(), call)
	if outcome != plugin.Done {
		t.Errorf("outcome %+v", outcome)
	}
	select {
	case arrived = <-requests:
	default:
	}
	return call.Outputs, lines.String(), arrived, err
}

func header(pairs ...any) *stdops.Object { return stdops.NewObject(pairs...) }

func TestHTTPRequestSendsWhatItIsGiven(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		inputs []any
		want   sent
	}{
		"get without a body": {
			[]any{"bk_http_request_body", "ignored"},
			sent{"GET", "/path?token=s3cret", "", "7.2.v1.0", "", ""},
		},
		"post": {
			[]any{"bk_http_request_method", "post", "bk_http_request_body", `{"名":1}`},
			sent{"POST", "/path?token=s3cret", `{"名":1}`, "7.2.v1.0", "application/json", ""},
		},
		"a body that is no text": {
			[]any{"bk_http_request_method", " PUT ", "bk_http_request_body", stdops.NewObject("a", []any{int64(1)})},
			sent{"PUT", "/path?token=s3cret", `{"a":[1]}`, "7.2.v1.0", "application/json", ""},
		},
		"headers": {
			[]any{"bk_http_request_method", "DELETE", "bk_http_request_header", []any{
				header("name", "content-type", "value", "text/plain"), header("name", "X-Custom", "value", "1"),
				header("name", "x-custom", "value", int64(2)), header("name", "", "value", ""), header("name", "idempotency-key", "value", "mine"),
			}},
			sent{"DELETE", "/path?token=s3cret", "", "mine", "text/plain", "2"},
		},
		"a header without value": {
			[]any{"bk_http_request_header", []any{header("name", "X-Custom")}},
			sent{"GET", "/path?token=s3cret", "", "7.2.v1.0", "", ""},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, _, got, err := requested(t, 200, "{}", c.inputs...)
			if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
				t.Errorf("%v (-want +got)\n%s", err, diff)
			}
		})
	}
}

func TestHTTPRequestJudgesTheAnswer(t *testing.T) {
	t.Parallel()
	large, _ := new(big.Int).SetString("12345678901234567890", 10)
	for name, c := range map[string]struct {
		status int
		answer string
		inputs []any
		fails  string // part of the error
		data   any
		none   bool // no data
	}{
		"an object":              {status: 200, answer: `{"a":[1,null,true]}`, data: stdops.NewObject("a", []any{int64(1), nil, true})},
		"a number":               {status: 201, answer: ` 7 `, data: int64(7)},
		"numbers stay exact":     {status: 200, answer: `[12345678901234567890, 1.0, 9007199254740993]`, data: []any{large, 1.0, int64(9007199254740993)}},
		"the last of equal keys": {status: 200, answer: `{"a":1,"b":2,"a":3}`, data: stdops.NewObject("a", int64(3), "b", int64(2))},
		"a byte order mark":      {status: 200, answer: "\ufeff{}", data: &stdops.Object{}},
		"no JSON":                {status: 200, answer: "<html>", fails: "(status 200) is not JSON", none: true},
		"half of it":             {status: 200, answer: `{"a":`, fails: "is not JSON", none: true},
		"more than one":          {status: 200, answer: `{} {}`, fails: "is not JSON", none: true},
		"nothing":                {status: 204, fails: "is not JSON", none: true},
		"no UTF-8":               {status: 200, answer: "\"\xff\"", fails: "is not JSON", none: true},
		"nested without end":     {status: 200, answer: strings.Repeat("[", 100_000), fails: "is not JSON", none: true},
		"no JSON and a failure":  {status: 502, answer: "Bad Gateway", fails: "(status 502) is not JSON", none: true},
		"a failure":              {status: 404, answer: `{"e":"gone"}`, fails: `status code: 404, response: {"e":"gone"}`, data: stdops.NewObject("e", "gone")},
		"a redirect":             {status: 302, answer: `{}`, fails: "status code: 302", data: &stdops.Object{}},
		"a long failure":         {status: 500, answer: `"` + strings.Repeat("名", 1000) + `"`, fails: "名…", data: strings.Repeat("名", 1000)},
		"a head":                 {status: 200, inputs: []any{"bk_http_request_method", "head"}, none: true},
		"a head that fails":      {status: 404, inputs: []any{"bk_http_request_method", "HEAD"}, fails: "status code: 404", none: true},
		"a condition that holds": {status: 200, answer: `{"code":0}`, inputs: []any{"bk_http_success_exp", " resp.code == 0 "}, data: stdops.NewObject("code", int64(0))},
		"one that does not":      {status: 200, answer: `{"code":1}`, inputs: []any{"bk_http_success_exp", "resp.code == 0"}, fails: "does not hold", data: stdops.NewObject("code", int64(1))},
		"one about nothing":      {status: 200, answer: `{}`, inputs: []any{"bk_http_success_exp", "resp.code == 0"}, fails: "no value supplied for resp.code", data: &stdops.Object{}},
		"one that is none":       {status: 200, answer: `{}`, inputs: []any{"bk_http_success_exp", "__import__('os')"}, fails: "cannot be decided", data: &stdops.Object{}},
		"one about a list":       {status: 200, answer: `["a"]`, inputs: []any{"bk_http_success_exp", `"a" in resp`}, data: []any{"a"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, _, _, err := requested(t, c.status, c.answer, c.inputs...)
			switch {
			case c.fails == "" && err != nil, c.fails != "" && (err == nil || !strings.Contains(err.Error(), c.fails)):
				t.Errorf("error %v, want %q", err, c.fails)
			case err != nil && len(err.Error()) > 1200:
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
			data, has := out.Get("data")
			if has == c.none {
				t.Errorf("data %v", data)
			}
			want, _ := stdops.EncodeValue(c.data)
			if got, _ := stdops.EncodeValue(data); !bytes.Equal(got, want) {
				t.Errorf("data %s, want %s", got, want)
			}
			if status, _ := out.Get("status_code"); status != int64(c.status) {
				t.Errorf("status_code %v", status)
			}
		})
	}
}

func TestHTTPRequestRefusesWhatCannotBeMeant(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		inputs []any
		fails  string
	}{
		"no method":              {[]any{"bk_http_request_method", ""}, "bk_http_request_method: no method"},
		"a method of two words":  {[]any{"bk_http_request_method", "GET /"}, "not one word"},
		"connect":                {[]any{"bk_http_request_method", "connect"}, "not sent"},
		"no url":                 {[]any{"bk_http_request_url", nil}, "does not begin with http"},
		"a url that is no text":  {[]any{"bk_http_request_url", int64(1)}, "bk_http_request_url: it is no text"},
		"a file":                 {[]any{"bk_http_request_url", "file:///etc/passwd"}, "does not begin with http"},
		"headers that are text":  {[]any{"bk_http_request_header", "X: y"}, "not a list"},
		"a header that is text":  {[]any{"bk_http_request_header", []any{"X: y"}}, "line 1 is no object"},
		"a header without name":  {[]any{"bk_http_request_header", []any{header("value", "x")}}, "line 1 has no name"},
		"a header with an array": {[]any{"bk_http_request_header", []any{header("name", "X", "value", []any{})}}, "line 1 is no text"},
		"a header of two lines":  {[]any{"bk_http_request_header", []any{header("name", "X", "value", "a\r\nHost: b")}}, "invalid header"},
		"a limit that is text":   {[]any{"bk_http_timeout", "soon"}, "bk_http_timeout"},
		"a limit that is a list": {[]any{"bk_http_timeout", []any{}}, "bk_http_timeout"},
		"a condition that is no text": {
			[]any{"bk_http_success_exp", true}, "bk_http_success_exp: it is no text",
		},
		"inside": {[]any{"bk_http_request_url", "http://169.254.169.254/latest/meta-data/"}, "address not allowed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, _, arrived, err := requested(t, 200, "{}", c.inputs...)
			if err == nil || !strings.Contains(err.Error(), c.fails) || arrived != (sent{}) || out.Len() != 0 {
				t.Errorf("error %v, want %q; sent %+v", err, c.fails, arrived)
			}
		})
	}
}

func TestHTTPRequestHasALimit(t *testing.T) {
	t.Parallel()
	for given, want := range map[any]time.Duration{
		nil: time.Minute, int64(0): time.Minute, int64(5): 5 * time.Second, int64(-5): 5 * time.Second, int64(61): time.Minute,
		int64(1) << 62: time.Minute, "7": 7 * time.Second, " ": time.Minute, 2.9: 2 * time.Second, 0.5: time.Minute,
	} {
		if got, err := builtin.TimeLimitOf(stdops.NewObject("bk_http_timeout", given)); err != nil || got != want {
			t.Errorf("%v: %s, %v; want %s", given, got, err, want)
		}
	}
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer silent.Close()
	call := &plugin.Call{Outputs: &stdops.Object{}, Inputs: stdops.NewObject(
		"bk_http_request_method", "GET", "bk_http_request_url", silent.URL, "bk_http_timeout", int64(1))}
	if _, err := httpPlugin().Execute(t.Context(), call); err == nil || !strings.Contains(err.Error(), "no whole answer within 1s") {
		t.Errorf("%v", err)
	}
}

// TestHTTPRequestKeepsSecretsOutOfTheLog: those of headers, of the URL and of the body.
func TestHTTPRequestKeepsSecretsOutOfTheLog(t *testing.T) {
	t.Parallel()
	for _, answer := range []string{"{}", "no JSON"} {
		_, log, _, err := requested(t, 200, answer, "bk_http_request_method", "POST", "bk_http_request_body", "s3cret",
			"bk_http_request_header", []any{header("name", "Authorization", "value", "Bearer s3cret")})
		if strings.Contains(log, "s3cret") || err != nil && strings.Contains(err.Error(), "s3cret") {
			t.Errorf("error %v, log\n%s", err, log)
		}
		if !strings.Contains(log, "POST request to http://127.0.0.1:") || !strings.Contains(log, "status 200") {
			t.Errorf("log\n%s", log)
		}
	}
}

func TestHTTPRequestRepeatsWhatOnlyReads(t *testing.T) {
	t.Parallel()
	by, ok := httpPlugin().(plugin.RuleByInputs)
	if !ok {
		t.Fatal("the plugin has one rule for all requests")
	}
	for method, want := range map[any]plugin.CrashRule{
		"GET": plugin.Repeat, " get ": plugin.Repeat, "HEAD": plugin.Repeat, "POST": plugin.Unknown, "PUT": plugin.Unknown,
		"DELETE": plugin.Unknown, "": plugin.Unknown, nil: plugin.Unknown, int64(1): plugin.Unknown,
	} {
		if got := by.ExecuteRule(stdops.NewObject("bk_http_request_method", method)); got != want {
			t.Errorf("%v: rule %d, want %d", method, got, want)
		}
	}
}
