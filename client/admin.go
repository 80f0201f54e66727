package client

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// Project owns flows and tasks.
type Project struct {
	ID       int64     `json:"id"`
	Name     string    `json:"name"`
	Biz      int64     `json:"bk_biz_id,omitempty" doc:"The CMDB business that it is bound to, if any"`
	TimeZone string    `json:"time_zone,omitempty" doc:"Absent: that of the server"`
	Created  time.Time `json:"created_at"`
}

// ProjectDetail is a project with who looks after it.
type ProjectDetail struct {
	Project
	Admins      []string `json:"admins" doc:"Users with the role admin in it"`
	Permissions []string `json:"permissions" doc:"What the caller may do in it"`
}

// NewProject is a project to be made.
type NewProject struct {
	Name     string `json:"name" minLength:"1" maxLength:"128"`
	Biz      int64  `json:"bk_biz_id,omitempty" minimum:"0" doc:"0: bound to no business"`
	TimeZone string `json:"time_zone,omitempty" maxLength:"64" doc:"An IANA name"`
}

// ProjectList holds the projects that the caller may see.
type ProjectList struct {
	Projects []Project `json:"projects"`
}

// App is a program that calls the API with a code and a secret.
type App struct {
	Code     string    `json:"code"`
	Name     string    `json:"name"`
	Trusted  bool      `json:"trusted" doc:"May name any user and skips permission checks, in all projects"`
	Projects []int64   `json:"trusted_projects,omitempty" doc:"The same, in single projects"`
	Disabled bool      `json:"disabled,omitempty"`
	Created  time.Time `json:"created_at"`
	Secret   string    `json:"secret,omitempty" doc:"Shown once, in the answer that made it"`
}

// NewApp is an app to be registered.
type NewApp struct {
	Code     string  `json:"code" minLength:"1" maxLength:"128"`
	Name     string  `json:"name,omitempty" maxLength:"128"`
	Trusted  bool    `json:"trusted,omitempty"`
	Projects []int64 `json:"trusted_projects,omitempty" maxItems:"1000"`
}

// Trust says where an app is trusted, or no longer.
type Trust struct {
	Project int64 `json:"project,omitempty" minimum:"0" doc:"Absent or 0: in all projects"`
}

// AppList holds all apps.
type AppList struct {
	Apps []App `json:"apps"`
}

// Role is what a user is in a project.
type Role struct {
	Project int64  `json:"project" minimum:"1"`
	Role    string `json:"role" enum:"viewer,operator,editor,admin"`
}

// User is a person.
type User struct {
	Name     string    `json:"name"`
	Admin    bool      `json:"admin" doc:"May do everything everywhere"`
	Disabled bool      `json:"disabled,omitempty"`
	Roles    []Role    `json:"roles,omitempty"`
	Created  time.Time `json:"created_at"`
}

// NewUser is a user to be made.
type NewUser struct {
	Name  string `json:"name" minLength:"1" maxLength:"128"`
	Admin bool   `json:"admin,omitempty"`
	Roles []Role `json:"roles,omitempty" maxItems:"1000"`
}

// NoRole takes the role in a project away.
const NoRole = "none"

// GrantedRole is what a user is to be in a project.
type GrantedRole struct {
	Project int64  `json:"project" minimum:"1"`
	Role    string `json:"role" enum:"viewer,operator,editor,admin,none" doc:"In place of the role that the user has there; none takes it away"`
}

// Grant changes the roles of a user; those in other projects stay.
type Grant struct {
	Roles []GrantedRole `json:"roles" minItems:"1" maxItems:"1000"`
}

// UserList holds all users.
type UserList struct {
	Users []User `json:"users"`
}

// Token lets a program act for a user.
type Token struct {
	ID      string    `json:"id" doc:"Names the token without giving it away"`
	User    string    `json:"user"`
	Name    string    `json:"name,omitempty" doc:"What it is for"`
	Created time.Time `json:"created_at"`
	Expires time.Time `json:"expires_at,omitzero" doc:"Absent: never"`
	Capped  bool      `json:"capped,omitempty" doc:"In the answer to its creation: it expires earlier than was asked for, with the token of its maker"`
	Secret  string    `json:"token,omitempty" doc:"Shown once, in the answer to its creation"`
}

// NewToken is a token to be made.
type NewToken struct {
	User string `json:"user" minLength:"1" maxLength:"128"`
	Name string `json:"name,omitempty" maxLength:"128"`
	Life int64  `json:"expires_in_s,omitempty" minimum:"0" maximum:"3153600000" doc:"0: it never expires"`
}

// TokenList holds tokens.
type TokenList struct {
	Tokens []Token `json:"tokens"`
}

// NewLoginLink asks for a link that signs in whoever opens it first.
type NewLoginLink struct {
	User string `json:"user,omitempty" maxLength:"128" doc:"Without one the first to use it becomes an administrator"`
}

// LoginLink is such a link.
type LoginLink struct {
	URL     string    `json:"url"`
	Expires time.Time `json:"expires_at"`
}

// Projects lists the projects that the caller may see.
func (c *Client) Projects(ctx context.Context) (*ProjectList, error) {
	list := &ProjectList{}
	return list, c.call(ctx, http.MethodGet, "/projects", nil, list)
}

// Project tells about a project.
func (c *Client) Project(ctx context.Context, id int64) (*ProjectDetail, error) {
	p := &ProjectDetail{}
	return p, c.call(ctx, http.MethodGet, fmt.Sprintf("/projects/%d", id), nil, p)
}

// CreateProject makes a project.
func (c *Client) CreateProject(ctx context.Context, n NewProject) (*Project, error) {
	p := &Project{}
	return p, c.call(ctx, http.MethodPost, "/projects", n, p)
}

// Apps lists the apps.
func (c *Client) Apps(ctx context.Context) (*AppList, error) {
	list := &AppList{}
	return list, c.call(ctx, http.MethodGet, "/apps", nil, list)
}

// CreateApp registers an app and gives its secret.
func (c *Client) CreateApp(ctx context.Context, n NewApp) (*App, error) {
	a := &App{}
	return a, c.call(ctx, http.MethodPost, "/apps", n, a)
}

// CreateAppSecret gives an app a further secret. The newest of those that it had goes on to count, so that it can be
// exchanged without an interruption; older ones do not.
func (c *Client) CreateAppSecret(ctx context.Context, code string) (*App, error) {
	return c.changeApp(ctx, code, "secrets", nil)
}

// DisableApp makes the credentials of an app useless.
func (c *Client) DisableApp(ctx context.Context, code string) (*App, error) {
	return c.changeApp(ctx, code, "disable", nil)
}

// EnableApp lets a disabled app in again.
func (c *Client) EnableApp(ctx context.Context, code string) (*App, error) {
	return c.changeApp(ctx, code, "enable", nil)
}

// TrustApp lets an app name any user and skip permission checks.
func (c *Client) TrustApp(ctx context.Context, code string, t Trust) (*App, error) {
	return c.changeApp(ctx, code, "trust", t)
}

// DistrustApp takes trust back, without a project all that the app has.
func (c *Client) DistrustApp(ctx context.Context, code string, t Trust) (*App, error) {
	return c.changeApp(ctx, code, "distrust", t)
}

func (c *Client) changeApp(ctx context.Context, code, change string, in any) (*App, error) {
	a := &App{}
	return a, c.call(ctx, http.MethodPost, "/apps/"+url.PathEscape(code)+"/"+change, in, a)
}

// Users lists the users.
func (c *Client) Users(ctx context.Context) (*UserList, error) {
	list := &UserList{}
	return list, c.call(ctx, http.MethodGet, "/users", nil, list)
}

// CreateUser makes a user.
func (c *Client) CreateUser(ctx context.Context, n NewUser) (*User, error) {
	u := &User{}
	return u, c.call(ctx, http.MethodPost, "/users", n, u)
}

// DisableUser makes the tokens and sessions of a user useless.
func (c *Client) DisableUser(ctx context.Context, name string) (*User, error) {
	return c.changeUser(ctx, name, "disable", nil)
}

// EnableUser lets a disabled user in again.
func (c *Client) EnableUser(ctx context.Context, name string) (*User, error) {
	return c.changeUser(ctx, name, "enable", nil)
}

// Grant changes roles of a user.
func (c *Client) Grant(ctx context.Context, name string, g Grant) (*User, error) {
	return c.changeUser(ctx, name, "grant", g)
}

func (c *Client) changeUser(ctx context.Context, name, change string, in any) (*User, error) {
	u := &User{}
	return u, c.call(ctx, http.MethodPost, "/users/"+url.PathEscape(name)+"/"+change, in, u)
}

// Tokens lists the tokens of a user; "" lists those of all users, for administrators.
func (c *Client) Tokens(ctx context.Context, user string) (*TokenList, error) {
	path := "/tokens"
	if user != "" {
		path += "?" + url.Values{"user": {user}}.Encode()
	}
	list := &TokenList{}
	return list, c.call(ctx, http.MethodGet, path, nil, list)
}

// CreateToken makes a token and gives its secret.
func (c *Client) CreateToken(ctx context.Context, n NewToken) (*Token, error) {
	t := &Token{}
	return t, c.call(ctx, http.MethodPost, "/tokens", n, t)
}

// RevokeToken makes the token with that id useless, and ends the sessions that were opened with it.
func (c *Client) RevokeToken(ctx context.Context, id string) error {
	return c.call(ctx, http.MethodDelete, "/tokens/"+url.PathEscape(id), nil, nil)
}

// CreateLoginLink makes a link for one sign-in at the pages of the server.
func (c *Client) CreateLoginLink(ctx context.Context, n NewLoginLink) (*LoginLink, error) {
	l := &LoginLink{}
	return l, c.call(ctx, http.MethodPost, "/login-links", n, l)
}
