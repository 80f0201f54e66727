package expr

import (
	"errors"
	"testing"
	"unicode/utf8"

	"github.com/stdops/stdops"
)

func fuzzVariables() Lookup {
	return variables("a", "abc", "n", int64(7), "l", values(int64(3), "x", 1.5, nil), "d", stdops.NewObject("k", values(true)),
		"u", "中文é", "f", -0.5, "e", "")
}

func FuzzRender(f *testing.F) {
	for _, seed := range []string{
		"a[::-1] * n + '%5s' % u", "sorted(l, key=str, reverse=True)[0]", "d.items()", "1 if n in l else not e",
		"-7 // 2.5 ** -1 % 3", "'%(k)s|%*.*f' % d", "u.center(9, '*').split(sep='*', maxsplit=2)", "range(9)[1::3]",
		"a.rsplit(None, 1)", "n**n**n", "a.replace('', 'x', 2)", "round(2.5e3, -2)", "int('0x1f', 0)", `r"\x" "\u0041"`,
		"dict([('a', 1)], b=(2,))", "max(l, default=1)", "pow(3, -1, 7)", "f is not None", "u.partition('文')", "((((a))))",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, source string) {
		text := "<${" + source + "}>"
		v, err := Render(text, fuzzVariables(), Environment{})
		if err != nil {
			limitOf(t, err)
			return
		}
		got, ok := v.(string)
		if !ok || len(got) > maxSize && got != text {
			t.Fatalf("%T of %d bytes", v, len(got))
		}
		if utf8.ValidString(text) && !utf8.ValidString(got) {
			t.Fatalf("%q became %q, which is no UTF-8", text, got)
		}
		References(text)
	})
}

func FuzzCondition(f *testing.F) {
	for _, seed := range []string{
		"1 == 1 and (a.b notin (1, 'x') or ${x} >= -1.5e3)", `"${x}-\n" issuperset ("a")`, "${x}", "*", "((1) == 1)",
		"007 in 'a'or 1e3 < 2", `${a["k"]} == "${x}"`, "TRUE != ${nope}", "(${x},${x}) == (1,2)",
	} {
		f.Add(seed, "0 or 1==1")
		f.Add(seed, `("a", 1)`)
	}
	f.Fuzz(func(t *testing.T, text, value string) {
		c, parseErr := ParseCondition(text)
		vars := variables("x", value)
		_, err := c.Eval(vars, Environment{})
		if parseErr != nil && !errors.Is(err, parseErr) {
			t.Fatalf("Eval gives %v, ParseCondition %v", err, parseErr)
		}
		c.Text(vars, Environment{})
		References(text)
	})
}

// FuzzConditionShape checks that no value changes which comparisons a condition is made of.
func FuzzConditionShape(f *testing.F) {
	for _, seed := range []string{"0 or 1==1 or 0", `a" == "a" or "a`, "1) or (1 == 1", `("x", "y")`, "*", "true", "'x'"} {
		f.Add(seed)
	}
	c, err := ParseCondition(`("${x}" == "never") and "a" == "b" or ${x} == "never"`)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, value string) {
		if value == "never" {
			return
		}
		if passed, err := c.Eval(variables("x", value), Environment{}); passed {
			t.Fatalf("%q makes it true (%v)", value, err)
		}
	})
}
