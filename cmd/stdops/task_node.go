package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/stdops/stdops/client"
)

func (c *cli) taskNode() *cobra.Command {
	var q client.NodeQuery
	cmd := &cobra.Command{
		Use:   "node ID [NODE]",
		Short: "Show a node of a task: its inputs, outputs and attempts",
		Long: "Show a node, named by its id or, where only one node has it, by its name: how it stands, what it was given and gave,\n" +
			"the branches of a gateway, and its earlier attempts; -o json or yaml shows what each attempt was given and gave. QUEUED is\n" +
			"how long it waited for a slot until its first call, RAN from then to its end, with what it waited for between its calls.\n" +
			"Of a node that was not reached the inputs are what it would be given now. Without NODE all nodes of the task are listed.",
		Example: "  stdops task node 12\n" +
			"  stdops task node 12 'Copy the build'\n" +
			"  stdops task node 12 'Copy the build' --loop 1 -o yaml",
		Args:              atLeast(1),
		ValidArgsFunction: c.completeTask(),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := taskID(cmd, args[0])
			switch {
			case err != nil:
				return err
			case len(args) > 2 || len(args) == 2 && args[1] == "" || q.Loop < 0:
				return usageOf(cmd, errors.New("name one node, and a loop from 1"))
			}
			to, err := c.connect()
			if err != nil {
				return err
			}
			defer to.Close()
			if len(args) == 1 {
				list, err := to.Nodes(cmd.Context(), c.projectID, id)
				if err != nil {
					return err
				}
				return show(c, list, flat(list.Nodes, "", nil), nodeColumns())
			}
			q.Node = args[1]
			node, err := to.Node(cmd.Context(), c.projectID, id, q)
			if err != nil {
				return err
			}
			return c.showNode(node)
		},
	}
	cmd.Flags().IntVar(&q.Loop, "loop", 0, "number of an earlier loop, from 1; default the current one")
	return cmd
}

// flat lists nodes one below the other, those inside of a subprocess behind it and further in.
func flat(nodes []client.Node, indent string, list []client.Node) []client.Node {
	for _, n := range nodes {
		inside := n.Nodes
		n.Name, n.Nodes = indent+n.Name, nil
		list = flat(inside, indent+"  ", append(list, n))
	}
	return list
}

func nodeColumns() []column[client.Node] {
	return []column[client.Node]{
		{"NODE", func(n *client.Node) string { return cut(n.Name, longestName) }},
		{"KIND", func(n *client.Node) string { return strings.TrimSpace(n.Kind + " " + n.Plugin) }},
		{"STATE", func(n *client.Node) string { return strings.TrimSpace(n.State + " " + n.Phase) }},
		{"LOOP", func(n *client.Node) string { return count(n.Loop) }},
		{"RETRY", func(n *client.Node) string { return count(n.Retry) }},
		{"SKIPPED", func(n *client.Node) string { return yes(n.Skipped) }},
		{"STARTED", func(n *client.Node) string { return moment(n.Started) }},
		{"FINISHED", func(n *client.Node) string { return moment(n.Finished) }},
		{"QUEUED", func(n *client.Node) string { return lasted(n.Started, n.Called) }},
		{"RAN", func(n *client.Node) string { return lasted(n.Called, n.Finished) }},
		{"ID", func(n *client.Node) string { return n.ID }},
		{"ERROR", func(n *client.Node) string { return n.Error }},
	}
}

// lasted shows how long something took, nothing where it is not over or not known.
func lasted(from, to time.Time) string {
	if from.IsZero() || to.IsZero() {
		return ""
	}
	d := max(0, to.Sub(from))
	if d < time.Minute {
		return d.Round(time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}

func count(n int32) string { return strconv.Itoa(int(n)) }

// showNode prints tables below each other; the other formats hold all of it.
func (c *cli) showNode(n *client.NodeDetail) error {
	if c.format != "table" {
		return showOne(c, n, nil)
	}
	if err := showOne(c, &n.Node, nodeColumns()); err != nil {
		return err
	}
	inputs, err := members(n.Inputs)
	if err != nil {
		return err
	}
	if err := below(c, valueLines(inputs), valueColumns("INPUT")); err != nil {
		return err
	}
	outputs := make([]named, len(n.Outputs))
	for i, o := range n.Outputs {
		outputs[i] = named{o.Key, o.Value}
	}
	if err := below(c, valueLines(outputs), valueColumns("OUTPUT")); err != nil {
		return err
	}
	if err := below(c, n.Branches, branchColumns()); err != nil {
		return err
	}
	attempts := make([]client.Node, len(n.Attempts))
	for i := range n.Attempts {
		attempts[i] = n.Attempts[i].Node
	}
	return below(c, attempts, attemptColumns())
}

type named struct {
	key   string
	value json.RawMessage
}

// members gives the members of an object in their order.
func members(object json.RawMessage) ([]named, error) {
	d := json.NewDecoder(bytes.NewReader(object))
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	var list []named
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		var n named
		n.key, _ = key.(string)
		if err := d.Decode(&n.value); err != nil {
			return nil, err
		}
		list = append(list, n)
	}
	return list, nil
}

// valueLine is a line of a value; the first one has its name.
type valueLine struct{ key, text string }

// valueLines spreads values over lines: scripts, and what they print, are read line by line.
func valueLines(values []named) []valueLine {
	var list []valueLine
	for _, v := range values {
		key := v.key
		for line := range strings.SplitSeq(strings.TrimRight(logText(valueText(v.value)), "\n"), "\n") {
			list = append(list, valueLine{key, strings.ReplaceAll(line, "\t", "    ")})
			key = ""
		}
	}
	return list
}

func valueColumns(title string) []column[valueLine] {
	return []column[valueLine]{
		{title, func(l *valueLine) string { return l.key }},
		{"VALUE", func(l *valueLine) string { return l.text }},
	}
}

// valueText shows a text as it is and anything else as JSON.
func valueText(value json.RawMessage) string {
	var text *string // null stays null
	if json.Unmarshal(value, &text) == nil && text != nil {
		return *text
	}
	return string(value)
}

func branchColumns() []column[client.Branch] {
	return []column[client.Branch]{
		{"BRANCH TO", func(b *client.Branch) string { return cut(b.Name, longestName) }},
		{"FLOW", func(b *client.Branch) string { return b.Flow }},
		{"DEFAULT", func(b *client.Branch) string { return yes(b.Default) }},
		{"CONDITION", func(b *client.Branch) string { return b.Condition }},
	}
}

func attemptColumns() []column[client.Node] {
	return []column[client.Node]{
		{"EARLIER ATTEMPT", func(n *client.Node) string { return "loop " + count(n.Loop) + ", retry " + count(n.Retry) }},
		{"STARTED", func(n *client.Node) string { return moment(n.Started) }},
		{"FINISHED", func(n *client.Node) string { return moment(n.Finished) }},
		{"QUEUED", func(n *client.Node) string { return lasted(n.Started, n.Called) }},
		{"RAN", func(n *client.Node) string { return lasted(n.Called, n.Finished) }},
		{"ERROR", func(n *client.Node) string { return n.Error }},
	}
}
