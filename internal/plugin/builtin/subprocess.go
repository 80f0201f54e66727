package builtin

import (
	"context"
	"fmt"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/expr"
	"github.com/stdops/stdops/internal/plugin"
)

// subprocess runs a flow as a task of its own (docs/spec/engine.md 7.8). The engine ends the node when that task ends.
type subprocess struct{ child plugin.MakeChild }

// Subprocess gives the plugin that makes child tasks.
func Subprocess(child plugin.MakeChild) plugin.Plugin { return subprocess{child} }

// Spec describes the plugin.
func (subprocess) Spec() plugin.Spec {
	return plugin.Spec{
		Code: "subprocess_plugin", Versions: []string{"1.0.0"}, Name: "Independent subprocess", Group: "basic",
		Doc: "Runs a flow as a task of its own, and waits for its end. Outputs of that task that the flow around maps are outputs of the node too.",
		Inputs: []plugin.Field{{
			Key: "subprocess", Name: "Subprocess", Type: "object", Required: true,
			Doc: "the flow, as pipeline or by template_id, template_source, version and always_use_latest, with its constants",
		}},
		Outputs: []plugin.Field{
			{Key: "task_id", Name: "Id of the task", Type: "integer"},
			{Key: "task_url", Name: "Address of the task", Type: "string"},
			{Key: "task_name", Name: "Name of the task", Type: "string"},
		},
		Execute: plugin.Repeat, Schedule: plugin.Repeat, Variables: true, Child: true,
	}
}

// Execute makes the task and starts it.
func (s subprocess) Execute(ctx context.Context, call *plugin.Call) (plugin.Outcome, error) {
	value, _ := call.Inputs.Get("subprocess")
	flow, ok := value.(*stdops.Object)
	if !ok || flow == nil {
		return plugin.Outcome{}, fmt.Errorf("subprocess must be an object")
	}
	constants, err := enter(flow, call)
	if err != nil {
		return plugin.Outcome{}, err
	}
	child, err := s.child(ctx, plugin.NewChild{
		Project: call.Project, Of: call.Attempt, Executor: call.System.Text("executor"), Flow: flow, Constants: constants,
	})
	if err != nil {
		return plugin.Outcome{}, fmt.Errorf("start the task of the subprocess: %w", err)
	}
	call.Logf("task %d (%s) runs: %s", child.ID, child.Name, child.URL)
	call.Outputs.Set("task_id", int64(child.ID))
	call.Outputs.Set("task_url", child.URL)
	call.Outputs.Set("task_name", child.Name)
	return plugin.Outcome{Next: plugin.Callback}, nil
}

// enter gives the values of the constants that enter the flow from around the node: those that are shown, rendered there.
func enter(flow *stdops.Object, call *plugin.Call) (*stdops.Object, error) {
	values := &stdops.Object{}
	pipeline, _ := flow.Get("pipeline")
	tree, _ := pipeline.(*stdops.Object)
	list, _ := tree.Get("constants")
	constants, _ := list.(*stdops.Object)
	lookup := func(name string) (any, bool) {
		if name == "_system" {
			return call.System, true
		}
		return call.Variables.Get(name)
	}
	for _, key := range constants.Keys() {
		item, _ := constants.Get(key)
		constant, _ := item.(*stdops.Object)
		value, _ := constant.Get("value")
		if constant.Text("show_type") != "show" || !renders(constant) || !expr.HasReference(value) {
			continue
		}
		rendered, err := expr.Render(value, lookup, expr.Environment{Now: call.Now, Zone: call.Zone})
		if err != nil {
			return nil, fmt.Errorf("constant %s of the subprocess: %w", key, err)
		}
		values.Set(key, rendered)
	}
	return values, nil
}

// renders reports whether the value of a constant is a template.
func renders(constant *stdops.Object) bool {
	need, _ := constant.Get("need_render")
	return need == nil || stdops.Truth(need)
}
