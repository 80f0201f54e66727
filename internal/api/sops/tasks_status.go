package sops

import (
	"strconv"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/service"
)

// newestTasks is how many tasks are told about when a caller names none.
const newestTasks = 50

// tasksStatusRequest is the body of get_tasks_status.
type tasksStatusRequest struct {
	asked    []askedID
	listed   bool // false: no list was sent, the newest tasks are meant
	children bool
}

// readTasksStatus checks the body in the order that callers see: list, length, items, flags.
func readTasksStatus(body *stdops.Object) (q tasksStatusRequest, err error) {
	if q.asked, q.listed, err = askedIDs(body, mostIDs, "task_id_list is too long, maximum length is "+strconv.Itoa(mostIDs)); err != nil {
		return q, err
	}
	wrong := fieldErrors{}
	q.children = wrong.flag(body, "include_children_status")
	wrong.flag(body, "include_edit_info")
	wrong.flag(body, "include_webhook_history")
	return q, wrong.refusal(stdops.CodeInvalid)
}

// getTasksStatus tells how many tasks stand (docs/spec/api.md 1).
func getTasksStatus(c *call) error {
	access, err := c.project()
	if err != nil {
		return err
	}
	if err := access.Require(service.ProjectView); err != nil {
		return err
	}
	if c.body.Empty {
		return invalid("request body is not a valid json")
	}
	q, err := readTasksStatus(c.body.Object)
	if err != nil {
		return err
	}
	batch, err := c.sops.svc.TaskStatuses(c.ctx, access, q.query())
	if err != nil {
		return err
	}
	c.writeBatch(batch, q)
	return nil
}

func (q *tasksStatusRequest) query() service.StatusQuery {
	to := service.StatusQuery{Newest: newestTasks, Children: q.children}
	if q.listed {
		to.IDs = taskIDs(q.asked)
	}
	return to
}

func (c *call) writeBatch(batch *service.StatusBatch, q tasksStatusRequest) {
	b := append(c.out.Begin(), '[')
	for i := range batch.Tasks {
		if i > 0 {
			b = append(b, ',')
		}
		b = c.out.Flush(c.sops.entry(b, &batch.Tasks[i], q.children))
	}
	extra := stdops.NewObject("missing", q.missing(batch))
	if batch.Truncated {
		extra.Set("truncated", true)
	}
	c.out.End(append(b, ']'), "", extra)
}

func (q *tasksStatusRequest) missing(batch *service.StatusBatch) []any {
	found := make(map[stdops.TaskID]bool, len(batch.Tasks))
	for i := range batch.Tasks {
		found[batch.Tasks[i].Task.ID] = true
	}
	return missing(q.asked, found)
}
