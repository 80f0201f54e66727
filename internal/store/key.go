package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
)

// keySize is how many bytes the key has.
const keySize = 32

// Key gives the key under which secrets are hashed. It is made once and kept in the database, where all processes find it.
// (On SQLite the one process keeps it in the data directory, apart from the hashes.)
func (s *Store) Key(ctx context.Context) ([]byte, error) {
	if s.pg == nil {
		return nil, errors.New("the key is kept in the data directory")
	}
	made := make([]byte, keySize)
	_, _ = rand.Read(made) // never fails
	var key []byte
	_, err := s.pg.writers.ExecContext(ctx, `INSERT INTO secret_key (id, key) VALUES (1, $1) ON CONFLICT (id) DO NOTHING`, made)
	if err == nil {
		err = s.readers.QueryRowContext(ctx, `SELECT key FROM secret_key WHERE id = 1`).Scan(&key)
	}
	if err != nil {
		return nil, fmt.Errorf("load the key of secrets: %w", explain(err))
	}
	return key, nil
}
