package expr_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/expr"
)

func TestDecideLooksPathsUp(t *testing.T) {
	t.Parallel()
	value, err := stdops.DecodeValue([]byte(`{
		"code": 0, "result": true, "message": "it's \"done\"", "nothing": null, "big": 12345678901234567890, "part": 1.5,
		"data": {"id": 3, "name": "a.b", "items": ["x", "y"], "numbers": [1, "2"], "nested": [[1], {"a": 1}], "empty": {}},
		"_x": 1, "keys": "k"
	}`))
	if err != nil {
		t.Fatal(err)
	}
	context := stdops.NewObject("resp", value)
	for _, c := range []struct {
		rule string
		want bool
		fail string // part of the error
	}{
		{rule: "resp.code == 0", want: true},
		{rule: "  resp.code==0  ", want: true},
		{rule: "resp.result == True", want: true},
		{rule: "resp.result==false"},
		{rule: `resp.message == 'it\'s'`, fail: "cannot be read"},
		{rule: `"done" in resp.message`, want: true},
		{rule: `resp.nothing == "None"`, want: true},
		{rule: "resp.nothing == 0"},
		{rule: "resp.big == 12345678901234567890", want: true},
		{rule: "resp.big == 12345678901234567891"},
		{rule: "resp.part > 1"}, // fractions are cut off
		{rule: "resp.part > 1.4", want: true},
		{rule: "resp.data.id == 3 and resp.code == 0", want: true},
		{rule: "resp.data.id == 4 or resp.code == 0", want: true},
		{rule: "(resp.data.id == 4 or resp.code == 0) and resp.result == true", want: true},
		{rule: `"x" in resp.data.items`, want: true},
		{rule: `"z" notin resp.data.items`, want: true},
		{rule: "2 in resp.data.numbers", want: true},
		{rule: `resp.data.items issuperset ("x", "y")`, want: true},
		{rule: `resp.data.nested issuperset ("x")`, fail: "unhashable"},
		{rule: `resp.data.name in ("a.b", resp.data.id)`, want: true},
		{rule: "(resp.data.items, 1) == (resp.data.items, 1)", want: true},
		{rule: "resp.keys == \"k\"", want: true},
		{rule: "resp._x == 1", want: true},
		{rule: "*", want: true},
		{rule: "resp.missing == 1", fail: "no value supplied for resp.missing"},
		{rule: "resp.code.deeper == 1", fail: "no value supplied for resp.code.deeper"},
		{rule: "resp.nothing.at == 1", fail: "no value supplied"},
		{rule: "other == 1", fail: "no value supplied for other"},
		{rule: "${resp.code} == 0", fail: "no value supplied"},
		{rule: "resp.code == 0 or resp.missing == 1", want: true}, // what is not needed is not looked at
		{rule: `resp.message > 1`, fail: ""},
		{rule: "resp.data > 1", fail: "not supported"},
		{rule: "resp.result", fail: "cannot be read"},
		{rule: "", fail: "cannot be read"},
		{rule: "resp.code = 0", fail: "cannot be read"},
		{rule: strings.Repeat("(", 1000) + "1 == 1" + strings.Repeat(")", 1000), fail: "nesting"},
	} {
		got, err := expr.Decide(c.rule, context)
		switch {
		case c.fail != "" && (err == nil || !strings.Contains(err.Error(), c.fail)):
			t.Errorf("%q: %t, %v; want an error about %q", c.rule, got, err, c.fail)
		case c.fail == "" && got != c.want:
			t.Errorf("%q: %t, %v; want %t", c.rule, got, err, c.want)
		}
	}
	if _, err := expr.Decide("1 ==", context); !errors.As(err, new(*expr.SyntaxError)) {
		t.Errorf("a text that is no rule: %v", err)
	}
}
