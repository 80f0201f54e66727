package plugin_test

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/stdops/stdops/internal/plugin"
)

// However bytes are cut into writes, the text is valid; where they were valid text without zero bytes, nothing changes.
func TestTextWriter(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.OneOf(
			rapid.SliceOf(rapid.Byte()),
			rapid.Map(rapid.String(), func(s string) []byte { return []byte(s) }),
		).Draw(t, "in")
		var out bytes.Buffer
		w := plugin.NewTextWriter(&out)
		for rest := in; len(rest) > 0; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "n")
			if wrote, err := w.Write(rest[:n]); wrote != n || err != nil {
				t.Fatalf("wrote %d of %d, %v", wrote, n, err)
			}
			rest = rest[n:]
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		got := out.String()
		if !utf8.ValidString(got) || strings.ContainsRune(got, 0) {
			t.Fatalf("%q became %q", in, got)
		}
		if utf8.Valid(in) && !bytes.Contains(in, []byte{0}) && got != string(in) {
			t.Fatalf("%q became %q", in, got)
		}
	})
}

func TestText(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain":             "plain",
		"\xff\xfe\x00ok":    "\uFFFD\uFFFDok",
		"\x1b[31mred\x1b[m": "\x1b[31mred\x1b[m",
		"caf\xc3":           "caf\uFFFD",
	} {
		if got := string(plugin.Text([]byte(in))); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}
