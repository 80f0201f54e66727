package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stdops/stdops/client"
)

func (c *cli) app() *cobra.Command {
	return group("app", "Register applications that call the API", c.appCreate(),
		listing(c, "list", "List applications", func(cmd *cobra.Command, to *client.Client) error {
			list, err := to.Apps(cmd.Context())
			if err != nil {
				return err
			}
			return show(c, list, list.Apps, appColumns())
		}))
}

func appColumns() []column[client.App] {
	return []column[client.App]{
		{"CODE", func(a *client.App) string { return a.Code }},
		{"NAME", func(a *client.App) string { return a.Name }},
		{"TRUSTED", func(a *client.App) string { return trust(a) }},
		{"CREATED", func(a *client.App) string { return moment(a.Created) }},
	}
}

func trust(a *client.App) string {
	switch {
	case a.Disabled:
		return "disabled"
	case a.Trusted:
		return "everywhere"
	case len(a.Projects) > 0:
		return "in " + strings.Trim(strings.ReplaceAll(fmt.Sprint(a.Projects), " ", ", "), "[]")
	default:
		return "no"
	}
}

func (c *cli) appCreate() *cobra.Command {
	var n client.NewApp
	cmd := &cobra.Command{
		Use:   "create CODE",
		Short: "Register an application and print its secret, this once",
		Example: "  stdops app create crm\n" +
			"  stdops app create cmdb --trusted",
		Args: exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			to, err := c.connect()
			if err != nil {
				return err
			}
			defer to.Close()
			n.Code = args[0]
			made, err := to.CreateApp(cmd.Context(), n)
			if err != nil {
				return err
			}
			secret := column[client.App]{"SECRET", func(a *client.App) string { return a.Secret }}
			return showOne(c, made, append(appColumns()[:3], secret))
		},
	}
	cmd.Flags().StringVar(&n.Name, "name", "", "name for people; default the code")
	cmd.Flags().BoolVar(&n.Trusted, "trusted", false, "let it name any user and skip permission checks, in all projects")
	cmd.Flags().Int64SliceVar(&n.Projects, "trusted-in", nil, "the same, in these projects only")
	return cmd
}
