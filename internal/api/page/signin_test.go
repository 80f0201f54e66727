package page

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/stdops/stdops/internal/service"
)

func TestNobodySignedInIsSentToSignIn(t *testing.T) {
	t.Parallel()
	b := setup(t, "").people()
	for path, want := range map[string]string{
		"/":                           "/login?next=%2F",
		"/taskflow/home/list/1/?a=b":  "/login?next=%2Ftaskflow%2Fhome%2Flist%2F1%2F%3Fa%3Db",
		"/taskflow/execute/1/?x=1&y=": "/login?next=%2Ftaskflow%2Fexecute%2F1%2F%3Fx%3D1%26y%3D",
		"/logout":                     "/login",
	} {
		for name, cookie := range map[string]*http.Cookie{
			"no session": {Name: "other", Value: "x"}, "unknown session": {Name: "stdops_session", Value: "x"},
			"token as session": {Name: "stdops_session", Value: b.token},
		} {
			a := b.ask(path, "", with(cookie))
			if got := a.Header.Get("Location"); a.StatusCode != http.StatusSeeOther || got != want {
				t.Errorf("%s with %s: %d to %q, want 303 to %q", path, name, a.StatusCode, got, want)
			}
		}
	}
}

func TestSignInWithToken(t *testing.T) {
	t.Parallel()
	for _, scheme := range []string{"http", "https"} {
		b := setup(t, scheme+"://ops.example").people()
		a := b.ask("/login", form("token", " "+b.token+"\n", "next", "/taskflow/home/list/1/"))
		if a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != "/taskflow/home/list/1/" {
			t.Fatalf("%d to %q", a.StatusCode, a.Header.Get("Location"))
		}
		c := a.cookieOf(t)
		if want := map[string]string{"http": "stdops_session", "https": "__Host-stdops_session"}[scheme]; c.Name != want || c.Domain != "" {
			t.Errorf("cookie under %s: %v, want %s of no domain", scheme, c, want)
		}
		if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Secure != (scheme == "https") || len(c.Value) != 64 {
			t.Errorf("cookie under %s: %v", scheme, c)
		}
		if _, err := b.store.Session(t.Context(), []byte(c.Value)); err == nil {
			t.Error("the session is stored as it is")
		}
		if list := b.ask("/taskflow/home/list/1/", "", with(c)); list.StatusCode != http.StatusOK {
			t.Errorf("list: %d", list.StatusCode)
		}
		plain := &http.Cookie{Name: "stdops_session", Value: c.Value}
		if list := b.ask("/taskflow/home/list/1/", "", with(plain)); (list.StatusCode == http.StatusOK) != (scheme == "http") {
			t.Errorf("a cookie that anybody can plant, under %s: %d", scheme, list.StatusCode)
		}
		if again := b.ask("/login?next=/x", "", with(c)); again.Header.Get("Location") != "/x" {
			t.Errorf("sign-in page for one who is signed in leads to %q", again.Header.Get("Location"))
		}
	}
}

func TestBadTokensAreRefused(t *testing.T) {
	t.Parallel()
	b := setup(t, "").people()
	local := service.LocalAdmin()
	short, _, err := b.service.CreateToken(t.Context(), local, service.NewToken{User: "vic", Name: "short", Life: time.Minute})
	b.must(err)
	session := b.session().Value
	b.now = at(60)
	for name, token := range map[string]string{"none": "", "unknown": "abc", "expired": short, "a session": session} {
		a := b.ask("/login", form("token", token, "next", `"><script>`))
		if a.StatusCode != http.StatusUnauthorized || len(a.Cookies()) != 0 {
			t.Errorf("%s: %d with %d cookies", name, a.StatusCode, len(a.Cookies()))
		}
		if !strings.Contains(a.body, "This token is unknown or has expired.") || strings.Contains(a.body, "<script") {
			t.Errorf("%s: %s", name, a.body)
		}
	}
}

func TestSessionEndsWithItsToken(t *testing.T) {
	t.Parallel()
	b := setup(t, "").people()
	short, _, err := b.service.CreateToken(t.Context(), service.LocalAdmin(), service.NewToken{User: "vic", Name: "short", Life: time.Minute})
	b.must(err)
	c := b.ask("/login", form("token", short)).cookieOf(t)
	b.now = at(59)
	if a := b.ask("/taskflow/home/list/1/", "", with(c)); a.StatusCode != http.StatusOK {
		t.Errorf("before: %d", a.StatusCode)
	}
	b.now = at(60)
	if a := b.ask("/taskflow/home/list/1/", "", with(c)); a.StatusCode != http.StatusSeeOther {
		t.Errorf("after: %d", a.StatusCode)
	}
}

func TestLinkSignsInOnce(t *testing.T) {
	t.Parallel()
	b := setup(t, "").people()
	link, _, err := b.service.CreateLoginLink(t.Context(), service.LocalAdmin(), "vic")
	b.must(err)
	for range 3 { // looking at it does not use it
		a := b.ask("/login/"+link, "")
		if a.StatusCode != http.StatusOK || len(a.Cookies()) != 0 || !strings.Contains(a.body, "as <bdi>vic</bdi>") || strings.Contains(a.body, `name="name"`) || strings.Contains(a.body, "Sign out") {
			t.Fatalf("%d %s", a.StatusCode, a.body)
		}
	}
	a := b.ask("/login/"+link, form("next", "/taskflow/home/list/1/", "name", "ann"))
	if a.StatusCode != http.StatusSeeOther || a.Header.Get("Location") != "/taskflow/home/list/1/" {
		t.Fatalf("%d to %q", a.StatusCode, a.Header.Get("Location"))
	}
	if out := b.ask("/logout", "", with(a.cookieOf(t))); !strings.Contains(out.body, "<bdi>vic</bdi>") {
		t.Error("the link signed in somebody else")
	}
	for _, body := range []string{"", form("next", "/")} {
		if again := b.ask("/login/"+link, body); again.StatusCode != http.StatusGone || len(again.Cookies()) != 0 {
			t.Errorf("second use: %d", again.StatusCode)
		}
	}
}

func TestLinksThatDoNotCount(t *testing.T) {
	t.Parallel()
	b := setup(t, "").people()
	link, _, err := b.service.CreateLoginLink(t.Context(), service.LocalAdmin(), "vic")
	b.must(err)
	b.now = at(15 * 60)
	for name, path := range map[string]string{"expired": "/login/" + link, "unknown": "/login/abc", "token": "/login/" + b.token} {
		for _, body := range []string{"", form("next", "/")} {
			if a := b.ask(path, body); a.StatusCode != http.StatusGone || len(a.Cookies()) != 0 || strings.Contains(a.body, "<bdi>vic</bdi>") {
				t.Errorf("%s: %d %s", name, a.StatusCode, a.body)
			}
		}
	}
}

func TestFirstLinkNamesTheAdministrator(t *testing.T) {
	t.Parallel()
	b := setup(t, "")
	if a := b.ask("/login", ""); !strings.Contains(a.body, "Nobody can sign in") {
		t.Errorf("a fresh server does not say what to do: %s", a.body)
	}
	link, _, err := b.service.CreateLoginLink(t.Context(), service.LocalAdmin(), "")
	b.must(err)
	if a := b.ask("/login/"+link, ""); !strings.Contains(a.body, `name="name"`) {
		t.Error("the page does not ask for a name")
	}
	if a := b.ask("/login/"+link, form("name", "\x07bell")); a.StatusCode != http.StatusBadRequest || !strings.Contains(a.body, "control characters") {
		t.Errorf("bad name: %d", a.StatusCode)
	}
	a := b.ask("/login/"+link, form("name", "root"))
	if a.StatusCode != http.StatusSeeOther {
		t.Fatalf("%d %s", a.StatusCode, a.body)
	}
	caller, err := b.service.Session(t.Context(), a.cookieOf(t).Value)
	b.must(err)
	if caller.User != "root" || !caller.Admin() {
		t.Errorf("%s, admin %v", caller.User, caller.Admin())
	}
}

func TestSignOutEndsTheSession(t *testing.T) {
	t.Parallel()
	b := setup(t, "").people()
	c := b.session()
	if a := b.ask("/logout", "", with(c)); a.StatusCode != http.StatusOK {
		t.Errorf("a look at the page: %d", a.StatusCode)
	}
	a := b.ask("/logout", "x=1", with(c))
	if gone := a.cookieOf(t); gone.MaxAge != -1 || gone.Value != "" || a.Header.Get("Location") != "/login" {
		t.Errorf("cookie %v, to %q", gone, a.Header.Get("Location"))
	}
	if a := b.ask("/", "", with(c)); a.Header.Get("Location") != "/login?next=%2F" {
		t.Errorf("the session still counts: %d", a.StatusCode)
	}
}

func TestLocalPath(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		"/": "/", "/taskflow/execute/1/?instance_id=2&pause=1#n": "/taskflow/execute/1/?instance_id=2&pause=1#n", "/a%20b": "/a%20b",
		"": "/", "a": "/", "//": "/", "//?x": "/", "//evil.example": "/", "///evil.example": "/", `/\evil.example`: "/", `\\evil.example`: "/",
		"https://evil.example/": "/", "http:/x": "/", "javascript:alert(1)": "/", "/\t/evil.example": "/", "/\n/evil.example": "/",
		" /x": "/", "/%2f/evil.example": "/", "/%5cevil.example": "/", "?next=x": "/", "/login": "/", "/login/abc": "/", "/logout": "/",
		"/login?next=/": "/", "/x\x00": "/", "/x\x7f": "/", "/%zz": "/",
	}
	got := map[string]string{}
	for next := range want {
		got[next] = localPath(next)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("(-want +got)\n" + diff)
	}
}

func TestLocalPathStaysHere(t *testing.T) {
	t.Parallel()
	base, err := url.Parse("http://here.example/login")
	if err != nil {
		t.Fatal(err)
	}
	letters := rapid.SampledFrom([]rune("/\\.:?#@%2fF5cC \t\r\nahtp[]"))
	rapid.Check(t, func(t *rapid.T) {
		next := string(rapid.SliceOf(letters).Draw(t, "next"))
		path := localPath(next)
		// What a browser does before it looks: tabs and line ends go, backslashes count as slashes.
		seen := strings.NewReplacer("\t", "", "\r", "", "\n", "", `\`, "/").Replace(path)
		to, err := base.Parse(strings.TrimSpace(seen))
		if err != nil || to.Host != "here.example" || to.Scheme != "http" {
			t.Fatalf("%q leads to %v (%v)", next, to, err)
		}
	})
}
