package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
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
			e.IDs, err = flowIDs(args)
			if err == nil && e.Format != client.FormatBundle && e.Format != client.FormatYAML {
				err = errors.New("--format must be dat or yaml")
			}
			if err != nil {
				return usageOf(cmd, err)
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

func flowIDs(args []string) ([]int64, error) {
	ids := make([]int64, len(args))
	for i, text := range args {
		id, err := strconv.ParseInt(text, 10, 64)
		if err != nil || id <= 0 {
			return nil, fmt.Errorf("%q is no id of a flow", text)
		}
		ids[i] = id
	}
	return ids, nil
}
