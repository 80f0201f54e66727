package v1

import (
	"context"
	"net/http"
	"time"

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
	addIn(s, route{method: http.MethodGet, path: "/projects/{project}", id: "get-project", about: "A project, and what the caller may do in it", needs: needs(service.ProjectView)}, s.getProject)
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

func (s *server) getProject(_ context.Context, a *service.Access, _ *ProjectPath) (*body[client.ProjectDetail], error) {
	entry := a.Entry()
	detail := client.ProjectDetail{Project: wireProject(&entry), Admins: s.svc.ProjectAdmins(a), Permissions: []string{}}
	for _, p := range a.Permissions() {
		detail.Permissions = append(detail.Permissions, string(p))
	}
	return answer(detail), nil
}

func wireProject(p *service.ProjectEntry) client.Project {
	return client.Project{ID: int64(p.ID), Name: p.Name, Biz: max(p.Biz, 0), TimeZone: p.TimeZone, Created: p.Created}
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
			secret, made, err := s.svc.CreateToken(ctx, caller, service.NewToken{
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
			return &none{}, s.svc.RevokeToken(ctx, caller, in.ID)
		})
}

func wireToken(t *service.TokenEntry) client.Token {
	return client.Token{ID: t.ID, User: t.User, Name: t.Name, Created: t.Created, Expires: t.Expires, Capped: t.Capped}
}
