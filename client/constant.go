package client

import (
	"context"
	"encoding/json"
	"net/http"
)

// TaskConstants are all constants of a task, in the order of its tree.
type TaskConstants struct {
	Constants []TaskConstant `json:"constants" nullable:"false"`
}

// TaskConstant is a constant of a task.
type TaskConstant struct {
	Constant
	Output     bool            `json:"output,omitempty" doc:"It holds what nodes give out"`
	Current    json.RawMessage `json:"current,omitempty" doc:"What it was set to while the task ran: by an output, or because it was fixed at the start. Without it nodes are given the value as it is rendered for each"`
	Changeable bool            `json:"changeable" doc:"Whether another value would be accepted from this caller now"`
}

// Constants tells which values the constants of a task have. What is secret is hidden in them.
func (c *Client) Constants(ctx context.Context, project, id int64) (*TaskConstants, error) {
	list := &TaskConstants{}
	return list, c.call(ctx, http.MethodGet, taskPath(project, taskRest(id, "/constants")), nil, list)
}
