// Package plugin is the contract between the engine and what a service activity executes, and the registry of plugins.
//
// A plugin never sees the engine, a tree or a store: it is given a [Call] and answers with an [Outcome] or an error.
// The engine decides what follows. The package imports the vocabulary only.
package plugin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/stdops/stdops"
)

// Plugin executes service activities. Execute is called once per attempt; after a crash it may be called again with the
// same key, but only when [Spec.Execute] is [Repeat].
//
// An error fails the attempt and its text becomes ex_data; [ErrFailed] fails it without one. Outputs set before an error
// are kept. A plugin must return soon after ctx is done.
type Plugin interface {
	Spec() Spec
	Execute(ctx context.Context, call *Call) (Outcome, error)
}

// Scheduler is a plugin whose Execute may ask to be polled or called back: Schedule is called for each poll and each
// callback, with the outputs of the call before.
type Scheduler interface {
	Plugin
	Schedule(ctx context.Context, call *Call) (Outcome, error)
}

// RuleByInputs is a plugin whose crash rule for Execute depends on what it was given. It is asked instead of [Spec.Execute],
// with the inputs that Execute would get if it were called again; it must look at nothing else.
type RuleByInputs interface {
	Plugin
	ExecuteRule(inputs *stdops.Object) CrashRule
}

// MaxOutput is how many bytes the JSON text of one output may always have; an operator can let it have more (stdops limits).
const MaxOutput = 256 << 10

// ErrFailed fails an attempt without an error text of its own.
var ErrFailed = errors.New("the plugin reported failure")

// The causes with which the context of a call is done (context.Cause).
var (
	// ErrRevoked ends the calls of a task that was revoked, where their plugin wants it; it becomes the ex_data.
	ErrRevoked = errors.New("revoked")
	// ErrStopping ends what is out when the server has to end. Nobody takes the result; there are a few seconds left.
	ErrStopping = errors.New("the server is shutting down")
)

// Spec describes a plugin.
type Spec struct {
	Code     string
	Versions []string // every version that this plugin answers for
	Name     string   // for people
	Group    string
	Doc      string
	Inputs   []Field
	Outputs  []Field // those of its own; _result, _loop and _inner_loop are always there
	Class    Class

	// Execute and Schedule say what is done after a crash with a call that was out at that moment. For Execute a plugin
	// that is a [RuleByInputs] says it call by call.
	Execute, Schedule CrashRule
	// Variables says that calls are given the variables of the pipeline around the node.
	Variables bool
	// StopOnRevoke says that calls that are out are ended when their task is revoked; others may still record their end.
	StopOnRevoke bool
	// Inward says that Schedule touches nothing outside (it looks at the clock): such a poll may still record the end of
	// a node whose task was revoked.
	Inward bool
	// ManyCallbacks says that Schedule is called for each callback until one of them finishes the node. Without it the
	// first is the only one: while it waits to be handled, others are refused.
	ManyCallbacks bool
	// Child says that Execute makes a task of its own of the attempt, and asks for a callback then: that task ends the
	// node (docs/spec/engine.md 7.8), and nobody can call it back.
	Child bool
	// Person says that the plugin waits for somebody to do something: a task with such a node running needs a person.
	Person bool
}

// Field describes one input or output.
type Field struct {
	Key, Name, Type string // Type is a JSON Schema type
	Doc             string
	Required        bool
}

// Class says what a call costs the server while it is out, and so how many of them it lets out at once.
type Class uint8

// The classes.
const (
	Light  Class = iota // little besides time: it looks at the clock or its inputs
	HTTP                // a connection to elsewhere
	Script              // processes on this host
)

// Classes is how many classes there are.
const Classes = 3

// String gives the name of the class.
func (c Class) String() string { return [Classes]string{"light", "http", "script"}[c] }

// CrashRule is what a plugin declares about a call that may or may not have happened (docs/spec/engine.md 2.11).
type CrashRule uint8

// The crash rules.
const (
	Repeat  CrashRule = iota // call again with the same key
	Ask                      // its Schedule finds out what happened
	Unknown                  // fail the node, for a person to decide
)

// Call is one execute or schedule of one attempt of a node.
type Call struct {
	Key         string // <task>.<node>.<version>.<call>: the same for a repeated call, new for any other
	Project     stdops.ProjectID
	Attempt     stdops.AttemptRef
	Inputs      *stdops.Object // rendered; with _loop and _inner_loop
	Outputs     *stdops.Object // filled by the plugin; what it held is there again at the next Schedule
	System      *stdops.Object // the attributes of ${_system}
	Variables   *stdops.Object // of the pipeline around the node, by name without ${ and }; nil unless Spec.Variables asks for them
	Loop        int64
	InnerLoop   int64
	Count       int64 // number of this schedule, from 1; 0 for Execute
	Callback    any   // data of the callback that a Schedule is about; HasCallback tells null from none
	HasCallback bool
	Now         time.Time        // of the server, when the call began
	Clock       func() time.Time // of the server; nil stands still at Now
	Zone        *time.Location   // of the project
	Log         io.Writer        // of the attempt, for those who look after the task; nil keeps nothing; may be used by many at once
}

// Logf adds a line to the log of the attempt, with the time in the zone of the project before it.
func (c *Call) Logf(format string, args ...any) {
	if c.Log == nil {
		return
	}
	_, _ = fmt.Fprintf(c.Log, "%s: %s\n", c.now().In(c.zone()).Format(time.DateTime), fmt.Sprintf(format, args...))
}

// LogWriter gives the log of the attempt, or what takes its place when there is none.
func (c *Call) LogWriter() io.Writer {
	if c.Log == nil {
		return io.Discard
	}
	return c.Log
}

func (c *Call) now() time.Time {
	if c.Clock == nil {
		return c.Now
	}
	return c.Clock()
}

func (c *Call) zone() *time.Location {
	if c.Zone == nil {
		return time.UTC
	}
	return c.Zone
}

// Outcome says what follows a call that did not fail. The zero value finishes the node.
type Outcome struct {
	Next  Next
	After time.Duration // Poll only: how long to wait before the next Schedule; the first one after Execute does not wait
}

// Next is what a node waits for.
type Next uint8

// What can follow a call.
const (
	Finish   Next = iota
	Poll          // Schedule again after a while
	Callback      // Schedule on the next callback
)

// Done finishes the node.
var Done = Outcome{}

// PollAfter asks for another Schedule after d.
func PollAfter(d time.Duration) Outcome { return Outcome{Next: Poll, After: d} }
