package v1

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/client"
	"github.com/stdops/stdops/internal/api"
	"github.com/stdops/stdops/internal/service"
)

const sessionPath = "/api/v1/session"

// people makes an administrator ann and a user vic, and gives a token of vic.
func (b *bundle) people(t *testing.T) (token string) {
	t.Helper()
	as[client.User](t, b, 201, "POST", "/api/v1/users", `{"name":"ann","admin":true}`)
	as[client.User](t, b, 201, "POST", "/api/v1/users", `{"name":"vic"}`)
	return as[client.Token](t, b, 201, "POST", "/api/v1/tokens", `{"user":"vic"}`).Secret
}

// browse sends what a page of the server sends.
func browse(t *testing.T, h http.Handler, r request) reply {
	t.Helper()
	header := map[string]string{"Sec-Fetch-Site": "same-origin"}
	for k, v := range r.header {
		header[k] = v
	}
	r.header = header
	return send(t, h, r)
}

// cookie gives the one that an answer sets.
func (r reply) cookie(t *testing.T) *http.Cookie {
	t.Helper()
	set, err := http.ParseSetCookie(r.header.Get("Set-Cookie"))
	if err != nil || len(r.header.Values("Set-Cookie")) != 1 {
		t.Fatalf("status %d with cookies %q: %s", r.status, r.header.Values("Set-Cookie"), r.text)
	}
	return set
}

func (r reply) noCookie(t *testing.T) reply {
	t.Helper()
	if set := r.header.Values("Set-Cookie"); len(set) > 0 {
		t.Errorf("status %d sets %q", r.status, set)
	}
	return r
}

func holding(c *http.Cookie) map[string]string {
	return map[string]string{"Cookie": c.Name + "=" + c.Value}
}

// link makes a sign-in link and gives its secret.
func (b *bundle) link(t *testing.T, user string) string {
	t.Helper()
	secret, _, err := b.svc.CreateLoginLink(t.Context(), service.LocalAdmin(), user)
	must(t, err)
	return secret
}

func stateOf(t *testing.T, r reply) (state client.Session) {
	t.Helper()
	if r.status != 200 {
		t.Fatalf("status %d: %s", r.status, r.text)
	}
	must(t, json.Unmarshal([]byte(r.text), &state))
	return state
}

func TestSignInByToken(t *testing.T) {
	t.Parallel()
	b := setup(t)
	token := b.people(t)
	for _, c := range []struct {
		url, name, path string
		secure          bool
	}{
		{"http://ops.example", "stdops_session", "/", false},
		{"http://ops.example/stdops/", "stdops_session", "/stdops", false},
		{"https://ops.example", "__Host-stdops_session", "/", true},
		{"https://ops.example/a/stdops", "__Secure-stdops_session", "/a/stdops", true},
	} {
		h := b.handlerOf(t, slog.New(slog.DiscardHandler), Options{PublicURL: c.url})
		in := browse(t, h, request{method: "POST", path: sessionPath, body: `{"token":" ` + token + `\n"}`})
		var me client.Me
		if err := json.Unmarshal([]byte(in.text), &me); err != nil || in.status != 200 || me != (client.Me{User: "vic", TimeZone: "UTC"}) {
			t.Fatalf("%s: %d %s", c.url, in.status, in.text)
		}
		set := in.cookie(t)
		if set.Name != c.name || set.Path != c.path || set.Domain != "" || set.Secure != c.secure || !set.HttpOnly ||
			set.SameSite != http.SameSiteLaxMode || set.MaxAge != 0 || !set.Expires.IsZero() || len(set.Value) != 64 {
			t.Errorf("%s: cookie %v", c.url, set)
		}
		if _, err := b.store.Session(t.Context(), []byte(set.Value)); err == nil {
			t.Error("the session is stored as it is")
		}
		if got := stateOf(t, browse(t, h, request{method: "GET", path: sessionPath, header: holding(set)})); got.User != "vic" {
			t.Errorf("%s: signed in as %+v", c.url, got)
		}
		plain := &http.Cookie{Name: "stdops_session", Value: set.Value}
		if got := stateOf(t, browse(t, h, request{method: "GET", path: sessionPath, header: holding(plain)})); (got.User == "vic") == c.secure {
			t.Errorf("%s: a cookie that neighbours can plant signs in %q", c.url, got.User)
		}
	}
}

func TestSessionTellsWhoIsSignedIn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	get := request{method: "GET", path: sessionPath}
	if d := cmp.Diff(client.Session{Fresh: true, TimeZone: "UTC"}, stateOf(t, browse(t, b.http, get))); d != "" {
		t.Errorf("fresh server (-want +got):\n%s", d)
	}
	b.people(t)
	if d := cmp.Diff(client.Session{TimeZone: "UTC"}, stateOf(t, browse(t, b.http, get))); d != "" {
		t.Errorf("nobody (-want +got):\n%s", d)
	}
	cookie := browse(t, b.http, request{method: "POST", path: sessionPath, body: `{"link":"` + b.link(t, "ann") + `"}`}).cookie(t)
	get.header = holding(cookie)
	if d := cmp.Diff(client.Session{User: "ann", Admin: true, TimeZone: "UTC"}, stateOf(t, browse(t, b.http, get))); d != "" {
		t.Errorf("ann (-want +got):\n%s", d)
	}
	get.header = map[string]string{"Cookie": "stdops_session=x"}
	if got := stateOf(t, browse(t, b.http, get)); got.User != "" {
		t.Errorf("an unknown session signs in %q", got.User)
	}
}

func TestSignInByLink(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.people(t)
	link := b.link(t, "vic")
	for range 3 { // looking at it does not use it
		got := browse(t, b.http, request{method: "POST", path: sessionPath + ":link", body: `{"link":"` + link + `"}`}).noCookie(t)
		var about client.SignInLinkUser
		if err := json.Unmarshal([]byte(got.text), &about); err != nil || got.status != 200 || about != (client.SignInLinkUser{User: "vic"}) {
			t.Fatalf("%d %s", got.status, got.text)
		}
	}
	in := browse(t, b.http, request{method: "POST", path: sessionPath, body: `{"link":"` + link + `","name":"ann"}`})
	if !strings.Contains(in.text, `"user":"vic"`) {
		t.Errorf("the link signed in somebody else: %d %s", in.status, in.text)
	}
	in.cookie(t)
	for _, path := range []string{sessionPath, sessionPath + ":link"} {
		got := browse(t, b.http, request{method: "POST", path: path, body: `{"link":"` + link + `"}`}).noCookie(t)
		if got.status != http.StatusGone || !strings.Contains(got.text, `"code":"gone"`) {
			t.Errorf("%s after the use: %d %s", path, got.status, got.text)
		}
	}
}

func TestFirstLinkMakesTheAdministrator(t *testing.T) {
	t.Parallel()
	b := setup(t)
	link := b.link(t, "")
	about := browse(t, b.http, request{method: "POST", path: sessionPath + ":link", body: `{"link":"` + link + `"}`})
	if about.status != 200 || !strings.Contains(about.text, `"fresh":true`) || strings.Contains(about.text, `"user"`) {
		t.Errorf("%d %s", about.status, about.text)
	}
	for _, name := range []string{``, `,"name":"  "`, `,"name":"\u0007bell"`} { // none of them uses the link up
		got := browse(t, b.http, request{method: "POST", path: sessionPath, body: `{"link":"` + link + `"` + name + `}`}).noCookie(t)
		if got.status != 422 || !strings.Contains(got.text, "user name") {
			t.Errorf("name %s: %d %s", name, got.status, got.text)
		}
	}
	in := browse(t, b.http, request{method: "POST", path: sessionPath, body: `{"link":"` + link + `","name":" root"}`})
	if in.status != 200 || !strings.Contains(in.text, `"user":"root","admin":true`) {
		t.Fatalf("%d %s", in.status, in.text)
	}
	if got := stateOf(t, browse(t, b.http, request{method: "GET", path: sessionPath, header: holding(in.cookie(t))})); got.User != "root" || got.Fresh {
		t.Errorf("%+v", got)
	}
}

func TestSignInRefusals(t *testing.T) {
	t.Parallel()
	b := setup(t)
	token := b.people(t)
	link := b.link(t, "vic")
	byToken, byLink := `{"token":"`+token+`"}`, `{"link":"`+link+`"}`
	for name, c := range map[string]struct {
		path, body string
		header     map[string]string
		status     int
	}{
		"nothing":         {"", `{}`, nil, 422},
		"both":            {"", `{"token":"x","link":"y"}`, nil, 422},
		"unknown token":   {"", `{"token":"x"}`, nil, 401},
		"link as token":   {"", `{"token":"` + link + `"}`, nil, 401},
		"token as link":   {"", `{"link":"` + token + `"}`, nil, 410},
		"no link":         {":link", `{}`, nil, 422},
		"large":           {"", `{"token":"` + strings.Repeat("x", smallSignIn) + `"}`, nil, 413},
		"other site":      {"", byToken, map[string]string{"Sec-Fetch-Site": "cross-site"}, 403},
		"same site":       {"", byToken, map[string]string{"Sec-Fetch-Site": "same-site"}, 403},
		"other origin":    {"", byLink, map[string]string{"Sec-Fetch-Site": "", "Origin": "http://evil.example"}, 403},
		"form":            {"", byLink, map[string]string{"Content-Type": "text/plain"}, 415},
		"look from there": {":link", byLink, map[string]string{"Sec-Fetch-Site": "cross-site"}, 403},
	} {
		t.Run(name, func(t *testing.T) {
			got := browse(t, b.http, request{method: "POST", path: sessionPath + c.path, body: c.body, header: c.header}).noCookie(t)
			if got.status != c.status || got.header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("status %d, want %d: %s", got.status, c.status, got.text)
			}
			if strings.Contains(got.text, token) || strings.Contains(got.text, link) || strings.Contains(b.logged.String(), link) {
				t.Errorf("the secret comes back or is logged: %s", got.text)
			}
		})
	}
	if got := browse(t, b.http, request{method: "POST", path: sessionPath, body: byLink}); got.status != 200 {
		t.Errorf("a refusal used the link up: %d %s", got.status, got.text)
	}
}

// TestOtherHosts: a name that somebody else lets point here must neither sign in nor tell anything.
func TestOtherHosts(t *testing.T) {
	t.Parallel()
	b := setup(t)
	token := b.people(t)
	for _, r := range []request{
		{method: "GET", path: sessionPath},
		{method: "DELETE", path: sessionPath},
		{method: "POST", path: sessionPath, body: `{"token":"` + token + `"}`},
		{method: "POST", path: sessionPath + ":link", body: `{"link":"` + b.link(t, "vic") + `"}`},
	} {
		r.host = "evil.example"
		if got := browse(t, b.http, r).noCookie(t); got.status != http.StatusMisdirectedRequest {
			t.Errorf("%s %s: %d %s", r.method, r.path, got.status, got.text)
		}
	}
}

func TestSignOut(t *testing.T) {
	t.Parallel()
	b := setup(t)
	token := b.people(t)
	cookie := browse(t, b.http, request{method: "POST", path: sessionPath, body: `{"token":"` + token + `"}`}).cookie(t)
	held := holding(cookie)
	foreign := map[string]string{"Cookie": held["Cookie"], "Sec-Fetch-Site": "cross-site"}
	if got := browse(t, b.http, request{method: "DELETE", path: sessionPath, header: foreign}).noCookie(t); got.status != 403 {
		t.Errorf("from another site: %d %s", got.status, got.text)
	}
	if got := send(t, b.http, request{method: "GET", path: "/api/v1/me", header: held}); got.status != 200 || !strings.Contains(got.text, `"time_zone":"UTC"`) {
		t.Errorf("before: %d %s", got.status, got.text)
	}
	for range 2 { // the second time there is nothing to end
		got := browse(t, b.http, request{method: "DELETE", path: sessionPath, header: held})
		if set := got.cookie(t); got.status != 204 || set.Name != cookie.Name || set.Path != cookie.Path || set.MaxAge != -1 || set.Value != "" {
			t.Errorf("%d, cookie %v", got.status, set)
		}
	}
	if got := send(t, b.http, request{method: "GET", path: "/api/v1/me", header: held}); got.status != 401 {
		t.Errorf("the session still counts: %d %s", got.status, got.text)
	}
}

// TestStrangersSignInApart: those who sign in cannot keep out those who are known, nor the other way round.
func TestStrangersSignInApart(t *testing.T) {
	t.Parallel()
	b := setup(t)
	token := b.people(t)
	gates := api.NewGates(1, 1)
	h := b.handlerOf(t, slog.New(slog.DiscardHandler), Options{PublicURL: publicURL, Gates: gates})
	signIn := request{method: "POST", path: sessionPath, body: `{"token":"` + token + `"}`}
	known := request{method: "POST", path: "/api/v1/tokens", body: `{"user":"vic"}`, token: token}
	for _, c := range []struct {
		full                 *api.Gate
		ofSignIn, ofTheKnown int
	}{
		{gates.Known, 200, 503},
		{gates.Strangers, 503, 201},
	} {
		must(t, c.full.Enter())
		if got := browse(t, h, signIn); got.status != c.ofSignIn {
			t.Errorf("sign-in: %d, want %d: %s", got.status, c.ofSignIn, got.text)
		}
		if got := send(t, h, known); got.status != c.ofTheKnown {
			t.Errorf("of one who is known: %d, want %d: %s", got.status, c.ofTheKnown, got.text)
		}
		c.full.Leave()
	}
}

// TestGuessesAreBounded: wrong tokens and links from one address shut it out for a while, and nobody else.
func TestGuessesAreBounded(t *testing.T) {
	t.Parallel()
	limits := stdops.DefaultLimits()
	limits.Failures = 3
	b := setupWith(t, &limits)
	token := b.people(t)
	from := func(peer string, r request) reply {
		r.peer = peer
		return browse(t, b.http, r)
	}
	right := request{method: "POST", path: sessionPath, body: `{"token":"` + token + `"}`}
	for i, r := range []request{
		{method: "POST", path: sessionPath, body: `{"token":"x"}`},
		{method: "POST", path: sessionPath, body: `{"link":"x"}`},
		{method: "POST", path: sessionPath + ":link", body: `{"link":"x"}`},
	} {
		if got := from(fmt.Sprint("192.0.2.1:", i+1), r); got.status != 401 && got.status != 410 {
			t.Fatalf("guess %d: %d %s", i, got.status, got.text)
		}
	}
	for _, r := range []request{right, {method: "POST", path: sessionPath + ":link", body: `{"link":"` + b.link(t, "vic") + `"}`}} {
		got := from("192.0.2.1:9", r).noCookie(t)
		if got.status != http.StatusTooManyRequests || got.header.Get("Retry-After") == "" {
			t.Errorf("%s after the guesses: %d %s", r.path, got.status, got.text)
		}
	}
	if got := from("192.0.2.1:9", request{method: "GET", path: sessionPath}); got.status != 200 {
		t.Errorf("who is signed in: %d %s", got.status, got.text)
	}
	for range 10 { // what is right is not counted
		if got := from("192.0.2.2:1", right); got.status != 200 {
			t.Fatalf("from another address: %d %s", got.status, got.text)
		}
	}
}
