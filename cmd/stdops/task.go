package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/stdops/stdops/client"
)

func (c *cli) task() *cobra.Command {
	return group("task", "Make tasks, operate them, and see how they stand",
		c.taskCreate(), c.taskStart(), c.taskList(), c.taskCount(), c.taskStatus(), c.taskWatch(), c.taskWait(),
		c.taskOperate(), c.taskSet(), c.taskDelete(), c.taskNode(), c.taskLog(), c.taskEvents())
}

// taskIDs reads the ids of tasks.
func taskIDs(cmd *cobra.Command, args []string) ([]int64, error) {
	ids := make([]int64, len(args))
	for i, arg := range args {
		id, err := taskID(cmd, arg)
		if err != nil {
			return nil, err
		}
		ids[i] = id
	}
	return ids, nil
}

func taskID(cmd *cobra.Command, arg string) (int64, error) {
	id, err := strconv.ParseInt(arg, 10, 64)
	if err != nil || id <= 0 {
		return 0, usageOf(cmd, fmt.Errorf("%q is no id of a task", arg))
	}
	return id, nil
}

const longestName = 40

// taskColumns are those of every table of tasks; the last one needs the nodes of the tasks.
func taskColumns() []column[client.Task] {
	return []column[client.Task]{
		{"ID", func(t *client.Task) string { return strconv.FormatInt(t.ID, 10) }},
		{"NAME", func(t *client.Task) string { return cut(t.Name, longestName) }},
		{"STATE", func(t *client.Task) string { return t.State }},
		{"ELAPSED", func(t *client.Task) string { return elapsed(t) }},
		{"AT", func(t *client.Task) string { return whereabouts(t) }},
	}
}

func elapsed(t *client.Task) string {
	if t.Started.IsZero() {
		return "-"
	}
	return (time.Duration(t.Elapsed) * time.Second).String()
}

// whereabouts names the nodes at which a task is: the failed ones, else the paused ones, else those that run. Of a deleted
// task it says so.
func whereabouts(t *client.Task) string {
	if t.Problem != "" {
		return t.Problem
	}
	if t.Deleted {
		return "deleted"
	}
	if t.Ended() {
		return ""
	}
	for _, states := range [][]string{{client.Failed}, {client.Suspended}, {client.Running, client.Ready}} {
		if names := leaves(t.Nodes, states, nil); len(names) > 0 {
			return some(names)
		}
	}
	return ""
}

// leaves collects the names of nodes in one of the states that hold no others in it.
func leaves(nodes []client.Node, states, names []string) []string {
	for i := range nodes {
		n := &nodes[i]
		before := len(names)
		if names = leaves(n.Nodes, states, names); len(names) > before {
			continue
		}
		for _, state := range states {
			if n.State == state {
				names = append(names, n.Name)
			}
		}
	}
	return names
}

const namesShown = 2

func some(names []string) string {
	if len(names) <= namesShown {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:namesShown], ", "), len(names)-namesShown)
}

// longestBatch is how many tasks the server tells about in one answer.
const longestBatch = 1000

// statuses asks about any number of tasks and gives them in the order asked.
func (c *cli) statuses(ctx context.Context, to *client.Client, ids []int64) (*client.StatusList, error) {
	all := &client.StatusList{Tasks: []client.Task{}, Missing: []int64{}}
	found := make(map[int64]*client.Task, len(ids))
	for rest := ids; len(rest) > 0; {
		some := rest[:min(len(rest), longestBatch)]
		rest = rest[len(some):]
		list, err := to.Statuses(ctx, c.projectID, client.StatusRequest{IDs: some, Nodes: true, Run: len(ids) == 1})
		if err != nil {
			return nil, err
		}
		for i := range list.Tasks {
			found[list.Tasks[i].ID] = &list.Tasks[i]
		}
		all.Now = list.Now
	}
	seen := make(map[int64]bool, len(ids))
	for _, id := range ids {
		switch {
		case seen[id]:
		case found[id] == nil:
			all.Missing = append(all.Missing, id)
		default:
			all.Tasks = append(all.Tasks, *found[id])
		}
		seen[id] = true
	}
	return all, nil
}

// tellRun says under a table what a single task waits for.
func (c *cli) tellRun(list *client.StatusList) {
	if c.format != "table" || len(list.Tasks) != 1 || list.Tasks[0].Run == nil {
		return
	}
	run := list.Tasks[0].Run
	c.say("\n%s, %d of %d activities done. %s\n", run.Phase, run.Progress.Done, run.Progress.Total, printable(run.Why.Text, false))
}

// missing tells about ids that the project does not have, and gives the error for them.
func (c *cli) missing(list *client.StatusList) error {
	if len(list.Missing) == 0 {
		return nil
	}
	texts := make([]string, len(list.Missing))
	for i, id := range list.Missing {
		texts[i] = strconv.FormatInt(id, 10)
	}
	c.warn("stdops: project %d has no task %s\n", c.projectID, strings.Join(texts, ", "))
	if len(list.Tasks) == 0 {
		return exit(exitNotFound)
	}
	return exit(exitPartial)
}

// completeTask offers the newest tasks to the shell for the first argument, and for the others the words that may come next.
func (c *cli) completeTask(next ...string) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
		if len(args) == 0 {
			return c.completeTasks(cmd, args, word)
		}
		return next, cobra.ShellCompDirectiveNoFileComp
	}
}

// completeTasks offers the newest tasks to the shell.
func (c *cli) completeTasks(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	if err := c.settings(cmd); err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	to, err := c.connect()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	defer to.Close()
	list, err := to.Tasks(cmd.Context(), c.projectID, client.TaskPage{Limit: 20})
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var words []string
	for _, t := range list.Tasks {
		words = append(words, fmt.Sprintf("%d\t%s %s", t.ID, t.State, printable(t.Name, false)))
	}
	return words, cobra.ShellCompDirectiveNoFileComp
}
