package sops_test

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/api/sops"
	"github.com/stdops/stdops/internal/plugin"
	"github.com/stdops/stdops/internal/plugin/builtin"
	"github.com/stdops/stdops/internal/plugin/testplugin"
)

// fuzzed is a server for a fuzz target. It has no plugin that reaches outside, because a fuzzed body may run any.
func fuzzed(f *testing.F, more ...plugin.Plugin) *server {
	f.Helper()
	limits := stdops.DefaultLimits()
	limits.Rate, limits.Failures = 0, 0
	all := append(append(builtin.All(), testplugin.All()...), more...)
	return setupPlugins(f, limits, all...)
}

// ask hands a request to the handler, without a connection, and checks what holds for every answer: it is in its
// envelope, it is no defect of ours, and neither it nor the access log shows what is hidden, or what the caller wrote as a
// line of its own.
func (s *server) ask(t *testing.T, request *http.Request, hidden ...string) answer {
	t.Helper()
	w := httptest.NewRecorder()
	s.http.Config.Handler.ServeHTTP(w, request)
	own := *s
	own.t = t
	response := w.Result()
	defer response.Body.Close()
	a := own.envelope(response, w.Body.String())
	if a.status >= 500 {
		t.Errorf("%s %s: status %d: %.300s", request.Method, request.URL, a.status, a.raw)
	}
	if code := a.code(); a.ok() != (code == 0) || a.ok() && a.status != http.StatusOK {
		t.Errorf("status %d, result %v, code %d", a.status, a.ok(), code)
	}
	log := s.log.take()
	for _, inner := range append(hidden, "goroutine ", "SELECT ", "sqlite", "trusted-secret") {
		if strings.Contains(a.raw, inner) || strings.Contains(log, inner) {
			t.Errorf("%q is shown: %.300s\n%s", inner, a.raw, log)
		}
	}
	for line := range strings.Lines(log) {
		if !strings.HasPrefix(line, "time=") {
			t.Errorf("a line of the log that is not ours: %s", line)
		}
	}
	return a
}

// request makes a request with any query and body; a nil body is none.
func request(t *testing.T, method, path, query string, body []byte) *http.Request {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, "http://stdops.example/", strings.NewReader(string(body)))
	r.URL = &url.URL{Scheme: "http", Host: "stdops.example", Path: path, RawQuery: query}
	return r
}

// The ways by which a client reaches an endpoint.
const (
	byGateway   = iota // ids in the path
	byComponent        // ids in the query or the body
	byForm             // the same, sent as a form
	ways
)

// FuzzRequest sends any query and any body to every endpoint, in the ways of all families, by a caller who may do
// everything to a task that waits for a callback, one that has ended, one that was not started, and a flow.
func FuzzRequest(f *testing.F) {
	s := fuzzed(f)
	waits, _ := s.create(chain("A:callback_node"))
	s.start(waits)
	ended, _ := s.create(chain("A"))
	s.start(ended)
	s.await(ended, "FINISHED")
	s.create(chain("A"))
	if a := s.call("POST", "/create_template/2/", bodies["create_template"]); !a.ok() {
		f.Fatalf("create_template: %s", a.raw)
	}
	served := sops.Served()
	for i, e := range served {
		for way := range ways {
			query, body := "bk_biz_id=2&task_id=1&template_id=1&limit=2&offset=1", bodies[e.Name]
			if way != byGateway {
				body = `{"bk_biz_id":2,"task_id":"1","template_id":1,` + strings.TrimPrefix(body, "{")
			}
			f.Add(uint8(i), uint8(way), query, []byte(body))
		}
	}
	for i := range served {
		for _, junk := range []string{`[1]`, `{"a":1e3}`, `true`, `-1`, `1.5`, `"x\u0000"`} {
			body := `{"bk_biz_id":2,"task_id":` + junk + `,"template_id":` + junk + `,"node_id":` + junk + `,"name":` + junk + `}`
			f.Add(uint8(i), uint8(byComponent), "", []byte(body))
		}
	}
	for _, seed := range badBodies(f, served) {
		f.Add(seed.endpoint, uint8(byGateway), seed.query, []byte(seed.body))
	}
	f.Fuzz(func(t *testing.T, endpoint, way uint8, query string, body []byte) {
		e := served[int(endpoint)%len(served)]
		path, method := "/v2/sops/"+e.Name+"/", e.Method
		if way %= ways; way == byGateway {
			path = "/apigw/" + e.Name + "/"
			for _, part := range e.Parts {
				path += map[string]string{"bk_biz_id": "2", "task_id": "1", "template_id": "1"}[part] + "/"
			}
		} else if len(body) > 0 {
			method = http.MethodPost
		}
		r := request(t, method, path, query, body)
		r.Header.Set("X-Bkapi-Authorization", auth("trusted", "admin"))
		if way == byForm {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		s.ask(t, r)
	})
}

// badBody is a request of testdata/badinputs.jsonl that fits FuzzRequest.
type badBody struct {
	endpoint    uint8
	query, body string
}

func badBodies(f *testing.F, served []sops.ServedEndpoint) (seeds []badBody) {
	f.Helper()
	const large = 4 << 10
	text, err := os.ReadFile("testdata/badinputs.jsonl")
	must(f, err)
	for line := range strings.Lines(string(text)) {
		var bad badInput
		must(f, json.Unmarshal([]byte(line), &bad))
		path, query, _ := strings.Cut(bad.Endpoint, "?")
		if strings.HasPrefix(bad.Body, "@@") || len(bad.Body) > large {
			continue
		}
		for i, e := range served {
			if strings.HasPrefix(path, "/"+e.Name+"/") {
				seeds = append(seeds, badBody{uint8(i), query, bad.Body})
			}
		}
	}
	return seeds
}

// FuzzCredentials sends any credential header, cookie, query and body. Who does not send the secret, which is drawn at
// random, is let in nowhere; it stands as @@ in the input.
func FuzzCredentials(f *testing.F) {
	s := fuzzed(f)
	secret := rand.Text()
	must(f, s.svc.BootstrapApp(f.Context(), "fuzzed", secret))
	good := `{"bk_app_code":"fuzzed","bk_app_secret":"@@","bk_username":"admin"}`
	const inQuery = "bk_app_code=fuzzed&bk_app_secret=@@&bk_username=admin"
	f.Add(good, "", "", []byte("{}"), true)
	f.Add(good, "", "", []byte(`{"bk_app_secret":"x"}`), true)
	f.Add(strings.Replace(good, "@@", "guessed", 1), "", "", []byte("{}"), false)
	f.Add("", "", inQuery, []byte("{}"), true)
	f.Add("", "", "", []byte(good), true)
	f.Add("", "", "", []byte(inQuery), true)
	for _, bad := range []string{
		`{"bk_app_code":"fuzzed","bk_app_secret":"","bk_username":"admin"}`, `{"bk_app_code":"fuzzed","bk_app_secret":null}`,
		`{"bk_app_code":["fuzzed"],"bk_app_secret":{"a":"@@"}}`, `{"BK_APP_CODE":"fuzzed","Bk_app_secret":"@@"}`,
		`{"bk_app_code":"fuzzed","bk_app_secret":"@@","bk_app_secret":"x"}`, `[]`, `{`, "\xff", `{"bk_app_code":"\u0000"}`,
		`{"bk_app_code":"fuzzed","bk_app_secret":"@@","bk_username":"\r\nx"}`, strings.Repeat(`{"a":`, 600),
	} {
		f.Add(bad, "bk_token=x; stdops_session=y; __Host-stdops_session=z", "bk_token=%zz", []byte(bad), false)
	}
	f.Fuzz(func(t *testing.T, header, cookie, query string, body []byte, by bool) {
		fill := func(text string) string { return strings.ReplaceAll(text, "@@", secret) }
		r := request(t, http.MethodPost, "/apigw/get_tasks_status/2/", fill(query), []byte(fill(string(body))))
		r.Header["X-Bkapi-Authorization"] = []string{fill(header)}
		if header == "" {
			delete(r.Header, "X-Bkapi-Authorization")
		}
		r.Header.Set("Cookie", cookie)
		r.Header.Set("Content-Type", map[bool]string{true: "application/x-www-form-urlencoded", false: "application/json"}[by])
		a := s.ask(t, r, secret)
		known := strings.Contains(fmt.Sprint(header, query, string(body)), "@@")
		if a.status < http.StatusBadRequest && !known {
			t.Errorf("status %d for a stranger: %.300s", a.status, a.raw)
		}
		if header == good && a.status == http.StatusUnauthorized {
			t.Errorf("refused: %s", a.raw)
		}
	})
}
