package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/stdops/stdops/client"
)

func (c *cli) taskStart() *cobra.Command {
	return &cobra.Command{
		Use:               "start ID...",
		Short:             "Start tasks",
		Example:           "  stdops task start 12 13",
		Args:              atLeast(1),
		ValidArgsFunction: c.completeTasks,
		RunE: func(cmd *cobra.Command, args []string) error {
			ids, err := taskIDs(cmd, args)
			if err != nil {
				return err
			}
			to, err := c.connect()
			if err != nil {
				return err
			}
			defer to.Close()
			list, count := client.TaskList{Tasks: []client.Task{}}, tally{c: c}
			for _, id := range ids {
				started, err := to.Do(cmd.Context(), c.projectID, id, client.Command{Command: "start"})
				count.add(fmt.Sprintf("task %d", id), err)
				if err == nil {
					list.Tasks = append(list.Tasks, *started)
				}
			}
			if count.done > 0 {
				if err := show(c, list, list.Tasks, taskColumns()[:4]); err != nil {
					return err
				}
			}
			return count.result()
		},
	}
}
