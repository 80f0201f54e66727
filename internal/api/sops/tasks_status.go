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
	packed   bool // the answer may be packed
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
	q.packed = c.packs && q.worthPacking()
	c.out.VaryByEncoding()
	entries, err := c.entries(access, &q)
	if err != nil {
		return err
	}
	c.writeEntries(entries, &q)
	return nil
}

// fewTasks is how many entries without children are not worth packing: some kilobytes.
const fewTasks = 8

func (q *tasksStatusRequest) worthPacking() bool {
	return q.children || !q.listed || len(q.asked) > fewTasks
}

func (q *tasksStatusRequest) query() service.StatusQuery {
	to := service.StatusQuery{Newest: newestTasks, Children: q.children}
	if q.listed {
		to.IDs = taskIDs(q.asked)
	}
	return to
}

func (q *tasksStatusRequest) missing(found []stdops.TaskID) []any {
	if len(found) >= len(q.asked) { // all that were asked for, or the newest
		return []any{}
	}
	had := make(map[stdops.TaskID]bool, len(found))
	for _, id := range found {
		had[id] = true
	}
	return missing(q.asked, had)
}
