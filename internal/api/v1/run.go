package v1

import (
	"cmp"
	"fmt"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/client"
	"github.com/stdops/stdops/internal/service"
	"github.com/stdops/stdops/internal/status"
)

// wireRun gives the run of a task.
func wireRun(task *stdops.Task, r *service.Run) *client.Run {
	name := func(n stdops.NodeIndex) string {
		if r.Skeleton == nil {
			return ""
		}
		return r.Skeleton.Nodes[n].Name
	}
	some := func(s *status.Some) []client.NodeRef {
		list := make([]client.NodeRef, len(s.Nodes))
		for i, n := range s.Nodes {
			list[i] = wireRef(task.ID, n, name(n))
		}
		return list
	}
	return &client.Run{
		Revision: task.Root.Revision, Tree: r.Tree, Phase: string(r.Phase), Progress: client.Progress{Done: r.Done, Total: r.Total},
		Running: some(&r.Running), RunningCount: r.Running.Count, Failed: some(&r.Failed), FailedCount: r.Failed.Count,
		Paused: some(&r.Paused), PausedCount: r.Paused.Count, Why: wireWhy(task.ID, &r.Why, name(r.Why.Node)), Actions: r.Actions,
	}
}

func wireRef(task stdops.TaskID, n stdops.NodeIndex, name string) client.NodeRef {
	return client.NodeRef{Index: int(n), ID: stdops.NodeID(task, n), Name: name}
}

// wireWhy gives a cause; name is that of the node that it is about.
func wireWhy(task stdops.TaskID, w *status.Why, name string) client.Why {
	why := client.Why{Code: string(w.Cause), Until: w.Until, Count: w.Count}
	if w.Node != stdops.RootNode {
		ref := wireRef(task, w.Node, name)
		why.Node = &ref
	}
	why.Text = whyText(&why)
	return why
}

// aboutTask are the sentences about a task as a whole.
var aboutTask = map[status.Cause]string{
	status.NotStarted: "It was not started.",
	status.NotClaimed: "It waits to be claimed by whoever is to run it.",
	status.Slot:       "Its next step waits for its turn.",
	status.Paused:     "It is paused.",
	status.Finished:   "It has finished.",
	status.Revoked:    "It was revoked.",
	status.Unreadable: "Its record cannot be read.",
}

// aboutNodes are the sentences about nodes, for one and for several, with the moment when that is known.
var aboutNodes = map[status.Cause][2]string{
	status.Slot:       {"%s waits for a free slot", "%s wait for free slots"},
	status.Calling:    {"%s is being carried out", "%s are being carried out"},
	status.Polling:    {"%s is at work and looked after, next", "%s are at work and looked after, next"},
	status.Callback:   {"%s waits to be called back", "%s wait to be called back"},
	status.Timer:      {"%s waits", "%s wait, the first"},
	status.RetryAt:    {"%s has failed and tries again", "%s have failed and try again, the first"},
	status.Child:      {"%s waits for the task that it has made", "%s wait for the tasks that they have made"},
	status.NodePaused: {"%s is paused", "%s are paused"},
	status.Person:     {"%s waits for somebody to confirm", "%s wait for somebody to confirm"},
	status.Failing:    {"%s has failed", "%s have failed"},
	status.Stopping:   {"It is to stop, and %s is still at work", "It is to stop, and %s are still at work"},
}

// onTime are the words before the moment.
var onTime = map[status.Cause]string{status.Polling: "at", status.Timer: "until", status.RetryAt: "at"}

func whyText(w *client.Why) string {
	cause := status.Cause(w.Code)
	if w.Node == nil {
		return aboutTask[cause]
	}
	who, form := fmt.Sprintf("%q", cmp.Or(w.Node.Name, w.Node.ID)), 0
	if w.Count > 1 {
		who, form = fmt.Sprintf("%s and %d more", who, w.Count-1), 1
	}
	text := fmt.Sprintf(aboutNodes[cause][form], who)
	if word := onTime[cause]; word != "" && !w.Until.IsZero() {
		text += " " + word + " " + w.Until.Format(time.RFC3339)
	}
	return text + "."
}
