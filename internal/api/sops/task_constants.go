package sops

import (
	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/service"
)

// modifyConstants gives constants of a task that was not started other values (docs/spec/api.md 4.4, 33).
func modifyConstants(c *call) error {
	access, err := c.project()
	if err != nil {
		return err
	}
	body, err := requiredBody(c.body)
	if err != nil {
		return err
	}
	values, ok := objectOf(body, "constants")
	if !ok || isNull(body, "constants") {
		return invalid("constants field is not a valid object")
	}
	id, digits, err := c.task()
	if err != nil {
		return err
	}
	err = c.sops.svc.SetConstants(c.ctx, access, id, service.NewConstants{Values: values, Early: true})
	if stdops.ErrorCode(err) == stdops.CodeRefused {
		return &stdops.Error{Code: stdops.CodeInvalid, Message: err.Error(), Err: err}
	}
	if err != nil {
		return missingTask(err, access, digits)
	}
	return modifiedAgain(c, access, nil)
}

func modifiedAgain(c *call, _ *service.Access, _ *service.Done) error {
	c.out.Data("success", "", nil)
	return nil
}
