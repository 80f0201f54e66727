package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"github.com/goccy/go-yaml"
)

// say prints a text for people to the output, warn to the error output. When nobody reads it there is nobody to tell.
func (c *cli) say(format string, args ...any)  { _, _ = fmt.Fprintf(c.out, format, args...) }
func (c *cli) warn(format string, args ...any) { _, _ = fmt.Fprintf(c.err, format, args...) }

// formats are what -o takes.
var formats = map[string]bool{"table": true, "json": true, "jsonl": true, "yaml": true}

// column is a column of a table.
type column[T any] struct {
	title string
	cell  func(*T) string
}

// show prints what a server answered, in the form that was asked for: whole is all of it, rows are its lines.
func show[T any](c *cli, whole any, rows []T, columns []column[T]) error {
	switch c.format {
	case "json":
		return writeJSON(c.out, whole, "  ")
	case "jsonl":
		for i := range rows {
			if err := writeJSON(c.out, rows[i], ""); err != nil {
				return err
			}
		}
		return nil
	case "yaml":
		return writeYAML(c.out, whole)
	default:
		return writeLines(c.out, lines(c.look(), rows, columns))
	}
}

// showOne prints a single thing.
func showOne[T any](c *cli, v *T, columns []column[T]) error { return show(c, v, []T{*v}, columns) }

// below prints a further table with a blank line before it, nothing when there is nothing in it.
func below[T any](c *cli, rows []T, columns []column[T]) error {
	if len(rows) == 0 {
		return nil
	}
	c.say("\n")
	return writeLines(c.out, lines(c.look(), rows, columns))
}

func writeJSON(w io.Writer, v any, indent string) error {
	e := json.NewEncoder(w)
	e.SetIndent("", indent)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// writeYAML goes by way of JSON, so that keys and their order are the same in both.
func writeYAML(w io.Writer, v any) error {
	var text bytes.Buffer
	if err := writeJSON(&text, v, ""); err != nil {
		return err
	}
	converted, err := yaml.JSONToYAML(text.Bytes())
	if err != nil {
		return fmt.Errorf("write YAML: %w", err)
	}
	_, err = w.Write(converted)
	return err
}

func writeLines(w io.Writer, lines []string) error {
	if len(lines) == 0 {
		return nil
	}
	_, err := io.WriteString(w, strings.Join(lines, "\n")+"\n")
	return err
}

const gap = "  "

// lines lays out a table: titles first, columns as wide as their widest cell.
func lines[T any](look look, rows []T, columns []column[T]) []string {
	cells := make([][]string, len(rows)+1)
	widths := make([]int, len(columns))
	for i, col := range columns {
		cells[0] = append(cells[0], col.title)
		for r := range rows {
			cells[r+1] = append(cells[r+1], printable(col.cell(&rows[r]), false))
		}
		for r := range cells {
			widths[i] = max(widths[i], width(cells[r][i]))
		}
	}
	look.shorten(cells, widths)
	list := make([]string, len(cells))
	for r, line := range cells {
		var b strings.Builder
		for i, cell := range line {
			if i > 0 {
				b.WriteString(gap)
			}
			b.WriteString(look.cell(r == 0, cell))
			if i < len(line)-1 {
				b.WriteString(strings.Repeat(" ", widths[i]-width(cell)))
			}
		}
		list[r] = strings.TrimRight(b.String(), " ")
	}
	return list
}

// shortest is what the last column of a table keeps at least, however narrow the terminal.
const shortest = 8

// shorten cuts the last column to what the terminal has left for it: a line that wraps cannot be redrawn.
func (l look) shorten(cells [][]string, widths []int) {
	if !l.terminal || len(widths) == 0 {
		return
	}
	last, room := len(widths)-1, l.width
	for _, w := range widths[:last] {
		room -= w + len(gap)
	}
	for r := range cells {
		cells[r][last] = cut(cells[r][last], max(room, shortest))
	}
}

// cut shortens a text to a width.
func cut(text string, to int) string {
	if width(text) <= to {
		return text
	}
	taken := 0
	for i, r := range text {
		w := width(string(r))
		if taken+w > to-1 {
			return text[:i] + "…"
		}
		taken += w
	}
	return text
}

// printable takes out of a text what would steer a terminal; names come from anywhere. Where it has to be one line, its
// lines stand side by side.
func printable(text string, newlines bool) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' && newlines:
			return r
		case r == '\n', r == '\r', r == '\t':
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), r == '\u2028', r == '\u2029':
			return '\uFFFD'
		}
		return r
	}, text)
}

// width gives the cells that a text takes on a terminal.
func width(text string) int {
	n := 0
	for _, r := range text {
		n++
		if wide(r) {
			n++
		}
		if unicode.Is(unicode.Mn, r) {
			n--
		}
	}
	return n
}

// wide reports whether a terminal gives a sign two cells: those of East Asian scripts, and pictures.
func wide(r rune) bool {
	return r >= 0x1100 && r <= 0x115f || r >= 0x2e80 && r <= 0xa4cf || r >= 0xac00 && r <= 0xd7a3 ||
		r >= 0xf900 && r <= 0xfaff || r >= 0xfe30 && r <= 0xfe6f || r >= 0xff00 && r <= 0xff60 ||
		r >= 0x1f300 && r <= 0x1faff || r >= 0x20000 && r <= 0x3fffd
}

// moment shows a time in the zone of the reader.
func moment(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Local().Format(time.DateTime)
}

// yes shows a truth in a table, where a no is best left empty.
func yes(is bool) string {
	if is {
		return "yes"
	}
	return ""
}
