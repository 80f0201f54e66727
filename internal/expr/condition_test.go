package expr

import (
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops"
)

// The outcomes of a condition that is neither true nor false.
const (
	noRule   = "syntax"
	mismatch = "type"
)

// outcome evaluates a condition and names what came out: true, false, syntax, type or the budget.
func outcome(t *testing.T, text string, vars Lookup) string {
	t.Helper()
	c, parseErr := ParseCondition(text)
	passed, err := c.Eval(vars, Environment{})
	if parseErr != nil && !errors.Is(err, parseErr) {
		t.Errorf("%q: Eval gives %v, ParseCondition %v", text, err, parseErr)
	}
	if _, ok := errors.AsType[*SyntaxError](err); ok {
		return noRule
	}
	if limit, ok := errors.AsType[*LimitError](err); ok {
		return limit.Which
	}
	switch {
	case err != nil:
		return mismatch
	case passed:
		return "true"
	default:
		return "false"
	}
}

func TestConditionTable(t *testing.T) {
	t.Parallel()
	for want, texts := range map[string][]string{
		"true": {
			"abc == abc", `10 > "9"`, `"a" in "abc"`, `1 in ("1",2)`, `1.0 in ("1.0",1)`, `"x" notin (1,2)`, `"x" IN ("x")`,
			`("a","b") issuperset ("a")`, `("a","b") issuperset "a"`, `("a") notissuperset "b"`, "(1==2 and 1==1) or 2==2",
			"1 == 1 AND 2 == 2", "*", `"a\nb" == "a\nb"`, "-1 < 0", "+1 == 1", ".5 == 0.5", "5. == 5", "007 == 7",
			"1.5e1 == 15", `in == "in"`, `_x == "_x"`, `a.b == "a.b"`, `abc123 == "abc123"`, "(1,2) == (1,2)", "\"\" == ''",
			`"it's" == "it's"`, `"中文" == "中文"`, `None == "None"`, `1 == 1 or "a" > 1`, "False == 0", `false == "0"`,
			"True == true", `"1" == True`, `"3.14" == 3.14`, `"2021-01-01" > "2020-12-31"`, "1 == 1 or 1 == 2 and 1 == 2",
			"3 == 3.7", "1.0 == 1", `1.0 == "1.0"`, "2 > 1.9", `true == "1"`, "TRUE == True", `"a"in("a")`, `1in(1)`,
			`"b" in ("a","b")`, `"z" notin "abc"`, "(1 == 1)", "((((1 == 1))))", "1 == 2 or (1 == 1 and 2 == 2)",
			"(1==1)and(2==2)", `"a" != "b"`, "2 >= 2", "2 <= 3", `${a} == "${a}"`, `${a == "${a"`, "a} == 'a}'", "\t1\n==\r1 ",
			`(1, "b") == (1 , "b")`, "(1,2) issuperset (true)", "(1.0,2) issuperset 	(1)", `(1,2) == "[1, 2]"`, "1 in (2,3,1.5)",
			"100000000000000000000 == 100000000000000000000.0", `"x" == "x" Or 1 == 2`, "1.5 != 2.5",
		},
		"false": {
			`"10" > "9"`, `1 == "1.0"`, `"abc" issuperset "a"`, `(1,2) issuperset ("1")`, "1 == 2 and 1 == 1 or 1 == 1",
			"1 == 2 or 1 == 1 and 1 == 2", `True == "true"`, `true == "true"`, `"a" <= "49"`, `"" == 0`, `0 == ""`,
			`false == ""`, "(1) == 1", "1.5 > 1", "1 < 1.5", `"1.5" == 1`, "1 == 2", "2 != 2", `"a" == "A"`, "True == False",
			`"d" in "abc"`, "3 in (1,2)", `"a" notin ("a")`, `${nope} == "1"`, "1 == 2 or 1 == 3", "1 == 2 and 'a' > 1",
			`1.5 in ("1.5")`, `"1" issuperset (1)`,
		},
		mismatch: {
			`"abc" > 1`, "1 in 2", "1e3 == 1000", `1 == 1 or 1e3 == 1`, `"1.5" > 1`, "1 issuperset 2", "1 in 'a'", "(1,2) < 3",
			"(1) > (a)",
		},
		noRule: {
			`"x" not in (1,2)`, `"x" in ()`, "1", "true", `"a"`, "", "1 = 1", "1 eq 1", "1 == 1 && 2 == 2", "not 1 == 1",
			"\"a\nb\" == \"a\nb\"", "\"a\rb\" == 1", `10.0.0.1 == "10.0.0.1"`, `trueish == "trueish"`, `123abc == "123abc"`,
			`a-b == "a-b"`, `中文 == "中文"`, "1 == 1 1 == 1", "1==1 or 1/0 == 1", "1==1and 2==2", "(1==1", "1==1)", "()",
			`"a == 1`, "1 ==", "== 1", "1 == 1 or", "and 1 == 1", "a. == 1", "a..b == 1", "[1] == 1", "${a} == 1 2", "* ",
			"(1==1) == (2==2)", "((1,2),3) == 1", "(1,) == 1", "1 ==== 1", "- 1 == 1", "`a` == 1", "1.e == 1",
		},
	} {
		for _, text := range texts {
			if got := outcome(t, text, variables()); got != want {
				t.Errorf("%q is %s, want %s", text, got, want)
			}
		}
	}
}

func TestConditionVariables(t *testing.T) {
	t.Parallel()
	attack := `0 or 1==1 or 0`
	quoted := `x" == "x" or "a" == "a`
	for _, test := range []struct {
		text  string
		value any // of ${x}
		want  string
	}{
		{`${x} == 1`, attack, "false"},
		{`"${x}" == 1`, attack, "false"},
		{`"${x}" == "0 or 1==1 or 0"`, attack, "true"},
		{`"${x}" == "y"`, quoted, "false"},
		{`${x} == "y"`, quoted, "false"},
		{`'${x}' == 'a'`, "a' == 'a", "false"},
		{`${x} == 1`, `1) or (1 == 1`, "false"},
		{`${x}`, attack, "syntax"},
		{`${x}`, `0 == 1 or 1==1`, "true"},
		{` ${x} `, `1 == 2`, "false"},
		{`${x}`, "*", "true"},
		{`${x}`, true, "syntax"},
		{`${x}`, `${y} == "${y}"`, "true"},
		{`${x}`, `${y + 1} == 3`, "syntax"},
		{`${x} == "abc"`, "abc", "true"},
		{`"${x}" == "abc"`, "abc", "true"},
		{`"${x}" in "xabcx"`, "abc", "true"},
		{`"-${x}-" == '-abc-'`, "abc", "true"},
		{`${x} == 2`, int64(2), "true"},
		{`${x} == 2`, "2", "true"},
		{`${x} == 2`, " 2\n", "true"},
		{`${x} > 1 and ${x} < 3`, int64(2), "true"},
		{`${x} > 10`, "9", "false"},
		{`"${x}" > "10"`, "9", "true"},
		{`${x} == 1.5`, 1.5, "true"},
		{`${x} == "1e+16"`, 1e16, "true"},
		{`${x} == true`, true, "true"},
		{`${x} == true`, "True", "true"},
		{`${x} == false`, "FALSE", "true"},
		{`"${x}" == "True"`, true, "true"},
		{`${x} == 1`, `"1"`, "true"},
		{`${x} == "a"`, `"a"`, "true"},
		{`${x} == "a"`, `'a'`, "true"},
		{`${x} == "'a"`, `'a`, "true"},
		{`"b" in ${x}`, `("a", "b")`, "true"},
		{`"b" in ${x}`, ` ( "a" , 'b') `, "true"},
		{`2 in ${x}`, `(1,2)`, "true"},
		{`2 in ${tuple(x)}`, values(int64(1), int64(2)), "true"},
		{`"(a,b)" == ${x}`, `(a,b)`, "true"},
		{`${x} == ""`, "", "true"},
		{`"${x}" == ""`, "", "true"},
		{`${x} == "None"`, nil, "true"},
		{`${x} == "1e3"`, "1e3", "true"},
		{`${x} == "10.0.0.1"`, "10.0.0.1", "true"},
		{`${x} == "a-b c"`, "a-b c", "true"},
		{`"${x}" == "a\nb"`, "a\nb", "true"},
		{`"${x}" == "a\nb"`, `a\nb`, "true"},
		{`${x} == "a\nb"`, `a\nb`, "true"},
		{`${x} == "[1, 'a']"`, values(int64(1), "a"), "true"},
		{`${x} == 99999999999999999999`, new(big.Int).Mul(big.NewInt(9999999999), big.NewInt(10000000001)), "true"},
		{`${x["k"]} == 1`, stdops.NewObject("k", int64(1)), "true"},
		{`"${x["k"]}" == "1"`, stdops.NewObject("k", int64(1)), "true"},
		{`"${x["no"]}" == '${x["no"]}'`, stdops.NewObject(), "true"},
		{`(${x}, 2) issuperset (1)`, int64(1), "true"},
		{`(${x}) issuperset (1)`, "(1)", "false"},
		{`${len(x)} == 2`, values(nil, nil), "true"},
		{`${7 // 2} == 3`, nil, "true"},
		{`${nope} == "${nope}"`, nil, "true"},
		{`"${nope}" == "${nope}"`, nil, "true"},
		{`${nope} > 1`, nil, "type"},
		{`${x.__class__} == "1"`, nil, "false"},
		{`${int(x)} == "1"`, "a", "false"},
		{`${'a'*10**9} == 1`, nil, "size"},
		{`1 == 1 or ${'a'*10**9} == 1`, nil, "size"},
		{`"${'a'*10**9}" == 1`, nil, "size"},
		{`${'a'*10**9}`, nil, "size"},
		{`${x} == "a" and ${x}${x} == 1`, "a", "syntax"},
		{`-${x} == -1`, int64(1), "syntax"},
		{`a${x} == "a1"`, int64(1), "syntax"},
		{`${x}.b == "1"`, int64(1), "syntax"},
		{`a.${x} == "1"`, int64(1), "syntax"},
	} {
		if got := outcome(t, test.text, variables("x", test.value, "y", int64(2))); got != test.want {
			t.Errorf("%q with x = %#v is %s, want %s", test.text, test.value, got, test.want)
		}
	}
}

func TestConditionBudgets(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		strings.Repeat("(", 30_000) + "1 == 1" + strings.Repeat(")", 30_000): "nesting",
		strings.Repeat("(", 200) + "1 == 1" + strings.Repeat(")", 200):       "nesting",
		strings.Repeat("(", 199) + "1 == 1" + strings.Repeat(")", 199):       "true",
		strings.Repeat("1 == 1 and ", 20_000) + "1 == 2":                     "false",
		"1 in (" + strings.Repeat("2,", 50_000) + "1)":                       "true",
		"${" + strings.Repeat("(", 300) + "1} == 1":                          "nesting",
	} {
		if got := outcome(t, text, variables()); got != want {
			t.Errorf("%.40q is %s, want %s", text, got, want)
		}
	}
}

func TestConditionTexts(t *testing.T) {
	t.Parallel()
	vars := variables("s", "abc", "n", int64(2), "big", strings.Repeat("a", maxSize+1))
	for _, test := range []struct {
		text, want string
		references []string
	}{
		{`${s} = 1`, `abc = 1`, []string{"s"}},
		{`"${s}" == "${s}" and ${n + len(s)} == 5`, `"abc" == "abc" and 5 == 5`, []string{"s", "n", "len"}},
		{`${nope} == 1`, `${nope} == 1`, []string{"nope"}},
		{`${big} == ${n}`, `${big} == 2`, []string{"big", "n"}},
		{`${s}`, `abc`, []string{"s"}},
		{`1 == 1`, `1 == 1`, nil},
		{`${a b} == 1`, `${a b} == 1`, nil},
	} {
		c, _ := ParseCondition(test.text)
		if got := c.Text(vars, Environment{}); got != test.want {
			t.Errorf("%q: text %q, want %q", test.text, got, test.want)
		}
		if diff := cmp.Diff(test.references, References(test.text)); diff != "" {
			t.Errorf("%q: references (-want +got):\n%s", test.text, diff)
		}
	}
}

func TestConditionNil(t *testing.T) {
	t.Parallel()
	var c *Condition
	if _, err := c.Eval(variables(), Environment{}); err == nil || c.Text(variables(), Environment{}) != "" {
		t.Errorf("a nil condition is not that of an empty text: %v", err)
	}
}

func TestConditionMessages(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`"abc" > 1`:   "'>' not supported between instances of 'str' and 'int'",
		`1 in 2`:      "argument of type 'int' is not iterable",
		`1 in "a"`:    "'in <string>' requires string as left operand, not int",
		`1e3 == 1000`: "invalid literal for int() with base 10: '1e3'",
		`1 = 1`:       "the condition cannot be read from byte 2 on",
		`1 == 1 == 1`: "the condition cannot be read from byte 7 on",
	} {
		c, _ := ParseCondition(text)
		_, err := c.Eval(variables(), Environment{})
		if err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}
