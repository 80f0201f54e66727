package stdops

import (
	"fmt"
	"slices"
	"strings"
)

// Limit is something that bounds a request or a task; `stdops limits` prints them all.
type Limit struct {
	Name  string
	Value int64
	Unit  string
	About string
}

// Limits are the bounds that an operator can set. DefaultLimits gives those that hold otherwise. The other bounds belong to
// formats, or to what a flow means, and are told where they hold.
type Limits struct {
	Rate      int64 // requests a second of one app, or of one user who comes without one; 0: any number
	Failures  int64 // wrong secrets of one app from one address in a minute, and of sign-ins from one; 0: any number
	Requests  int64 // that are served at the same time
	Watches   int64 // that are open at the same time
	LiveTasks int64 // that are driven at the same time
	HeadTime  int64 // seconds that the head of a request may take to arrive
	BodyTime  int64 // seconds that a whole request may take to arrive
	Body      int64 // bytes of one request
	Nodes     int64 // of a task, with its subprocesses
	Nesting   int64 // levels of subprocesses
	Children  int64 // nodes in one answer with statuses
	Fragments int64 // bytes of memory for encoded parts of answers with statuses

	Rerun       int64 // times that a node may be entered again
	Calls       int64 // of plugins that one task may have out
	LightCalls  int64 // of plugins that need little, of the whole server; of each class a project may have half
	HTTPCalls   int64 // of plugins that send requests
	ScriptCalls int64 // of plugins that run scripts
	Callback    int64 // bytes of the data of one callback
	Callbacks   int64 // of one task that were accepted and not handled yet
	Output      int64 // bytes of one output of a node, as JSON
	Variables   int64 // bytes of the variables of a task, as JSON; so may the values of its constants have
	Log         int64 // bytes of the log of one attempt of a node
}

// DefaultLimits gives the bounds of a server for which nobody has set others.
func DefaultLimits() Limits {
	return Limits{
		Rate: 500, Failures: 20, Requests: 1000, Watches: 10_000, LiveTasks: 20_000, HeadTime: 10, BodyTime: 30,
		Body: 25 << 20, Nodes: 20_000, Nesting: 32, Children: 100_000, Fragments: 128 << 20,
		Rerun: 100, Calls: 64, LightCalls: 4000, HTTPCalls: 1000, ScriptCalls: 200, Callback: 1 << 20, Callbacks: 1000,
		Output: 256 << 10, Variables: 4 << 20, Log: DefaultLog,
	}
}

// MostSchemes is how many execution schemes a stored flow has at most.
const MostSchemes = 500

// leastOutput is what plugins may rely on: scripts cut their outputs to it.
const leastOutput = 256 << 10

// setting is a bound that can be set: where it is kept, and from where to where it may go.
type setting struct {
	Limit
	value       *int64
	least, most int64
}

func (l *Limits) settings() []setting {
	const million = 1_000_000
	return []setting{
		{Limit{"rate", l.Rate, "requests", "a second, of one app or of one user without an app; 0: any number"}, &l.Rate, 0, million},
		{Limit{"failures", l.Failures, "secrets", "that are wrong, a minute, for one app from one address and for sign-ins from one; 0: any number"}, &l.Failures, 0, million},
		{Limit{"requests", l.Requests, "requests", "that are served at the same time"}, &l.Requests, 1, million},
		{Limit{"watches", l.Watches, "requests", "that watch tasks, or follow logs, at the same time; one caller may have three quarters of them"}, &l.Watches, 1, million},
		{Limit{"live-tasks", l.LiveTasks, "tasks", "that are driven at the same time; further ones wait"}, &l.LiveTasks, 1, 100 * million},
		{Limit{"head-time", l.HeadTime, "seconds", "that the head of a request may take to arrive"}, &l.HeadTime, 1, 3600},
		{Limit{"body-time", l.BodyTime, "seconds", "that a whole request may take to arrive"}, &l.BodyTime, 1, 3600},
		{Limit{"body", l.Body, "bytes", "of a request"}, &l.Body, 1 << 10, 1 << 30},
		{Limit{"nodes", l.Nodes, "nodes", "of a task, with its subprocesses"}, &l.Nodes, 1, million},
		{Limit{"nesting", l.Nesting, "levels", "of subprocesses"}, &l.Nesting, 1, 200},
		{Limit{"children", l.Children, "nodes", "in one answer with statuses"}, &l.Children, 1, 10 * million},
		{Limit{"kept-answers", l.Fragments, "bytes", "of memory for encoded parts of answers with statuses"}, &l.Fragments, 1 << 20, 1 << 40},
		{Limit{"rerun", l.Rerun, "times", "that one node may be entered again"}, &l.Rerun, 1, million},
		{Limit{"calls", l.Calls, "calls", "of plugins that one task may have out"}, &l.Calls, 1, million},
		{Limit{"calls-light", l.LightCalls, "calls", "of plugins that need little; one project may have half of them out"}, &l.LightCalls, 2, million},
		{Limit{"calls-http", l.HTTPCalls, "calls", "of plugins that send requests; one project may have half of them out"}, &l.HTTPCalls, 2, million},
		{Limit{"calls-script", l.ScriptCalls, "calls", "of plugins that run scripts; one project may have half of them out"}, &l.ScriptCalls, 2, million},
		{Limit{"callback", l.Callback, "bytes", "of the data of one callback"}, &l.Callback, 1 << 10, 64 << 20},
		{Limit{"callbacks", l.Callbacks, "callbacks", "of one task that were accepted and not handled yet"}, &l.Callbacks, 1, million},
		{Limit{"output", l.Output, "bytes", "of one output of a node"}, &l.Output, leastOutput, 64 << 20},
		{Limit{"variables", l.Variables, "bytes", "of the variables of a task"}, &l.Variables, 64 << 10, 256 << 20},
		{Limit{"log", l.Log, "bytes", "of the log of one attempt of a node"}, &l.Log, 4 << 10, MostLog},
	}
}

// List tells the bounds, in the order in which they are printed.
func (l *Limits) List() []Limit {
	var list []Limit
	for _, s := range l.settings() {
		list = append(list, s.Limit)
	}
	return list
}

// Set sets the bound of that name.
func (l *Limits) Set(name string, value int64) error {
	all := l.settings()
	i := slices.IndexFunc(all, func(s setting) bool { return s.Name == name })
	if i < 0 {
		var names []string
		for _, s := range all {
			names = append(names, s.Name)
		}
		return fmt.Errorf("limit %q is none that can be set: these are %s", name, strings.Join(names, ", "))
	}
	if s := all[i]; value < s.least || value > s.most {
		return fmt.Errorf("limit %s is %d, it must be %d to %d", name, value, s.least, s.most)
	}
	*all[i].value = value
	return nil
}
