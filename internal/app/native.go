package app

import (
	"context"
	"net/http"
	"strings"

	"github.com/stdops/stdops/internal/api"
	v1 "github.com/stdops/stdops/internal/api/v1"
	"github.com/stdops/stdops/internal/service"
	"github.com/stdops/stdops/internal/store"
)

// ErrInUse is wrapped by the refusal of a data directory that another process has.
var ErrInUse = store.ErrInUse

// native makes the handler of the native API; the local one takes everybody for an administrator.
func (a *App) native(bodies *api.Bodies, local bool) (http.Handler, error) {
	return v1.New(a.service, v1.Options{
		PublicURL: a.options.PublicURL, Version: a.options.Version, Commit: a.options.Commit, Local: local,
		Bodies: bodies, Log: a.log,
	})
}

// FirstSignIn gives a link for the first person at a server that nobody can sign in to yet, "" at any other: whoever uses
// it becomes administrator.
func (a *App) FirstSignIn(ctx context.Context) (string, error) {
	if a.service.HasAdmin() {
		return "", nil
	}
	secret, _, err := a.service.CreateLoginLink(ctx, service.LocalAdmin(), "")
	if err != nil {
		return "", err
	}
	return strings.TrimRight(a.options.PublicURL, "/") + "/login/" + secret, nil
}
