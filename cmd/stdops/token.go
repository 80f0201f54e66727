package main

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/stdops/stdops/client"
)

func (c *cli) token() *cobra.Command {
	return group("token", "Make tokens for programs that act for a user, and revoke them",
		c.tokenCreate(), c.tokenList(), c.tokenRevoke())
}

func tokenColumns() []column[client.Token] {
	return []column[client.Token]{
		{"ID", func(t *client.Token) string { return t.ID }},
		{"USER", func(t *client.Token) string { return t.User }},
		{"NAME", func(t *client.Token) string { return t.Name }},
		{"CREATED", func(t *client.Token) string { return moment(t.Created) }},
		{"EXPIRES", func(t *client.Token) string { return moment(t.Expires) }},
	}
}

func (c *cli) tokenCreate() *cobra.Command {
	var n client.NewToken
	var life time.Duration
	cmd := &cobra.Command{
		Use:   "create USER",
		Short: "Make a token for a user and print it, this once",
		Example: "  stdops token create ann --name laptop --expires 720h\n" +
			"  STDOPS_TOKEN=$(stdops token create ann -o json | jq -r .token)",
		Args: exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			to, err := c.connect()
			if err != nil {
				return err
			}
			defer to.Close()
			n.User, n.Life = args[0], int64(life/time.Second)
			made, err := to.CreateToken(cmd.Context(), n)
			if err != nil {
				return err
			}
			if made.Capped {
				c.warn("stdops: the new token expires with the one that you came with, at %s\n", moment(made.Expires))
			}
			secret := column[client.Token]{"TOKEN", func(t *client.Token) string { return t.Secret }}
			return showOne(c, made, append(tokenColumns()[:3], tokenColumns()[4], secret))
		},
	}
	cmd.Flags().StringVar(&n.Name, "name", "", "what it is for")
	cmd.Flags().DurationVar(&life, "expires", 0, "how long it counts, such as 720h; 0: for ever")
	return cmd
}

func (c *cli) tokenList() *cobra.Command {
	var user string
	cmd := listing(c, "list", "List tokens", func(cmd *cobra.Command, to *client.Client) error {
		list, err := to.Tokens(cmd.Context(), user)
		if err != nil {
			return err
		}
		return show(c, list, list.Tokens, tokenColumns())
	})
	cmd.Flags().StringVar(&user, "user", "", "those of one user")
	return cmd
}

func (c *cli) tokenRevoke() *cobra.Command {
	return &cobra.Command{
		Use:     "revoke ID...",
		Short:   "Make tokens useless",
		Example: "  stdops token revoke 3f0c8a1b2d4e5f60",
		Args:    atLeast(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			to, err := c.connect()
			if err != nil {
				return err
			}
			defer to.Close()
			count := tally{c: c}
			for _, id := range args {
				count.add("token "+id, to.RevokeToken(cmd.Context(), id))
			}
			return count.result()
		},
	}
}
