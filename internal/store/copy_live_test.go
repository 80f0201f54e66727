package store

import (
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
)

var copies = flag.Int("copies", 10, "how many copies TestCopyOfALiveStore makes")

// TestCopyOfALiveStore copies the files of a store while it works, first the database and then its log, at a random moment
// and with or without the shared memory: it opens, is sound, and is what was done up to some moment. Such a copy is no
// backup all the same: the log may be folded and begun anew between the two, which does not happen here. The control is a
// copy without the log, which has to have less.
func TestCopyOfALiveStore(t *testing.T) {
	t.Parallel()
	const few = 10 // of one store: its log never grows so long that it is folded
	for made := 0; made < *copies; made += few {
		copyLive(t, min(few, *copies-made))
	}
}

func copyLive(t *testing.T, copies int) {
	t.Helper()
	o := testOptions(t.TempDir())
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	var h history
	var enough atomic.Bool
	done := make(chan error, 1)
	go func() {
		dice := rand.New(rand.NewPCG(rand.Uint64(), 1))
		for !enough.Load() {
			if err := h.step(t.Context(), s, dice); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	dirs := make([]string, copies)
	for i := range dirs {
		dirs[i] = t.TempDir()
		for range rand.IntN(20) {
			_ = s.readers.PingContext(t.Context()) // some time passes
		}
		ends := []string{"", "-wal"}
		if i%2 == 0 {
			ends = append(ends, "-shm")
		}
		for _, end := range ends {
			if content, err := os.ReadFile(filepath.Join(o.Dir, databaseFile+end)); err == nil {
				if err := os.WriteFile(filepath.Join(dirs[i], databaseFile+end), content, 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	enough.Store(true)
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := os.Remove(filepath.Join(dirs[0], databaseFile+"-wal")); err != nil {
		t.Fatal(err)
	}
	last := 0
	for i, dir := range dirs {
		c, err := Open(t.Context(), testOptions(dir))
		if err != nil {
			t.Fatalf("copy %d: %v", i, err)
		}
		var said string
		if err := c.readers.QueryRowContext(t.Context(), `PRAGMA integrity_check`).Scan(&said); err != nil || said != "ok" {
			t.Errorf("copy %d: integrity_check: %s, %v", i, said, err)
		}
		left, err := h.compare(t.Context(), c)
		if err != nil || left < last {
			t.Errorf("copy %d has %d steps, the one before has %d: %v", i, left, last, err)
		}
		if i == 0 && left > 0 {
			t.Errorf("a copy without the log has %d changes: this test sees nothing", left)
		}
		last = left
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
	t.Logf("%d copies, the last of them with %d of %d changes", len(dirs), last, len(h.steps))
}
