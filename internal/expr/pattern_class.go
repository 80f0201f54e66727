package expr

import (
	"regexp/syntax"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// Kinds of signs, as the inside of a class of Go: by Unicode, and in ASCII only.
var (
	unicodeKinds = map[byte]string{'d': `\p{Nd}`, 'w': `\p{L}\p{N}_`, 's': `\t-\r\x{1c}-\x{1f}\x{85}\p{Z}`}
	asciiKinds   = map[byte]string{'d': `0-9`, 'w': `0-9A-Za-z_`, 's': `\t-\r `}
)

// kind gives the inside of a class for \d, \w, \s and their opposites.
func (t *patternReader) kind(letter byte) string {
	kinds := unicodeKinds
	if t.flags&flagASCII != 0 {
		kinds = asciiKinds
	}
	if inside, ok := kinds[letter]; ok {
		return inside
	}
	inside, ok := kinds[letter|0x20]
	if !ok {
		return ""
	}
	return opposite(inside)
}

var opposites sync.Map

// opposite gives the inside of a class that has all other signs.
func opposite(inside string) string {
	if known, ok := opposites.Load(inside); ok {
		return known.(string)
	}
	var b strings.Builder
	tree, err := syntax.Parse("[^"+inside+"]", syntax.Perl)
	if err != nil {
		return ""
	}
	for i := 0; i+1 < len(tree.Rune); i += 2 {
		appendCode(&b, tree.Rune[i])
		b.WriteByte('-')
		appendCode(&b, tree.Rune[i+1])
	}
	opposites.Store(inside, b.String())
	return b.String()
}

// escape reads what stands behind a backslash, outside of a class.
func (t *patternReader) escape() (size int, repeats bool, err error) {
	if t.at == len(t.source) {
		return 0, false, errPattern
	}
	c := t.source[t.at]
	if inside := t.kind(c); inside != "" {
		t.at++
		t.out.WriteString("[" + inside + "]")
		return 1, true, nil
	}
	switch c {
	case 'A', 'b', 'B':
		t.at++
		t.out.WriteString(`\` + string(c))
		return 1, false, nil
	case 'Z':
		t.at++
		t.out.WriteString(`\z`)
		return 1, false, nil
	}
	if octal := octalDigits(t.rest()); '1' <= c && c <= '9' && octal < 3 {
		return 0, false, errPattern // a back reference
	}
	r, err := t.code()
	appendCode(&t.out, r)
	return 1, true, err
}

func octalDigits(s string) int {
	n := 0
	for n < min(3, len(s)) && '0' <= s[n] && s[n] <= '7' {
		n++
	}
	return n
}

var codeEscapes = map[byte]rune{'a': '\a', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', 'v': '\v'}

// code reads the sign that an escape stands for.
func (t *patternReader) code() (rune, error) {
	c := t.source[t.at]
	if r, ok := codeEscapes[c]; ok {
		t.at++
		return r, nil
	}
	digits, base := 0, 16
	switch {
	case c == 'x':
		digits = 2
	case c == 'u':
		digits = 4
	case c == 'U':
		digits = 8
	case isDigit(c):
		t.at--
		digits, base = octalDigits(t.source[t.at+1:]), 8
	case 'a' <= c|0x20 && c|0x20 <= 'z':
		return 0, errPattern
	default:
		return t.next(), nil
	}
	t.at++
	if digits == 0 || len(t.rest()) < digits {
		return 0, errPattern
	}
	code, err := strconv.ParseUint(t.rest()[:digits], base, 32)
	if err != nil || base == 8 && code > 0xff || !utf8.ValidRune(rune(code)) {
		return 0, errPattern
	}
	t.at += digits
	return rune(code), nil
}

// class reads what stands behind an opening bracket.
func (t *patternReader) class() error {
	t.out.WriteByte('[')
	if t.accept("^") {
		t.out.WriteByte('^')
	}
	for first := true; first || !strings.HasPrefix(t.rest(), "]"); first = false {
		if err := t.classPart(); err != nil {
			return err
		}
	}
	t.at++
	t.out.WriteByte(']')
	return nil
}

// classPart reads a sign, a kind of signs, or all signs between two.
func (t *patternReader) classPart() error {
	low, inside, err := t.classSign()
	if err != nil {
		return err
	}
	if !strings.HasPrefix(t.rest(), "-") || strings.HasPrefix(t.rest(), "-]") {
		if inside == "" {
			appendCode(&t.out, low)
		}
		t.out.WriteString(inside)
		return nil
	}
	t.at++
	high, kind, err := t.classSign()
	if err != nil || inside != "" || kind != "" || high < low {
		return errPattern
	}
	appendCode(&t.out, low)
	t.out.WriteByte('-')
	appendCode(&t.out, high)
	return nil
}

// classSign reads a sign, or a kind of signs by an escape.
func (t *patternReader) classSign() (r rune, inside string, err error) {
	switch {
	case t.at == len(t.source):
		return 0, "", errPattern
	case !t.accept(`\`):
		return t.next(), "", nil
	case t.at == len(t.source):
		return 0, "", errPattern
	}
	if inside := t.kind(t.source[t.at]); inside != "" {
		t.at++
		return 0, inside, nil
	}
	if t.accept("b") {
		return '\b', "", nil
	}
	r, err = t.code()
	return r, "", err
}
