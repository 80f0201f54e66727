package client

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
)

// NodeLog is a part of the log that an attempt of a node has written.
type NodeLog struct {
	Node     string `json:"node" doc:"The id of the node"`
	Attempt  int    `json:"attempt" doc:"Its number, from 1; 0 while there is none"`
	Attempts int    `json:"attempts" doc:"How many attempts there are"`
	Text     string `json:"text" doc:"As it was written, control characters included; take those out before it is shown on a terminal"`
	Next     int64  `json:"next" doc:"The from that goes on after this text"`
	Size     int64  `json:"size" doc:"Bytes of the whole log, so far"`
	Complete bool   `json:"complete" doc:"Nothing will be added to the log of this attempt"`
}

// LogPage says which part of a log to give.
type LogPage struct {
	Node    string // id, or name where only one node has it
	Attempt int    // from 1; 0 is the newest one
	From    int64  // place of the first byte: 0, or the Next of an earlier answer
	Limit   int    // bytes; 0 leaves it to the server
	Tail    int    // begins at so many of the last lines, in place of From; up to 1,000
}

// NodeLog reads from the log of a node. To follow it, ask for the same attempt from Next on until it is complete.
func (c *Client) NodeLog(ctx context.Context, project, id int64, p LogPage) (*NodeLog, error) {
	query := url.Values{}
	if p.Attempt > 0 {
		query.Set("attempt", strconv.Itoa(p.Attempt))
	}
	if p.From > 0 {
		query.Set("from", strconv.FormatInt(p.From, 10))
	}
	if p.Limit > 0 {
		query.Set("limit", strconv.Itoa(p.Limit))
	}
	if p.Tail > 0 {
		query.Set("tail", strconv.Itoa(p.Tail))
	}
	path := taskPath(project, fmt.Sprintf("/%d/nodes/%s/log", id, url.PathEscape(p.Node)))
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	log := &NodeLog{}
	return log, c.call(ctx, http.MethodGet, path, nil, log)
}
