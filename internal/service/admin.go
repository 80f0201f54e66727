package service

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/store"
)

// LocalAdmin is the caller behind the unix socket of the data directory: whoever can open that is admin.
func LocalAdmin() *Caller { return &Caller{User: "local", admin: true} }

// newSecret makes a secret that nobody can guess.
func newSecret() string {
	raw := make([]byte, 32)
	rand.Read(raw)
	return hex.EncodeToString(raw)
}

func (c *Caller) requireAdmin() error {
	if c.Admin() {
		return nil
	}
	return stdops.Errorf(stdops.CodeForbidden, "only an administrator may do this")
}

// administer changes who may use the server, on behalf of an administrator.
func (s *Service) administer(ctx context.Context, by *Caller, write func(known *identity) error) error {
	if err := by.requireAdmin(); err != nil {
		return err
	}
	return s.change(ctx, write)
}

// BootstrapApp makes a trusted app with a given secret, unless there is an app of that code already: so a fresh
// installation can be used without a person at it (docs/spec/api.md 3.2).
func (s *Service) BootstrapApp(ctx context.Context, code, secret string) error {
	if err := checkName("app code", code); err != nil {
		return err
	}
	if secret == "" {
		return stdops.Errorf(stdops.CodeInvalid, "app %s needs a secret", code)
	}
	return s.change(ctx, func(known *identity) error {
		if known.apps[code] != nil {
			return nil
		}
		created := store.App{Code: code, Name: code, TrustedAll: true, Created: s.store.Now()}
		return s.store.CreateApp(ctx, created, s.hash(secretOfApp, secret))
	})
}

// CreateApp registers an application and gives its secret, which is shown this once.
func (s *Service) CreateApp(ctx context.Context, by *Caller, code, name string) (secret string, err error) {
	if err := checkName("app code", code); err != nil {
		return "", err
	}
	if name == "" {
		name = code
	}
	secret = newSecret()
	return secret, s.administer(ctx, by, func(*identity) error {
		created := store.App{Code: code, Name: name, Created: s.store.Now()}
		return s.store.CreateApp(ctx, created, s.hash(secretOfApp, secret))
	})
}

// AddAppSecret gives an app a further secret; of the earlier ones the newest goes on to count while it is exchanged.
func (s *Service) AddAppSecret(ctx context.Context, by *Caller, code string) (secret string, err error) {
	secret = newSecret()
	return secret, s.administer(ctx, by, func(*identity) error {
		return s.store.AddSecret(ctx, store.AppSecret{App: code, Hash: s.hash(secretOfApp, secret), Created: s.store.Now()})
	})
}

// DisableApp makes the credentials of an app useless until [Service.EnableApp].
func (s *Service) DisableApp(ctx context.Context, by *Caller, code string) error {
	return s.administer(ctx, by, func(*identity) error { return s.store.DisableApp(ctx, code) })
}

// EnableApp undoes [Service.DisableApp].
func (s *Service) EnableApp(ctx context.Context, by *Caller, code string) error {
	return s.administer(ctx, by, func(*identity) error { return s.store.EnableApp(ctx, code) })
}

// TrustApp lets an app name any user and skip permission checks in a project, 0 for all projects.
func (s *Service) TrustApp(ctx context.Context, by *Caller, code string, project stdops.ProjectID) error {
	return s.administer(ctx, by, func(*identity) error {
		return s.store.TrustApp(ctx, store.AppTrust{App: code, Project: project})
	})
}

// DistrustApp takes a trust back, 0 for every trust that the app has.
func (s *Service) DistrustApp(ctx context.Context, by *Caller, code string, project stdops.ProjectID) error {
	return s.administer(ctx, by, func(*identity) error {
		return s.store.DistrustApp(ctx, store.AppTrust{App: code, Project: project})
	})
}

// CreateUser makes a user, or sets whether an existing one is an administrator.
func (s *Service) CreateUser(ctx context.Context, by *Caller, name string, admin bool) error {
	if err := checkName("user name", name); err != nil {
		return err
	}
	return s.administer(ctx, by, func(*identity) error {
		return s.store.CreateUser(ctx, store.User{Name: name, Admin: admin, Created: s.store.Now()})
	})
}

// Grant gives a user a role in a project; the role "" takes away what the user had.
func (s *Service) Grant(ctx context.Context, by *Caller, g store.Grant) error {
	if g.Role != store.RoleNone && !Role(g.Role).Valid() {
		return stdops.Errorf(stdops.CodeInvalid, "%q is no role: viewer, operator, editor or admin", g.Role)
	}
	return s.administer(ctx, by, func(*identity) error { return s.store.Grant(ctx, g) })
}

// CreateToken gives a program a token to act for a user; it is shown this once. A life of 0 means that it never expires.
// Users make tokens for themselves, administrators for everybody.
func (s *Service) CreateToken(ctx context.Context, by *Caller, t store.UserToken, life time.Duration) (secret string, err error) {
	if by.User != t.User || by.named {
		if err := by.requireAdmin(); err != nil {
			return "", err
		}
	}
	secret = newSecret()
	t.Hash, t.Created, t.Expires = s.hash(userToken, secret), s.store.Now(), time.Time{}
	if life > 0 {
		t.Expires = t.Created.Add(life)
	}
	return secret, s.change(ctx, func(*identity) error { return s.store.CreateToken(ctx, t) })
}

// RevokeToken makes a token useless.
func (s *Service) RevokeToken(ctx context.Context, by *Caller, user, secret string) error {
	if by.User != user || by.named {
		if err := by.requireAdmin(); err != nil {
			return err
		}
	}
	return s.change(ctx, func(*identity) error { return s.store.DeleteToken(ctx, user, s.hash(userToken, secret)) })
}
