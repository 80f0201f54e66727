package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/stdops/stdops"
)

// Identity is all that is needed to know callers and what they may do, as it was at one moment. It is small: whoever
// checks callers keeps it in memory and reads it again after every write to it.
type Identity struct {
	Apps    []App
	Secrets []AppSecret // oldest first
	Trusts  []AppTrust
	Users   []User
	Grants  []Grant
	Tokens  []UserToken
}

// LoadIdentity reads the whole [Identity].
func (s *Store) LoadIdentity(ctx context.Context) (*Identity, error) {
	id := &Identity{}
	err := s.read(ctx, func(ctx context.Context, tx *sql.Tx) (err error) {
		rows, err := tx.QueryContext(ctx, `SELECT code, name, trusted_all, disabled, created_at FROM app ORDER BY code`)
		if id.Apps, err = collect(rows, err, appFields); err != nil {
			return err
		}
		rows, err = tx.QueryContext(ctx, `SELECT app, hash, created_at FROM app_secret ORDER BY id`)
		if id.Secrets, err = collect(rows, err, secretFields); err != nil {
			return err
		}
		rows, err = tx.QueryContext(ctx, `SELECT app, project_id FROM app_trust ORDER BY app, project_id`)
		if id.Trusts, err = collect(rows, err, trustFields); err != nil {
			return err
		}
		rows, err = tx.QueryContext(ctx, `SELECT name, admin, disabled, created_at FROM users ORDER BY name`)
		if id.Users, err = collect(rows, err, userFields); err != nil {
			return err
		}
		rows, err = tx.QueryContext(ctx, `SELECT user_name, project_id, role FROM role ORDER BY user_name, project_id`)
		if id.Grants, err = collect(rows, err, grantFields); err != nil {
			return err
		}
		rows, err = tx.QueryContext(ctx, `
			SELECT hash, user_name, name, created_at, expires_at FROM user_token ORDER BY user_name, created_at, hash`)
		id.Tokens, err = collect(rows, err, tokenFields)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("load identities: %w", err)
	}
	return id, nil
}

// IdentityVersion is a number that every change of an [Identity] and of projects raises, whichever process makes it. On
// SQLite, where there is one process, it is always 0.
func (s *Store) IdentityVersion(ctx context.Context) (version int64, err error) {
	if s.pg == nil {
		return 0, nil
	}
	err = s.briefly(ctx, func(ctx context.Context) error {
		return s.readers.QueryRowContext(ctx, `SELECT value FROM meta WHERE name = 'identity'`).Scan(&version)
	})
	if err != nil {
		return 0, fmt.Errorf("load version of identities: %w", err)
	}
	return version, nil
}

// execOne runs a statement that must touch a row; missing is the answer when it touches none.
func execOne(ctx context.Context, tx *sql.Conn, missing *stdops.Error, statement string, args ...any) error {
	result, err := tx.ExecContext(ctx, statement, args...)
	if err != nil {
		return err
	}
	n, err := result.RowsAffected()
	if err != nil {
		return err
	}
	if n == 0 {
		return missing
	}
	return nil
}

// mustExist looks for a row that another one is about to refer to; missing is the answer when there is none. (A transaction
// of PostgreSQL that was refused something can not be asked any more.)
func mustExist(ctx context.Context, tx *sql.Conn, missing *stdops.Error, statement string, args ...any) error {
	var found bool
	err := tx.QueryRowContext(ctx, statement, args...).Scan(&found)
	if errors.Is(err, sql.ErrNoRows) {
		return missing
	}
	return err
}

func noProject(id stdops.ProjectID) *stdops.Error {
	return stdops.Errorf(stdops.CodeNotFound, "project %d does not exist", id)
}

func noApp(code string) *stdops.Error {
	return stdops.Errorf(stdops.CodeNotFound, "app %s does not exist", code)
}

func noUser(name string) *stdops.Error {
	return stdops.Errorf(stdops.CodeNotFound, "user %s does not exist", name)
}
