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

// keyFile is the name of the key in a data directory.
const keyFile = "key"

// dataKey reads the key under which secrets are hashed, and makes it at the first start. It lies beside the database but
// not in it, so that a stolen copy of the database alone gives nothing to guess against. A store that holds secrets must
// have its key: with a new one none of them would be known any more, and nobody would be told why.
func dataKey(dir string, secrets bool) ([]byte, error) {
	key, err := readKey(dir)
	if err == nil || secrets || !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, errNoKey) {
		return key, err
	}
	key = make([]byte, 32) // there is none, or what a start left that ended while it was made
	rand.Read(key)         // never fails: it ends the program where the system has no entropy
	return key, writeKey(dir, filepath.Join(dir, keyFile), key)
}

var errNoKey = errors.New("it does not hold 64 hex digits")

// readKey reads the key of a data directory.
func readKey(dir string) ([]byte, error) {
	file := filepath.Join(dir, keyFile)
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read key: %w (restore it from a backup: without it no secret can be checked)", err)
	}
	key, whole := parseKey(text)
	if !whole {
		return nil, fmt.Errorf("read key %s: %w; restore it from a backup: without it no secret can be checked", file, errNoKey)
	}
	return key, nil
}

// parseKey reads the text of a key, false when it is not a whole one.
func parseKey(text []byte) (key []byte, whole bool) {
	key, err := hex.DecodeString(strings.TrimSpace(string(text)))
	return key, err == nil && len(key) == 32
}

// writeKey makes the key as a whole and so that it survives a loss of power: secrets that are stored later need it.
func writeKey(dir, file string, key []byte) error {
	fresh := file + ".new"
	err := writeSynced(fresh, hex.EncodeToString(key)+"\n")
	if err == nil {
		err = os.Rename(fresh, file)
	}
	if err == nil {
		err = syncDir(dir)
	}
	if err != nil {
		return fmt.Errorf("make key: %w", err)
	}
	return nil
}

func writeSynced(file, text string) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Sync(), f.Close())
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
