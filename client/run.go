package client

import (
	"context"
	"net/http"
	"time"
)

// The phases of a run.
const (
	PhaseQueued       = "queued"
	PhaseRunning      = "running"
	PhaseDraining     = "draining"
	PhaseWaitingHuman = "waiting_human"
	PhaseBlocked      = "blocked"
	PhaseEnded        = "ended"
)

// Run is the second view of how a task stands: whether anything goes on in it, what it waits for, and what can be done.
type Run struct {
	Revision     int64     `json:"revision" doc:"Raised by every change of the task"`
	Tree         string    `json:"tree" doc:"Names its tree: tasks with the same one share the graph; empty when it could not be read"`
	Phase        string    `json:"phase" enum:"queued,running,draining,waiting_human,blocked,ended" doc:"queued: not started, or all that could go on waits for a slot; running: something goes on by itself; draining: paused or revoked while something is still out; waiting_human: nothing goes on until a person resumes or answers; blocked: nothing goes on and a node FAILED"`
	Progress     Progress  `json:"progress"`
	Running      []NodeRef `json:"running" doc:"Nodes that are at work, at most 8"`
	RunningCount int       `json:"running_count"`
	Failed       []NodeRef `json:"failed" doc:"Nodes that FAILED, at most 50"`
	FailedCount  int       `json:"failed_count"`
	Paused       []NodeRef `json:"paused" doc:"Nodes that are paused or wait for a person, at most 50"`
	PausedCount  int       `json:"paused_count"`
	Why          Why       `json:"why"`
	Actions      []string  `json:"actions" doc:"The commands for the task as a whole that would be accepted from this caller now, and delete"`
}

// Progress counts activities, those in subprocesses included.
type Progress struct {
	Done  int `json:"done" doc:"Activities that are FINISHED, the skipped ones too"`
	Total int `json:"total"`
}

// NodeRef names a node of a task.
type NodeRef struct {
	Index int    `json:"index" doc:"Its place in the graph"`
	ID    string `json:"id"`
	Name  string `json:"name"`
}

// Why is what a task or a node waits for, or why it does not go on.
type Why struct {
	Code  string    `json:"code" enum:"not_started,not_claimed,slot,calling,polling,callback,timer,retry_at,child,paused,node_paused,person,failed,stopping,finished,revoked,unreadable"`
	Text  string    `json:"text" doc:"The same as one sentence"`
	Node  *NodeRef  `json:"node,omitempty" doc:"The node that it is about, the first one of several"`
	Until time.Time `json:"until,omitzero" doc:"When it goes on by itself, where that is known"`
	Count int       `json:"count,omitempty" doc:"How many nodes it is about"`
}

// Graph is the graph of a task. Tasks of the same tree share it, so it holds no ids: nodes go by their index.
type Graph struct {
	Tree  string      `json:"tree" doc:"Names the tree; also the ETag"`
	Nodes []GraphNode `json:"nodes" doc:"By ascending index, the root not included"`
	Edges []GraphEdge `json:"edges" doc:"By ascending index"`
}

// GraphNode is a node of a graph.
type GraphNode struct {
	Index     int      `json:"index" doc:"From 1"`
	Name      string   `json:"name"`
	Kind      string   `json:"kind" doc:"Such as ServiceActivity, SubProcess or ExclusiveGateway"`
	Plugin    string   `json:"plugin,omitempty" doc:"Of an activity"`
	Parent    int      `json:"parent" doc:"The index of the enclosing subprocess; 0 is the task itself"`
	Optional  bool     `json:"optional"`
	Retryable bool     `json:"retryable"`
	Skippable bool     `json:"skippable"`
	X         *float64 `json:"x,omitempty" doc:"Where the tree draws it, if it says so"`
	Y         *float64 `json:"y,omitempty"`
}

// GraphEdge is a flow between two nodes.
type GraphEdge struct {
	From      int    `json:"from"`
	To        int    `json:"to"`
	Index     int    `json:"index"`
	Condition string `json:"condition,omitempty"`
	Default   bool   `json:"default,omitempty" doc:"Taken when no condition holds"`
	Name      string `json:"name,omitempty"`
}

// NodeState is how a node stands, in few words.
type NodeState struct {
	Index        int       `json:"index" doc:"Its place in the graph"`
	ID           string    `json:"id"`
	State        string    `json:"state" enum:"CREATED,READY,RUNNING,SUSPENDED,NODE_SUSPENDED,FAILED,FINISHED,REVOKED"`
	Phase        string    `json:"phase,omitempty" doc:"Of a RUNNING node: queued, executing, scheduling or waiting; appointed when a pause waits for it"`
	Loop         int32     `json:"loop" doc:"How often it was entered"`
	Retry        int32     `json:"retry"`
	Skipped      bool      `json:"skipped,omitempty"`
	ErrorIgnored bool      `json:"error_ignored,omitempty"`
	Version      string    `json:"version,omitempty" doc:"Names the attempt"`
	Started      time.Time `json:"started_at,omitzero"`
	Called       time.Time `json:"called_at,omitzero" doc:"When the first call of the attempt began; since started_at it waited for a slot. Absent where there was none, and where that was not kept"`
	Finished     time.Time `json:"finished_at,omitzero"`
	Due          time.Time `json:"due_at,omitzero" doc:"When it goes on by itself, where that is known"`
	Error        string    `json:"error,omitempty" doc:"The first 300 characters of why it failed"`
}

// NodeStates is how the nodes of a task stood at one moment, together with the task.
type NodeStates struct {
	Task  Task        `json:"task" doc:"With its run"`
	Now   time.Time   `json:"now" doc:"The moment, by the clock of the server"`
	Nodes []NodeState `json:"nodes" doc:"The nodes that have a state: those reached, and those that a pause waits for; by ascending index"`
}

// Graph tells of which nodes and flows a task is made.
func (c *Client) Graph(ctx context.Context, project, id int64) (*Graph, error) {
	g := &Graph{}
	return g, c.call(ctx, http.MethodGet, taskPath(project, taskRest(id, "/graph")), nil, g)
}

// States tells how a task and those of its nodes stand that have a state.
func (c *Client) States(ctx context.Context, project, id int64) (*NodeStates, error) {
	s := &NodeStates{}
	return s, c.call(ctx, http.MethodGet, taskPath(project, taskRest(id, "/states")), nil, s)
}
