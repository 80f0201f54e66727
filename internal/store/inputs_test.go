package store

import (
	"errors"
	"testing"

	"github.com/stdops/stdops"
)

// A task whose values of constants are gone is not one that does not exist.
func TestTask_without_inputs_is_damaged(t *testing.T) {
	t.Parallel()
	s := setup(t)
	ctx, task := t.Context(), createTask(t, s, newTask("one"))
	damage(t, s, `DELETE FROM task_input`)
	for method, call := range map[string]func() error{
		"TaskInputs": func() error { _, err := s.TaskInputs(ctx, ref(task)); return err },
		"Load":       func() error { _, err := s.Load(ctx, ref(task)); return err },
	} {
		if err := call(); !errors.Is(err, stdops.ErrRecord) || stdops.ErrorCode(err) != stdops.CodeInternal {
			t.Errorf("%s: %v", method, err)
		}
	}
	if found, err := s.Task(ctx, ref(task)); err != nil || found.ID != task.ID {
		t.Errorf("the task itself: %+v, %v", found, err)
	}
}
