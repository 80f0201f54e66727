package store

import (
	"context"
	"errors"
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/store/disktest"
)

var stride = flag.Int("stride", 60, "TestDiskFaults lets every so many-th call of a disk fail")

// diskFault is a way in which a disk fails.
type diskFault struct {
	name string
	op   disktest.Op
	err  error
	full bool // there is no room until some is made; otherwise the disk is broken
}

var diskFaults = []diskFault{
	{"full", disktest.Write, &os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}, true},
	{"short", disktest.Write, disktest.ErrShort, true},
	{"quota", disktest.Write, &os.PathError{Op: "write", Path: "x", Err: syscall.EDQUOT}, true},
	{"broken write", disktest.Write, vfs.SystemError(syscall.EIO, sqlite3.IOERR_WRITE), false},
	{"broken sync", disktest.Sync, vfs.SystemError(syscall.EIO, sqlite3.IOERR_FSYNC), false},
	{"no room at a sync", disktest.Sync, vfs.SystemError(syscall.ENOSPC, sqlite3.IOERR_FSYNC), false},
	{"broken truncation", disktest.Truncate, vfs.SystemError(syscall.EIO, sqlite3.IOERR_TRUNCATE), false},
}

// TestDiskFaults lets the n-th call of a disk fail, for each n, and looks what the store makes of it. A full disk is
// survived: a change is refused as what it is and leaves nothing, reads go on, and the same change is stored when there is
// room. After any other failure nothing is asked of the disk again, and the next start has all that was acknowledged.
func TestDiskFaults(t *testing.T) {
	t.Parallel()
	made := t.TempDir()
	s, err := Open(t.Context(), testOptions(made))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, fault := range diskFaults {
		t.Run(fault.name, func(t *testing.T) {
			t.Parallel()
			every := *stride
			if fault.op != disktest.Write { // of which there are many
				every = max(1, every/8)
			}
			tried := 0
			for n := 1 + rand.IntN(every); ; n += every {
				f := newFaulty(t, made, fault, n)
				if !f.play() {
					break
				}
				if tried++; t.Failed() {
					t.Fatalf("at call %d", n)
				}
			}
			if tried == 0 {
				t.Error("nothing failed")
			}
			t.Logf("%d calls failed", tried)
		})
	}
}

// faulty is a store on a disk of which one call fails.
type faulty struct {
	t     *testing.T
	fault diskFault
	disk  *disktest.Disk
	store *Store
	history
	told  []error
	left  int  // calls that go well before one fails
	room  bool // was made
	after [2]int
}

func newFaulty(t *testing.T, made string, fault diskFault, n int) *faulty {
	t.Helper()
	f := &faulty{t: t, fault: fault, left: n}
	dir := t.TempDir()
	copyFile(t, filepath.Join(made, databaseFile), filepath.Join(dir, databaseFile))
	f.disk = disktest.New(t.Name()+dir, rand.New(rand.NewPCG(1, 1)))
	o := testOptions(dir)
	o.VFS = dir
	vfs.Register(o.VFS, roomVFS{f.disk})
	t.Cleanup(func() { vfs.Unregister(o.VFS) })
	o.FoldAt, o.Settings = 20, "PRAGMA journal_size_limit = 40000;"
	o.DiskFailed = func(err error) {
		f.told = append(f.told, err)
		f.after = f.asked()
	}
	var err error
	if f.store, err = Open(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	f.disk.Fault(f.decide)
	return f
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	content, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// decide lets the call fail that is due, and those after it until there is room. After a broken call all goes well again,
// as it does on real disks, which report an error once.
func (f *faulty) decide(op disktest.Op, _ string) error {
	if op != f.fault.op || f.room {
		return nil
	}
	f.left--
	if f.left == 0 || f.left < 0 && f.fault.full {
		return f.fault.err
	}
	return nil
}

func (f *faulty) asked() [2]int {
	return [2]int{f.disk.Calls(disktest.Write), f.disk.Calls(disktest.Sync)}
}

// play changes the store until the fault was met and for a while after; it is false when it was not met.
func (f *faulty) play() bool {
	dice := rand.New(rand.NewPCG(7, 7)) // the same changes each time
	for n := range 30 {
		before := *dice
		err := f.step(f.t.Context(), f.store, dice)
		switch {
		case err == nil:
		case f.fault.full:
			f.refused(err)
			*dice = before // the same again
			if err := f.step(f.t.Context(), f.store, dice); err != nil {
				f.t.Errorf("a change after there was room: %v", err)
			}
		default:
			if !errors.Is(err, ErrDisk) || len(f.told) != 1 {
				f.t.Errorf("a change on a broken disk: %v, told %v", err, f.told)
			}
			f.reopen()
			return true
		}
		if n == 20 {
			f.store.now = func() time.Time { return at(1000) }
			if err := f.store.foldLog(context.Background()); err != nil && f.left > 0 {
				f.t.Error(err)
			}
		}
	}
	met := f.left <= 0
	f.room = true
	f.reopen()
	return met
}

// refused looks at a store that has refused a change because the disk is full, and makes room.
func (f *faulty) refused(err error) {
	if stdops.ErrorCode(err) != stdops.CodeDiskFull || len(f.told) > 0 {
		f.t.Errorf("a change on a full disk: %v, told %v", err, f.told)
	}
	f.history.cut(f.acked)
	f.check(f.store)
	f.room = true
}

// check wants exactly what was acknowledged.
func (f *faulty) check(s *Store) {
	f.t.Helper()
	left, err := f.compare(context.Background(), s)
	if err != nil || left != f.acked {
		f.t.Errorf("%d changes are there, %d were acknowledged: %v", left, f.acked, err)
	}
}

// reopen closes the store and opens it without faults.
func (f *faulty) reopen() {
	f.t.Helper()
	if err := f.store.Close(); err != nil {
		f.t.Errorf("close: %v", err)
	}
	if len(f.told) > 0 && f.asked() != f.after {
		f.t.Errorf("after the disk had failed it was asked for %v writes and syncs, before for %v", f.asked(), f.after)
	}
	f.disk.Close()
	s, err := Open(context.Background(), testOptions(filepath.Dir(f.store.writer.file)))
	if err != nil {
		f.t.Fatal(err)
	}
	defer s.Close()
	var said string
	if err := s.readers.QueryRow(`PRAGMA integrity_check`).Scan(&said); err != nil || said != "ok" {
		f.t.Errorf("integrity_check: %s, %v", said, err)
	}
	left, err := f.compare(context.Background(), s)
	if err != nil || left < f.acked || left > len(f.steps) {
		f.t.Errorf("%d changes are there, %d were acknowledged, %d tried: %v", left, f.acked, len(f.steps), err)
	}
}

// TestOpenOnAFullDisk lets each write of the first start fail in turn: the next start makes of it what it should have been.
func TestOpenOnAFullDisk(t *testing.T) {
	t.Parallel()
	for n := 1 + rand.IntN(*stride); ; n += *stride {
		dir := t.TempDir()
		name := t.Name() + dir
		disk := disktest.New(name, rand.New(rand.NewPCG(1, 1)))
		left := n
		disk.Fault(func(op disktest.Op, _ string) error {
			if op != disktest.Write {
				return nil
			}
			if left--; left > 0 {
				return nil
			}
			return sqlite3.FULL
		})
		o := testOptions(dir)
		o.VFS = name
		s, err := Open(t.Context(), o)
		if err == nil {
			disk.Fault(nil)
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			disk.Close()
			return
		}
		disk.Fault(nil)
		if s, err = Open(t.Context(), o); err != nil {
			t.Fatalf("after write %d found no room: %v", n, err)
		}
		if projects, err := s.Projects(t.Context()); err != nil || len(projects) != 1 {
			t.Errorf("after write %d found no room: %v, %v", n, projects, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		disk.Close()
	}
}
