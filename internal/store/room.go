package store

import (
	"errors"
	"syscall"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/util/vfsutil"
	"github.com/ncruces/go-sqlite3/vfs"
)

// hostVFS is the name of the file system that stores are on: that of the host, behind a [roomVFS].
const hostVFS = "stdops"

func init() { vfs.Register(hostVFS, roomVFS{vfs.Find("")}) }

// roomVFS tells SQLite of a write that found no room that it found none, whether the disk is full or a quota is used up.
// The library would call it a broken write, since the reason stands inside of the error that it looks at.
type roomVFS struct{ vfs.VFS }

// Open opens a file.
func (v roomVFS) Open(name string, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	f, flags, err := vfsutil.WrapOpen(v.VFS, name, flags)
	return roomFile{f}, flags, err
}

// OpenFilename opens a file.
func (v roomVFS) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	f, flags, err := vfsutil.WrapOpenFilename(v.VFS, name, flags)
	return roomFile{f}, flags, err
}

type roomFile struct{ vfs.File }

func (f roomFile) WriteAt(p []byte, at int64) (int, error) {
	n, err := f.File.WriteAt(p, at)
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		err = vfs.SystemError(err, sqlite3.FULL)
	}
	return n, err
}

// What follows is the file's own; a wrapped file has only the methods that stand here.

func (f roomFile) Unwrap() vfs.File               { return f.File }
func (f roomFile) SharedMemory() vfs.SharedMemory { return vfsutil.WrapSharedMemory(f.File) }
func (f roomFile) LockState() vfs.LockLevel       { return vfsutil.WrapLockState(f.File) }
func (f roomFile) HasMoved() (bool, error)        { return vfsutil.WrapHasMoved(f.File) }
func (f roomFile) SizeHint(size int64) error      { return vfsutil.WrapSizeHint(f.File, size) }
func (f roomFile) PersistWAL() bool               { return vfsutil.WrapPersistWAL(f.File) }
func (f roomFile) SetPersistWAL(keep bool)        { vfsutil.WrapSetPersistWAL(f.File, keep) }
func (f roomFile) PowersafeOverwrite() bool       { return vfsutil.WrapPowersafeOverwrite(f.File) }

func (f roomFile) SetPowersafeOverwrite(value bool) { vfsutil.WrapSetPowersafeOverwrite(f.File, value) }
