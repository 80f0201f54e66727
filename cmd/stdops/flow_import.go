package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stdops/stdops/client"
)

func (c *cli) flowImport() *cobra.Command {
	var n client.FlowImport
	var check bool
	cmd := &cobra.Command{
		Use:   "import FILE [--check]",
		Short: "Store the flows of a file that bk-sops or stdops has exported",
		Long: "Store the flows of a file, all of them or none: a bundle of bk-sops (.dat), or YAML. - reads the input.\n" +
			"With --check nothing is stored; what is not supported here is told, and the exit code is 1 when something\n" +
			"would not run.",
		Example: "  stdops flow import bk_sops_shop.dat --check\n" +
			"  stdops flow import bk_sops_shop.dat",
		Args: exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := c.readFlows(args[0], &n); err != nil {
				return usageOf(cmd, err)
			}
			to, err := c.connect()
			if err != nil {
				return err
			}
			defer to.Close()
			if check {
				found, err := to.CheckFlows(cmd.Context(), c.projectID, n)
				if err != nil {
					return err
				}
				return c.showCheck(found)
			}
			made, err := to.ImportFlows(cmd.Context(), c.projectID, n)
			if err != nil {
				return err
			}
			for _, w := range made.Warnings {
				c.warn("stdops: warning: %s: %s\n", printable(w.Path, false), printable(w.Message, false))
			}
			return show(c, made, made.Flows, importedColumns())
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&check, "check", false, "store nothing, tell what is not supported here")
	flags.BoolVar(&n.Common, "common", false, "store them as flows that belong to no project; for administrators")
	flags.BoolVar(&n.Override, "override", false, "with --common: replace flows that have the same ids")
	flags.StringVar(&n.Format, "format", "", "dat or yaml; default by the name of the file")
	return cmd
}

// readFlows reads a file with flows.
func (c *cli) readFlows(file string, n *client.FlowImport) error {
	text, err := c.readFile(file)
	n.Text = string(text)
	if n.Format != "" {
		return err
	}
	n.Format = client.FormatBundle
	if end := strings.ToLower(filepath.Ext(file)); end == ".yaml" || end == ".yml" {
		n.Format = client.FormatYAML
	}
	return err
}

func importedColumns() []column[client.ImportedFlow] {
	return []column[client.ImportedFlow]{
		{"ID", func(f *client.ImportedFlow) string { return strconv.FormatInt(f.ID, 10) }},
		{"NAME", func(f *client.ImportedFlow) string { return cut(f.Name, longestName) }},
		{"VERSION", func(f *client.ImportedFlow) string { return f.Version[:min(len(f.Version), 12)] }},
		{"REPLACED", func(f *client.ImportedFlow) string { return yes(f.Replaced) }},
	}
}

// showCheck tells what was found, what blocks first, and ends with the exit code for it.
func (c *cli) showCheck(check *client.ImportCheck) error {
	rank := map[string]int{client.Blocks: 0, client.Differs: 1, client.Lost: 2}
	slices.SortStableFunc(check.Findings, func(a, b client.Finding) int { return rank[a.Severity] - rank[b.Severity] })
	if err := show(c, check, check.Findings, findingColumns()); err != nil {
		return err
	}
	if c.format == "table" {
		c.say("%s\n", aboutCheck(check))
	}
	if !check.Runs {
		return exit(exitFailed)
	}
	return nil
}

func aboutCheck(check *client.ImportCheck) string {
	count := map[string]int{}
	for _, f := range check.Findings {
		count[f.Severity]++
	}
	return fmt.Sprintf("%d flows with %d nodes: %d findings block, %d differ, %d are lost", check.Flows, check.Nodes,
		count[client.Blocks], count[client.Differs], count[client.Lost])
}

func findingColumns() []column[client.Finding] {
	return []column[client.Finding]{
		{"SEVERITY", func(f *client.Finding) string { return f.Severity }},
		{"FLOW", func(f *client.Finding) string { return cut(f.Flow, longestName) }},
		{"PATH", func(f *client.Finding) string { return f.Path }},
		{"FINDING", func(f *client.Finding) string { return f.Message }},
	}
}
