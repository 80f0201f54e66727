package client

import (
	"context"
	"net/http"
)

// Durations is how long the latest tasks took that are of one flow and have one tree: at most 20 that FINISHED, among the
// newest 3,000 of the flow. Those in which a person retried or skipped a node are left out.
type Durations struct {
	Tree   string          `json:"tree" doc:"As in the run of a task: tasks of one flow with the same tree are told the same"`
	Runs   int             `json:"runs" doc:"Tasks that are told of, at most 20: the latest that FINISHED without a retry or skip by a person; 0 where fewer than 3 are found, and then there are no figures"`
	Median float64         `json:"median_s" doc:"Seconds from the start of the task to its end"`
	P95    float64         `json:"p95_s" doc:"Seconds that 95 of 100 did not exceed; of fewer than 20 tasks the longest"`
	Nodes  []NodeDurations `json:"nodes" doc:"The nodes that were done in at least 3 of these tasks, by ascending index"`
}

// Usual is how long tasks usually take.
type Usual struct {
	Runs   int     `json:"runs" doc:"The tasks that this is known from"`
	Median float64 `json:"median_s"`
	P95    float64 `json:"p95_s" doc:"95 of 100 did not take longer; of fewer than twenty none did"`
}

// NodeDurations is how long one node took in the tasks of [Durations].
type NodeDurations struct {
	Index  int     `json:"index" doc:"Its place in the graph"`
	Runs   int     `json:"runs" doc:"Tasks in which it was done"`
	Median float64 `json:"median_s" doc:"Seconds that its last attempt in its last loop took"`
	Rest   float64 `json:"rest_s" doc:"Seconds from its end to the end of the task, a median too"`
}

// Durations tells how long the latest tasks took that are of the flow of a task and have its tree.
func (c *Client) Durations(ctx context.Context, project, id int64) (*Durations, error) {
	d := &Durations{}
	return d, c.call(ctx, http.MethodGet, taskPath(project, taskRest(id, "/durations")), nil, d)
}
