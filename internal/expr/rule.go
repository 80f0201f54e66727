package expr

import (
	"strings"
	"time"
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
}

// piece is a part of a text in quotes: plain text, or the fragment of that number.
type piece struct {
	text     string
	fragment int // -1 for plain text
}

// escapes are the two-character sequences that stand for control characters between quotes, in the text of a condition
// and in values alike: the context of a gateway has its line ends written that way.
var escapes = strings.NewReplacer(`\n`, "\n", `\t`, "\t", `\r`, "\r", `\f`, "\f")

// decide evaluates the rule with the values of the fragments. Its work grows with its length only, so that steps bound
// it well enough and the clock stands.
func (r *rule) decide(operands []boundValue) (bool, error) {
	if r.failure != nil {
		return false, r.failure
	}
	m := &machine{meter: newMeter(func() time.Time { return time.Time{} }, maxCallSteps)}
	return r.eval(&comparer{m, operands})
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

// value gives a term with its fragments put in.
func (c *comparer) value(t term) any {
	if !t.list {
		return c.atomic(t.items[0])
	}
	list := make([]any, len(t.items))
	for i, item := range t.items {
		list[i] = c.atomic(item)
		if _, nested := list[i].([]any); nested { // lists do not nest: here the value is a text
			list[i] = escapes.Replace(c.operands[item.pieces[0].fragment].text)
		}
	}
	return list
}

func (c *comparer) atomic(a atomic) any {
	if a.pieces == nil {
		return a.value
	}
	if !a.quoted {
		return c.operands[a.pieces[0].fragment].value
	}
	var b strings.Builder
	for _, p := range a.pieces {
		if p.fragment < 0 {
			b.WriteString(p.text)
		} else {
			b.WriteString(c.operands[p.fragment].text)
		}
	}
	return escapes.Replace(b.String())
}
