package app

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/stdops/stdops/internal/plugin/script"
	"github.com/stdops/stdops/internal/store"
)

const (
	mib = 1 << 20
	// leastRoom is how much room a disk has to have: with less, a busy server meets a full disk within minutes.
	leastRoom = 64 * mib
	// largeLog is larger than a server lets its log grow when nobody keeps it from folding it.
	largeLog = 512 * mib
)

// surroundings looks at the data directory, the disk and the settings.
func (d *Diagnosis) surroundings(data *store.Copy, p Patient) error {
	dir, base := filepath.Split(data.File())
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("read data directory: %w", err)
	}
	var size, log int64
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			continue // it has gone meanwhile
		}
		switch name := e.Name(); name {
		case base:
			size = info.Size()
		case base + "-wal":
			log = info.Size()
		case keyFile:
			d.private(info, filepath.Join(dir, name))
		default:
			d.leftover(base, name, info)
		}
	}
	if info, err := os.Stat(dir); err == nil {
		d.private(info, filepath.Clean(dir))
	}
	if _, err := backupKey(dir); err != nil {
		d.add(Finding{What: err.Error(), Advice: "take the key of a backup of this data directory"})
	}
	d.logSize(log)
	d.settings(p)
	return d.room(dir, size+log)
}

// private tells of what others could open.
func (d *Diagnosis) private(info os.FileInfo, path string) {
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		d.add(Finding{What: fmt.Sprintf("%s is open to others than its owner (mode %o)", path, mode), Advice: "chmod go= " + path})
	}
}

// leftover tells of files that only take up room.
func (d *Diagnosis) leftover(database, name string, info os.FileInfo) {
	switch {
	case !strings.HasPrefix(name, database+"."):
	case strings.HasSuffix(name, ".part"):
		d.add(Finding{Note: true, What: fmt.Sprintf("%s (%d MiB) is a copy that was not finished", name, info.Size()/mib), Advice: "remove it, unless a copy is being made"})
	default:
		what := fmt.Sprintf("%s (%d MiB) is a copy of the database of %s, before an upgrade or a repair", name, info.Size()/mib, info.ModTime().Format("2006-01-02"))
		d.add(Finding{Note: true, What: what, Advice: "remove it when what came after has proved itself"})
	}
}

func (d *Diagnosis) logSize(size int64) {
	switch {
	case size > largeLog:
		d.add(Finding{
			What:   fmt.Sprintf("the log of the database has %d MiB: something keeps it from being folded into the database", size/mib),
			Advice: "look for a program that reads the database for long, and restart the server",
		})
	case size > 0 && !d.Running:
		d.add(Finding{Note: true, What: "the last server did not come to a clean end", Advice: "the next start goes on where it ended"})
	}
}

func (d *Diagnosis) settings(p Patient) {
	as, err := script.ParseAs(p.LocalScripts)
	switch {
	case p.LocalScripts == "":
	case err != nil:
		d.add(Finding{Note: true, What: "STDOPS_LOCAL_SCRIPTS: " + err.Error(), Advice: "no server starts with it"})
	case as.Same:
		secrets := "this data directory with its key"
		if p.DB != "" {
			secrets = "the address of the database with its password"
		}
		d.add(Finding{
			Note: true, What: "scripts of flows run as the user of the server, and can read " + secrets,
			Advice: "let them run as another user (docs/scripts.md)",
		})
	}
}

// room looks how much room the disk has.
func (d *Diagnosis) room(dir string, size int64) error {
	var disk syscall.Statfs_t
	if err := syscall.Statfs(dir, &disk); err != nil {
		return fmt.Errorf("look at the disk of the data directory: %w", err)
	}
	switch free := int64(disk.Bavail) * int64(disk.Bsize); { //nolint:unconvert // their types differ by system
	case free < leastRoom:
		d.add(Finding{What: fmt.Sprintf("the disk of the data directory has %d MiB left", free/mib), Advice: "make room: on a full disk nothing is stored"})
	case free < size:
		d.add(Finding{
			Note: true, What: fmt.Sprintf("the disk has %d MiB left, the database has %d MiB", free/mib, size/mib),
			Advice: "make room before an upgrade, which copies the database",
		})
	}
	return nil
}
