package app

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// dataKey reads the key under which secrets are hashed, and makes it at the first start. It lies beside the database but
// not in it, so that a stolen copy of the database alone gives nothing to guess against. A store that holds secrets must
// have its key: with a new one none of them would be known any more, and nobody would be told why.
func dataKey(dir string, secrets bool) ([]byte, error) {
	file := filepath.Join(dir, "key")
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) && !secrets {
		key := make([]byte, 32)
		rand.Read(key) // never fails: it ends the program where the system has no entropy
		return key, writeKey(file, key)
	}
	if err != nil {
		return nil, fmt.Errorf("read key: %w (restore it from a backup: without it no secret can be checked)", err)
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(key) != 32 {
		return nil, fmt.Errorf("%s does not hold 64 hex digits; restore it from a backup: without it no secret can be checked", file)
	}
	return key, nil
}

func writeKey(file string, key []byte) (err error) {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("make key: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := f.WriteString(hex.EncodeToString(key) + "\n"); err != nil {
		return fmt.Errorf("write key: %w", err)
	}
	return f.Sync()
}
