package expr

import (
	"time"

	"github.com/stdops/stdops"
)

// Limits lists the budgets of one fragment (docs/spec/engine.md 6.4.4).
func Limits() []stdops.Limit {
	return []stdops.Limit{
		{Name: "expression-source", Value: maxSource, Unit: "bytes", About: "of one ${…}"},
		{Name: "expression-nesting", Value: maxNesting, Unit: "levels", About: "of one ${…}"},
		{Name: "expression-steps", Value: maxSteps, Unit: "steps", About: "of one ${…}"},
		{Name: "expression-time", Value: int64(maxTime / time.Millisecond), Unit: "ms", About: "of one ${…}"},
		{Name: "expression-size", Value: maxSize, Unit: "bytes", About: "of the result of one ${…}, and of all results in one value"},
	}
}
