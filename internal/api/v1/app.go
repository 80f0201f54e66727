package v1

import (
	"context"
	"net/http"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/client"
	"github.com/stdops/stdops/internal/service"
)

// appPath is the path of a route about one application.
type appPath struct {
	Code string `path:"code" maxLength:"128"`
}

type trustInput struct {
	Code string `path:"code" maxLength:"128"`
	Body client.Trust
}

// apps adds the listing, registering and changing of applications.
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
			secret, err := s.svc.CreateApp(ctx, caller, n)
			return s.app(ctx, caller, changedApp{n.Code, secret, err})
		})
	add(s, route{method: http.MethodPost, path: "/apps/{code}/secrets", id: "create-app-secret", about: "Give an application a further secret; of three the oldest goes", needs: needsAdmin, status: created},
		func(ctx context.Context, caller *service.Caller, in *appPath) (*body[client.App], error) {
			secret, err := s.svc.AddAppSecret(ctx, caller, in.Code)
			return s.app(ctx, caller, changedApp{in.Code, secret, err})
		})
	s.appSwitches()
}

// appSwitches adds what an application is allowed and what is taken from it.
func (s *server) appSwitches() {
	for _, c := range []struct {
		path, id, about string
		change          func(context.Context, *service.Caller, string) error
	}{
		{"/apps/{code}/disable", "disable-app", "Make the credentials of an application useless", s.svc.DisableApp},
		{"/apps/{code}/enable", "enable-app", "Let a disabled application in again", s.svc.EnableApp},
	} {
		add(s, route{method: http.MethodPost, path: c.path, id: c.id, about: c.about, needs: needsAdmin},
			func(ctx context.Context, caller *service.Caller, in *appPath) (*body[client.App], error) {
				return s.app(ctx, caller, changedApp{code: in.Code, err: c.change(ctx, caller, in.Code)})
			})
	}
	for _, c := range []struct {
		path, id, about string
		change          func(context.Context, *service.Caller, string, stdops.ProjectID) error
	}{
		{"/apps/{code}/trust", "trust-app", "Trust an application, in a project or in all", s.svc.TrustApp},
		{"/apps/{code}/distrust", "distrust-app", "Take trust back, in a project or all of it", s.svc.DistrustApp},
	} {
		add(s, route{method: http.MethodPost, path: c.path, id: c.id, about: c.about, needs: needsAdmin},
			func(ctx context.Context, caller *service.Caller, in *trustInput) (*body[client.App], error) {
				err := c.change(ctx, caller, in.Code, stdops.ProjectID(in.Body.Project))
				return s.app(ctx, caller, changedApp{code: in.Code, err: err})
			})
	}
}

// changedApp is the outcome of a change.
type changedApp struct {
	code, secret string
	err          error
}

// app answers with an application as it is after a change.
func (s *server) app(ctx context.Context, caller *service.Caller, changed changedApp) (*body[client.App], error) {
	if changed.err != nil {
		return nil, changed.err
	}
	found, err := s.svc.App(ctx, caller, changed.code)
	if err != nil {
		return nil, err
	}
	app := wireApp(found)
	app.Secret = changed.secret
	return answer(app), nil
}

func wireApp(a *service.AppEntry) client.App {
	w := client.App{Code: a.Code, Name: a.Name, Trusted: a.Trusted, Disabled: a.Disabled, Created: a.Created}
	for _, id := range a.Projects {
		w.Projects = append(w.Projects, int64(id))
	}
	return w
}
