package main

import (
	"github.com/spf13/cobra"

	"github.com/stdops/stdops/client"
)

func (c *cli) taskSet() *cobra.Command {
	return &cobra.Command{
		Use:   "set ID KEY=TEXT|KEY:=JSON...",
		Short: "Give constants of a task other values",
		Long: "Give constants of a task other values, all of them or none: before the start, and while the task is paused or a node\n" +
			"of it is paused or has failed. Nodes that begin or are retried afterwards see the new values.",
		Example: "  stdops task set 12 version=v9\n" +
			"  stdops task set 12 'hosts:=[\"web1\", \"web2\"]' version=v9",
		Args:              atLeast(2),
		ValidArgsFunction: c.completeTask(),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := taskID(cmd, args[0])
			if err != nil {
				return err
			}
			values, err := constants(args[1:])
			if err != nil {
				return usageOf(cmd, err)
			}
			return askOne(c, taskColumns()[:4], func(to *client.Client) (*client.Task, error) {
				return to.ChangeTask(cmd.Context(), c.projectID, id, client.TaskChange{Constants: values})
			})
		},
	}
}
