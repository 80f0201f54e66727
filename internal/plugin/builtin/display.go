package builtin

import (
	"context"

	"github.com/stdops/stdops/internal/plugin"
)

// display shows a text in the record of the task and does nothing else (docs/spec/engine.md 7.6).
type display struct{}

// Spec describes the plugin.
func (display) Spec() plugin.Spec {
	return plugin.Spec{
		Code: "bk_display", Versions: []string{"1.0", "legacy"}, Name: "Message", Group: "basic",
		Doc:     "Shows a message among the inputs of the node.",
		Inputs:  []plugin.Field{{Key: "bk_display_message", Name: "Message", Type: "string"}},
		Execute: plugin.Repeat,
	}
}

// Execute does nothing: the rendered input is the message.
func (display) Execute(context.Context, *plugin.Call) (plugin.Outcome, error) {
	return plugin.Done, nil
}
