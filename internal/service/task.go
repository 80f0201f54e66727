package service

import (
	"context"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/engine"
)

// task finds a task that is not deleted. One of another project is as missing as one that never was.
func (s *Service) task(ctx context.Context, a *Access, id stdops.TaskID) (stdops.Task, error) {
	t, err := s.store.Task(ctx, a.ref(id))
	if err != nil {
		return t, err
	}
	if t.Deleted {
		return t, stdops.Errorf(stdops.CodeNotFound, "task %d does not exist", id)
	}
	return t, nil
}

// operable finds a task that the caller may operate.
func (s *Service) operable(ctx context.Context, a *Access, id stdops.TaskID) (stdops.Task, error) {
	t, err := s.task(ctx, a, id)
	if err != nil {
		return t, err
	}
	return t, a.Require(TaskOperate)
}

// StartTask starts a task and returns after the commit of the start.
func (s *Service) StartTask(ctx context.Context, a *Access, id stdops.TaskID) (stdops.Task, error) {
	t, err := s.operable(ctx, a, id)
	if err != nil {
		return t, err
	}
	if t.Root.State != stdops.StateCreated {
		return t, stdops.Errorf(stdops.CodeRefused, "task already started")
	}
	if err := inExecution(&t, "start"); err != nil {
		return t, err
	}
	return t, s.engine.Do(ctx, a.ref(id), a.command(engine.Command{Kind: engine.Start}))
}

// taskCommands are the actions on a task as a whole.
var taskCommands = map[string]engine.Kind{
	"start": engine.Start, "pause": engine.Pause, "resume": engine.Resume, "revoke": engine.Revoke,
}

// OperateTask carries out an action on a task. The stage of the task is looked at before the action itself, as in
// bk-sops (docs/spec/api.md 4.4).
func (s *Service) OperateTask(ctx context.Context, a *Access, id stdops.TaskID, action string) error {
	t, err := s.operable(ctx, a, id)
	if err != nil {
		return err
	}
	if err := inExecution(&t, action); err != nil {
		return err
	}
	kind, ok := taskCommands[action]
	switch {
	case !ok:
		return stdops.Errorf(stdops.CodeRefused, "task command is invalid")
	case kind == engine.Start && t.Root.State != stdops.StateCreated:
		return stdops.Errorf(stdops.CodeRefused, "task already started")
	case kind != engine.Start && t.Root.State == stdops.StateCreated:
		return stdops.Errorf(stdops.CodeRefused, "task not started")
	}
	return s.engine.Do(ctx, a.ref(id), a.command(engine.Command{Kind: kind}))
}

// inExecution refuses tasks that wait to be claimed or have ended.
func inExecution(t *stdops.Task, action string) error {
	if stage := t.CurrentFlow(); stage != "execute_task" {
		return stdops.Errorf(stdops.CodeRefused, "task with current_flow:%s cannot be %.32sed", stage, action)
	}
	return nil
}

// DeleteTask hides a task that was not started or has ended. In a batch it is still told about, as deleted.
func (s *Service) DeleteTask(ctx context.Context, a *Access, id stdops.TaskID) error {
	if _, err := s.task(ctx, a, id); err != nil {
		return err
	}
	if err := a.Require(TaskDelete); err != nil {
		return err
	}
	return s.store.DeleteTask(ctx, a.ref(id))
}
