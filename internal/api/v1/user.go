package v1

import (
	"context"
	"net/http"
	"strings"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/client"
	"github.com/stdops/stdops/internal/service"
)

// userPath is the path of a route about one user.
type userPath struct {
	Name string `path:"name" maxLength:"128"`
}

type grantInput struct {
	Name string `path:"name" maxLength:"128"`
	Body client.Grant
}

// users adds the listing, making and changing of users, and the links that sign them in.
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
			n := service.NewUser{Name: in.Body.Name, Admin: in.Body.Admin, Roles: service.Roles{}}
			for _, r := range in.Body.Roles {
				n.Roles[stdops.ProjectID(r.Project)] = service.Role(r.Role)
			}
			return s.user(ctx, caller, n.Name, s.svc.CreateUser(ctx, caller, n))
		})
	s.userSwitches()
	add(s, route{method: http.MethodPost, path: "/login-links", id: "create-login-link", about: "Make a link for one sign-in", needs: needsAdmin, status: created},
		func(ctx context.Context, caller *service.Caller, in *body[client.NewLoginLink]) (*body[client.LoginLink], error) {
			secret, expires, err := s.svc.CreateLoginLink(ctx, caller, in.Body.User)
			if err != nil {
				return nil, err
			}
			return answer(client.LoginLink{
				URL: strings.TrimRight(s.options.PublicURL, "/") + "/login/" + secret, Expires: expires,
			}), nil
		})
}

// userSwitches adds what a user is allowed and what is taken from one.
func (s *server) userSwitches() {
	for _, c := range []struct {
		path, id, about string
		change          func(context.Context, *service.Caller, string) error
	}{
		{"/users/{name}/disable", "disable-user", "Make the tokens and sessions of a user useless", s.svc.DisableUser},
		{"/users/{name}/enable", "enable-user", "Let a disabled user in again", s.svc.EnableUser},
	} {
		add(s, route{method: http.MethodPost, path: c.path, id: c.id, about: c.about, needs: needsAdmin},
			func(ctx context.Context, caller *service.Caller, in *userPath) (*body[client.User], error) {
				return s.user(ctx, caller, in.Name, c.change(ctx, caller, in.Name))
			})
	}
	add(s, route{method: http.MethodPost, path: "/users/{name}/grant", id: "grant-roles", about: "Give a user roles, or take them away", needs: needsAdmin},
		func(ctx context.Context, caller *service.Caller, in *grantInput) (*body[client.User], error) {
			roles := service.Roles{}
			for _, r := range in.Body.Roles {
				if r.Role == client.NoRole {
					r.Role = ""
				}
				roles[stdops.ProjectID(r.Project)] = service.Role(r.Role)
			}
			return s.user(ctx, caller, in.Name, s.svc.Grant(ctx, caller, in.Name, roles))
		})
}

// user answers with a user as it is after a change that ended with err.
func (s *server) user(ctx context.Context, caller *service.Caller, name string, err error) (*body[client.User], error) {
	if err != nil {
		return nil, err
	}
	found, err := s.svc.User(ctx, caller, name)
	if err != nil {
		return nil, err
	}
	return answer(wireUser(found)), nil
}

func wireUser(u *service.UserEntry) client.User {
	w := client.User{Name: u.Name, Admin: u.Admin, Disabled: u.Disabled, Created: u.Created}
	for _, r := range u.Roles.Sorted() {
		w.Roles = append(w.Roles, client.Role{Project: int64(r.Project), Role: string(r.Role)})
	}
	return w
}
