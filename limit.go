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

// Limits are the bounds that an operator can set. DefaultLimits gives those that hold otherwise; the other bounds belong
// to formats and budgets and are told where they hold.
type Limits struct {
	Rate      int64 // requests a second of one app, or of one user who comes without one; 0: any number
	Failures  int64 // wrong secrets of one app from one address in a minute; 0: any number
	Requests  int64 // that are served at the same time
	LiveTasks int64 // that are driven at the same time
	HeadTime  int64 // seconds that the head of a request may take to arrive
	BodyTime  int64 // seconds that a whole request may take to arrive
	Body      int64 // bytes of one request
	Nodes     int64 // of a task, with its subprocesses
	Nesting   int64 // levels of subprocesses
	Children  int64 // nodes in one answer with statuses
	Fragments int64 // bytes of memory for encoded parts of answers with statuses
}

// DefaultLimits gives the bounds of a server for which nobody has set others.
func DefaultLimits() Limits {
	return Limits{
		Rate: 500, Failures: 20, Requests: 1000, LiveTasks: 20_000, HeadTime: 10, BodyTime: 30,
		Body: 25 << 20, Nodes: 20_000, Nesting: 32, Children: 100_000, Fragments: 128 << 20,
	}
}

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
		{Limit{"failures", l.Failures, "secrets", "that are wrong, a minute, for one app from one address; 0: any number"}, &l.Failures, 0, million},
		{Limit{"requests", l.Requests, "requests", "that are served at the same time"}, &l.Requests, 1, million},
		{Limit{"live-tasks", l.LiveTasks, "tasks", "that are driven at the same time; further ones wait"}, &l.LiveTasks, 1, 100 * million},
		{Limit{"head-time", l.HeadTime, "seconds", "that the head of a request may take to arrive"}, &l.HeadTime, 1, 3600},
		{Limit{"body-time", l.BodyTime, "seconds", "that a whole request may take to arrive"}, &l.BodyTime, 1, 3600},
		{Limit{"body", l.Body, "bytes", "of a request"}, &l.Body, 1 << 10, 1 << 30},
		{Limit{"nodes", l.Nodes, "nodes", "of a task, with its subprocesses"}, &l.Nodes, 1, million},
		{Limit{"nesting", l.Nesting, "levels", "of subprocesses"}, &l.Nesting, 1, 200},
		{Limit{"children", l.Children, "nodes", "in one answer with statuses"}, &l.Children, 1, 10 * million},
		{Limit{"kept-answers", l.Fragments, "bytes", "of memory for encoded parts of answers with statuses"}, &l.Fragments, 1 << 20, 1 << 40},
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
