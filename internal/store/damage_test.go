package store

import (
	"crypto/sha256"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// grown makes a data directory with a history. A server that was killed leaves a log, which holds the last of it.
func grown(t *testing.T, dir string, killed bool) *history {
	t.Helper()
	h := &history{}
	o := testOptions(dir)
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	dice := rand.New(rand.NewPCG(3, 3))
	steps := func() {
		for range 20 {
			if err := h.step(t.Context(), s, dice); err != nil {
				t.Fatal(err)
			}
		}
	}
	steps()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if !killed {
		return h
	}
	if s, err = Open(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	steps()
	aside := t.TempDir()
	for _, end := range []string{"", "-wal"} {
		copyFile(t, filepath.Join(dir, databaseFile+end), filepath.Join(aside, databaseFile+end))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, end := range []string{"", "-wal"} {
		copyFile(t, filepath.Join(aside, databaseFile+end), filepath.Join(dir, databaseFile+end))
	}
	return h
}

func sums(t *testing.T, dir string) (sums [2][32]byte) {
	t.Helper()
	for i, end := range []string{"", "-wal"} {
		content, err := os.ReadFile(filepath.Join(dir, databaseFile+end))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		sums[i] = sha256.Sum256(content)
	}
	return sums
}

// TestOpenRefusesADamagedDatabase: no start on files that are not what was written, and nothing is changed in them.
func TestOpenRefusesADamagedDatabase(t *testing.T) {
	t.Parallel()
	const page = 4096
	frame := func(n int) int { return logHeader + n*(frameHeader+page) }
	for name, c := range map[string]struct {
		end    string
		damage func(content []byte) []byte
		says   string
	}{
		"first bytes":     {"", flip(3), "not a database"},
		"schema":          {"", flip(100), ""},
		"root of a tree":  {"", func(c []byte) []byte { return flip(len(c)/page/2*page + 1)(c) }, ""},
		"cut off":         {"", func(c []byte) []byte { return c[:len(c)/2/page*page] }, ""},
		"missing":         {"", func([]byte) []byte { return nil }, "empty or missing"},
		"header of a log": {"-wal", flip(20), "first bytes of its log"},
		"first frame":     {"-wal", flip(frame(0) + 100), "transactions behind it would be lost"},
		"page in a log":   {"-wal", flip(frame(20) + 2000), "transactions behind it would be lost"},
		"salt of a frame": {"-wal", flip(frame(20) + 9), "transactions behind it would be lost"},
		"hole in a log": {"-wal", func(c []byte) []byte {
			clear(c[frame(10):frame(12)])
			return c
		}, "transactions behind it would be lost"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			h := grown(t, dir, c.end != "" || name == "missing")
			file := filepath.Join(dir, databaseFile+c.end)
			good, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			write := func(content []byte) {
				t.Helper()
				if err := os.WriteFile(file, content, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			write(c.damage(append([]byte{}, good...)))
			before := sums(t, dir)
			s, err := Open(t.Context(), testOptions(dir))
			if err == nil {
				closeStore(t, s)
			}
			if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), c.says) {
				t.Fatalf("a start on it gives %v", err)
			}
			if sums(t, dir) != before {
				t.Error("the files were changed")
			}
			write(good) // the control: it was the damage
			if s, err = Open(t.Context(), testOptions(dir)); err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if left, err := h.compare(t.Context(), s); err != nil || left != h.acked {
				t.Errorf("%d of %d changes: %v", left, h.acked, err)
			}
		})
	}
}

func flip(at int) func([]byte) []byte {
	return func(content []byte) []byte {
		content[at] ^= 0x41
		return content
	}
}
