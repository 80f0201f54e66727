package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/stdops/stdops/client"
)

func (c *cli) taskWait() *cobra.Command {
	var interval, timeout time.Duration
	cmd := &cobra.Command{
		Use:   "wait ID...",
		Short: "Wait until tasks are finished",
		Long: "Wait until all tasks are FINISHED. It ends with 0 then, with 1 as soon as one is FAILED or REVOKED, and with 6\n" +
			"when the time is up; the tasks go on in that case. How they stand is printed at the end.",
		Example:           "  stdops task wait 12 13 --timeout 10m",
		Args:              atLeast(1),
		ValidArgsFunction: c.completeTasks,
		RunE: func(cmd *cobra.Command, args []string) error {
			if timeout < 0 {
				return usageOf(cmd, errors.New("--timeout must not be negative"))
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
			return c.wait(cmd.Context(), to, follow{ids: ids, every: interval, until: decided, quiet: true}, timeout)
		},
	}
	cmd.Flags().DurationVar(&interval, "interval", 500*time.Millisecond, "how often to look where the server does not tell of changes")
	cmd.Flags().DurationVar(&timeout, "timeout", 0, "how long to wait at most; 0 waits for ever")
	return cmd
}

func (c *cli) wait(ctx context.Context, to *client.Client, f follow, timeout time.Duration) error {
	limited := ctx
	if timeout > 0 {
		var cancel context.CancelFunc
		limited, cancel = context.WithTimeout(ctx, timeout)
		defer cancel()
	}
	list, err := c.follow(limited, to, f)
	late := errors.Is(err, context.DeadlineExceeded)
	if err != nil && !late {
		return err
	}
	if late { // the last look may have been cut off by the time limit itself
		if list, err = c.statuses(ctx, to, f.ids); err != nil {
			return err
		}
	}
	if err := show(c, list, list.Tasks, taskColumns()); err != nil {
		return err
	}
	if len(list.Missing) > 0 {
		return c.missing(list)
	}
	return c.verdict(list, timeout)
}

// decided reports whether waiting can end: all are finished, or one cannot be any more without help, or is not there.
func decided(list *client.StatusList) bool {
	finished := true
	for i := range list.Tasks {
		if lost(&list.Tasks[i]) {
			return true
		}
		finished = finished && list.Tasks[i].State == client.Finished
	}
	return finished || len(list.Missing) > 0
}

func lost(t *client.Task) bool { return t.State == client.Failed || t.State == client.Revoked }

func (c *cli) verdict(list *client.StatusList, timeout time.Duration) error {
	for i := range list.Tasks {
		if t := &list.Tasks[i]; lost(t) {
			return fmt.Errorf("task %d is %s", t.ID, t.State)
		}
	}
	for i := range list.Tasks {
		if t := &list.Tasks[i]; t.State != client.Finished {
			return &exitError{code: exitTimeout, err: fmt.Errorf("task %d is still %s after %s", t.ID, t.State, timeout)}
		}
	}
	return nil
}
