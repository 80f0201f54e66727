package main

import (
	"strconv"

	"github.com/spf13/cobra"

	"github.com/stdops/stdops/client"
)

func (c *cli) project() *cobra.Command {
	return group("project", "Make projects, list and show them", c.projectCreate(), c.projectShow(),
		listing(c, "list", "List projects", func(cmd *cobra.Command, to *client.Client) error {
			list, err := to.Projects(cmd.Context())
			if err != nil {
				return err
			}
			return show(c, list, list.Projects, projectColumns())
		}))
}

func projectColumns() []column[client.Project] {
	return []column[client.Project]{
		{"ID", func(p *client.Project) string { return strconv.FormatInt(p.ID, 10) }},
		{"NAME", func(p *client.Project) string { return p.Name }},
		{"BK_BIZ_ID", func(p *client.Project) string {
			if p.Biz == 0 {
				return "-"
			}
			return strconv.FormatInt(p.Biz, 10)
		}},
		{"TIME ZONE", func(p *client.Project) string { return p.TimeZone }},
	}
}

func (c *cli) projectCreate() *cobra.Command {
	var n client.NewProject
	cmd := &cobra.Command{
		Use:     "create NAME",
		Short:   "Make a project",
		Example: "  stdops project create shop --biz 7 --time-zone Asia/Shanghai",
		Args:    exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			n.Name = args[0]
			return askOne(c, projectColumns(), func(to *client.Client) (*client.Project, error) {
				return to.CreateProject(cmd.Context(), n)
			})
		},
	}
	cmd.Flags().Int64Var(&n.Biz, "biz", 0, "id of the CMDB business that it is bound to")
	cmd.Flags().StringVar(&n.TimeZone, "time-zone", "", "IANA name; default that of the server")
	return cmd
}
