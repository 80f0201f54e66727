package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/stdops/stdops"
)

// liveSecrets is how many secrets of an app count at a time: the new one and, while it is rolled out, the old one.
const liveSecrets = 2

// App is a program that calls the API.
type App struct {
	Code       string
	Name       string
	TrustedAll bool // may name any user and skips permission checks, in all projects
	Disabled   bool
	Created    time.Time
}

func appFields(a *App) []any {
	return []any{&a.Code, &a.Name, &a.TrustedAll, &a.Disabled, instant(&a.Created)}
}

// AppSecret is a hashed secret of an app.
type AppSecret struct {
	App     string
	Hash    []byte
	Created time.Time
}

func secretFields(s *AppSecret) []any { return []any{&s.App, &s.Hash, instant(&s.Created)} }

// AppTrust says that an app is trusted in a project.
type AppTrust struct {
	App     string
	Project stdops.ProjectID // 0, in a call, means all projects
}

func trustFields(t *AppTrust) []any { return []any{&t.App, number(&t.Project)} }

// CreateApp stores a new app with its first secret, which may be nil for none, and the projects that it is trusted in:
// all of it or nothing.
func (s *Store) CreateApp(ctx context.Context, a App, secretHash []byte, trusted ...stdops.ProjectID) error {
	return s.write(ctx, func(ctx context.Context, tx *sql.Conn) error {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO app (code, name, trusted_all, disabled, created_at) VALUES ($1, $2, $3, $4, $5)`,
			a.Code, a.Name, a.TrustedAll, a.Disabled, micros(a.Created))
		if duplicate(err) {
			return stdops.Errorf(stdops.CodeRefused, "app %s exists already", a.Code)
		}
		if err != nil {
			return fmt.Errorf("create app %s: %w", a.Code, err)
		}
		for _, project := range trusted {
			if err := insertTrust(ctx, tx, AppTrust{App: a.Code, Project: project}); err != nil {
				return err
			}
		}
		if secretHash == nil {
			return nil
		}
		return insertSecret(ctx, tx, AppSecret{App: a.Code, Hash: secretHash, Created: a.Created})
	})
}

func insertTrust(ctx context.Context, tx *sql.Conn, t AppTrust) error {
	if err := mustExist(ctx, tx, noApp(t.App), `SELECT 1 FROM app WHERE code = $1`, t.App); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `
		INSERT INTO app_trust (app, project_id) VALUES ($1, $2) ON CONFLICT (app, project_id) DO NOTHING`,
		t.App, int64(t.Project))
	if orphan(err) {
		return noProject(t.Project)
	}
	if err != nil {
		return fmt.Errorf("trust app %s: %w", t.App, err)
	}
	return nil
}

func insertSecret(ctx context.Context, tx *sql.Conn, secret AppSecret) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO app_secret (app, hash, created_at) VALUES ($1, $2, $3)`,
		secret.App, secret.Hash, micros(secret.Created))
	if orphan(err) {
		return noApp(secret.App)
	}
	if err != nil {
		return fmt.Errorf("store secret of app %s: %w", secret.App, err)
	}
	return nil
}

// AddSecret gives an app another secret. Of those that it had, only the newest goes on to count.
func (s *Store) AddSecret(ctx context.Context, secret AppSecret) error {
	return s.write(ctx, func(ctx context.Context, tx *sql.Conn) error {
		if err := insertSecret(ctx, tx, secret); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `
			DELETE FROM app_secret WHERE app = $1
				AND id NOT IN (SELECT id FROM app_secret WHERE app = $1 ORDER BY id DESC LIMIT $2)`,
			secret.App, liveSecrets)
		if err != nil {
			return fmt.Errorf("drop old secrets of app %s: %w", secret.App, err)
		}
		return nil
	})
}

// DisableApp makes an app's credentials useless until it is enabled again.
func (s *Store) DisableApp(ctx context.Context, code string) error {
	return s.write(ctx, func(ctx context.Context, tx *sql.Conn) error {
		return execOne(ctx, tx, noApp(code), `UPDATE app SET disabled = 1 WHERE code = $1`, code)
	})
}

// EnableApp undoes DisableApp.
func (s *Store) EnableApp(ctx context.Context, code string) error {
	return s.write(ctx, func(ctx context.Context, tx *sql.Conn) error {
		return execOne(ctx, tx, noApp(code), `UPDATE app SET disabled = 0 WHERE code = $1`, code)
	})
}

// TrustApp makes an app trusted in a project, or in all.
func (s *Store) TrustApp(ctx context.Context, t AppTrust) error {
	return s.write(ctx, func(ctx context.Context, tx *sql.Conn) error {
		if t.Project == 0 {
			return execOne(ctx, tx, noApp(t.App), `UPDATE app SET trusted_all = 1 WHERE code = $1`, t.App)
		}
		return insertTrust(ctx, tx, t)
	})
}

// DistrustApp takes back a trust. Without a project that is all of the app's: no project trusts it any more.
func (s *Store) DistrustApp(ctx context.Context, t AppTrust) error {
	return s.write(ctx, func(ctx context.Context, tx *sql.Conn) error {
		if t.Project != 0 {
			_, err := tx.ExecContext(ctx, `DELETE FROM app_trust WHERE app = $1 AND project_id = $2`, t.App, int64(t.Project))
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM app_trust WHERE app = $1`, t.App); err != nil {
			return err
		}
		return execOne(ctx, tx, noApp(t.App), `UPDATE app SET trusted_all = 0 WHERE code = $1`, t.App)
	})
}
