package expr

import (
	"strings"
	"unicode/utf8"
)

// patternReader reads a regular expression of Python and writes it for Go, with every sign by its number, so that the two
// cannot differ about what is meant. It refuses what cannot be matched in linear time.
type patternReader struct {
	m      *machine
	source string
	at     int
	flags  int64
	names  []string
	depth  int
	out    strings.Builder
}

var errPattern = fail("not a regular expression that is known here")

// read reads all and gives about how many instructions it makes.
func (t *patternReader) read() (size int, err error) {
	if err := t.leadingFlags(); err != nil {
		return 0, err
	}
	if size, err = t.alternatives(); err == nil && t.at < len(t.source) {
		err = errPattern // a closing parenthesis without an opening one
	}
	return size, err
}

func (t *patternReader) rest() string { return t.source[t.at:] }

func (t *patternReader) accept(text string) bool {
	if !strings.HasPrefix(t.rest(), text) {
		return false
	}
	t.at += len(text)
	return true
}

// next reads one code point.
func (t *patternReader) next() rune {
	r, width := utf8.DecodeRuneInString(t.rest())
	t.at += width
	return r
}

var flagLetters = map[byte]int64{
	'i': flagIgnoreCase, 'm': flagMultiline, 's': flagDotAll, 'u': flagUnicode, 'x': flagVerbose, 'a': flagASCII,
}

// leadingFlags reads (?im) at the begin.
func (t *patternReader) leadingFlags() error {
	for {
		rest, ok := strings.CutPrefix(t.rest(), "(?")
		if !ok {
			return nil
		}
		n := 0
		flags := int64(0)
		for n < len(rest) && flagLetters[rest[n]] != 0 {
			flags |= flagLetters[rest[n]]
			n++
		}
		if n == 0 || n == len(rest) || rest[n] != ')' {
			return nil
		}
		t.flags |= flags
		t.at += len("(?") + n + 1
	}
}

func (t *patternReader) alternatives() (size int, err error) {
	if t.depth == maxNesting {
		return 0, &LimitError{limitNesting}
	}
	t.depth++
	defer func() { t.depth-- }()
	for {
		part, err := t.branch()
		if err != nil {
			return 0, err
		}
		if size += part + 1; size > maxPattern {
			return 0, &LimitError{limitSize}
		}
		if !t.accept("|") {
			return size, nil
		}
		t.out.WriteByte('|')
	}
}

// branch reads parts with their repetitions up to | or ).
func (t *patternReader) branch() (size int, err error) {
	for t.skip(); t.at < len(t.source) && t.source[t.at] != '|' && t.source[t.at] != ')'; t.skip() {
		part, repeats, err := t.part()
		if err != nil {
			return 0, err
		}
		t.skip()
		if part, err = t.repetition(part, repeats); err != nil {
			return 0, err
		}
		if size += part; size > maxPattern {
			return 0, &LimitError{limitSize}
		}
	}
	return size, nil
}

// skip passes over blanks and comments of a verbose pattern.
func (t *patternReader) skip() {
	for t.flags&flagVerbose != 0 && t.at < len(t.source) {
		switch c := t.source[t.at]; {
		case strings.IndexByte(" \t\n\r\v\f", c) >= 0:
			t.at++
		case c == '#':
			end := strings.IndexByte(t.rest(), '\n')
			if end < 0 {
				end = len(t.rest())
			}
			t.at += end
		default:
			return
		}
	}
}

// part reads what can be repeated, or cannot, as the begin of a line.
func (t *patternReader) part() (size int, repeats bool, err error) {
	switch c := t.source[t.at]; c {
	case '(':
		t.at++
		return t.group()
	case '[':
		t.at++
		return 1, true, t.class()
	case '\\':
		t.at++
		return t.escape()
	case '.':
		t.at++
		t.out.WriteString(map[bool]string{false: `[^\x{a}]`, true: `(?s:.)`}[t.flags&flagDotAll != 0])
	case '^':
		t.at++
		t.out.WriteString(map[bool]string{false: `\A`, true: `(?m:^)`}[t.flags&flagMultiline != 0])
		return 1, false, nil
	case '$':
		t.at++
		t.out.WriteString(`(?m:$)`) // see pattern.flagsHere
		return 1, false, nil
	case '*', '+', '?':
		return 0, false, errPattern
	default:
		appendCode(&t.out, t.next())
	}
	return 1, true, nil
}

// repetition reads what stands behind a part.
func (t *patternReader) repetition(size int, repeats bool) (int, error) {
	least, most, ok := t.counts()
	if !ok {
		return size, nil
	}
	if !repeats || most >= 0 && most < least {
		return 0, errPattern
	}
	if max(least, most) > maxRepeats {
		return 0, &LimitError{limitSize}
	}
	if size *= max(most, least+1); size > maxPattern {
		return 0, &LimitError{limitSize}
	}
	t.writeCounts(least, most)
	if t.accept("?") {
		t.out.WriteByte('?')
	}
	t.skip()
	if strings.HasPrefix(t.rest(), "*") || strings.HasPrefix(t.rest(), "+") || strings.HasPrefix(t.rest(), "?") {
		return 0, errPattern
	}
	if _, _, again := t.counts(); again {
		return 0, errPattern
	}
	return size + 1, nil
}

// maxRepeats is the largest number of repetitions that patterns of Go can ask for.
const maxRepeats = 1000

// counts reads *, +, ? or {2,3}; most is -1 for any number. Braces around anything else are signs.
func (t *patternReader) counts() (least, most int, ok bool) {
	switch {
	case t.accept("*"):
		return 0, -1, true
	case t.accept("+"):
		return 1, -1, true
	case t.accept("?"):
		return 0, 1, true
	}
	inside, ok := strings.CutPrefix(t.rest(), "{")
	end := strings.IndexByte(inside, '}')
	if !ok || end < 1 {
		return 0, 0, false
	}
	low, high, pair := strings.Cut(inside[:end], ",")
	if strings.Trim(low+high, "0123456789") != "" || low == "" && !pair {
		return 0, 0, false
	}
	t.at += end + 2
	least = repeats(low, 0)
	if !pair {
		return least, least, true
	}
	return least, repeats(high, -1), true
}

func repeats(digits string, otherwise int) int {
	if digits == "" {
		return otherwise
	}
	n := 0
	for _, d := range digits {
		n = min(10*n+int(d-'0'), maxRepeats+1)
	}
	return n
}
