package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/stdops/stdops"
)

// RequestKey finds a key by project, owner and text, or else one of those of its parts: the request of these is another one.
// An expired one is none any more.
func (s *Store) RequestKey(ctx context.Context, k *stdops.RequestKey) (stdops.RequestKey, error) {
	found := stdops.RequestKey{Project: k.Project, Owner: k.Owner, Key: k.Key}
	err := s.readers.QueryRowContext(ctx, `
		SELECT request, made, answer, expires_at FROM request_key
		WHERE project_id = $1 AND owner = $2 AND key >= $3 AND key < $4 AND expires_at > $5 ORDER BY key LIMIT 1`,
		int64(k.Project), k.Owner, k.Key, k.Key+"!", micros(s.Now())).
		Scan(&found.Request, &found.Made, &found.Answer, instant(&found.Expires))
	if errors.Is(err, sql.ErrNoRows) {
		return found, stdops.Errorf(stdops.CodeNotFound, "the key does not exist")
	}
	if err != nil {
		return found, fmt.Errorf("load key of a request: %w", explain(err))
	}
	return found, nil
}

// OtherRequest reports whether a key, or one of the keys of its parts, was used by another request. Those of parts go on
// with a blank, which no key has that a caller chose.
func (s *Store) OtherRequest(ctx context.Context, k *stdops.RequestKey) (other bool, err error) {
	err = s.readers.QueryRowContext(ctx, `
		SELECT EXISTS (SELECT 1 FROM request_key
			WHERE project_id = $1 AND owner = $2 AND key >= $3 AND key < $4 AND request <> $5 AND expires_at > $6)`,
		int64(k.Project), k.Owner, k.Key, k.Key+"!", nonNil(k.Request), micros(s.Now())).Scan(&other)
	if err != nil {
		return false, fmt.Errorf("load keys of a request: %w", explain(err))
	}
	return other, nil
}

// Taken tells which of the keys are stored.
func (s *Store) Taken(ctx context.Context, keys []*stdops.RequestKey) ([]bool, error) {
	taken := make([]bool, len(keys))
	for i, k := range keys {
		_, err := s.RequestKey(ctx, k)
		if err != nil && stdops.ErrorCode(err) != stdops.CodeNotFound {
			return nil, err
		}
		taken[i] = err == nil
	}
	return taken, nil
}

// taken tells inside the running write transaction whether a key is stored.
func (b *batch) taken(k *stdops.RequestKey, now time.Time) (bool, error) {
	taken, err := bind(b.keyTaken).number(int64(k.Project)).text(k.Owner).text(k.Key).instant(now).found()
	if err != nil {
		return false, fmt.Errorf("look for the key of a request: %w", err)
	}
	return taken, nil
}

// keep stores a key in the running write transaction; it takes the place of an expired one.
func (b *batch) keep(k *stdops.RequestKey) error {
	err := bind(b.key).number(int64(k.Project)).text(k.Owner).text(k.Key).bytes(nonNil(k.Request)).number(k.Made).
		bytes(k.Answer).instant(k.Expires).run()
	if err != nil {
		return fmt.Errorf("store the key of a request: %w", err)
	}
	return nil
}

// free gives [stdops.ErrRepeated] when a key, which may be nil, is taken.
func (s *Store) free(ctx context.Context, tx *sql.Conn, k *stdops.RequestKey) error {
	switch {
	case k == nil:
		return nil
	case s.pg != nil:
		var taken bool
		err := tx.QueryRowContext(ctx, `
			SELECT EXISTS (SELECT 1 FROM request_key WHERE project_id = $1 AND owner = $2 AND key = $3 AND expires_at > $4)`,
			int64(k.Project), k.Owner, k.Key, micros(s.Now())).Scan(&taken)
		if taken {
			return stdops.ErrRepeated
		}
		return err
	}
	return raw(tx, func(*sqlite3.Conn) error {
		taken, err := s.writer.batch.taken(k, s.Now())
		if taken {
			return stdops.ErrRepeated
		}
		return err
	})
}

// keepKey stores a key, which may be nil, with the id of what its request made. Where others write at the same time one of
// them may have taken it since it was free.
func (s *Store) keepKey(ctx context.Context, tx *sql.Conn, k *stdops.RequestKey, made int64) error {
	if k == nil {
		return nil
	}
	stored := *k
	stored.Made = made
	if s.pg != nil {
		kept, err := keepKeys(ctx, tx, []stdops.RequestKey{stored}, s.Now())
		if err == nil && len(kept) == 0 {
			err = stdops.ErrRepeated
		}
		return err
	}
	return raw(tx, func(*sqlite3.Conn) error { return s.writer.batch.keep(&stored) })
}

// expireAtOnce is how many expired keys one transaction removes: nobody waits long for it.
const expireAtOnce = 500

// ExpireKeys removes the keys that have expired, a few at a time.
func (s *Store) ExpireKeys(ctx context.Context) error {
	for {
		var due bool
		now := micros(s.Now())
		err := s.readers.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM request_key WHERE expires_at <= $1)`, now).Scan(&due)
		if err != nil || !due {
			return explain(err)
		}
		err = s.writeBeside(ctx, func(ctx context.Context, tx *sql.Conn, _ *sql.Tx) error {
			_, err := tx.ExecContext(ctx, `
				DELETE FROM request_key WHERE (project_id, owner, key) IN (
					SELECT project_id, owner, key FROM request_key WHERE expires_at <= $1 LIMIT $2)`, now, expireAtOnce)
			return err
		})
		if err != nil {
			return err
		}
	}
}
