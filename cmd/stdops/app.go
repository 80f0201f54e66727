package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stdops/stdops/client"
)

func (c *cli) app() *cobra.Command {
	return group("app", "Register applications that call the API, and say what they may", c.appCreate(),
		listing(c, "list", "List applications", func(cmd *cobra.Command, to *client.Client) error {
			list, err := to.Apps(cmd.Context())
			if err != nil {
				return err
			}
			return show(c, list, list.Apps, appColumns())
		}), c.appSecret(),
		c.appChange("disable", "Make the credentials of an application useless", (*client.Client).DisableApp),
		c.appChange("enable", "Let a disabled application in again", (*client.Client).EnableApp),
		c.appTrust("trust", "Let an application name any user and skip permission checks", (*client.Client).TrustApp),
		c.appTrust("distrust", "Take the trust of an application back", (*client.Client).DistrustApp))
}

func appColumns() []column[client.App] {
	return []column[client.App]{
		{"CODE", func(a *client.App) string { return a.Code }},
		{"NAME", func(a *client.App) string { return a.Name }},
		{"TRUSTED", func(a *client.App) string { return trust(a) }},
		{"DISABLED", func(a *client.App) string { return yes(a.Disabled) }},
		{"CREATED", func(a *client.App) string { return moment(a.Created) }},
	}
}

// secretColumns are shown where a secret was made.
func secretColumns() []column[client.App] {
	secret := column[client.App]{"SECRET", func(a *client.App) string { return a.Secret }}
	return append(appColumns()[:3], secret)
}

func trust(a *client.App) string {
	switch {
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
			n.Code = args[0]
			return askOne(c, secretColumns(), func(to *client.Client) (*client.App, error) {
				return to.CreateApp(cmd.Context(), n)
			})
		},
	}
	cmd.Flags().StringVar(&n.Name, "name", "", "name for people; default the code")
	cmd.Flags().BoolVar(&n.Trusted, "trusted", false, "let it name any user and skip permission checks, in all projects")
	cmd.Flags().Int64SliceVar(&n.Projects, "trusted-in", nil, "the same, in the projects of these `ids` only, such as 1,2")
	return cmd
}

func (c *cli) appSecret() *cobra.Command {
	return &cobra.Command{
		Use:   "secret CODE",
		Short: "Give an application a new secret and print it, this once",
		Long: "Give an application a new secret and print it, this once. The one before it goes on to count until the next is\n" +
			"made, so that it can be exchanged without an interruption; made twice, this command ends all earlier ones.",
		Example: "  stdops app secret crm",
		Args:    exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return askOne(c, secretColumns(), func(to *client.Client) (*client.App, error) {
				return to.CreateAppSecret(cmd.Context(), args[0])
			})
		},
	}
}

// appChange makes a command that does one thing to an application and shows it then.
func (c *cli) appChange(use, short string, change func(*client.Client, context.Context, string) (*client.App, error)) *cobra.Command {
	return &cobra.Command{
		Use: use + " CODE", Short: short, Example: "  stdops app " + use + " crm", Args: exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return askOne(c, appColumns(), func(to *client.Client) (*client.App, error) {
				return change(to, cmd.Context(), args[0])
			})
		},
	}
}

// appTrust makes a command about trust. The project counts only when somebody named it: its default is no choice.
func (c *cli) appTrust(use, short string, change func(*client.Client, context.Context, string, client.Trust) (*client.App, error)) *cobra.Command {
	cmd := c.appChange(use, short, func(to *client.Client, ctx context.Context, code string) (*client.App, error) {
		var in client.Trust
		if c.flags.Changed("project") {
			in.Project = c.projectID
		}
		return change(to, ctx, code, in)
	})
	cmd.Long = short + ":\nin the project that --project or STDOPS_PROJECT names, without one everywhere."
	cmd.Example += "\n  stdops app " + use + " crm --project 2"
	return cmd
}
