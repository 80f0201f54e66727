package page

import (
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestHostsOfOthersAreRefused(t *testing.T) {
	t.Parallel()
	b := setup(t, "https://Ops.example:8443/").people()
	c := b.session()
	for name, want := range map[string]int{
		"ops.example:8443": 200, "OPS.EXAMPLE:8443": 200, "127.0.0.1:8080": 200, "127.9.9.9": 200, "localhost": 200, "LocalHost:1": 200,
		"[::1]:8080": 200, "[::1]": 200,
		"ops.example": 421, "ops.example:80": 421, "evil.example": 421, "localhost.evil.example": 421, "127.0.0.1.evil.example": 421,
		"10.0.0.1:8080": 421, "0.0.0.0:8080": 421, "": 421, "[::ffff:10.0.0.1]": 421, "ops.example:8443.evil.example": 421,
	} {
		a := b.ask("/taskflow/home/list/1/", "", with(c), host(name))
		if a.StatusCode != want {
			t.Errorf("host %q: %d, want %d", name, a.StatusCode, want)
		}
		if want == 421 && strings.Contains(a.body, "<bdi>vic</bdi>") {
			t.Errorf("host %q sees who is signed in", name)
		}
	}
	if a := b.ask("/login", form("token", b.token), host("evil.example")); a.StatusCode != 421 || len(a.Cookies()) != 0 {
		t.Errorf("sign-in under a foreign host: %d", a.StatusCode)
	}
}

func TestFormsOfOthersAreRefused(t *testing.T) {
	t.Parallel()
	b := setup(t, "").people()
	c := b.session()
	for _, path := range []string{"/login", "/login/abc", "/logout"} {
		for name, change := range map[string]func(*http.Request){
			"cross-site": header("Sec-Fetch-Site", "cross-site"), "same-site": header("Sec-Fetch-Site", "same-site"),
			"foreign origin": func(r *http.Request) {
				r.Header.Del("Sec-Fetch-Site")
				r.Header.Set("Origin", "http://evil.example")
			},
		} {
			if a := b.ask(path, form("token", b.token), with(c), change); a.StatusCode != http.StatusForbidden || len(a.Cookies()) != 0 {
				t.Errorf("%s, %s: %d", path, name, a.StatusCode)
			}
		}
	}
	if a := b.ask("/", "", with(c)); a.Header.Get("Location") != "/taskflow/home/list/1/" {
		t.Error("somebody was signed out by a foreign page")
	}
}

func TestEveryAnswerIsGuarded(t *testing.T) {
	t.Parallel()
	b := setup(t, "").people()
	task := b.deploying(b.access(), "deploy", "broken")
	c := b.session()
	pages := []string{
		"/", "/login", "/login/x", "/logout", "/nothing", "/taskflow/home/list/1/", "/taskflow/home/list/9/",
		taskAddress{1, task.ID}.with(), "/static/page.css", "/static/nothing",
	}
	want := map[string]string{
		"Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
		"X-Content-Type-Options":  "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store",
	}
	for _, path := range pages {
		a := b.ask(path, "", with(c))
		got := map[string]string{}
		for name := range want {
			got[name] = a.Header.Get(name)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", path, diff)
		}
		for _, forbidden := range []string{"<script", "style=", "javascript:", " onclick", "http://", "https://"} {
			if strings.Contains(strings.ReplaceAll(a.body, "http://www.w3.org/2000/svg", ""), forbidden) {
				t.Errorf("%s contains %s", path, forbidden)
			}
		}
	}
}

func TestProblemPages(t *testing.T) {
	t.Parallel()
	b := setup(t, "").people()
	project, err := b.store.CreateProject(t.Context(), otherProject())
	b.must(err)
	c := b.session()
	for path, want := range map[string]int{
		"/nothing": 404, "/taskflow/": 404, "/taskflow/execute/": 404, "/static/": 404, "/static/../doc.go": 307, "/static/templates": 404,
		"/taskflow/execute/1/": 404, "/taskflow/execute/1/?instance_id=7": 404, "/taskflow/execute/1/?instance_id=x": 404,
		"/taskflow/execute/1/?instance_id=99999999999999999999": 404, "/taskflow/execute/abc/?instance_id=1": 404,
		"/taskflow/execute/9/?instance_id=1": 404, "/taskflow/home/list/0/": 404, "/taskflow/home/list/9/": 404,
		listAddress(project.ID, nil): 403, taskAddress{project.ID, 1}.with(): 403,
		"/taskflow/home/list/1": 307, "/taskflow/execute/1?instance_id=1": 307,
	} {
		a := b.ask(path, "", with(c))
		if a.StatusCode != want {
			t.Errorf("%s: %d, want %d (%s)", path, a.StatusCode, want, a.Header.Get("Location"))
		}
	}
	if a := b.ask("/taskflow/execute/1?instance_id=1", "", with(c)); a.Header.Get("Location") != "/taskflow/execute/1/?instance_id=1" {
		t.Errorf("without the last slash it leads to %q", a.Header.Get("Location"))
	}
}

func TestLargePagesArePacked(t *testing.T) {
	t.Parallel()
	b := setup(t, "").people()
	task := b.create(b.access(), "long", chain(100, func(int) string { return "step" }))
	path, c := taskAddress{1, task.ID}.with(), b.session()
	plain := b.ask(path, "", with(c))
	zipped := b.ask(path, "", with(c), header("Accept-Encoding", "br, gzip;q=0.8"))
	if zipped.Header.Get("Content-Encoding") != "gzip" || len(zipped.body)*5 > len(plain.body) {
		t.Fatalf("%q, %d bytes of %d", zipped.Header.Get("Content-Encoding"), len(zipped.body), len(plain.body))
	}
	z, err := gzip.NewReader(strings.NewReader(zipped.body))
	b.must(err)
	text, err := io.ReadAll(z)
	b.must(err)
	if string(text) != plain.body {
		t.Error("the packed page differs from the plain one")
	}
	if a := b.ask(path, "", with(c), header("Accept-Encoding", "gzip; q=0")); a.Header.Get("Content-Encoding") != "" {
		t.Error("a page was packed for one who refuses that")
	}
}

func TestStyleSheetMayBeKept(t *testing.T) {
	t.Parallel()
	b := setup(t, "")
	for _, name := range []string{"page.css", "icon.svg"} {
		address, err := assetURL(name)
		b.must(err)
		a := b.ask(address, "")
		if a.StatusCode != http.StatusOK || !strings.Contains(a.Header.Get("Cache-Control"), "immutable") || a.Header.Get("Content-Type") == "" {
			t.Errorf("%s: %d %v", address, a.StatusCode, a.Header)
		}
	}
}
