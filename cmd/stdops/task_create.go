package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stdops/stdops/client"
)

func (c *cli) taskCreate() *cobra.Command {
	var file string
	var sets []string
	var n client.NewTask
	cmd := &cobra.Command{
		Use:   "create (-f FILE | --flow ID) [--name NAME] [--start]",
		Short: "Make a task of a pipeline tree or of a stored flow",
		Example: "  stdops task create -f tree.json --name 'nightly backup' --start\n" +
			"  stdops task create --flow 3 --name deploy --set version=v1.4.2 --set 'hosts:=[\"a\", \"b\"]'",
		Args: exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if (file == "") == (n.Flow == 0) {
				return usageOf(cmd, errors.New("either --file or --flow must be given"))
			}
			if n.Name == "" && file == "" {
				return usageOf(cmd, errors.New("--flow needs --name"))
			}
			if n.Constants, err = constants(sets); err != nil {
				return usageOf(cmd, err)
			}
			if file != "" {
				if n.Tree, err = c.readTree(file); err != nil {
					return err
				}
			}
			if n.Name == "" {
				n.Name = strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
			}
			return askOne(c, taskColumns()[:4], func(to *client.Client) (*client.Task, error) {
				return to.CreateTask(cmd.Context(), c.projectID, n)
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&file, "file", "f", "", "pipeline tree as JSON; - reads it from the input")
	flags.Int64Var(&n.Flow, "flow", 0, "id of a stored flow")
	flags.StringArrayVar(&n.Schemes, "scheme", nil, "name of an execution scheme of the flow, which says what runs; may be repeated")
	flags.StringVar(&n.Name, "name", "", "name of the task; default the name of the file")
	flags.StringVar(&n.Description, "description", "", "what it is for")
	flags.StringArrayVar(&sets, "set", nil, "KEY=TEXT or KEY:=JSON, a value for the constant ${KEY}; may be repeated")
	flags.BoolVar(&n.Start, "start", false, "start it at once")
	return cmd
}

// readTree reads a tree from a file or the input.
func (c *cli) readTree(file string) (json.RawMessage, error) {
	text, err := c.readFile(file)
	if err != nil {
		return nil, usage("%w", err)
	}
	if err := json.Unmarshal(text, new(any)); err != nil {
		return nil, usage("%s is no JSON: %w", file, err)
	}
	return text, nil
}

// readFile reads a file, or the input for "-".
func (c *cli) readFile(file string) ([]byte, error) {
	if file == "-" {
		return io.ReadAll(c.in)
	}
	return os.ReadFile(file)
}

// constants reads KEY=TEXT and KEY:=JSON. A key may be written with ${ and } or without.
func constants(sets []string) (map[string]json.RawMessage, error) {
	values := map[string]json.RawMessage{}
	for _, set := range sets {
		key, value, ok := strings.Cut(set, "=")
		if !ok || strings.TrimSuffix(key, ":") == "" {
			return nil, fmt.Errorf("%q is not of the form KEY=TEXT or KEY:=JSON", set)
		}
		text, err := json.Marshal(value)
		if name, asJSON := strings.CutSuffix(key, ":"); asJSON {
			key, text = name, []byte(value)
			err = json.Unmarshal(text, new(any))
		}
		if err != nil {
			return nil, fmt.Errorf("%q: %w", set, err)
		}
		if !strings.HasPrefix(key, "${") {
			key = "${" + key + "}"
		}
		values[key] = text
	}
	return values, nil
}
