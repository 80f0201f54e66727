//go:build !faults

package fail

import "time"

// Point is a place at which the process may be killed, in a program built with the tag faults; here it does nothing.
func Point(string) {}

// On reports whether a fault is switched on, in a program built with the tag faults; here it is always off.
func On(string) bool { return false }

// Wall is what the clock of the machine shows.
func Wall() time.Time { return time.Now() }
