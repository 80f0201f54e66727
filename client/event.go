package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Event is a change of state of a task or of one of its nodes, or a command that changed none.
type Event struct {
	Revision int64     `json:"revision" doc:"Of the task, by the change"`
	N        int       `json:"n" doc:"Its place among the changes of the revision, from 0"`
	Index    int       `json:"index" doc:"The place of the node in the graph; 0 is the task itself"`
	Node     string    `json:"node" doc:"The id of the node, or of the root of the task"`
	Name     string    `json:"name"`
	From     string    `json:"from,omitempty" doc:"The state before; absent of a node that had none"`
	To       string    `json:"to" doc:"The state after; the same as before for a command that changed none"`
	Command  string    `json:"command,omitempty" doc:"What the actor asked for: a command, set-constants for new values of constants, or set-inputs for the new inputs of the retry that follows"`
	Actor    string    `json:"actor,omitempty" doc:"Who asked for it; absent when the server did it by itself, system when a rule of the flow made it retry or end a node"`
	Reason   string    `json:"reason,omitempty" doc:"What the person said why"`
	At       time.Time `json:"at"`
}

// EventList is one page of the events of a task.
type EventList struct {
	Events []Event `json:"events"`
	Cursor string  `json:"next_cursor,omitempty" doc:"Asks for the page after this one; absent on the last. Of commands alone a page may hold fewer than its limit, or none, before the last"`
}

// EventPage says which events of a task to give.
type EventPage struct {
	Cursor string
	Limit  int    // up to 1,000
	Order  string // asc, the oldest first, or desc
	Asked  bool   // only what people and programs asked for
}

// Events tells what has happened to a task.
func (c *Client) Events(ctx context.Context, project, id int64, p EventPage) (*EventList, error) {
	query := url.Values{}
	set(query, "cursor", p.Cursor)
	set(query, "order", p.Order)
	if p.Asked {
		query.Set("commands", "true")
	}
	if p.Limit > 0 {
		query.Set("limit", strconv.Itoa(p.Limit))
	}
	list := &EventList{}
	return list, c.call(ctx, http.MethodGet, asked(taskPath(project, taskRest(id, "/events")), query), nil, list)
}
