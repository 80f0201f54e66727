// Package disktest is a disk for tests: it loses power, and it fails when it is told to. It stands between SQLite and the
// files of the host as a VFS of the library, so that the shipped driver, settings, locks and shared memory run over it.
//
// What is modelled: a page of the file system is written back whenever it pleases, until it is synced. So after a loss of
// power each sector of 512 bytes that was written and not synced has any of the contents that it had since the last sync,
// apart from all other sectors; the length of a file is one that it had since then; a truncation happened or not, and if
// not then nothing that was written after it is there; a file that was made or removed is there or not, unless its
// directory was synced. A sector itself is never torn: that is what SQLite asks of a disk (PSOW), and what disks promise.
package disktest

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/util/vfsutil"
	"github.com/ncruces/go-sqlite3/vfs"
)

// Op is what SQLite asks of a file.
type Op int

// What may fail.
const (
	Write Op = iota
	Truncate
	Sync
	Create
	Delete
	Read
)

var errPower = vfs.SystemError(errors.New("the power is off"), sqlite3.IOERR)

// Disk is one disk. Its files are those of the host, which hold what a running system sees.
type Disk struct {
	vfs.VFS
	name string

	mu    sync.Mutex
	files map[string]*entry
	off   bool
	fuse  int // so many changes until the power fails; 0 is never
	dice  *rand.Rand
	fault func(op Op, file string) error
	calls map[Op]int
}

// New makes a disk and registers it under a name, which is that of the VFS.
func New(name string, dice *rand.Rand) *Disk {
	d := &Disk{VFS: vfs.Find(""), name: name, files: map[string]*entry{}, dice: dice, calls: map[Op]int{}}
	vfs.Register(name, d)
	return d
}

// Close forgets the name.
func (d *Disk) Close() { vfs.Unregister(d.name) }

// FailAfter lets the power fail at the n-th change of a file from now, which may or may not be made.
func (d *Disk) FailAfter(n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fuse = n
}

// Off reports whether the power has failed.
func (d *Disk) Off() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.off
}

// Fault lets fn decide what fails, nil nothing. Of a write that fails with
// [ErrShort] one half is made, and then there is no room.
func (d *Disk) Fault(fn func(op Op, file string) error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fault = fn
}

// ErrShort is a write that is made in part.
var ErrShort = errors.New("short write")

// Calls counts the calls of one kind.
func (d *Disk) Calls(op Op) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.calls[op]
}

// begin counts a call and gives its fate, for whoever holds the lock. cut says that the power fails during it.
func (d *Disk) begin(op Op, file string) (cut bool, err error) {
	d.calls[op]++
	if d.off {
		return false, errPower
	}
	if d.fault != nil {
		if err := d.fault(op, filepath.Base(file)); err != nil {
			return false, err
		}
	}
	if op == Read || d.fuse == 0 {
		return false, nil
	}
	d.fuse--
	d.off = d.fuse == 0
	return d.off, nil
}

// entry is a name in a directory: what it names now, and what it would name after a loss of power.
type entry struct {
	now, durable *inode
}

// inode is the content of a file.
type inode struct {
	synced []byte
	since  []change // after the last sync
}

// change is a write, or a truncation when data is nil.
type change struct {
	at   int64 // of a truncation: the size
	data []byte
}

// entryOf gives the name's entry, for whoever holds the lock. A file that was there before is durable.
func (d *Disk) entryOf(name string) (*entry, error) {
	e := d.files[name]
	if e == nil {
		e = &entry{}
		content, err := os.ReadFile(name)
		switch {
		case err == nil:
			e.now = &inode{synced: content}
			e.durable = e.now
		case !errors.Is(err, fs.ErrNotExist):
			return nil, err
		}
		d.files[name] = e
	}
	return e, nil
}

// OpenFilename opens a file of a database; others, which have no name, are those of the host.
func (d *Disk) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	path := name.String()
	if path == "" {
		return vfsutil.WrapOpenFilename(d.VFS, name, flags)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.off {
		return nil, flags, errPower
	}
	e, err := d.entryOf(path)
	if err != nil {
		return nil, flags, err
	}
	var cut bool
	if e.now == nil && flags&vfs.OPEN_CREATE != 0 {
		if cut, err = d.begin(Create, path); err != nil {
			return nil, flags, err
		}
	}
	inner, out, err := vfsutil.WrapOpenFilename(d.VFS, name, flags)
	if err != nil {
		return nil, out, err
	}
	if e.now == nil {
		e.now = &inode{}
	}
	if cut {
		return nil, out, errors.Join(errPower, inner.Close())
	}
	const journals = vfs.OPEN_MAIN_JOURNAL | vfs.OPEN_SUPER_JOURNAL | vfs.OPEN_WAL
	syncDir := flags&vfs.OPEN_CREATE != 0 && flags&journals != 0
	return &file{File: inner, disk: d, path: path, inode: e.now, syncDir: syncDir}, out, nil
}

// Delete removes a file; its name may come back with its content unless the directory is synced.
func (d *Disk) Delete(path string, syncDir bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	cut, err := d.begin(Delete, path)
	if err != nil {
		return err
	}
	e, err := d.entryOf(path)
	if err != nil {
		return err
	}
	if err := d.VFS.Delete(path, false); err != nil {
		return err
	}
	e.now = nil
	if cut {
		return errPower
	}
	if syncDir {
		d.syncNames(filepath.Dir(path))
	}
	return nil
}

// syncNames makes the names of a directory durable.
func (d *Disk) syncNames(dir string) {
	for name, e := range d.files {
		if filepath.Dir(name) == dir {
			e.durable = e.now
		}
	}
}

// PowerOn lets the power fail where it has not yet, replaces the files by what survived, and switches the disk on. All
// files have to be closed. The shared memory beside a database is lost, or anything.
func (d *Disk) PowerOn() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for name, e := range d.files {
		left := e.durable
		if e.now != e.durable && d.dice.IntN(2) == 0 {
			left = e.now
		}
		if left == nil {
			if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			continue
		}
		if err := os.WriteFile(name, left.survive(d.dice), 0o600); err != nil {
			return err
		}
	}
	for name := range d.files {
		if err := d.scramble(name + "-shm"); err != nil {
			return err
		}
	}
	d.files, d.off, d.fuse = map[string]*entry{}, false, 0
	return nil
}

// scramble leaves anything in a file that nobody ever synced.
func (d *Disk) scramble(name string) error {
	content, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) || strings.HasSuffix(name, "-wal-shm") {
		return nil
	}
	if err != nil {
		return err
	}
	switch d.dice.IntN(3) {
	case 0:
		return os.Remove(name)
	case 1:
		for i := range content {
			content[i] = byte(d.dice.Uint32())
		}
		return os.WriteFile(name, content, 0o600)
	default:
		return nil
	}
}
