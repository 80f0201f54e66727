package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

const (
	day = 24 * time.Hour

	// defaultRetention is how long tasks are kept whole when nobody says otherwise.
	defaultRetention = 180 * day
	// leastRetention is far longer than anything still writes to the log of a task that has ended.
	leastRetention = time.Hour
	mostRetention  = 36500 * day
)

// retentionFlag is a time in days, such as 180d, or in units of Go, such as 36h.
type retentionFlag struct{ time *time.Duration }

// Set reads a time.
func (f retentionFlag) Set(text string) error {
	d, err := time.ParseDuration(text)
	if days, is := strings.CutSuffix(text, "d"); is {
		var n int64
		n, err = strconv.ParseInt(days, 10, 32)
		d = time.Duration(min(n, int64(mostRetention/day)+1)) * day
	}
	switch {
	case err != nil:
		return fmt.Errorf("%q is not of the form 180d or 36h", text)
	case d != 0 && d < leastRetention || d > mostRetention:
		return errors.New("it must be 1h to 36500d, or 0")
	}
	*f.time = d
	return nil
}

// String gives the time, in days when they are whole.
func (f retentionFlag) String() string {
	switch {
	case f.time == nil || *f.time == 0:
		return "0"
	case *f.time%day == 0:
		return strconv.FormatInt(int64(*f.time/day), 10) + "d"
	default:
		return f.time.String()
	}
}

// Type names the form of a value.
func (f retentionFlag) Type() string { return "time" }
