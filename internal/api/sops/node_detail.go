package sops

import (
	"math"
	"strconv"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/service"
)

// getTaskNodeDetail tells how a node stands, what it was given and gave, and its earlier attempts (docs/spec/api.md 4.5,
// 26).
func getTaskNodeDetail(c *call) error {
	view, err := c.node(nodeRefusals{endpoint: "get_task_node_detail", stack: stdops.CodeEngine, node: stdops.CodeInvalid})
	if err != nil {
		return err
	}
	e := statusEncoder{times: clock{zone: c.sops.zone}, task: view.Task.ID, children: true}
	b := e.status(c.out.Begin(), &view.Status)
	b = b[:len(b)-1] // the rest stands inside of the same object
	for _, m := range []struct {
		key   string
		value any
	}{
		{"inputs", view.Inputs},
		{"outputs", outputList(view.Outputs, c.text("component_code") != "")},
		{"ex_data", view.ExData},
		{"history_id", view.HistoryID},
		{"histories", c.histories(view)},
		{"auto_retry_info", autoRetryInfo(stdops.NodeID(view.Task.ID, view.Status.Node), view.AutoRetry)},
	} {
		b = appendMember(b, m.key, m.value)
	}
	c.out.End(append(b, '}'), "", nil)
	return nil
}

// getTaskNodeData tells what a node was given and gave (docs/spec/api.md 4.5, 27).
func getTaskNodeData(c *call) error {
	view, err := c.node(nodeRefusals{endpoint: "get_task_node_data", stack: stdops.CodeInvalid, node: stdops.CodeEngine})
	if err != nil {
		return err
	}
	c.out.Data(stdops.NewObject(
		"inputs", view.Inputs, "outputs", outputList(view.Outputs, c.text("component_code") != ""), "ex_data", view.ExData,
	), "", nil)
	return nil
}

// nodeRefusals are the codes with which an endpoint refuses a stack that is none, and a node that the task does not have.
// The two endpoints have them the other way round.
type nodeRefusals struct {
	endpoint    string
	stack, node stdops.Code
}

// node finds the node that both endpoints are about.
func (c *call) node(as nodeRefusals) (*service.NodeView, error) {
	access, err := c.project()
	if err != nil {
		return nil, err
	}
	if stack := c.text("subprocess_stack"); stack != "" {
		value, err := stdops.DecodeValue([]byte(stack))
		if _, ok := value.([]any); err != nil || !ok {
			return nil, stdops.Errorf(as.stack, "subprocess_stack is not a valid array json")
		}
	}
	loop, err := c.loop()
	if err != nil {
		return nil, err
	}
	id, digits, err := c.task()
	if err != nil {
		return nil, err
	}
	view, err := c.sops.svc.Node(c.ctx, access, id, service.NodeQuery{
		Node: c.text("node_id"), Component: c.text("component_code"), Loop: loop,
	})
	if stdops.ErrorCode(err) == stdops.CodeInvalid {
		return nil, &stdops.Error{Code: as.node, Message: err.Error(), Err: err}
	}
	return view, missingDetail(err, as.endpoint, access, digits)
}

// loop reads the number of the loop that is asked about, 0 for the current one.
func (c *call) loop() (int32, error) {
	text := c.text("loop")
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 {
		return 0, invalid("loop must be a number from 1")
	}
	return int32(min(n, math.MaxInt32)), nil
}

// outputList writes outputs; without a component code they have no names.
func outputList(outputs []service.Output, named bool) []any {
	list := make([]any, len(outputs))
	for i, o := range outputs {
		item := &stdops.Object{}
		if named {
			item.Set("name", o.Name)
		}
		item.Set("key", o.Key)
		item.Set("value", o.Value)
		item.Set("preset", o.Preset)
		list[i] = item
	}
	return list
}

func (c *call) histories(view *service.NodeView) []any {
	list := make([]any, len(view.Histories))
	id := stdops.NodeID(view.Task.ID, view.Status.Node)
	for i := range view.Histories {
		h := &view.Histories[i]
		s := &h.Status
		list[i] = stdops.NewObject(
			"id", h.ID, "history_id", h.ID, "node_id", id, "state", s.State.String(), "name", s.Name,
			"version", string(s.Version), "loop", int64(s.Loop), "retry", int64(s.Retry), "skip", s.Skip,
			"error_ignorable", s.ErrorIgnored, "error_ignored", s.ErrorIgnored, "elapsed_time", s.Elapsed,
			"start_time", timeText(s.Started, c.sops.zone), "finish_time", timeText(s.Finished, c.sops.zone),
			"inputs", h.Inputs, "outputs", h.Outputs, "ex_data", h.ExData, "children", &stdops.Object{},
		)
	}
	return list
}
