package builtin

import (
	"context"

	"github.com/stdops/stdops/internal/plugin"
)

// pauseNode waits for a person, who calls it back (docs/spec/engine.md 7.5).
type pauseNode struct{}

// Spec describes the plugin.
func (pauseNode) Spec() plugin.Spec {
	return plugin.Spec{
		Code: "pause_node", Versions: []string{"legacy"}, Name: "Manual confirmation", Group: "basic",
		Doc:     "Waits until somebody confirms, by a callback of the node.",
		Inputs:  []plugin.Field{{Key: "description", Name: "Description", Type: "string"}},
		Outputs: []plugin.Field{{Key: "callback_data", Name: "Data of the confirmation", Type: "object"}},
		Execute: plugin.Repeat, Schedule: plugin.Repeat, Inward: true, Person: true,
	}
}

// Execute begins to wait.
func (pauseNode) Execute(context.Context, *plugin.Call) (plugin.Outcome, error) {
	return plugin.Outcome{Next: plugin.Callback}, nil
}

// Schedule keeps what the confirmation brought.
func (pauseNode) Schedule(_ context.Context, call *plugin.Call) (plugin.Outcome, error) {
	call.Outputs.Set("callback_data", call.Callback)
	return plugin.Done, nil
}
