package expr

import "strings"

// postfix reads an atom and what is applied to it: attributes, indexes and calls.
func (p *parser) postfix() (node, error) {
	first, err := p.atom()
	if err != nil {
		return nil, err
	}
	var rest []trailer
	for {
		var next trailer
		switch {
		case p.token.is("."):
			next, err = p.attribute()
		case p.token.is("["):
			next, err = p.subscript()
		case p.token.is("("):
			next, err = p.call()
		case rest == nil:
			return first, nil
		default:
			return &postfix{first, rest}, nil
		}
		if err != nil {
			return nil, err
		}
		rest = append(rest, next)
	}
}

// atom reads a name, a literal, or something in parentheses or brackets.
func (p *parser) atom() (node, error) {
	t := p.token
	switch {
	case t.kind == tokenName:
		return p.name(t.text), p.advance()
	case t.kind == tokenValue:
		return p.literal()
	case t.is("("):
		return p.enclosed(p.parentheses)
	case t.is("["):
		return p.enclosed(p.brackets)
	case t.is("True"):
		return &literal{true}, p.advance()
	case t.is("False"):
		return &literal{false}, p.advance()
	case t.is("None"):
		return &literal{nil}, p.advance()
	default:
		return nil, errSyntax
	}
}

// enclosed reads up to a closing sign.
func (p *parser) enclosed(read func() (node, error)) (node, error) {
	p.open++
	n, err := p.enter(read)
	p.open--
	return n, err
}

func (p *parser) name(text string) node {
	n := &name{}
	p.mentions = append(p.mentions, mention{text, n})
	p.refused = p.refused || refusedName(text)
	return n
}

// refusedName reports whether a name makes a fragment stay literal (docs/spec/engine.md 6.4.2).
func refusedName(text string) bool { return strings.HasPrefix(text, "__") || reserved[text] }

// literal reads a number, or texts side by side, which are one text.
func (p *parser) literal() (node, error) {
	value := p.token.value
	if err := p.advance(); err != nil {
		return nil, err
	}
	text, ok := value.(string)
	if !ok {
		return &literal{value}, nil
	}
	parts := []string{text}
	for p.token.kind == tokenValue {
		next, ok := p.token.value.(string)
		if !ok {
			return nil, errSyntax
		}
		parts = append(parts, next)
		if err := p.advance(); err != nil {
			return nil, err
		}
	}
	return &literal{strings.Join(parts, "")}, nil
}

// parentheses reads (a), (a, b), (a,), () or a generator.
func (p *parser) parentheses() (node, error) {
	if err := p.advance(); err != nil {
		return nil, err
	}
	items, comma, generator, err := p.itemsOr(")")
	if err != nil {
		return nil, err
	}
	if generator != nil {
		return generator, nil
	}
	if len(items) == 1 && !comma {
		return items[0], nil
	}
	return &list{items: items, tuple: true}, nil
}

// brackets reads a list, or a comprehension of one.
func (p *parser) brackets() (node, error) {
	if err := p.advance(); err != nil {
		return nil, err
	}
	items, _, generator, err := p.itemsOr("]")
	if generator != nil {
		return &listOf{generator}, err
	}
	return &list{items: items}, err
}

// itemsOr reads what items reads, or the inside of a comprehension.
func (p *parser) itemsOr(closing string) (items []node, comma bool, generator *comprehension, err error) {
	mark := len(p.mentions)
	if p.token.is(closing) {
		return nil, false, nil, p.advance()
	}
	first, err := p.expression()
	if err != nil {
		return nil, false, nil, err
	}
	if p.token.is("for") {
		generator, err = p.comprehension(mark, first)
		if err == nil {
			err = p.expect(closing)
		}
		return nil, false, generator, err
	}
	if comma, err = p.accept(","); err != nil {
		return nil, false, nil, err
	}
	if !comma {
		return []node{first}, false, nil, p.expect(closing)
	}
	items, err = p.items(closing)
	return append([]node{first}, items...), true, nil, err
}

// items reads expressions with commas between them, and the closing sign.
func (p *parser) items(closing string) (items []node, err error) {
	for {
		if done, err := p.accept(closing); done {
			return items, err
		}
		item, err := p.expression()
		if err != nil {
			return nil, err
		}
		items = append(items, item)
		comma, err := p.accept(",")
		if err != nil {
			return nil, err
		}
		if !comma {
			return items, p.expect(closing)
		}
	}
}

// attribute reads `.name`.
func (p *parser) attribute() (trailer, error) {
	if err := p.advance(); err != nil {
		return nil, err
	}
	t := p.token
	if t.kind != tokenName {
		return nil, errSyntax
	}
	if refusedAttribute(t.text) {
		p.refused = true
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	return &attribute{name: t.text, called: p.token.is("(")}, nil
}

// subscript reads `[i]` or `[i:j:k]`.
func (p *parser) subscript() (trailer, error) {
	n, err := p.enclosed(func() (node, error) {
		if err := p.advance(); err != nil {
			return nil, err
		}
		return p.subscriptParts()
	})
	if err != nil {
		return nil, err
	}
	if key, ok := n.(*literal); ok {
		if text, ok := key.value.(string); ok && strings.HasPrefix(text, "__") {
			p.refused = true
		}
	}
	return &index{n}, nil
}

func (p *parser) subscriptParts() (node, error) {
	parts := &slice{}
	for i := range parts.bounds {
		if !p.token.is(":") && !p.token.is("]") {
			bound, err := p.expression()
			if err != nil {
				return nil, err
			}
			parts.bounds[i] = bound
		}
		if i == 0 && !p.token.is(":") {
			if parts.bounds[0] == nil {
				return nil, errSyntax
			}
			return p.indexParts(parts.bounds[0])
		}
		if i == len(parts.bounds)-1 || !p.token.is(":") {
			break
		}
		if err := p.advance(); err != nil {
			return nil, err
		}
	}
	return parts, p.expect("]")
}

// indexParts reads the rest of `[a]`; `[a, b]` is an index too, by a tuple.
func (p *parser) indexParts(first node) (node, error) {
	if !p.token.is(",") {
		return first, p.expect("]")
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	items, err := p.items("]")
	return &list{items: append([]node{first}, items...), tuple: true}, err
}

// call reads the arguments of a call.
func (p *parser) call() (trailer, error) {
	c := &call{}
	_, err := p.enclosed(func() (node, error) {
		if err := p.advance(); err != nil {
			return nil, err
		}
		for {
			if done, err := p.accept(")"); done {
				return nil, err
			}
			if err := p.argument(c); err != nil {
				return nil, err
			}
			comma, err := p.accept(",")
			if err != nil {
				return nil, err
			}
			if !comma {
				return nil, p.expect(")")
			}
		}
	})
	return c, err
}

// argument reads `value` or `name=value`. A generator needs no parentheses of its own where it is the only argument.
func (p *parser) argument(c *call) error {
	word, before, known := p.token, p.lexer, len(p.mentions)
	value, err := p.expression()
	if err != nil {
		return err
	}
	if p.token.is("for") && c.args == nil && c.keywords == nil {
		generator, err := p.comprehension(known, value)
		if err == nil && !p.token.is(")") {
			err = errSyntax
		}
		c.args = append(c.args, generator)
		return err
	}
	if !p.token.is("=") {
		if len(c.keywords) > 0 {
			return errSyntax
		}
		c.args = append(c.args, value)
		return nil
	}
	after := p.lexer
	p.lexer = before // was the name alone what stood before the sign?
	if err := p.advance(); err != nil || word.kind != tokenName || !p.token.is("=") || p.lexer.at != after.at {
		return errSyntax
	}
	p.mentions = p.mentions[:known]
	if err := p.advance(); err != nil {
		return err
	}
	value, err = p.expression()
	c.keywords = append(c.keywords, keyword{word.text, value})
	return err
}
