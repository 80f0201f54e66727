package expr

import (
	"errors"
	"strings"
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
		"[x + y for x in l for (y, z) in d.items() if x]", "(lambda f: f(f, n))(lambda f, i: i if i < 1 else f(f, i - 1))",
		"sorted(l, key=lambda x: str(x))", "any(x for x in zip(l, enumerate(a, 1)))", "set(l) - set([3]) | set(a)", "l[slice(1)]",
		"datetime.datetime.now() + datetime.timedelta(days=1.5)", "datetime.datetime.strptime(a, '%Y-%m-%d %z')",
		"datetime.date.today().isocalendar()[1]", "time.strftime('%c', time.localtime(n))", "json.dumps(d, indent=2, sort_keys=True)",
		"json.loads('[1]')", "hashlib.sha1(u.encode()).hexdigest()", "os.path.join(a, u)", "random.sample(l, 2)",
		"re.sub('(?P<x>.)b', r'\\g<x>', a)", "re.split('[^a-z]+', u, 1)", "re.compile('a', re.I | re.S)", "u | n, h, trim", "a.encode() | n,decode.utf8",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, source string) {
		text := "<${" + source + "}>"
		v, err := Render(text, fuzzVariables(), testEnvironment())
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

// FuzzPattern checks that no pattern makes a match fail but by a budget, and that what is found lies in the text.
func FuzzPattern(f *testing.F) {
	for _, seed := range []string{
		"a", "(a+)+$", "[^\\W\\d]{2,3}?", "(?im)^a|b$", "(?P<x>a)(?:b|)*", "\\b\\w\\B", "[]a-z\\]]", "(?s:.)(?-i:A)", "\\x41\\101", "(?#c)a{,2}",
	} {
		f.Add(seed, "aAb\n中b", `\g<0>\1`)
	}
	f.Fuzz(func(t *testing.T, pattern, text, template string) {
		for _, source := range []string{
			"[(m.start(), m.end(), m.groups()) for m in re.finditer(p, s)]", "re.sub(p, t, s)", "re.split(p, s)", "re.fullmatch(p, s)",
			"[s[m.start():m.end()] == m.group() for m in re.finditer(p, s)]",
		} {
			got, err := Render("<${"+source+"}>", variables("p", pattern, "s", text, "t", template), testEnvironment())
			if err != nil {
				limitOf(t, err)
				return
			}
			if utf8.ValidString(text) && strings.Contains(got.(string), "False") && strings.HasPrefix(source, "[s") {
				t.Fatalf("%q in %q: %s", pattern, text, got)
			}
		}
	})
}
