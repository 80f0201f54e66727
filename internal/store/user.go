package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/stdops/stdops"
)

// User is a person.
type User struct {
	Name     string
	Admin    bool // may do everything everywhere
	Disabled bool
	Created  time.Time
}

func userFields(u *User) []any { return []any{&u.Name, &u.Admin, &u.Disabled, instant(&u.Created)} }

// Role is what a user may do in a project; each holds those before it.
type Role string

// The roles. RoleNone takes a role away.
const (
	RoleNone     Role = ""
	RoleViewer   Role = "viewer"
	RoleOperator Role = "operator"
	RoleEditor   Role = "editor"
	RoleAdmin    Role = "admin"
)

// Grant is the role of a user in a project.
type Grant struct {
	User    string
	Project stdops.ProjectID
	Role    Role
}

func grantFields(g *Grant) []any { return []any{&g.User, number(&g.Project), (*string)(&g.Role)} }

// UserToken lets programs act for a user.
type UserToken struct {
	Hash    []byte
	User    string
	Name    string
	Created time.Time
	Expires time.Time // zero: never
}

func tokenFields(t *UserToken) []any {
	return []any{&t.Hash, &t.User, &t.Name, instant(&t.Created), instant(&t.Expires)}
}

// CreateUser stores a user; of one that exists it sets the flags and keeps the time of creation.
func (s *Store) CreateUser(ctx context.Context, u User) error {
	return s.write(ctx, func(ctx context.Context, tx *sql.Conn) error {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO users (name, admin, disabled, created_at) VALUES ($1, $2, $3, $4)
			ON CONFLICT (name) DO UPDATE SET admin = excluded.admin, disabled = excluded.disabled`,
			u.Name, u.Admin, u.Disabled, micros(u.Created))
		if err != nil {
			return fmt.Errorf("store user %s: %w", u.Name, err)
		}
		return nil
	})
}

// SetAdmin makes a user an admin, or no longer one.
func (s *Store) SetAdmin(ctx context.Context, name string, admin bool) error {
	return s.write(ctx, func(ctx context.Context, tx *sql.Conn) error {
		return execOne(ctx, tx, noUser(name), `UPDATE users SET admin = $1 WHERE name = $2`, admin, name)
	})
}

// Grant gives a user a role in a project, in place of the one that the user had there.
func (s *Store) Grant(ctx context.Context, g Grant) error {
	return s.write(ctx, func(ctx context.Context, tx *sql.Conn) error {
		if g.Role == RoleNone {
			_, err := tx.ExecContext(ctx, `DELETE FROM role WHERE user_name = $1 AND project_id = $2`, g.User, int64(g.Project))
			return err
		}
		_, err := tx.ExecContext(ctx, `
			INSERT INTO role (user_name, project_id, role) VALUES ($1, $2, $3)
			ON CONFLICT (user_name, project_id) DO UPDATE SET role = excluded.role`,
			g.User, int64(g.Project), string(g.Role))
		if orphan(err) {
			return stdops.Errorf(stdops.CodeNotFound, "user %s or project %d does not exist", g.User, g.Project)
		}
		if err != nil {
			return fmt.Errorf("grant %s to user %s: %w", g.Role, g.User, err)
		}
		return nil
	})
}

// CreateToken stores a token of an existing user.
func (s *Store) CreateToken(ctx context.Context, t UserToken) error {
	return s.write(ctx, func(ctx context.Context, tx *sql.Conn) error {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO user_token (hash, user_name, name, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)`,
			t.Hash, t.User, t.Name, micros(t.Created), micros(t.Expires))
		if orphan(err) {
			return noUser(t.User)
		}
		if err != nil {
			return fmt.Errorf("store token of user %s: %w", t.User, err)
		}
		return nil
	})
}

// DeleteToken removes a token of a user.
func (s *Store) DeleteToken(ctx context.Context, user string, hash []byte) error {
	missing := stdops.Errorf(stdops.CodeNotFound, "user %s has no such token", user)
	return s.write(ctx, func(ctx context.Context, tx *sql.Conn) error {
		return execOne(ctx, tx, missing, `DELETE FROM user_token WHERE user_name = $1 AND hash = $2`, user, hash)
	})
}
