package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/stdops/stdops/client"
)

func (c *cli) taskLog() *cobra.Command {
	var follow, timed bool
	page := client.LogPage{}
	cmd := &cobra.Command{
		Use:   "log ID NODE",
		Short: "Show what a node of a task has written",
		Long: "Show the log of a node, named by its id or, where only one node has it, by its name. What would steer a terminal is\n" +
			"taken out or shown as U+FFFD; -o json gives the text as it was written. With --follow the log is shown as it grows,\n" +
			"until the attempt has ended; a node that has not begun is waited for. With --timestamps each line begins with the time\n" +
			"at which it was written, in the zone of the reader; - where that is not known.",
		Example: "  stdops task log 12 'Copy the build'\n" +
			"  stdops task log 12 'Copy the build' --attempt 1",
		Args:              exactly(2),
		ValidArgsFunction: c.completeTask(),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := taskID(cmd, args[0])
			if err != nil {
				return err
			}
			if page.Node = args[1]; page.Node == "" || page.Attempt < 0 {
				return usageOf(cmd, errors.New("NODE must not be empty, and --attempt counts from 1"))
			}
			if follow && c.format != "table" && c.format != "jsonl" {
				return usageOf(cmd, errors.New("a log that grows can be shown as table or jsonl only"))
			}
			to, err := c.connect()
			if err != nil {
				return err
			}
			defer to.Close()
			l := &logReader{cli: c, to: to, task: id, page: page, timed: timed}
			if follow {
				err = l.follow(cmd.Context())
			} else {
				err = l.read(cmd.Context())
			}
			l.endLine()
			if follow && errors.Is(err, context.Canceled) {
				return nil // whoever watches may stop to
			}
			return err
		},
	}
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "show the log as it grows, until the attempt has ended")
	cmd.Flags().BoolVar(&timed, "timestamps", false, "begin each line with the time at which it was written")
	cmd.Flags().IntVar(&page.Attempt, "attempt", 0, "number of the attempt, from 1; default the newest")
	return cmd
}

// logReader shows the log of one attempt.
type logReader struct {
	*cli
	to   *client.Client
	task int64
	page client.LogPage // that comes next

	timed bool // each line is to begin with its time
	open  bool // the last line that was shown has no end yet
}

// read shows what there is.
func (l *logReader) read(ctx context.Context) error {
	whole, err := l.next(ctx)
	if err != nil {
		return err
	}
	for l.page.From < whole.Size { // what is added meanwhile is not waited for
		more, err := l.next(ctx)
		if err != nil {
			return err
		}
		if more.Text == "" {
			break
		}
		whole.Text += more.Text
		whole.Times = append(whole.Times, more.Times...)
		whole.Next = more.Next
	}
	return l.show(whole)
}

// follow shows what there is and what comes, until the attempt has ended. The server may be away for a while.
func (l *logReader) follow(ctx context.Context) error {
	var out outage
	for part, err := range l.to.FollowLog(ctx, l.projectID, l.task, l.page) {
		if ctx.Err() != nil || out.ends(err, time.Now()) {
			return err
		}
		if err != nil {
			continue
		}
		if err := l.show(part); err != nil {
			return err
		}
	}
	return nil
}

// next asks for the next part, which is of the attempt that the first one was of.
func (l *logReader) next(ctx context.Context) (*client.NodeLog, error) {
	part, err := l.to.NodeLog(ctx, l.projectID, l.task, l.page)
	if err != nil {
		return nil, err
	}
	l.page.Attempt, l.page.From = part.Attempt, part.Next
	return part, nil
}

func (l *logReader) show(part *client.NodeLog) error {
	if l.format != "table" {
		return showOne(l.cli, part, []column[client.NodeLog]{})
	}
	if part.Text == "" {
		return nil
	}
	text := logText(part.Text)
	if l.timed {
		text = timedText(part, l.open)
	}
	_, err := fmt.Fprint(l.out, text)
	l.open = !strings.HasSuffix(part.Text, "\n")
	return err
}

// timedText gives the lines of a part of a log with their times in front; within says that the first of them has begun before.
func timedText(part *client.NodeLog, within bool) string {
	var text strings.Builder
	place := part.From
	for line := range strings.Lines(part.Text) {
		if !within {
			at := "-"
			if t := part.TimeAt(place); !t.IsZero() {
				at = t.Local().Format(lineTime)
			}
			text.WriteString(at + " ")
		}
		text.WriteString(logText(line))
		place += int64(len(line))
		within = false
	}
	return text.String()
}

// lineTime is the format of the time in front of a line of a log.
const lineTime = "2006-01-02T15:04:05.000Z07:00"

// endLine ends the last line.
func (l *logReader) endLine() {
	if l.open {
		l.say("\n")
	}
}

var colouring = regexp.MustCompile("\x1b\\[[0-9;]*m")

// logText takes out of a log what would steer a terminal. Colours go without a trace, since many programs write them; a
// carriage return could write over a line that was read already, so it begins a new one. Tabs are harmless.
func logText(text string) string {
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(colouring.ReplaceAllString(text, ""))
	parts := strings.Split(text, "\t")
	for i := range parts {
		parts[i] = printable(parts[i], true)
	}
	return strings.Join(parts, "\t")
}
