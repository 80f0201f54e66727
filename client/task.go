package client

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// The states of tasks and nodes.
const (
	Created       = "CREATED"
	Ready         = "READY"
	Running       = "RUNNING"
	Suspended     = "SUSPENDED"
	NodeSuspended = "NODE_SUSPENDED"
	Failed        = "FAILED"
	Finished      = "FINISHED"
	Revoked       = "REVOKED"
)

// Task is how a task stands.
type Task struct {
	ID       int64     `json:"id" doc:"Numbers ascend in time"`
	Name     string    `json:"name"`
	Project  int64     `json:"project"`
	State    string    `json:"state" enum:"CREATED,RUNNING,SUSPENDED,NODE_SUSPENDED,FAILED,FINISHED,REVOKED" doc:"FAILED while a node of it is FAILED, NODE_SUSPENDED while one is paused; both may go on"`
	Flow     int64     `json:"flow,omitempty" doc:"The stored flow that it was made from, if any"`
	FlowType string    `json:"flow_type" doc:"common, or common_func for a task that waits to be claimed before it can start"`
	Creator  string    `json:"creator"`
	Executor string    `json:"executor,omitempty" doc:"Who started it"`
	App      string    `json:"app,omitempty" doc:"The application that made it"`
	Created  time.Time `json:"created_at"`
	Started  time.Time `json:"started_at,omitzero" doc:"Absent before the start"`
	Finished time.Time `json:"finished_at,omitzero" doc:"Absent while it can still go on"`
	Updated  time.Time `json:"updated_at,omitzero" doc:"When it last changed: the moment of the latest of its events. Of many tasks it is told in lists, and where their runs were asked for"`
	Elapsed  int64     `json:"elapsed_s" doc:"Whole seconds since the start, up to the end or to now"`
	Deleted  bool      `json:"deleted,omitempty"`
	URL      string    `json:"url" doc:"The page of the task"`
	Parent   int64     `json:"parent,omitempty" doc:"The task of which a node made this one"`
	Children []int64   `json:"children,omitempty" doc:"Where one task was asked for: the tasks that nodes of it made, oldest first, at most 1000"`
	Problem  string    `json:"problem,omitempty" doc:"Why its record could not be read in full"`
	Nodes    []Node    `json:"nodes,omitempty" doc:"Where they were asked for: the nodes that were reached, in the order of first execution"`
	Usual    *Usual    `json:"usual,omitempty" doc:"Where slow tasks were asked for: how long the latest tasks of the same flow and tree took"`
	Run      *Run      `json:"run,omitempty" doc:"Where it was asked for: whether anything goes on in it, what it waits for, and what can be done"`
}

// Ended reports whether nothing can happen to the task any more.
func (t *Task) Ended() bool { return t.State == Finished || t.State == Revoked }

// Node is how one node of a task stands.
type Node struct {
	Index        int       `json:"index" doc:"Its place in the graph; 0 is the task itself"`
	ID           string    `json:"id"`
	Parent       string    `json:"parent" doc:"The enclosing subprocess, or the root of the task"`
	Name         string    `json:"name"`
	Kind         string    `json:"kind,omitempty" doc:"Such as ServiceActivity, SubProcess or ExclusiveGateway"`
	Plugin       string    `json:"plugin,omitempty" doc:"Of an activity"`
	State        string    `json:"state" enum:"CREATED,READY,RUNNING,SUSPENDED,NODE_SUSPENDED,FAILED,FINISHED,REVOKED" doc:"CREATED: not reached"`
	Phase        string    `json:"phase,omitempty" doc:"Of a RUNNING node: queued, executing, scheduling or waiting; of one that was not reached: appointed when a pause waits for it"`
	Loop         int32     `json:"loop" doc:"How often it was entered"`
	Retry        int32     `json:"retry"`
	Skipped      bool      `json:"skipped,omitempty"`
	ErrorIgnored bool      `json:"error_ignored,omitempty"`
	Version      string    `json:"version,omitempty" doc:"Names the attempt"`
	Started      time.Time `json:"started_at,omitzero"`
	Called       time.Time `json:"called_at,omitzero" doc:"When the first call of the attempt began; since started_at it waited for a slot. Absent where there was none, and where that was not kept"`
	Finished     time.Time `json:"finished_at,omitzero"`
	Elapsed      int64     `json:"elapsed_s"`
	Error        string    `json:"error,omitempty" doc:"Why it failed"`
	Nodes        []Node    `json:"nodes,omitempty" doc:"Of a subprocess, in the tree form"`
}

// NewTask is a task to be made, of a tree of its own or of a stored flow.
type NewTask struct {
	Name        string                     `json:"name" minLength:"1" maxLength:"128"`
	Description string                     `json:"description,omitempty" maxLength:"10000"`
	Tree        json.RawMessage            `json:"tree,omitempty" doc:"A pipeline tree; either this or flow"`
	Flow        int64                      `json:"flow,omitempty" minimum:"0" doc:"The id of a stored flow; either this or tree"`
	Constants   map[string]json.RawMessage `json:"constants,omitempty" doc:"Values for constants of the tree or flow, by key such as ${version}"`
	Schemes     []string                   `json:"schemes,omitempty" maxItems:"100" doc:"Names of execution schemes of the flow: what any of them names runs, and what is not optional"`
	FlowType    string                     `json:"flow_type,omitempty" enum:"common,common_func"`
	Start       bool                       `json:"start,omitempty" doc:"Start it in the same transaction"`
}

// TaskChange is what can be changed of a task that is there.
type TaskChange struct {
	Constants map[string]json.RawMessage `json:"constants" doc:"New values by key such as ${version}, all of them or none; before the start, and while the task is paused or a node of it is paused or has failed"`
	Reason    string                     `json:"reason,omitempty" maxLength:"1000" doc:"Why; kept with the change, and told by the events of the task"`
}

// TaskList is one page of tasks, newest first.
type TaskList struct {
	Tasks  []Task `json:"tasks"`
	Cursor string `json:"next_cursor,omitempty" doc:"Asks for the page after this one; absent on the last"`
}

// TaskFilter says which tasks are meant; what is zero does not count.
type TaskFilter struct {
	Keyword  string // part of the name
	Creator  string
	Executor string
	Flow     int64     // that it was made from
	From, To time.Time // between which it was made
}

// TaskPage says which page of a list to give; what is zero does not count.
type TaskPage struct {
	TaskFilter
	Limit  int // up to 200
	Cursor string
	State  string // as tasks show it
	Run    bool   // with their runs
	Slow   bool   // only those that take longer than usual
}

// TaskCount is how many tasks there are.
type TaskCount struct {
	Total  int64        `json:"total"`
	States []StateCount `json:"states" doc:"Every state that tasks show, in the order of a life"`
	Cut    bool         `json:"cut,omitempty" doc:"More tasks stand still than one count looks at: some of those counted as RUNNING show FAILED or NODE_SUSPENDED"`
}

// StateCount is how many tasks show a state.
type StateCount struct {
	State string `json:"state" enum:"CREATED,RUNNING,SUSPENDED,NODE_SUSPENDED,FAILED,FINISHED,REVOKED"`
	Tasks int64  `json:"tasks"`
}

// NodeList is a task with all its nodes, the ones that were not reached included.
type NodeList struct {
	Task  Task   `json:"task"`
	Nodes []Node `json:"nodes"`
}

// StatusRequest asks how tasks stand.
type StatusRequest struct {
	IDs   []int64 `json:"ids" minItems:"1" maxItems:"1000" doc:"Up to 1,000"`
	Nodes bool    `json:"nodes,omitempty" doc:"With the nodes that were reached"`
	Run   bool    `json:"run,omitempty" doc:"With their runs"`
}

// StatusList is how tasks stood at one moment.
type StatusList struct {
	Tasks   []Task    `json:"tasks" doc:"By descending id"`
	Missing []int64   `json:"missing" doc:"Ids that the project does not have, in the order asked"`
	Now     time.Time `json:"now" doc:"The moment, by the clock of the server"`
}

func taskPath(project int64, rest string) string {
	return fmt.Sprintf("/projects/%d/tasks%s", project, rest)
}

// taskRest is the part of a path that says which task, and what of it.
func taskRest(id int64, of string) string { return fmt.Sprintf("/%d%s", id, of) }

// CreateTask makes a task, and starts it when it says so.
func (c *Client) CreateTask(ctx context.Context, project int64, n NewTask) (*Task, error) {
	t := &Task{}
	return t, c.call(ctx, http.MethodPost, taskPath(project, ""), n, t)
}

// Tasks lists tasks, newest first.
func (c *Client) Tasks(ctx context.Context, project int64, p TaskPage) (*TaskList, error) {
	query := p.query()
	if p.Limit > 0 {
		query.Set("limit", strconv.Itoa(p.Limit))
	}
	set(query, "cursor", p.Cursor)
	set(query, "state", p.State)
	if p.Run {
		query.Set("run", "true")
	}
	if p.Slow {
		query.Set("slow", "true")
	}
	list := &TaskList{}
	return list, c.call(ctx, http.MethodGet, asked(taskPath(project, ""), query), nil, list)
}

// CountTasks tells how many tasks show each state.
func (c *Client) CountTasks(ctx context.Context, project int64, f TaskFilter) (*TaskCount, error) {
	count := &TaskCount{}
	return count, c.call(ctx, http.MethodGet, asked(taskPath(project, ":count"), f.query()), nil, count)
}

func (f *TaskFilter) query() url.Values {
	query := url.Values{}
	set(query, "keyword", f.Keyword)
	set(query, "creator", f.Creator)
	set(query, "executor", f.Executor)
	if f.Flow != 0 {
		query.Set("flow", strconv.FormatInt(f.Flow, 10))
	}
	for name, moment := range map[string]time.Time{"created_from": f.From, "created_to": f.To} {
		if !moment.IsZero() {
			query.Set(name, moment.Format(time.RFC3339Nano))
		}
	}
	return query
}

// set puts a parameter into a query, unless it is empty.
func set(query url.Values, name, value string) {
	if value != "" {
		query.Set(name, value)
	}
}

// asked gives a path with its query.
func asked(path string, query url.Values) string {
	if len(query) == 0 {
		return path
	}
	return path + "?" + query.Encode()
}

// Task tells how one task stands.
func (c *Client) Task(ctx context.Context, project, id int64) (*Task, error) {
	t := &Task{}
	return t, c.call(ctx, http.MethodGet, taskPath(project, fmt.Sprintf("/%d", id)), nil, t)
}

// TaskRun tells how one task stands, together with its run.
func (c *Client) TaskRun(ctx context.Context, project, id int64) (*Task, error) {
	t := &Task{}
	return t, c.call(ctx, http.MethodGet, taskPath(project, taskRest(id, "?run=true")), nil, t)
}

// Nodes tells how all nodes of a task stand, each subprocess with those inside of it.
func (c *Client) Nodes(ctx context.Context, project, id int64) (*NodeList, error) {
	list := &NodeList{}
	return list, c.call(ctx, http.MethodGet, taskPath(project, fmt.Sprintf("/%d/nodes", id)), nil, list)
}

// Statuses tells how many tasks stand.
func (c *Client) Statuses(ctx context.Context, project int64, q StatusRequest) (*StatusList, error) {
	list := &StatusList{}
	return list, c.call(ctx, http.MethodPost, taskPath(project, ":status"), q, list)
}

// ChangeTask gives constants of a task new values and tells how the task stands after it.
func (c *Client) ChangeTask(ctx context.Context, project, id int64, change TaskChange) (*Task, error) {
	t := &Task{}
	return t, c.call(ctx, http.MethodPatch, taskPath(project, fmt.Sprintf("/%d", id)), change, t)
}

// DeleteTask hides a task that was not started or has ended. It is still told about, as deleted, where many are asked
// about by their ids.
func (c *Client) DeleteTask(ctx context.Context, project, id int64) error {
	return c.call(ctx, http.MethodDelete, taskPath(project, fmt.Sprintf("/%d", id)), nil, nil)
}
