package main

import (
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/stdops/stdops/internal/bench"
)

func (c *cli) benchPostgres() *cobra.Command {
	var o bench.PostgresOptions
	cmd := &cobra.Command{
		Use:   "postgres",
		Short: "Measure servers that share a PostgreSQL database",
		Long: "FILLS the database that --db names with tasks, and refuses one that has any. Measures how fast tasks run in one and\n" +
			"in several processes, answers about them, commands for a task that another process drives, workers that are\n" +
			"killed, and what tasks cost that wait; in turns with the least that could do the same where there is such a\n" +
			"thing. Takes about ten minutes with the defaults.",
		Example: "  scripts/with-postgres bin/stdops bench postgres",
		Args:    exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if err := o.Check(); err != nil {
				return usageOf(cmd, err)
			}
			if err := checkDB(o.DB); err != nil {
				return usageOf(cmd, err)
			}
			if o.Program, err = os.Executable(); err != nil {
				return err
			}
			o.Progress = c.tellProgress
			fmt.Fprintln(c.err, "filling the database with tasks, which stay there")
			report, err := bench.Postgres(cmd.Context(), o)
			if err != nil {
				return err
			}
			return c.showPostgres(report)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.DB, "db", "", "postgres:// address of a database without tasks, which is filled")
	fromEnv(flags, "db")
	flags.IntVar(&o.Tasks, "tasks", 200, "tasks of 17 activities each that run at the same time")
	flags.IntVar(&o.Nodes, "nodes", 10_000, "nodes of the task that is paused while it runs")
	flags.IntVar(&o.Pauses, "pauses", 200, "how often it is paused; a tenth as often without a lock")
	flags.IntVar(&o.Waiting, "waiting", 100_000, "tasks that wait for a time far ahead")
	flags.DurationVar(&o.Idle, "idle", time.Minute, "time for which they are watched")
	flags.IntVar(&o.Kills, "kills", 6, "workers that are killed")
	flags.DurationVar(&o.Duration, "duration", 3*time.Second, "least time of one side in one round")
	flags.IntVar(&o.Rounds, "rounds", 5, "rounds of both sides")
	return cmd
}

func (c *cli) benchPostgresSize() *cobra.Command {
	var o bench.PostgresSizeOptions
	cmd := &cobra.Command{
		Use:   "postgres-size",
		Short: "Measure answers about finished tasks of a PostgreSQL database with very many",
		Long: "FILLS the database that --db names with finished tasks, and refuses one that has any. Measures within which time\n" +
			"99 of 100 answers come, when there are few tasks and when there are many.",
		Example: "  scripts/with-postgres bin/stdops bench postgres-size",
		Args:    exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.Check(); err != nil {
				return usageOf(cmd, err)
			}
			if err := checkDB(o.DB); err != nil {
				return usageOf(cmd, err)
			}
			o.Progress = c.tellProgress
			fmt.Fprintln(c.err, "filling the database with tasks, which stay there")
			report, err := bench.PostgresSize(cmd.Context(), o)
			if err != nil {
				return err
			}
			return c.showSizes(report)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.DB, "db", "", "postgres:// address of a database without tasks, which is filled")
	fromEnv(flags, "db")
	flags.IntVar(&o.Many, "many", 1_000_000, "finished tasks in the end")
	flags.IntVar(&o.Few, "few", 10_000, "finished tasks at first")
	flags.IntVar(&o.Questions, "questions", 100, "questions in one round")
	flags.IntVar(&o.Rounds, "rounds", 5, "rounds")
	return cmd
}

// showPostgres shows two tables: what is held against something else, and single figures.
func (c *cli) showPostgres(r *bench.Report) error {
	if c.format != "table" {
		return c.showComparisons(r, 0)
	}
	if _, err := fmt.Fprintln(c.out, r.Server); err != nil {
		return err
	}
	if err := tellMachine(c.out, r); err != nil {
		return err
	}
	if err := c.showComparisons(r, 1); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(c.out); err != nil {
		return err
	}
	return c.showFigures(r)
}
