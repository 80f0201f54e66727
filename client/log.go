package client

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// NodeLog is a part of the log that an attempt of a node has written.
type NodeLog struct {
	Node     string `json:"node" doc:"The id of the node"`
	Attempt  int    `json:"attempt" doc:"Its number, from 1; 0 while there is none"`
	Attempts int    `json:"attempts" doc:"How many attempts there are"`
	Text     string `json:"text" doc:"As it was written, control characters included; take those out before it is shown on a terminal"`
	From     int64  `json:"from" doc:"Where in the log the text begins, in bytes"`
	Line     int64  `json:"line,omitempty" doc:"The number of the line in which it begins, from 1: at the beginning of a log, with tail and line, and in a stream that has begun with one of these"`
	Next     int64  `json:"next" doc:"The from that goes on after this text"`
	Size     int64  `json:"size" doc:"Bytes of the whole log, so far"`
	Complete bool   `json:"complete" doc:"Nothing will be added to the log of this attempt"`

	Times []LogTime `json:"times,omitempty" doc:"When the text was written, in its order: a line is as old as the last of them whose from is not behind its beginning. Of what comes before the first nothing is known"`
}

// LogTime says since which place of a log something was written at a time.
type LogTime struct {
	From int64     `json:"from" doc:"Where in the log it begins, in bytes; the first of an answer may begin before its text"`
	At   time.Time `json:"at,omitzero" doc:"When the first of it was written; the rest of it came soon after, within a fraction of a second unless the store was busy. Absent: not known"`
}

// TimeAt tells when what begins at a place of the log was written; zero where that is not known.
func (l *NodeLog) TimeAt(place int64) time.Time {
	i, found := slices.BinarySearchFunc(l.Times, place, func(t LogTime, place int64) int { return cmp.Compare(t.From, place) })
	switch {
	case found:
		return l.Times[i].At
	case i > 0:
		return l.Times[i-1].At
	default:
		return time.Time{}
	}
}

// LogHits are lines of a log in which a text was found. The last line is looked at even when it has no end yet, and is found
// again when the search goes on; so is one that is longer than an answer may look through.
type LogHits struct {
	Node     string   `json:"node" doc:"The id of the node"`
	Attempt  int      `json:"attempt" doc:"Its number, from 1; 0 while there is none"`
	Attempts int      `json:"attempts" doc:"How many attempts there are"`
	Hits     []LogHit `json:"hits" doc:"In their order; at most 500"`
	Cursor   string   `json:"cursor" doc:"Goes on with the search after this, also when the log has grown"`
	Searched int64    `json:"searched" doc:"Up to which byte the log was looked through: to its end when this is size"`
	Size     int64    `json:"size" doc:"Bytes of the whole log, so far"`
	Complete bool     `json:"complete" doc:"Nothing will be added to the log of this attempt"`
}

// LogHit is a line in which a text was found.
type LogHit struct {
	Line int64  `json:"line" doc:"Its number, from 1"`
	From int64  `json:"from" doc:"Where in the log it begins, in bytes"`
	Text string `json:"text" doc:"As it was written, control characters included; of a long line a part with what was found, unless these are in between"`
}

// EventLog is the name of the events of a stream of a log, of which the data is [NodeLog]; [EventPing] and [EventEnd] are beside it.
const EventLog = "log"

// EndComplete is the reason for the end of a stream of a log that was told to its end.
const EndComplete = "complete"

// WatchedLogEnd is the data of the last event of a stream of a log.
type WatchedLogEnd struct {
	Reason string `json:"reason" enum:"complete,draining,changed,signed_out,denied" doc:"complete: the attempt has ended, and all of its log was told; draining: go on after the last id, here or at another process; changed: likewise, what the caller may do is not the same any more"`
}

// LogPage says which part of a log to give.
type LogPage struct {
	Node    string // id, or name where only one node has it
	Attempt int    // from 1; 0 is the newest one
	From    int64  // place of the first byte: 0, or the Next of an earlier answer
	Limit   int    // bytes; 0 leaves it to the server
	Tail    int    // begins at so many of the last lines, in place of From; up to 1,000
}

// NodeLog reads from the log of a node.
func (c *Client) NodeLog(ctx context.Context, project, id int64, p LogPage) (*NodeLog, error) {
	log := &NodeLog{}
	return log, c.call(ctx, http.MethodGet, p.path(project, id), nil, log)
}

// FollowLog gives the log of a node from where p says, and then what is added, as soon as it is, until its attempt has ended,
// ctx ends or the loop does. A node that has not run is waited for. A stream that breaks is gone on with where it was; when the
// server cannot be reached, or has no room, that is told as an error each time, and tried again for as long as the loop goes
// on. Any other refusal is the last that it gives.
func (c *Client) FollowLog(ctx context.Context, project, id int64, p LogPage) iter.Seq2[*NodeLog, error] {
	return func(yield func(*NodeLog, error) bool) {
		last := ""
		for pause := firstPause; ; {
			on := true
			err := c.streamLog(ctx, p.path(project, id), last, func(part *NodeLog, id string) bool {
				last, pause = id, firstPause
				on = yield(part, nil)
				return on
			})
			if !on || errors.Is(err, errComplete) {
				return
			}
			if ctx.Err() != nil {
				yield(nil, ctx.Err())
				return
			}
			if !errors.Is(err, io.EOF) && !yield(nil, err) || !passing(err) {
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

var errComplete = errors.New("the log is complete")

// streamLog reads one stream to its end, or until on is false.
func (c *Client) streamLog(ctx context.Context, path, last string, on func(part *NodeLog, id string) bool) error {
	request, err := c.request(ctx, http.MethodGet, path, nil)
	if err != nil {
		return err
	}
	if last != "" {
		request.Header.Set("Last-Event-ID", last)
	}
	err = c.events(request, func(e message) error {
		switch e.name {
		case EventLog:
			part := &NodeLog{}
			if err := json.Unmarshal(e.data, part); err != nil {
				return c.notOurs(err)
			}
			if !on(part, e.id) {
				return io.EOF
			}
		case EventEnd:
			return endOfLog(e)
		}
		return nil
	})
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return io.EOF // it broke; whether the server is away is seen when it is asked again
	}
	return err
}

func endOfLog(e message) error {
	var end WatchedLogEnd
	if err := json.Unmarshal(e.data, &end); err != nil {
		return err
	}
	if end.Reason == EndComplete {
		return errComplete
	}
	return endOf(e)
}

// path gives the address of a part of a log.
func (p *LogPage) path(project, id int64) string {
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
	return path
}
