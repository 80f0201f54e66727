package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stdops/stdops/client"
)

func (c *cli) user() *cobra.Command {
	return group("user", "Make users, let them in, and say what they may", c.userCreate(),
		listing(c, "list", "List users", func(cmd *cobra.Command, to *client.Client) error {
			list, err := to.Users(cmd.Context())
			if err != nil {
				return err
			}
			return show(c, list, list.Users, userColumns())
		}), c.userLink(), c.userGrant(),
		c.userChange("disable", "Make the tokens and sessions of a user useless", (*client.Client).DisableUser),
		c.userChange("enable", "Let a disabled user in again", (*client.Client).EnableUser))
}

func userColumns() []column[client.User] {
	return []column[client.User]{
		{"NAME", func(u *client.User) string { return u.Name }},
		{"ADMIN", func(u *client.User) string { return yes(u.Admin) }},
		{"DISABLED", func(u *client.User) string { return yes(u.Disabled) }},
		{"ROLES", func(u *client.User) string { return roles(u.Roles) }},
	}
}

func roles(list []client.Role) string {
	texts := make([]string, len(list))
	for i, r := range list {
		texts[i] = fmt.Sprintf("%d=%s", r.Project, r.Role)
	}
	return strings.Join(texts, ", ")
}

func (c *cli) userCreate() *cobra.Command {
	var n client.NewUser
	var given []string
	cmd := &cobra.Command{
		Use:   "create NAME",
		Short: "Make a user",
		Example: "  stdops user create ann --admin\n" +
			"  stdops user create bob --role 1=operator --role 2=viewer",
		Args: exactly(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if n.Roles, err = readRoles(given); err != nil {
				return usageOf(cmd, err)
			}
			n.Name = args[0]
			return askOne(c, userColumns(), func(to *client.Client) (*client.User, error) {
				return to.CreateUser(cmd.Context(), n)
			})
		},
	}
	cmd.Flags().BoolVar(&n.Admin, "admin", false, "may do everything everywhere")
	cmd.Flags().StringArrayVar(&given, "role", nil, "PROJECT=viewer, operator, editor or admin; may be repeated")
	return cmd
}

func readRoles(given []string) ([]client.Role, error) {
	var list []client.Role
	for _, text := range given {
		project, role, ok := strings.Cut(text, "=")
		id, err := strconv.ParseInt(project, 10, 64)
		if !ok || err != nil || role == "" {
			return nil, errors.New("--role is not of the form PROJECT=ROLE, such as 1=operator")
		}
		list = append(list, client.Role{Project: id, Role: role})
	}
	return list, nil
}

// userLink makes sign-in links: how a person gets to the pages without a password.
func (c *cli) userLink() *cobra.Command {
	return &cobra.Command{
		Use:     "link NAME",
		Short:   "Make a link that signs a user in at the pages, once",
		Example: "  stdops user link ann",
		Args:    exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return askOne(c, []column[client.LoginLink]{
				{"LINK", func(l *client.LoginLink) string { return l.URL }},
				{"EXPIRES", func(l *client.LoginLink) string { return moment(l.Expires) }},
			}, func(to *client.Client) (*client.LoginLink, error) {
				return to.CreateLoginLink(cmd.Context(), client.NewLoginLink{User: args[0]})
			})
		},
	}
}

// userGrant changes roles: those in projects that are not named stay.
func (c *cli) userGrant() *cobra.Command {
	var given []string
	cmd := &cobra.Command{
		Use:   "grant NAME --role PROJECT=ROLE...",
		Short: "Give a user roles in projects, or take them away",
		Example: "  stdops user grant bob --role 1=operator\n" +
			"  stdops user grant bob --role 1=none --role 2=viewer",
		Args: exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			roles, err := readRoles(given)
			if err != nil {
				return usageOf(cmd, err)
			}
			if len(roles) == 0 {
				return usageOf(cmd, errors.New("which role? such as --role 1=operator"))
			}
			var g client.Grant
			for _, r := range roles {
				g.Roles = append(g.Roles, client.GrantedRole(r))
			}
			return askOne(c, userColumns(), func(to *client.Client) (*client.User, error) {
				return to.Grant(cmd.Context(), args[0], g)
			})
		},
	}
	cmd.Flags().StringArrayVar(&given, "role", nil, "PROJECT=viewer, operator, editor, admin or none; may be repeated")
	return cmd
}

// userChange makes a command that does one thing to a user and shows the user then.
func (c *cli) userChange(use, short string, change func(*client.Client, context.Context, string) (*client.User, error)) *cobra.Command {
	return &cobra.Command{
		Use: use + " NAME", Short: short, Example: "  stdops user " + use + " bob", Args: exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return askOne(c, userColumns(), func(to *client.Client) (*client.User, error) {
				return change(to, cmd.Context(), args[0])
			})
		},
	}
}
