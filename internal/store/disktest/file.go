package disktest

import (
	"errors"
	"path/filepath"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/util/vfsutil"
	"github.com/ncruces/go-sqlite3/vfs"
)

// file is an open file of a [Disk]. Locks and shared memory are those of the host.
type file struct {
	vfs.File
	disk  *Disk
	path  string
	inode *inode

	syncDir bool // with the next sync
}

// ReadAt reads what a running system sees.
func (f *file) ReadAt(p []byte, at int64) (int, error) {
	f.disk.mu.Lock()
	_, err := f.disk.begin(Read, f.path)
	f.disk.mu.Unlock()
	if err != nil {
		return 0, err
	}
	return f.File.ReadAt(p, at)
}

// WriteAt writes without syncing.
func (f *file) WriteAt(p []byte, at int64) (int, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	cut, err := f.disk.begin(Write, f.path)
	var failed error
	if errors.Is(err, ErrShort) {
		p, err, failed = p[:len(p)/2], nil, vfs.SystemError(ErrShort, sqlite3.FULL)
	}
	if err != nil {
		return 0, err
	}
	n, err := f.File.WriteAt(p, at)
	if err != nil {
		return n, err
	}
	f.inode.since = append(f.inode.since, change{at, append([]byte{}, p...)})
	if cut {
		return 0, errPower
	}
	return n, failed
}

// Truncate cuts the file without syncing.
func (f *file) Truncate(size int64) error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	cut, err := f.disk.begin(Truncate, f.path)
	if err != nil {
		return err
	}
	if err := f.File.Truncate(size); err != nil {
		return err
	}
	f.inode.since = append(f.inode.since, change{at: size})
	if cut {
		return errPower
	}
	return nil
}

// Sync makes the content durable, and with it the names of the directory when the library does so: at the first sync of a
// journal or log that was opened to be made.
// Nothing is asked of the host: only this disk loses power.
func (f *file) Sync(vfs.SyncFlag) error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	cut, err := f.disk.begin(Sync, f.path)
	if err != nil {
		return err
	}
	if cut && f.disk.dice.IntN(2) == 0 {
		return errPower
	}
	for _, c := range f.inode.since {
		if c.data == nil {
			f.inode.synced = resized(f.inode.synced, c.at)
			continue
		}
		if end := c.at + int64(len(c.data)); end > int64(len(f.inode.synced)) {
			f.inode.synced = resized(f.inode.synced, end)
		}
		copy(f.inode.synced[c.at:], c.data)
	}
	f.inode.since = nil
	if f.syncDir {
		f.syncDir = false
		f.disk.syncNames(filepath.Dir(f.path))
	}
	if cut {
		return errPower
	}
	return nil
}

// Unwrap gives the file of the host.
func (f *file) Unwrap() vfs.File { return f.File }

// SharedMemory is that of the host.
func (f *file) SharedMemory() vfs.SharedMemory { return vfsutil.WrapSharedMemory(f.File) }

// LockState is that of the host.
func (f *file) LockState() vfs.LockLevel { return vfsutil.WrapLockState(f.File) }

// HasMoved asks the host.
func (f *file) HasMoved() (bool, error) { return vfsutil.WrapHasMoved(f.File) }

// PersistWAL is as set.
func (f *file) PersistWAL() bool { return vfsutil.WrapPersistWAL(f.File) }

// SetPersistWAL keeps the log at the end.
func (f *file) SetPersistWAL(keep bool) { vfsutil.WrapSetPersistWAL(f.File, keep) }

// PowersafeOverwrite is as set.
func (f *file) PowersafeOverwrite() bool { return vfsutil.WrapPowersafeOverwrite(f.File) }

// SetPowersafeOverwrite is what the library promises SQLite of the disk.
func (f *file) SetPowersafeOverwrite(on bool) { vfsutil.WrapSetPowersafeOverwrite(f.File, on) }
