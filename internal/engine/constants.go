package engine

import (
	"bytes"

	"github.com/stdops/stdops"
)

// setConstants gives constants of the task new values (docs/spec/engine.md 4.14). All of them are looked at before any is
// changed. Subprocesses that were entered keep the parameters that they were given.
func (s *step) setConstants(cmd Command) error {
	started := s.root().State != stdops.StateCreated
	switch {
	case s.root().State.Ended():
		return stdops.Errorf(stdops.CodeRefused, "task is finished")
	case started && cmd.Early:
		return stdops.Errorf(stdops.CodeRefused, "task is started")
	case started && !s.halted():
		return stdops.Errorf(stdops.CodeRefused, "task is running: constants can be changed while it is paused or has failed")
	}
	values := s.inputs.Clone()
	for _, key := range cmd.Values.Keys() {
		if err := s.checkConstant(key); err != nil {
			return err
		}
		if _, has := s.inputs.Get(key); has {
			value, _ := cmd.Values.Get(key)
			values.Set(key, value)
		}
	}
	if started {
		s.graph.KeepSecrets(values, s.inputs)
	}
	text, err := stdops.EncodeValue(values)
	if err != nil {
		return stdops.Errorf(stdops.CodeInvalid, "constants: %w", err)
	}
	if most := s.limits.Variables; int64(len(text)) > most {
		return stdops.Errorf(stdops.CodeInvalid, "constants: their values have %d bytes together, the limit is %d", len(text), most)
	}
	for _, key := range cmd.Values.Keys() { // what was fixed at the start because another constant named it
		s.dropVariable(stdops.RootNode, key)
	}
	if !bytes.Equal(text, s.encode(s.inputs)) {
		s.inputs, s.change.Inputs = values, text
		s.note(stdops.RootNode, s.root().State, s.root().State, cmd.Actor)
	}
	return nil
}

// checkConstant refuses constants that nobody but the engine, or the author of the flow, gives a value.
func (s *step) checkConstant(key string) error {
	pipeline := s.graphNode(stdops.RootNode).Pipeline
	def, ok := pipeline.Variables[key]
	first := s.node(pipeline.Start)
	switch {
	case !ok:
	case def.Output:
		return stdops.Errorf(stdops.CodeInvalid, "constant ${%s} is fed by an output, it can not be changed", key)
	case !def.Shown:
		return stdops.Errorf(stdops.CodeInvalid, "constant ${%s} is hidden, it can not be changed", key)
	case def.PreRender && first != nil && first.State == stdops.StateFinished:
		return stdops.Errorf(stdops.CodeInvalid, "constant ${%s} was fixed at the start, it can not be changed", key)
	}
	return nil
}

// halted reports whether the task shows another state than RUNNING: it is paused, or a node is paused or has failed
// (docs/spec/api.md 1.10).
func (s *step) halted() bool {
	if s.root().State == stdops.StateSuspended {
		return true
	}
	for i := range s.graph.Nodes {
		own := s.node(stdops.NodeIndex(i))
		if own != nil && own.Order > 0 && (own.State == stdops.StateFailed || own.State == stdops.StateSuspended) {
			return true
		}
	}
	return false
}
