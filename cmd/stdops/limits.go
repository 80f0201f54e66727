package main

import (
	"strconv"

	"github.com/spf13/cobra"

	"github.com/stdops/stdops/client"
)

func (c *cli) limits() *cobra.Command {
	return listing(c, "limits", "Show what bounds requests and tasks of a server", func(cmd *cobra.Command, to *client.Client) error {
		list, err := to.Limits(cmd.Context())
		if err != nil {
			return err
		}
		return show(c, list, list.Limits, []column[client.Limit]{
			{"LIMIT", func(l *client.Limit) string { return l.Name }},
			{"VALUE", func(l *client.Limit) string { return strconv.FormatInt(l.Value, 10) }},
			{"UNIT", func(l *client.Limit) string { return l.Unit }},
			{"ABOUT", func(l *client.Limit) string { return l.About }},
		})
	})
}
