package service

import (
	"context"
	"slices"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/store"
)

// AppEntry is an application as administrators see it.
type AppEntry struct {
	Code, Name string
	Trusted    bool // in all projects
	Projects   []stdops.ProjectID
	Disabled   bool
	Created    time.Time
}

// NewApp is an application to be registered.
type NewApp struct {
	Code, Name string // the name "" means the code
	Trusted    bool
	Projects   []stdops.ProjectID // to be trusted in
}

// Apps lists the applications by code.
func (s *Service) Apps(ctx context.Context, by *Caller) ([]AppEntry, error) {
	if err := by.requireAdmin(); err != nil {
		return nil, err
	}
	stored, err := s.store.LoadIdentity(ctx)
	if err != nil {
		return nil, err
	}
	trusted := map[string][]stdops.ProjectID{}
	for _, t := range stored.Trusts {
		trusted[t.App] = append(trusted[t.App], t.Project)
	}
	apps := make([]AppEntry, len(stored.Apps))
	for i, a := range stored.Apps {
		apps[i] = AppEntry{
			Code: a.Code, Name: a.Name, Trusted: a.TrustedAll, Projects: trusted[a.Code], Disabled: a.Disabled, Created: a.Created,
		}
	}
	return apps, nil
}

// App gives one application.
func (s *Service) App(ctx context.Context, by *Caller, code string) (*AppEntry, error) {
	apps, err := s.Apps(ctx, by)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(apps, func(a AppEntry) bool { return a.Code == code })
	if i < 0 {
		return nil, stdops.Errorf(stdops.CodeNotFound, "app %.128s does not exist", code)
	}
	return &apps[i], nil
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
		err := s.store.CreateApp(ctx, created, s.hash(secretOfApp, secret))
		if stdops.ErrorCode(err) == stdops.CodeRefused { // another process was faster
			return nil
		}
		return err
	})
}

// CreateApp registers an application and gives its secret, which is shown this once.
func (s *Service) CreateApp(ctx context.Context, by *Caller, n NewApp) (secret string, err error) {
	if err := checkName("app code", n.Code); err != nil {
		return "", err
	}
	if n.Name == "" {
		n.Name = n.Code
	}
	secret = newSecret()
	err = s.administer(ctx, by, func(*identity) error {
		created := store.App{Code: n.Code, Name: n.Name, TrustedAll: n.Trusted, Created: s.store.Now()}
		return s.store.CreateApp(ctx, created, s.hash(secretOfApp, secret), n.Projects...)
	})
	if err != nil {
		return "", err
	}
	return secret, nil
}

// AddAppSecret gives an app a further secret; of the earlier ones the newest goes on to count while it is exchanged.
func (s *Service) AddAppSecret(ctx context.Context, by *Caller, code string) (secret string, err error) {
	secret = newSecret()
	err = s.administer(ctx, by, func(*identity) error {
		return s.store.AddSecret(ctx, store.AppSecret{App: code, Hash: s.hash(secretOfApp, secret), Created: s.store.Now()})
	})
	if err != nil {
		return "", err
	}
	return secret, nil
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

// DistrustApp takes a trust back, 0 for every trust that the app has. The trust in all projects is not taken back for a
// single one: that would leave the app trusted there.
func (s *Service) DistrustApp(ctx context.Context, by *Caller, code string, project stdops.ProjectID) error {
	return s.administer(ctx, by, func(known *identity) error {
		switch a := known.apps[code]; {
		case a == nil:
			return stdops.Errorf(stdops.CodeNotFound, "app %.128s does not exist", code)
		case project != 0 && a.trust.all:
			return stdops.Errorf(stdops.CodeRefused,
				"app %s is trusted in all projects; take that back first, then trust it in those that are meant", code)
		}
		return s.store.DistrustApp(ctx, store.AppTrust{App: code, Project: project})
	})
}
