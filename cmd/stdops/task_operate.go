package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/stdops/stdops/client"
)

// The actions of task operate.
var (
	taskActions = []string{"pause", "resume", "revoke"}
	nodeActions = []string{
		"retry", "skip", "skip-branch", "callback", "force-fail", "pause-node", "resume-node",
		"pause-subprocess", "resume-subprocess", "retry-subprocess",
	}
)

func (c *cli) taskOperate() *cobra.Command {
	var cmd client.Command
	var inputs, data string
	command := &cobra.Command{
		Use:   "operate ID ACTION [--node NODE]",
		Short: "Pause, resume or revoke a task, or do something to one of its nodes",
		Long: "Actions on the task: " + strings.Join(taskActions, ", ") + ".\n" +
			"Actions on a node: " + strings.Join(nodeActions, ", ") + ";\n" +
			"--node takes its id, or its name where only one node has it.\n" +
			"skip-branch passes a failed gateway: along one branch of an exclusive gateway, or along one or more of a conditional\n" +
			"parallel one. --branch takes the node that the branch leads to, or the id of the flow (stdops task node shows both).",
		Example: "  stdops task operate 12 pause\n" +
			"  stdops task operate 12 retry --node 'Copy the build' --inputs '{\"bk_timing\": \"1\"}'\n" +
			"  stdops task operate 12 callback --node 'Approve the release' --data '{\"approved\": true}'\n" +
			"  stdops task operate 12 skip-branch --node 'Which way' --branch 'Copy the build'",
		Args:              exactly(2),
		ValidArgsFunction: c.completeTask(slices.Concat(taskActions, nodeActions)...),
		RunE: func(command *cobra.Command, args []string) error {
			id, err := taskID(command, args[0])
			if err != nil {
				return err
			}
			cmd.Command = args[1]
			if err := readAction(&cmd, inputs, data); err != nil {
				return usageOf(command, err)
			}
			return askOne(c, taskColumns()[:4], func(to *client.Client) (*client.Task, error) {
				return to.Do(command.Context(), c.projectID, id, cmd)
			})
		},
	}
	flags := command.Flags()
	flags.StringVar(&cmd.Node, "node", "", "id or name of the node")
	flags.StringVar(&inputs, "inputs", "", "inputs for retry, a JSON object, in place of all that the node has")
	flags.StringArrayVar(&cmd.Branches, "branch", nil, "branch that skip-branch takes; may be repeated")
	flags.StringVar(&data, "data", "", "what callback tells the node, as JSON")
	flags.StringVar(&cmd.Version, "version", "", "the attempt that callback means; default the current one")
	return command
}

// readAction checks what can be known to be wrong before a server is asked.
func readAction(cmd *client.Command, inputs, data string) error {
	ofNode := slices.Contains(nodeActions, cmd.Command)
	switch {
	case !ofNode && !slices.Contains(taskActions, cmd.Command):
		return fmt.Errorf("action %q is none of %s", cmd.Command, strings.Join(slices.Concat(taskActions, nodeActions), ", "))
	case ofNode && cmd.Node == "":
		return fmt.Errorf("%s needs --node", cmd.Command)
	case !ofNode && cmd.Node != "":
		return fmt.Errorf("%s is for the whole task; it takes no --node", cmd.Command)
	case cmd.Command == "skip-branch" && len(cmd.Branches) == 0:
		return errors.New("skip-branch needs --branch")
	}
	for _, given := range []struct {
		flag, text string
		to         *json.RawMessage
	}{{"--inputs", inputs, &cmd.Inputs}, {"--data", data, &cmd.Data}} {
		if given.text == "" {
			continue
		}
		if err := json.Unmarshal([]byte(given.text), new(any)); err != nil {
			return fmt.Errorf("%s is no JSON: %w", given.flag, err)
		}
		*given.to = json.RawMessage(given.text)
	}
	return nil
}
