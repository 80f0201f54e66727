package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/app"
)

func (c *cli) verify() *cobra.Command {
	return &cobra.Command{
		Use:   "verify",
		Short: "Check the data directory of a stopped server, or a copy of one",
		Long: "Check the data directory of a stopped server, or a copy of one. Nothing in it is changed.\n" +
			"The database file is checked, the log of every task is replayed and held against the record of the task,\n" +
			"and what always holds is looked for. It exits with 12 when something is wrong.",
		Example: "  stdops verify --data-dir /var/lib/stdops",
		Args:    exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			report := verifyReport{Problems: []verifyProblem{}}
			verified, err := app.Verify(cmd.Context(), c.dataDir, report.add)
			if err != nil {
				return err
			}
			report.Verified = verified
			return c.tellVerified(&report)
		},
	}
}

// verifyReport is what verify prints as JSON.
type verifyReport struct {
	app.Verified
	Problems []verifyProblem `json:"problems"`
}

func (r *verifyReport) add(task stdops.TaskID, problem string) {
	r.Problems = append(r.Problems, verifyProblem{int64(task), problem})
}

// verifyProblem is one thing that is wrong; task 0 is the database file itself.
type verifyProblem struct {
	Task    int64  `json:"task"`
	Problem string `json:"problem"`
}

func (p *verifyProblem) where() string {
	if p.Task == 0 {
		return "file"
	}
	return fmt.Sprintf("task %d", p.Task)
}

func (c *cli) tellVerified(r *verifyReport) error {
	if c.format == "table" {
		c.tellProblems(r.Problems)
		c.say("%d tasks with %d transitions checked: %d problems\n", r.Tasks, r.Transitions, len(r.Problems))
	} else if err := show(c, r, r.Problems, nil); err != nil {
		return err
	}
	if len(r.Problems) > 0 {
		return exit(exitProblems)
	}
	return nil
}

func (c *cli) tellProblems(problems []verifyProblem) {
	for i := range problems {
		c.say("%s: %s\n", problems[i].where(), printable(strings.ReplaceAll(problems[i].Problem, "\n", "\n  "), true))
	}
}
