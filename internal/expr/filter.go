package expr

import (
	"slices"
	"strings"
)

// filtered is an expression with filters behind it: `a | h, trim`.
type filtered struct {
	of    node
	names []string
}

// filters reads the names of filters up to the end. What they are called has nothing to do with variables.
func (p *parser) filters(of node) (node, error) {
	f := &filtered{of: of}
	for p.token.kind != tokenEnd {
		if err := p.advance(); err != nil { // over the | or a comma
			return nil, err
		}
		name := p.token.text
		if p.token.kind != tokenName {
			return nil, errSyntax
		}
		if err := p.advance(); err != nil {
			return nil, err
		}
		if p.token.is(".") && name == "decode" {
			if err := p.advance(); err != nil {
				return nil, err
			}
			if p.token.kind != tokenName {
				return nil, errSyntax
			}
			name += "." + p.token.text
			if err := p.advance(); err != nil {
				return nil, err
			}
		}
		p.refused = p.refused || !isFilter(name)
		f.names = append(f.names, name)
		if p.token.kind != tokenEnd && !p.token.is(",") {
			return nil, errSyntax
		}
	}
	return f, nil
}

const codecFilter = "decode."

// isFilter reports whether a filter is known; a codec that is not makes the filter fail, if it is asked for.
func isFilter(name string) bool {
	codec, ok := strings.CutPrefix(name, codecFilter)
	return filters[name] != nil || name == "n" || ok && !strings.HasPrefix(codec, "_")
}

// escaped is a text that the filter h has made: it does not escape it again.
type escaped string

type filter = func(m *machine, v any) (any, error)

var filters = map[string]filter{
	"h": escapeHTML, "x": ofText(htmlEscapes.Replace), "u": ofText(escapeURL),
	"trim": trimFilter, "entity": escapeEntities, "str": textFilter, "unicode": textFilter,
}

// eval applies the filters from left to right. Unless n is among them, the value is made a text first; what comes out
// has to be one.
func (n *filtered) eval(m *machine) (any, error) {
	v, err := m.eval(n.of)
	if err == nil && !slices.Contains(n.names, "n") {
		v, err = textFilter(m, v)
	}
	for _, name := range n.names {
		if err != nil || name == "n" {
			continue
		}
		if err = m.spend(1); err != nil {
			continue
		}
		if apply := filters[name]; apply != nil {
			v, err = apply(m, v)
		} else {
			v, err = decodeFilter(m, v, strings.TrimPrefix(name, codecFilter))
		}
	}
	if err != nil {
		return nil, err
	}
	text, ok := plainText(v)
	if !ok {
		return nil, fail("the filters give no text")
	}
	return text, nil
}

func plainText(v any) (string, bool) {
	if s, ok := v.(escaped); ok {
		return string(s), true
	}
	s, ok := v.(string)
	return s, ok
}

func textFilter(m *machine, v any) (any, error) {
	if s, ok := plainText(v); ok {
		return s, nil
	}
	text, err := m.text(v)
	return text, err
}

// longestEscape is how long what stands for one byte of a text can become.
const longestEscape = 10

// ofText is a filter that other values than texts do not pass.
func ofText(apply func(string) string) filter {
	return func(m *machine, v any) (any, error) {
		s, ok := plainText(v)
		if !ok {
			return nil, fail("the filter takes a text")
		}
		return m.grown(s, apply)
	}
}

// grown applies a function to a text that may become longer.
func (m *machine) grown(s string, apply func(string) string) (string, error) {
	if len(s) > maxSize {
		return "", &LimitError{limitSize}
	}
	if err := m.spend(len(s) * longestEscape / bytesPerStep); err != nil {
		return "", err
	}
	result := apply(s)
	return result, m.grow(len(result))
}

// htmlEscapes are those of XML too.
var htmlEscapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "'", "&#39;", `"`, "&#34;")

func escapeHTML(m *machine, v any) (any, error) {
	if s, ok := v.(escaped); ok {
		return s, nil
	}
	text, err := m.text(v)
	if err != nil {
		return nil, err
	}
	text, err = m.grown(text, htmlEscapes.Replace)
	return escaped(text), err
}

// escapeURL is quote_plus of Python.
func escapeURL(s string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		switch letter := c | 0x20; {
		case 'a' <= letter && letter <= 'z', isDigit(c), strings.IndexByte("_.-~", c) >= 0:
			b.WriteByte(c)
		case c == ' ':
			b.WriteByte('+')
		default:
			b.WriteByte('%')
			b.WriteString(strings.ToUpper(string([]byte{hexDigits[c>>4], hexDigits[c&15]})))
		}
	}
	return b.String()
}

func trimFilter(m *machine, v any) (any, error) {
	switch v := v.(type) {
	case escaped:
		return escaped(strings.TrimFunc(string(v), isBlank)), m.read(len(v))
	case string:
		return strings.TrimFunc(v, isBlank), m.read(len(v))
	}
	return nil, fail("'%s' object has no attribute 'strip'", typeName(v))
}

// escapeEntities writes the signs that have names in HTML 4 by them.
func escapeEntities(m *machine, v any) (any, error) {
	s, err := textFilter(m, v)
	if err != nil {
		return nil, err
	}
	return m.grown(s.(string), func(s string) string {
		names := entities()
		var b strings.Builder
		for _, r := range s {
			if name, ok := names[r]; ok {
				b.WriteString("&" + name + ";")
			} else {
				b.WriteRune(r)
			}
		}
		return b.String()
	})
}

// decodeFilter reads bytes by a codec; other values become texts.
func decodeFilter(m *machine, v any, codec string) (any, error) {
	if b, ok := v.(octets); ok {
		return decodeOctets(m, b, arguments{positional: []any{codec}})
	}
	if s, ok := v.(escaped); ok {
		return s, nil
	}
	return textFilter(m, v)
}
