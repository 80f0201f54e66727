package main

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops/client"
	"github.com/stdops/stdops/internal/app"
)

func list(tasks ...client.Task) *client.StatusList {
	return &client.StatusList{Tasks: tasks, Now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.Local)}
}

func at(state string, nodes ...client.Node) client.Task {
	return client.Task{ID: 1, Name: "deploy", State: state, Started: time.Unix(1, 0), Elapsed: 61, Nodes: nodes}
}

func node(name, state string, inside ...client.Node) client.Node {
	return client.Node{Name: name, State: state, Nodes: inside}
}

func TestBoardOffATerminalTellsChangesOnly(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	b := &board{out: &out, last: map[int64]string{}}
	for _, task := range []client.Task{
		at(client.Created), at(client.Created),
		at(client.Running, node("A", client.Running)), at(client.Running, node("A", client.Running)),
		at(client.Running, node("A", client.Finished), node("B", client.Running)),
		at(client.Failed, node("A", client.Finished), node("B", client.Failed)),
	} {
		if err := b.update(list(task)); err != nil {
			t.Fatal(err)
		}
	}
	want := "03:04:05  1  deploy  CREATED\n" +
		"03:04:05  1  deploy  CREATED -> RUNNING at A\n" +
		"03:04:05  1  deploy  RUNNING at B\n" +
		"03:04:05  1  deploy  RUNNING -> FAILED at B\n"
	if d := cmp.Diff(want, out.String()); d != "" {
		t.Errorf("told (-want +got):\n%s", d)
	}
}

func TestBoardOnATerminalIsDrawnOver(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	b := &board{out: &out, look: look{terminal: true, width: 80, height: 5}}
	many := list(at("A"), at("B"), at("C"), at("D"))
	if err := errors.Join(b.update(many), b.update(list(at("E")))); err != nil {
		t.Fatal(err)
	}
	want := "ID  NAME    STATE  ELAPSED  AT\n1   deploy  A      1m1s\n… and 3 more\n" +
		"\x1b[3A\r\x1b[JID  NAME    STATE  ELAPSED  AT\n1   deploy  E      1m1s\n"
	if d := cmp.Diff(want, out.String()); d != "" {
		t.Errorf("drawn (-want +got):\n%s", d)
	}
}

func TestWhereabouts(t *testing.T) {
	t.Parallel()
	for want, task := range map[string]client.Task{
		"":                 at(client.Finished, node("A", client.Running)),
		"A":                at(client.Running, node("A", client.Running), node("B", client.Finished)),
		"B":                at(client.Failed, node("A", client.Running), node("S", client.Failed, node("B", client.Failed))),
		"C":                at(client.NodeSuspended, node("A", client.Running), node("S", client.NodeSuspended, node("C", client.Suspended))),
		"S":                at(client.Running, node("S", client.Running)),
		"A, B and 2 more":  at(client.Running, node("A", client.Running), node("B", client.Running), node("C", client.Running), node("D", client.Running)),
		"record is broken": {State: client.Running, Problem: "record is broken"},
	} {
		if got := whereabouts(&task); got != want {
			t.Errorf("whereabouts %q, want %q", got, want)
		}
	}
}

func TestExitCodes(t *testing.T) {
	t.Parallel()
	refused := func(status int, code string) error { return &client.Error{Status: status, Code: code} }
	for name, c := range map[string]struct {
		err  error
		want int
	}{
		"defect":       {errors.New("x"), exitFailed},
		"usage":        {usage("x"), exitUsage},
		"invalid":      {refused(422, client.CodeInvalid), exitUsage},
		"not found":    {fmt.Errorf("make task: %w", refused(404, client.CodeNotFound)), exitNotFound},
		"unknown":      {refused(401, client.CodeUnauthenticated), exitDenied},
		"denied":       {refused(403, client.CodeDenied), exitDenied},
		"conflict":     {refused(409, client.CodeConflict), exitConflict},
		"too many":     {refused(429, client.CodeTooMany), exitFailed},
		"internal":     {refused(500, client.CodeInternal), exitFailed},
		"unavailable":  {refused(503, client.CodeUnavailable), exitUnreachable},
		"foreign":      {refused(404, client.CodeForeign), exitUnreachable},
		"unreachable":  {&client.UnreachableError{Err: errors.New("x")}, exitUnreachable},
		"directory":    {fmt.Errorf("open: %w", app.ErrInUse), exitDirInUse},
		"damage":       {fmt.Errorf("open: %w", app.ErrDamaged), exitDamaged},
		"address":      {fmt.Errorf("listen: %w", syscall.EADDRINUSE), exitAddrInUse},
		"without word": {exit(exitPartial), exitPartial},
	} {
		if got := codeOf(c.err); got != c.want {
			t.Errorf("%s: exit code %d, want %d", name, got, c.want)
		}
	}
}

func TestTally(t *testing.T) {
	t.Parallel()
	conflict, missing := exit(exitConflict), exit(exitNotFound)
	for name, c := range map[string]struct {
		outcomes []error
		want     int
	}{
		"all done":       {[]error{nil, nil}, exitOK},
		"some failed":    {[]error{nil, conflict}, exitPartial},
		"all failed":     {[]error{conflict, conflict}, exitConflict},
		"failed apart":   {[]error{conflict, missing}, exitFailed},
		"nothing to do":  {nil, exitOK},
		"one was missed": {[]error{missing}, exitNotFound},
	} {
		var errs strings.Builder
		count := tally{c: &cli{err: &errs}}
		for _, err := range c.outcomes {
			count.add("task 1", err)
		}
		got := exitOK
		if err := count.result(); err != nil {
			got = codeOf(err)
		}
		if got != c.want {
			t.Errorf("%s: exit code %d, want %d", name, got, c.want)
		}
	}
}
