package expr

import (
	"fmt"
	"slices"
	"strings"
)

func (t *patternReader) writeCounts(least, most int) {
	switch {
	case least == 0 && most == -1:
		t.out.WriteByte('*')
	case least == 1 && most == -1:
		t.out.WriteByte('+')
	case least == 0 && most == 1:
		t.out.WriteByte('?')
	case most == -1:
		fmt.Fprintf(&t.out, "{%d,}", least)
	default:
		fmt.Fprintf(&t.out, "{%d,%d}", least, most)
	}
}

// group reads what stands behind an opening parenthesis.
func (t *patternReader) group() (size int, repeats bool, err error) {
	switch {
	case !t.accept("?"):
		t.names = append(t.names, "")
		return t.inside("(", t.flags)
	case t.accept(":"):
		return t.inside("(?:", t.flags)
	case t.accept("P<"):
		name, rest, ok := strings.Cut(t.rest(), ">")
		if !ok || !isName(name) || slices.Contains(t.names, name) {
			return 0, false, errPattern
		}
		t.at = len(t.source) - len(rest)
		t.names = append(t.names, name)
		return t.inside("(", t.flags)
	case t.accept("#"):
		_, rest, ok := strings.Cut(t.rest(), ")")
		if !ok {
			return 0, false, errPattern
		}
		t.at = len(t.source) - len(rest)
		return 0, false, nil
	default:
		return t.scopedFlags()
	}
}

// inside reads a group up to its end. The flags hold in it only.
func (t *patternReader) inside(opening string, flags int64) (size int, repeats bool, err error) {
	outer := t.flags
	t.flags = flags
	t.out.WriteString(opening)
	size, err = t.alternatives()
	t.flags = outer
	if err == nil && !t.accept(")") {
		err = errPattern
	}
	t.out.WriteByte(')')
	return size + 2, true, err
}

// scopedFlags reads a group like (?i-s:a). Anything else with a question mark is refused: back references, looks around,
// groups that give nothing back.
func (t *patternReader) scopedFlags() (size int, repeats bool, err error) {
	letters, rest, ok := strings.Cut(t.rest(), ":")
	on, off, _ := strings.Cut(letters, "-")
	if !ok || letters == "" || strings.Trim(on+off, "isx") != "" || strings.HasSuffix(letters, "-") || strings.ContainsAny(on, off) {
		return 0, false, errPattern
	}
	t.at = len(t.source) - len(rest)
	flags := t.flags
	for i := range len(on) {
		flags |= flagLetters[on[i]]
	}
	for i := range len(off) {
		flags &^= flagLetters[off[i]]
	}
	opening := "(?:"
	switch {
	case strings.Contains(on, "i"):
		opening = "(?i:"
	case strings.Contains(off, "i"):
		opening = "(?-i:"
	}
	return t.inside(opening, flags)
}
