package expr

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/stdops/stdops"
)

// jsonWriter writes a value as json.dumps does.
type jsonWriter struct {
	writer
	m         *machine
	ascii     bool
	sorted    bool
	indented  bool
	indent    string
	item, key string // separators
	otherwise any    // the function for values that JSON does not have
	depth     int
}

func jsonDumps(m *machine, a arguments) (any, error) {
	args, err := arguments{positional: a.positional}.take(1, "-obj")
	if err != nil {
		return nil, err
	}
	named, err := arguments{named: a.named}.take(0, "ensure_ascii", "sort_keys", "indent", "separators", "default")
	if err != nil {
		return nil, err
	}
	w := &jsonWriter{writer: writer{meter: &m.meter}, m: m, item: ", ", key: ": ", otherwise: named[4]}
	w.ascii = absent(named[0]) || truth(named[0])
	w.sorted = !absent(named[1]) && truth(named[1])
	if err := w.setIndent(named[2]); err != nil {
		return nil, err
	}
	if err := w.setSeparators(named[3]); err != nil {
		return nil, err
	}
	if err := w.value(args[0]); err != nil {
		return nil, err
	}
	return string(w.b), m.grow(len(w.b))
}

func (w *jsonWriter) setIndent(v any) error {
	if none(v) {
		return nil
	}
	w.indented, w.item = true, ","
	if text, ok := v.(string); ok {
		w.indent = text
		return nil
	}
	n, err := countArgument(v, 0)
	if n > maxSize {
		return &LimitError{limitSize}
	}
	w.indent = strings.Repeat(" ", int(max(n, 0)))
	return err
}

func (w *jsonWriter) setSeparators(v any) error {
	if none(v) {
		return nil
	}
	pair, err := w.m.items(v)
	if err != nil || len(pair) != 2 {
		return fail("separators are two texts")
	}
	if w.item, err = textArgument(pair[0]); err != nil {
		return err
	}
	w.key, err = textArgument(pair[1])
	return err
}

func (w *jsonWriter) value(v any) error {
	if err := w.m.spend(1); err != nil {
		return err
	}
	switch v := plain(v).(type) {
	case nil:
		return w.write("null")
	case bool:
		return w.write(fmt.Sprint(v))
	case string:
		return w.string(v)
	case float64:
		return w.write(jsonFloat(v))
	case []any:
		return w.list(v)
	case tuple:
		return w.list(v)
	case *stdops.Object:
		return w.object(v)
	}
	if isNumber(v) {
		text, err := scalarText(v)
		if err != nil {
			return err
		}
		return w.write(text)
	}
	return w.other(v)
}

func jsonFloat(f float64) string {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 0):
		return strings.Replace(floatText(f), "inf", "Infinity", 1)
	default:
		return floatText(f)
	}
}

// other writes what the function default makes of a value.
func (w *jsonWriter) other(v any) error {
	if none(w.otherwise) {
		return fail("Object of type %s is not JSON serializable", typeName(v))
	}
	if err := w.m.enter(); err != nil {
		return err
	}
	defer w.m.leave()
	made, err := w.m.call(w.otherwise, arguments{positional: []any{v}})
	if err != nil {
		return err
	}
	return w.value(made)
}

func (w *jsonWriter) list(items []any) error {
	return w.group("[", "]", len(items), func(i int) error { return w.value(items[i]) })
}

func (w *jsonWriter) object(o *stdops.Object) error {
	keys := slices.Collect(slices.Values(o.Keys()))
	if err := w.m.spend(len(keys)); err != nil {
		return err
	}
	if w.sorted {
		slices.Sort(keys)
	}
	return w.group("{", "}", len(keys), func(i int) error {
		if err := w.string(keys[i]); err != nil {
			return err
		}
		if err := w.write(w.key); err != nil {
			return err
		}
		value, _ := o.Get(keys[i])
		return w.value(value)
	})
}

// group writes n things between two signs.
func (w *jsonWriter) group(before, after string, n int, each func(int) error) error {
	if n == 0 {
		return w.write(before + after)
	}
	if err := w.m.enter(); err != nil {
		return err
	}
	defer w.m.leave()
	w.depth++
	separator := before
	for i := range n {
		if err := w.line(separator); err != nil {
			return err
		}
		if err := each(i); err != nil {
			return err
		}
		separator = w.item
	}
	w.depth--
	if err := w.line(""); err != nil {
		return err
	}
	return w.write(after)
}

// line writes a separator and, where that is wanted, begins a line.
func (w *jsonWriter) line(separator string) error {
	if err := w.write(separator); err != nil || !w.indented {
		return err
	}
	if w.indent != "" && w.depth > maxSize/len(w.indent) {
		return &LimitError{limitSize}
	}
	if err := w.pay(1 + w.depth*len(w.indent)); err != nil {
		return err
	}
	w.b = append(append(w.b, '\n'), strings.Repeat(w.indent, w.depth)...)
	return nil
}

var jsonEscapes = map[rune]string{
	'"': `\"`, '\\': `\\`, '\n': `\n`, '\r': `\r`, '\t': `\t`, '\f': `\f`, '\b': `\b`,
}

func (w *jsonWriter) string(s string) error {
	if err := w.pay(len(s) + 2); err != nil {
		return err
	}
	w.b = append(w.b, '"')
	for _, r := range s {
		escape, known := jsonEscapes[r]
		switch {
		case known:
			w.b = append(w.b, escape...)
		case r < ' ' || w.ascii && r > '~' && r <= 0xffff:
			w.b = fmt.Appendf(w.b, `\u%04x`, r)
		case w.ascii && r > 0xffff:
			high, low := utf16.EncodeRune(r)
			w.b = fmt.Appendf(w.b, `\u%04x\u%04x`, high, low)
		default:
			w.b = utf8.AppendRune(w.b, r)
		}
	}
	w.b = append(w.b, '"')
	return w.pay(0)
}

// jsonLoads reads JSON as json.loads does, but for NaN and the infinities, which JSON does not have.
func jsonLoads(m *machine, a arguments) (any, error) {
	args, err := a.take(1, "-s")
	if err != nil {
		return nil, err
	}
	text, ok := args[0].(string)
	if b, isBytes := args[0].(octets); isBytes {
		text, ok = string(b), true
	}
	if !ok {
		return nil, fail("the JSON object must be str or bytes, not %s", typeName(args[0]))
	}
	if err := m.spend(len(text) / itemSize); err != nil {
		return nil, err
	}
	if err := m.growBy(jsonValues(text), 4*itemSize); err != nil {
		return nil, err
	}
	if err := m.grow(len(text)); err != nil {
		return nil, err
	}
	value, err := stdops.Decoding{Repeat: true}.Decode(strings.NewReader(text))
	if err != nil {
		return nil, fail("%s", err)
	}
	return value, nil
}

// jsonValues gives at least how many values and keys a JSON text has.
func jsonValues(text string) int {
	return 1 + strings.Count(text, ",") + strings.Count(text, ":") + strings.Count(text, "[") + strings.Count(text, "{")
}
