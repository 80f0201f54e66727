package v1

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/client"
	"github.com/stdops/stdops/internal/api"
	"github.com/stdops/stdops/internal/service"
)

// sessions adds how browsers sign in and out. These routes are open to everybody, and hold to the rules for browsers: a
// page of another site must neither sign a browser in nor out.
func (s *server) sessions() {
	add(s, route{method: http.MethodGet, path: "/session", id: "session", about: "Who is signed in, if anybody", needs: needsNothing, browser: true}, s.session)
	add(s, route{
		method: http.MethodPost, path: "/session", id: "sign-in", about: "Open a session by a token or a sign-in link; it travels as a cookie",
		needs: needsNothing, browser: true, body: smallSignIn,
	}, s.signIn)
	add(s, route{
		method: http.MethodDelete, path: "/session", id: "sign-out", about: "End the session", needs: needsNothing, browser: true,
		status: http.StatusNoContent,
	}, s.signOut)
	add(s, route{
		method: http.MethodPost, path: "/session:link", id: "sign-in-link", about: "Whom a sign-in link is for; it is not used up",
		needs: needsNothing, browser: true, body: smallSignIn,
	}, s.signInLink)
}

// smallSignIn bounds what strangers can make the server read.
const smallSignIn = 16 << 10

// visitor is what a browser says beside what it asks for.
type visitor struct {
	session string // that its cookie names
	peer    string // address and port that it comes from
}

type visitorKey struct{}

func visitorOf(ctx context.Context) visitor {
	v, _ := ctx.Value(visitorKey{}).(visitor)
	return v
}

// visit refuses what another site makes a browser send, before anything of a body is read. Whoever asks through the socket
// is no browser.
func (s *server) visit(ctx huma.Context, next func(huma.Context)) {
	r, _ := humago.Unwrap(ctx)
	if s.options.Local {
		next(ctx)
		return
	}
	if err := s.browser.Check(r); err != nil {
		s.refuse(ctx, err)
		return
	}
	next(huma.WithValue(ctx, visitorKey{}, visitor{session: s.cookie.Of(r), peer: s.options.Proxies.Peer(r)}))
}

func (s *server) session(ctx context.Context, _ *service.Caller, _ *none) (*body[client.Session], error) {
	state := client.Session{Fresh: !s.svc.HasAdmin(), TimeZone: s.svc.TimeZone()}
	who := callerOf(ctx)
	switch {
	case who.err == nil:
		state.User, state.Admin = who.caller.User, who.caller.Admin()
	case stdops.ErrorCode(who.err) != stdops.CodeUnauthenticated:
		return nil, who.err
	}
	return answer(state), nil
}

// withCookie is an answer that changes the cookie of a browser.
type withCookie[T any] struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
	Body      T
}

type cookieOnly struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
}

func (s *server) signIn(ctx context.Context, _ *service.Caller, in *body[client.SignIn]) (*withCookie[client.Me], error) {
	token, link := strings.TrimSpace(in.Body.Token), strings.TrimSpace(in.Body.Link)
	if (token == "") == (link == "") {
		return nil, stdops.Errorf(stdops.CodeInvalid, "a session is opened by a token or by a link: send one of the two")
	}
	peer := visitorOf(ctx).peer
	if err := s.svc.AdmitSignIn(peer); err != nil {
		return nil, err
	}
	var (
		session string
		caller  *service.Caller
		err     error
	)
	if token != "" {
		session, caller, err = s.svc.SignInWithToken(ctx, token)
	} else {
		session, caller, err = s.signInByLink(ctx, link, in.Body.Name)
	}
	if err != nil {
		return nil, s.guessed(peer, link, err)
	}
	api.LogEntry(ctx).User = caller.User
	return &withCookie[client.Me]{*s.cookie.With(session), s.me(caller)}, nil
}

// signInByLink uses a link up. The name counts only for one that has no user yet.
func (s *server) signInByLink(ctx context.Context, link, name string) (string, *service.Caller, error) {
	user, err := s.svc.LoginLinkUser(ctx, link)
	if err != nil {
		return "", nil, err
	}
	if user == "" {
		user = strings.TrimSpace(name)
	}
	return s.svc.SignIn(ctx, link, user)
}

// guessed counts a wrong token or link, and says which of them it was.
func (s *server) guessed(peer, link string, err error) error {
	s.svc.CountSignIn(peer, err)
	switch {
	case stdops.ErrorCode(err) != stdops.CodeUnauthenticated:
		return err
	case link != "":
		return stdops.Errorf(stdops.CodeGone, "this sign-in link is unknown, has expired or was used")
	default:
		return stdops.Errorf(stdops.CodeUnauthenticated, "this token is unknown or has expired")
	}
}

// signOut ends the session on the server, not only in the browser.
func (s *server) signOut(ctx context.Context, _ *service.Caller, _ *none) (*cookieOnly, error) {
	if session := visitorOf(ctx).session; session != "" {
		if err := s.svc.SignOut(ctx, session); err != nil {
			return nil, err
		}
	}
	return &cookieOnly{*s.cookie.Dropped()}, nil
}

func (s *server) signInLink(ctx context.Context, _ *service.Caller, in *body[client.SignInLink]) (*body[client.SignInLinkUser], error) {
	peer, link := visitorOf(ctx).peer, strings.TrimSpace(in.Body.Link)
	if err := s.svc.AdmitSignIn(peer); err != nil {
		return nil, err
	}
	user, err := s.svc.LoginLinkUser(ctx, link)
	if err != nil {
		return nil, s.guessed(peer, link, err)
	}
	return answer(client.SignInLinkUser{User: user, Fresh: !s.svc.HasAdmin()}), nil
}
