package service

import (
	"context"
	"fmt"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/engine"
)

// NewConstants are values for constants of a task.
type NewConstants struct {
	Values *stdops.Object // by key with ${ and }
	Early  bool           // only before the start
	Known  bool           // keys that the task does not have are refused, not ignored
}

// SetConstants gives constants of a task new values and returns after the commit (docs/spec/engine.md 4.14). All of them
// are changed or none.
func (s *Service) SetConstants(ctx context.Context, a *Access, id stdops.TaskID, n NewConstants) error {
	task, err := s.task(ctx, a, id)
	if err != nil {
		return err
	}
	if err := a.Require(TaskEdit); err != nil {
		return err
	}
	tree, err := s.tree(ctx, task.TreeHash)
	if err != nil {
		return fmt.Errorf("tree of task %d: %w", id, err)
	}
	text, err := s.store.TaskInputs(ctx, a.ref(id))
	if err != nil {
		return err
	}
	had, err := decodeObject(text)
	if err != nil {
		return fmt.Errorf("values of task %d: %w", id, err)
	}
	values, unknown, err := tree.Revalue(had, n.Values)
	if err != nil {
		return err
	}
	if n.Known && len(unknown) > 0 {
		return stdops.Errorf(stdops.CodeInvalid, "constants: there is none with the key %.64q", unknown[0])
	}
	return s.engine.Do(ctx, a.ref(id), a.command(engine.Command{Kind: engine.SetConstants, Values: values, Early: n.Early}))
}
