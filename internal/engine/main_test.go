package engine

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/stdops/stdops/internal/flow"
	"github.com/stdops/stdops/internal/plugin"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Line and Wide give the graphs of these tests to those of the package from outside.
func Line(n int) *flow.Graph { return line(n) }

// Wide gives n parallel branches of two activities each.
func Wide(n int) *flow.Graph { return wide(n, nil) }

// SetPool sets how many calls of a class may be out; it comes before Start.
func (e *Engine) SetPool(class plugin.Class, size int) { e.sizes[class] = size }

// ErrStopping is what commands are answered while the engine stops.
var ErrStopping error = errStopping
