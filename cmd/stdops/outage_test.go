package main

import (
	"io"
	"testing"
	"time"

	"github.com/stdops/stdops/client"
)

// TestOutage: a server that was there may be away for a while, however long it had nothing to say before.
func TestOutage(t *testing.T) {
	t.Parallel()
	begin := time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	away, full, gone := &client.UnreachableError{Err: io.EOF}, &client.Error{Status: 503}, &client.Error{Status: 404}
	type came struct {
		after time.Duration
		err   error
		ends  bool
	}
	for name, all := range map[string][]came{
		"never there":         {{0, away, true}},
		"never let in":        {{0, full, true}},
		"quiet, then away":    {{0, nil, false}, {time.Hour, away, false}, {time.Hour + restartTime, full, false}, {time.Hour + restartTime + 1, away, true}},
		"there again":         {{0, nil, false}, {1, away, false}, {restartTime, nil, false}, {2 * restartTime, away, false}},
		"it says no for ever": {{0, nil, false}, {1, gone, true}},
	} {
		var o outage
		for i, c := range all {
			if got := o.ends(c.err, begin.Add(c.after)); got != c.ends {
				t.Errorf("%s: answer %d ends it: %t, want %t", name, i, got, c.ends)
			}
		}
	}
}
