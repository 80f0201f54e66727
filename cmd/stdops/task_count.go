package main

import (
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/stdops/stdops/client"
)

func (c *cli) taskCount() *cobra.Command {
	var filter taskFilter
	cmd := &cobra.Command{
		Use:   "count",
		Short: "Count the tasks that show each state",
		Example: "  stdops task count\n" +
			"  stdops task count --flow 3 --since 24h",
		Args: exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			f, err := filter.read(time.Now())
			if err != nil {
				return usageOf(cmd, err)
			}
			to, err := c.connect()
			if err != nil {
				return err
			}
			defer to.Close()
			count, err := to.CountTasks(cmd.Context(), c.projectID, f)
			if err != nil {
				return err
			}
			rows := count.States
			if c.format == "table" {
				rows = append(rows, client.StateCount{State: "all", Tasks: count.Total})
			}
			if count.Cut {
				c.warn("stdops: not all tasks that stand still were looked at: some that are counted as RUNNING show FAILED or NODE_SUSPENDED\n")
			}
			return show(c, count, rows, countColumns())
		},
	}
	filter.flags(cmd.Flags())
	return cmd
}

func countColumns() []column[client.StateCount] {
	return []column[client.StateCount]{
		{"STATE", func(s *client.StateCount) string { return s.State }},
		{"TASKS", func(s *client.StateCount) string { return strconv.FormatInt(s.Tasks, 10) }},
	}
}
