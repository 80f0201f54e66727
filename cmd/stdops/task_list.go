package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/stdops/stdops/client"
)

// longestPage is how many tasks the server lists in one answer.
const longestPage = 200

// listedStates are the states that tasks show.
var listedStates = []string{
	client.Created, client.Running, client.Suspended, client.NodeSuspended, client.Failed, client.Finished, client.Revoked,
}

func (c *cli) taskList() *cobra.Command {
	var filter taskFilter
	var page client.TaskPage
	var limit int
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List tasks, the newest first",
		Long:  "List tasks, the newest first. When there are more, the last line says how to go on.",
		Example: "  stdops task list --state FAILED --since 24h\n" +
			"  stdops task list --slow\n" +
			"  stdops task list --flow 3 --creator ann --limit 500 -o jsonl",
		Args: exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			page.State = strings.ToUpper(page.State)
			if page.State != "" && !slices.Contains(listedStates, page.State) {
				return usageOf(cmd, fmt.Errorf("state %q is none of %s", page.State, strings.Join(listedStates, ", ")))
			}
			if limit < 1 {
				return usageOf(cmd, fmt.Errorf("limit must be at least 1, not %d", limit))
			}
			if page.TaskFilter, err = filter.read(time.Now()); err != nil {
				return usageOf(cmd, err)
			}
			to, err := c.connect()
			if err != nil {
				return err
			}
			defer to.Close()
			list, err := c.pages(cmd.Context(), to, page, limit)
			if err != nil {
				return err
			}
			if err := show(c, list, list.Tasks, listColumns(page.Slow)); err != nil {
				return err
			}
			if list.Cursor != "" {
				c.warn("stdops: there are more: --cursor %s\n", list.Cursor)
			}
			return nil
		},
	}
	flags := cmd.Flags()
	filter.flags(flags)
	flags.StringVar(&page.State, "state", "", "as tasks show it: "+strings.Join(listedStates, ", "))
	flags.BoolVar(&page.Slow, "slow", false, "only those under way for longer than 95 of 100 of the latest tasks of the same flow and tree took")
	flags.IntVar(&limit, "limit", 50, "how many at most")
	flags.StringVar(&page.Cursor, "cursor", "", "go on where another list ended")
	_ = cmd.RegisterFlagCompletionFunc("state", cobra.FixedCompletions(listedStates, cobra.ShellCompDirectiveNoFileComp)) // the flag is there
	return cmd
}

func listColumns(slow bool) []column[client.Task] {
	columns := taskColumns()[:4]
	if slow {
		columns = append(columns, column[client.Task]{"USUAL", usual})
	}
	return append(columns,
		column[client.Task]{"CREATED", func(t *client.Task) string { return moment(t.Created) }},
		column[client.Task]{"CREATOR", func(t *client.Task) string { return cut(t.Creator, longestName) }},
		column[client.Task]{"FLOW", func(t *client.Task) string {
			if t.Flow == 0 {
				return "-"
			}
			return strconv.FormatInt(t.Flow, 10)
		}},
	)
}

// usual tells how long such tasks take.
func usual(t *client.Task) string {
	if t.Usual == nil {
		return "-"
	}
	median, to := time.Duration(t.Usual.Median*float64(time.Second)), time.Second
	if median < 10*time.Second {
		to = time.Millisecond
	}
	return median.Round(to).String()
}

// pages lists as many tasks as are wanted, page after page.
func (c *cli) pages(ctx context.Context, to *client.Client, p client.TaskPage, limit int) (*client.TaskList, error) {
	all := &client.TaskList{Tasks: []client.Task{}, Cursor: p.Cursor}
	for {
		p.Limit, p.Cursor = min(limit-len(all.Tasks), longestPage), all.Cursor
		list, err := to.Tasks(ctx, c.projectID, p)
		if err != nil {
			return nil, err
		}
		all.Tasks, all.Cursor = append(all.Tasks, list.Tasks...), list.Cursor
		if all.Cursor == "" || len(all.Tasks) >= limit {
			return all, nil
		}
	}
}

// taskFilter holds the flags that say which tasks are meant.
type taskFilter struct {
	client.TaskFilter
	since, until string
}

func (f *taskFilter) flags(flags *pflag.FlagSet) {
	flags.StringVar(&f.Keyword, "name", "", "part of the name")
	flags.StringVar(&f.Creator, "creator", "", "who made it")
	flags.StringVar(&f.Executor, "executor", "", "who started it")
	flags.Int64Var(&f.Flow, "flow", 0, "id of the flow that it was made from")
	flags.StringVar(&f.since, "since", "", "made then or later: a moment such as 2026-05-04 or 2026-05-04T09:00:00+08:00, or how long ago, such as 24h")
	flags.StringVar(&f.until, "until", "", "made then or earlier, written likewise")
}

func (f *taskFilter) read(now time.Time) (_ client.TaskFilter, err error) {
	if f.From, err = pastMoment(f.since, now); err != nil {
		return f.TaskFilter, fmt.Errorf("--since %w", err)
	}
	if f.To, err = pastMoment(f.until, now); err != nil {
		return f.TaskFilter, fmt.Errorf("--until %w", err)
	}
	return f.TaskFilter, nil
}

// pastMoment reads a moment, or how long ago it was. Without an offset it is of the zone of the reader.
func pastMoment(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if ago, err := time.ParseDuration(text); err == nil {
		return now.Add(-ago), nil
	}
	for _, layout := range []string{time.RFC3339, time.DateTime, "2006-01-02 15:04", time.DateOnly} {
		if moment, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return moment, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no moment, and no time such as 24h", text)
}
