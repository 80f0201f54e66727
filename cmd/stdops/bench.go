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
	return group("bench", "Measure this program on this machine", c.benchStatus(), c.benchSize(), c.benchEngine(), c.benchMemory(), c.benchWatch(), c.benchPostgres(), c.benchPostgresSize())
}

func (c *cli) benchStatus() *cobra.Command {
	var o bench.Options
	var profile string
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Measure how fast a server tells the status of a batch of tasks",
		Long: "Starts a server of its own in a temporary directory and measures it in turns with the least that could do the\n" +
			"same: a bare handler that writes as many bytes, the bare SQL statements with their rows scanned. What counts\n" +
			"are the ratios; times of a shared machine mean little. Takes about four minutes with the defaults.",
		Args: exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.Check(); err != nil {
				return usageOf(cmd, err)
			}
			return withProfile(profile, func(to io.Writer) error {
				o.Profile, o.Progress = to, c.tellProgress
				report, err := bench.Status(cmd.Context(), o)
				if err != nil {
					return err
				}
				return c.showReport(report)
			})
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

func (c *cli) benchEngine() *cobra.Command {
	var o bench.EngineOptions
	var profile string
	cmd := &cobra.Command{
		Use:   "engine",
		Short: "Measure how fast tasks run",
		Long: "Runs tasks whose activities do nothing, on a store of its own in a temporary directory with full durability, and\n" +
			"measures them in turns with a bare writer: one that stores the very same changes without an engine, and one\n" +
			"that commits single rows. What counts are the ratios. Takes about two minutes with the defaults.",
		Args: exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.Check(); err != nil {
				return usageOf(cmd, err)
			}
			return withProfile(profile, func(to io.Writer) error {
				o.Profile, o.Progress = to, c.tellProgress
				report, err := bench.Engine(cmd.Context(), o)
				if err != nil {
					return err
				}
				return c.showReport(report)
			})
		},
	}
	flags := cmd.Flags()
	flags.IntVar(&o.Tasks, "tasks", 200, "tasks of 17 activities each that run at the same time")
	flags.IntVar(&o.Steps, "steps", 1000, "activities of the serial flow")
	flags.DurationVar(&o.Duration, "duration", 3*time.Second, "least time of one side in one round")
	flags.IntVar(&o.Rounds, "rounds", 5, "rounds of both sides")
	flags.StringVar(&profile, "cpu-profile", "", "write a CPU profile of one more round of the mixed flows to this file")
	return cmd
}

func (c *cli) benchMemory() *cobra.Command {
	var o bench.MemoryOptions
	cmd := &cobra.Command{
		Use:   "memory",
		Short: "Measure how much memory a server takes",
		Long: "Starts servers as processes of their own, in temporary directories, and measures their memory with a large tree,\n" +
			"with many tasks and, if a file of them is given, with hostile requests. Needs Linux. Takes about a minute with\n" +
			"the defaults.",
		Args: exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if err := o.Check(); err != nil {
				return usageOf(cmd, err)
			}
			if o.Program, err = os.Executable(); err != nil {
				return err
			}
			o.Progress = c.tellProgress
			report, err := bench.Memory(cmd.Context(), o)
			if err != nil {
				return err
			}
			return c.showFigures(report)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.Inputs, "inputs", "", "file of hostile requests, such as internal/api/sops/testdata/badinputs.jsonl")
	flags.IntVar(&o.Nodes, "nodes", 10_000, "nodes of the large tree")
	flags.IntVar(&o.Tasks, "tasks", 1000, "tasks that run at the same time")
	flags.IntVar(&o.Rounds, "rounds", 3, "rounds, each on new servers")
	return cmd
}

func (c *cli) benchSize() *cobra.Command {
	var o bench.SizeOptions
	cmd := &cobra.Command{
		Use:   "size",
		Short: "Measure answers about a large task, and of a store with many tasks",
		Long: "Measures within which time 99 of 100 answers come: about a task of very many nodes while other tasks run, and\n" +
			"about random finished tasks of a store that holds many, in turns with one that holds few. Filling the stores,\n" +
			"with full durability, takes most of the time: some minutes with the defaults.",
		Args: exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.Check(); err != nil {
				return usageOf(cmd, err)
			}
			o.Progress = c.tellProgress
			report, err := bench.Size(cmd.Context(), o)
			if err != nil {
				return err
			}
			return c.showSizes(report)
		},
	}
	flags := cmd.Flags()
	flags.IntVar(&o.Nodes, "nodes", 10_000, "nodes of the large task")
	flags.IntVar(&o.Many, "many", 100_000, "finished tasks of the one store")
	flags.IntVar(&o.Few, "few", 1000, "finished tasks of the other store")
	flags.IntVar(&o.Questions, "questions", 100, "questions in one round")
	flags.IntVar(&o.Rounds, "rounds", 5, "rounds")
	return cmd
}

// showSizes shows two tables: figures that are held against a bound, and those of two stores.
func (c *cli) showSizes(r *bench.Report) error {
	if c.format != "table" {
		return c.showFigures(r)
	}
	_, err := fmt.Fprintf(c.out, "p99 of %d questions; a task of %d nodes, stores of many and of few tasks\n", r.Questions, r.Nodes)
	if err != nil {
		return err
	}
	if err := c.showFigures(r); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(c.out); err != nil {
		return err
	}
	return c.showComparisons(r, 2)
}

func (c *cli) showFigures(r *bench.Report) error {
	if c.format == "table" {
		_, err := fmt.Fprintf(c.out, "%d rounds; %s, %s, %d processors\nmedian (lowest to highest round)\n\n", r.Rounds, r.Go, r.System, r.CPUs)
		if err != nil {
			return err
		}
	}
	return show(c, r, r.Figures, []column[bench.Figure]{
		{"MEASURED", func(f *bench.Figure) string { return f.Name }},
		{"UNIT", func(f *bench.Figure) string { return f.Unit }},
		{"FIGURE", func(f *bench.Figure) string { return span(&f.Series, 2) }},
		{"GOAL", func(f *bench.Figure) string { return goal(f.Goal) }},
	})
}

func (c *cli) tellProgress(name string) { fmt.Fprintf(c.err, "measuring: %s\n", name) }

// withProfile opens the file that takes a profile, when one is wanted.
func withProfile(path string, measure func(io.Writer) error) (err error) {
	if path == "" {
		return measure(nil)
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return measure(file)
}

func (c *cli) showReport(r *bench.Report) error {
	if c.format == "table" {
		if err := tellMachine(c.out, r); err != nil {
			return err
		}
	}
	return c.showComparisons(r, 0)
}

// showComparisons shows their figures with so many digits behind the point.
func (c *cli) showComparisons(r *bench.Report, digits int) error {
	series := func(s *bench.Series) string { return s.Name + ": " + span(s, digits) }
	return show(c, r, r.Comparisons, []column[bench.Comparison]{
		{"MEASURED", func(b *bench.Comparison) string { return b.Name }},
		{"UNIT", func(b *bench.Comparison) string { return b.Unit }},
		{"OURS", func(b *bench.Comparison) string { return series(&b.Ours) }},
		{"REFERENCE", func(b *bench.Comparison) string { return series(&b.Reference) }},
		{"RATIO", func(b *bench.Comparison) string { return strconv.FormatFloat(b.Ratio, 'f', 2, 64) }},
		{"GOAL", func(b *bench.Comparison) string { return goal(b.Goal) }},
	})
}

func tellMachine(w io.Writer, r *bench.Report) error {
	size := fmt.Sprintf("%d nodes", r.Nodes)
	if r.Activities > 0 {
		size = fmt.Sprintf("%d activities", r.Activities)
	}
	clients := ""
	if r.Connections > 0 {
		clients = fmt.Sprintf(", %d connections", r.Connections)
	}
	_, err := fmt.Fprintf(w, "%d tasks of %s, %d rounds of %s%s; %s, %s, %d processors\n"+
		"median (lowest to highest round); the ratio is that of the medians\n\n",
		r.Tasks, size, r.Rounds, r.Duration, clients, r.Go, r.System, r.CPUs)
	return err
}

// span shows a series with so many digits behind the point.
func span(s *bench.Series, digits int) string {
	figure := func(f float64) string {
		scale := math.Pow10(digits)
		return strconv.FormatFloat(math.Round(f*scale)/scale, 'f', -1, 64)
	}
	return fmt.Sprintf("%s (%s to %s)", figure(s.Median), figure(s.Min), figure(s.Max))
}

// goal shows what a figure is meant to become.
func goal(g bench.Goal) string {
	switch {
	case g.AtLeast > 0:
		return "≥ " + strconv.FormatFloat(g.AtLeast, 'f', -1, 64)
	case g.AtMost > 0:
		return "≤ " + strconv.FormatFloat(g.AtMost, 'f', -1, 64)
	default:
		return "-"
	}
}
