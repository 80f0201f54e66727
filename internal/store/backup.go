package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/driver"
)

// OpenStopped opens a data directory to read it as [OpenCopy] does, whatever its schema is.
func OpenStopped(dir string) (*Copy, error) {
	c, err := copyOf(dir)
	if err != nil {
		return nil, err
	}
	if c.lock, err = shareDir(filepath.Dir(c.file)); err != nil {
		return nil, err
	}
	if err := c.open(); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// OpenBeside opens a data directory as [OpenStopped] does, and also beside a server that has it and goes on meanwhile.
func OpenBeside(dir string) (*Copy, error) {
	c, err := OpenStopped(dir)
	if !errors.Is(err, ErrInUse) {
		return c, err
	}
	if c, err = copyOf(dir); err != nil {
		return nil, err
	}
	c.live = true
	if err := c.connect(address(c.file, "ro", "")); err != nil { // the log and its index are the server's
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

func copyOf(dir string) (*Copy, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("open data directory: %w", err)
	}
	c := &Copy{file: filepath.Join(dir, databaseFile)}
	if _, err := os.Stat(c.file); err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	return c, nil
}

// Live reports whether a server had the data directory when it was opened.
func (c *Copy) Live() bool { return c.live }

// Moment lets fn see one moment of the data, whatever a server stores meanwhile. It must be short: the log of the server
// cannot be folded as long as somebody reads it.
func (c *Copy) Moment(ctx context.Context, fn func() error) error {
	if c.pg {
		return c.momentOfDatabase(ctx, fn)
	}
	if _, err := c.db.ExecContext(ctx, "BEGIN"); err != nil { // on the one connection, which all that fn reads goes through
		return fmt.Errorf("begin to read: %w", err)
	}
	err := fn()
	if _, ended := c.db.ExecContext(context.WithoutCancel(ctx), "ROLLBACK"); ended != nil {
		return errors.Join(err, fmt.Errorf("end to read: %w", ended))
	}
	return err
}

// Save makes the database of another data directory of one moment of the data, as a whole or not at all and so that it
// survives a loss of power. Only its owner can read it. There must be none yet.
func (c *Copy) Save(ctx context.Context, dir string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return fmt.Errorf("save database: %w", err)
	}
	file := filepath.Join(dir, databaseFile)
	if _, err := os.Lstat(file); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("save database: %s exists already", file)
	}
	part := file + partSuffix
	if err := c.saveAs(ctx, part); err != nil {
		return errors.Join(fmt.Errorf("save database: %w", err), ignoreMissing(os.Remove(part)))
	}
	if err := publish(part, file); err != nil {
		return fmt.Errorf("save database: %w", err)
	}
	return nil
}

// partSuffix ends the name of a file that is not whole yet.
const partSuffix = ".part"

func (c *Copy) saveAs(ctx context.Context, file string) error {
	if err := ignoreMissing(os.Remove(file)); err != nil { // left by a process that was killed
		return err
	}
	if err := createPrivate(file); err != nil {
		return err
	}
	// The setting keeps the connection from writing anything, a file of its own included; the database it can not write.
	if _, err := c.db.ExecContext(ctx, "PRAGMA query_only = OFF"); err != nil {
		return err
	}
	err := vacuumInto(ctx, c.db, file)
	_, restored := c.db.ExecContext(context.WithoutCancel(ctx), "PRAGMA query_only = ON")
	if err := errors.Join(err, restored); err != nil {
		return err
	}
	return checkSaved(ctx, file)
}

// checkSaved reads what was written: a copy that can not be read is worse than none.
func checkSaved(ctx context.Context, file string) (err error) {
	db, err := driver.Open(address(file, "ro", "")+"&immutable=1", func(conn *sqlite3.Conn) error { return conn.Exec(readerSettings) })
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var said string
	if err := db.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&said); err != nil {
		return fmt.Errorf("check what was written: %w", err)
	}
	if said != "ok" {
		return fmt.Errorf("check what was written: %s", said)
	}
	return nil
}

// publish gives a file its name when all of it is on the disk.
func publish(part, file string) error {
	if err := syncFile(part); err != nil {
		return err
	}
	if err := os.Rename(part, file); err != nil {
		return err
	}
	return syncDir(filepath.Dir(file))
}

func syncFile(file string) error {
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Others lists what a directory holds beside what [Hold], or a [Copy.Save] that was interrupted, has left there.
func Others(dir string) (names []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("read data directory: %w", err)
	}
	for _, e := range entries {
		if name := e.Name(); name != lockFile && !strings.HasPrefix(name, databaseFile+partSuffix) { // SQLite adds a journal
			names = append(names, name)
		}
	}
	return names, nil
}

// Hold takes a data directory for a command, as a server would; it is made where it is missing. A server, or another command,
// that has it is told of ([ErrInUse]).
func Hold(dir string) (release func() error, err error) {
	lock, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	return func() error { return unlockDir(lock) }, nil
}

// LastStart tells when a server last took the data directory, by the clock of the machine; zero when nobody knows.
func (c *Copy) LastStart() time.Time {
	info, err := os.Stat(filepath.Join(filepath.Dir(c.file), lockFile))
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}
