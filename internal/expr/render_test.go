package expr

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/stdops/stdops"
)

func TestRender(t *testing.T) {
	t.Parallel()
	system := stdops.NewObject("operator", "admin", "task_id", int64(9), "_secret", "x", "kill", "x", "items", "own")
	for _, test := range []struct {
		name     string
		template any
		vars     Lookup
		want     any
	}{
		{"whole text keeps its type", "${l}", variables("l", values(int64(1))), values(int64(1))},
		{"whole boolean", "${t}", variables("t", true), true},
		{"whole value of a reserved name", "${self}", variables("self", int64(1)), int64(1)},
		{"a builtin as variable", "${int}", variables("int", "cover"), "cover"},
		{"blanks make it a text", "${ n }", variables("n", int64(2)), "2"},
		{"in a text", "x${l}", variables("l", values(int64(1))), "x[1]"},
		{"boolean in a text", "${t}!", variables("t", true), "True!"},
		{
			"object in a text", "v: ${d}", variables("d", stdops.NewObject("k", values(int64(1), "a", nil, true))),
			"v: {'k': [1, 'a', None, True]}",
		},
		{
			"list of literals and an object", "${[True, None, 'a', 1.0, d]}", variables("d", stdops.NewObject("k", int64(1))),
			"[True, None, 'a', 1.0, {'k': 1}]",
		},
		{"sum", "${a+int(b)}", variables("a", int64(2), "b", "3"), "5"},
		{"index", "${a[0]}", variables("a", values(int64(1), int64(2))), "1"},
		{"key", `${a["b"]}`, variables("a", stdops.NewObject("b", int64(1))), "1"},
		{"missing", "${a}", variables(), "${a}"},
		{"missing attribute", "${a.b}", variables(), "${a.b}"},
		{"no expression", "${a:b}", variables("a", "1"), "${a:b}"},
		{"conditional", "a-${1 if t else 2}-${a}", variables("t", false, "a", "c"), "a-2-c"},
		{"format and conditional", "${'a-%s-c' % 1 if t else 2}", variables("t", true), "a-1-c"},
		{"only the good ones are replaced", "pre ${nope} post ${s}", variables("s", "abc"), "pre ${nope} post abc"},
		{"a name of a branch that is not taken", "${1 if True else nope}", variables(), "${1 if True else nope}"},
		{"builtin without variable", "${int}${len}", variables(), "<class 'int'><built-in function len>"},
		{"attribute of an object", "${_system.operator}", variables("_system", system), "admin"},
		{"number of an object", "${_system.task_id}", variables("_system", system), "9"},
		{"no such attribute", "${_system.nothing}", variables("_system", system), "${_system.nothing}"},
		{"private attribute", "${_system._secret}", variables("_system", system), "${_system._secret}"},
		{"forbidden attribute", "${_system.kill}", variables("_system", system), "${_system.kill}"},
		{"key instead of method", "${_system.items}", variables("_system", system), "own"},
		{"method instead of key", "${len(_system.items())}", variables("_system", system), "5"},
		{"line ends inside", "${ n\n + 1 }", variables("n", int64(2)), "3"},
		{"results are not rendered", "${a}${b}", variables("a", "${b}", "b", "${a}"), "${b}${a}"},
		{"results make no fragments", "$${a}", variables("a", "{b}", "b", "x"), "${b}"},
		{"braces end a fragment", "${a{b}}${a#b}${}${a", variables("a", "1"), "${a{b}}${a#b}${}${a"},
		{"begin inside of a begin", "${${a}}", variables("a", "1"), "${1}"},
		{
			"control text", "<% import json %> ${s}\n% if x:\n## ${s} {s} $s #{s}", variables("s", "1"),
			"<% import json %> 1\n% if x:\n## 1 {s} $s #{s}",
		},
		{
			"lists and objects", values("${s}", values("x${s}"), int64(1), nil), variables("s", "1"),
			values("1", values("x1"), int64(1), nil),
		},
		{
			"keys stay", stdops.NewObject("${s}", "${s}", "k", stdops.NewObject("z", "${l}")),
			variables("s", "1", "l", values(int64(7))),
			stdops.NewObject("${s}", "1", "k", stdops.NewObject("z", values(int64(7)))),
		},
		{"other values", int64(5), variables(), int64(5)},
		{"no fragment", strings.Repeat("x", 2*maxSize), variables(), strings.Repeat("x", 2*maxSize)},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := Render(test.template, test.vars, Environment{})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got, exactly); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestForbiddenStays(t *testing.T) {
	t.Parallel()
	vars := variables("a", "1", "obj", stdops.NewObject("_secret", "1", "os", "1"), "self", "1", "context", "1", "next", "1",
		"__x", "1", "d", stdops.NewObject("__k", "1"))
	for _, source := range []string{
		"exec(print(''))", `"".__class__.__mro__`, `getattr("", "upper")`, `__import__("os").system("whoami")`,
		"while True: pass", "self.module.cache.util.os", "context.lookup", "next", `os.path.os.popen("x").read()`,
		`datetime.sys.modules["os"]`, "obj._secret", "obj.os", "secret_var", "'x'|((f() or str))", "type('').mro()", "vars()",
		"format('', '')", "breakpoint()", "open('/etc/passwd').read()", "'%s'.format(1)", "a.format(1)", "a.format_map(1)",
		"a + __x", "d['__k']", "a.__class__", "import os", "(i for i in [1]).gi_frame.f_builtins['eval']",
		"'x'|().__class__.__bases__[0].__subclasses__", "True and self", "[self for x in [1]]", "[self for self in [1]]",
		"(lambda self: self)(1)", "[__y for __y in [1]]", "[1 for __y in [1]]", "[x.__class__ for x in [1]]", "(lambda: 0).__code__",
		"(lambda x: x.format(1))('')", "[d['__k'] for x in [1]]", "datetime.datetime.__class__", "json.codecs.sys", "json.codecs",
		"os.system('id')", "os.environ", "os.popen('id')", "os.path.exists('/')", "os.path.abspath('a')", "os.path.genericpath.os",
		"os.path.expanduser('~')", "os.path.realpath('a')", "os.listdir('.')", "time.sleep(1)", "random._os.system('id')",
		"random.SystemRandom().random()", "hashlib.sys", "json.load(a)", "datetime.sys", "map(str, [1])", "filter(None, [1])",
		"iter([1])", "next(iter([1]))", "input()", "print(1)", "id(1)", "hash(1)", "chr(1)", "isinstance(1, int)", "eval('1')",
	} {
		text := "<${" + source + "}>"
		got, err := Render(text, vars, Environment{})
		if err != nil || got != text {
			t.Errorf("%s: got %v, %v", source, got, err)
		}
	}
}

func TestReferences(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		value any
		want  []string
		has   bool
	}{
		{"none", "text", nil, false},
		{"nested", values("${a}", values("${a}", "${a+int(b)}")), []string{"a", "int", "b"}, true},
		{"index and format", values(`${a["c"]}`, `${"%s" % a}`), []string{"a"}, true},
		{"order of appearance", "${x if y else z} ${w.y}", []string{"x", "y", "z", "w"}, true},
		{"object values, no keys", stdops.NewObject("${k}", "${v}"), []string{"v"}, true},
		{"literals only", "${7 // 2}${'x'}${[1, 2]}${True}", nil, false},
		{"unreadable", "${a b}${while True: pass}${a:b}", nil, false},
		{"keyword arguments are no names", "${sorted(l, reverse=r)}${int(base=base)}", []string{"sorted", "l", "r", "int", "base"}, true},
		{"a keyword that is a name later", "${dict(k=1, j=k)}", []string{"dict", "k"}, true},
		{"names of comprehensions stay inside", "${[x + n for x in l if x > k]}${(y for y, (z, w) in m)}", []string{"n", "l", "k", "m"}, true},
		{"the first iterable is outside", "${[x for x in x for y in x]}", []string{"x"}, true},
		{"nested comprehensions", "${[[x + y for x in y] for y in l]}", []string{"l"}, true},
		{"a comprehension inside of the first iterable", "${[x for x in [y for y in x]]}", []string{"x"}, true},
		{"names of a lambda stay inside", "${(lambda x, y=z: x + y + n)(m)}", []string{"z", "n", "m"}, true},
		{"defaults of a lambda are outside", "${lambda x=x: x}", []string{"x"}, true},
		{"a lambda inside of a comprehension", "${[(lambda y: x + y + z)(1) for x in l]}", []string{"z", "l"}, true},
		{"a name inside and outside", "${[x for x in l] + x}", []string{"l", "x"}, true},
		{"a comprehension of literals", "${[x for x in [1]]}", nil, false},
		{"modules", "${datetime.datetime.now()}", []string{"datetime"}, true},
		{"a comprehension without end", "${[x for x in l}", nil, false},
		{"attributes are no names", "${_system.task_id}", []string{"_system"}, true},
		{"too deep, which has to be shown", "${" + strings.Repeat("(", 300) + "}", nil, true},
		{"too long, which has to be shown", "${" + strings.Repeat("a", maxSource+1) + "}", nil, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, References(test.value)); diff != "" {
				t.Errorf("References (-want +got):\n%s", diff)
			}
			if got := HasReference(test.value); got != test.has {
				t.Errorf("HasReference = %v", got)
			}
		})
	}
}

func TestRenderLeavesTextsWithoutNames(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "text")
		got, err := Render("$"+s, variables(), Environment{})
		if err != nil || !HasReference("$"+s) && !strings.Contains(s, "{") && got != "$"+s {
			t.Fatalf("%q became %v, %v", s, got, err)
		}
	})
}

func TestLiteral(t *testing.T) {
	t.Parallel()
	v := stdops.NewObject("a", []any{"${x} ${y.__class__} ${os}", "${VAR:-1}"}, "b", "${self}", "c", int64(1))
	if diff := cmp.Diff([]string{"${y.__class__}", "${VAR:-1}", "${self}"}, Literal(v)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
