package expr

import (
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops"
)

// exactly compares values of the closed set.
var exactly = cmp.Options{
	cmp.Comparer(func(a, b *big.Int) bool { return a.Cmp(b) == 0 }),
	cmp.Transformer("pairs", func(o *stdops.Object) [][2]any {
		pairs := [][2]any{}
		for _, k := range o.Keys() {
			v, _ := o.Get(k)
			pairs = append(pairs, [2]any{k, v})
		}
		return pairs
	}),
}

// variables makes a Lookup of name, value, name, value and so on.
func variables(pairs ...any) Lookup {
	object := stdops.NewObject(pairs...)
	return func(name string) (any, bool) { return object.Get(name) }
}

func values(items ...any) []any { return items }

// stays is the result of a fragment that is not replaced.
const stays = "\x00stays"

type result struct{ source, want string }

// testEnvironment has clocks that are eight hours ahead.
func testEnvironment() Environment {
	return Environment{
		Now: time.Date(2026, 11, 29, 20, 0, 5, 123456000, time.UTC), Zone: time.FixedZone("CST", 8*3600),
		Random: rand.NewPCG(1, 2),
	}
}

// renderOne renders a fragment. One with signs that cannot stand in a fragment is evaluated all the same: in a flow they
// come out of a variable, as the pattern does in re.match(p, a).
func renderOne(source string, vars Lookup) (any, error) {
	if !strings.ContainsAny(source, "${}#") {
		return Render("<${"+source+"}>", vars, testEnvironment())
	}
	result, err := newRenderer(vars, testEnvironment()).fragment(source)
	if !result.ok {
		result.text = "${" + source + "}"
	}
	return "<" + result.text + ">", err
}

// checkResults renders each source as a fragment inside of a text. The expected texts are those of Python 3.11.
func checkResults(t *testing.T, results []result) {
	vars := variables(
		"a", "abc", "n", int64(7), "neg", int64(-7), "f", 3.5, "t", true, "z", nil, "e", "",
		"l", values(int64(3), int64(1), int64(2)), "nest", values(values(int64(1), int64(2)), values(int64(1), int64(3))),
		"d", stdops.NewObject("k", values(int64(1), "a", nil, true), "b", 2.5), "big", new(big.Int).Lsh(big.NewInt(1), 70),
		"u", "中文字é", "m", "a-b-c", "w", "  x  y  z ", "q", "it's", "q2", `it's "x"`, "lines", "a\nb\r\nc\x0bd",
	)
	for _, r := range results {
		want := r.want
		if want == stays {
			want = "${" + r.source + "}"
		}
		got, err := renderOne(r.source, vars)
		if err != nil {
			t.Errorf("%s: %v", r.source, err)
			continue
		}
		if diff := cmp.Diff("<"+want+">", got, exactly); diff != "" {
			t.Errorf("%s (-want +got):\n%s", r.source, diff)
		}
	}
}
