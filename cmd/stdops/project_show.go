package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stdops/stdops/client"
)

func (c *cli) projectShow() *cobra.Command {
	return &cobra.Command{
		Use:     "show [ID]",
		Short:   "Show a project, who administers it and what you may do in it; default that of --project",
		Example: "  stdops project show 2",
		Args:    usageArgs(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			id := c.projectID
			if len(args) > 0 {
				if id, err = strconv.ParseInt(args[0], 10, 64); err != nil || id <= 0 {
					return usageOf(cmd, fmt.Errorf("%q is no id of a project", args[0]))
				}
			}
			return askOne(c, projectDetailColumns(), func(to *client.Client) (*client.ProjectDetail, error) {
				return to.Project(cmd.Context(), id)
			})
		},
	}
}

func projectDetailColumns() []column[client.ProjectDetail] {
	var columns []column[client.ProjectDetail]
	for _, plain := range projectColumns() {
		columns = append(columns, column[client.ProjectDetail]{plain.title, func(p *client.ProjectDetail) string { return plain.cell(&p.Project) }})
	}
	return append(columns,
		column[client.ProjectDetail]{"ADMINS", func(p *client.ProjectDetail) string { return strings.Join(p.Admins, ", ") }},
		column[client.ProjectDetail]{"PERMISSIONS", func(p *client.ProjectDetail) string { return strings.Join(p.Permissions, ", ") }})
}
