package sops

import (
	"errors"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/service"
)

// operateNode carries out an action on a node (docs/spec/api.md 4.4, 17). All that goes wrong once the task is found has
// the same code, as in bk-sops.
func operateNode(c *call) error {
	access, err := c.project()
	if err != nil {
		return err
	}
	body, err := requiredBody(c.body)
	if err != nil {
		return err
	}
	n := service.NodeCommand{Node: body.Text("node_id"), Action: body.Text("action"), Flow: body.Text("flow_id")}
	var ok bool
	if n.Converge, ok = textOf(body, "converge_gateway_id"); !ok {
		return invalid("converge_gateway_id must be a string")
	}
	if n.Flows, ok = textsOf(body, "flow_ids"); !ok {
		return invalid("flow_ids field is not a valid list of strings")
	}
	if n.Data, ok = objectOf(body, "data"); !ok || isNull(body, "data") {
		return invalid("data field is not a valid object")
	}
	if n.Inputs, ok = objectOf(body, "inputs"); !ok || isNull(body, "inputs") {
		return invalid("inputs field is not a valid object")
	}
	id, digits, err := c.task()
	if err != nil {
		return err
	}
	if err := c.sops.svc.OperateNode(c.ctx, access, id, n); err != nil {
		return nodeRefusal(missingTask(err, access, digits))
	}
	c.out.Data(nil, "success", nil)
	return nil
}

// nodeRefusal gives every refusal of an action on a node the same code, but for those that say who may and what there is.
func nodeRefusal(err error) error {
	switch stdops.ErrorCode(err) {
	case stdops.CodeEngine:
		return commandRefusal(err)
	case stdops.CodeInvalid, stdops.CodeRefused:
		return &stdops.Error{Code: stdops.CodeEngine, Message: err.Error(), Err: err}
	default:
		return err
	}
}

// nodeCallback hands data to a node that waits for it (docs/spec/api.md 4.4, 18).
func nodeCallback(c *call) error {
	access, err := c.project()
	if err != nil {
		return err
	}
	body, err := requiredBody(c.body)
	if err != nil {
		return err
	}
	version, ok := textOf(body, "version")
	if !ok {
		return invalid("version must be a string")
	}
	callback := service.Callback{Node: body.Text("node_id"), Version: stdops.Version(version)}
	callback.Data, _ = body.Get("callback_data")
	id, digits, err := c.task()
	if err != nil {
		return err
	}
	err = c.sops.svc.CallBack(c.ctx, access, id, callback)
	switch {
	case errors.Is(err, service.ErrNotInTask):
		return err
	case err != nil:
		return nodeRefusal(missingTask(err, access, digits))
	}
	c.out.Data(nil, "success", nil)
	return nil
}
