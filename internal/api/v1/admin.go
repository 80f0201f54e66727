package v1

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/client"
	"github.com/stdops/stdops/internal/service"
)

// projects adds the listing and making of projects.
func (s *server) projects() {
	add(s, route{method: http.MethodGet, path: "/projects", id: "list-projects", about: "Projects that the caller may see", needs: needsCaller},
		func(ctx context.Context, caller *service.Caller, _ *none) (*body[client.ProjectList], error) {
			found, err := s.svc.Projects(ctx, caller)
			list := client.ProjectList{Projects: make([]client.Project, len(found))}
			for i := range found {
				list.Projects[i] = wireProject(&found[i])
			}
			return answer(list), err
		})
	add(s, route{method: http.MethodPost, path: "/projects", id: "create-project", about: "Make a project", needs: needsAdmin, status: created},
		func(ctx context.Context, caller *service.Caller, in *body[client.NewProject]) (*body[client.Project], error) {
			made, err := s.svc.CreateProject(ctx, caller, service.NewProject{
				Biz: in.Body.Biz, Name: in.Body.Name, TimeZone: in.Body.TimeZone,
			})
			if err != nil {
				return nil, err
			}
			return answer(wireProject(made)), nil
		})
}

func wireProject(p *service.ProjectEntry) client.Project {
	return client.Project{ID: int64(p.ID), Name: p.Name, Biz: max(p.Biz, 0), TimeZone: p.TimeZone, Created: p.Created}
}

// apps adds the listing and registering of applications.
func (s *server) apps() {
	add(s, route{method: http.MethodGet, path: "/apps", id: "list-apps", about: "Applications", needs: needsAdmin},
		func(ctx context.Context, caller *service.Caller, _ *none) (*body[client.AppList], error) {
			found, err := s.svc.Apps(ctx, caller)
			list := client.AppList{Apps: make([]client.App, len(found))}
			for i := range found {
				list.Apps[i] = wireApp(&found[i])
			}
			return answer(list), err
		})
	add(s, route{method: http.MethodPost, path: "/apps", id: "create-app", about: "Register an application", needs: needsAdmin, status: created},
		func(ctx context.Context, caller *service.Caller, in *body[client.NewApp]) (*body[client.App], error) {
			n := service.NewApp{Code: in.Body.Code, Name: in.Body.Name, Trusted: in.Body.Trusted}
			for _, id := range in.Body.Projects {
				n.Projects = append(n.Projects, stdops.ProjectID(id))
			}
			secret, made, err := s.svc.RegisterApp(ctx, caller, n)
			if err != nil {
				return nil, err
			}
			app := wireApp(&made)
			app.Secret = secret
			return answer(app), nil
		})
}

func wireApp(a *service.AppEntry) client.App {
	w := client.App{Code: a.Code, Name: a.Name, Trusted: a.Trusted, Disabled: a.Disabled, Created: a.Created}
	for _, id := range a.Projects {
		w.Projects = append(w.Projects, int64(id))
	}
	return w
}

// users adds the listing and making of users, and the links that sign them in.
func (s *server) users() {
	add(s, route{method: http.MethodGet, path: "/users", id: "list-users", about: "Users", needs: needsAdmin},
		func(ctx context.Context, caller *service.Caller, _ *none) (*body[client.UserList], error) {
			found, err := s.svc.Users(ctx, caller)
			list := client.UserList{Users: make([]client.User, len(found))}
			for i := range found {
				list.Users[i] = wireUser(&found[i])
			}
			return answer(list), err
		})
	add(s, route{method: http.MethodPost, path: "/users", id: "create-user", about: "Make a user", needs: needsAdmin, status: created},
		func(ctx context.Context, caller *service.Caller, in *body[client.NewUser]) (*body[client.User], error) {
			n := service.NewUser{Name: in.Body.Name, Admin: in.Body.Admin, Roles: map[stdops.ProjectID]service.Role{}}
			for _, r := range in.Body.Roles {
				n.Roles[stdops.ProjectID(r.Project)] = service.Role(r.Role)
			}
			made, err := s.svc.AddUser(ctx, caller, n)
			if err != nil {
				return nil, err
			}
			return answer(wireUser(made)), nil
		})
	add(s, route{method: http.MethodPost, path: "/login-links", id: "create-login-link", about: "Make a link for one sign-in", needs: needsAdmin, status: created},
		func(ctx context.Context, caller *service.Caller, in *body[client.NewLoginLink]) (*body[client.LoginLink], error) {
			secret, expires, err := s.svc.IssueLoginLink(ctx, caller, in.Body.User)
			if err != nil {
				return nil, err
			}
			return answer(client.LoginLink{
				URL: strings.TrimRight(s.options.PublicURL, "/") + "/login/" + secret, Expires: expires,
			}), nil
		})
}

func wireUser(u *service.UserEntry) client.User {
	w := client.User{Name: u.Name, Admin: u.Admin, Disabled: u.Disabled, Created: u.Created}
	for _, r := range u.SortedRoles() {
		w.Roles = append(w.Roles, client.Role{Project: int64(r.Project), Role: string(r.Role)})
	}
	return w
}

// tokens adds the listing, making and revoking of tokens.
func (s *server) tokens() {
	type query struct {
		User string `query:"user" maxLength:"128" doc:"Whose; without it all, or for others than administrators their own"`
	}
	add(s, route{method: http.MethodGet, path: "/tokens", id: "list-tokens", about: "Tokens", needs: needsCaller},
		func(ctx context.Context, caller *service.Caller, in *query) (*body[client.TokenList], error) {
			found, err := s.svc.Tokens(ctx, caller, in.User)
			list := client.TokenList{Tokens: make([]client.Token, len(found))}
			for i := range found {
				list.Tokens[i] = wireToken(&found[i])
			}
			return answer(list), err
		})
	add(s, route{method: http.MethodPost, path: "/tokens", id: "create-token", about: "Make a token", needs: needsCaller, status: created},
		func(ctx context.Context, caller *service.Caller, in *body[client.NewToken]) (*body[client.Token], error) {
			secret, made, err := s.svc.IssueToken(ctx, caller, service.NewToken{
				User: in.Body.User, Name: in.Body.Name, Life: time.Duration(in.Body.Life) * time.Second,
			})
			if err != nil {
				return nil, err
			}
			token := wireToken(&made)
			token.Secret = secret
			return answer(token), nil
		})
	type path struct {
		ID string `path:"id" maxLength:"64"`
	}
	add(s, route{method: http.MethodDelete, path: "/tokens/{id}", id: "revoke-token", about: "Make a token useless", needs: needsCaller, status: http.StatusNoContent},
		func(ctx context.Context, caller *service.Caller, in *path) (*none, error) {
			return &none{}, s.svc.RevokeTokenID(ctx, caller, in.ID)
		})
}

func wireToken(t *service.TokenEntry) client.Token {
	return client.Token{ID: t.ID, User: t.User, Name: t.Name, Created: t.Created, Expires: t.Expires}
}
