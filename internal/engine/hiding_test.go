package engine

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/stdops/stdops"
)

// TestHidingWriterHidesInPieces writes texts in pieces: no secret comes out, and nothing else is lost at the end.
func TestHidingWriterHidesInPieces(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		secret := rapid.StringOfN(rapid.RuneFrom([]rune("ab")), 1, 6, -1)
		secrets := stdops.SecretsOf(secret.Draw(t, "one"), secret.Draw(t, "another"))
		text := rapid.StringOfN(rapid.RuneFrom([]rune("ab\n")), 2, 40, -1).Draw(t, "text") + "."
		var got strings.Builder
		w := &hidingWriter{to: &got, secrets: secrets}
		for rest := text; rest != ""; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "piece")
			if _, err := w.Write([]byte(rest[:n])); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		w.flush()
		for _, s := range secrets {
			if len(s) >= 4 && strings.Contains(got.String(), s) {
				t.Fatalf("%q shows %q of %q", got.String(), s, text)
			}
		}
		if shown := strings.ReplaceAll(got.String(), stdops.Hidden, ""); len(shown) > len(text) || !strings.HasSuffix(got.String(), ".") {
			t.Fatalf("%q became %q", text, got.String())
		}
	})
}
