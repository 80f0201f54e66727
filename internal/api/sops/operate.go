package sops

import (
	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/service"
)

// startTask starts a task (docs/spec/api.md 4.4, 15); of its body only the scope counts.
func startTask(c *call) error {
	access, err := c.project()
	if err != nil {
		return err
	}
	id, digits, err := c.task()
	if err != nil {
		return err
	}
	task, err := c.sops.svc.StartTask(c.ctx, access, id)
	if err != nil {
		return commandRefusal(missingTask(err, access, digits))
	}
	c.writeStarted(access, task.ID)
	return nil
}

// writeStarted answers with where a task that was started is shown.
func (c *call) writeStarted(access *service.Access, id stdops.TaskID) {
	url := c.sops.svc.TaskURL(access.Project(), id)
	c.out.Data(stdops.NewObject("task_url", url), "", stdops.NewObject("task_url", url))
}

// operateTask starts, pauses, resumes or revokes a task (docs/spec/api.md 4.4, 16).
func operateTask(c *call) error {
	access, err := c.project()
	if err != nil {
		return err
	}
	if c.body.Empty {
		return invalid("invalid json format")
	}
	id, digits, err := c.task()
	if err != nil {
		return err
	}
	if err := c.sops.svc.OperateTask(c.ctx, access, id, c.body.Object.Text("action")); err != nil {
		return commandRefusal(missingTask(err, access, digits))
	}
	c.out.Data(nil, "success", nil)
	return nil
}

// missingTask gives the text for a task that is not in the project, which says nothing about other projects.
func missingTask(err error, access *service.Access, digits string) error {
	if stdops.ErrorCode(err) != stdops.CodeNotFound {
		return err
	}
	return stdops.Errorf(stdops.CodeNotFound, "task[id=%s] of project[id=%d] does not exist", digits, access.Project())
}

// commandRefusal marks what the engine refuses the way that clients search for (docs/spec/engine.md 4.1).
func commandRefusal(err error) error {
	if stdops.ErrorCode(err) != stdops.CodeEngine {
		return err
	}
	return &stdops.Error{Code: stdops.CodeEngine, Message: "fail: " + err.Error(), Err: err}
}
