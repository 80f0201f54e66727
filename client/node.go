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
	Timing    *Timing         `json:"timing,omitempty" doc:"Of a node that was reached: of the attempt that is shown"`
	Templates json.RawMessage `json:"templates,omitempty" doc:"Of an activity: its inputs as the tree or the last retry has them, before they are rendered; an object"`
	Release   string          `json:"plugin_version,omitempty" doc:"Of an activity"`
	Inputs    json.RawMessage `json:"inputs" doc:"An object; of a node that was not reached as it would be given now"`
	Outputs   []Output        `json:"outputs"`
	Branches  []Branch        `json:"branches,omitempty" doc:"Of an exclusive or conditional parallel gateway"`
	AutoRetry *AutoRetry      `json:"auto_retry,omitempty" doc:"Of a node that retries itself"`
	Driver    *Driver         `json:"driver,omitempty" doc:"The process that drives the task; absent when none does: before the start, after the end, while it only waits for somebody and, on PostgreSQL, for a time that lies far ahead"`
	TakenAt   time.Time       `json:"taken_at,omitzero" doc:"Of a task that no process drives: when one is to take it; absent where it waits for somebody"`
	Attempts  []Attempt       `json:"attempts" doc:"Earlier attempts of this loop, oldest first"`
}

// Timing is when an attempt of a node came how far, as far as it is known.
type Timing struct {
	Retried    time.Time `json:"retried_at,omitzero" doc:"Of an attempt after a retry: when that was asked for or came due. Until started_at or queued_at it waited to be entered, such as for the end of a pause"`
	Queued     time.Time `json:"queued_at,omitzero" doc:"While its call waits for a slot, in place of started_at: since when"`
	Started    time.Time `json:"started_at,omitzero" doc:"When it was entered; its first call began then or, when it waited for a slot, later"`
	Called     time.Time `json:"called_at,omitzero" doc:"When its first call began: what lies between started_at and it is the wait for a slot, and until finished_at it ran, with what it waited for between its calls. Absent before the call, of a node that calls nothing or was ended before, and of attempts from before this was kept"`
	CalledBack time.Time `json:"called_back_at,omitzero" doc:"When the latest callback for it was accepted, among the latest 10,000 events of the task; until then it waited for that"`
	Finished   time.Time `json:"finished_at,omitzero" doc:"When it ended, or was skipped"`
	Left       time.Time `json:"left_at,omitzero" doc:"Of an earlier attempt that FAILED: when it was retried or skipped. Since finished_at it stood failed"`
	Due        time.Time `json:"due_at,omitzero" doc:"When it goes on by itself: its next poll or the one that is out, the end of a timer, or its automatic retry"`
	Deadline   time.Time `json:"deadline_at,omitzero" doc:"When it is ended because its time limit is over"`
}

// Driver is the process that drives a task: that looks after its calls and its times.
type Driver struct {
	Name string `json:"name" doc:"The name of its host; with several processes also when it began, so that no two have the same"`
	PID  int    `json:"pid" doc:"Its number on its host"`
	Lost bool   `json:"lost,omitempty" doc:"It is dead or cut off from the database: another process takes the task within seconds"`
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
	Timing  *Timing         `json:"timing"`
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
