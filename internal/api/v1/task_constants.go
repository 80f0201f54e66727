package v1

import (
	"context"
	"fmt"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/client"
	"github.com/stdops/stdops/internal/service"
)

func (s *server) constants(ctx context.Context, a *service.Access, in *TaskPath) (*body[client.TaskConstants], error) {
	found, err := s.svc.Constants(ctx, a, stdops.TaskID(in.ID))
	if err != nil {
		return nil, err
	}
	list := client.TaskConstants{Constants: make([]client.TaskConstant, len(found))}
	for i := range found {
		if list.Constants[i], err = wireConstant(&found[i]); err != nil {
			return nil, fmt.Errorf("write constant %s: %w", found[i].Key, err)
		}
	}
	return answer(list), nil
}

func wireConstant(c *service.TaskConstant) (w client.TaskConstant, err error) {
	w.Key, w.Name, w.Kind, w.Shown, w.Output, w.Changeable = c.Key, c.Name, c.CustomType, c.Shown, c.Output, c.Changeable
	if w.Value, err = stdops.EncodeValue(c.Value); err == nil && c.Set {
		w.Current, err = stdops.EncodeValue(c.Current)
	}
	return w, err
}
