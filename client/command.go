package client

import (
	"context"
	"encoding/json"
	"net/http"
)

// Command is something to be done to a task or to one of its nodes.
type Command struct {
	Command  string          `json:"command" enum:"start,pause,resume,revoke,retry,skip,skip-branch,callback,force-fail,pause-node,resume-node,pause-subprocess,resume-subprocess,retry-subprocess" doc:"All but the first four are for a node"`
	Node     string          `json:"node,omitempty" doc:"The id of a node, or its name where only one node has it"`
	Inputs   json.RawMessage `json:"inputs,omitempty" doc:"For retry: an object with inputs, in place of all that the node has"`
	Branches []string        `json:"branches,omitempty" maxItems:"1000" doc:"For skip-branch: the branches to take, one of an exclusive gateway, one or more of a conditional parallel one; each by the id of its flow, or by the id or name of the node that it leads to"`
	Data     json.RawMessage `json:"data,omitempty" doc:"For callback: what the node is told"`
	Version  string          `json:"version,omitempty" doc:"For callback: the attempt that is meant; without it the current one"`
	Reason   string          `json:"reason,omitempty" maxLength:"1000" doc:"Why; kept with what the command changes, and told by the events of the task"`
}

// BulkCommand is one command for many tasks or nodes.
type BulkCommand struct {
	Command string   `json:"command" enum:"start,pause,resume,revoke,retry,skip" doc:"The last two are for nodes"`
	Reason  string   `json:"reason,omitempty" maxLength:"1000"`
	Targets []Target `json:"targets" minItems:"1" maxItems:"1000" doc:"Up to 1,000"`
}

// Target is a task, or a node of it.
type Target struct {
	Task int64  `json:"task"`
	Node string `json:"node,omitempty" doc:"The id of a node, or its name where only one node has it"`
}

// BulkResult has a verdict for each target, in the order asked.
type BulkResult struct {
	Results []Verdict `json:"results"`
}

// Verdict is what became of a command for one target.
type Verdict struct {
	Task    int64  `json:"task"`
	Node    string `json:"node,omitempty"`
	OK      bool   `json:"ok"`
	Code    string `json:"code,omitempty" doc:"Why not, as problem documents have it"`
	Message string `json:"message,omitempty"`
}

// Do carries out a command and tells how the task stands after it.
func (c *Client) Do(ctx context.Context, project, id int64, cmd Command) (*Task, error) {
	t := &Task{}
	return t, c.call(ctx, http.MethodPost, taskPath(project, taskRest(id, "/commands")), cmd, t)
}

// DoAll carries out a command for many tasks or nodes. That one refuses it keeps it from no other.
func (c *Client) DoAll(ctx context.Context, project int64, cmd BulkCommand) (*BulkResult, error) {
	r := &BulkResult{}
	return r, c.call(ctx, http.MethodPost, taskPath(project, ":command"), cmd, r)
}
