package expr

import (
	"encoding/hex"
	"strings"
	"unicode/utf8"
)

// octets is a bytes object: what `text.encode()` gives.
type octets string

type octetsMethod = func(m *machine, b octets, a arguments) (any, error)

var octetsMethods = map[string]octetsMethod{"decode": decodeOctets, "hex": hexOctets}

func hexOctets(m *machine, b octets, a arguments) (any, error) {
	if _, err := a.take(0); err != nil {
		return nil, err
	}
	return hex.EncodeToString([]byte(b)), m.grow(2 * len(b))
}

// The codecs by their names without dashes and underscores.
var codecs = map[string]rune{
	"utf8": utf8.MaxRune, "u8": utf8.MaxRune, "ascii": 0x7f, "usascii": 0x7f, "latin1": 0xff, "iso88591": 0xff, "l1": 0xff,
}

// codec reads the arguments of encode and decode: the highest code point that can be written, and what is done with others.
func codec(a arguments) (most rune, errors string, err error) {
	args, err := a.take(0, "encoding", "errors")
	if err != nil {
		return 0, "", err
	}
	name, errors := "utf8", "strict"
	if !absent(args[0]) {
		if name, err = textArgument(args[0]); err != nil {
			return 0, "", err
		}
	}
	if !absent(args[1]) {
		if errors, err = textArgument(args[1]); err != nil {
			return 0, "", err
		}
	}
	most, known := codecs[strings.NewReplacer("-", "", "_", "", " ", "").Replace(strings.ToLower(name))]
	if !known || errors != "strict" && errors != "ignore" && errors != "replace" {
		return 0, "", fail("unknown encoding or error handler")
	}
	return most, errors, nil
}

func encodeText(m *machine, s string, a arguments) (any, error) {
	most, errors, err := codec(a)
	if err != nil {
		return nil, err
	}
	if err := m.grow(len(s)); err != nil {
		return nil, err
	}
	if most == utf8.MaxRune {
		return octets(s), nil
	}
	b := make([]byte, 0, len(s))
	for _, r := range s {
		switch {
		case r <= most:
			b = append(b, byte(r))
		case errors == "strict":
			return nil, fail("codec can't encode a character")
		case errors == "replace":
			b = append(b, '?')
		}
	}
	return octets(b), nil
}

func decodeOctets(m *machine, b octets, a arguments) (any, error) {
	most, errors, err := codec(a)
	if err != nil {
		return nil, err
	}
	if err := m.grow(3 * len(b)); err != nil {
		return nil, err
	}
	if most == utf8.MaxRune && utf8.ValidString(string(b)) {
		return string(b), nil
	}
	var text strings.Builder
	for rest := string(b); rest != ""; {
		r, width := utf8.DecodeRuneInString(rest)
		if most != utf8.MaxRune {
			r, width = rune(rest[0]), 1
		}
		switch {
		case r > most || r == utf8.RuneError && width == 1 && most == utf8.MaxRune:
			switch {
			case errors == "strict", errors == "replace" && most == utf8.MaxRune: // of which Python makes fewer signs than bytes
				return nil, fail("codec can't decode a byte")
			case errors == "replace":
				text.WriteRune(utf8.RuneError)
			}
		default:
			text.WriteRune(r)
		}
		rest = rest[width:]
	}
	return text.String(), nil
}

// appendOctets appends repr(b).
func appendOctets(b []byte, v octets) []byte {
	quote := byte('\'')
	if strings.Contains(string(v), "'") && !strings.Contains(string(v), `"`) {
		quote = '"'
	}
	b = append(b, 'b', quote)
	for i := range len(v) {
		switch c := v[i]; {
		case c == quote || c == '\\':
			b = append(b, '\\', c)
		case c == '\n':
			b = append(b, `\n`...)
		case c == '\r':
			b = append(b, `\r`...)
		case c == '\t':
			b = append(b, `\t`...)
		case c >= ' ' && c < 0x7f:
			b = append(b, c)
		default:
			b = append(b, '\\', 'x', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	return append(b, quote)
}

const hexDigits = "0123456789abcdef"
