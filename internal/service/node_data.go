package service

import (
	"fmt"
	"slices"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/flow"
	"github.com/stdops/stdops/internal/plugin"
)

// NodeData is what a node was given and gave.
type NodeData struct {
	Inputs  *stdops.Object
	Outputs []Output
	ExData  any // "" when there is none
}

// Output is one output of a node. Key is the name of the variable that the output feeds, where it feeds one.
type Output struct {
	Name   string
	Key    string
	Value  any
	Preset bool // the plugin declares it
}

func (s *Service) nodeData(at *place, d stdops.NodeData, component string) (NodeData, error) {
	inputs, outputs, err := decodeData(d)
	if err != nil {
		return NodeData{}, fmt.Errorf("data of node %d of task %d: %w", at.index, at.task.ID, err)
	}
	if len(d.Inputs) == 0 && len(d.Outputs) == 0 {
		return NodeData{Inputs: inputs, ExData: ""}, nil
	}
	inputs, outputs = at.hide.Object(inputs), at.hide.Object(outputs)
	return NodeData{
		Inputs: at.plainInputs(inputs), Outputs: at.outputs(s.declared(at, component), outputs), ExData: exData(outputs),
	}, nil
}

func decodeData(d stdops.NodeData) (inputs, outputs *stdops.Object, err error) {
	if inputs, err = decodeObject(d.Inputs); err != nil {
		return nil, nil, err
	}
	outputs, err = decodeObject(d.Outputs)
	return inputs, outputs, err
}

func decodeObject(text []byte) (*stdops.Object, error) {
	o := &stdops.Object{}
	if len(text) == 0 {
		return o, nil
	}
	return o, o.UnmarshalJSON(text)
}

func exData(outputs *stdops.Object) any {
	if v, ok := outputs.Get("ex_data"); ok && v != nil {
		return v
	}
	return ""
}

// plainInputs takes ${ and } off the keys of what entered a subprocess.
func (at *place) plainInputs(inputs *stdops.Object) *stdops.Object {
	if at.node.Kind != stdops.KindSubprocess {
		return inputs
	}
	plain := &stdops.Object{}
	for _, key := range inputs.Keys() {
		v, _ := inputs.Get(key)
		plain.Set(bareKey(key), v)
	}
	return plain
}

func bareKey(key string) string {
	if len(key) > 3 && key[:2] == "${" && key[len(key)-1] == '}' {
		return key[2 : len(key)-1]
	}
	return key
}

// declared gives the outputs that the plugin of a node declares; nil when no code is given or it is none of ours.
func (s *Service) declared(at *place, component string) []plugin.Field {
	if component == "" {
		return nil
	}
	version := plugin.DefaultVersion
	if act := at.node.Activity; act != nil && act.Code == component {
		version = act.Version
	}
	p := s.plugins.Find(component, version)
	if p == nil {
		return nil
	}
	return slices.Concat(p.Spec().Outputs, plugin.Always())
}

// outputs lists the outputs of a node: those that its plugin declares in their order, then whatever else there is.
func (at *place) outputs(declared []plugin.Field, outputs *stdops.Object) []Output {
	var list []Output
	known := map[string]bool{}
	for _, f := range declared {
		value, ok := outputs.Get(f.Key)
		if !ok {
			value = ""
		}
		known[f.Key] = true
		list = append(list, Output{Name: f.Name, Key: at.fed(f.Key), Value: value, Preset: true})
	}
	for _, key := range outputs.Keys() {
		if !known[key] {
			value, _ := outputs.Get(key)
			list = append(list, Output{Name: key, Key: at.fed(key), Value: value})
		}
	}
	return list
}

// fed gives the name of the variable that an output feeds, the key itself when it feeds none.
func (at *place) fed(key string) string {
	var mappings []flow.Mapping
	if at.node.Activity != nil {
		mappings = at.node.Activity.Outputs
	} else if at.node.Pipeline != nil {
		mappings = at.node.Pipeline.Mapping
	}
	for _, m := range mappings {
		if m.Key == key || m.Key == bareKey(key) {
			return m.Variable
		}
	}
	return key
}

func (at *place) autoRetry(state *stdops.NodeState) *AutoRetry {
	if at.node.Activity == nil || at.node.Activity.AutoRetry.Times == 0 {
		return nil
	}
	retry := &AutoRetry{Node: at.index, Max: at.node.Activity.AutoRetry.Times}
	if state != nil {
		retry.Times = int(state.AutoRetries)
	}
	return retry
}
