package store

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"
)

func TestMaintainFoldsTheLogOfAnIdleStore(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC)
	dir := t.TempDir()
	s, err := Open(t.Context(), Options{Dir: dir, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	file := filepath.Join(dir, databaseFile)
	if _, err := s.CreateProject(t.Context(), Project{Name: "one", Biz: NoBiz, Created: now}); err != nil {
		t.Fatal(err)
	}
	if err := s.foldLog(t.Context()); err != nil || logSize(file) == 0 {
		t.Errorf("the log was folded while the store was busy: %d bytes, %v", logSize(file), err)
	}
	now = now.Add(maintainEvery)
	if err := s.foldLog(t.Context()); err != nil || logSize(file) != 0 {
		t.Errorf("the log of an idle store has %d bytes, %v", logSize(file), err)
	}
}

func TestWriteRefusesEverythingAfterTheDiskFailed(t *testing.T) {
	t.Parallel()
	var told []error
	s, err := Open(t.Context(), Options{Dir: t.TempDir(), DiskFailed: func(err error) { told = append(told, err) }})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	failing := func(context.Context, *sql.Conn) error { return sqlite3.IOERR_FSYNC }
	if err := s.write(t.Context(), failing); !errors.Is(err, ErrDisk) {
		t.Errorf("a failed fsync gives %v", err)
	}
	if err := s.write(t.Context(), func(context.Context, *sql.Conn) error { return nil }); !errors.Is(err, ErrDisk) {
		t.Errorf("a write after a failed fsync gives %v", err)
	}
	if len(told) != 1 {
		t.Errorf("told %d times: %v", len(told), told)
	}
}

func TestJudgeEndsTheStoreForAnyFailureOfTheDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var told error
	s, err := Open(t.Context(), Options{Dir: dir, DiskFailed: func(err error) { told = err }})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.judge(sqlite3.IOERR_FSYNC); !errors.Is(err, ErrDisk) || told == nil || s.writer.broken == nil {
		t.Errorf("got %v, told %v, broken %v", err, told, s.writer.broken)
	}
	size := logSize(filepath.Join(dir, databaseFile))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got := logSize(filepath.Join(dir, databaseFile)); size == 0 || got != size {
		t.Errorf("the log had %d bytes and has %d after the store was closed", size, got)
	}
}
