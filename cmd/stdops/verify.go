package main

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/app"
)

func (c *cli) verify() *cobra.Command {
	var db string
	return onDB(&cobra.Command{
		Use:   "verify",
		Short: "Check the data directory of a stopped server, a copy of one, or a database",
		Long: "Check the data directory of a stopped server, or a copy of one. Nothing in it is changed.\n" +
			"The database file is checked, the log of every task is replayed and held against the record of the task,\n" +
			"and what always holds is looked for. It exits with 12 when something is wrong.\n\n" +
			"With --db it reads a PostgreSQL database as it is at one moment, whatever servers do to it meanwhile.",
		Example: "  stdops verify --data-dir /var/lib/stdops\n" +
			"  stdops verify --db postgres://stdops@db/stdops",
		Args: exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			report := verifyReport{Problems: []verifyProblem{}}
			if db != "" {
				report.whole = "database"
				report.Verified, err = app.VerifyDatabase(cmd.Context(), db, report.add)
			} else {
				report.Verified, err = app.Verify(cmd.Context(), c.dataDir, report.add)
			}
			if err != nil {
				return err
			}
			return c.tellVerified(&report)
		},
	}, &db)
}

// verifyReport is what verify prints as JSON.
type verifyReport struct {
	app.Verified
	Problems []verifyProblem `json:"problems"`

	whole string // what is wrong when it is no task; "": the file
}

func (r *verifyReport) add(task stdops.TaskID, problem string) {
	r.Problems = append(r.Problems, verifyProblem{int64(task), problem})
}

// verifyProblem is one thing that is wrong; task 0 is the file, or the database, as a whole.
type verifyProblem struct {
	Task    int64  `json:"task"`
	Problem string `json:"problem"`
}

func (p *verifyProblem) where(whole string) string {
	if p.Task == 0 {
		return cmp.Or(whole, "file")
	}
	return taskNumber(p.Task)
}

func taskNumber(id int64) string { return fmt.Sprintf("task %d", id) }

func (c *cli) tellVerified(r *verifyReport) error {
	if c.format == "table" {
		c.tellProblems(r.Problems, r.whole)
		c.say("%d tasks with %d transitions checked: %d problems\n", r.Tasks, r.Transitions, len(r.Problems))
	} else if err := show(c, r, r.Problems, nil); err != nil {
		return err
	}
	if len(r.Problems) > 0 {
		return exit(exitProblems)
	}
	return nil
}

func (c *cli) tellProblems(problems []verifyProblem, whole string) {
	for i := range problems {
		c.say("%s: %s\n", problems[i].where(whole), printable(strings.ReplaceAll(problems[i].Problem, "\n", "\n  "), true))
	}
}
