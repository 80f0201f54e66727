package sops

import (
	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/service"
)

// getTaskDetail tells all about a task (docs/spec/api.md 4.5, 25).
func getTaskDetail(c *call) error {
	access, err := c.project()
	if err != nil {
		return err
	}
	id, digits, err := c.task()
	if err != nil {
		return err
	}
	detail, err := c.sops.svc.TaskDetail(c.ctx, access, id)
	if err != nil {
		return missingDetail(err, "get_task_detail", access, digits)
	}
	c.out.Data(c.detail(detail), "", nil)
	return nil
}

// missingDetail keeps the text of bk-sops, in which no sign stands between biz_id and its number.
func missingDetail(err error, name string, access *service.Access, digits string) error {
	if stdops.ErrorCode(err) != stdops.CodeNotFound {
		return err
	}
	return stdops.Errorf(stdops.CodeNotFound, "[API] %s task[id=%s] of project[project_id=%d, biz_id%d] does not exist",
		name, digits, access.Project(), access.Biz())
}

func (c *call) detail(d *service.TaskDetail) *stdops.Object {
	t := &d.Task
	outputs := make([]any, len(d.Outputs))
	for i, o := range d.Outputs {
		outputs[i] = stdops.NewObject("key", o.Key, "value", o.Value, "name", o.Name)
	}
	constants := d.Constants
	if constants == nil {
		constants = &stdops.Object{}
	}
	var template any = ""
	if t.Template != 0 {
		template = int64(t.Template)
	}
	zone := c.sops.zone
	return stdops.NewObject(
		"id", int64(t.ID), "project_id", int64(t.Project), "project_name", d.ProjectName, "name", t.Name,
		"create_time", timeText(t.Created, zone), "creator", t.Creator, "create_method", t.CreateMethod,
		"template_id", template, "start_time", timeText(t.Root.Started, zone), "finish_time", timeText(t.Root.Finished, zone),
		"executor", t.Executor, "elapsed_time", d.Elapsed, "pipeline_tree", d.Tree, "task_url", d.URL,
		"constants", constants, "outputs", outputs, "ex_data", d.ExData, "task_webhook_history", []any{},
	)
}
