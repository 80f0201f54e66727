package expr

import (
	"errors"
	"math/big"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

type tokenKind uint8

const (
	tokenEnd tokenKind = iota
	tokenName
	tokenKeyword
	tokenValue // a number or a text
	tokenSign
)

type token struct {
	kind  tokenKind
	text  string
	value any // of a tokenValue
}

// is reports whether the token is this sign or keyword.
func (t token) is(text string) bool {
	return (t.kind == tokenSign || t.kind == tokenKeyword) && t.text == text
}

// errSyntax says that a fragment is no expression of the subset. It stays as it was written, so nobody reads where.
var errSyntax = errors.New("not an expression")

// keywords are the words that cannot be names. Those of statements are among them, so that `while` is no variable.
var keywords = map[string]bool{
	"and": true, "or": true, "not": true, "in": true, "is": true, "if": true, "else": true,
	"True": true, "False": true, "None": true,
	"as": true, "assert": true, "async": true, "await": true, "break": true, "class": true, "continue": true,
	"def": true, "del": true, "elif": true, "except": true, "finally": true, "for": true, "from": true,
	"global": true, "import": true, "lambda": true, "nonlocal": true, "pass": true, "raise": true, "return": true,
	"try": true, "while": true, "with": true, "yield": true,
}

// signs has the longer ones first.
var signs = []string{
	"**", "//", "==", "!=", "<=", ">=",
	"|", "^", "&", "+", "-", "*", "/", "%", "<", ">", "(", ")", "[", "]", ",", ".", ":", "=",
}

// lexer cuts a fragment into tokens. Line ends are blanks, as Mako puts the fragment into parentheses.
type lexer struct {
	text string
	at   int
}

func (l *lexer) next() (token, error) {
	for l.at < len(l.text) && strings.IndexByte(" \t\r\n\f", l.text[l.at]) >= 0 {
		l.at++
	}
	rest := l.text[l.at:]
	if rest == "" {
		return token{}, nil
	}
	c := rest[0]
	switch {
	case isDigit(c), c == '.' && len(rest) > 1 && isDigit(rest[1]):
		return l.number(rest)
	case c == '"' || c == '\'':
		return l.quoted(rest, false)
	}
	if n := nameLength(rest); n > 0 {
		return l.word(rest, n)
	}
	for _, sign := range signs {
		if strings.HasPrefix(rest, sign) {
			l.at += len(sign)
			return token{kind: tokenSign, text: sign}, nil
		}
	}
	return token{}, errSyntax
}

func (l *lexer) word(rest string, n int) (token, error) {
	word := rest[:n]
	if n < len(rest) && (rest[n] == '"' || rest[n] == '\'') {
		switch word {
		case "r", "R":
			l.at += n
			return l.quoted(rest[n:], true)
		case "u", "U":
			l.at += n
			return l.quoted(rest[n:], false)
		default: // bytes and format strings
			return token{}, errSyntax
		}
	}
	l.at += n
	if keywords[word] {
		return token{kind: tokenKeyword, text: word}, nil
	}
	return token{kind: tokenName, text: word}, nil
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// isName reports whether s is a name and nothing but that.
func isName(s string) bool { return s != "" && nameLength(s) == len(s) && !keywords[s] }

// nameLength gives how many bytes at the begin of s are a name.
func nameLength(s string) int {
	for i, r := range s {
		if r != '_' && !unicode.IsLetter(r) && (i == 0 || !unicode.IsDigit(r)) {
			return i
		}
	}
	return len(s)
}

// number reads a number. Complex ones are not in the subset.
func (l *lexer) number(rest string) (token, error) {
	n := numberLength(rest)
	text := rest[:n]
	if n < len(rest) && nameLength(rest[n:]) > 0 {
		return token{}, errSyntax
	}
	l.at += n
	value, err := parseNumber(text)
	return token{kind: tokenValue, text: text, value: value}, err
}

func numberLength(s string) int {
	if len(s) > 1 && s[0] == '0' && strings.IndexByte("xXoObB", s[1]) >= 0 {
		n := 2
		for n < len(s) && (isDigit(s[n]) || s[n] == '_' || 'a' <= s[n]|0x20 && s[n]|0x20 <= 'f') {
			n++
		}
		return n
	}
	n := digitsLength(s)
	if n < len(s) && s[n] == '.' {
		n++
		n += digitsLength(s[n:])
	}
	if n < len(s) && s[n]|0x20 == 'e' {
		sign := n + 1
		if sign < len(s) && (s[sign] == '+' || s[sign] == '-') {
			sign++
		}
		if digits := digitsLength(s[sign:]); digits > 0 {
			n = sign + digits
		}
	}
	return n
}

func digitsLength(s string) int {
	n := 0
	for n < len(s) && (isDigit(s[n]) || s[n] == '_') {
		n++
	}
	return n
}

func parseNumber(text string) (any, error) {
	if strings.Contains(text, "__") || strings.HasSuffix(text, "_") || strings.Contains(text, "_.") ||
		strings.Contains(text, "._") {
		return nil, errSyntax
	}
	plain := strings.ReplaceAll(text, "_", "")
	if len(plain) > 1 && plain[0] == '0' && strings.IndexByte("xXoObB", plain[1]) >= 0 {
		return parseWhole(plain, 0)
	}
	if strings.ContainsAny(plain, ".eE") {
		f, err := strconv.ParseFloat(plain, 64)
		if err != nil && !errors.Is(err, strconv.ErrRange) {
			return nil, errSyntax
		}
		return f, nil
	}
	if plain[0] == '0' && strings.Trim(plain, "0") != "" { // 007
		return nil, errSyntax
	}
	return parseWhole(plain, 10)
}

func parseWhole(text string, base int) (any, error) {
	if i, err := strconv.ParseInt(text, base, 64); err == nil {
		return i, nil
	}
	if len(text) > maxIntBits/3 {
		return nil, errSyntax
	}
	whole, ok := new(big.Int).SetString(text, base)
	if !ok || whole.BitLen() > maxIntBits {
		return nil, errSyntax
	}
	return whole, nil
}

// quoted reads a text at the begin of rest.
func (l *lexer) quoted(rest string, raw bool) (token, error) {
	quote := rest[:1]
	if strings.HasPrefix(rest, strings.Repeat(quote, 3)) {
		quote = rest[:3]
	}
	body := rest[len(quote):]
	end := 0
	for ; !strings.HasPrefix(body[end:], quote); end++ {
		switch {
		case end == len(body), len(quote) == 1 && body[end] == '\n':
			return token{}, errSyntax
		case body[end] == '\\' && end+1 < len(body):
			end++
		}
	}
	l.at += end + 2*len(quote)
	text := body[:end]
	if !raw && strings.Contains(text, `\`) {
		var err error
		if text, err = unescape(text); err != nil {
			return token{}, err
		}
	}
	return token{kind: tokenValue, text: quote, value: text}, nil
}

var simpleEscapes = map[byte]string{
	'\n': "", '\\': `\`, '\'': "'", '"': `"`, 'a': "\a", 'b': "\b", 'f': "\f", 'n': "\n", 'r': "\r", 't': "\t", 'v': "\v",
}

// unescape replaces the escapes of a text. One that Python does not know stays, with its backslash.
func unescape(s string) (string, error) {
	var b strings.Builder
	for {
		i := strings.IndexByte(s, '\\')
		if i < 0 || i+1 == len(s) {
			b.WriteString(s)
			return b.String(), nil
		}
		b.WriteString(s[:i])
		c := s[i+1]
		if text, ok := simpleEscapes[c]; ok {
			b.WriteString(text)
			s = s[i+2:]
			continue
		}
		r, used, err := numericEscape(s[i+1:])
		if err != nil {
			return "", err
		}
		if used == 0 {
			b.WriteString(s[i : i+1])
		} else {
			b.WriteRune(r)
		}
		s = s[i+1+used:]
	}
}

// numericEscape reads an escape that gives a code point; used is 0 when s begins with none. Halves of surrogate pairs
// are no code points of their own and are refused.
func numericEscape(s string) (r rune, used int, err error) {
	digits, base := 0, 16
	switch s[0] {
	case 'x':
		digits = 2
	case 'u':
		digits = 4
	case 'U':
		digits = 8
	case 'N':
		return 0, 0, errSyntax
	default:
		n := 0
		for n < 3 && n < len(s) && '0' <= s[n] && s[n] <= '7' {
			n++
		}
		if n == 0 {
			return 0, 0, nil
		}
		code, _ := strconv.ParseUint(s[:n], 8, 32)
		return rune(code), n, nil
	}
	if len(s) < 1+digits {
		return 0, 0, errSyntax
	}
	code, err := strconv.ParseUint(s[1:1+digits], base, 32)
	if err != nil || !utf8.ValidRune(rune(code)) {
		return 0, 0, errSyntax
	}
	return rune(code), 1 + digits, nil
}
