package v1

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/stdops/stdops/client"
	"github.com/stdops/stdops/internal/service"
)

// made is what a test cannot know beforehand.
var made = cmp.FilterPath(func(p cmp.Path) bool {
	name := p.Last().String()
	return name == ".Created" || name == ".Expires" || name == ".Secret" || name == ".Edited"
}, cmp.Ignore())

func TestAdministration(t *testing.T) {
	t.Parallel()
	b := setup(t)

	project := as[client.Project](t, b, 201, "POST", "/api/v1/projects", `{"name":"shop","bk_biz_id":7,"time_zone":"Asia/Shanghai"}`)
	if d := cmp.Diff(client.Project{ID: 2, Name: "shop", Biz: 7, TimeZone: "Asia/Shanghai"}, project, made); d != "" {
		t.Errorf("created project (-want +got):\n%s", d)
	}
	app := as[client.App](t, b, 201, "POST", "/api/v1/apps", `{"code":"crm","trusted_projects":[2]}`)
	if d := cmp.Diff(client.App{Code: "crm", Name: "crm", Projects: []int64{2}}, app, made); d != "" || len(app.Secret) != 64 {
		t.Errorf("created app with secret %q (-want +got):\n%s", app.Secret, d)
	}
	user := as[client.User](t, b, 201, "POST", "/api/v1/users", `{"name":"ann","roles":[{"project":2,"role":"operator"}]}`)
	want := client.User{Name: "ann", Roles: []client.Role{{Project: 2, Role: "operator"}}}
	if d := cmp.Diff(want, user, made); d != "" {
		t.Errorf("created user (-want +got):\n%s", d)
	}
	token := as[client.Token](t, b, 201, "POST", "/api/v1/tokens", `{"user":"ann","name":"laptop","expires_in_s":3600}`)
	if len(token.Secret) != 64 || token.Expires.Sub(token.Created).Seconds() < 3599 {
		t.Errorf("created token %+v", token)
	}

	users := as[client.UserList](t, b, 200, "GET", "/api/v1/users", "")
	if d := cmp.Diff([]client.User{want}, users.Users, made); d != "" {
		t.Errorf("users (-want +got):\n%s", d)
	}
	apps := as[client.AppList](t, b, 200, "GET", "/api/v1/apps", "")
	if d := cmp.Diff([]client.App{{Code: "crm", Name: "crm", Projects: []int64{2}}}, apps.Apps, made); d != "" || apps.Apps[0].Secret != "" {
		t.Errorf("apps (-want +got):\n%s", d)
	}
	tokens := as[client.TokenList](t, b, 200, "GET", "/api/v1/tokens?user=ann", "")
	if d := cmp.Diff([]client.Token{token}, tokens.Tokens, made, cmpopts.IgnoreFields(client.Token{}, "Secret")); d != "" {
		t.Errorf("tokens (-want +got):\n%s", d)
	}

	link := as[client.LoginLink](t, b, 201, "POST", "/api/v1/login-links", `{"user":"ann"}`)
	if !strings.HasPrefix(link.URL, publicURL+"/login/") {
		t.Errorf("link %q", link.URL)
	}

	me := send(t, b.http, request{method: "GET", path: "/api/v1/me", token: token.Secret})
	if me.status != 200 || !strings.Contains(me.text, `"user":"ann"`) {
		t.Errorf("me: %d %s", me.status, me.text)
	}
	as[none](t, b, http.StatusNoContent, "DELETE", "/api/v1/tokens/"+token.ID, "")
	if got := send(t, b.http, request{method: "GET", path: "/api/v1/me", token: token.Secret}); got.status != 401 {
		t.Errorf("after the revoke: %d %s", got.status, got.text)
	}
}

// TestChangesOfAnApp follows what is given to an app and taken from it.
func TestChangesOfAnApp(t *testing.T) {
	t.Parallel()
	b := setup(t)
	first := as[client.App](t, b, 201, "POST", "/api/v1/apps", `{"code":"crm/1"}`)
	const path = "/api/v1/apps/crm%2F1"
	second := as[client.App](t, b, 201, "POST", path+"/secrets", "")
	must(t, b.svc.Admit(t.Context(), service.Credentials{AppCode: "crm/1", AppSecret: first.Secret}))
	third := as[client.App](t, b, 201, "POST", path+"/secrets", "")
	must(t, b.svc.Admit(t.Context(), service.Credentials{AppCode: "crm/1", AppSecret: second.Secret}))
	must(t, b.svc.Admit(t.Context(), service.Credentials{AppCode: "crm/1", AppSecret: third.Secret}))
	if b.svc.Admit(t.Context(), service.Credentials{AppCode: "crm/1", AppSecret: first.Secret}) == nil {
		t.Error("the oldest of three secrets counts")
	}
	for _, c := range []struct {
		change, body string
		want         client.App
	}{
		{"/trust", `{"project":1}`, client.App{Projects: []int64{1}}},
		{"/trust", `{}`, client.App{Projects: []int64{1}, Trusted: true}},
		{"/distrust", `{}`, client.App{}},
		{"/trust", `{"project":1}`, client.App{Projects: []int64{1}}},
		{"/distrust", `{"project":1}`, client.App{}},
		{"/disable", "", client.App{Disabled: true}},
		{"/enable", "", client.App{}},
	} {
		c.want.Code, c.want.Name = "crm/1", "crm/1"
		got := as[client.App](t, b, 200, "POST", path+c.change, c.body)
		if d := cmp.Diff(c.want, got, made); d != "" || got.Secret != "" {
			t.Errorf("%s %s (-want +got):\n%s", c.change, c.body, d)
		}
	}
}

// TestChangesOfAUser follows roles, and a user who is kept out for a time.
func TestChangesOfAUser(t *testing.T) {
	t.Parallel()
	b := setup(t)
	as[client.User](t, b, 201, "POST", "/api/v1/users", `{"name":"ann","roles":[{"project":1,"role":"viewer"}]}`)
	as[client.Project](t, b, 201, "POST", "/api/v1/projects", `{"name":"shop"}`)
	token := as[client.Token](t, b, 201, "POST", "/api/v1/tokens", `{"user":"ann"}`).Secret
	got := as[client.User](t, b, 200, "POST", "/api/v1/users/ann/grant", `{"roles":[{"project":1,"role":"none"},{"project":2,"role":"editor"}]}`)
	if d := cmp.Diff(client.User{Name: "ann", Roles: []client.Role{{Project: 2, Role: "editor"}}}, got, made); d != "" {
		t.Errorf("roles (-want +got):\n%s", d)
	}
	for change, status := range map[string]int{"disable": 401, "enable": 200} {
		changed := as[client.User](t, b, 200, "POST", "/api/v1/users/ann/"+change, "")
		me := send(t, b.http, request{method: "GET", path: "/api/v1/me", token: token})
		if changed.Disabled != (change == "disable") || me.status != status {
			t.Errorf("%s: %+v, then %d", change, changed, me.status)
		}
	}
}

func TestTokenOfATokenIsCapped(t *testing.T) {
	t.Parallel()
	b := setup(t)
	as[client.User](t, b, 201, "POST", "/api/v1/users", `{"name":"ann"}`)
	short := as[client.Token](t, b, 201, "POST", "/api/v1/tokens", `{"user":"ann","expires_in_s":3600}`)
	got := send(t, b.http, request{method: "POST", path: "/api/v1/tokens", body: `{"user":"ann"}`, token: short.Secret})
	if got.status != 201 || !strings.Contains(got.text, `"capped":true`) || !strings.Contains(got.text, `"expires_at"`) {
		t.Errorf("%d %s", got.status, got.text)
	}
}

func TestAdministrationRefusals(t *testing.T) {
	t.Parallel()
	b := setup(t)
	as[client.User](t, b, 201, "POST", "/api/v1/users", `{"name":"ann","roles":[{"project":1,"role":"viewer"}]}`)
	as[client.User](t, b, 201, "POST", "/api/v1/users", `{"name":"bob"}`)
	ann := as[client.Token](t, b, 201, "POST", "/api/v1/tokens", `{"user":"ann"}`).Secret
	bob := as[client.Token](t, b, 201, "POST", "/api/v1/tokens", `{"user":"bob"}`)

	for name, c := range map[string]struct {
		token, method, path, body string
		status                    int
		code                      string
	}{
		"nobody":                       {"", "GET", "/api/v1/me", "", 401, "unauthenticated"},
		"nobody writes":                {"", "POST", "/api/v1/projects", `{"name":"x"}`, 401, "unauthenticated"},
		"wrong token":                  {"wrong", "GET", "/api/v1/me", "", 401, "unauthenticated"},
		"no admin":                     {ann, "POST", "/api/v1/apps", `{"code":"x"}`, 403, "denied"},
		"no admin lists":               {ann, "GET", "/api/v1/users", "", 403, "denied"},
		"token for another":            {ann, "POST", "/api/v1/tokens", `{"user":"bob"}`, 403, "denied"},
		"tokens of another":            {ann, "GET", "/api/v1/tokens?user=bob", "", 403, "denied"},
		"revoke of another's token":    {ann, "DELETE", "/api/v1/tokens/" + bob.ID, "", 404, "not_found"},
		"viewer makes a task":          {ann, "POST", "/api/v1/projects/1/tasks", `{"name":"x","tree":{}}`, 403, "denied"},
		"viewer stores a flow":         {ann, "POST", "/api/v1/projects/1/flows", `{"name":"x","tree":{}}`, 403, "denied"},
		"viewer imports flows":         {ann, "POST", "/api/v1/projects/1/flows/import", `{"format":"yaml","text":"x"}`, 403, "denied"},
		"viewer checks flows":          {ann, "POST", "/api/v1/projects/1/flows/check", `{"format":"yaml","text":"x"}`, 403, "denied"},
		"no role exports":              {bob.Secret, "GET", "/api/v1/projects/1/flows/export?id=1", "", 403, "denied"},
		"no role":                      {bob.Secret, "GET", "/api/v1/projects/1/tasks", "", 403, "denied"},
		"project that there is not":    {ann, "GET", "/api/v1/projects/99/tasks", "", 404, "not_found"},
		"user twice":                   {"admin", "POST", "/api/v1/users", `{"name":"ann","admin":true}`, 409, "conflict"},
		"business twice":               {"admin", "POST", "/api/v1/projects", `{"name":"x","bk_biz_id":2}`, 409, "conflict"},
		"role in no project":           {"admin", "POST", "/api/v1/users", `{"name":"eve","roles":[{"project":99,"role":"viewer"}]}`, 404, "not_found"},
		"unknown role":                 {"admin", "POST", "/api/v1/users", `{"name":"eve","roles":[{"project":1,"role":"king"}]}`, 422, "invalid"},
		"unknown field":                {"admin", "POST", "/api/v1/users", `{"name":"eve","amdin":true}`, 422, "invalid"},
		"trust in no project":          {"admin", "POST", "/api/v1/apps", `{"code":"eve","trusted_projects":[99]}`, 404, "not_found"},
		"unknown zone":                 {"admin", "POST", "/api/v1/projects", `{"name":"x","time_zone":"Mars/North"}`, 422, "invalid"},
		"empty name":                   {"admin", "POST", "/api/v1/projects", `{"name":" "}`, 422, "invalid"},
		"link for nobody":              {"admin", "POST", "/api/v1/login-links", `{"user":"eve"}`, 404, "not_found"},
		"no JSON":                      {"admin", "POST", "/api/v1/users", `{"name":`, 400, "invalid"},
		"key twice":                    {"admin", "POST", "/api/v1/users", `{"name":"a","name":"b"}`, 400, "invalid"},
		"no body":                      {"admin", "POST", "/api/v1/users", "", 400, "invalid"},
		"grant of nothing":             {"admin", "POST", "/api/v1/users/ann/grant", `{"roles":[]}`, 422, "invalid"},
		"grant of no role":             {"admin", "POST", "/api/v1/users/ann/grant", `{"roles":[{"project":1,"role":"king"}]}`, 422, "invalid"},
		"grant to nobody":              {"admin", "POST", "/api/v1/users/eve/grant", `{"roles":[{"project":1,"role":"none"}]}`, 404, "not_found"},
		"half a grant":                 {"admin", "POST", "/api/v1/users/bob/grant", `{"roles":[{"project":1,"role":"viewer"},{"project":99,"role":"viewer"}]}`, 404, "not_found"},
		"disable of nobody":            {"admin", "POST", "/api/v1/users/eve/disable", "", 404, "not_found"},
		"secret for no app":            {"admin", "POST", "/api/v1/apps/eve/secrets", "", 404, "not_found"},
		"enable of no app":             {"admin", "POST", "/api/v1/apps/eve/enable", "", 404, "not_found"},
		"trust of no app":              {"admin", "POST", "/api/v1/apps/eve/trust", "{}", 404, "not_found"},
		"distrust of no app":           {"admin", "POST", "/api/v1/apps/eve/distrust", `{"project":1}`, 404, "not_found"},
		"no admin grants":              {ann, "POST", "/api/v1/users/ann/grant", `{"roles":[{"project":1,"role":"admin"}]}`, 403, "denied"},
		"no admin disables":            {ann, "POST", "/api/v1/users/bob/disable", "", 403, "denied"},
		"no admin takes a secret":      {ann, "POST", "/api/v1/apps/eve/secrets", "", 403, "denied"},
		"no such address":              {"admin", "GET", "/api/v1/nothing", "", 404, "not_found"},
		"no such method":               {"admin", "DELETE", "/api/v1/users", "", 405, "not_found"},
		"id of letters":                {"admin", "GET", "/api/v1/projects/x/tasks", "", 422, "invalid"},
		"id beyond every number":       {"admin", "GET", "/api/v1/projects/1/tasks/99999999999999999999", "", 422, "invalid"},
		"secret where a number is due": {"admin", "POST", "/api/v1/tokens", `{"user":"ann","expires_in_s":"hush-hush"}`, 422, "invalid"},
	} {
		t.Run(name, func(t *testing.T) {
			door, token := b.http, c.token
			if token == "admin" {
				door, token = b.local, ""
			}
			got := send(t, door, request{method: c.method, path: c.path, body: c.body, token: token})
			if got.status != c.status || !strings.Contains(got.text, `"code":"`+c.code+`"`) {
				t.Errorf("status %d, want %d %s: %s", got.status, c.status, c.code, got.text)
			}
			if kind := got.header.Get("Content-Type"); kind != "application/problem+json" {
				t.Errorf("Content-Type %q", kind)
			}
			if !strings.Contains(got.text, `"request_id":"`) || strings.Contains(got.text, "hush-hush") {
				t.Errorf("answer %s", got.text)
			}
		})
	}
	if users := as[client.UserList](t, b, 200, "GET", "/api/v1/users", ""); len(users.Users) != 2 {
		t.Errorf("a refusal left a user: %+v", users)
	}
	if apps := as[client.AppList](t, b, 200, "GET", "/api/v1/apps", ""); len(apps.Apps) != 0 {
		t.Errorf("a refusal left an app: %+v", apps)
	}
}

func TestRequestsWithCookies(t *testing.T) {
	t.Parallel()
	b := setup(t)
	as[client.User](t, b, 201, "POST", "/api/v1/users", `{"name":"ann","admin":true}`)
	token := as[client.Token](t, b, 201, "POST", "/api/v1/tokens", `{"user":"ann"}`).Secret
	session, _, err := b.svc.SignInWithToken(t.Context(), token)
	must(t, err)
	cookie := "stdops_session=" + session
	write := request{method: "POST", path: "/api/v1/projects", body: `{"name":"x"}`}

	for name, c := range map[string]struct {
		header map[string]string
		status int
	}{
		"other server":    {map[string]string{"Cookie": "__Host-" + cookie, "Sec-Fetch-Site": "same-origin"}, 401},
		"own page":        {map[string]string{"Cookie": cookie, "Sec-Fetch-Site": "same-origin"}, 201},
		"other site":      {map[string]string{"Cookie": cookie, "Sec-Fetch-Site": "cross-site"}, 403},
		"other origin":    {map[string]string{"Cookie": cookie, "Origin": "http://evil.example"}, 403},
		"form":            {map[string]string{"Cookie": cookie, "Sec-Fetch-Site": "same-origin", "Content-Type": "text/plain"}, 415},
		"unknown session": {map[string]string{"Cookie": "stdops_session=x"}, 401},
	} {
		t.Run(name, func(t *testing.T) {
			r := write
			r.header = c.header
			if got := send(t, b.http, r); got.status != c.status {
				t.Errorf("status %d, want %d: %s", got.status, c.status, got.text)
			}
		})
	}
}

func TestTokenSentTwice(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, value := range []string{"Basic YTpi", "Bearer ", "Bearer"} {
		got := send(t, b.http, request{method: "GET", path: "/api/v1/me", header: map[string]string{"Authorization": value}})
		if got.status != 401 {
			t.Errorf("Authorization %q: %d %s", value, got.status, got.text)
		}
	}
}
