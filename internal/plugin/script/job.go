package script

import (
	"crypto/rand"
	"io/fs"
	"os"
	"path/filepath"
)

// ShimCommand is the hidden command of the program that makes a process a guard.
const ShimCommand = "exec-shim"

// IsShim reports whether a command line asks for [Shim]. A program whose server runs scripts looks before anything else.
func IsShim(args []string) bool { return len(args) == 2 && args[1] == ShimCommand }

// The files of a guard beside the usual three.
const (
	controlFile = 3 // from the server: a job, then orders; its end means that the server is gone
	resultFile  = 4 // to the server: one result
)

// job is what a guard is told to run, one line of JSON.
type job struct {
	Interpreter []string // with arguments of its own
	Script      string
	Args        []string
	Env         []string
	Dir         string // to run in; "" is a private one
	Private     string // the directory to make for it
	Group       string // the control group to make for it, where that can be had; "" for none
	Switch      bool   // to the user below
	UID, GID    uint32 // of whoever the script runs as
}

// newName makes a name for what belongs to one run of a script.
func newName() string { return "stdops-script-" + rand.Text() }

// removeDir removes the private directory. It gives the path when that cannot be done, else "".
func (j *job) removeDir() string {
	err := os.RemoveAll(j.Private)
	if err != nil && !j.Switch { // the script may have closed directories to its owner too; root is not bound by that
		_ = filepath.WalkDir(j.Private, openDir)
		err = os.RemoveAll(j.Private)
	}
	if err != nil {
		return j.Private
	}
	return ""
}

func openDir(path string, entry fs.DirEntry, _ error) error {
	if entry != nil && entry.IsDir() {
		_ = os.Chmod(path, 0o700)
	}
	return nil // what cannot be opened cannot be removed, which is told
}

// stopOrder ends a script: TERM, and KILL after the time that stands behind it.
const stopOrder = "stop "

// result is how a script ended, as JSON.
type result struct {
	Told   bool   // false when there is none
	Exit   int    // as shells tell it: 128 and the number of the signal for one that a signal ended
	Signal string // that ended it, "" for none
	Error  string // why it could not be run, or not be ended
	Left   string // the private directory, when it could not be removed
}

// The environment of every script, before what the job adds. It is built from nothing: the server's own may hold secrets.
const searchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// maxProcesses is how many processes and threads the user of a script may have more than when it began. It does not bind
// root.
const maxProcesses = 1024

// maxFiles is how many files a process of a script may have open.
const maxFiles = 4096
