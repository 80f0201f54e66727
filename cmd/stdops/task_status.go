package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/stdops/stdops/client"
)

func (c *cli) taskStatus() *cobra.Command {
	var limit int
	cmd := &cobra.Command{
		Use:   "status [ID...]",
		Short: "Show how tasks stand, the newest without ids",
		Example: "  stdops task status 12 13 14\n" +
			"  stdops task status -o json 12",
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
			if len(ids) == 0 {
				if ids, err = c.newest(cmd.Context(), to, limit); err != nil {
					return err
				}
			}
			list, err := c.statuses(cmd.Context(), to, ids)
			if err != nil {
				return err
			}
			if err := show(c, list, list.Tasks, taskColumns()); err != nil {
				return err
			}
			c.tellRun(list)
			return c.missing(list)
		},
	}
	cmd.Flags().IntVar(&limit, "limit", 20, "how many of the newest, without ids")
	return cmd
}

// newest gives the ids of the newest tasks.
func (c *cli) newest(ctx context.Context, to *client.Client, limit int) ([]int64, error) {
	list, err := c.pages(ctx, to, client.TaskPage{}, max(limit, 1))
	if err != nil {
		return nil, err
	}
	ids := make([]int64, len(list.Tasks))
	for i := range list.Tasks {
		ids[i] = list.Tasks[i].ID
	}
	return ids, nil
}
