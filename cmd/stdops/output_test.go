package main

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestTable(t *testing.T) {
	t.Parallel()
	type row struct{ a, b string }
	columns := []column[row]{
		{"A", func(r *row) string { return r.a }},
		{"B", func(r *row) string { return r.b }},
	}
	rows := []row{{"x", "FAILED"}, {"重启", "a rather long text"}, {"\x1b[2Jz", ""}, {"two\nlines", "a\tb\r\n"}}
	for name, c := range map[string]struct {
		look look
		want []string
	}{
		"file": {look{}, []string{
			"A          B",
			"x          FAILED",
			"重启       a rather long text",
			"\uFFFD[2Jz",
			"two lines  a b",
		}},
		"narrow": {look{terminal: true, width: 21}, []string{
			"A          B",
			"x          FAILED",
			"重启       a rather …",
			"\uFFFD[2Jz",
			"two lines  a b",
		}},
		"coloured": {look{colour: true}, []string{
			bold + "A" + plain + "          " + bold + "B" + plain,
			"x          " + red + "FAILED" + plain,
			"重启       a rather long text",
			"\uFFFD[2Jz",
			"two lines  a b",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if d := cmp.Diff(c.want, lines(c.look, rows, columns)); d != "" {
				t.Errorf("lines (-want +got):\n%s", d)
			}
		})
	}
}

func TestValuesOfSeveralLines(t *testing.T) {
	t.Parallel()
	got := lines(look{}, valueLines([]named{
		{"script", json.RawMessage(`"date\nuptime\n"`)},
		{"stdout", json.RawMessage(`"\u001b[31mred\u001b[0m\r\n\n\tlast\n"`)},
		{"none", json.RawMessage(`""`)},
		{"object", json.RawMessage(`{"a": "x\ny"}`)},
	}), valueColumns("OUTPUT"))
	want := []string{
		"OUTPUT  VALUE", "script  date", "        uptime", "stdout  red", "", "            last", "none", `object  {"a": "x\ny"}`,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("lines (-want +got):\n%s", d)
	}
}

func TestCutKeepsTheWidth(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text, to := rapid.String().Draw(t, "text"), rapid.IntRange(1, 20).Draw(t, "to")
		got := cut(text, to)
		if width(text) <= to && got != text {
			t.Fatalf("%q became %q, though it fits", text, got)
		}
		if width(got) > to {
			t.Fatalf("%q takes %d", got, width(got))
		}
	})
}

func TestQuotedTextIsOneWord(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"bin/stdops": "bin/stdops", "": "''", "a b": "'a b'", "it's": `'it'\''s'`, "$x": "'$x'", "~": "'~'", "a;b": "'a;b'",
	} {
		if got := quote(text); got != want {
			t.Errorf("quote(%q) = %s, want %s", text, got, want)
		}
	}
}

func TestConstants(t *testing.T) {
	t.Parallel()
	values, err := constants([]string{"a=1", "b:=1", "${c}:=[1, 2]", "d=x=y", "e="})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for key, value := range values {
		got[key] = string(value)
	}
	want := map[string]string{"${a}": `"1"`, "${b}": "1", "${c}": "[1, 2]", "${d}": `"x=y"`, "${e}": `""`}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("constants (-want +got):\n%s", d)
	}
	for _, bad := range []string{"a", "=1", ":=1", "a:=", "a:={"} {
		if _, err := constants([]string{bad}); err == nil {
			t.Errorf("--set %q was taken", bad)
		}
	}
}
