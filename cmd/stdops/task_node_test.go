package main

import (
	"testing"
	"time"

	"github.com/stdops/stdops/client"
)

// TestNodeColumns_tell_how_long_it_was_queued_and_ran, and nothing where that is not known.
func TestNodeColumns_tell_how_long_it_was_queued_and_ran(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	for what, c := range map[string]struct {
		node        client.Node
		queued, ran string
	}{
		"ended":     {client.Node{Started: noon, Called: noon.Add(1500 * time.Millisecond), Finished: noon.Add(time.Hour)}, "1.5s", "59m59s"},
		"at once":   {client.Node{Started: noon, Called: noon, Finished: noon.Add(1234567 * time.Nanosecond)}, "0s", "1ms"},
		"runs":      {client.Node{Started: noon, Called: noon.Add(time.Second)}, "1s", ""},
		"waits":     {client.Node{Started: noon}, "", ""},
		"not known": {client.Node{Started: noon, Finished: noon.Add(time.Second)}, "", ""},
	} {
		for _, columns := range [][]column[client.Node]{nodeColumns(), attemptColumns()} {
			shown := map[string]string{}
			for _, column := range columns {
				shown[column.title] = column.cell(&c.node)
			}
			if shown["QUEUED"] != c.queued || shown["RAN"] != c.ran {
				t.Errorf("%s: queued %q, ran %q, want %q and %q", what, shown["QUEUED"], shown["RAN"], c.queued, c.ran)
			}
		}
	}
}
