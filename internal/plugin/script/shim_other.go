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
