package store

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/stdops/stdops"
)

// machine has a clock that a test sets; a server on it keeps its own time by it.
type machine struct {
	mu   sync.Mutex
	time time.Time
}

func (m *machine) now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.time
}

func (m *machine) set(t time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.time = t
}

func (m *machine) pass(d time.Duration) { m.set(m.now().Add(d)) }

func (m *machine) notBefore(t time.Time) {
	if t.After(m.now()) {
		m.set(t)
	}
}

func (m *machine) open(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Open(t.Context(), Options{Dir: dir, Log: slog.New(slog.DiscardHandler), Now: m.now, NotBefore: m.notBefore})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// abandon lets a store go as a crash does: nothing more is written.
func abandon(t *testing.T, s *Store) {
	t.Helper()
	s.writer.broken = errors.New("the process is gone")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestTimeOnRecordIsAfterAllTimesOnRecord writes tasks at random moments, opens the store again with a clock that is an hour
// behind, after a crash or a clean end, and expects later times than those of all tasks.
func TestTimeOnRecordIsAfterAllTimesOnRecord(t *testing.T) {
	t.Parallel()
	dir, m, last := t.TempDir(), &machine{time: noon}, noon
	for life, waits := range [][]time.Duration{{0}, {time.Millisecond}, {99 * time.Millisecond, 99 * time.Millisecond, 0}, {time.Hour, 50 * time.Millisecond}} {
		s := m.open(t, dir)
		if now := s.Now(); life > 0 && !now.After(last) {
			t.Fatalf("life %d begins at %v, the last task is of %v", life, now, last)
		}
		for _, wait := range waits {
			m.pass(wait)
			n := newTask("one")
			n.Task.Created = s.Now()
			last = createTask(t, s, n).Created
		}
		if life%2 == 0 {
			abandon(t, s)
		} else {
			closeStore(t, s)
		}
		m.set(noon.Add(-time.Hour))
	}
}

func TestTimeOnRecordTakesOverALaterClock(t *testing.T) {
	t.Parallel()
	dir, m := t.TempDir(), &machine{time: noon}
	closeStore(t, m.open(t, dir))
	m.set(noon.Add(time.Second))
	s := m.open(t, dir)
	defer closeStore(t, s)
	if now := s.Now(); !now.Equal(noon.Add(time.Second)) {
		t.Errorf("the clock said %v, the store begins at %v", noon.Add(time.Second), now)
	}
}

// TestTimeOnRecordOfAnIdleStore: what was shown meanwhile lies before it, but for a minute.
func TestTimeOnRecordOfAnIdleStore(t *testing.T) {
	t.Parallel()
	dir, m := t.TempDir(), &machine{time: noon}
	s := m.open(t, dir)
	recorded := func() time.Duration {
		t.Helper()
		if err := s.recordIdle(t.Context()); err != nil {
			t.Fatal(err)
		}
		last, err := timeOnRecord(t.Context(), s.readers)
		if err != nil {
			t.Fatal(err)
		}
		return last.Sub(noon) - recordEvery
	}
	m.pass(idleRecordEvery - time.Second)
	if at := recorded(); at != 0 {
		t.Errorf("an idle store was written to %v after the last time", at)
	}
	m.pass(10 * time.Second)
	if at, want := recorded(), idleRecordEvery+9*time.Second; at != want {
		t.Errorf("after %v, the time on record is %v", want, at)
	}
	m.pass(time.Second)
	last := m.now()
	closeStore(t, s)
	m.set(noon)
	s = m.open(t, dir)
	defer closeStore(t, s)
	if now := s.Now(); !now.Equal(last.Add(recordEvery)) {
		t.Errorf("the store was closed at %v, and begins at %v", last, now)
	}
}

// TestTimeOnRecordIsPartOfTheTransaction: what was taken back has not brought it up to date.
func TestTimeOnRecordIsPartOfTheTransaction(t *testing.T) {
	t.Parallel()
	dir, m := t.TempDir(), &machine{time: noon}
	s := m.open(t, dir)
	fails := true
	err := raw(s.writer.conn, func(c *sqlite3.Conn) error {
		c.CommitHook(func() bool { return !fails })
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	m.pass(time.Hour)
	n := newTask("one")
	n.Task.Created = s.Now()
	if _, err := s.CreateTask(context.WithoutCancel(t.Context()), n); err == nil {
		t.Fatal("the task was stored")
	}
	fails = false
	m.pass(time.Millisecond)
	n.Task.Created = s.Now()
	task := createTask(t, s, n)
	abandon(t, s)
	m.set(noon)
	s = m.open(t, dir)
	defer closeStore(t, s)
	if now := s.Now(); !now.After(task.Created) {
		t.Errorf("the store begins at %v, there is a task of %v", now, task.Created)
	}
	if _, err := s.Task(t.Context(), stdops.TaskRef{Project: 1, Task: task.ID}); err != nil {
		t.Error(err)
	}
}
