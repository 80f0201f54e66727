package sops

import (
	"errors"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/service"
)

// getTaskNodeLog gives the whole log of an attempt of a node (docs/spec/api.md 4.5, 28). There are no pages: what one
// attempt may have fits into an answer, as it does in bk-sops when it keeps logs in its database.
func getTaskNodeLog(c *call) error {
	const name = "get_task_node_log"
	access, err := c.project()
	if err != nil {
		return err
	}
	id, digits, err := c.task()
	if err != nil {
		return err
	}
	node := c.text("node_id")
	log, err := c.sops.svc.NodeLog(c.ctx, access, id, service.LogQuery{
		Node: node, Version: stdops.Version(c.text("version")), Limit: service.WholeLog,
	})
	switch {
	case errors.Is(err, service.ErrNotInTask) && node == "": // asked for last: who may not see the task learns nothing about requests
		return invalid("[API] %s node_id is required", name)
	case errors.Is(err, service.ErrNotInTask):
		return stdops.Errorf(stdops.CodeNotFound, "[API] %s task[id=%s] does not have node[%.64s]", name, digits, node)
	case stdops.ErrorCode(err) == stdops.CodeNotFound:
		return stdops.Errorf(stdops.CodeNotFound, "[API] %s task[id=%s] of project[project_id=%d, biz_id=%d] does not exist",
			name, digits, access.Project(), access.Biz())
	case err != nil:
		return err
	}
	c.out.Data(log.Text, "success", stdops.NewObject("page", &stdops.Object{}))
	return nil
}
