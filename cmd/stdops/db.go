package main

import (
	"errors"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/stdops/stdops/internal/app"
)

func (c *cli) database() *cobra.Command {
	return group("db", "Move a store from the data directory to PostgreSQL", c.databaseCopy())
}

func (c *cli) databaseCopy() *cobra.Command {
	var db string
	return onDB(&cobra.Command{
		Use:   "copy",
		Short: "Copy the store of a stopped server to an empty PostgreSQL database",
		Long: "Copy the store of a stopped server to an empty PostgreSQL database with the schema of this program (stdops migrate up).\n" +
			"All ids stay what they are, secrets and tokens go on to count, and tasks that were running go on with the first server that\n" +
			"is started on the database. Everything is copied or nothing, and nothing in the data directory is changed.",
		Example: "  stdops db copy --data-dir /var/lib/stdops --db postgres://stdops@db/stdops",
		Args:    exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if db == "" {
				return usageOf(cmd, errors.New("--db has to say where to copy to"))
			}
			copied, err := app.CopyToPostgres(cmd.Context(), c.dataDir, db)
			if err != nil {
				return err
			}
			for i := range copied {
				if n := copied[i].Mended; n > 0 {
					c.warn("note: in %d texts of table %s U+FFFD now stands for what PostgreSQL does not store: the character NUL, or no UTF-8\n",
						n, copied[i].Table)
				}
			}
			return show(c, copied, copied, []column[app.Copied]{
				{"TABLE", func(m *app.Copied) string { return m.Table }},
				{"ROWS", func(m *app.Copied) string { return strconv.FormatInt(m.Rows, 10) }},
			})
		},
	}, &db)
}
