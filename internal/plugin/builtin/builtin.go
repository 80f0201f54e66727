// Package builtin holds the plugins that come with the server, one file each.
package builtin

import (
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/outbound"
	"github.com/stdops/stdops/internal/plugin"
)

// All gives the plugins that every server has and that need nothing but their inputs.
func All() []plugin.Plugin {
	return []plugin.Plugin{sleepTimer{}, pauseNode{}, display{}}
}

// Limits lists what bounds single plugins.
func Limits() []stdops.Limit {
	return []stdops.Limit{
		{Name: "request-time", Value: int64(longestRequest / time.Second), Unit: "seconds", About: "that a request of a flow may take"},
		{Name: "request-answer", Value: outbound.MaxBody, Unit: "bytes", About: "of the answer to a request of a flow, after inflating"},
	}
}
