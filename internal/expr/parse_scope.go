package expr

import (
	"slices"
	"strings"
)

// comprehension reads `for … in … if …` behind an element, whose mentions of names begin at mark.
func (p *parser) comprehension(mark int, element node) (*comprehension, error) {
	c := &comprehension{element: element}
	var names []string
	var outside [2]int // the mentions of the first iterable
	for p.token.is("for") {
		to, err := p.loopTarget(&names)
		if err != nil {
			return nil, err
		}
		begin := len(p.mentions)
		from, err := p.logic(0)
		if err != nil {
			return nil, err
		}
		if c.clauses == nil {
			outside = [2]int{begin, len(p.mentions)}
		}
		guards, err := p.guards()
		if err != nil {
			return nil, err
		}
		c.clauses = append(c.clauses, clauseFor{to, from, guards})
	}
	c.names = len(names)
	p.bindLocals(mark, outside, names)
	return c, nil
}

// loopTarget reads `for … in`.
func (p *parser) loopTarget(names *[]string) (*target, error) {
	if err := p.advance(); err != nil {
		return nil, err
	}
	to, err := p.targets("in", names)
	if err != nil {
		return nil, err
	}
	return to, p.expect("in")
}

// targets reads names with commas between them, up to the word or sign that ends them.
func (p *parser) targets(end string, names *[]string) (*target, error) {
	first, err := p.target(names)
	if err != nil || p.token.is(end) {
		return first, err
	}
	several := &target{parts: []*target{first}}
	for !p.token.is(end) {
		if err := p.expect(","); err != nil {
			return nil, err
		}
		if p.token.is(end) {
			break
		}
		part, err := p.target(names)
		if err != nil {
			return nil, err
		}
		several.parts = append(several.parts, part)
	}
	return several, nil
}

var closings = map[string]string{"(": ")", "[": "]"}

// target reads a name, or several in parentheses or brackets.
func (p *parser) target(names *[]string) (to *target, err error) {
	t := p.token
	if closing, nested := closings[t.text]; nested && t.kind == tokenSign {
		_, err = p.enter(func() (node, error) {
			if err := p.advance(); err != nil {
				return nil, err
			}
			if to, err = p.targets(closing, names); err != nil {
				return nil, err
			}
			if to.parts == nil && closing == "]" {
				to = &target{parts: []*target{to}}
			}
			return nil, p.expect(closing)
		})
		return to, err
	}
	if t.kind != tokenName {
		return nil, errSyntax
	}
	p.refused = p.refused || strings.HasPrefix(t.text, "__")
	slot := slices.Index(*names, t.text)
	if slot < 0 {
		slot = len(*names)
		*names = append(*names, t.text)
	}
	return &target{slot: slot}, p.advance()
}

// guards reads each `if` behind a loop.
func (p *parser) guards() (guards []node, err error) {
	for p.token.is("if") {
		if err := p.advance(); err != nil {
			return nil, err
		}
		guard, err := p.logic(0)
		if err != nil {
			return nil, err
		}
		guards = append(guards, guard)
	}
	return guards, nil
}

// lambda reads `lambda a, b=1: body`. Defaults belong to what is around.
func (p *parser) lambda() (node, error) {
	if err := p.advance(); err != nil {
		return nil, err
	}
	l := &lambda{}
	for !p.token.is(":") {
		if err := p.parameter(l); err != nil {
			return nil, err
		}
		comma, err := p.accept(",")
		if err != nil {
			return nil, err
		}
		if !comma && !p.token.is(":") {
			return nil, errSyntax
		}
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	mark := len(p.mentions)
	body, err := p.expression()
	l.body = body
	p.bindLocals(mark, [2]int{}, l.names)
	return l, err
}

// parameter reads `name` or `name=value`.
func (p *parser) parameter(l *lambda) error {
	t := p.token
	if t.kind != tokenName || slices.Contains(l.names, t.text) {
		return errSyntax
	}
	l.names = append(l.names, t.text)
	if err := p.advance(); err != nil {
		return err
	}
	hasDefault, err := p.accept("=")
	if err != nil {
		return err
	}
	if !hasDefault {
		if l.defaults != nil {
			return errSyntax
		}
		return nil
	}
	value, err := p.expression()
	l.defaults = append(l.defaults, value)
	return err
}
