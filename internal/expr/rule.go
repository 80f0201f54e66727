package expr

import (
	"strings"
	"time"

	"github.com/stdops/stdops"
)

// rule is a group of comparisons: the whole of a condition, or what stands in a pair of parentheses.
type rule struct {
	always  bool // the text *
	clauses []clause
	words   []string // "and" or "or", between the clauses
	failure error    // a number that cannot be read fails the rule, not its parsing
}

// clause is a comparison, or a group in parentheses.
type clause struct {
	group       *rule
	operator    string
	left, right term
}

// term is one side of a comparison: a single value, or a list in parentheses.
type term struct {
	list  bool
	items []atomic
}

// atomic is a value: a literal, a fragment, or a text in quotes with fragments inside.
type atomic struct {
	value  any
	pieces []piece // when there are fragments
	quoted bool
	path   bool // value is the text of a path
}

// piece is a part of a text in quotes: plain text, or the fragment of that number.
type piece struct {
	text     string
	fragment int // -1 for plain text
}

// escapes are the two-character sequences that stand for control characters between quotes, in the text of a condition
// and in values alike: the context of a gateway has its line ends written that way.
var escapes = strings.NewReplacer(`\n`, "\n", `\t`, "\t", `\r`, "\r", `\f`, "\f")

// Decide decides a rule, the grammar of conditions without fragments, whose paths are looked up in context:
// `resp.data.id == 3`. A path that leads nowhere is an error, and so is a text that is no rule.
//
// The error is a [*LimitError] when a budget is exceeded, a [*SyntaxError] when the text is no rule, and any other when
// values are missing or cannot be compared.
func Decide(text string, context *stdops.Object) (bool, error) {
	rule, err := parseRule(trimRule(text), nil)
	if err != nil {
		return false, err
	}
	return rule.decide(nil, context)
}

// decide evaluates the rule with the values of the fragments. Its work grows with its length and that of the values only,
// so that steps bound it well enough and the clock stands.
func (r *rule) decide(operands []boundValue, context *stdops.Object) (bool, error) {
	if r.failure != nil {
		return false, r.failure
	}
	m := &machine{meter: newMeter(func() time.Time { return time.Time{} }, maxCallSteps)}
	return r.eval(&comparer{m: m, operands: operands, context: context})
}

// eval goes through the clauses from left to right. There is no precedence: an "or" after something true, or an "and"
// after something false, decides the whole group.
func (r *rule) eval(c *comparer) (passed bool, err error) {
	if r.always {
		return true, nil
	}
	for i, clause := range r.clauses {
		if i > 0 && passed == (r.words[i-1] == "or") {
			return passed, nil
		}
		if clause.group != nil {
			passed, err = clause.group.eval(c)
		} else {
			passed, err = c.compare(clause)
		}
		if err != nil {
			return false, err
		}
	}
	return passed, nil
}

// value gives a term with its fragments put in and its paths looked up.
func (c *comparer) value(t term) (any, error) {
	if !t.list {
		return c.atomic(t.items[0])
	}
	list := make([]any, len(t.items))
	for i, item := range t.items {
		v, err := c.atomic(item)
		if err != nil {
			return nil, err
		}
		if _, nested := v.([]any); nested && !item.path { // lists of fragments do not nest: here the value is a text
			v = escapes.Replace(c.operands[item.pieces[0].fragment].text)
		}
		list[i] = v
	}
	return list, nil
}

func (c *comparer) atomic(a atomic) (any, error) {
	switch {
	case a.path && c.context != nil:
		return c.lookup(a.value.(string))
	case a.pieces == nil:
		return a.value, nil
	case !a.quoted:
		return c.operands[a.pieces[0].fragment].value, nil
	}
	var b strings.Builder
	for _, p := range a.pieces {
		if p.fragment < 0 {
			b.WriteString(p.text)
		} else {
			b.WriteString(c.operands[p.fragment].text)
		}
	}
	return escapes.Replace(b.String()), nil
}

// lookup follows a path through objects.
func (c *comparer) lookup(path string) (any, error) {
	var value any = c.context
	for part := range strings.SplitSeq(path, ".") {
		object, isObject := value.(*stdops.Object)
		if !isObject {
			return nil, fail("no value supplied for %s", path)
		}
		found := false
		if value, found = object.Get(part); !found {
			return nil, fail("no value supplied for %s", path)
		}
	}
	return value, nil
}
