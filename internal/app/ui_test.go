package app_test

import (
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stdops/stdops/web"
)

// built gives the files of the app as they are committed.
func built(t *testing.T) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := fs.WalkDir(web.Files(), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(web.Files(), name)
		files[name] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// TestServerServesTheApp: all files of the build, with the path of the public URL and without it; the page says below which
// address they are.
func TestServerServesTheApp(t *testing.T) {
	t.Parallel()
	files := built(t)
	for publicURL, base := range map[string]string{"http://ops.example": "/", "https://ops.example/stdops": "/stdops/"} {
		a := startAt(t, publicURL)
		for _, prefix := range []string{"/", base} {
			for name, content := range files {
				if name == "index.html" {
					name, content = "", strings.Replace(content, `<base href="/" />`, `<base href="`+base+`" />`, 1)
				}
				got, text := ask(t, a, prefix+name, "ops.example")
				if got.StatusCode != http.StatusOK || text != content || got.Header.Get("Content-Security-Policy") == "" {
					t.Errorf("%s: %s%s: %d, %d bytes of %d", publicURL, prefix, name, got.StatusCode, len(text), len(content))
				}
			}
			page, _ := ask(t, a, prefix, "ops.example")
			for _, screen := range []string{"taskflow/home/list/1/", "taskflow/execute/1/?instance_id=7", "board/1/", "start/1/", "login?next=%2F", "login/0a1b", "logout"} {
				got, _ := ask(t, a, prefix+screen, "ops.example")
				if got.StatusCode != http.StatusOK || got.ContentLength != page.ContentLength {
					t.Errorf("%s: %s%s: %d, %d bytes", publicURL, prefix, screen, got.StatusCode, got.ContentLength)
				}
			}
			if got, text := ask(t, a, prefix+"login", "evil.example"); got.StatusCode != http.StatusMisdirectedRequest || strings.Contains(text, "<") {
				t.Errorf("%s: under another name: %d %s", publicURL, got.StatusCode, text)
			}
		}
	}
}

// TestUnknownAddresses: people are told by the page of the app, programs in the form that they read.
func TestUnknownAddresses(t *testing.T) {
	t.Parallel()
	a := startAt(t, "http://ops.example/stdops")
	for _, c := range []struct {
		method, path string
		page         bool
	}{
		{"GET", "/nothing", true},
		{"GET", "/static/page.css", true},
		{"GET", "/apigw/nothing/", false},
		{"GET", "/v2/sops/nothing/", false},
		{"GET", "/api/v1/nothing", false},
		{"GET", "/assets/nothing-12345678.js", false},
		{"POST", "/nothing", false},
	} {
		for _, prefix := range []string{"", "/stdops"} {
			r, err := http.NewRequestWithContext(t.Context(), c.method, "http://"+a.Addr()+prefix+c.path, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Accept", "text/html,*/*;q=0.8")
			got, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			got.Body.Close()
			if page := strings.HasPrefix(got.Header.Get("Content-Type"), "text/html"); got.StatusCode != http.StatusNotFound || page != c.page {
				t.Errorf("%s %s%s: %d %s", c.method, prefix, c.path, got.StatusCode, got.Header.Get("Content-Type"))
			}
		}
	}
}

// inPage finds what the policy of the page forbids: scripts and styles in its text.
var inPage = regexp.MustCompile(`(?i)<style|<script(?:[^>]*)?>[^<]|\sstyle=|\son[a-z]+=|javascript:`)

// elsewhere finds addresses of other hosts.
var elsewhere = regexp.MustCompile(`(?:https?|wss?):\\?/\\?/[A-Za-z0-9\[][^\s"'` + "`" + `\\)<>]*`)

// named are addresses of other hosts that are names only, or that people may go to: nothing is fetched from them.
var named = []string{
	"http://www.w3.org/",                                                                                                  // namespaces of XML
	"https://react.dev/errors/", "https://reactrouter.com/en/main/routers/", "https://github.com/ungap/url-search-params", // in texts of errors
	"https://reactflow.dev", // a mark of the graph that is switched off
	"http://localhost",      // what relative addresses are read against where there is no window
}

// TestAppAsksNobodyElse: nothing that the page loads is from another host, and its code names none.
func TestAppAsksNobodyElse(t *testing.T) {
	t.Parallel()
	files := built(t)
	if bad := inPage.FindString(files["index.html"]); bad != "" {
		t.Errorf("the page holds %s", bad)
	}
	for name, content := range files {
		for _, found := range elsewhere.FindAllString(content, -1) {
			known := slices.ContainsFunc(named, func(prefix string) bool { return strings.HasPrefix(found, prefix) })
			if path.Ext(name) != ".md" && !known { // texts of licences
				t.Errorf("%s names %s", name, found)
			}
		}
		if path.Ext(name) == ".html" || path.Ext(name) == ".css" {
			if at := strings.Index(content, `"//`); at >= 0 || strings.Contains(content, "url(//") || strings.Contains(content, "@import") {
				t.Errorf("%s loads something from elsewhere", name)
			}
		}
	}
}
