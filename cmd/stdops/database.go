package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

// onDataDir makes of a command one that is about the database in the data directory. When the server keeps its data
// elsewhere, which --db says to all commands as it does to serve, there is nothing for it to do: it says what to do instead.
func onDataDir(cmd *cobra.Command, instead string) *cobra.Command {
	var db string
	cmd.Flags().StringVar(&db, "db", "", "database of the server, where it is not in the data directory")
	fromEnv(cmd.Flags(), "db")
	run := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if db != "" {
			return usageOf(cmd, fmt.Errorf("the data are in another database (--db): %s", instead))
		}
		return run(cmd, args)
	}
	return cmd
}
