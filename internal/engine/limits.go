package engine

import (
	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/expr"
	"github.com/stdops/stdops/internal/plugin"
)

// Limits lists what bounds a running task and is no setting: the budgets of expressions belong to what a flow means, which
// is the same on every server, and after a crash inputs are rendered again within the same ones (docs/adr/0005).
func Limits() []stdops.Limit { return expr.Limits() }

// poolSizes says how many calls of each class may be out at once in this process. One project may have half of them and
// never more, also while the other half is idle: a call can last an hour, and whoever comes next must not have to wait
// for it.
func poolSizes(l *stdops.Limits) [plugin.Classes]int {
	return [plugin.Classes]int{
		plugin.Light: int(l.LightCalls), plugin.HTTP: int(l.HTTPCalls), plugin.Script: int(l.ScriptCalls),
	}
}
