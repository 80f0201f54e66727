package expr

import (
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/stdops/stdops"
)

// format gives `layout % values`.
func (m *machine) format(layout string, values any) (any, error) {
	f := formatter{m: m, rest: layout, args: []any{values}}
	switch v := values.(type) {
	case tuple:
		f.args = v
	case *stdops.Object:
		f.named, f.lenient = v, true
	case []any, span:
		f.lenient = true
	}
	if err := f.run(); err != nil {
		return nil, err
	}
	return f.out.String(), nil
}

type formatter struct {
	m       *machine
	rest    string
	args    []any
	used    int
	named   *stdops.Object
	lenient bool // values that have items may be left over
	out     strings.Builder
}

// verb is one conversion: %[(key)][flags][width][.precision]letter. The flag # cannot occur inside a fragment.
type verb struct {
	key                      string
	named                    bool
	minus, plus, blank, zero bool
	width                    int
	precision                int // -1 when absent
	letter                   byte
}

func (f *formatter) run() error {
	for {
		i := strings.IndexByte(f.rest, '%')
		if i < 0 {
			break
		}
		if err := f.write(f.rest[:i]); err != nil {
			return err
		}
		f.rest = f.rest[i+1:]
		v, err := f.verb()
		if err != nil {
			return err
		}
		if err := f.convert(v); err != nil {
			return err
		}
	}
	if f.used < len(f.args) && !f.lenient {
		return fail("not all arguments converted during string formatting")
	}
	return f.write(f.rest)
}

func (f *formatter) write(s string) error {
	if f.out.Len()+len(s) > maxSize {
		return &LimitError{limitSize}
	}
	f.out.WriteString(s)
	return f.m.grow(len(s))
}

func (f *formatter) verb() (v verb, err error) {
	if strings.HasPrefix(f.rest, "(") {
		end := strings.IndexByte(f.rest, ')')
		if end < 0 || f.named == nil {
			return v, fail("format requires a mapping")
		}
		v.key, v.named, f.rest = f.rest[1:end], true, f.rest[end+1:]
	}
	f.flags(&v)
	if v.width, err = f.count(); err != nil {
		return v, err
	}
	if v.width < 0 {
		v.minus, v.width = true, -v.width
	}
	v.precision = -1
	if strings.HasPrefix(f.rest, ".") {
		f.rest = f.rest[1:]
		if v.precision, err = f.count(); err != nil {
			return v, err
		}
		v.precision = max(v.precision, 0)
	}
	if f.rest != "" && strings.IndexByte("hlL", f.rest[0]) >= 0 {
		f.rest = f.rest[1:]
	}
	if f.rest == "" {
		return v, fail("incomplete format")
	}
	v.letter, f.rest = f.rest[0], f.rest[1:]
	return v, f.m.spend(1)
}

func (f *formatter) flags(v *verb) {
	for ; f.rest != ""; f.rest = f.rest[1:] {
		switch f.rest[0] {
		case '-':
			v.minus = true
		case '+':
			v.plus = true
		case ' ':
			v.blank = true
		case '0':
			v.zero = true
		default:
			return
		}
	}
}

// count reads a width or precision, which may be an argument.
func (f *formatter) count() (int, error) {
	if strings.HasPrefix(f.rest, "*") {
		f.rest = f.rest[1:]
		v, err := f.next()
		if err != nil {
			return 0, err
		}
		n, ok := v.(int64)
		if !ok {
			return 0, fail("* wants int")
		}
		return int(min(max(n, -maxSize-1), maxSize+1)), f.fits(n)
	}
	digits := 0
	for digits < len(f.rest) && isDigit(f.rest[digits]) {
		digits++
	}
	n, err := strconv.ParseInt("0"+f.rest[:digits], 10, 64)
	if err != nil {
		n = math.MaxInt64
	}
	f.rest = f.rest[digits:]
	return int(n), f.fits(n)
}

// fits refuses a width before anything is made that wide.
func (f *formatter) fits(n int64) error {
	if n > maxSize || n < -maxSize {
		return &LimitError{limitSize}
	}
	return f.m.spend(int(max(n, -n)) / bytesPerStep)
}

func (f *formatter) next() (any, error) {
	if f.used == len(f.args) {
		return nil, fail("not enough arguments for format string")
	}
	f.used++
	return f.args[f.used-1], nil
}

func (f *formatter) argument(v verb) (any, error) {
	if !v.named {
		return f.next()
	}
	value, ok := f.named.Get(v.key)
	if !ok {
		return nil, fail("no such key")
	}
	return value, nil
}

func (f *formatter) convert(v verb) error {
	if v.letter == '%' {
		return f.write("%")
	}
	value, err := f.argument(v)
	if err != nil {
		return err
	}
	var sign, body string
	switch v.letter {
	case 's':
		body, err = f.m.text(value)
		body = cutTo(body, v.precision)
		v.zero = false
	case 'r':
		body, err = f.m.quote(value)
		body = cutTo(body, v.precision)
		v.zero = false
	case 'c':
		body, err = character(value)
		v.zero = false
	case 'd', 'i', 'u', 'o', 'x', 'X':
		sign, body, err = v.whole(value)
	case 'e', 'E', 'f', 'F', 'g', 'G':
		sign, body, err = v.float(value)
	default:
		err = fail("unsupported format character")
	}
	if err != nil {
		return err
	}
	return f.pad(v, sign, body)
}

// pad fills up to the width: zeros go between sign and digits, blanks outside.
func (f *formatter) pad(v verb, sign, body string) error {
	missing := max(v.width-len(sign)-runeCount(body), 0)
	switch {
	case v.minus:
		return f.write(sign + body + strings.Repeat(" ", missing))
	case v.zero:
		return f.write(sign + strings.Repeat("0", missing) + body)
	default:
		return f.write(strings.Repeat(" ", missing) + sign + body)
	}
}

func cutTo(s string, precision int) string {
	if precision < 0 {
		return s
	}
	return sliceRunes(s, 0, precision)
}

func character(value any) (string, error) {
	if s, ok := value.(string); ok && runeCount(s) == 1 {
		return s, nil
	}
	if i, ok := v64(value); ok && i >= 0 && i <= utf8.MaxRune && utf8.ValidRune(rune(i)) {
		return string(rune(i)), nil
	}
	return "", fail("%%c requires int or char")
}

func (v verb) sign(negative bool) string {
	switch {
	case negative:
		return "-"
	case v.plus:
		return "+"
	case v.blank:
		return " "
	default:
		return ""
	}
}

func (v verb) whole(value any) (sign, body string, err error) {
	if f, ok := value.(float64); ok && strings.IndexByte("diu", v.letter) >= 0 {
		if value, err = truncate(f); err != nil {
			return "", "", err
		}
	}
	i, ok := whole(value)
	if !ok {
		return "", "", fail("%%%c format: a number is required, not %s", v.letter, typeName(value))
	}
	base := 10
	switch v.letter {
	case 'o':
		base = 8
	case 'x', 'X':
		base = 16
	}
	body = new(big.Int).Abs(i).Text(base)
	if v.letter == 'X' {
		body = strings.ToUpper(body)
	}
	if missing := v.precision - len(body); missing > 0 {
		body = strings.Repeat("0", missing) + body
	}
	return v.sign(i.Sign() < 0), body, nil
}

func (v verb) float(value any) (sign, body string, err error) {
	f, err := float(value)
	if err != nil {
		return "", "", err
	}
	sign = v.sign(math.Signbit(f) && !math.IsNaN(f))
	upper := v.letter < 'a'
	switch {
	case math.IsNaN(f) || math.IsInf(f, 0):
		body = floatText(math.Abs(f))
	default:
		precision := v.precision
		if precision < 0 {
			precision = 6
		}
		body = strconv.FormatFloat(math.Abs(f), v.letter|0x20, precision, 64)
	}
	if upper {
		body = strings.ToUpper(body)
	}
	return sign, body, nil
}
