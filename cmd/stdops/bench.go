package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/stdops/stdops/internal/bench"
)

func (c *cli) bench() *cobra.Command {
	return group("bench", "Measure this program on this machine", c.benchStatus())
}

func (c *cli) benchStatus() *cobra.Command {
	var o bench.Options
	var profile string
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Measure how fast a server tells the status of a batch of tasks",
		Long: "Starts a server of its own in a temporary directory and measures it in turns with the least that could do the\n" +
			"same: a bare handler that writes as many bytes, the bare SQL statements with their rows scanned. What counts\n" +
			"are the ratios; times of a shared machine mean little. Takes about three minutes with the defaults.",
		Args: exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if err := o.Check(); err != nil {
				return usageOf(cmd, err)
			}
			if profile != "" {
				file, err := os.Create(profile)
				if err != nil {
					return err
				}
				defer func() { err = errors.Join(err, file.Close()) }()
				o.Profile = file
			}
			o.Progress = func(name string) { fmt.Fprintf(c.err, "measuring: %s\n", name) }
			report, err := bench.Status(cmd.Context(), o)
			if err != nil {
				return err
			}
			return c.showReport(report)
		},
	}
	flags := cmd.Flags()
	flags.IntVar(&o.Tasks, "tasks", 50, "tasks in the batch")
	flags.IntVar(&o.Nodes, "nodes", 20, "nodes that each task has reached")
	flags.DurationVar(&o.Duration, "duration", 3*time.Second, "time of one side in one round")
	flags.IntVar(&o.Rounds, "rounds", 5, "rounds of both sides")
	flags.StringVar(&profile, "cpu-profile", "", "write a CPU profile of one more round of the hot batch with children to this file")
	return cmd
}

func (c *cli) showReport(r *bench.Report) error {
	if c.format == "table" {
		if err := tellMachine(c.out, r); err != nil {
			return err
		}
	}
	return show(c, r, r.Comparisons, []column[bench.Comparison]{
		{"MEASURED", func(b *bench.Comparison) string { return b.Name }},
		{"UNIT", func(b *bench.Comparison) string { return b.Unit }},
		{"OURS", func(b *bench.Comparison) string { return series(&b.Ours) }},
		{"REFERENCE", func(b *bench.Comparison) string { return series(&b.Reference) }},
		{"RATIO", func(b *bench.Comparison) string { return strconv.FormatFloat(b.Ratio, 'f', 2, 64) }},
		{"GOAL", goal},
	})
}

func tellMachine(w io.Writer, r *bench.Report) error {
	_, err := fmt.Fprintf(w, "%d tasks of %d nodes, %d rounds of %s, %d connections; %s, %s, %d processors\n"+
		"median (lowest to highest round); the ratio is that of the medians\n\n",
		r.Tasks, r.Nodes, r.Rounds, r.Duration, r.Connections, r.Go, r.System, r.CPUs)
	return err
}

func series(s *bench.Series) string {
	return fmt.Sprintf("%s: %s (%s to %s)", s.Name, figure(s.Median), figure(s.Min), figure(s.Max))
}

func figure(f float64) string { return strconv.FormatFloat(math.Round(f), 'f', -1, 64) }

// goal shows what a ratio is meant to become.
func goal(b *bench.Comparison) string {
	switch {
	case b.Goal.AtLeast > 0:
		return "≥ " + strconv.FormatFloat(b.Goal.AtLeast, 'f', -1, 64)
	case b.Goal.AtMost > 0:
		return "≤ " + strconv.FormatFloat(b.Goal.AtMost, 'f', -1, 64)
	default:
		return "-"
	}
}
