package ui

import (
	"compress/gzip"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

var script = strings.Repeat("console.log('an app');\n", 200)

// built is a small app, built as the real one is.
func built() fstest.MapFS {
	return fstest.MapFS{
		"index.html": {Data: []byte(`<!doctype html><html><head><base href="/" /><script type="module" src="./assets/index-B1x_d-9Z.js"></script></head>` +
			`<body><div id="root"></div></body></html>`)},
		"assets/index-B1x_d-9Z.js":  {Data: []byte(script)},
		"assets/index-aaaaaaaa.css": {Data: []byte("body{}")},
		"icon.svg":                  {Data: []byte("<svg/>")},
		"theme.js":                  {Data: []byte("1")},
	}
}

func setup(t *testing.T, publicURL string) *UI {
	t.Helper()
	u, err := New(built(), publicURL)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

type answer struct {
	*http.Response
	body string
}

func ask(t *testing.T, h http.Handler, path string, change ...func(*http.Request)) answer {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	r.URL.Path = path
	r.Host = "127.0.0.1:8080"
	for _, c := range change {
		c(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	text, err := io.ReadAll(w.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{w.Result(), string(text)}
}

func header(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

func method(m string) func(*http.Request) { return func(r *http.Request) { r.Method = m } }

func host(h string) func(*http.Request) { return func(r *http.Request) { r.Host = h } }

func isPage(a answer) bool { return strings.Contains(a.body, `<div id="root">`) }

func TestScreens(t *testing.T) {
	t.Parallel()
	u := setup(t, "http://ops.example")
	for _, path := range []string{
		"/", "/taskflow/home/list/1/", "/taskflow/home/list/1", "/taskflow/execute/12/", "/board/1/", "/start/1/", "/board/1",
		"/login", "/login/0a1b", "/logout", "/logout/",
	} {
		for _, accept := range []string{"text/html", "*/*", ""} {
			a := ask(t, u, path, header("Accept", accept))
			if a.StatusCode != http.StatusOK || !isPage(a) || !strings.Contains(a.body, `<base href="/" />`) {
				t.Errorf("%s for %q: %d %s", path, accept, a.StatusCode, a.body)
			}
			if got := a.Header.Get("Cache-Control"); got != "no-store" || a.Header.Get("ETag") != "" {
				t.Errorf("%s: Cache-Control %q, ETag %q", path, got, a.Header.Get("ETag"))
			}
		}
	}
}

func TestOldLinksKeepTheirQuery(t *testing.T) {
	t.Parallel()
	u := setup(t, "")
	for _, path := range []string{"/taskflow/execute/1/", "/login"} {
		a := ask(t, u, path, func(r *http.Request) { r.URL.RawQuery = "instance_id=7&next=%2Fx" })
		if a.StatusCode != http.StatusOK || a.Header.Get("Location") != "" || !isPage(a) {
			t.Errorf("%s: %d to %q", path, a.StatusCode, a.Header.Get("Location"))
		}
	}
}

func TestBase(t *testing.T) {
	t.Parallel()
	for publicURL, want := range map[string]string{
		"": "/", "http://ops.example": "/", "http://ops.example/": "/", "https://ops.example/stdops": "/stdops/", "https://ops.example/a/b/": "/a/b/",
		`https://ops.example/"><script>`: "/%22%3E%3Cscript%3E/",
	} {
		a := ask(t, setup(t, publicURL), "/login")
		if !strings.Contains(a.body, `<head><base href="`+want+`" /><script`) {
			t.Errorf("%s: %s", publicURL, a.body)
		}
	}
}

func TestHeadersOfEveryAnswer(t *testing.T) {
	t.Parallel()
	u := setup(t, "")
	want := http.Header{
		"Content-Security-Policy": {"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
			"font-src 'self'; worker-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"},
		"X-Content-Type-Options":       {"nosniff"},
		"Referrer-Policy":              {"no-referrer"},
		"Cross-Origin-Opener-Policy":   {"same-origin"},
		"Cross-Origin-Resource-Policy": {"same-origin"},
	}
	for name, a := range map[string]answer{
		"page": ask(t, u, "/"), "asset": ask(t, u, "/assets/index-B1x_d-9Z.js"), "no asset": ask(t, u, "/assets/x.js"),
		"no page": ask(t, u, "/x", header("Accept", "text/html")), "write": ask(t, u, "/", method("POST")),
		"other host": ask(t, u, "/", host("evil.example")),
	} {
		got := http.Header{}
		for key := range want {
			got[key] = a.Header.Values(key)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

func TestFiles(t *testing.T) {
	t.Parallel()
	u := setup(t, "")
	const good, again = "public, max-age=31536000, immutable", "no-cache"
	for path, want := range map[string][2]string{
		"/assets/index-B1x_d-9Z.js":  {"text/javascript; charset=utf-8", good},
		"/assets/index-aaaaaaaa.css": {"text/css; charset=utf-8", good},
		"/icon.svg":                  {"image/svg+xml", again},
		"/theme.js":                  {"text/javascript; charset=utf-8", again},
	} {
		a := ask(t, u, path)
		content := string(built()[path[1:]].Data)
		if got := [2]string{a.Header.Get("Content-Type"), a.Header.Get("Cache-Control")}; a.StatusCode != 200 || got != want || a.body != content {
			t.Errorf("%s: %d %q", path, a.StatusCode, got)
		}
		etag := a.Header.Get("ETag")
		for held, status := range map[string]int{etag: 304, "W/" + etag: 304, `"x", ` + etag: 304, "*": 304, `"x"`: 200, "": 200} {
			if a := ask(t, u, path, header("If-None-Match", held)); a.StatusCode != status || status == 304 && (a.body != "" || a.Header.Get("ETag") != etag) {
				t.Errorf("%s held as %s: %d", path, held, a.StatusCode)
			}
		}
		if a := ask(t, u, path, method("HEAD")); a.StatusCode != 200 || a.body != "" || a.ContentLength != int64(len(content)) {
			t.Errorf("HEAD %s: %d, %d bytes of %d", path, a.StatusCode, a.ContentLength, len(content))
		}
	}
}

func TestPackedFiles(t *testing.T) {
	t.Parallel()
	u := setup(t, "")
	const path = "/assets/index-B1x_d-9Z.js"
	plain, packed := ask(t, u, path), ask(t, u, path, header("Accept-Encoding", "br, gzip"))
	if packed.Header.Get("Content-Encoding") != "gzip" || packed.ContentLength != int64(len(packed.body)) || len(packed.body)*5 > len(plain.body) {
		t.Fatalf("%q, %d bytes for %d", packed.Header.Get("Content-Encoding"), len(packed.body), len(plain.body))
	}
	z, err := gzip.NewReader(strings.NewReader(packed.body))
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(z); err != nil || string(text) != script {
		t.Errorf("unpacked it is another file (%v)", err)
	}
	for name, a := range map[string]answer{"plain": plain, "packed": packed} {
		if a.Header.Get("Vary") != "Accept-Encoding" {
			t.Errorf("%s: Vary %q", name, a.Header.Get("Vary"))
		}
	}
	if plain.Header.Get("ETag") == packed.Header.Get("ETag") {
		t.Error("two forms have the same ETag")
	}
	held := ask(t, u, path, header("Accept-Encoding", "gzip"), header("If-None-Match", packed.Header.Get("ETag")))
	if held.StatusCode != 304 || held.Header.Get("Content-Encoding") != "" {
		t.Errorf("held: %d %v", held.StatusCode, held.Header)
	}
	if a := ask(t, u, path, header("Accept-Encoding", "gzip;q=0")); a.Header.Get("Content-Encoding") != "" || a.body != script {
		t.Error("packed for one who refuses that")
	}
	if a := ask(t, u, "/icon.svg", header("Accept-Encoding", "gzip")); a.Header.Get("Content-Encoding") != "" || a.Header.Get("Vary") != "" {
		t.Errorf("a small file: %v", a.Header)
	}
}

func TestNothingThere(t *testing.T) {
	t.Parallel()
	u := setup(t, "")
	const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
	for _, c := range []struct {
		path, accept string
		page         bool
	}{
		{"/nothing", browser, true},
		{"/taskflow/", browser, true},
		{"/taskflow/execute/x/", browser, true},
		{"/board/1/2/", browser, true},
		{"/index.html", browser, true}, // the page is at its addresses only
		{"/login/a/b", browser, true},
		{"//evil.example", browser, true},
		{"/nothing", "TEXT/HTML;q=0.1", true},
		{"/nothing", "*/*", false},
		{"/nothing", "application/json", false},
		{"/nothing", "", false},
		{"/assets/gone-12345678.js", browser, false},
		{"/assets/", browser, false},
	} {
		a := ask(t, u, c.path, header("Accept", c.accept))
		if a.StatusCode != http.StatusNotFound || isPage(a) != c.page || a.Header.Get("Location") != "" {
			t.Errorf("%s for %q: %d %.200s", c.path, c.accept, a.StatusCode, a.body)
		}
		if a.Header.Get("Cache-Control") != "no-store" || !slices.Contains(a.Header.Values("Vary"), "Accept") {
			t.Errorf("%s for %q: %v", c.path, c.accept, a.Header)
		}
	}
}

func TestTraversal(t *testing.T) {
	t.Parallel()
	u := setup(t, "")
	for _, path := range []string{
		"/assets/../icon.svg", "/assets/../../../../etc/passwd", "/../index.html", `/assets\..\icon.svg`, "/assets//icon.svg",
		"/./icon.svg", "/assets/%2e%2e/icon.svg", "/icon.svg/", "/icon.svg\x00", "/login/../icon.svg", "/assets",
	} {
		a := ask(t, u, path)
		if a.StatusCode != http.StatusNotFound || strings.Contains(a.body, "<svg") || a.Header.Get("Location") != "" {
			t.Errorf("%q: %d to %q: %s", path, a.StatusCode, a.Header.Get("Location"), a.body)
		}
	}
}

func TestOnlyReading(t *testing.T) {
	t.Parallel()
	u := setup(t, "")
	for _, m := range []string{"POST", "PUT", "DELETE", "OPTIONS", "PATCH"} {
		for _, path := range []string{"/", "/login", "/icon.svg", "/nothing"} {
			if a := ask(t, u, path, method(m), header("Accept", "text/html")); a.StatusCode != 405 || a.Header.Get("Allow") != "GET, HEAD" || isPage(a) {
				t.Errorf("%s %s: %d", m, path, a.StatusCode)
			}
		}
	}
}

func TestHosts(t *testing.T) {
	t.Parallel()
	u := setup(t, "https://ops.example/stdops")
	for name, status := range map[string]int{
		"ops.example": 200, "OPS.example": 200, "localhost:1": 200, "127.0.0.1": 200, "[::1]:8080": 200,
		"evil.example": 421, "ops.example.evil.example": 421, "10.0.0.1:8080": 421, "": 421,
	} {
		for _, path := range []string{"/", "/icon.svg"} {
			a := ask(t, u, path, host(name), header("Sec-Fetch-Site", "cross-site")) // a link from elsewhere may lead here
			if a.StatusCode != status || status == 421 && strings.Contains(a.body, "<") {
				t.Errorf("%s under %q: %d %s", path, name, a.StatusCode, a.body)
			}
		}
	}
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	u := setup(t, "")
	got := u.Addresses()
	for _, want := range []string{"/{$}", "/assets/", "/icon.svg", "/theme.js", "/board/", "/start/", "/taskflow/", "/login", "/login/", "/logout"} {
		if !slices.Contains(got, want) {
			t.Errorf("%s is not among %q", want, got)
		}
	}
	mux := http.NewServeMux()
	for _, pattern := range got { // which panics at one that comes twice
		mux.Handle(pattern, u)
	}
}

func TestAppsThatAreNotBuiltWell(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(fstest.MapFS){
		"index.html":             func(f fstest.MapFS) { delete(f, "index.html") },
		"not one <base>":         func(f fstest.MapFS) { f["index.html"] = &fstest.MapFile{Data: []byte("<html></html>")} },
		"its name does not tell": func(f fstest.MapFS) { f["assets/x.js"] = &fstest.MapFile{} },
		"its kind is not known":  func(f fstest.MapFS) { f["run.exe"] = &fstest.MapFile{} },
		"unexpected EOF":         nil,
	} {
		var files fs.FS = brokenFS{}
		if change != nil {
			m := maps.Clone(built())
			change(m)
			files = m
		}
		if _, err := New(files, ""); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

type brokenFS struct{}

func (brokenFS) Open(string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: "x", Err: io.ErrUnexpectedEOF}
}
