//go:build !linux

package script

import (
	"fmt"
	"os"
)

// Shim refuses: there is no guard on this system.
func Shim() int {
	fmt.Fprintln(os.Stderr, "stdops "+ShimCommand+": scripts run on Linux only")
	return 2
}

// ownerOf is asked for scripts only.
func ownerOf(os.FileInfo) uint32 { return 0 }

// newGroup names none: there are no control groups.
func newGroup(string) string { return "" }

func (*job) removeGroup() {}
