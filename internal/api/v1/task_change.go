package v1

import (
	"context"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/client"
	"github.com/stdops/stdops/internal/service"
)

type changeTaskInput struct {
	TaskPath
	KeyHeader
	Body client.TaskChange
}

func (s *server) changeTask(ctx context.Context, a *service.Access, in *changeTaskInput) (*body[client.Task], error) {
	values, err := constantsOf(in.Body.Constants)
	if err != nil {
		return nil, err
	}
	id := stdops.TaskID(in.ID)
	if err := s.svc.SetConstants(ctx, a.Because(in.Body.Reason), id, service.NewConstants{Values: values, Known: true}); err != nil {
		return nil, err
	}
	return s.oneTask(ctx, a, id, false)
}

// changedAgain answers with a task that was changed, as it stands now.
func (s *server) changedAgain(ctx context.Context, a *service.Access, in *changeTaskInput, _ *service.Done) (*body[client.Task], error) {
	return s.oneTask(ctx, a, stdops.TaskID(in.ID), false)
}

func (s *server) deleteTask(ctx context.Context, a *service.Access, in *TaskPath) (*none, error) {
	return &none{}, s.svc.DeleteTask(ctx, a, stdops.TaskID(in.ID))
}
