package main

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stdops/stdops/internal/app"
)

func (c *cli) doctor() *cobra.Command {
	var repair, yes bool
	var db string
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Look for what is wrong in a data directory or a database, also of running servers",
		Long: "Look for what is wrong in a data directory, also of a running server, and say what can be done. It does all that\n" +
			"stdops verify does, and looks for tasks that do not go on, rows that were left behind, old copies, the log, room on\n" +
			"the disk, and settings worth a word (those of its own environment). Nothing is changed. Of a running server it reads\n" +
			"the whole database beside it, which costs time of the disk.\n\n" +
			"--repair shows what could be set right without harm, --repair --yes does it, on a stopped server and after a copy:\n" +
			"a task that nobody would wake is woken at the next start, rows of tasks that do not exist are removed.\n" +
			"It exits with 12 when something is wrong; notes alone are no reason.\n\n" +
			"With --db it reads a PostgreSQL database as it is at one moment, whatever servers do to it, and looks for tasks that\n" +
			"no worker takes, and at schema, settings and connections of the database server. --repair --yes works beside running\n" +
			"servers then, and makes no copy: a task that nobody would drive is left to the workers.",
		Example: "  stdops doctor --data-dir /var/lib/stdops\n" +
			"  stdops doctor --data-dir /var/lib/stdops --repair --yes\n" +
			"  stdops doctor --db postgres://stdops@db/stdops",
		Args: exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if yes && !repair {
				return usageOf(cmd, errors.New("--yes is an answer to --repair"))
			}
			patient := app.Patient{Place: app.Place{DataDir: c.dataDir, DB: db}, LocalScripts: c.env["STDOPS_LOCAL_SCRIPTS"]}
			d, err := app.Diagnose(cmd.Context(), patient)
			if err != nil {
				return err
			}
			if yes && d.Repairable() {
				done, err := d.Repair(cmd.Context())
				if err != nil {
					return err
				}
				c.warn("repaired: %d tasks will be woken, %d rows were removed%s\n", done.Woken, done.Rows, aboutCopy(&done))
				if d, err = app.Diagnose(cmd.Context(), patient); err != nil {
					return err
				}
			}
			return c.tellDiagnosis(d, repair && !yes)
		},
	}
	cmd.Flags().BoolVar(&repair, "repair", false, "show what could be set right")
	cmd.Flags().BoolVar(&yes, "yes", false, "with --repair: do it")
	return onDB(cmd, &db)
}

// aboutCopy tells where the data are as they were before a repair.
func aboutCopy(done *app.Repaired) string {
	if done.Copy == "" {
		return ""
	}
	return "; the database as it was is " + done.Copy
}

// tellDiagnosis prints what was found, and marks what --repair would set right.
func (c *cli) tellDiagnosis(d *app.Diagnosis, repair bool) error {
	if c.format != "table" {
		if err := show(c, d, d.Findings, nil); err != nil {
			return err
		}
	} else {
		for i := range d.Findings {
			c.tellFinding(&d.Findings[i], repair)
		}
		c.say("%d tasks with %d transitions checked: %d findings\n", d.Tasks, d.Transitions, len(d.Findings))
		if repair && d.Repairable() {
			c.say("nothing was changed; --repair --yes does it\n")
		}
	}
	if d.Wrong() {
		return exit(exitProblems)
	}
	return nil
}

func (c *cli) tellFinding(f *app.Finding, repair bool) {
	level := "wrong"
	if f.Note {
		level = "note"
	}
	what := f.What
	if f.Task != 0 {
		what = taskNumber(int64(f.Task)) + ": " + what
	}
	c.say("%-5s  %s\n", level, printable(strings.ReplaceAll(what, "\n", "\n       "), true))
	switch {
	case f.Advice == "":
	case repair && f.Repair:
		c.say("       would be repaired: %s\n", f.Advice)
	case f.Repair:
		c.say("       --repair: %s\n", f.Advice)
	default:
		c.say("       %s\n", f.Advice)
	}
}
