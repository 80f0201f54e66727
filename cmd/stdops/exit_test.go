package main

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stdops/stdops"
)

// TestWhole: who runs a command on a database hears why it is not available, once.
func TestWhole(t *testing.T) {
	t.Parallel()
	why := errors.New("no such host")
	for _, c := range []struct {
		err  error
		want string
	}{
		{&stdops.Error{Code: stdops.CodeUnavailable, Message: "not available", Err: why}, "look: not available: no such host"},
		{&stdops.Error{Code: stdops.CodeUnavailable, Message: "no such host", Err: why}, "look: no such host"},
		{&stdops.Error{Code: stdops.CodeUnavailable, Message: "not available"}, "look: not available"},
		{&stdops.Error{Code: stdops.CodeRefused, Message: "in use", Err: why}, "look: in use"},
		{why, "look: no such host"},
	} {
		if got := whole(fmt.Errorf("look: %w", c.err)); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}
