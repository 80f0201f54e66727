package main

import (
	"io"
	"os"

	"golang.org/x/term"

	"github.com/stdops/stdops/client"
)

// look says what the output can show.
type look struct {
	terminal      bool
	colour        bool
	width, height int // of the terminal
}

// look finds out what the output is. NO_COLOR and TERM=dumb are heeded.
func (c *cli) look() look {
	l := look{width: 80, height: 24}
	fd, ok := descriptor(c.out)
	if !ok || !term.IsTerminal(fd) || c.env["TERM"] == "dumb" {
		return l
	}
	l.terminal = true
	l.colour = c.env["NO_COLOR"] == ""
	if w, h, err := term.GetSize(fd); err == nil && w > 0 && h > 0 {
		l.width, l.height = w, h
	}
	return l
}

func descriptor(w io.Writer) (int, bool) {
	f, ok := w.(*os.File)
	if !ok {
		return 0, false
	}
	return int(f.Fd()), true
}

// Sequences that colour text.
const (
	plain  = "\x1b[0m"
	bold   = "\x1b[1m"
	grey   = "\x1b[90m"
	red    = "\x1b[31m"
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	blue   = "\x1b[34m"
)

// colours of the states; the words say the same without them.
var colours = map[string]string{
	client.Created: grey, client.Ready: blue, client.Running: blue, client.Suspended: yellow, client.NodeSuspended: yellow,
	client.Failed: red, client.Finished: green, client.Revoked: grey,
}

// cell dresses a cell of a table; what it takes on the screen stays the same.
func (l look) cell(title bool, text string) string {
	switch {
	case !l.colour:
		return text
	case title:
		return bold + text + plain
	case colours[text] != "":
		return colours[text] + text + plain
	default:
		return text
	}
}
