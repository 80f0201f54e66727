package main

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/stdops/stdops/internal/app"
)

func (c *cli) backup() *cobra.Command {
	return group("backup", "Make, check and restore backups of a data directory", c.backupCreate(), c.backupVerify(), c.backupRestore())
}

const backupElsewhere = "back it up with pg_dump or pg_basebackup, and restore it with their counterparts"

func backupColumns() []column[app.Backup] {
	return []column[app.Backup]{
		{"BACKUP", func(b *app.Backup) string { return b.Dir }},
		{"SIZE", func(b *app.Backup) string { return size(b.Bytes) }},
		{"SCHEMA", func(b *app.Backup) string { return strconv.FormatInt(b.Schema, 10) }},
		{"DATA UP TO", func(b *app.Backup) string { return moment(b.Time) }},
	}
}

// size shows a number of bytes.
func size(bytes int64) string {
	if bytes < 10<<20 {
		return fmt.Sprintf("%d KiB", bytes>>10)
	}
	return fmt.Sprintf("%d MiB", bytes>>20)
}

func (c *cli) backupCreate() *cobra.Command {
	return onDataDir(&cobra.Command{
		Use:   "create DIR",
		Short: "Make a backup, also of a running server",
		Long: "Make a backup of the data directory, also of a running server, which goes on meanwhile. It is a new directory with\n" +
			"all that is needed: the database, as of one moment, and the key under which secrets are hashed. It gets its name\n" +
			"when it is whole and on the disk. Only its owner can read it: who has a backup has all that the server knows.",
		Example: "  stdops backup create /backups/stdops-2026-05-04 --data-dir /var/lib/stdops",
		Args:    exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			made, err := app.CreateBackup(cmd.Context(), c.dataDir, args[0])
			if err != nil {
				return err
			}
			return showOne(c, made, backupColumns())
		},
	}, backupElsewhere)
}

func (c *cli) backupVerify() *cobra.Command {
	return onDataDir(&cobra.Command{
		Use:   "verify DIR",
		Short: "Check a backup",
		Long: "Check a backup as stdops verify checks a data directory, and that it has its key. Nothing in it is changed.\n" +
			"It exits with 12 when something is wrong.",
		Example: "  stdops backup verify /backups/stdops-2026-05-04",
		Args:    exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			report := verifyReport{Problems: []verifyProblem{}}
			verified, err := app.VerifyBackup(cmd.Context(), args[0], report.add)
			if err != nil {
				return err
			}
			report.Verified = verified
			return c.tellVerified(&report)
		},
	}, backupElsewhere)
}

func (c *cli) backupRestore() *cobra.Command {
	return onDataDir(&cobra.Command{
		Use:   "restore DIR",
		Short: "Make a data directory of a backup",
		Long: "Make the data directory of a backup. It has to be new or empty, and no server may have it. The backup is checked\n" +
			"before; one with which anything is wrong is not restored (12), nor is one of a newer stdops. A restore that was\n" +
			"interrupted leaves nothing that a server would start on: do it again.",
		Example: "  stdops backup restore /backups/stdops-2026-05-04 --data-dir /var/lib/stdops",
		Args:    exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			report := verifyReport{Problems: []verifyProblem{}}
			restored, err := app.RestoreBackup(cmd.Context(), args[0], c.dataDir, report.add)
			if errors.Is(err, app.ErrUnsound) {
				c.tellProblems(report.Problems, "")
			}
			if err != nil {
				return err
			}
			return showOne(c, restored, backupColumns())
		},
	}, backupElsewhere)
}
