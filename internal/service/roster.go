package service

import (
	"context"
	"fmt"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/store"
)

// reload reads the stored identity anew. Whoever writes to it holds s.writing until after the reload, so that a later
// write is never covered by an earlier reading.
func (s *Service) reload(ctx context.Context) error {
	version, err := s.store.IdentityVersion(ctx)
	if err != nil {
		return err
	}
	stored, err := s.store.LoadIdentity(ctx)
	if err != nil {
		return err
	}
	known, before := roster(stored), s.identity.Load()
	known.version = version
	if before == nil {
		before = &identity{}
	}
	s.keepPace(known, before)
	s.identity.Store(known)
	return nil
}

// current gives who may use the server as it stands now, whichever process has changed it.
func (s *Service) current(ctx context.Context) (*identity, error) {
	version, err := s.store.IdentityVersion(ctx)
	if err != nil {
		return nil, err
	}
	if known := s.identity.Load(); known.version >= version {
		return known, nil
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	if known := s.identity.Load(); known.version >= version {
		return known, nil
	}
	if err := s.reload(ctx); err != nil {
		return nil, err
	}
	return s.identity.Load(), nil
}

// roster arranges the stored identity for looking up.
func roster(stored *store.Identity) *identity {
	known := &identity{apps: map[string]*app{}, users: map[string]*user{}, tokens: map[string]token{}}
	for _, a := range stored.Apps {
		known.apps[a.Code] = &app{disabled: a.Disabled, trust: trust{all: a.TrustedAll, projects: map[stdops.ProjectID]bool{}}}
	}
	for _, secret := range stored.Secrets {
		if a := known.apps[secret.App]; a != nil {
			a.secrets = append(a.secrets, secret.Hash)
		}
	}
	for _, t := range stored.Trusts {
		if a := known.apps[t.App]; a != nil {
			a.trust.projects[t.Project] = true
		}
	}
	for _, u := range stored.Users {
		known.users[u.Name] = &user{admin: u.Admin, disabled: u.Disabled, roles: map[stdops.ProjectID]Role{}}
	}
	for _, g := range stored.Grants {
		if u := known.users[g.User]; u != nil {
			u.roles[g.Project] = Role(g.Role)
		}
	}
	for _, t := range stored.Tokens {
		known.tokens[string(t.Hash)] = token{user: t.User, expires: t.Expires}
	}
	return known
}

// change writes to the stored identity and reads it again: also when the caller went away meanwhile, since a secret that
// was taken back must not go on to count, and when the write failed, since a part of it may be stored.
func (s *Service) change(ctx context.Context, write func(known *identity) error) error {
	if _, err := s.current(ctx); err != nil {
		return err
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	err := write(s.identity.Load())
	reloaded := s.reload(context.WithoutCancel(ctx))
	switch {
	case err != nil:
		return err
	case reloaded != nil:
		return fmt.Errorf("the change is stored, but who may use the server could not be read again: %w", reloaded)
	}
	return nil
}

// addUser makes the row of a user that has none.
func (s *Service) addUser(ctx context.Context, name string) error {
	return s.change(ctx, func(known *identity) error {
		if known.users[name] != nil {
			return nil
		}
		err := s.store.CreateUser(ctx, store.User{Name: name, Created: s.store.Now()})
		if stdops.ErrorCode(err) == stdops.CodeRefused { // another process was faster
			return nil
		}
		return err
	})
}
