package main

import (
	"errors"
	"fmt"
	"net/url"

	"github.com/spf13/cobra"
)

// onDB gives a command the flag --db, which says to all commands where the data are, as it does to serve.
func onDB(cmd *cobra.Command, db *string) *cobra.Command {
	cmd.Flags().StringVar(db, "db", "", "address of the PostgreSQL database that servers share, such as\npostgres://stdops@db/stdops; default the database in the data directory")
	fromEnv(cmd.Flags(), "db")
	run := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if *db != "" {
			if err := checkDB(*db); err != nil {
				return usageOf(cmd, err)
			}
		}
		return run(cmd, args)
	}
	return cmd
}

// checkDB refuses what is no address of a database. It does not show what was given: it may hold a password.
func checkDB(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return errors.New("--db is not of the form postgres://user@host/database")
	}
	return nil
}

// onDataDir makes of a command one that is about the database in the data directory only. When the data are elsewhere, it says
// what to do instead.
func onDataDir(cmd *cobra.Command, instead string) *cobra.Command {
	var db string
	run := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if db != "" {
			return usageOf(cmd, fmt.Errorf("the data are in another database (--db): %s", instead))
		}
		return run(cmd, args)
	}
	return onDB(cmd, &db)
}
