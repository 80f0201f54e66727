package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/stdops/stdops/client"
)

func (c *cli) flowScheme() *cobra.Command {
	return group("scheme", "Choose activities of a flow that run together, under a name; flow show lists the choices",
		c.flowSchemeSet(), c.flowSchemeDelete())
}

func (c *cli) flowSchemeSet() *cobra.Command {
	return &cobra.Command{
		Use:   "set FLOW NAME NODE...",
		Short: "Store a choice of activities, by their ids in the tree; those that are not optional run as well",
		Example: "  stdops flow scheme set 3 night backup check\n" +
			"  stdops task create --flow 3 --scheme night --name tonight",
		Args: atLeast(3),
		RunE: func(cmd *cobra.Command, args []string) error {
			flow, err := flowID(cmd, args[0])
			if err != nil {
				return err
			}
			return askOne(c, schemeColumns(), func(to *client.Client) (*client.Scheme, error) {
				return to.PutScheme(cmd.Context(), c.projectID, flow, args[1], args[2:])
			})
		},
	}
}

func (c *cli) flowSchemeDelete() *cobra.Command {
	return &cobra.Command{
		Use:   "delete FLOW NAME",
		Short: "Take a choice of activities away",
		Args:  exactly(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			flow, err := flowID(cmd, args[0])
			if err != nil {
				return err
			}
			to, err := c.connect()
			if err != nil {
				return err
			}
			defer to.Close()
			return to.DeleteScheme(cmd.Context(), c.projectID, flow, args[1])
		},
	}
}

func schemeColumns() []column[client.Scheme] {
	return []column[client.Scheme]{
		{"SCHEME", func(s *client.Scheme) string { return s.Name }},
		{"NODES", func(s *client.Scheme) string { return strings.Join(s.Nodes, " ") }},
	}
}
