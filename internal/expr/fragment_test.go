package expr

import (
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// TestCompileTakesNamesAsTheParserDoes: what is not parsed because it is only a name means what the parser would say.
func TestCompileTakesNamesAsTheParserDoes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		source := rapid.OneOf(
			rapid.StringMatching(`[a-z_0-9\x{e9}\x{660}]{1,4}`),
			rapid.SampledFrom([]string{"while", "True", "None", "__x", "_x", "self", "context", "loop", "caller", "a b", " a", "a.b", "1", "x1", "in"}),
		).Draw(t, "source")
		tree, p, err := parse(source)
		want := &fragment{tree: tree, names: p.names, refused: p.refused, err: err}
		diff := cmp.Diff(want, compile(source), cmp.Exporter(func(reflect.Type) bool { return true }), cmpopts.EquateErrors())
		if diff != "" {
			t.Fatalf("%q (-parsed +compiled):\n%s", source, diff)
		}
	})
}
