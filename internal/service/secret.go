package service

import (
	"context"
	"fmt"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/flow"
)

// secrets gives what must not be shown of a task. Most tasks have no secrets, and cost nothing.
func (s *Service) secrets(ctx context.Context, ref stdops.TaskRef, graph *flow.Graph) (stdops.Secrets, error) {
	if !graph.HasSecrets() {
		return nil, nil
	}
	text, err := s.store.TaskInputs(ctx, ref)
	if err != nil {
		return nil, err
	}
	inputs, err := decodeObject(text)
	if err != nil {
		return nil, fmt.Errorf("values of task %d: %w", ref.Task, err)
	}
	return graph.SecretsOf(inputs), nil
}
