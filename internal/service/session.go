package service

import (
	"context"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/store"
)

const (
	loginLinkLife = 15 * time.Minute
	sessionLife   = 12 * time.Hour
)

// CreateLoginLink makes a secret for one sign-in with a browser, as a user who exists or, without one, as an administrator
// yet to be named: the way into a fresh installation. It tells how long the link counts.
func (s *Service) CreateLoginLink(ctx context.Context, by *Caller, user string) (secret string, expires time.Time, err error) {
	if err := by.requireAdmin(); err != nil {
		return "", expires, err
	}
	known, err := s.current(ctx)
	if err != nil {
		return "", expires, err
	}
	if user != "" && known.users[user] == nil {
		return "", expires, errUnknownUser(user)
	}
	secret, now := newSecret(), s.store.Now()
	expires = now.Add(loginLinkLife)
	return secret, expires, s.store.CreateLoginLink(ctx, store.LoginLink{
		Hash: s.hash(loginLink, secret), User: user, Created: now, Expires: expires,
	})
}

// HasAdmin reports whether there is a person who can administer the server. Users that a trusted application has merely
// named do not count: none of them could let anybody in.
func (s *Service) HasAdmin() bool {
	for _, u := range s.identity.Load().users {
		if u.admin && !u.disabled {
			return true
		}
	}
	return false
}

// SignIn opens a session with a sign-in link, which is used up by it. The name counts for a link without a user only:
// that user becomes an administrator.
func (s *Service) SignIn(ctx context.Context, link, name string) (session string, caller *Caller, err error) {
	if err := checkName("user name", name); err != nil {
		return "", nil, err
	}
	now := s.store.Now()
	used, err := s.store.UseLoginLink(ctx, s.hash(loginLink, link), now)
	if err != nil {
		return "", nil, err
	}
	if used.User == "" {
		used.User = name
		err = s.change(ctx, func(*identity) error {
			return s.store.MakeAdmin(ctx, name, now)
		})
		if err != nil {
			return "", nil, err
		}
	}
	session = newSecret()
	err = s.store.CreateSession(ctx, store.Session{
		Hash: s.hash(sessionKey, session), User: used.User, Created: now, Expires: now.Add(sessionLife),
	})
	if err != nil {
		return "", nil, err
	}
	caller, err = s.Session(ctx, session)
	return session, caller, err
}

// Session gives the caller of a session.
func (s *Service) Session(ctx context.Context, secret string) (*Caller, error) {
	known, err := s.current(ctx)
	if err != nil {
		return nil, err
	}
	caller := &Caller{}
	return caller, s.resume(ctx, known, secret, caller)
}

// SignOut ends a session.
func (s *Service) SignOut(ctx context.Context, secret string) error {
	return s.store.DeleteSession(ctx, s.hash(sessionKey, secret))
}

// TokenCaller gives the caller of a user's token, for the callers that need no application.
func (s *Service) TokenCaller(ctx context.Context, secret string) (*Caller, error) {
	known, err := s.current(ctx)
	if err != nil {
		return nil, err
	}
	caller := &Caller{}
	return caller, s.authenticUser(ctx, known, secret, caller)
}

// resume makes the caller the user of a session. A session that was opened with a token ends with it.
func (s *Service) resume(ctx context.Context, known *identity, secret string, caller *Caller) error {
	found, err := s.store.Session(ctx, s.hash(sessionKey, secret))
	if stdops.ErrorCode(err) == stdops.CodeNotFound {
		return errToken()
	}
	if err != nil {
		return err
	}
	if !s.store.Now().Before(found.Expires) {
		return errToken()
	}
	if found.Token != nil {
		opener, ok := known.tokens[string(found.Token)]
		if !ok {
			return errToken()
		}
		caller.until = opener.expires
	}
	return known.become(found.User, caller)
}
