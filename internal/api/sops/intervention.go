package sops

import (
	"strconv"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/service"
)

// mostInterventions is how many tasks can be asked about whether they wait for somebody.
const mostInterventions = 10

// getTasksManualInterventionState tells which tasks wait for somebody (docs/spec/api.md 1.12).
func getTasksManualInterventionState(c *call) error {
	access, err := c.project()
	if err != nil {
		return err
	}
	if err := access.Require(service.ProjectView); err != nil {
		return err
	}
	body, err := requiredBody(c.body)
	if err != nil {
		return err
	}
	asked, _, err := askedIDs(body, mostInterventions, "task_ids_list length can not exceeds "+strconv.Itoa(mostInterventions))
	if err != nil {
		return err
	}
	found, err := c.sops.svc.Interventions(c.ctx, access, taskIDs(asked))
	if err != nil {
		return err
	}
	list, had := make([]any, len(found)), map[stdops.TaskID]bool{}
	for i, f := range found {
		had[f.Task] = true
		entry := stdops.NewObject("id", int64(f.Task), "manual_intervention_required", f.Required)
		if f.Problem != nil {
			entry.Set("error", stdops.NewObject("code", int64(3599999), "message", f.Problem.Message))
		}
		list[i] = entry
	}
	c.out.Data(list, "", stdops.NewObject("missing", missing(asked, had)))
	return nil
}
