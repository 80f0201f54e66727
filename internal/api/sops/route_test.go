package sops_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stdops/stdops/internal/api/sops"
	"github.com/stdops/stdops/internal/service"
)

func TestRoutes(t *testing.T) {
	t.Parallel()
	s := setup(t)
	s.create(chain("A"))
	for _, c := range []struct {
		method, path, body string
		status             int
		code               int64
		allow              string
	}{
		{"GET", "/apigw/get_task_status/1/2/", "", 200, 0, ""},
		{"GET", "/get_task_status/1/2", "", 200, 0, ""},
		{"GET", "/v2/sops/get_task_status/?task_id=1&bk_biz_id=2", "", 200, 0, ""},
		{"GET", "/api/c/compapi/v2/sops/get_task_status?task_id=1&bk_biz_id=2", "", 200, 0, ""},
		{"POST", "/v2/sops/get_task_status/", `{"task_id":1,"bk_biz_id":"2"}`, 200, 0, ""},
		{"POST", "/v2/sops/get_task_status/", `{"task_id":"1","bk_biz_id":1,"scope":"project"}`, 200, 0, ""},
		{"GET", "/v2/sops/get_task_status/?bk_biz_id=2", "", 200, 3540000, ""},
		{"POST", "/get_task_status/1/2/", "{}", 405, 3540000, "GET"},
		{"PUT", "/v2/sops/get_task_status/", "{}", 405, 3540000, "GET, POST"},
		{"GET", "/get_tasks_status/2/", "", 405, 3540000, "POST"},
		{"HEAD", "/get_tasks_status/2/", "", 405, 0, "POST"},
		{"OPTIONS", "/get_tasks_status/2/", "", 405, 3540000, "POST"},
		{"GET", "/get_task_status/x/2/", "", 404, 3540400, ""},
		{"GET", "/get_task_status/-1/2/", "", 404, 3540400, ""},
		{"GET", "/get_task_status/1/", "", 404, 3540400, ""},
		{"GET", "/get_task_status/1/2/3/", "", 404, 3540400, ""},
		{"GET", "/get_task_status//2/", "", 404, 3540400, ""},
		{"GET", "/get_task_status/１/2/", "", 404, 3540400, ""},
		{"GET", "/v2/sops/get_task_status/1/2/", "", 404, 3540400, ""},
		{"GET", "/", "", 404, 3540400, ""},
		{"GET", "/no_such_name/", "", 404, 3540400, ""},
		{"GET", "/apigw/apigw/get_task_status/1/2/", "", 404, 3540400, ""},
		{"GET", "/get_task_status/1/99999999999999999999/", "", 200, 3540400, ""},
		{"GET", "/get_task_status/99999999999999999999/2/", "", 200, 3599999, ""},
		{"GET", "/get_task_plugin_log/1/2/", "", 200, 3545000, ""},
		{"GET", "/inner/get_task_node_log/", "", 200, 3545000, ""},
		{"POST", "/plugin-gateway/runs/", "{}", 200, 3545000, ""},
		{"GET", "/plugin-gateway/runs/00112233445566778899aabbccddeeff/", "", 200, 3545000, ""},
		{"DELETE", "/plugin-gateway/runs/", "", 405, 3540000, "GET, POST"},
		{"GET", "/get_mini_app_list/2/", "", 200, 0, ""},
	} {
		t.Run(c.method+" "+c.path, func(t *testing.T) {
			t.Parallel()
			if c.method == "HEAD" {
				request, err := http.NewRequestWithContext(t.Context(), c.method, s.http.URL+c.path, nil)
				must(t, err)
				response, err := s.http.Client().Do(request)
				must(t, err)
				defer response.Body.Close()
				if response.StatusCode != c.status || response.Header.Get("Allow") != c.allow {
					t.Errorf("status %d, Allow %q", response.StatusCode, response.Header.Get("Allow"))
				}
				return
			}
			s := *s
			s.t = t
			a := s.call(c.method, c.path, c.body)
			if a.status != c.status || a.code() != c.code || a.header.Get("Allow") != c.allow {
				t.Errorf("status %d, code %d, Allow %q: %s", a.status, a.code(), a.header.Get("Allow"), a.message())
			}
			if _, has := a.body.Get("request_id"); has != strings.Contains(c.path, "v2/sops") && c.status == 200 {
				t.Errorf("request_id is there: %v", has)
			}
			if c.code == 3545000 && !strings.HasSuffix(a.message(), " is not offered by stdops") {
				t.Errorf("message %q", a.message())
			}
		})
	}
}

func TestTrace(t *testing.T) {
	t.Parallel()
	s := setup(t)
	send := func(parent string) answer {
		header := http.Header{"X-Bkapi-Authorization": {auth("trusted", "admin")}, "Traceparent": {parent}}
		return s.send("POST", "/get_tasks_status/2/", "{}", header)
	}
	const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	if a := send(parent); a.body.Text("trace_id") != parent || a.header.Get("X-Request-Id") == parent {
		t.Errorf("trace_id %q, request %q", a.body.Text("trace_id"), a.header.Get("X-Request-Id"))
	}
	for _, bad := range []string{"", "a b", `"><script>`, strings.Repeat("a", 300)} {
		if a := send(bad); len(a.body.Text("trace_id")) != 32 {
			t.Errorf("traceparent %.20q gives %q", bad, a.body.Text("trace_id"))
		}
	}
}

func TestAuthentication(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	query := func(app, secret, user string) string {
		return fmt.Sprintf("?bk_app_code=%s&bk_app_secret=%s&bk_username=%s", app, secret, user)
	}
	head := func(text string) http.Header { return http.Header{"X-Bkapi-Authorization": {text}} }
	session := f.symbols["@@alice-session@@"]
	demo := fmt.Sprintf(`{"bk_app_code":"demo","bk_app_secret":%q}`, f.symbols["demo-secret"])
	for _, c := range []struct {
		name, query, body string
		header            http.Header
		status            int
		code              int64
		message           string
	}{
		{"query", query("trusted", "trusted-secret", "ann"), `{}`, nil, 200, 0, ""},
		{"body", "", `{"bk_app_code":"trusted","bk_app_secret":"trusted-secret","bk_username":"ann"}`, nil, 200, 0, ""},
		{"header before query and body", query("nope", "x", "y"), `{"bk_app_code":"nope","bk_app_secret":"x"}`, head(auth("trusted", "ann")), 200, 0, ""},
		{
			"wrong header, right body", "", `{"bk_app_code":"trusted","bk_app_secret":"trusted-secret","bk_username":"ann"}`,
			head(`{"bk_app_code":"trusted","bk_app_secret":"wrong"}`), 401, 3540100, "app authentication failed",
		},
		{"query before body", query("trusted", "wrong", "ann"), `{"bk_app_secret":"trusted-secret"}`, nil, 401, 3540100, "app authentication failed"},
		{"form", "", "bk_app_code=trusted&bk_app_secret=trusted-secret&bk_username=ann", http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, 200, 3540000, "invalid param format"},
		{"JSON as a form", "", `{"bk_app_code":"trusted","bk_app_secret":"trusted-secret","bk_username":"ann"}`, http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, 200, 0, ""},
		{"nothing", "", `{}`, nil, 401, 3540100, "app authentication failed"},
		{"bad body and nothing", "", `{`, nil, 401, 3540100, "app authentication failed"},
		{"empty secret", "", `{}`, head(`{"bk_app_code":"trusted","bk_app_secret":"","bk_username":"ann"}`), 401, 3540100, "app authentication failed"},
		{"secret that is a number", "", `{}`, head(`{"bk_app_code":"trusted","bk_app_secret":5,"bk_username":"ann"}`), 401, 3540100, "app authentication failed"},
		{"unknown app", "", `{}`, head(`{"bk_app_code":"nobody","bk_app_secret":"x"}`), 401, 3540100, "app authentication failed"},
		{"disabled app", "", `{}`, head(f.real(`{"bk_app_code":"disabled","bk_app_secret":"disabled-secret","bk_token":"tok-alice"}`)), 401, 3540100, "app authentication failed"},
		{"header no object", "", `{}`, head(`["trusted"]`), 401, 3540100, "not a JSON object"},
		{"header twice", "", `{}`, http.Header{"X-Bkapi-Authorization": {auth("trusted", "a"), auth("trusted", "a")}}, 401, 3540100, "more than once"},
		{"no user", "", `{}`, head(demo), 200, 3540000, "username cannot be empty"},
		{"untrusted app names a user", "", `{"bk_username":"alice"}`, head(demo), 200, 3540000, "username cannot be empty"},
		{"token", "", `{}`, head(f.symbols["@@demo-alice@@"]), 200, 0, ""},
		{"session as token", "", fmt.Sprintf(`{"bk_token":%q}`, session), head(demo), 200, 0, ""},
		{"bad token never becomes a name", "", `{"bk_token":"wrong","bk_username":"alice"}`, head(auth("trusted", "alice")), 401, 3540100, "bk_token is invalid or expired"},
		{"cookie", "", `{}`, http.Header{"X-Bkapi-Authorization": {demo}, "Cookie": {"bk_token=" + session}, "Host": {"stdops.example"}, "Content-Type": {"application/json"}}, 200, 0, ""},
		{"cookie on loopback", "", `{}`, http.Header{"X-Bkapi-Authorization": {demo}, "Cookie": {"bk_token=" + session}, "Content-Type": {"application/json"}}, 200, 0, ""},
		{"cookie, other host", "", `{}`, http.Header{"X-Bkapi-Authorization": {demo}, "Cookie": {"bk_token=" + session}, "Host": {"evil.example"}, "Content-Type": {"application/json"}}, 421, 3540100, "host"},
		{"cookie, other site", "", `{}`, http.Header{"X-Bkapi-Authorization": {demo}, "Cookie": {"bk_token=" + session}, "Sec-Fetch-Site": {"cross-site"}, "Content-Type": {"application/json"}}, 403, 3540100, "cross-origin"},
		{"cookie, form", "", `{}`, http.Header{"X-Bkapi-Authorization": {demo}, "Cookie": {"bk_token=" + session}, "Content-Type": {"text/plain"}}, 415, 3540000, "application/json"},
		{"cookie before a name", "", `{}`, http.Header{"X-Bkapi-Authorization": {auth("trusted", "ann")}, "Cookie": {"bk_token=wrong"}, "Content-Type": {"application/json"}}, 401, 3540100, "bk_token is invalid or expired"},
		{"session does not count beside a name", "", `{}`, http.Header{"X-Bkapi-Authorization": {auth("trusted", "ann")}, "Cookie": {"stdops_session=wrong"}, "Host": {"evil.example"}}, 200, 0, ""},
		{"content encoding", "", `{}`, http.Header{"X-Bkapi-Authorization": {auth("trusted", "ann")}, "Content-Encoding": {"br"}}, 415, 3540000, "Content-Encoding"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := *f.server
			s.t = t
			a := s.send("POST", "/get_tasks_status/2/"+c.query, c.body, c.header)
			if a.status != c.status || a.code() != c.code || !strings.Contains(a.message(), c.message) {
				t.Errorf("status %d, code %d, message %q", a.status, a.code(), a.message())
			}
		})
	}
	t.Cleanup(func() {
		log := f.log.String()
		for _, secret := range []string{"trusted-secret", session, f.symbols["demo-secret"], f.symbols["tok-alice"]} {
			if strings.Contains(log, secret) {
				t.Errorf("the log holds a secret:\n%s", log)
			}
		}
	})
}

// TestRoles sends every served endpoint as every role: below the least role of its permission the call is denied, from it
// on it is not. An endpoint without a permission must say why.
func TestRoles(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	roles := []service.Role{"", service.Viewer, service.Operator, service.Editor, service.Admin}
	for _, e := range servedEndpoints() {
		if e.needs == "" {
			if e.open == "" {
				t.Errorf("%s has no permission and does not say why", e.name)
			}
			continue
		}
		least := service.LeastRole(e.needs)
		if least == "" {
			t.Errorf("%s needs %s, which no role has", e.name, e.needs)
		}
		for rank, role := range roles {
			t.Run(fmt.Sprintf("%s as %q", e.name, role), func(t *testing.T) {
				t.Parallel()
				s := *f.server
				s.t = t
				a := s.send(e.method, f.real(e.path), f.real(e.body), http.Header{"X-Bkapi-Authorization": {f.as(t, role)}})
				allowed := rank >= rankOf(roles, least)
				denied := a.code() == 3599999 && strings.HasSuffix(a.message(), "action:"+string(e.needs))
				if e.name == "import_project_template" { // which says it in words of its own
					denied = a.code() == 3540100 && strings.HasSuffix(a.message(), " have no permission to call this api.")
				}
				if denied == allowed {
					t.Errorf("code %d, message %q", a.code(), a.message())
				}
			})
		}
	}
}

func rankOf(roles []service.Role, role service.Role) int {
	for i, r := range roles {
		if r == role {
			return i
		}
	}
	return len(roles)
}

// TestForeign sends every served endpoint with ids of another project and with ids of nothing: the answers are the same
// but for the ids.
func TestForeign(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for _, e := range servedEndpoints() {
		for _, kind := range []struct{ symbol, foreign, missing string }{{"104", "201", "999999"}, {"11", "21", "999998"}} {
			if !strings.Contains(e.path, "/"+kind.symbol+"/") {
				continue
			}
			t.Run(e.name, func(t *testing.T) {
				t.Parallel()
				s := *f.server
				s.t = t
				ask := func(id string) string {
					path := strings.Replace(e.path, "/"+kind.symbol+"/", "/"+id+"/", 1)
					a := s.send(e.method, f.real(path), f.real(e.body), http.Header{"X-Bkapi-Authorization": {f.symbols["@@demo-alice@@"]}})
					if a.ok() {
						t.Errorf("%s is answered: %s", id, a.raw)
					}
					text := strings.ReplaceAll(a.raw, a.body.Text("trace_id"), "")
					return strings.ReplaceAll(text, "[id="+f.real(id)+"]", "[id=ID]")
				}
				if foreign, missing := ask(kind.foreign), ask(kind.missing); foreign != missing {
					t.Errorf("foreign and missing differ:\n%s\n%s", foreign, missing)
				}
			})
		}
	}
}

// untouched is a body that nobody may read.
type untouched struct{ t *testing.T }

func (u untouched) Read([]byte) (int, error) {
	u.t.Error("the body of a stranger was read")
	return 0, io.EOF
}

// TestStrangersBody: where header or query tell that the caller is a stranger, no byte of the body is read.
func TestStrangersBody(t *testing.T) {
	t.Parallel()
	s := setup(t)
	for _, c := range []struct{ query, header string }{
		{"", auth("trusted", "x")[:20] + `d","bk_app_secret":"wrong"}`},
		{"?bk_app_code=trusted&bk_app_secret=wrong", ""},
		{"", "no JSON"},
	} {
		r := httptest.NewRequestWithContext(t.Context(), "POST", "/get_tasks_status/2/"+c.query, untouched{t})
		if c.header != "" {
			r.Header.Set("X-Bkapi-Authorization", c.header)
		}
		recorder := httptest.NewRecorder()
		s.http.Config.Handler.ServeHTTP(recorder, r)
		if recorder.Code != http.StatusUnauthorized {
			t.Errorf("status %d: %s", recorder.Code, recorder.Body)
		}
	}
}

// TestOwns: whatever clients of bk-sops may ask for is answered by the families, also when it is shown in a browser.
func TestOwns(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]bool{
		"/apigw/get_tasks_status/2/": true, "/apigw/nothing/": true, "/v2/sops/get_task_list/": true, "/v2/sops/x": true,
		"/api/c/compapi/v2/sops/x": true, "/get_tasks_status/2/": true, "/get_task_list/2": true,
		"/": false, "/nothing": false, "/get_tasks_status/x/": false, "/api/c/": false, "/v2/": false, "/apigwx/get_task_list/2/": false,
	} {
		if got := sops.Owns(path); got != want {
			t.Errorf("%s: %v", path, got)
		}
	}
}
