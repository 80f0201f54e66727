package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/stdops/stdops/client"
)

func (c *cli) taskEvents() *cobra.Command {
	var limit int
	var newest bool
	cmd := &cobra.Command{
		Use:   "events ID",
		Short: "Show what has happened to a task, who did it and why",
		Long: "Show each change of state of a task and of its nodes, and commands that changed none, with who asked and the reason that\n" +
			"was given. What the server did by itself has neither.",
		Example: "  stdops task events 12\n" +
			"  stdops task events 12 --newest --limit 20",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: c.completeTasks,
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := taskID(cmd, args[0])
			if err != nil {
				return err
			}
			if limit < 1 {
				return usageOf(cmd, errors.New("--limit must be 1 or more"))
			}
			to, err := c.connect()
			if err != nil {
				return err
			}
			defer to.Close()
			page := client.EventPage{Order: "asc"}
			if newest {
				page.Order = "desc"
			}
			list, err := c.events(cmd.Context(), to, id, page, limit)
			if err != nil {
				return err
			}
			return show(c, list, list.Events, eventColumns())
		},
	}
	cmd.Flags().IntVar(&limit, "limit", 200, "how many at most")
	cmd.Flags().BoolVar(&newest, "newest", false, "begin with the latest")
	return cmd
}

// longestEvents is how many events the server gives in one page.
const longestEvents = 1000

// events reads pages until there are as many events as wanted, or no more.
func (c *cli) events(ctx context.Context, to *client.Client, id int64, page client.EventPage, limit int) (*client.EventList, error) {
	all := &client.EventList{Events: []client.Event{}}
	for len(all.Events) < limit {
		page.Limit = min(limit-len(all.Events), longestEvents)
		list, err := to.Events(ctx, c.projectID, id, page)
		if err != nil {
			return nil, err
		}
		all.Events, all.Cursor = append(all.Events, list.Events...), list.Cursor
		if page.Cursor = list.Cursor; page.Cursor == "" {
			break
		}
	}
	return all, nil
}

func eventColumns() []column[client.Event] {
	return []column[client.Event]{
		{"AT", func(e *client.Event) string { return moment(e.At) }},
		{"NODE", func(e *client.Event) string { return cut(e.Name, longestName) }},
		{"FROM", func(e *client.Event) string { return e.From }},
		{"TO", func(e *client.Event) string { return e.To }},
		{"COMMAND", func(e *client.Event) string { return e.Command }},
		{"BY", func(e *client.Event) string { return e.Actor }},
		{"REASON", func(e *client.Event) string { return e.Reason }},
	}
}
