package store

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// busyTimeout is how long a connection waits for others at most; it stands in the settings as text.
const busyTimeout = 10 * time.Second

// TestSave_beside_a_store_that_works saves a store again and again while it works: each is sound, private, has no log that it
// would need, and is everything that was done up to some moment, which what was acknowledged before lies before.
func TestSave_beside_a_store_that_works(t *testing.T) {
	t.Parallel()
	o := testOptions(t.TempDir())
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	var h history
	var acked atomic.Int64
	enough, done := make(chan struct{}), make(chan error, 1)
	go func() {
		dice := rand.New(rand.NewPCG(rand.Uint64(), 1))
		for {
			select {
			case <-enough:
				done <- nil
				return
			default:
			}
			if err := h.step(t.Context(), s, dice); err != nil {
				done <- err
				return
			}
			acked.Add(1)
		}
	}()
	dirs, least := make([]string, 5), make([]int, 5)
	for i := range dirs {
		dirs[i], least[i] = t.TempDir(), int(acked.Load())
		saveBeside(t, o.Dir, dirs[i])
	}
	close(enough)
	if err := <-done; err != nil {
		t.Error(err)
	}
	closeStore(t, s)
	for i, dir := range dirs {
		info, err := os.Stat(filepath.Join(dir, databaseFile))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("copy %d: %v, %v", i, info.Mode(), err)
		}
		if others, err := os.ReadDir(dir); err != nil || len(others) != 1 {
			t.Errorf("copy %d: %v, %v", i, others, err)
		}
		c := reopen(t, dir)
		left, err := h.compare(t.Context(), c)
		if err != nil || left < least[i] {
			t.Errorf("copy %d has %d steps, %d were acknowledged before: %v", i, left, least[i], err)
		}
		closeStore(t, c)
	}
}

func saveBeside(t *testing.T, from, to string) {
	t.Helper()
	c, err := OpenBeside(from)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if !c.Live() {
		t.Error("nobody has the data directory")
	}
	if err := c.Save(t.Context(), to); err != nil {
		t.Fatal(err)
	}
}

func TestSave_of_a_stopped_store(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := reopen(t, dir)
	task := createTask(t, s, newTask("kept"))
	closeStore(t, s)
	c, err := OpenBeside(dir)
	if err != nil {
		t.Fatal(err)
	}
	if c.Live() {
		t.Error("somebody has the data directory")
	}
	if _, err := Open(t.Context(), testOptions(dir)); !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), "a command") {
		t.Errorf("a server on a data directory that is being read: %v", err)
	}
	to := t.TempDir()
	if err := os.WriteFile(filepath.Join(to, databaseFile+partSuffix), []byte("half of one"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := c.Save(t.Context(), to); err != nil {
		t.Fatal(err)
	}
	if err := c.Save(t.Context(), to); err == nil || !strings.Contains(err.Error(), "exists already") {
		t.Errorf("saved over what was there: %v", err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	saved := reopen(t, to)
	defer closeStore(t, saved)
	if got, err := saved.Task(t.Context(), ref(task)); err != nil || got.Name != "kept" {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestSave_that_fails leaves nothing: here the database is damaged in the middle.
func TestSave_that_fails(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := reopen(t, dir)
	for range 200 {
		createTask(t, s, newTask(strings.Repeat("long", 100)))
	}
	closeStore(t, s)
	f, err := os.OpenFile(filepath.Join(dir, databaseFile), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	for at := info.Size() / 2; at < info.Size(); at += 4096 {
		if _, err := f.WriteAt([]byte(strings.Repeat("x", 4096)), at/4096*4096); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	c, err := OpenBeside(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	to := t.TempDir()
	if err := c.Save(t.Context(), to); err == nil {
		t.Error("a damaged database was saved")
	}
	if left, err := os.ReadDir(to); err != nil || len(left) != 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

// TestFoldDoesNotWaitForWhoReadsBeside: a backup may read for minutes. Neither what is written meanwhile nor the end of the
// server waits until SQLite gives up, which would take busyTimeout.
func TestFoldDoesNotWaitForWhoReadsBeside(t *testing.T) {
	t.Parallel()
	now := noon
	o := testOptions(t.TempDir())
	o.Now = func() time.Time { return now }
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	createTask(t, s, newTask("before"))
	c, err := OpenBeside(o.Dir)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	err = c.Moment(t.Context(), func() error {
		if refs, err := c.Tasks(t.Context(), 0, 10); err != nil || len(refs) != 1 {
			t.Errorf("%v, %v", refs, err)
		}
		createTask(t, s, newTask("after"))
		now = now.Add(maintainEvery)
		began := time.Now()
		if err := s.foldLog(t.Context()); err != nil || logSize(c.file) == 0 {
			t.Errorf("the log was folded under the feet of a reader: %v", err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took > busyTimeout/2 {
			t.Errorf("they waited for %v", took)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	again := reopen(t, o.Dir)
	defer closeStore(t, again)
	if list, err := again.Live(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("%v, %v", list, err)
	}
}
