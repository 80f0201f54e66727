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

// CreateUser stores a new user with roles in projects: all of it or nothing.
func (s *Store) CreateUser(ctx context.Context, u User, roles ...Grant) error {
	return s.write(ctx, func(ctx context.Context, tx *sql.Conn) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO users (name, admin, disabled, created_at) VALUES ($1, $2, $3, $4)`,
			u.Name, u.Admin, u.Disabled, micros(u.Created))
		if duplicate(err) {
			return stdops.Errorf(stdops.CodeRefused, "user %s exists already", u.Name)
		}
		if err != nil {
			return fmt.Errorf("create user %s: %w", u.Name, err)
		}
		return grant(ctx, tx, roles)
	})
}

// MakeAdmin makes an administrator of the user who has that name, also of a disabled one, or stores a new one.
func (s *Store) MakeAdmin(ctx context.Context, name string, now time.Time) error {
	return s.write(ctx, func(ctx context.Context, tx *sql.Conn) error {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO users (name, admin, disabled, created_at) VALUES ($1, 1, 0, $2)
			ON CONFLICT (name) DO UPDATE SET admin = 1, disabled = 0`, name, micros(now))
		if err != nil {
			return fmt.Errorf("make user %s admin: %w", name, err)
		}
		return nil
	})
}

// DisableUser makes a user's tokens and sessions useless until the user is enabled again.
func (s *Store) DisableUser(ctx context.Context, name string) error {
	return s.write(ctx, func(ctx context.Context, tx *sql.Conn) error {
		return execOne(ctx, tx, noUser(name), `UPDATE users SET disabled = 1 WHERE name = $1`, name)
	})
}

// EnableUser undoes DisableUser.
func (s *Store) EnableUser(ctx context.Context, name string) error {
	return s.write(ctx, func(ctx context.Context, tx *sql.Conn) error {
		return execOne(ctx, tx, noUser(name), `UPDATE users SET disabled = 0 WHERE name = $1`, name)
	})
}

// Grant gives users roles in projects, each in place of the one that the user had there: all of them or none.
func (s *Store) Grant(ctx context.Context, roles ...Grant) error {
	return s.write(ctx, func(ctx context.Context, tx *sql.Conn) error { return grant(ctx, tx, roles) })
}

func grant(ctx context.Context, tx *sql.Conn, roles []Grant) error {
	for _, g := range roles {
		if err := grantOne(ctx, tx, g); err != nil {
			return err
		}
	}
	return nil
}

func grantOne(ctx context.Context, tx *sql.Conn, g Grant) error {
	if g.Role == RoleNone {
		_, err := tx.ExecContext(ctx, `DELETE FROM role WHERE user_name = $1 AND project_id = $2`, g.User, int64(g.Project))
		return err
	}
	if err := mustExist(ctx, tx, noUser(g.User), `SELECT 1 FROM users WHERE name = $1`, g.User); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `
		INSERT INTO role (user_name, project_id, role) VALUES ($1, $2, $3)
		ON CONFLICT (user_name, project_id) DO UPDATE SET role = excluded.role`,
		g.User, int64(g.Project), string(g.Role))
	if orphan(err) {
		return noProject(g.Project)
	}
	if err != nil {
		return fmt.Errorf("grant %s to user %s: %w", g.Role, g.User, err)
	}
	return nil
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

// DeleteToken removes a token of a user, and the sessions that were opened with it.
func (s *Store) DeleteToken(ctx context.Context, user string, hash []byte) error {
	missing := stdops.Errorf(stdops.CodeNotFound, "user %s has no such token", user)
	return s.write(ctx, func(ctx context.Context, tx *sql.Conn) error {
		return execOne(ctx, tx, missing, `DELETE FROM user_token WHERE user_name = $1 AND hash = $2`, user, hash)
	})
}
