package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/stdops/stdops"
)

// LoginLink looks at a sign-in link without using it. An unknown, used or expired one is refused, all alike, with the
// refusal of UseLoginLink.
func (s *Store) LoginLink(ctx context.Context, hash []byte, now time.Time) (LoginLink, error) {
	var l LoginLink
	err := s.readers.QueryRowContext(ctx, `
		SELECT hash, user_name, created_at, expires_at FROM login_link
		WHERE hash = $1 AND used_at IS NULL AND expires_at > $2`, hash, micros(now)).
		Scan(&l.Hash, &l.User, instant(&l.Created), instant(&l.Expires))
	if errors.Is(err, sql.ErrNoRows) {
		return l, stdops.Errorf(stdops.CodeUnauthenticated, "the sign-in link was used already or has expired")
	}
	if err != nil {
		return l, fmt.Errorf("load sign-in link: %w", explain(err))
	}
	return l, nil
}
