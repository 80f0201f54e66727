package main

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/stdops/stdops/client"
)

func (c *cli) taskWatch() *cobra.Command {
	var interval time.Duration
	cmd := &cobra.Command{
		Use:   "watch [ID...]",
		Short: "Follow tasks until all of them have ended",
		Long: "Follow tasks until all of them are FINISHED or REVOKED, or until ctrl-c; without ids the newest 20.\n" +
			"On a terminal one table is drawn over; elsewhere each change is one line.",
		Example:           "  stdops task watch 12 13",
		ValidArgsFunction: c.completeTasks,
		RunE: func(cmd *cobra.Command, args []string) error {
			if c.format != "table" && c.format != "jsonl" {
				return usageOf(cmd, errors.New("what changes can be shown as table or jsonl only"))
			}
			ids, err := watchable(cmd, args, interval)
			if err != nil {
				return err
			}
			to, err := c.connect()
			if err != nil {
				return err
			}
			defer to.Close()
			if len(ids) == 0 {
				if ids, err = c.newest(cmd.Context(), to, 20); err != nil {
					return err
				}
			}
			list, err := c.follow(cmd.Context(), to, follow{ids: ids, every: interval, until: allEnded})
			if errors.Is(err, context.Canceled) {
				return nil // whoever watches may stop to
			}
			if err != nil {
				return err
			}
			return c.missing(list)
		},
	}
	cmd.Flags().DurationVar(&interval, "interval", time.Second, "how often to look where the server does not tell of changes")
	return cmd
}

// watchable reads ids, and checks what watch and wait have in common.
func watchable(cmd *cobra.Command, args []string, interval time.Duration) ([]int64, error) {
	if interval < 10*time.Millisecond {
		return nil, usageOf(cmd, errors.New("--interval must be 10ms or more"))
	}
	return taskIDs(cmd, args)
}

func allEnded(list *client.StatusList) bool {
	for i := range list.Tasks {
		if !list.Tasks[i].Ended() {
			return false
		}
	}
	return true
}
