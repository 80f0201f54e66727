package engine

import (
	"fmt"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/flow"
)

// Asleep reports whether all that [Audit] finds wrong with a record is that nobody would look at the task, or too late: to be
// woken at the next start is all that it lacks.
func Asleep(record *stdops.Record, graph *flow.Graph, now time.Time) bool {
	a := &audit{Record: record, graph: graph, now: now}
	problems, wakes := a.sleep()
	return wakes && len(problems) == len(Audit(record, graph, now))
}

// Overdue gives what was to happen in a live task by itself before some moment, and has not: a sentence for each. Nothing is
// overdue in a task that waits for a person, a callback, its child or a call that is out.
func Overdue(record *stdops.Record, graph *flow.Graph, before time.Time) (late []string) {
	root := &record.Task.Root
	passed := func(at time.Time) bool { return !at.IsZero() && at.Before(before) }
	if !root.Live {
		return nil
	}
	a := &audit{Record: record, graph: graph}
	for i := range record.Nodes {
		n := &record.Nodes[i]
		switch {
		case n.State == stdops.StateRunning && passed(n.Deadline):
			late = append(late, fmt.Sprintf("the time limit of %s was over at %s, and it goes on", a.name(n.Node), moment(n.Deadline)))
		case n.State == stdops.StateRunning && n.Phase == stdops.PhaseWaiting && passed(n.Due):
			late = append(late, fmt.Sprintf("a poll of %s was due at %s, and has not begun", a.name(n.Node), moment(n.Due)))
		case n.State == stdops.StateFailed && passed(n.Due):
			late = append(late, fmt.Sprintf("%s was to be tried again at %s, and was not", a.name(n.Node), moment(n.Due)))
		}
	}
	for i := range record.Forks {
		if f := &record.Forks[i]; f.Moving && passed(root.WakeAt) {
			late = append(late, fmt.Sprintf("thread %d was to enter %s at %s, and has not", f.Token, a.name(f.Next), moment(root.WakeAt)))
		}
	}
	return late
}
