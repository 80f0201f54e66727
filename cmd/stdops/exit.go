package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/client"
	"github.com/stdops/stdops/internal/app"
)

// The exit codes.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitNotFound    = 3
	exitDenied      = 4
	exitConflict    = 5
	exitTimeout     = 6
	exitPartial     = 7
	exitUnreachable = 8
	exitDirInUse    = 9
	exitAddrInUse   = 10
	exitDamaged     = 11
	exitProblems    = 12
)

// exitHelp ends every help text.
const exitHelp = `
Exit codes:
  0  ok                             5  conflict: not allowed in this state
  1  failed, or a task failed       6  wait timed out; the task goes on
  2  wrong usage or request         7  partial: some of the ids failed
  3  not found, or not kept         8  no server answers
  4  denied, or not signed in       9  data directory in use, 10  address in use (serve, demo)
 11  database damaged: restore a backup (serve, demo, migrate)
 12  verify, doctor or a check of a backup found something wrong
`

// exitError ends the program with a code. A nil err ends it without a word: all was said.
type exitError struct {
	code int
	err  error
}

// Error gives the text of the cause.
func (e *exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

// Unwrap gives the cause.
func (e *exitError) Unwrap() error { return e.err }

func exit(code int) error { return &exitError{code: code} }

func usage(format string, args ...any) error {
	return &exitError{code: exitUsage, err: fmt.Errorf(format, args...)}
}

// usageOf is wrong usage of a command, with the way to its help.
func usageOf(cmd *cobra.Command, err error) error {
	return usage("%w\nsee: %s --help", err, cmd.CommandPath())
}

// exitCode tells what went wrong and gives the code for it.
func (c *cli) exitCode(ctx context.Context, err error) int {
	if err == nil {
		return exitOK
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = errors.New("interrupted")
	}
	if text := whole(err); text != "" {
		c.warn("stdops: %s\n", printable(text, true))
	}
	return codeOf(err)
}

// whole gives the text of an error for whoever runs the command: also why a database is not available.
func whole(err error) string {
	var told *stdops.Error
	if errors.As(err, &told) && told.Code == stdops.CodeUnavailable && told.Err != nil && told.Err.Error() != told.Message {
		return err.Error() + ": " + told.Err.Error()
	}
	return err.Error()
}

// codeOf is the one table from an error to the exit code.
func codeOf(err error) int {
	var own *exitError
	var refused *client.Error
	var unreachable *client.UnreachableError
	switch {
	case errors.As(err, &own):
		return own.code
	case errors.As(err, &unreachable):
		return exitUnreachable
	case errors.As(err, &refused):
		return codeOfStatus(refused)
	case errors.Is(err, app.ErrInUse):
		return exitDirInUse
	case errors.Is(err, app.ErrDamaged):
		return exitDamaged
	case errors.Is(err, app.ErrUnsound):
		return exitProblems
	case errors.Is(err, syscall.EADDRINUSE):
		return exitAddrInUse
	default:
		return exitFailed
	}
}

func codeOfStatus(e *client.Error) int {
	switch {
	case e.Code == client.CodeForeign || e.Status == http.StatusServiceUnavailable:
		return exitUnreachable
	case e.Code == client.CodeInvalid:
		return exitUsage
	case e.Code == client.CodeNotFound, e.Code == client.CodeGone:
		return exitNotFound
	case e.Code == client.CodeUnauthenticated, e.Code == client.CodeDenied:
		return exitDenied
	case e.Code == client.CodeConflict:
		return exitConflict
	default:
		return exitFailed
	}
}

// tally collects the outcomes of one thing done to many: partial when only some failed, else as the failure says.
type tally struct {
	c            *cli
	done, failed int
	code         int
}

// add counts one outcome and tells about a failure.
func (t *tally) add(what string, err error) {
	if err == nil {
		t.done++
		return
	}
	t.failed++
	if code := codeOf(err); t.code == 0 || t.code == code {
		t.code = code
	} else {
		t.code = exitFailed
	}
	text := printable(err.Error(), true)
	if !strings.HasPrefix(text, what+" ") {
		text = what + ": " + text
	}
	t.c.warn("stdops: %s\n", text)
}

func (t *tally) result() error {
	switch {
	case t.failed == 0:
		return nil
	case t.done > 0:
		return exit(exitPartial)
	default:
		return exit(t.code)
	}
}
