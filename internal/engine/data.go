package engine

import (
	"errors"
	"fmt"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/expr"
	"github.com/stdops/stdops/internal/flow"
	"github.com/stdops/stdops/internal/lazy"
)

// hydrateText is the ex_data of a node whose values could not be made. A spent budget is told as what it is.
func hydrateText(what string, err error) string {
	if limit := (*expr.LimitError)(nil); errors.As(err, &limit) {
		return err.Error()
	}
	return fmt.Sprintf("%s hydrate failed(%s), check node log for details", what, err)
}

// scope evaluates variables of one pipeline; nothing is inherited from the pipelines around it
// (docs/spec/engine.md 6.1, 6.2).
type scope struct {
	*step
	at       stdops.NodeIndex // the node that is executed
	pipeline stdops.NodeIndex
	inject   map[string]any  // values that stand above those of the pipeline
	busy     map[string]bool // variables under evaluation: one that needs itself stays literal
	done     map[string]any  // evaluated: each is evaluated once, however many others name it
	err      error           // of a value that cannot be made, which a lookup cannot return
}

func (s *step) scope(at stdops.NodeIndex, inject map[string]any) *scope {
	pipeline := s.graphNode(at).Parent
	return &scope{step: s, at: at, pipeline: pipeline, inject: inject, busy: make(map[string]bool), done: make(map[string]any)}
}

// lookup gives the value of a variable.
func (v *scope) lookup(name string) (any, bool) {
	if value, ok := v.inject[name]; ok {
		return value, true
	}
	if name == "_system" {
		return v.system(), true
	}
	raw, rendered, ok := v.raw(name)
	how := v.recipe(name, raw)
	if !ok || rendered || how.fixed() {
		return raw, ok
	}
	if value, ok := v.done[name]; ok {
		return value, true
	}
	if v.busy[name] {
		return nil, false
	}
	v.busy[name] = true
	defer delete(v.busy, name)
	value, err := v.made(how, "${"+name+"}")
	if err != nil {
		v.err = err
		return nil, false
	}
	v.done[name] = value
	return value, true
}

// raw gives the stored value of a variable; rendered says that it is a result and no template.
func (v *scope) raw(name string) (value any, rendered, ok bool) {
	k := varKey{v.pipeline, name}
	set, ok := v.step.vars[k]
	if !ok {
		set, ok = v.state.vars[k]
	}
	if ok && set.text != nil {
		return set.value, true, true
	}
	def, ok := v.graphNode(v.pipeline).Pipeline.Variables[name]
	if !ok || def.Output {
		return nil, false, false
	}
	if v.pipeline == stdops.RootNode {
		value, ok = v.inputs.Get(name)
		return value, false, ok
	}
	return def.Value, false, true
}

// render renders a template; label tells it from the others of the node.
func (v *scope) render(value any, label string) (any, error) {
	out, err := v.rendered(value, label)
	if err == nil {
		err = v.err
	}
	return out, err
}

// rendered renders a template. What values put together nest too deep for could be stored but never be read back.
func (v *scope) rendered(template any, label string) (any, error) {
	value, err := expr.Render(template, v.lookup, v.environment(label))
	if err == nil && depth(value) >= stdops.MaxDepth {
		return nil, &expr.LimitError{Which: "nesting"}
	}
	return value, err
}

// depth gives how deep a value nests: 0 for one that is no container.
func depth(value any) (deepest int) {
	switch value := value.(type) {
	case []any:
		for _, item := range value {
			deepest = max(deepest, depth(item))
		}
		return deepest + 1
	case *stdops.Object:
		for _, key := range value.Keys() {
			item, _ := value.Get(key)
			deepest = max(deepest, depth(item))
		}
		return deepest + 1
	default:
		return 0
	}
}

// preRender gives the values of the variables of the pipeline around a node that are evaluated once, and of all that they
// name.
func (s *step) preRender(start stdops.NodeIndex) (map[string]any, error) {
	v := s.scope(start, nil)
	pipeline := s.graphNode(v.pipeline).Pipeline
	var todo []string
	for _, key := range pipeline.Order {
		if pipeline.Variables[key].PreRender {
			todo = append(todo, key)
		}
	}
	values := make(map[string]any, len(todo))
	for len(todo) > 0 {
		key := todo[0]
		todo = todo[1:]
		raw, rendered, ok := v.raw(key)
		how := v.recipe(key, raw)
		if _, seen := values[key]; seen || !ok || rendered || how.fixed() {
			continue
		}
		values[key], _ = v.lookup(key)
		if v.err != nil {
			return nil, v.err
		}
		todo = append(todo, expr.References(raw)...)
	}
	return values, nil
}

// loopVariables gives the variables that are fed from the loop counters of a node: they show the new count already while
// its inputs are rendered (docs/spec/engine.md 2.5, step 2).
func (s *step) loopVariables(n stdops.NodeIndex, mapping []flow.Mapping, inner bool) map[string]any {
	own := s.node(n)
	inject := make(map[string]any)
	for _, m := range mapping {
		switch {
		case m.Key == "_loop":
			inject[m.Variable] = int64(own.Loop)
		case m.Key == "_inner_loop" && inner:
			inject[m.Variable] = int64(own.InnerLoop)
		}
	}
	return inject
}

// escapeKey lists, among inputs given with a retry, those that are passed on as they are. So is every input whose value
// in the tree was no template.
const escapeKey = "_escape_render_keys"

// renderInputs gives the inputs of an attempt. With an error it gives them as they stand in the tree.
func (s *step) renderInputs(n stdops.NodeIndex) (*stdops.Object, error) {
	node, own := s.graphNode(n), s.node(n)
	given := s.givenInputs(n)
	v := s.scope(n, s.loopVariables(n, node.Activity.Outputs, true))
	inputs, raw := &stdops.Object{}, &stdops.Object{}
	for _, in := range given {
		raw.Set(in.Key, in.Value)
	}
	for _, in := range given {
		value := in.Value
		if in.Render && expr.HasReference(in.Value) { // a text that names no variable is no template
			var err error
			if value, err = v.render(in.Value, in.Key); err != nil {
				return raw, err
			}
		}
		inputs.Set(in.Key, value)
	}
	inputs.Set("_loop", int64(own.Loop))
	inputs.Set("_inner_loop", int64(own.InnerLoop))
	return inputs, nil
}

// newTemplate gives the inputs that come with a retry as they are kept. What an earlier retry passed on as it stands is
// passed on so again.
func (s *step) newTemplate(n stdops.NodeIndex, inputs *stdops.Object) *stdops.Object {
	escaped, _ := inputs.Get(escapeKey)
	list, _ := escaped.([]any)
	list = list[:len(list):len(list)]
	for _, in := range s.givenInputs(n) {
		if !in.Render {
			list = append(list, in.Key)
		}
	}
	if len(list) == 0 {
		return inputs
	}
	template := inputs.Clone()
	template.Set(escapeKey, list)
	return template
}

// givenInputs gives the inputs of a node before rendering: those of the tree, or those given with the last retry.
func (s *step) givenInputs(n stdops.NodeIndex) []flow.Input {
	template := s.getData(n).template
	if template == nil {
		return s.graphNode(n).Activity.Inputs
	}
	verbatim := make(map[string]bool)
	if list, ok := template.Get(escapeKey); ok {
		items, _ := list.([]any)
		for _, item := range items {
			if key, ok := item.(string); ok {
				verbatim[key] = true
			}
		}
	}
	for _, in := range s.graphNode(n).Activity.Inputs {
		if !in.Render || !expr.HasReference(in.Value) {
			verbatim[in.Key] = true
		}
	}
	var given []flow.Input
	for _, key := range template.Keys() {
		if key != escapeKey {
			value, _ := template.Get(key)
			given = append(given, flow.Input{Key: key, Value: value, Render: !verbatim[key]})
		}
	}
	return given
}

// renderParams gives what enters a subprocess, in the order of its parameters.
func (s *step) renderParams(n stdops.NodeIndex) ([]any, error) {
	node := s.graphNode(n)
	v := s.scope(n, s.loopVariables(n, node.Pipeline.Mapping, false))
	values := make([]any, len(node.Pipeline.Params))
	for i, p := range node.Pipeline.Params {
		how := recipe{p.Value, p.CustomType, p.Meta}
		if !p.Render && !lazy.Is(p.CustomType) || how.fixed() {
			values[i] = p.Value
			continue
		}
		var err error
		if values[i], err = v.made(how, p.Key); err == nil {
			err = v.err
		}
		if err != nil {
			return nil, err
		}
	}
	return values, nil
}

// pipelineOutputs gives the declared outputs of the pipeline around its end; one that was never produced shows as its own
// key.
func (s *step) pipelineOutputs(end stdops.NodeIndex) (*stdops.Object, error) {
	v := s.scope(end, nil)
	outputs := &stdops.Object{}
	for _, key := range s.graphNode(v.pipeline).Pipeline.Outputs {
		value, ok := v.lookup(key)
		if v.err != nil {
			return nil, v.err
		}
		if !ok {
			value = "${" + key + "}"
		}
		outputs.Set("${"+key+"}", value)
	}
	return outputs, nil
}

// openBranches gives the edges of a gateway whose conditions hold. problem is the ex_data when one cannot be evaluated.
func (s *step) openBranches(n stdops.NodeIndex) (open []flow.Edge, problem string) {
	node := s.graphNode(n)
	v := s.scope(n, nil)
	for _, b := range node.Branches {
		condition, err := expr.ParseCondition(b.Evaluate)
		if err != nil {
			return nil, s.syntaxText(v, node, b.Evaluate)
		}
		holds, err := condition.Eval(v.lookup, v.environment(b.Evaluate))
		if v.err != nil {
			err = v.err
		}
		limit, syntax := (*expr.LimitError)(nil), (*expr.SyntaxError)(nil)
		switch {
		case err == nil && holds:
			open = append(open, b.Edge)
		case err == nil:
		case errors.As(err, &limit):
			return nil, limit.Error()
		case errors.As(err, &syntax):
			return nil, s.syntaxText(v, node, b.Evaluate)
		default:
			shown := b.Evaluate
			if node.Kind == stdops.KindExclusive {
				shown = condition.Text(v.lookup, v.environment(b.Evaluate))
			}
			return nil, fmt.Sprintf("evaluate[%s] fail with data[%s] message: %s", shown, s.conditionData(v, node), err)
		}
	}
	return open, ""
}

func (s *step) syntaxText(v *scope, node *flow.Node, raw string) string {
	return fmt.Sprintf("evaluate[%s] fail with data[%s]：please check if some variable not exists or the expression is unsupported", raw, s.conditionData(v, node))
}

// conditionData gives the variables that the conditions of a gateway name, as JSON.
func (s *step) conditionData(v *scope, node *flow.Node) string {
	data := &stdops.Object{}
	for _, b := range node.Branches {
		for _, name := range expr.References(b.Evaluate) {
			if value, ok := v.lookup(name); ok && name != "_system" {
				data.Set("${"+name+"}", value)
			}
		}
	}
	text, err := stdops.EncodeValue(data)
	if err != nil {
		return expr.Text(data)
	}
	return string(text)
}

// variablesFor gives the variables of the pipeline around a node that have a value, where its plugin asks for them. One that
// cannot be evaluated within the budgets is left out: the script, say, may not even need it.
func (s *step) variablesFor(n stdops.NodeIndex) *stdops.Object {
	node := s.graphNode(n)
	p := s.plugins.Find(node.Activity.Code, node.Activity.Version)
	if p == nil || !p.Spec().Variables {
		return nil
	}
	v, values := s.scope(n, s.loopVariables(n, node.Activity.Outputs, true)), &stdops.Object{}
	for _, name := range s.graphNode(node.Parent).Pipeline.Order {
		value, ok := v.lookup(name)
		if v.err != nil {
			ok, v.err = false, nil
		}
		if ok {
			values.Set(name, value)
		}
	}
	return values
}

// system gives the attributes of ${_system} (docs/spec/engine.md 6.7).
func (s *step) system() *stdops.Object {
	if s.state.system == nil || s.change.Executor != "" || !s.root().Started.Equal(s.state.root.Started) {
		return s.freshSystem()
	}
	return s.state.system // they are handed to every call, and change when the task is started
}

// systemFor gives the attributes that the plugin of an activity sees: one with an executor of its own runs in that name
// (docs/spec/engine.md 6.9).
func (s *step) systemFor(act *flow.Activity) *stdops.Object {
	system := s.system()
	if act.Executor == "" {
		return system
	}
	own := system.Clone()
	own.Set("executor", act.Executor)
	return own
}

func (s *step) freshSystem() *stdops.Object {
	executor := s.task.Executor
	if s.change.Executor != "" {
		executor = s.change.Executor
	}
	info := s.info
	return stdops.NewObject(
		"language", "en", "project_id", int64(s.task.Project), "project_name", info.ProjectName,
		"bk_biz_id", info.Biz, "bk_biz_name", info.ProjectName, "biz_supplier_account", nil,
		"operator", executor, "executor", executor, "task_id", int64(s.task.ID), "task_name", s.task.Name,
		"biz_cc_id", info.Biz, "biz_cc_name", info.ProjectName,
		"task_start_time", s.root().Started.In(info.Zone).Format(time.DateTime), "task_url", info.TaskURL,
	)
}
