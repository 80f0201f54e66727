package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/client"
)

func (c *cli) plugin() *cobra.Command {
	return group("plugin", "List what the activities of flows can execute, and show what it takes and gives",
		listing(c, "list", "List the plugins of the server", func(cmd *cobra.Command, to *client.Client) error {
			list, err := to.Plugins(cmd.Context())
			if err != nil {
				return err
			}
			return show(c, list, list.Plugins, pluginColumns())
		}), c.pluginShow())
}

func pluginColumns() []column[client.Plugin] {
	return []column[client.Plugin]{
		{"CODE", func(p *client.Plugin) string { return p.Code }},
		{"VERSIONS", func(p *client.Plugin) string { return strings.Join(p.Versions, ", ") }},
		{"NAME", func(p *client.Plugin) string { return p.Name }},
		{"DESCRIPTION", func(p *client.Plugin) string { return p.Doc }},
	}
}

func (c *cli) pluginShow() *cobra.Command {
	var version string
	cmd := &cobra.Command{
		Use:   "show CODE [--version VERSION]",
		Short: "Show what a plugin takes and gives, as json or yaml as JSON Schema",
		Example: "  stdops plugin show sleep_timer\n" +
			"  stdops plugin show sleep_timer -o json",
		Args: exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			to, err := c.connect()
			if err != nil {
				return err
			}
			defer to.Close()
			plugin, err := to.Plugin(cmd.Context(), args[0], version)
			if err != nil {
				return err
			}
			if c.format != "table" {
				return showOne(c, plugin, nil)
			}
			fields, err := pluginFields(plugin)
			if err != nil {
				return err
			}
			if err := showOne(c, &plugin.Plugin, pluginColumns()); err != nil {
				return err
			}
			c.say("\n")
			return show(c, fields, fields, fieldColumns())
		},
	}
	cmd.Flags().StringVar(&version, "version", "", "default the one that a tree means which names none")
	return cmd
}

// pluginField is a line of the table of what a plugin takes and gives.
type pluginField struct {
	way, key, kind, about string
	required              bool
}

func fieldColumns() []column[pluginField] {
	return []column[pluginField]{
		{"", func(f *pluginField) string { return f.way }},
		{"KEY", func(f *pluginField) string { return f.key }},
		{"TYPE", func(f *pluginField) string { return f.kind }},
		{"REQUIRED", func(f *pluginField) string { return yes(f.required) }},
		{"DESCRIPTION", func(f *pluginField) string { return f.about }},
	}
}

// pluginFields reads the schemas of a plugin, in the order in which it declares its fields.
func pluginFields(p *client.PluginDetail) ([]pluginField, error) {
	var fields []pluginField
	for _, part := range []struct {
		way  string
		text json.RawMessage
	}{{"input", p.Inputs}, {"output", p.Outputs}} {
		var schema struct {
			Properties stdops.Object
			Required   []string
		}
		if err := json.Unmarshal(part.text, &schema); err != nil {
			return nil, fmt.Errorf("read the schema of the %ss: %w", part.way, err)
		}
		for _, key := range schema.Properties.Keys() {
			value, _ := schema.Properties.Get(key)
			field, _ := value.(*stdops.Object)
			about := field.Text("description")
			if title := field.Text("title"); about == "" {
				about = title
			} else if title != "" {
				about = title + ": " + about
			}
			fields = append(fields, pluginField{
				way: part.way, key: key, kind: field.Text("type"), about: about, required: slices.Contains(schema.Required, key),
			})
		}
	}
	return fields, nil
}
