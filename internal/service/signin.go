package service

import (
	"context"

	"github.com/stdops/stdops/internal/store"
)

// SignInWithToken opens a session for the user of a token. The session ends with the token, when that is earlier.
func (s *Service) SignInWithToken(ctx context.Context, secret string) (session string, caller *Caller, err error) {
	known := s.identity.Load()
	found, ok := known.tokens[string(s.hash(userToken, secret))]
	now := s.store.Now()
	expires := now.Add(sessionLife)
	switch {
	case !ok:
		return "", nil, errToken()
	case found.expires.IsZero():
	case !now.Before(found.expires):
		return "", nil, errToken()
	case found.expires.Before(expires):
		expires = found.expires
	}
	caller = &Caller{}
	if err := known.become(found.user, caller); err != nil {
		return "", nil, err
	}
	session = newSecret()
	err = s.store.CreateSession(ctx, store.Session{
		Hash: s.hash(sessionKey, session), User: found.user, Created: now, Expires: expires,
	})
	return session, caller, err
}

// LoginLinkUser looks at a sign-in link without using it: it gives the user whom the link signs in, "" when whoever uses
// it becomes an administrator. A link that would be refused by [Service.SignIn] is refused here.
func (s *Service) LoginLinkUser(ctx context.Context, secret string) (user string, err error) {
	link, err := s.store.LoginLink(ctx, s.hash(loginLink, secret), s.store.Now())
	return link.User, err
}
