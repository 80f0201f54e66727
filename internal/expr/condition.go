package expr

import (
	"fmt"
)

// SyntaxError says that a text is no rule.
type SyntaxError struct {
	Text   string // of the condition, or of the value that is to be the rule
	Offset int    // of the byte up to which it could be read
}

// Error says where the text stops being a rule.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("the condition cannot be read from byte %d on", e.Offset)
}

// Condition is a parsed condition of a gateway. It is never changed, so that all tasks of a tree share it. A nil
// condition is that of an empty text.
type Condition struct {
	raw       string
	fragments []*fragment
	places    []place
	single    bool // the text is nothing but one fragment, whose value is the rule
	rule      *rule
	err       error
}

// ParseCondition parses the text of a condition by the grammar of docs/spec/engine.md 2.8. Its error is a
// [*SyntaxError], or a [*LimitError] when parentheses nest too deep.
//
// The condition is given with an error too: then Eval has the same error, and Text works as ever, for
// the message of the failed gateway.
func ParseCondition(text string) (*Condition, error) {
	c := &Condition{raw: text}
	for p := range places(text) {
		c.places = append(c.places, p)
		c.fragments = append(c.fragments, compile(p.source(text)))
	}
	if _, c.single = only(trimRule(text)); c.single {
		return c, nil
	}
	c.rule, c.err = parseRule(text, c.places)
	return c, c.err
}

// Text gives the condition with its values put in, for reading only.
func (c *Condition) Text(vars Lookup, env Environment) string {
	if c == nil {
		return ""
	}
	r := newRenderer(vars, env)
	r.lenient = true
	text, _ := r.text(c.raw) // a lenient renderer has no errors
	return text
}

// Eval decides the condition. All its fragments are evaluated first, also those of comparisons that are not needed.
//
// The error is a [*LimitError] when a budget is exceeded, a [*SyntaxError] when the text, or the value that is the rule,
// is no rule, and any other when values cannot be compared.
func (c *Condition) Eval(vars Lookup, env Environment) (bool, error) {
	if c == nil {
		return false, &SyntaxError{}
	}
	if c.err != nil {
		return false, c.err
	}
	r := newRenderer(vars, env)
	operands, err := c.operands(r)
	if err != nil {
		return false, err
	}
	rule := c.rule
	if c.single {
		// Fragments inside of the value are words of the rule; they are not evaluated.
		if rule, err = parseRule(operands[0].text, nil); err != nil {
			return false, err
		}
	}
	return rule.decide(operands, nil)
}

// boundValue is what a fragment of a condition stands for.
type boundValue struct {
	text  string
	value any // as an operand outside of quotes
}

// operands evaluates the fragments. One that is unknown, forbidden or fails is its own text.
func (c *Condition) operands(r *renderer) ([]boundValue, error) {
	operands := make([]boundValue, len(c.fragments))
	for i, f := range c.fragments {
		b := boundValue{text: c.raw[c.places[i].start:c.places[i].end]}
		ok, err := r.evaluate(f, func(m *machine, v any) error {
			text, err := m.text(v)
			if err == nil {
				b = boundValue{text: text, value: v}
			}
			return err
		})
		if err == nil {
			err = r.take(len(b.text))
		}
		if err != nil {
			return nil, err
		}
		b.value = operandValue(b, ok)
		operands[i] = b
	}
	return operands, nil
}
