package client

import (
	"context"
	"encoding/json"
	"io"
	"iter"
	"net/http"
	"time"
)

// WatchRequest says which tasks to watch: either ids or a filter.
type WatchRequest struct {
	IDs    []int64      `json:"ids,omitempty" maxItems:"1000" doc:"Up to 1,000; either this or filter"`
	Filter *WatchFilter `json:"filter,omitempty" doc:"A list, newest first; either this or ids"`
	Nodes  bool         `json:"nodes,omitempty" doc:"With how their nodes stand; for up to 10 ids"`
	Cursor string       `json:"cursor,omitempty" maxLength:"65536" doc:"Of an earlier answer or event, for the same tasks: only what is new since is told. Any process of a server can go on from it"`
	Wait   int          `json:"wait_s,omitempty" minimum:"1" maximum:"60" default:"30" doc:"For an answer that is no stream: how many seconds to wait for something new"`
}

// WatchFilter says which tasks are in a list; what is zero does not count.
type WatchFilter struct {
	State    string `json:"state,omitempty" enum:"CREATED,RUNNING,SUSPENDED,NODE_SUSPENDED,FAILED,FINISHED,REVOKED" doc:"As tasks show it"`
	Keyword  string `json:"keyword,omitempty" maxLength:"128" doc:"A part of the name, in any case"`
	Creator  string `json:"creator,omitempty" maxLength:"128"`
	Executor string `json:"executor,omitempty" maxLength:"128" doc:"Who started it"`
	Flow     int64  `json:"flow,omitempty" minimum:"0" doc:"The id of the stored flow that it was made from"`
	Limit    int    `json:"limit,omitempty" minimum:"1" maximum:"200" default:"50" doc:"How many tasks the list has at most"`
}

// Watched is what is new: the newest state of each task that has changed, not each step in between.
type Watched struct {
	Tasks  []Task         `json:"tasks" doc:"That have changed, or are watched for the first time"`
	Gone   []int64        `json:"gone" doc:"Deleted, not in the project, or not in the list any more"`
	Cut    bool           `json:"cut,omitempty" doc:"Of a filter by a state that is derived (RUNNING, FAILED, NODE_SUSPENDED): only the newest 2000 tasks that may show it are followed, and there are older ones"`
	Nodes  []WatchedNodes `json:"nodes,omitempty" doc:"Where they were asked for"`
	Cursor string         `json:"cursor" doc:"Goes on after this"`
	Now    time.Time      `json:"now" doc:"The moment, by the clock of the server"`
}

// The names of the events of a stream.
const (
	EventTasks = "tasks" // [WatchedTasks]
	EventGone  = "gone"  // [WatchedGone]
	EventNodes = "nodes" // [WatchedNodes]
	EventPing  = "ping"  // [WatchedPing], every 10 s
	EventEnd   = "end"   // [WatchedEnd], before the server closes
)

// WatchedTasks is the data of an event about tasks. The id of the last event of a change is the cursor after it.
type WatchedTasks struct {
	Tasks []Task    `json:"tasks"`
	Cut   bool      `json:"cut,omitempty" doc:"Of a filter by a state that is derived (RUNNING, FAILED, NODE_SUSPENDED): only the newest 2000 tasks that may show it are followed, and there are older ones; counts until the next of these events"`
	Now   time.Time `json:"now"`
}

// WatchedGone is the data of an event about tasks that are gone.
type WatchedGone struct {
	IDs []int64   `json:"ids"`
	Now time.Time `json:"now"`
}

// WatchedNodes is the data of an event about the nodes of a task.
type WatchedNodes struct {
	Task     int64       `json:"task"`
	Revision int64       `json:"revision" doc:"Of the task"`
	Nodes    []NodeState `json:"nodes" doc:"That have changed; all that have a state, at first and after a cursor"`
	Gone     []int       `json:"gone,omitempty" doc:"By their indexes, nodes that have no state any more: a pause that waited for them was taken back"`
}

// WatchedPing is the data of an event that says nothing but that the stream is alive.
type WatchedPing struct {
	Now time.Time `json:"now"`
}

// WatchedEnd is the data of the last event.
type WatchedEnd struct {
	Reason string `json:"reason" enum:"draining,changed,signed_out,denied" doc:"draining: go on with the cursor, here or at another process; changed: likewise, what the caller may do is not the same any more"`
}

// The reasons for the end of a stream.
const (
	EndDraining  = "draining"
	EndChanged   = "changed"
	EndSignedOut = "signed_out"
	EndDenied    = "denied"
)

// Poll waits until something is new, and gives it; what comes after the request's Wait is empty.
func (c *Client) Poll(ctx context.Context, project int64, q WatchRequest) (*Watched, error) {
	w := &Watched{}
	return w, c.call(ctx, http.MethodPost, taskPath(project, ":watch"), q, w)
}

// Pauses of a watch between a stream that broke and the next.
const (
	firstPause   = 200 * time.Millisecond
	longestPause = 10 * time.Second
	// silence is how long a stream may say nothing: the server says something every 10 s.
	silence = 35 * time.Second
)

// Watch gives what is new, as soon as it is, until ctx ends or the loop does. A stream that breaks, as when the server is
// started anew, is gone on with where it was, so that nothing is missed. A refusal of the server is the last that it gives.
func (c *Client) Watch(ctx context.Context, project int64, q WatchRequest) iter.Seq2[*Watched, error] {
	return func(yield func(*Watched, error) bool) {
		for pause := firstPause; ; {
			on := true
			err := c.stream(ctx, project, q, func(w *Watched) bool {
				q.Cursor, pause = w.Cursor, firstPause
				on = yield(w, nil)
				return on
			})
			if !on {
				return
			}
			if ctx.Err() != nil {
				err = ctx.Err()
			}
			if ctx.Err() != nil || !passing(err) {
				yield(nil, err)
				return
			}
			select {
			case <-time.After(pause):
			case <-ctx.Done():
			}
			pause = min(2*pause, longestPause)
		}
	}
}

// stream reads one stream to its end, or until on is false.
func (c *Client) stream(ctx context.Context, project int64, q WatchRequest, on func(*Watched) bool) error {
	request, err := c.request(ctx, http.MethodPost, taskPath(project, ":watch"), q)
	if err != nil {
		return err
	}
	next := &Watched{}
	return c.events(request, func(e message) error {
		if err := next.add(e); err != nil {
			return c.notOurs(err)
		}
		if e.name == EventEnd {
			return endOf(e)
		}
		if e.id == "" {
			return nil
		}
		whole := next
		next = &Watched{Cut: whole.Cut}
		if whole.Cursor = e.id; !on(whole) {
			return io.EOF
		}
		return nil
	})
}

// endOf gives the refusal that the end of a stream stands for, io.EOF for one after which to go on.
func endOf(e message) error {
	var end WatchedEnd
	if err := json.Unmarshal(e.data, &end); err != nil {
		return err
	}
	switch end.Reason {
	case EndSignedOut:
		return &Error{Status: http.StatusUnauthorized, Code: CodeUnauthenticated, Message: "the token or session that began to watch does not count any more"}
	case EndDenied:
		return &Error{Status: http.StatusForbidden, Code: CodeDenied, Message: "the tasks of the project may not be watched any more"}
	}
	return io.EOF
}

// add adds what an event tells.
func (w *Watched) add(e message) error {
	switch e.name {
	case EventTasks:
		var tasks WatchedTasks
		if err := json.Unmarshal(e.data, &tasks); err != nil {
			return err
		}
		w.Tasks, w.Cut, w.Now = append(w.Tasks, tasks.Tasks...), tasks.Cut, tasks.Now
	case EventGone:
		var gone WatchedGone
		if err := json.Unmarshal(e.data, &gone); err != nil {
			return err
		}
		w.Gone, w.Now = append(w.Gone, gone.IDs...), gone.Now
	case EventNodes:
		var nodes WatchedNodes
		if err := json.Unmarshal(e.data, &nodes); err != nil {
			return err
		}
		w.Nodes = append(w.Nodes, nodes)
	}
	return nil
}
