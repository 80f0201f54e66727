package v1

import (
	"context"
	"net/http"
	"strings"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/api"
	"github.com/stdops/stdops/internal/service"
)

// who is the caller of a request, or why there is none. Routes that are open to everybody do not mind the reason.
type who struct {
	caller *service.Caller
	err    error
	stay   *stay
}

// stay is what is left to be done when a route has done its part: an answer that takes long goes on outside of it, where it
// holds neither what was sent nor the deep stack of a request that is being read.
type stay struct {
	answer func(http.ResponseWriter, *http.Request)
	leave  func() // gives the place in the gate back
}

type whoKey struct{}

func callerOf(ctx context.Context) who {
	w, ok := ctx.Value(whoKey{}).(who)
	if !ok {
		return who{err: errNobody, stay: &stay{}}
	}
	return w
}

var errNobody = stdops.Errorf(stdops.CodeUnauthenticated,
	"this needs a token: send Authorization: Bearer TOKEN (stdops token create makes one)")

// identify finds out who is asking and keeps it with the request.
func (s *server) identify(r *http.Request) *http.Request {
	caller, err := s.caller(r)
	if err == nil && !s.options.Local {
		err = s.svc.AdmitUser(caller)
	}
	if err == nil {
		entry := api.LogEntry(r.Context())
		entry.App, entry.User = caller.App, caller.User
	}
	return r.WithContext(context.WithValue(r.Context(), whoKey{}, who{caller, err, &stay{}}))
}

// caller knows a person by a token, or by the session that a browser's cookie names. A cookie travels with every request
// that any page makes a browser send, so such a request has to pass the rules for browsers.
func (s *server) caller(r *http.Request) (*service.Caller, error) {
	if s.options.Local {
		return service.LocalAdmin(), nil
	}
	token, given, err := bearer(r)
	if err != nil {
		return nil, err
	}
	if given {
		return s.svc.TokenCaller(r.Context(), token)
	}
	head, err := api.ReadHead(r, nil, s.cookie)
	if err != nil {
		return nil, err
	}
	credentials := head.Credentials(&api.Body{})
	if !credentials.Cookie {
		return nil, errNobody
	}
	if err := s.browser.Check(r); err != nil {
		return nil, err
	}
	return s.svc.TokenCaller(r.Context(), credentials.Token)
}

// bearer reads the Authorization header. One that came twice, or that is of another kind, is refused: whose request it is
// must not depend on who reads it.
func bearer(r *http.Request) (token string, given bool, err error) {
	values := r.Header.Values("Authorization")
	if len(values) == 0 {
		return "", false, nil
	}
	kind, token, _ := strings.Cut(values[0], " ")
	token = strings.TrimSpace(token)
	if len(values) > 1 || !strings.EqualFold(kind, "Bearer") || token == "" {
		return "", true, stdops.Errorf(stdops.CodeUnauthenticated, "the header Authorization must be sent once, as Bearer TOKEN")
	}
	return token, true, nil
}
