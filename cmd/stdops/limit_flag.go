package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/stdops/stdops"
)

// limitFlag sets bounds by the names that `stdops limits` prints, one or several as name=value,name=value; it may be
// repeated.
type limitFlag struct{ limits *stdops.Limits }

// Set sets the bounds that text names, in its order.
func (f limitFlag) Set(text string) error {
	for pair := range strings.SplitSeq(text, ",") {
		name, value, ok := strings.Cut(strings.TrimSpace(pair), "=")
		n, err := strconv.ParseInt(value, 10, 64)
		if !ok || err != nil {
			return fmt.Errorf("%q is not of the form name=number", pair)
		}
		if err := f.limits.Set(name, n); err != nil {
			return err
		}
	}
	return nil
}

// String gives what is shown as the default: nothing, since there are many.
func (f limitFlag) String() string { return "" }

// Type names the form of a value.
func (f limitFlag) Type() string { return "name=number" }
