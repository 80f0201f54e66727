package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func (c *cli) taskDelete() *cobra.Command {
	return &cobra.Command{
		Use:   "delete ID...",
		Short: "Hide tasks that were not started or have ended",
		Long: "Hide tasks from lists and from questions about one task. Whoever asks about many tasks by their ids is still told\n" +
			"how they stand, as deleted. A task that runs or is paused is refused: revoke it first.",
		Example:           "  stdops task delete 12 13",
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
			count := tally{c: c}
			for _, id := range ids {
				count.add(fmt.Sprintf("task %d", id), to.DeleteTask(cmd.Context(), c.projectID, id))
			}
			return count.result()
		},
	}
}
