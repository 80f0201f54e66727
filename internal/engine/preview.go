package engine

import (
	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/flow"
)

// preview renders what a node would be given if it were entered now. Subprocesses around it that were not entered either
// are given their parameters first.
func preview(st *state, env env, n stdops.NodeIndex) (*stdops.Object, error) {
	s := newStep(st, env)
	var around []stdops.NodeIndex
	for p := s.graphNode(n).Parent; p != stdops.RootNode; p = s.graphNode(p).Parent {
		around = append(around, p)
	}
	for i := len(around) - 1; i >= 0; i-- {
		if s.node(around[i]) != nil {
			continue
		}
		if _, err := s.enterDry(around[i]); err != nil {
			return nil, err
		}
	}
	switch s.graphNode(n).Kind {
	case stdops.KindActivity:
		enterRunning(s.touch(n), s.version(), 0, env.now)
		inputs, err := s.renderInputs(n)
		inputs.Delete("_loop") // it has not been entered, so there is nothing to count
		inputs.Delete("_inner_loop")
		return inputs, unmade("inputs", err)
	case stdops.KindSubprocess:
		return s.enterDry(n)
	default:
		return &stdops.Object{}, nil
	}
}

// enterDry gives a subprocess its parameters.
func (s *step) enterDry(n stdops.NodeIndex) (*stdops.Object, error) {
	enterRunning(s.touch(n), s.version(), 0, s.now)
	values, err := s.renderParams(n)
	if err != nil {
		return nil, unmade("context", err)
	}
	inputs := &stdops.Object{}
	for i, p := range s.graphNode(n).Pipeline.Params {
		if err := s.setVariable(n, p.Key, values[i]); err != nil {
			return nil, err
		}
		inputs.Set("${"+p.Key+"}", values[i])
	}
	return inputs, nil
}

// unmade is the refusal to show values that cannot be made, for the reason of which the node would fail.
func unmade(what string, err error) error {
	if err == nil {
		return nil
	}
	return refusal("%s", hydrateText(what, err))
}

// Templates gives the inputs of an activity before they are rendered: those of the tree, or those that the last retry gave.
func Templates(act *flow.Activity, retry *stdops.Object) *stdops.Object {
	templates := &stdops.Object{}
	if retry.Len() > 0 {
		for _, key := range retry.Keys() {
			if value, _ := retry.Get(key); key != escapeKey {
				templates.Set(key, value)
			}
		}
		return templates
	}
	for _, in := range act.Inputs {
		templates.Set(in.Key, in.Value)
	}
	return templates
}
