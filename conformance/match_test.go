package conformance

import (
	"strings"
	"testing"

	"github.com/stdops/stdops"
)

// value decodes the JSON of a test.
func value(t *testing.T, text string) any {
	t.Helper()
	v, err := stdops.DecodeValue([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

func TestMatch(t *testing.T) {
	t.Parallel()
	saved := matcher{saved: map[string]any{"v": "abc", "n": int64(5)}}
	// Each expectation with one value that fits and one that does not, and the field that is reported then.
	for _, c := range []struct{ name, expected, fits, differs, field string }{
		{"text", `"a"`, `"a"`, `"b"`, "x"},
		{"text is no number", `"1"`, `"1"`, `1`, "x"},
		{"number", `1`, `1.0`, `2`, "x"},
		{"number is no boolean", `1`, `1`, `true`, "x"},
		{"boolean", `true`, `true`, `false`, "x"},
		{"null", `null`, `null`, `0`, "x"},
		{"huge number", `9223372036854775808`, `9223372036854775808`, `9223372036854775809`, "x"},
		{"object is a subset", `{"a":1}`, `{"a":1,"b":2}`, `{"b":2}`, "x.a"},
		{"object within", `{"a":{"b":1}}`, `{"a":{"b":1}}`, `{"a":{"b":2}}`, "x.a.b"},
		{"object is no list", `{}`, `{}`, `[]`, "x"},
		{"list item by item", `[1,{"a":1}]`, `[1,{"a":1,"b":1}]`, `[1,{"a":2}]`, "x[1].a"},
		{"list is as long", `[1]`, `[1]`, `[1,1]`, "x"},
		{"constant key is no form", `{"${v}":1}`, `{"${v}":1}`, `{"${v}":2}`, "x.${v}"},
		{"absent", `{"a":{"$absent":true}}`, `{}`, `{"a":null}`, "x.a"},
		{"$re", `{"$re":"^a.c$"}`, `"a\nc"`, `"ac"`, "x"},
		{"$re wants a text", `{"$re":"1"}`, `"1"`, `1`, "x"},
		{"$type", `{"$type":"str|null"}`, `null`, `1`, "x"},
		{"$type int", `{"$type":"int"}`, `1`, `1.0`, "x"},
		{"$type bool", `{"$type":"bool"}`, `false`, `0`, "x"},
		{"$in", `{"$in":[1,"a"]}`, `"a"`, `"b"`, "x"},
		{"$len", `{"$len":2}`, `[1,1]`, `[1]`, "x"},
		{"$len of nothing", `{"$len":0}`, `{}`, `null`, "x"},
		{"$max_len", `{"$max_len":1}`, `[]`, `[1,1]`, "x"},
		{"$desc", `{"$desc":"id"}`, `[{"id":2},{"id":1}]`, `[{"id":2},{"id":2}]`, "x"},
		{"$desc without the key", `{"$desc":"id"}`, `[]`, `[{"x":2}]`, "x"},
		{"$has", `{"$has":[1,2]}`, `[3,2,1]`, `[1,3]`, "x"},
		{"$has keys", `{"$has":["a"]}`, `{"a":1}`, `{"b":1}`, "x"},
		{"$lacks", `{"$lacks":[1]}`, `[2]`, `[2,1]`, "x"},
		{"$keys", `{"$keys":["a","b"]}`, `{"b":1,"a":1}`, `{"a":1,"b":1,"c":1}`, "x"},
		{"$between", `{"$between":[1,3]}`, `3`, `3.1`, "x"},
		{"$between wants a number", `{"$between":[0,1]}`, `1`, `true`, "x"},
		{"$exact", `{"$exact":{"a":1}}`, `{"a":1.0}`, `{"a":1,"b":1}`, "x"},
		{"$same", `{"$same":"v"}`, `"abc"`, `"abd"`, "x"},
		{"$not", `{"$not":"v"}`, `"abd"`, `"abc"`, "x"},
		{"$gt", `{"$gt":"n"}`, `6`, `5`, "x"},
		{"$gt of another kind", `{"$gt":"n"}`, `6`, `"6"`, "x"},
		{"$each", `{"$each":{"a":1}}`, `[{"a":1},{"a":1}]`, `[{"a":1},{"a":2}]`, "x[1].a"},
		{"$any", `{"$any":{"a":1}}`, `[{"a":2},{"a":1}]`, `[{"a":2}]`, "x"},
		{"several forms", `{"$len":1,"$any":1}`, `[1]`, `[2]`, "x"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if err := saved.match(value(t, c.expected), value(t, c.fits), "x"); err != nil {
				t.Errorf("does not match: %v", err)
			}
			m, ok := asMismatch(saved.match(value(t, c.expected), value(t, c.differs), "x"))
			if !ok {
				t.Fatalf("%s matches %s", c.expected, c.differs)
			}
			if m.field != c.field {
				t.Errorf("reported field %s, want %s", m.field, c.field)
			}
		})
	}
}

// A mistake in a case file is told apart from a server that answers something else.
func TestMatchMistakes(t *testing.T) {
	t.Parallel()
	for expected, want := range map[string]string{
		`{"$what":1}`:          "unknown matcher $what",
		`{"$same":"never"}`:    "nothing was saved",
		`{"$re":"("}`:          "missing closing",
		`{"$any":{"$what":1}}`: "unknown matcher",
	} {
		err := matcher{}.match(value(t, expected), []any{"a"}, "x")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", expected, err, want)
		}
		if _, differs := asMismatch(err); differs {
			t.Errorf("%s: reported as an answer of the server", expected)
		}
	}
}

func TestMismatchIsShort(t *testing.T) {
	t.Parallel()
	err := &mismatch{"a.b", "<a text>", strings.Repeat("ü", 1000)}
	if got := err.Error(); !strings.HasPrefix(got, `a.b: expected <a text>, got "ü`) || len(got) > 1400 {
		t.Errorf("got %q", got)
	}
}
