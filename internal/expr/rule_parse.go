package expr

import (
	"math"
	"math/big"
	"strconv"
	"strings"
)

const ruleBlanks = " \t\r\n"

func trimRule(s string) string { return strings.Trim(s, ruleBlanks) }

// ruleParser reads a rule by the grammar of docs/spec/engine.md 2.8. Every method that reads something gives ok = false,
// and may have moved on, when it is not there.
type ruleParser struct {
	text      string
	at        int
	far       int // the furthest point that was reached
	depth     int
	fragments map[int]int // number by where it starts
	places    []place
	data      bool  // a value is read, not a condition: bare words are no operands
	failure   error // of a number
	limit     error
}

// parseRule reads a whole text; places are its fragments.
func parseRule(text string, places []place) (*rule, error) {
	if text == "*" {
		return &rule{always: true}, nil
	}
	p := newRuleParser(text, places)
	group, ok := p.group()
	switch {
	case p.limit != nil:
		return nil, p.limit
	case !ok || !p.end():
		return nil, &SyntaxError{Text: text, Offset: p.far}
	}
	group.failure = p.failure
	return group, nil
}

func newRuleParser(text string, places []place) *ruleParser {
	p := &ruleParser{text: text, places: places, fragments: make(map[int]int, len(places))}
	for i, place := range places {
		p.fragments[place.start] = i
	}
	return p
}

// operandValue gives what a value is outside of quotes: a number, a boolean, a text in quotes or a list of these when
// it reads as one, else its text. A fragment that stays is a text whatever it looks like.
func operandValue(b boundValue, known bool) any {
	if !known {
		return b.text
	}
	switch v := b.value.(type) {
	case bool, int64, *big.Int:
		return v
	case float64:
		if !math.IsInf(v, 0) && !math.IsNaN(v) {
			return v
		}
	}
	p := newRuleParser(b.text, nil)
	p.data = true
	t, ok := p.term()
	if ok && p.end() && p.failure == nil {
		if v, err := (&comparer{}).value(t); err == nil {
			return v
		}
	}
	return escapes.Replace(b.text)
}

func (p *ruleParser) rest() string { return p.text[p.at:] }

func (p *ruleParser) blanks() {
	for p.at < len(p.text) && strings.IndexByte(ruleBlanks, p.text[p.at]) >= 0 {
		p.at++
	}
	p.far = max(p.far, p.at)
}

func (p *ruleParser) end() bool {
	p.blanks()
	return p.at == len(p.text)
}

func (p *ruleParser) sign(sign string) bool {
	p.blanks()
	if !strings.HasPrefix(p.rest(), sign) {
		return false
	}
	p.at += len(sign)
	return true
}

// group reads clauses with "and" and "or" between them.
func (p *ruleParser) group() (*rule, bool) {
	if p.depth == maxNesting {
		p.limit = &LimitError{limitNesting}
		return nil, false
	}
	p.depth++
	defer func() { p.depth-- }()
	r := &rule{}
	for {
		c, ok := p.clause()
		if !ok {
			return nil, false
		}
		r.clauses = append(r.clauses, c)
		word := p.connective()
		if word == "" {
			return r, true
		}
		r.words = append(r.words, word)
	}
}

// connective reads "and" or "or", in any case, as a word of its own.
func (p *ruleParser) connective() string {
	p.blanks()
	for _, word := range []string{"and", "or"} {
		if !hasFold(p.rest(), word) || p.at > 0 && inWord(p.text[p.at-1]) {
			continue
		}
		if end := p.at + len(word); end == len(p.text) || !inWord(p.text[end]) {
			p.at = end
			return word
		}
	}
	return ""
}

func inWord(c byte) bool { return isLetter(c) || isDigit(c) || c == '_' || c == '$' }

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

func hasFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// clause reads a comparison; where there is none, a group in parentheses.
func (p *ruleParser) clause() (clause, bool) {
	start := p.at
	if c, ok := p.comparison(); ok {
		return c, true
	}
	p.at = start
	if !p.sign("(") {
		return clause{}, false
	}
	group, ok := p.group()
	return clause{group: group}, ok && p.sign(")")
}

// ruleOperators are tried in this order. Those that are words need no blanks around them.
var ruleOperators = []string{"==", "!=", "<=", "<", ">=", ">", "in", "notin", "issuperset", "notissuperset"}

func (p *ruleParser) comparison() (c clause, ok bool) {
	if c.left, ok = p.term(); !ok {
		return c, false
	}
	p.blanks()
	for _, operator := range ruleOperators {
		if hasFold(p.rest(), operator) {
			c.operator = operator
			p.at += len(operator)
			c.right, ok = p.term()
			return c, ok
		}
	}
	return c, false
}

// term reads a value, or a list of values in parentheses.
func (p *ruleParser) term() (t term, ok bool) {
	if !p.sign("(") {
		a, ok := p.atomic()
		return term{items: []atomic{a}}, ok
	}
	t.list = true
	for {
		a, ok := p.atomic()
		if !ok {
			return t, false
		}
		t.items = append(t.items, a)
		if !p.sign(",") {
			return t, p.sign(")")
		}
	}
}

// atomic reads the first that fits of: fragment, number, text in quotes, boolean, path.
func (p *ruleParser) atomic() (a atomic, ok bool) {
	p.blanks()
	rest := p.rest()
	if rest == "" {
		return a, false
	}
	if i, ok := p.fragments[p.at]; ok {
		p.at = p.places[i].end
		return atomic{pieces: []piece{{fragment: i}}}, true
	}
	if n := realLength(rest); n > 0 {
		p.at += n
		f, _ := strconv.ParseFloat(rest[:n], 64) // its only error is one of range, and then f is infinite
		return atomic{value: f}, true
	}
	if n := integerLength(rest); n > 0 {
		p.at += n
		return atomic{value: p.integer(rest[:n])}, true
	}
	if rest[0] == '"' || rest[0] == '\'' {
		return p.quoted(rest[0])
	}
	for _, word := range []string{"true", "false"} {
		if hasFold(rest, word) {
			p.at += len(word)
			return atomic{value: word == "true"}, true
		}
	}
	if p.data {
		return a, false
	}
	return p.path()
}

func (p *ruleParser) integer(text string) any {
	v, err := textToInt(text, 10)
	if err != nil && p.failure == nil {
		p.failure = err
	}
	return v
}

// realLength gives the length of a number with a decimal point that s begins with.
func realLength(s string) int {
	n := signLength(s)
	whole := plainDigits(s[n:])
	n += whole
	if n == len(s) || s[n] != '.' {
		return 0
	}
	n++
	fraction := plainDigits(s[n:])
	if whole == 0 && fraction == 0 {
		return 0
	}
	return n + fraction + exponentLength(s[n+fraction:], "+-")
}

func integerLength(s string) int {
	n := signLength(s)
	digits := plainDigits(s[n:])
	if digits == 0 {
		return 0
	}
	return n + digits + exponentLength(s[n+digits:], "+")
}

func signLength(s string) int {
	if s != "" && (s[0] == '+' || s[0] == '-') {
		return 1
	}
	return 0
}

func plainDigits(s string) int {
	n := 0
	for n < len(s) && isDigit(s[n]) {
		n++
	}
	return n
}

func exponentLength(s, signs string) int {
	if s == "" || s[0]|0x20 != 'e' {
		return 0
	}
	n := 1
	if n < len(s) && strings.IndexByte(signs, s[n]) >= 0 {
		n++
	}
	if digits := plainDigits(s[n:]); digits > 0 {
		return n + digits
	}
	return 0
}

// quoted reads a text up to the next quote outside of fragments. It holds no line end.
func (p *ruleParser) quoted(quote byte) (a atomic, ok bool) {
	p.at++
	a.quoted = true
	start, found := p.at, false
	for p.at < len(p.text) && p.text[p.at] != quote {
		i, isFragment := p.fragments[p.at]
		switch {
		case isFragment:
			a.pieces = append(a.pieces, piece{p.text[start:p.at], -1}, piece{fragment: i})
			p.at = p.places[i].end
			start, found = p.at, true
		case p.text[p.at] == '\n' || p.text[p.at] == '\r':
			return a, false
		default:
			p.at++
		}
	}
	if p.at == len(p.text) {
		return a, false
	}
	last := p.text[start:p.at]
	p.at++
	if !found {
		return atomic{value: escapes.Replace(last)}, true
	}
	a.pieces = append(a.pieces, piece{last, -1})
	return a, true
}

// path reads names with dots between them. It stands for its own text.
func (p *ruleParser) path() (a atomic, ok bool) {
	start := p.at
	if !p.ident() {
		return a, false
	}
	for strings.HasPrefix(p.rest(), ".") {
		end := p.at
		p.at++
		if !p.ident() {
			p.at = end
			break
		}
	}
	return atomic{value: p.text[start:p.at], path: true}, true
}

// ident reads ["${"] ["_"] letter { letter | digit | "_" } ["}"], unless a fragment begins here.
func (p *ruleParser) ident() bool {
	if _, isFragment := p.fragments[p.at]; isFragment {
		return false
	}
	s := p.rest()
	n := len(s) - len(strings.TrimPrefix(strings.TrimPrefix(s, "${"), "_"))
	if n == len(s) || !isLetter(s[n]) {
		return false
	}
	for n < len(s) && (isLetter(s[n]) || isDigit(s[n]) || s[n] == '_') {
		n++
	}
	if n < len(s) && s[n] == '}' {
		n++
	}
	p.at += n
	return true
}
