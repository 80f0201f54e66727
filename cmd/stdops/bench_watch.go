package main

import (
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/stdops/stdops/internal/bench"
)

func (c *cli) benchWatch() *cobra.Command {
	var o bench.WatchOptions
	cmd := &cobra.Command{
		Use:   "watch",
		Short: "Measure a server at which many watch many tasks",
		Long: "Starts a server as a process of its own, in a temporary directory, opens streams that watch tasks, and changes the\n" +
			"tasks: how soon the changes are read, whether any is missed, and how much memory the server takes. With --db the\n" +
			"server uses that PostgreSQL database, WHICH IS FILLED with tasks; its schema is brought up to date first, as by\n" +
			"stdops migrate up. Needs Linux, and as many open files as there are streams. Takes about a minute with the\n" +
			"defaults.",
		Args: exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if err := o.Check(); err != nil {
				return usageOf(cmd, err)
			}
			if o.DB != "" {
				if err := checkDB(o.DB); err != nil {
					return usageOf(cmd, err)
				}
			}
			if o.Program, err = os.Executable(); err != nil {
				return err
			}
			o.Progress = c.tellProgress
			report, err := bench.Watch(cmd.Context(), o)
			if err != nil {
				return err
			}
			return c.showFigures(report)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.DB, "db", "", "postgres:// address of a database for the server, which is filled")
	flags.IntVar(&o.Connections, "connections", 5000, "streams")
	flags.IntVar(&o.Tasks, "tasks", 10_000, "tasks that are watched")
	flags.IntVar(&o.IDs, "ids", 50, "tasks that each stream watches")
	flags.IntVar(&o.Changes, "changes", 200, "changes a second")
	flags.DurationVar(&o.Duration, "duration", 20*time.Second, "time for which tasks are changed")
	flags.IntVar(&o.Reconnects, "reconnects", 100, "streams that break and go on in the end")
	return cmd
}
