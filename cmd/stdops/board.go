package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/stdops/stdops/client"
)

// board shows how tasks stand while they go on: on a terminal one table that is drawn over, elsewhere one line for each
// change.
type board struct {
	out  io.Writer
	look look
	json bool // lines of JSON in place of texts

	drawn int              // lines of the table that is on the screen
	last  map[int64]string // what was last told of a task
}

func (c *cli) board() *board {
	return &board{out: c.out, look: c.look(), json: c.format == "jsonl", last: map[int64]string{}}
}

// update shows how the tasks stand now.
func (b *board) update(list *client.StatusList) error {
	if b.look.terminal && !b.json {
		return b.draw(list.Tasks)
	}
	for i := range list.Tasks {
		if err := b.tell(&list.Tasks[i], list.Now); err != nil {
			return err
		}
	}
	return nil
}

// draw replaces the table. What the screen has no room for is counted in its last line.
func (b *board) draw(tasks []client.Task) error {
	table := lines(b.look, tasks, taskColumns())
	if room := b.look.height - 2; len(table) > room && room > 1 {
		hidden := len(table) - room + 1
		table = append(table[:room-1], fmt.Sprintf("… and %d more", hidden))
	}
	var text strings.Builder
	if b.drawn > 0 {
		fmt.Fprintf(&text, "\x1b[%dA\r\x1b[J", b.drawn)
	}
	text.WriteString(strings.Join(table, "\n") + "\n")
	b.drawn = len(table)
	_, err := io.WriteString(b.out, text.String())
	return err
}

// tell writes a line when there is something new about a task.
func (b *board) tell(t *client.Task, now time.Time) error {
	at := whereabouts(t)
	state := t.State + "\x00" + at
	before, known := b.last[t.ID]
	if known && before == state {
		return nil
	}
	b.last[t.ID] = state
	if b.json {
		return writeJSON(b.out, t, "")
	}
	was, _, _ := strings.Cut(before, "\x00")
	change := t.State
	if known && was != t.State {
		change = was + " -> " + t.State
	}
	if at != "" {
		change += " at " + at
	}
	_, err := fmt.Fprintf(b.out, "%s  %d  %s  %s\n", now.Local().Format(time.TimeOnly), t.ID, printable(t.Name, false), printable(change, false))
	return err
}
