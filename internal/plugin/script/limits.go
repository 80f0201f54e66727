package script

import (
	"time"

	"github.com/stdops/stdops"
)

// Limits lists what bounds scripts.
func Limits() []stdops.Limit {
	return []stdops.Limit{
		{Name: "script-time", Value: int64(longestTimeout / time.Second), Unit: "seconds", About: "that a script may be given"},
		{Name: "script-output", Value: maxTail, Unit: "bytes", About: "of the end of stdout, and of stderr, that become outputs"},
		{Name: "script-processes", Value: maxProcesses, Unit: "processes", About: "and threads that the user of a script may have more than before; not for root"},
		{Name: "script-files", Value: maxFiles, Unit: "files", About: "that a process of a script may have open"},
		{Name: "script-environment", Value: maxVariables, Unit: "bytes", About: "of variables in the environment of a script"},
	}
}
