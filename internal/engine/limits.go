package engine

import (
	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/expr"
	"github.com/stdops/stdops/internal/plugin"
)

// Limits lists what bounds a running task.
func Limits() []stdops.Limit {
	return append([]stdops.Limit{
		{Name: "rerun", Value: rerunLimit, Unit: "times", About: "one node may be entered again"},
		{Name: "calls", Value: maxCalls, Unit: "calls", About: "of plugins that one task may have out"},
		{Name: "calls-light", Value: int64(poolSizes[plugin.Light]), Unit: "calls", About: "of plugins that need little; one project may have half of them out"},
		{Name: "calls-http", Value: int64(poolSizes[plugin.HTTP]), Unit: "calls", About: "of plugins that send requests; one project may have half of them out"},
		{Name: "calls-script", Value: int64(poolSizes[plugin.Script]), Unit: "calls", About: "of plugins that run scripts; one project may have half of them out"},
		{Name: "callback", Value: maxCallback, Unit: "bytes", About: "of the data of one callback"},
		{Name: "callbacks", Value: maxCallbacks, Unit: "callbacks", About: "of one task that were accepted and not handled yet"},
		{Name: "output", Value: maxOutput, Unit: "bytes", About: "of one output of a node"},
		{Name: "log", Value: stdops.MaxLog, Unit: "bytes", About: "of the log of one attempt of a node"},
		{Name: "variables", Value: MaxVariables, Unit: "bytes", About: "of the variables of a task"},
	}, expr.Limits()...)
}
