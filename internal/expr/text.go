package expr

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/stdops/stdops"
)

// Text gives what str(v) gives in Python: texts as they are, None, True and False, and lists and objects as Python
// writes them, with single quotes.
func Text(v any) string {
	w := writer{}
	if err := w.text(v); err != nil {
		return fmt.Sprint(v)
	}
	return string(w.b)
}

// text gives Text(v), paid for.
func (m *machine) text(v any) (string, error) {
	if s, ok := v.(string); ok {
		return s, nil
	}
	w := writer{meter: &m.meter}
	if err := w.text(v); err != nil {
		return "", err
	}
	return string(w.b), m.grow(len(w.b))
}

// quote gives repr(v), paid for.
func (m *machine) quote(v any) (string, error) {
	w := writer{meter: &m.meter}
	if err := w.quote(v); err != nil {
		return "", err
	}
	return string(w.b), m.grow(len(w.b))
}

// writer makes texts of values. Without a meter there is no limit.
type writer struct {
	b     []byte
	meter *meter
	paid  int // steps so far
}

// pay is called before up to n bytes are added.
func (w *writer) pay(n int) error {
	if w.meter == nil {
		return nil
	}
	if len(w.b)+n > maxSize {
		return &LimitError{limitSize}
	}
	due := (len(w.b)+n)/bytesPerStep - w.paid
	if due <= 0 {
		return nil
	}
	w.paid += due
	return w.meter.spend(due)
}

func (w *writer) enter() error {
	if w.meter == nil {
		return nil
	}
	return w.meter.enter()
}

func (w *writer) leave() {
	if w.meter != nil {
		w.meter.leave()
	}
}

func (w *writer) text(v any) error {
	if s, ok := v.(string); ok {
		return w.write(s)
	}
	if t, ok := v.(thing); ok {
		return w.thing(t, false)
	}
	return w.quote(v)
}

func (w *writer) write(s string) error {
	if err := w.pay(len(s)); err != nil {
		return err
	}
	w.b = append(w.b, s...)
	return nil
}

func (w *writer) thing(t thing, quoted bool) error {
	s, ok := t.text(quoted)
	if !ok {
		return errNoText
	}
	return w.write(s)
}

// quote writes v as Python writes it inside of a list.
func (w *writer) quote(v any) error {
	switch v := v.(type) {
	case string:
		if err := w.pay(len(v) + 2); err != nil {
			return err
		}
		w.b = appendQuoted(w.b, v)
		return w.pay(0)
	case []any:
		return w.items("[", v, "]")
	case tuple:
		if len(v) == 1 {
			return w.items("(", v, ",)")
		}
		return w.items("(", v, ")")
	case *view:
		return w.items(v.kind+"([", v.items, "])")
	case octets:
		if err := w.pay(len(v) + 3); err != nil {
			return err
		}
		w.b = appendOctets(w.b, v)
		return w.pay(0)
	case thing:
		return w.thing(v, true)
	case *set:
		if len(v.items) == 0 {
			return w.items("set(", nil, ")")
		}
		return w.items("{", v.items, "}")
	case cut:
		return w.items("slice(", v[:], ")")
	case *stdops.Object:
		return w.object(v)
	}
	s, err := scalarText(v)
	if err != nil {
		return err
	}
	return w.write(s)
}

func scalarText(v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return "None", nil
	case bool:
		if v {
			return "True", nil
		}
		return "False", nil
	case int64:
		return strconv.FormatInt(v, 10), nil
	case *big.Int:
		return v.String(), nil
	case float64:
		return floatText(v), nil
	case span:
		if v.step == 1 {
			return fmt.Sprintf("range(%d, %d)", v.start, v.stop), nil
		}
		return fmt.Sprintf("range(%d, %d, %d)", v.start, v.stop, v.step), nil
	case *function:
		if v.isType {
			return "<class '" + v.name + "'>", nil
		}
		return "<built-in function " + v.name + ">", nil
	default:
		return "", errNoText
	}
}

func (w *writer) items(before string, items []any, after string) error {
	if err := w.enter(); err != nil {
		return err
	}
	defer w.leave()
	w.b = append(w.b, before...)
	for i, item := range items {
		if i > 0 {
			w.b = append(w.b, ", "...)
		}
		if err := w.quote(item); err != nil {
			return err
		}
	}
	w.b = append(w.b, after...)
	return w.pay(0)
}

func (w *writer) object(o *stdops.Object) error {
	if err := w.enter(); err != nil {
		return err
	}
	defer w.leave()
	w.b = append(w.b, '{')
	for i, key := range o.Keys() {
		if i > 0 {
			w.b = append(w.b, ", "...)
		}
		if err := w.quote(key); err != nil {
			return err
		}
		w.b = append(w.b, ": "...)
		value, _ := o.Get(key)
		if err := w.quote(value); err != nil {
			return err
		}
	}
	w.b = append(w.b, '}')
	return w.pay(0)
}

// floatText gives repr(f): the shortest digits that read back as f, with an exponent below 1e-4 and from 1e16 on.
func floatText(f float64) string {
	switch {
	case math.IsNaN(f):
		return "nan"
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	}
	if size := math.Abs(f); f != 0 && (size < 1e-4 || size >= 1e16) {
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	text := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return text
}

// appendQuoted appends repr(s): single quotes, unless s has some and no double ones.
func appendQuoted(b []byte, s string) []byte {
	quote := byte('\'')
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		quote = '"'
	}
	b = append(b, quote)
	for _, r := range s {
		switch {
		case r == rune(quote) || r == '\\':
			b = append(b, '\\', byte(r))
		case r == '\n':
			b = append(b, `\n`...)
		case r == '\r':
			b = append(b, `\r`...)
		case r == '\t':
			b = append(b, `\t`...)
		case unicode.IsPrint(r):
			b = utf8.AppendRune(b, r)
		case r <= 0xff:
			b = fmt.Appendf(b, `\x%02x`, r)
		case r <= 0xffff:
			b = fmt.Appendf(b, `\u%04x`, r)
		default:
			b = fmt.Appendf(b, `\U%08x`, r)
		}
	}
	return append(b, quote)
}
