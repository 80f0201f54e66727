package main

import (
	"errors"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stdops/stdops/client"
)

func (c *cli) flowExport() *cobra.Command {
	var file string
	var e client.FlowExport
	cmd := &cobra.Command{
		Use:   "export ID... [-f FILE]",
		Short: "Write flows, and all that they refer to, into a file for bk-sops or another stdops",
		Example: "  stdops flow export 3 4 -f shop.dat\n" +
			"  stdops flow export 3 --format yaml",
		Args: atLeast(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			if e.IDs, err = flowIDs(cmd, args); err != nil {
				return err
			}
			if e.Format != client.FormatBundle && e.Format != client.FormatYAML {
				return usageOf(cmd, errors.New("--format must be dat or yaml"))
			}
			to, err := c.connect()
			if err != nil {
				return err
			}
			defer to.Close()
			exported, err := to.ExportFlows(cmd.Context(), c.projectID, e)
			if err != nil {
				return err
			}
			text := strings.TrimSuffix(exported.Text, "\n") + "\n"
			if file == "" || file == "-" {
				c.say("%s", text)
				return nil
			}
			return os.WriteFile(file, []byte(text), 0o600)
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&file, "file", "f", "", "file to write; default the output")
	flags.BoolVar(&e.Common, "common", false, "they belong to no project")
	flags.StringVar(&e.Format, "format", client.FormatBundle, "dat, a bundle of bk-sops, or yaml")
	return cmd
}
