package app_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stdops/stdops/internal/app"
)

// ask sends a GET to a server, as a proxy that keeps the name of the host would, and follows no redirect.
func ask(t *testing.T, a *app.App, path, host string) (answer *http.Response, body string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+a.Addr(), http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.URL.Opaque = path // as it stands
	r.Host = host
	r.Header.Set("Accept-Encoding", "identity")
	answer, err = http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(text)
}

func startAt(t *testing.T, publicURL string) *app.App {
	t.Helper()
	a, err := app.New(t.Context(), app.Options{Listen: "127.0.0.1:0", DataDir: t.TempDir(), TimeZone: "UTC", PublicURL: publicURL})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, a) })
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return a
}

// TestServerBelowAPath: a proxy may take the path of the public URL away or not; both lead to the same.
func TestServerBelowAPath(t *testing.T) {
	t.Parallel()
	a := startAt(t, "https://ops.example/a/stdops/")
	for path, want := range map[string]struct {
		status int
		says   string
	}{
		"/healthz":                       {200, "ok"},
		"/readyz":                        {200, "ready"},
		"/metrics":                       {200, "stdops_driven_tasks"},
		"/openapi.json":                  {200, `"/api/v1/session"`},
		"/api/v1/session":                {200, `"fresh":true`},
		"/api/v1/me":                     {401, `"code":"unauthenticated"`},
		"/apigw/get_tasks_status/2/":     {405, `"trace_id"`},
		"/v2/sops/get_task_list/":        {401, "3540100"},
		"/get_task_list/2/":              {401, "3540100"},
		"/nothing":                       {404, "3540400"},
		"/api/v1/nothing":                {404, `"code":"not_found"`},
		"/a/stdops/healthz":              {404, "3540400"}, // once is enough
		"/api/v1/users/a%2Fb/enable":     {405, `"request_id"`},
		"/apigw/get_task_status/%32/2/":  {401, "3540100"},
		"/static/../api/v1/session":      {307, "/a/stdops/api/v1/session"},
		"//evil.example/..//api/v1/me?x": {307, "/a/stdops/api/v1/me"},
	} {
		for _, prefix := range []string{"", "/a/stdops"} {
			if path == "/a/stdops/healthz" && prefix == "" {
				continue
			}
			got, text := ask(t, a, prefix+path, "ops.example")
			if to := got.Header.Get("Location"); to != "" {
				text = to
			}
			if got.StatusCode != want.status || !strings.Contains(text, want.says) {
				t.Errorf("%s%s: %d %q, want %d with %s", prefix, path, got.StatusCode, text[:min(len(text), 300)], want.status, want.says)
			}
		}
	}
	if got, _ := ask(t, a, "/a/stdops", "ops.example"); got.StatusCode != http.StatusPermanentRedirect || got.Header.Get("Location") != "/a/stdops/" {
		t.Errorf("without the slash: %d to %q", got.StatusCode, got.Header.Get("Location"))
	}
	if got, text := ask(t, a, "/a/stdopsx/healthz", "ops.example"); got.StatusCode != http.StatusNotFound {
		t.Errorf("a longer name: %d %s", got.StatusCode, text)
	}
}

func TestCheckPublicURL(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"http://ops.example": "", "https://ops.example:8443/": "", "https://ops.example/stdops": "", "https://ops.example/a-b/c_d.e/": "",
		"http://[::1]:8080": "", "https://ops.example/v1": "", "https://ops.example/apis": "",
		"ops.example": "of the form", "ftp://ops.example": "of the form", "https:///x": "of the form", "": "of the form", "https://a b": "of the form",
		"https://ann@ops.example": "a user", "https://ops.example/?x": "a query", "https://ops.example/#x": "fragment",
		"https://ops.example/a b": "letters", "https://ops.example/a%2Fb": "letters", "https://ops.example/a//b": "letters", "https://ops.example/..": "letters",
		`https://ops.example/"`: "letters", "https://ops.example/a;b": "letters", "https://ops.example/运维": "letters",
		"https://ops.example/api": "/api", "https://ops.example/api/v1/": "/api", "https://ops.example/taskflow/x": "/taskflow",
	} {
		err := app.CheckPublicURL(address)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", address, err, want)
		}
	}
}
