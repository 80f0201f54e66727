package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stdops/stdops/client"
)

func (c *cli) flow() *cobra.Command {
	g := group("flow", "Store flows, list and show them, import and export",
		c.flowCreate(), c.flowList(), c.flowShow(), c.flowVersions(), c.flowScheme(), c.flowImport(), c.flowExport())
	g.Aliases = []string{"template"}
	return g
}

// flowIDs reads ids of flows.
func flowIDs(cmd *cobra.Command, args []string) ([]int64, error) {
	ids := make([]int64, len(args))
	for i, text := range args {
		id, err := flowID(cmd, text)
		if err != nil {
			return nil, err
		}
		ids[i] = id
	}
	return ids, nil
}

// flowID reads the id of a flow.
func flowID(cmd *cobra.Command, text string) (int64, error) {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id <= 0 {
		return 0, usageOf(cmd, fmt.Errorf("%q is no id of a flow", text))
	}
	return id, nil
}

func flowColumns() []column[client.Flow] {
	return []column[client.Flow]{
		{"ID", func(f *client.Flow) string { return strconv.FormatInt(f.ID, 10) }},
		{"NAME", func(f *client.Flow) string { return cut(f.Name, longestName) }},
		{"EDITED", func(f *client.Flow) string { return moment(f.Edited) }},
		{"VERSION", func(f *client.Flow) string { return f.Version[:min(len(f.Version), 12)] }},
		{"DESCRIPTION", func(f *client.Flow) string { return f.Description }},
	}
}

func (c *cli) flowCreate() *cobra.Command {
	var file string
	var n client.NewFlow
	cmd := &cobra.Command{
		Use:     "create -f FILE [--name NAME]",
		Short:   "Store a pipeline tree as a flow",
		Example: "  stdops flow create -f examples/deploy.json --name deploy",
		Args:    exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if file == "" {
				return usageOf(cmd, errors.New("--file must be given"))
			}
			if n.Tree, err = c.readTree(file); err != nil {
				return err
			}
			if n.Name == "" {
				n.Name = strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
			}
			to, err := c.connect()
			if err != nil {
				return err
			}
			defer to.Close()
			made, err := to.CreateFlow(cmd.Context(), c.projectID, n)
			if err != nil {
				return err
			}
			for _, w := range made.Warnings {
				c.warn("stdops: warning: %s: %s\n", printable(w.Path, false), printable(w.Message, false))
			}
			return showOne(c, made, flowColumns())
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&file, "file", "f", "", "pipeline tree as JSON; - reads it from the input")
	flags.StringVar(&n.Name, "name", "", "name of the flow; default the name of the file")
	flags.StringVar(&n.Description, "description", "", "what it is for")
	return cmd
}

func (c *cli) flowList() *cobra.Command {
	return listing(c, "list", "List the flows of the project", func(cmd *cobra.Command, to *client.Client) error {
		list, err := to.Flows(cmd.Context(), c.projectID)
		if err != nil {
			return err
		}
		return show(c, list, list.Flows, flowColumns())
	})
}

// listing makes a command without arguments that asks a server something.
func listing(c *cli, use, short string, ask func(*cobra.Command, *client.Client) error) *cobra.Command {
	return &cobra.Command{Use: use, Short: short, Args: exactly(0), RunE: func(cmd *cobra.Command, _ []string) error {
		to, err := c.connect()
		if err != nil {
			return err
		}
		defer to.Close()
		return ask(cmd, to)
	}}
}
