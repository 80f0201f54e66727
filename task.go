package stdops

import "time"

// FlowType says who may start a task.
type FlowType string

// The flow types: a common task is ready to be started, a functional one waits to be claimed by its operator first.
const (
	FlowCommon     FlowType = "common"
	FlowFunctional FlowType = "common_func"
)

// Task is one run of a tree, without its nodes. All times are UTC with microseconds; the zero time means absent.
type Task struct {
	ID       TaskID
	Project  ProjectID
	Name     string
	TreeHash string // names the snapshot of the tree, shared by all tasks of the same tree
	FlowType FlowType
	Claimed  bool // a functional task that was claimed
	Deleted  bool

	Template       TemplateID // 0 for a task made of a tree of its own
	TemplateSource string     // project, common or onetime
	CreateMethod   string     // api, app, …
	App            string     // code of the app that created it
	Creator        string
	Executor       string // who started it, "" before
	Description    string
	Category       string

	Parent AttemptRef // that made this task as its child, in the same project; zero for none

	Root RootState

	Created  time.Time
	Archived time.Time // when all of it went but this and the states of its nodes
}

// AttemptRef names an attempt of a node of a task.
type AttemptRef struct {
	Task    TaskID
	Node    NodeIndex
	Version Version
}

// TaskRevision is a task at one of its revisions.
type TaskRevision struct {
	Ref      TaskRef
	Revision int64
}

// RootState is the stored state of a task as a whole.
type RootState struct {
	State    State // Created, Running, Suspended, Finished or Revoked: failure of a task is derived from its nodes
	Version  Version
	Started  time.Time // when the start was accepted
	Finished time.Time // final once set
	Revision int64     // number of committed changes; raised by every change of anything that callers see
	Epoch    int64     // who drives; raised by every claim, no change for readers
	Live     bool      // started and not settled: something may still happen by itself
	WakeAt   time.Time // when a live task wants to be looked at next; zero when it waits for someone
}

// CurrentFlow gives the stage word of bk-sops: func_claim, execute_task or finished. It says nothing about success.
func (t *Task) CurrentFlow() string {
	switch {
	case t.Root.State.Ended():
		return "finished"
	case t.FlowType == FlowFunctional && !t.Claimed:
		return "func_claim"
	default:
		return "execute_task"
	}
}

// NodeState is what the engine knows of one node of one task. A node that was never reached has none.
type NodeState struct {
	Node         NodeIndex
	Order        int32 // position in the order of first execution, from 1; 0 while only a pause was appointed
	State        State
	Phase        Phase
	Call         int32 // number of the call that Phase is about: 0 = execute, n = the n-th schedule
	Loop         int32 // entries since the task began, from 1
	InnerLoop    int32 // entries since the enclosing subprocess was entered
	Retry        int32 // retries of the current loop
	AutoRetries  int32 // automatic retries so far; never reset
	Skip         bool
	ErrorIgnored bool
	Version      Version
	Token        Token     // the thread of execution that rests on the node
	Started      time.Time // of the current attempt
	Finished     time.Time // zero while unfinished
	Due          time.Time // next poll of a waiting node, or the one that is out; or the automatic retry of a failed one
	Deadline     time.Time // when the node is over its time limit
	Called       time.Time // when the first call of the current attempt was begun; zero before, and of what calls nothing or is from before this was kept
}

// Token numbers the threads of execution of a task: the first is 1, a parallel gateway adds one for each branch.
type Token int32

// Fork is a [Token] that does not simply rest on a running node: the parent of branches, a branch, or a thread that was
// stopped by a pause before it entered its next node.
type Fork struct {
	Token       Token
	Parent      Token     // 0 for the first
	Destination NodeIndex // where a branch ends: its converge gateway; 0 for the first
	Need, Have  int32     // branches started and arrived, while this token waits for them; Need is 0 otherwise
	Next        NodeIndex // node to enter, while Stopped or Moving
	Stopped     bool      // by a pause of SuspendedBy
	SuspendedBy NodeIndex
	Moving      bool // about to enter Next (a long run of gateways is committed in parts)
	Dead        bool // arrived, or ended with its task; such a row is removed
}

// NodeData is what a node was given and what it gave, as JSON objects; nil when there is none.
type NodeData struct {
	Node     NodeIndex
	Inputs   []byte
	Outputs  []byte
	Template []byte // inputs given with a retry: they replace those of the tree from then on
}

// Attempt is a finished attempt of a node, kept when the node is entered again, retried or skipped.
type Attempt struct {
	ID       int64
	State    NodeState
	Data     NodeData
	Archived time.Time
}

// Variable is one value of a pipeline's context that a node output or a parameter has set.
type Variable struct {
	Scope NodeIndex // the root or a subprocess node
	Key   string    // without ${ and }
	Value []byte    // JSON; in a [Change], nil takes the value away
}

// Callback is an accepted callback that was not decided yet. Those with a number below zero are what a child task told,
// the latest with the lowest number; nobody can give them but the commit of the child.
type Callback struct {
	Seq     int64
	Node    NodeIndex
	Version Version
	Data    []byte // JSON
}

// Tell is what a child task has to tell the attempt that made it.
type Tell struct {
	To   AttemptRef
	Data []byte // JSON
}

// Transition is one entry of the log that nobody edits: a change of a state, or a command that changes none, with the same
// state twice.
type Transition struct {
	Node     NodeIndex
	From, To State
	Actor    string // who asked for it, "" for the engine
	Reason   string // why, as the actor said
	Time     time.Time
}

// Moved reports whether a state changed. Where none did, the entry tells of a command: new values of constants (of the
// task), new inputs of a node that FAILED, or a callback that was accepted for one that is RUNNING.
func (t *Transition) Moved() bool { return t.From != t.To }

// LoggedTransition is a transition with its place in the log of its task.
type LoggedTransition struct {
	Revision int64 // that the change with it made
	N        int64 // place in that change
	Transition
}

// Change is one step of one task, committed as a whole or not at all.
type Change struct {
	Task     TaskID
	Project  ProjectID
	Revision int64 // that it was decided on; the commit stores Revision+1
	Epoch    int64 // of who decided it
	Outside  bool  // it was decided by a process that need not drive the task: whoever does is to read it again
	Root     RootState
	Executor string
	Inputs   []byte // JSON object: new values of all constants of the task; nil leaves them

	Archive     []NodeIndex // attempts to keep, as they are stored before this change
	Attempts    []Attempt   // further attempts to keep: those that began and ended within this change
	Nodes       []NodeState
	Data        []NodeData
	Variables   []Variable
	Forks       []Fork
	Callbacks   []Callback // accepted
	Consumed    []int64    // sequence numbers of callbacks that were decided
	Tells       []Tell     // to the task that this one is a child of; one that is over hears nothing
	Transitions []Transition
	Keys        []RequestKey // of the commands that were carried out
}

// Snapshot is all that a driver needs to go on with a task.
type Snapshot struct {
	Task      Task
	Inputs    []byte // JSON object: values of the task's constants by key without ${ and }
	Nodes     []NodeState
	Data      []NodeData // of nodes that are not finished
	Variables []Variable
	Forks     []Fork
	Callbacks []Callback
}

// Record is all that is stored of a task, for whoever checks it.
type Record struct {
	Snapshot
	Attempts []Attempt   // oldest first; without their data
	Outputs  []NodeIndex // nodes of which outputs are stored
	Log      []LoggedTransition
}

// TaskRef names a task inside a project. Whoever makes one has checked that its caller may see the project, so no
// store method finds a task by its number alone.
type TaskRef struct {
	Project ProjectID
	Task    TaskID
}

// Wake says when a live task wants to be looked at.
type Wake struct {
	Ref TaskRef
	At  time.Time
}

// Verdict is what became of one [Change] of a batch.
type Verdict uint8

// The verdicts.
const (
	Committed Verdict = iota // stored, durably
	Stale                    // decided on a revision that is no longer the task's, or with a key that is taken; nothing was stored
	Fenced                   // somebody else drives the task by now, so that its epoch was raised; nothing was stored
	Busy                     // somebody else holds the task for a moment; nothing was stored, and the same change may be tried again
	Unknown                  // the answer was lost, and others have changed the task since: it may be stored or not
)
