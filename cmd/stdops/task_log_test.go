package main

import "testing"

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
