package page

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/api"
	"github.com/stdops/stdops/internal/service"
)

// visit is a request of somebody who is signed in.
type visit struct {
	*http.Request
	caller *service.Caller
}

// signedIn lets only signed-in callers through; others are sent to the sign-in page, which leads back.
func (p *pages) signedIn(next func(http.ResponseWriter, visit)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		caller, err := p.caller(r)
		switch {
		case stdops.ErrorCode(err) == stdops.CodeUnauthenticated:
			http.Redirect(w, r, "/login?next="+url.QueryEscape(r.URL.RequestURI()), http.StatusSeeOther)
		case err != nil:
			p.fail(w, r, err)
		default:
			api.LogEntry(r.Context()).User = caller.User
			next(w, visit{r, caller})
		}
	})
}

// caller finds who is signed in.
func (p *pages) caller(r *http.Request) (*service.Caller, error) {
	session := p.cookie.Of(r)
	if session == "" {
		return nil, stdops.Errorf(stdops.CodeUnauthenticated, "not signed in")
	}
	return p.service.Session(r.Context(), session)
}

// localPath gives the address to go on to after signing in: next when it is a plain path of this server, else "/".
// Browsers take "//host" and "/\host" for other sites, and drop tabs and line ends before they look.
func localPath(next string) string {
	u, err := url.Parse(next)
	switch {
	case err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "":
		return "/"
	case !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//"):
		return "/"
	case strings.ContainsFunc(next, func(r rune) bool { return r == '\\' || r <= ' ' || r == 0x7f }):
		return "/"
	case strings.HasPrefix(u.Path, "//") || strings.HasPrefix(u.Path, "/\\"):
		return "/"
	case u.Path == "/login" || u.Path == "/logout" || strings.HasPrefix(u.Path, "/login/"):
		return "/"
	}
	return next
}
