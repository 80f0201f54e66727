//go:build faults

package fail

import (
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// Env is the variable of the environment that says which points kill and which faults are on.
const Env = "STDOPS_FAULTS"

// ClockEnv is the variable of the environment that names the file by which Wall is off.
const ClockEnv = "STDOPS_FAULTS_CLOCK"

// wanted holds what the environment asks for: for each name how often it still has to be passed.
var wanted = read(os.Getenv(Env))

func read(text string) map[string]*atomic.Int64 {
	points := make(map[string]*atomic.Int64)
	for entry := range strings.SplitSeq(text, ",") {
		name, number, given := strings.Cut(entry, "@")
		left := int64(1)
		if given {
			n, err := strconv.ParseInt(number, 10, 64)
			if err != nil {
				panic(Env + ": " + err.Error())
			}
			left = n
		}
		points[name] = &atomic.Int64{}
		points[name].Store(left)
	}
	return points
}

// Point kills the process when the environment asks for it at this name and this pass.
func Point(name string) {
	left := wanted[name]
	if left == nil || left.Add(-1) != 0 {
		return
	}
	if err := syscall.Kill(os.Getpid(), syscall.SIGKILL); err != nil {
		panic(err)
	}
	select {} // nothing may happen after the point while the signal is on its way
}

// On reports whether the environment switches the named fault on.
func On(name string) bool { return wanted[name] != nil }

// Wall is what the clock of the machine would show if it were set as the file says.
func Wall() time.Time {
	file := os.Getenv(ClockEnv)
	if file == "" {
		return time.Now()
	}
	text, err := os.ReadFile(file)
	if err != nil {
		panic(ClockEnv + ": " + err.Error())
	}
	off, err := time.ParseDuration(strings.TrimSpace(string(text)))
	if err != nil {
		panic(ClockEnv + ": " + err.Error())
	}
	return time.Now().Round(0).Add(off)
}
