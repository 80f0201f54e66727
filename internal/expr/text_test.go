package expr

import (
	"encoding/json"
	"math"
	"math/big"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/stdops/stdops"
)

func TestText(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		value any
		want  string
	}{
		{nil, "None"},
		{true, "True"},
		{false, "False"},
		{int64(-5), "-5"},
		{"it's", "it's"},
		{"", ""},
		{new(big.Int).Lsh(big.NewInt(1), 64), "18446744073709551616"},
		{1.0, "1.0"},
		{0.1, "0.1"},
		{1e15, "1000000000000000.0"},
		{1e16, "1e+16"},
		{1e-4, "0.0001"},
		{1.5e-5, "1.5e-05"},
		{math.Copysign(0, -1), "-0.0"},
		{math.Inf(1), "inf"},
		{math.Inf(-1), "-inf"},
		{math.NaN(), "nan"},
		{1e100, "1e+100"},
		{9007199254740993.0, "9007199254740992.0"},
		{5e-324, "5e-324"},
		{values(), "[]"},
		{values(int64(1), "a", nil, true), "[1, 'a', None, True]"},
		{values("it's", `"x"`, `it's "x"`), `["it's", '"x"', 'it\'s "x"']`},
		{
			values("a\nb\t\r\\", "\x00\x1f\x7f", "中é😀", "\u00a0\u200b\u2028\U000e0001"),
			`['a\nb\t\r\\', '\x00\x1f\x7f', '中é😀', '\xa0\u200b\u2028\U000e0001']`,
		},
		{&stdops.Object{}, "{}"},
		{stdops.NewObject("k", values(1.5), "it's", nil), `{'k': [1.5], "it's": None}`},
	} {
		if diff := cmp.Diff(test.want, Text(test.value)); diff != "" {
			t.Errorf("%#v (-want +got):\n%s", test.value, diff)
		}
	}
}

func TestTextReadsBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOf(rapid.Int64()).Draw(t, "list")
		var back []int64
		if err := json.Unmarshal([]byte(Text(valuesOf(list))), &back); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(list, back); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	})
}

func TestFloatTextReadsBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := rapid.Float64().Draw(t, "float")
		back, err := strconv.ParseFloat(Text(f), 64)
		if err != nil || back != f {
			t.Fatalf("%v is written %s and read %v, %v", f, Text(f), back, err)
		}
	})
}

// What Text writes of a list of texts is an expression for the same list, unless it has braces or other signs that
// cannot occur inside of a fragment.
func TestTextIsAnExpression(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		list := valuesOf(rapid.SliceOf(rapid.StringMatching(`[^${}#]*`)).Draw(t, "list"))
		got, err := Render("<${"+Text(list)+"}>", variables(), Environment{})
		if err != nil || got != "<"+Text(list)+">" {
			t.Fatalf("%v became %v, %v", Text(list), got, err)
		}
	})
}

func valuesOf[T any](list []T) []any {
	items := make([]any, len(list))
	for i, v := range list {
		items[i] = v
	}
	return items
}
