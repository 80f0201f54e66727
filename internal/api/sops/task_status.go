package sops

import (
	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/service"
)

// getTaskStatus tells how one task stands, with all that is inside (docs/spec/api.md 1.11). A task that is not there is
// refused with the code of an unknown error: callers know it so.
func getTaskStatus(c *call) error {
	access, err := c.project()
	if err != nil {
		return err
	}
	id, digits, err := c.task()
	if err != nil {
		return err
	}
	exData, failed, retries := c.flag("with_ex_data"), c.flag("with_failed_node_info"), c.flag("with_auto_retry_status")
	answer, err := c.sops.svc.TaskStatus(c.ctx, access, id, service.SingleQuery{
		Node: c.text("subprocess_id"), ExData: exData, Failed: failed || retries,
	})
	if stdops.ErrorCode(err) == stdops.CodeNotFound {
		return stdops.Errorf(stdops.CodeEngine, "task[id=%s] get status error: the task does not exist in this project", digits)
	}
	if err != nil {
		return err
	}
	b := c.appendSingle(c.out.Begin(), answer)
	b = b[:len(b)-1] // what was asked for beside the status stands inside of the same object
	if exData && answer.Status.State == stdops.StateFailed {
		b = appendMember(b, "ex_data", exDataOf(answer))
	}
	if failed {
		b = appendMember(b, "failed_node_info", failedNodeInfo(answer))
	}
	if retries {
		b = appendMember(b, "auto_retry_status", autoRetryStatus(answer))
	}
	c.out.End(append(b, '}'), "", nil)
	return nil
}

func (c *call) appendSingle(b []byte, s *service.SingleStatus) []byte {
	e := statusEncoder{times: clock{zone: c.sops.zone}, task: s.Task.ID, children: true, absent: s.Absent}
	return e.status(b, &s.Status)
}

func appendMember(b []byte, key string, value any) []byte {
	b = append(stdops.AppendQuoted(append(b, ','), key), ':')
	out, err := stdops.AppendJSON(b, value)
	if err != nil { // only a number that is none has no JSON form
		return append(b, "null"...)
	}
	return out
}

func exDataOf(s *service.SingleStatus) *stdops.Object {
	texts := &stdops.Object{}
	for _, t := range s.ExData {
		texts.Set(stdops.NodeID(s.Task.ID, t.Node), t.Text)
	}
	return texts
}

func failedNodeInfo(s *service.SingleStatus) *stdops.Object {
	info := &stdops.Object{}
	for _, f := range s.Failed {
		id := stdops.NodeID(s.Task.ID, f.Node)
		info.Set(id, autoRetryInfo(id, f.Retry))
	}
	return info
}

// autoRetryInfo tells of the automatic retries of a node; an empty object when it has none.
func autoRetryInfo(id string, r *service.AutoRetry) *stdops.Object {
	if r == nil {
		return &stdops.Object{}
	}
	return stdops.NewObject("node_id", id, "auto_retry_times", int64(r.Times), "max_auto_retry_times", int64(r.Max))
}

func autoRetryStatus(s *service.SingleStatus) *stdops.Object {
	nodes := []any{}
	for _, f := range s.Failed {
		if f.Retry != nil && f.Retry.Times < f.Retry.Max {
			nodes = append(nodes, stdops.NodeID(s.Task.ID, f.Node))
		}
	}
	return stdops.NewObject("exist_auto_retry_nodes", len(nodes) > 0, "auto_retry_nodes", nodes)
}
