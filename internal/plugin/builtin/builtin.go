// Package builtin holds the plugins that come with the server, one file each.
package builtin

import (
	"github.com/stdops/stdops/internal/plugin"
)

// All gives the plugins that every server has.
func All() []plugin.Plugin {
	return []plugin.Plugin{sleepTimer{}, pauseNode{}, display{}}
}
