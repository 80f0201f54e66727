package main

import (
	"github.com/spf13/cobra"

	"github.com/stdops/stdops/client"
)

func (c *cli) flowShow() *cobra.Command {
	var version string
	cmd := &cobra.Command{
		Use:   "show ID [--version VERSION]",
		Short: "Show a flow with the constants to which a task can give values and its execution schemes, and as json or yaml its tree",
		Example: "  stdops flow show 3\n" +
			"  stdops flow show 3 -o json | jq .tree > tree.json",
		Args: exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := flowID(cmd, args[0])
			if err != nil {
				return err
			}
			to, err := c.connect()
			if err != nil {
				return err
			}
			defer to.Close()
			flow, err := to.FlowAt(cmd.Context(), c.projectID, id, version)
			if err != nil {
				return err
			}
			if c.format != "table" {
				return showOne(c, flow, nil)
			}
			if err := showOne(c, &flow.Flow, flowColumns()); err != nil {
				return err
			}
			if err := below(c, flow.Constants, constantColumns()); err != nil {
				return err
			}
			return below(c, flow.Schemes, schemeColumns())
		},
	}
	cmd.Flags().StringVar(&version, "version", "", "one that the flow has or had (stdops flow versions); default the current one")
	return cmd
}

const longestValue = 60

func constantColumns() []column[client.Constant] {
	return []column[client.Constant]{
		{"CONSTANT", func(f *client.Constant) string { return f.Key }},
		{"VALUE", func(f *client.Constant) string { return cut(string(f.Value), longestValue) }},
		{"SHOWN", func(f *client.Constant) string { return yes(f.Shown) }},
		{"NAME", func(f *client.Constant) string { return f.Name }},
	}
}
