package main

import (
	"github.com/spf13/cobra"

	"github.com/stdops/stdops/client"
)

func (c *cli) flowVersions() *cobra.Command {
	return &cobra.Command{
		Use:     "versions ID",
		Short:   "List the versions of a flow, newest first",
		Example: "  stdops flow versions 3",
		Args:    exactly(1),
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
			list, err := to.FlowVersions(cmd.Context(), c.projectID, id)
			if err != nil {
				return err
			}
			return show(c, list, list.Versions, versionColumns())
		},
	}
}

func versionColumns() []column[client.FlowVersion] {
	return []column[client.FlowVersion]{
		{"VERSION", func(v *client.FlowVersion) string { return v.Version }},
		{"CURRENT", func(v *client.FlowVersion) string { return yes(v.Current) }},
		{"STORED", func(v *client.FlowVersion) string { return moment(v.Created) }},
		{"EDITOR", func(v *client.FlowVersion) string { return v.Editor }},
	}
}
