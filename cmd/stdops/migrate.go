package main

import (
	"strconv"

	"github.com/spf13/cobra"

	"github.com/stdops/stdops/internal/app"
)

func (c *cli) migrate() *cobra.Command {
	return group("migrate", "Bring the schema of stored data up to that of this program", c.migratePlan(), c.migrateUp(), c.migrateStatus())
}

// aboutSchema makes a command about the schema of the data, which --data-dir or --db name.
func (c *cli) aboutSchema(cmd *cobra.Command, do func(*cobra.Command, app.Place) error) *cobra.Command {
	var db string
	cmd.Args = exactly(0)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return do(cmd, app.Place{DataDir: c.dataDir, DB: db}) }
	cmd.Flags().StringVar(&db, "db", "", "database of the server, where it is not in the data directory")
	fromEnv(cmd.Flags(), "db")
	return cmd
}

// schemaReport is what the commands about the schema print as JSON.
type schemaReport struct {
	Data    int64    `json:"data"`
	Program int64    `json:"program"`
	Steps   []string `json:"steps"`
}

func reportOf(s *app.Schema) *schemaReport {
	return &schemaReport{Data: s.Data, Program: s.Program, Steps: append([]string{}, s.Steps...)}
}

func (c *cli) migratePlan() *cobra.Command {
	return c.aboutSchema(&cobra.Command{
		Use:     "plan",
		Short:   "Show the steps that an upgrade would take, and change nothing",
		Example: "  stdops migrate plan --data-dir /var/lib/stdops",
	}, func(cmd *cobra.Command, at app.Place) error {
		s, err := app.SchemaOf(cmd.Context(), at)
		if err == nil {
			err = s.Newer("the database")
		}
		if err != nil {
			return err
		}
		if len(s.Steps) == 0 && c.format == "table" {
			c.say("nothing to do: the schema is %d, that of this program\n", s.Data)
			return nil
		}
		return show(c, reportOf(s), s.Steps, []column[string]{{"STEP", func(step *string) string { return *step }}})
	})
}

func (c *cli) migrateStatus() *cobra.Command {
	return c.aboutSchema(&cobra.Command{
		Use:     "status",
		Short:   "Show the schema of the data and that of this program",
		Example: "  stdops migrate status --data-dir /var/lib/stdops",
	}, func(cmd *cobra.Command, at app.Place) error {
		s, err := app.SchemaOf(cmd.Context(), at)
		if err != nil {
			return err
		}
		return showOne(c, reportOf(s), []column[schemaReport]{
			{"DATA", func(r *schemaReport) string { return strconv.FormatInt(r.Data, 10) }},
			{"PROGRAM", func(r *schemaReport) string { return strconv.FormatInt(r.Program, 10) }},
			{"STEPS TO GO", func(r *schemaReport) string { return strconv.Itoa(len(r.Steps)) }},
		})
	})
}

func (c *cli) migrateUp() *cobra.Command {
	return c.aboutSchema(&cobra.Command{
		Use:   "up",
		Short: "Take the steps of an upgrade",
		Long: "Take the steps of an upgrade, as a server does at its start: to do it by itself keeps the start short. No server may\n" +
			"have the data directory. The database is checked and copied before (stdops.db.schemaN beside it, which may go when\n" +
			"the upgrade has proved itself); each step is stored as a whole, so that an upgrade that was interrupted goes on\n" +
			"where it was when it is called again. There is no way back but that copy, or a backup. A database that --db names is\n" +
			"upgraded by this command only, never by a server, and is not copied: back it up before.",
		Example: "  stdops migrate up --data-dir /var/lib/stdops",
	}, func(cmd *cobra.Command, at app.Place) error {
		before, err := app.SchemaOf(cmd.Context(), at)
		if err != nil {
			return err
		}
		if err := app.Upgrade(cmd.Context(), at, newLog(c.err)); err != nil {
			return err
		}
		after, err := app.SchemaOf(cmd.Context(), at)
		if err != nil {
			return err
		}
		if c.format != "table" {
			return showOne(c, reportOf(after), nil)
		}
		if before.Data == after.Data {
			c.say("nothing to do: the schema is %d, that of this program\n", after.Data)
			return nil
		}
		c.say("the schema went from %d to %d\n", before.Data, after.Data)
		return nil
	})
}
