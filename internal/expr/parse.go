package expr

import "slices"

// parser reads the expression of a fragment by recursive descent. Chains (1 + 2 + 3, a.b[0]()) are read in a loop and
// kept flat; every other way down passes enter, so that the depth of parser and evaluator is bounded by maxNesting.
type parser struct {
	lexer lexer
	token token // the one to be read next
	depth int
	open  int // parentheses and brackets

	mentions []mention // of names that nothing read so far binds, in order of appearance
	names    []string  // root names in order of appearance, once all is read
	refused  bool      // something of docs/spec/engine.md 6.4.2, check 1 and attributes of check 2
}

// parse reads source. Its error is errSyntax or a [*LimitError]; the parser then holds the names met so far.
func parse(source string) (node, *parser, error) {
	p := &parser{lexer: lexer{text: source}}
	tree, err := p.whole()
	p.bindRoots()
	return tree, p, err
}

func (p *parser) whole() (node, error) {
	if err := p.advance(); err != nil {
		return nil, err
	}
	tree, err := p.expression()
	if err == nil && p.token.is("|") {
		return p.filters(tree)
	}
	if err == nil && p.token.kind != tokenEnd {
		err = errSyntax
	}
	return tree, err
}

func (p *parser) advance() (err error) {
	p.token, err = p.lexer.next()
	return err
}

// accept reads the sign or keyword when it is next.
func (p *parser) accept(text string) (bool, error) {
	if !p.token.is(text) {
		return false, nil
	}
	return true, p.advance()
}

func (p *parser) expect(text string) error {
	if !p.token.is(text) {
		return errSyntax
	}
	return p.advance()
}

// enter reads one level deeper.
func (p *parser) enter(read func() (node, error)) (node, error) {
	if p.depth == maxNesting {
		return nil, &LimitError{limitNesting}
	}
	p.depth++
	n, err := read()
	p.depth--
	return n, err
}

// expression reads `a`, `a if b else c` or a lambda.
func (p *parser) expression() (node, error) {
	if p.token.is("lambda") {
		return p.enter(p.lambda)
	}
	then, err := p.logic(0)
	if err != nil || !p.token.is("if") {
		return then, err
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	test, err := p.logic(0)
	if err != nil {
		return nil, err
	}
	if err := p.expect("else"); err != nil {
		return nil, err
	}
	other, err := p.enter(p.expression)
	return &conditional{test, then, other}, err
}

var logicWords = [...]string{"or", "and"}

// logic reads a chain of `or` (level 0) of chains of `and` (level 1).
func (p *parser) logic(level int) (node, error) {
	if level == len(logicWords) {
		return p.not()
	}
	first, err := p.logic(level + 1)
	if err != nil || !p.token.is(logicWords[level]) {
		return first, err
	}
	chain := &logic{or: level == 0, items: []node{first}}
	for p.token.is(logicWords[level]) {
		if err := p.advance(); err != nil {
			return nil, err
		}
		item, err := p.logic(level + 1)
		if err != nil {
			return nil, err
		}
		chain.items = append(chain.items, item)
	}
	return chain, nil
}

func (p *parser) not() (node, error) {
	if !p.token.is("not") {
		return p.comparison()
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	of, err := p.enter(p.not)
	return &negation{of}, err
}

var comparisons = []string{"==", "!=", "<=", "<", ">=", ">", "in"}

// comparison reads a chain like `1 < n <= 3`.
func (p *parser) comparison() (node, error) {
	first, err := p.operation(0)
	if err != nil {
		return nil, err
	}
	chain := &comparison{first: first}
	for {
		operator, err := p.comparator()
		if err != nil {
			return nil, err
		}
		if operator == "" {
			break
		}
		right, err := p.operation(0)
		if err != nil {
			return nil, err
		}
		chain.rest = append(chain.rest, operand{operator, right})
	}
	if chain.rest == nil {
		return first, nil
	}
	return chain, nil
}

func (p *parser) comparator() (string, error) {
	for _, operator := range comparisons {
		if ok, err := p.accept(operator); ok {
			return operator, err
		}
	}
	if ok, err := p.accept("not"); ok {
		if err != nil {
			return "", err
		}
		return "not in", p.expect("in")
	}
	ok, err := p.accept("is")
	if !ok || err != nil {
		return "", err
	}
	if ok, err := p.accept("not"); ok {
		return "is not", err
	}
	return "is", nil
}

// operators are chained by these levels. The ones of bits are there for sets and for flags of re, inside of parentheses:
// outside of them | begins the filters.
var operators = [...][]string{{"|"}, {"^"}, {"&"}, {"+", "-"}, {"*", "//", "/", "%"}}

// operation reads a chain of the operators of a level, between them chains of the next one.
func (p *parser) operation(level int) (node, error) {
	if level == len(operators) {
		return p.factor()
	}
	first, err := p.operation(level + 1)
	if err != nil {
		return nil, err
	}
	chain := &operation{first: first}
	for p.token.kind == tokenSign && slices.Contains(operators[level], p.token.text) && (p.token.text != "|" || p.open > 0) {
		operator := p.token.text
		if err := p.advance(); err != nil {
			return nil, err
		}
		right, err := p.operation(level + 1)
		if err != nil {
			return nil, err
		}
		chain.rest = append(chain.rest, operand{operator, right})
	}
	if chain.rest == nil {
		return first, nil
	}
	return chain, nil
}

// factor reads a signed power: -2 ** 2 is -(2 ** 2), and 2 ** -1 is 2 ** (-1).
func (p *parser) factor() (node, error) {
	if sign := p.token; sign.is("-") || sign.is("+") {
		if err := p.advance(); err != nil {
			return nil, err
		}
		of, err := p.enter(p.factor)
		return &signed{minus: sign.is("-"), of: of}, err
	}
	base, err := p.postfix()
	if err != nil || !p.token.is("**") {
		return base, err
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	exponent, err := p.enter(p.factor)
	return &operation{base, []operand{{"**", exponent}}}, err
}
