package expr

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stdops/stdops"
)

// limitOf gives the name of the budget in err, "" for no error.
func limitOf(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	limit, ok := errors.AsType[*LimitError](err)
	if !ok {
		t.Fatalf("error is no LimitError: %v", err)
	}
	return limit.Which
}

// still renders with a clock that stands, so that the outcome does not depend on the machine.
func still(v any, vars Lookup) error {
	r := newRenderer(vars, testEnvironment())
	r.now = func() time.Time { return time.Time{} }
	_, err := r.value(v)
	return err
}

func TestLimits(t *testing.T) {
	t.Parallel()
	many := func(s string, n int) string { return strings.Repeat(s, n) }
	vars := variables("n", int64(10), "nine", int64(9), "s", many("a", 1<<19), "mib", many("a", maxSize),
		"long", values(anyOf("x", 50_000)...), "a", "abc")
	for _, test := range []struct{ name, source, want string }{
		{"text repeated", "'a'*n**10", "size"},
		{"text repeated a little", "'a'*n**5", ""},
		{"text repeated by a variable", "s * 3", "size"},
		{"list repeated", "[1] * n**9", "size"},
		{"list of lists repeated", "[[1]*50000]*50000", "steps"},
		{"tower of powers", "nine**nine**nine**nine", "size"},
		{"power", "10**5000", "size"},
		{"power that fits", "10**4000", ""},
		{"power in words", "pow(n, n**n)", "size"},
		{"modular power", "pow(7**5000, 7**5000, 7**5000-1)", "steps"},
		{"product", "(10**4000)*(10**4000)", "size"},
		{"width", `"%9999999d" % 1`, "size"},
		{"width beyond 64 bits", `"%99999999999999999999d" % 1`, "size"},
		{"width as argument", `"%*d" % (n**8, 1)`, "size"},
		{"precision", `"%.9999999f" % 1.0`, "size"},
		{"replace", "s.replace('a', 'aaa')", "size"},
		{"replace nothing", "s.replace('', 'aaa')", "size"},
		{"join", "s.join(['', '', '', ''])", "size"},
		{"join letters", "s.join('ab')", ""},
		{"join many letters", "s.join('abcd')", "size"},
		{"fill with zeros", "'1'.zfill(n**9)", "size"},
		{"pad", "'1'.ljust(n**9, 'x')", "size"},
		{"centre", "'1'.center(2**62)", "size"},
		{"sum of texts", "mib + 'a'", "size"},
		{"all memory", many("'a'*1000000+", 20) + "'a'", "size"},
		{"memory of parts", "[" + many("'a'*1000000,", 20) + "]", "size"},
		{"split into letters", "len(mib.split('a'))", "steps"},
		{"lines", "len(('\\n'*70000).splitlines())", "size"},
		{"range", "len(range(n**15))", ""},
		{"range as list", "list(range(n**15))", "steps"},
		{"sum of a range", "sum(range(99999999))", "steps"},
		{"text of a shared list", "[[[[[1]*99]*99]*99]*99]", "size"},
		{"comparison of shared lists", "[[[1]*99]*99]*99 == [[[1]*99]*99]*99", "steps"},
		{"sorting", "len(sorted(long))", "steps"},
		{"numbers read for a key", "max(['8'*4000]*20000, key=int)", "steps"},
		{"fractions read for a key", "max(['8'*4000]*20000, key=float)", "steps"},
		{"few numbers read for a key", "max(['8'*4000]*500, key=int)[:0]", ""},
		{"many operations", many("1+", 30_000) + "1", ""},
		{"many texts", "len([" + many("s.upper(),", 300) + "])", "size"},
		{"parentheses", many("(", 30_000) + "n" + many(")", 30_000), "nesting"},
		{"parentheses without end", many("(", 30_000), "nesting"},
		{"brackets", many("[", 201) + many("]", 201), "nesting"},
		{"brackets that fit", many("[", 200) + many("]", 200), ""},
		{"indexes", many("a[", 201) + "0" + many("]", 201), "nesting"},
		{"calls", many("str(", 201) + "0" + many(")", 201), "nesting"},
		{"signs", many("-", 30_000) + "1", "nesting"},
		{"negations", many("not ", 15_000) + "1", "nesting"},
		{"powers", many("1**", 20_000) + "1", "nesting"},
		{"conditionals", many("1 if 1 else ", 5_000) + "1", "nesting"},
		{"a chain of indexes", "a" + many("[0]", 20_000), ""},
		{"a chain of attributes", "a" + many(".b", 30_000), ""},
		{"many names", manyNames(), ""},
		{"comprehensions inside of comprehensions", "[a for a in range(9999) for b in range(9999) for c in range(9999)]", "steps"},
		{"a generator without end of work", "any(0 for a in range(9999) for b in range(9999))", "steps"},
		{"a long list by a comprehension", "len([0 for x in range(n**4)])", ""},
		{"texts of a comprehension", "len([s.upper() for x in range(99)])", "size"},
		{"a lambda that calls itself", "(lambda f: f(f))(lambda f: f(f))", "nesting"},
		{"a lambda that calls itself twice", "(lambda f: f(f, 25))(lambda f, i: 1 if i == 0 else f(f, i - 1) + f(f, i - 1))", "steps"},
		{"a lambda that calls itself a little", "(lambda f: f(f, 150))(lambda f, i: 0 if i == 0 else f(f, i - 1))", ""},
		{"the combinator Y", "(lambda f: (lambda x: x(x))(lambda y: f(lambda v: y(y)(v))))(lambda g: lambda i: g(i + 1))(0)", "nesting"},
		{"lambdas", many("lambda: ", 300) + "0", "nesting"},
		{"comprehensions nested", many("[", 250) + "x" + many(" for x in s]", 250), "nesting"},
		{"a list that grows around itself", "str([l for l in [[]] for i in range(9000) for l in [[l]]][-1])", "nesting"},
		{"growing lists compared", "(lambda a, b: a == b)([l for l in [[]] for i in range(3300) for l in [[l]]][-1], [l for l in [[]] for i in range(3300) for l in [[l]]][-1])", "nesting"},
		{"growing lists ordered", "(lambda a, b: a < b)([l for l in [[]] for i in range(3300) for l in [[l]]][-1], [l for l in [[]] for i in range(3301) for l in [[l]]][-1])", "nesting"},
		{"growing tuples in a set", "set([l for l in [()] for i in range(9000) for l in [(l,)]][-1:])", "nesting"},
		{"a generator that grows around itself", "list([g for g in [[1]] for i in range(9000) for g in [(x for x in g)]][-1])", "nesting"},
		{"zips that grow around themselves", "list([g for g in [[1]] for i in range(3500) for g in [zip(g)]][-1])", "nesting"},
		{"sorting by a lambda", "sorted(range(30000), key=lambda x: -x)", "steps"},
		{"a key that makes texts", "len(sorted(range(90), key=lambda x: s + str(x)))", "size"},
		{"a set of long texts", "len(set(s + str(x) for x in range(99)))", "size"},
		{"a set of many numbers", "len(set(range(9000)))", ""},
		{"products by a lambda", "(lambda f: f(f, 2, 60))(lambda f, x, i: x if i == 0 else f(f, x * x, i - 1))", "size"},
		{"large numbers again and again", "[0 for x in range(9999) if 10**4000]", "steps"},
		{"large numbers that become small", "[0 for x in [10**4000] for y in range(9999) if x // 7]", "steps"},
		{"a sum of large numbers", "sum(10**4299 for x in range(9))", "size"},
		{"hash of much", "[hashlib.md5(x).hexdigest() for x in [s.encode()] for i in range(99)]", "steps"},
		{"bytes repeated", "s.encode() * 9", "size"},
		{"bytes as a list", "list(s.encode())", "steps"},
		{"JSON of shared lists", "json.dumps([[[[[1]*99]*99]*99]*99])", "steps"},
		{"JSON with a wide indent", "json.dumps([[[[1]]]], indent=n**9)", "size"},
		{"JSON with deep indents", "json.dumps([l for l in [[]] for i in range(3000) for l in [[l]]][-1], indent=1000)", "size"},
		{"JSON of a list that grows around itself", "json.dumps([l for l in [[]] for i in range(9000) for l in [[l]]][-1])", "nesting"},
		{"JSON that asks a function for ever", "json.dumps(set(), default=lambda x: x)", "nesting"},
		{"JSON of many values", "json.loads('[' + '[],' * 99999 + '1]')", "size"},
		{"JSON of a long text", "len(json.loads('\"' + s + '\"'))", ""},
		{"path", "os.path.join(s, s, s)", "size"},
		{"a common prefix", "os.path.commonprefix([s, s])", "size"},
		{"a sample", "random.sample(range(n**6), 3)", "steps"},
		{"choices", "random.choices('ab', k=n**9)", "steps"},
		{"many timedeltas", "sum([datetime.timedelta(i) for i in range(40000)], datetime.timedelta())", "steps"},
		{"a time layout", "datetime.datetime.now().strftime('%c' * 100000)", "size"},
		{"a time layout of steps", "[time.strftime('%d' * 50000) for i in range(3)]", "steps"},
		{"a layout that is read", "datetime.datetime.strptime('1', 'a' * 500000)", "steps"},
		{"a pattern that other engines try for ever", "re.match('(a+)+b', 'a' * 2000)", ""},
		{"many ways to match", "re.match('(a|a|aa)*b', 'a' * 2000)", ""},
		{"a pattern of many options", "re.match('a?' * 90 + 'a' * 90, 'a' * 90).end()", ""},
		{"a long text of many threads", "re.search('(a+)+b', s)", "steps"},
		{"a search that begins everywhere", "re.findall('a.*b|a', s[:50000])", "steps"},
		{"a replacement that grows", "re.sub('a', 'b' * 999, s)", "size"},
		{"a replacement by groups", "re.sub('(a+)', '.1' * 9, s[:20000]).replace('.', '')[:0]", ""},
		{"a replacement by long groups", "re.sub('(.*)', r'\\1' * 99, s[:20000])", "size"},
		{"a replacement by a function", "re.sub('a', lambda f: s, 'aaa')", "size"},
		{"matches of a long text", "len(re.findall('a', s))", "size"},
		{"a long split", "len(re.split('', s))", "size"},
		{"groups inside of groups", "re.compile('(' * 300 + ')' * 300)", "nesting"},
		{"many groups", "re.compile('()' * 5000)", "size"},
		{"a long pattern", "re.compile('ab|' * 9000)", "size"},
		{"classes", "re.compile(r'[\\W]' * 9000)", "size"},
		{"patterns that are all different", "[re.compile('ab' * i) for i in range(300)]", "steps"},
		{"source", "'" + many("x", maxSource) + "'", "source"},
		{"source that fits", "'" + many("x", maxSource-2) + "'", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			err := still("<${"+test.source+"}>", vars)
			if got := limitOf(t, err); got != test.want {
				t.Errorf("limit %q, want %q", got, test.want)
			}
		})
	}
}

// TestLimitsOfPatterns has patterns out of variables, as braces cannot stand in a fragment.
func TestLimitsOfPatterns(t *testing.T) {
	t.Parallel()
	for pattern, want := range map[string]string{
		"(a{1000}){1000}": "size", "a{1001}": "size", "a{99999999999999999999}": "size", "((a{100}){100}){100}": "size",
		"(((((a*){9}){9}){9}){9}){9}": "size", "(a{0,100}){0,100}": "size", `(\w{30}){30}`: "", "a{1000}": "", "x{2,1}": "",
		"(?:a{500}|b{500}){15}": "size",
	} {
		if got := limitOf(t, still("<${re.findall(p, 'a' * 999)}>", variables("p", pattern))); got != want {
			t.Errorf("%s: limit %q, want %q", pattern, got, want)
		}
	}
}

func anyOf(v any, n int) []any {
	items := make([]any, n)
	for i := range items {
		items[i] = v
	}
	return items
}

// manyNames lists as many different names as the source may hold.
func manyNames() string {
	var b strings.Builder
	b.WriteString("[")
	for i := 0; b.Len() < maxSource-10; i++ {
		b.WriteString("v" + string(rune('a'+i%26)) + string(rune('a'+i/26%26)) + string(rune('a'+i/676)) + ",")
	}
	return b.String() + "]"
}

func TestLimitError(t *testing.T) {
	t.Parallel()
	if got, want := (&LimitError{"size"}).Error(), "expression limit: size"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestLimitsOfACall(t *testing.T) {
	t.Parallel()
	half := strings.Repeat("a", maxSize/2)
	vars := variables("half", half, "l", values(half, half), "big", strings.Repeat("a", 2*maxSize))
	deep := any("lol")
	for range 40 {
		deep = values(deep, deep)
	}
	for _, test := range []struct {
		name     string
		template any
		vars     Lookup
		want     string
	}{
		{"inside of a list", values("${big}"), vars, "size"},
		{"inside of a text", "x${big}", vars, "size"},
		{"texts side by side", "${half}${half}", vars, ""},
		{"text around them counts", "${half}${half}!", vars, "size"},
		{"texts of a list", values("${half}", "x${half}", "${half}"), vars, "size"},
		{"doubled lists", values("${deep}"), variables("deep", deep), "size"},
		{"doubled lists in a text", "x${deep}", variables("deep", deep), "size"},
		{"values of objects", stdops.NewObject("a", "${l}", "b", "${half}"), vars, "size"},
		{"many fragments of many steps", manySums(40), vars, "steps"},
		{"the same fragment is evaluated once", strings.Repeat("${sum(range(40000))}", 2000), vars, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			err := still(test.template, test.vars)
			if got := limitOf(t, err); got != test.want {
				t.Errorf("limit %q, want %q", got, test.want)
			}
		})
	}
}

func TestSingleVariableHasAnySize(t *testing.T) {
	t.Parallel()
	big := strings.Repeat("a", 2*maxSize)
	if got, err := Render("${big}", variables("big", big), Environment{}); err != nil || got != big {
		t.Errorf("not the value itself: %v", err)
	}
}

func manySums(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("${sum(range(" + string(rune('1'+i%9)) + ", 30000 + " + strings.Repeat("1+", i) + "1))}")
	}
	return b.String()
}

func TestTimeLimit(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		perLook time.Duration
		want    string
	}{
		{time.Millisecond, ""},
		{30 * time.Millisecond, "time"},
	} {
		clock := time.Unix(0, 0)
		r := newRenderer(variables(), Environment{})
		r.now = func() time.Time {
			clock = clock.Add(test.perLook)
			return clock
		}
		_, err := r.text("${" + strings.Repeat("1+", 5000) + "1}")
		if got := limitOf(t, err); got != test.want {
			t.Errorf("%v a look: limit %q, want %q", test.perLook, got, test.want)
		}
	}
}
