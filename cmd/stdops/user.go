package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stdops/stdops/client"
)

func (c *cli) user() *cobra.Command {
	return group("user", "Make users, and let them in", c.userCreate(),
		listing(c, "list", "List users", func(cmd *cobra.Command, to *client.Client) error {
			list, err := to.Users(cmd.Context())
			if err != nil {
				return err
			}
			return show(c, list, list.Users, userColumns())
		}), c.userLink())
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
			to, err := c.connect()
			if err != nil {
				return err
			}
			defer to.Close()
			n.Name = args[0]
			made, err := to.CreateUser(cmd.Context(), n)
			if err != nil {
				return err
			}
			return showOne(c, made, userColumns())
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
			to, err := c.connect()
			if err != nil {
				return err
			}
			defer to.Close()
			made, err := to.CreateLoginLink(cmd.Context(), client.NewLoginLink{User: args[0]})
			if err != nil {
				return err
			}
			return showOne(c, made, []column[client.LoginLink]{
				{"LINK", func(l *client.LoginLink) string { return l.URL }},
				{"EXPIRES", func(l *client.LoginLink) string { return moment(l.Expires) }},
			})
		},
	}
}
