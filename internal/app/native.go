package app

import (
	"context"
	"net/http"
	"strings"

	v1 "github.com/stdops/stdops/internal/api/v1"
	"github.com/stdops/stdops/internal/service"
	"github.com/stdops/stdops/internal/store"
)

// ErrInUse is wrapped by the refusal of a data directory that another process has.
var ErrInUse = store.ErrInUse

// ErrDamaged is wrapped by the refusal of a database whose files are not what was written.
var ErrDamaged = store.ErrDamaged

// native makes the handler of the native API; o says what the two of a server differ in.
func (a *App) native(o v1.Options) (http.Handler, error) {
	o.Watch, o.PublicURL, o.Version, o.Commit, o.Log = a.watch, a.options.PublicURL, a.options.Version, a.options.Commit, a.log
	return v1.New(a.service, o)
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
