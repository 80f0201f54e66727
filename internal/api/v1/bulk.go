package v1

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime/debug"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/client"
	"github.com/stdops/stdops/internal/api"
	"github.com/stdops/stdops/internal/service"
)

type bulkInput struct {
	ProjectPath
	KeyHeader
	Body client.BulkCommand
}

// commandAll carries out a command for each target and tells what became of each. Under a key each has its effect once.
func (s *server) commandAll(ctx context.Context, a *service.Access, in *bulkInput) (*body[client.BulkResult], error) {
	asked, err := json.Marshal(in)
	if err != nil {
		return nil, fmt.Errorf("hash request: %w", err)
	}
	request := api.NewRequest(in.Key, []byte("command-tasks"), []byte(a.Caller().User), asked)
	targets := in.Body.Targets
	errs, err := s.svc.Parts(ctx, a, request, len(targets), func(a *service.Access, i int) error {
		return s.commandOne(ctx, a, &in.Body, targets[i])
	})
	if err != nil {
		return nil, err
	}
	result := client.BulkResult{Results: make([]client.Verdict, len(targets))}
	for i, t := range targets {
		result.Results[i] = s.verdict(ctx, t, errs[i])
	}
	return answer(result), nil
}

// commandOne carries out the command for one target. A defect that it meets is told of this target alone.
func (s *server) commandOne(ctx context.Context, a *service.Access, c *client.BulkCommand, t client.Target) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panic: %v\n%s", cause, debug.Stack())
		}
	}()
	cmd := &client.Command{Command: c.Command, Node: t.Node, Reason: c.Reason}
	if err := fits(cmd); err != nil {
		return err
	}
	return s.carryOut(ctx, a, stdops.TaskID(t.Task), cmd)
}

func (s *server) verdict(ctx context.Context, t client.Target, err error) client.Verdict {
	v := client.Verdict{Task: t.Task, Node: t.Node, OK: err == nil}
	if err == nil {
		return v
	}
	p := problemOf(ctx, s.refusal(ctx, err))
	v.Code, v.Message = p.Code, p.Message
	return v
}
