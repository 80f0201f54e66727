package client

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// NodeDetail is all about one node: how it stands, what it was given and gave, and its earlier attempts.
type NodeDetail struct {
	Node
	Actions   []string        `json:"actions" doc:"The commands for this node that would be accepted from this caller now"`
	Why       *Why            `json:"why,omitempty" doc:"Of a node that was reached and has not finished: what it waits for"`
	Timing    *Timing         `json:"timing,omitempty" doc:"Of a node that was reached"`
	Templates json.RawMessage `json:"templates,omitempty" doc:"Of an activity: its inputs as the tree or the last retry has them, before they are rendered; an object"`
	Release   string          `json:"plugin_version,omitempty" doc:"Of an activity"`
	Inputs    json.RawMessage `json:"inputs" doc:"An object; of a node that was not reached as it would be given now"`
	Outputs   []Output        `json:"outputs"`
	Branches  []Branch        `json:"branches,omitempty" doc:"Of an exclusive or conditional parallel gateway"`
	AutoRetry *AutoRetry      `json:"auto_retry,omitempty" doc:"Of a node that retries itself"`
	Attempts  []Attempt       `json:"attempts" doc:"Earlier attempts of this loop, oldest first"`
}

// Timing is when the current attempt of a node came how far, as far as it is known.
type Timing struct {
	Queued   time.Time `json:"queued_at,omitzero" doc:"When it was entered and began to wait for a slot"`
	Started  time.Time `json:"started_at,omitzero" doc:"When it began"`
	Finished time.Time `json:"finished_at,omitzero"`
	Due      time.Time `json:"due_at,omitzero" doc:"When it goes on by itself"`
}

// Output is one output of a node.
type Output struct {
	Key   string          `json:"key" doc:"The variable of the task that it feeds, else its own key"`
	Name  string          `json:"name,omitempty"`
	Value json.RawMessage `json:"value"`
}

// Branch is a flow out of a gateway.
type Branch struct {
	Flow      string `json:"flow" doc:"The id of the flow"`
	Node      string `json:"node" doc:"The id of the node that it leads to"`
	Name      string `json:"name" doc:"The name of that node"`
	Condition string `json:"condition,omitempty"`
	Default   bool   `json:"default,omitempty" doc:"Taken when no condition holds"`
}

// AutoRetry is how often a node has retried itself and may.
type AutoRetry struct {
	Times int `json:"times"`
	Max   int `json:"max"`
}

// Attempt is an earlier attempt of a node.
type Attempt struct {
	Node
	Inputs  json.RawMessage `json:"inputs"`
	Outputs json.RawMessage `json:"outputs"`
}

// NodeQuery says which node is meant.
type NodeQuery struct {
	Node string // id, or name where only one node has it
	Loop int    // an earlier loop, from 1; 0 is the current one
}

// Node tells all about one node of a task.
func (c *Client) Node(ctx context.Context, project, id int64, q NodeQuery) (*NodeDetail, error) {
	path := taskPath(project, fmt.Sprintf("/%d/nodes/%s", id, url.PathEscape(q.Node)))
	if q.Loop > 0 {
		path += fmt.Sprintf("?loop=%d", q.Loop)
	}
	n := &NodeDetail{}
	return n, c.call(ctx, http.MethodGet, path, nil, n)
}
