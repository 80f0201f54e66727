package main

import (
	"testing"
	"time"

	"github.com/stdops/stdops/client"
)

func TestLogTextSteersNoTerminal(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain\ntext\n":                  "plain\ntext\n",
		"\x1b[1;31mred\x1b[0m":           "red",
		"\x1b]0;title\x07\x1b[2J\x1b[8m": "\uFFFD]0;title\uFFFD\uFFFD[2J",
		"10 %\r20 %\r\ndone":             "10 %\n20 %\ndone",
		"a\tb":                           "a\tb",
		"\u202Eevil\u2028":               "\uFFFDevil\uFFFD",
		"\u009b31m":                      "\uFFFD31m",
		"\x1b[0\x1b[0mm is not made of its parts": "\uFFFD[0m is not made of its parts",
	} {
		if got := logText(in); got != want {
			t.Errorf("%q is shown as %q, want %q", in, got, want)
		}
	}
}

func TestTimedTextBeginsEachLineWithItsTime(t *testing.T) {
	t.Parallel()
	first := time.Date(2026, 5, 4, 12, 0, 0, 5_000_000, time.Local)
	at := func(d time.Duration) string { return first.Add(d).Format(lineTime) }
	part := &client.NodeLog{Text: "old\none\ntwo", From: 100, Times: []client.LogTime{{From: 104, At: first}, {From: 106, At: first.Add(time.Minute)}}}
	if got, want := timedText(part, false), "- old\n"+at(0)+" one\n"+at(time.Minute)+" two"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	rest := &client.NodeLog{Text: " and a half\n\x1b[31mthree\n", From: 111, Times: []client.LogTime{{From: 111, At: first}}}
	if got, want := timedText(rest, true), " and a half\n"+at(0)+" three\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
