package engine

import (
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/plugin"
)

// Kind names what a [Command] wants.
type Kind uint8

// The commands (docs/spec/engine.md 4). The first group is about the task, the second about one node.
const (
	Start Kind = iota + 1
	Pause
	Resume
	Revoke
	SetConstants

	NodePause  // appoint a pause before a node begins
	NodeResume // end it
	Retry
	Skip
	SkipBranch   // skip a failed exclusive gateway along one of its flows
	SkipBranches // skip a failed conditional parallel gateway along some of its flows
	SubPause
	SubResume
	ForceFail
	CallBack
)

var kindNames = map[Kind]string{
	Start: "start", Pause: "pause", Resume: "resume", Revoke: "revoke", SetConstants: "set constants", NodePause: "pause node", NodeResume: "resume node",
	Retry: "retry", Skip: "skip", SkipBranch: "skip_exg", SkipBranches: "skip_cpg", SubPause: "pause_subproc", SubResume: "resume_subproc",
	ForceFail: "forced_fail", CallBack: "callback",
}

// String gives the name of the command.
func (k Kind) String() string { return kindNames[k] }

// Command is what a person or a program wants of a task. Which fields count depends on the kind.
type Command struct {
	Kind    Kind
	Actor   string
	Reason  string // that the actor gives, kept with the transitions that the command makes itself
	Node    stdops.NodeIndex
	Inputs  *stdops.Object     // Retry: replaces the inputs of the node; nil or empty keeps them
	Flows   []stdops.FlowIndex // SkipBranch: the one to take; SkipBranches: one or more
	Data    any                // CallBack
	Version stdops.Version     // CallBack: "" means the current one
	Values  *stdops.Object     // SetConstants: by key without ${ and }; keys that the task lacks are ignored
	Early   bool               // SetConstants: only before the start

	// Key, when set, is stored with what the command does. When it is taken the command does nothing: its answer is a
	// refusal, if it would be refused now anyway, or [stdops.ErrRepeated].
	Key *stdops.RequestKey
}

// An event is what a task is to react to: a [Command], or one of the types below.
type event any

// callEnded is the result of a call. It counts only while the node still has this version and call.
type callEnded struct {
	node    stdops.NodeIndex
	version stdops.Version
	call    int32
	inputs  *stdops.Object // that the call was given
	outputs *stdops.Object
	outcome plugin.Outcome
	failed  bool
	called  bool // it was about a callback
}

// timeCame says that a due time or a time limit of a node has passed.
type timeCame struct {
	node    stdops.NodeIndex
	version stdops.Version
	at      time.Time
}

// loaded is the first event of a task that was read from the store: calls that were out when a process ended are in
// doubt, and what was only queued begins.
type loaded struct {
	out map[callID]bool // calls that are still out in this process, so in no doubt
}

// callID names one call of a task.
type callID struct {
	node    stdops.NodeIndex
	version stdops.Version
	number  int32
}

// slotFree says that the process has room for a call that waits.
type slotFree struct{}

// goOn continues a run of nodes that was committed in parts.
type goOn struct{}
