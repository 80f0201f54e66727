package main

import (
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/stdops/stdops/client"
)

func (c *cli) flowShow() *cobra.Command {
	return &cobra.Command{
		Use:   "show ID",
		Short: "Show a flow with the constants to which a task can give values, and as json or yaml its tree",
		Example: "  stdops flow show 3\n" +
			"  stdops flow show 3 -o json | jq .tree > tree.json",
		Args: exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := strconv.ParseInt(args[0], 10, 64)
			if err != nil || id <= 0 {
				return usageOf(cmd, fmt.Errorf("%q is no id of a flow", args[0]))
			}
			to, err := c.connect()
			if err != nil {
				return err
			}
			defer to.Close()
			flow, err := to.Flow(cmd.Context(), c.projectID, id)
			if err != nil {
				return err
			}
			if c.format != "table" {
				return showOne(c, flow, nil)
			}
			if err := showOne(c, &flow.Flow, flowColumns()); err != nil || len(flow.Constants) == 0 {
				return err
			}
			c.say("\n")
			return show(c, flow.Constants, flow.Constants, constantColumns())
		},
	}
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
