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
	cmd.Flags().DurationVar(&interval, "interval", time.Second, "how often to look")
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

// follow says which tasks to look at, and until when.
type follow struct {
	ids   []int64
	every time.Duration
	until func(*client.StatusList) bool
	quiet bool
}

// restartTime is how long a server may be away while tasks are followed: it may be started anew, and its tasks go on.
const restartTime = time.Minute

// follow shows tasks until they are as they should be, and gives how they stand then.
func (c *cli) follow(ctx context.Context, to *client.Client, f follow) (*client.StatusList, error) {
	board, ticker := c.board(), time.NewTicker(f.every)
	defer ticker.Stop()
	var seen time.Time // when the server last answered
	for {
		list, err := c.statuses(ctx, to, f.ids)
		if away := (*client.UnreachableError)(nil); errors.As(err, &away) && ctx.Err() == nil && time.Since(seen) < restartTime {
			select {
			case <-ctx.Done():
			case <-ticker.C:
			}
			continue
		}
		if err != nil {
			return nil, err
		}
		seen = time.Now()
		if !f.quiet {
			if err := board.update(list); err != nil {
				return nil, err
			}
		}
		if f.until(list) {
			return list, nil
		}
		select {
		case <-ctx.Done():
			return list, ctx.Err()
		case <-ticker.C:
		}
	}
}
