package service

import (
	"context"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/store"
)

// SignInWithToken opens a session for the user of a token. The session ends with the token, whether that expires or is
// revoked.
func (s *Service) SignInWithToken(ctx context.Context, secret string) (session string, caller *Caller, err error) {
	known, err := s.current(ctx)
	if err != nil {
		return "", nil, err
	}
	hash, now := s.hash(userToken, secret), s.store.Now()
	found, ok := known.tokens[string(hash)]
	if !ok || !found.expires.IsZero() && !now.Before(found.expires) {
		return "", nil, errToken()
	}
	caller = &Caller{until: found.expires}
	if err := known.become(found.user, caller); err != nil {
		return "", nil, err
	}
	session = newSecret()
	err = s.store.CreateSession(ctx, store.Session{
		Hash: s.hash(sessionKey, session), User: found.user, Token: hash,
		Created: now, Expires: earlier(found.expires, now.Add(sessionLife)),
	})
	if stdops.ErrorCode(err) == stdops.CodeNotFound { // revoked meanwhile
		err = errToken()
	}
	if err != nil {
		return "", nil, err
	}
	return session, caller, nil
}

// LoginLinkUser looks at a sign-in link without using it: it gives the user whom the link signs in, "" when whoever uses
// it becomes an administrator. A link that would be refused by [Service.SignIn] is refused here.
func (s *Service) LoginLinkUser(ctx context.Context, secret string) (user string, err error) {
	link, err := s.store.LoginLink(ctx, s.hash(loginLink, secret), s.store.Now())
	return link.User, err
}
