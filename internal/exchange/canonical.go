package exchange

import (
	"bytes"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/stdops/stdops"
)

// appendCanonical prints a value the way bk-sops prints it before it signs it (docs/spec/api.md 4.14.1): keys sorted by
// code point, no blanks, ASCII only, slashes escaped.
func appendCanonical(b []byte, v any) []byte {
	switch v := v.(type) {
	case bool:
		return strconv.AppendBool(b, v)
	case int64:
		return strconv.AppendInt(b, v, 10)
	case *big.Int:
		return v.Append(b, 10)
	case float64:
		return appendFloat(b, v)
	case string:
		return appendText(b, v)
	case []any:
		b = append(b, '[')
		for i, item := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendCanonical(b, item)
		}
		return append(b, ']')
	case *stdops.Object:
		return appendObject(b, v)
	default:
		return append(b, "null"...)
	}
}

func appendObject(b []byte, o *stdops.Object) []byte {
	keys := slices.Clone(o.Keys())
	slices.Sort(keys) // the order of UTF-8 is that of code points
	b = append(b, '{')
	for i, key := range keys {
		if i > 0 {
			b = append(b, ',')
		}
		value, _ := o.Get(key)
		b = appendCanonical(append(appendText(b, key), ':'), value)
	}
	return append(b, '}')
}

var escapes = map[rune]string{
	'"': `\"`, '\\': `\\`, '/': `\/`, '\b': `\b`, '\f': `\f`, '\n': `\n`, '\r': `\r`, '\t': `\t`,
}

func appendText(b []byte, text string) []byte {
	b = append(b, '"')
	for _, c := range text {
		escape, known := escapes[c]
		switch {
		case known:
			b = append(b, escape...)
		case c >= ' ' && c <= 0x7f:
			b = append(b, byte(c))
		case c > 0xffff:
			high, low := utf16.EncodeRune(c)
			b = appendUnit(appendUnit(b, high), low)
		default:
			b = appendUnit(b, c)
		}
	}
	return append(b, '"')
}

func appendUnit(b []byte, unit rune) []byte {
	const hexDigits = "0123456789abcdef"
	return append(b, '\\', 'u', hexDigits[unit>>12&15], hexDigits[unit>>8&15], hexDigits[unit>>4&15], hexDigits[unit&15])
}

// The decimal exponents from and below which a number is printed without an exponent.
const (
	leastPlain = -4
	mostPlain  = 16
)

// appendFloat prints the shortest digits that are read back as the same number; whole ones end in .0.
func appendFloat(b []byte, f float64) []byte {
	scientific := strconv.FormatFloat(f, 'e', -1, 64)
	mantissa, power, _ := strings.Cut(scientific, "e")
	exponent, _ := strconv.Atoi(power)
	if exponent >= leastPlain && exponent < mostPlain {
		b = strconv.AppendFloat(b, f, 'f', -1, 64)
		if f == float64(int64(f)) {
			b = append(b, ".0"...)
		}
		return b
	}
	b = append(append(b, mantissa...), 'e')
	if exponent > 0 {
		b = append(b, '+')
	}
	return strconv.AppendInt(b, int64(exponent), 10)
}

// newText gives a text in the form that is decoded in place.
func newText(data []byte) *bytes.Buffer { return bytes.NewBuffer(data) }
