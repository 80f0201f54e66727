package expr

import (
	"unicode"
	"unicode/utf8"
)

// Texts are sequences of code points, as in Python.

func runeCount(s string) int { return utf8.RuneCountInString(s) }

// runeWidth gives the bytes of r, which s begins with; a byte that is no UTF-8 stands for itself.
func runeWidth(s string, r rune) int {
	if r == utf8.RuneError {
		_, width := utf8.DecodeRuneInString(s)
		return width
	}
	return utf8.RuneLen(r)
}

// byteOffset gives where the n-th code point of s begins, len(s) when there are fewer.
func byteOffset(s string, n int) int {
	for i := range s {
		if n == 0 {
			return i
		}
		n--
	}
	return len(s)
}

// sliceRunes gives the code points from start up to stop.
func sliceRunes(s string, start, stop int) string {
	if stop <= start {
		return ""
	}
	s = s[byteOffset(s, start):]
	return s[:byteOffset(s, stop-start)]
}

// isBlank tells what Python's str.isspace does: more than unicode.IsSpace knows.
func isBlank(r rune) bool { return unicode.IsSpace(r) || 0x1c <= r && r <= 0x1f }
