package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/stdops/stdops"
)

// Session is a sign-in of a user with a browser.
type Session struct {
	Hash    []byte
	User    string
	Token   []byte // hash of the token that opened it, with which it goes; nil: a sign-in link did
	Created time.Time
	Expires time.Time
}

// LoginLink signs in whoever opens it first.
type LoginLink struct {
	Hash    []byte
	User    string // "": whoever opens it becomes an admin
	Created time.Time
	Expires time.Time
}

// CreateSession stores a session of an existing user, opened with a token that there still is or with none. Sessions that
// had expired when it was created are removed.
func (s *Store) CreateSession(ctx context.Context, n Session) error {
	return s.write(ctx, func(ctx context.Context, tx *sql.Conn) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM session WHERE expires_at <= $1`, micros(n.Created)); err != nil {
			return fmt.Errorf("remove expired sessions: %w", err)
		}
		_, err := tx.ExecContext(ctx, `
			INSERT INTO session (hash, user_name, token, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)`,
			n.Hash, n.User, n.Token, micros(n.Created), micros(n.Expires))
		if orphan(err) {
			return stdops.Errorf(stdops.CodeNotFound, "user %s or the token of the session does not exist", n.User)
		}
		if err != nil {
			return fmt.Errorf("store session of user %s: %w", n.User, err)
		}
		return nil
	})
}

// Session finds a session by the hash of its secret. Whether it has expired is for the caller to see.
func (s *Store) Session(ctx context.Context, hash []byte) (Session, error) {
	var n Session
	err := s.readers.QueryRowContext(ctx, `
		SELECT hash, user_name, token, created_at, expires_at FROM session WHERE hash = $1`, hash).
		Scan(&n.Hash, &n.User, &n.Token, instant(&n.Created), instant(&n.Expires))
	if errors.Is(err, sql.ErrNoRows) {
		return n, stdops.Errorf(stdops.CodeNotFound, "the session does not exist")
	}
	if err != nil {
		return n, fmt.Errorf("load session: %w", explain(err))
	}
	return n, nil
}

// DeleteSession signs a session out; one that is gone already is none to complain about.
func (s *Store) DeleteSession(ctx context.Context, hash []byte) error {
	return s.write(ctx, func(ctx context.Context, tx *sql.Conn) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM session WHERE hash = $1`, hash)
		return err
	})
}

// CreateLoginLink stores a link for one sign-in.
func (s *Store) CreateLoginLink(ctx context.Context, l LoginLink) error {
	return s.write(ctx, func(ctx context.Context, tx *sql.Conn) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO login_link (hash, user_name, created_at, expires_at) VALUES ($1, $2, $3, $4)`,
			l.Hash, l.User, micros(l.Created), micros(l.Expires))
		if err != nil {
			return fmt.Errorf("store sign-in link: %w", err)
		}
		return nil
	})
}

// UseLoginLink takes a link at the given time, for good. An unknown, used or expired one is refused, all alike.
func (s *Store) UseLoginLink(ctx context.Context, hash []byte, now time.Time) (LoginLink, error) {
	var l LoginLink
	err := s.write(ctx, func(ctx context.Context, tx *sql.Conn) error {
		return tx.QueryRowContext(ctx, `
			UPDATE login_link SET used_at = $1 WHERE hash = $2 AND used_at IS NULL AND expires_at > $1
			RETURNING hash, user_name, created_at, expires_at`, micros(now), hash).
			Scan(&l.Hash, &l.User, instant(&l.Created), instant(&l.Expires))
	})
	if errors.Is(err, sql.ErrNoRows) {
		return l, stdops.Errorf(stdops.CodeUnauthenticated, "the sign-in link was used already or has expired")
	}
	if err != nil {
		return l, fmt.Errorf("use sign-in link: %w", err)
	}
	return l, nil
}
