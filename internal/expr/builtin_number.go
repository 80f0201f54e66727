package expr

import (
	"errors"
	"math"
	"math/big"
	"strconv"
	"strings"
)

func toInt(m *machine, a arguments) (any, error) {
	args, err := a.take(0, "-x", "base")
	if err != nil {
		return nil, err
	}
	if absent(args[0]) {
		return int64(0), nil
	}
	if err := m.readDigits(args[0]); err != nil {
		return nil, err
	}
	if !absent(args[1]) {
		text, err := textArgument(args[0])
		if err != nil {
			return nil, fail("int() can't convert non-string with explicit base")
		}
		base, err := countArgument(args[1], 10)
		if err != nil {
			return nil, err
		}
		if base != 0 && base < 2 || base > 36 {
			return nil, fail("int() base must be >= 2 and <= 36, or 0")
		}
		return textToInt(text, int(base))
	}
	return integer(args[0])
}

// integer gives int(v).
func integer(v any) (any, error) {
	switch v := v.(type) {
	case string:
		return textToInt(v, 10)
	case float64:
		return truncate(v)
	case *big.Int:
		return v, nil
	}
	if i, ok := v64(v); ok {
		return i, nil
	}
	return nil, fail("int() argument must be a string, a bytes-like object or a number, not '%s'", typeName(v))
}

// digitsPerStep is how many digits of a text are read as a number in one step: they take much longer than signs that are
// only looked at, and no node of the expression stands for them when a function is the key of a list.
const digitsPerStep = 64

// readDigits pays for reading a number when v is a text. One that is too long to be read costs no more than the longest.
func (m *machine) readDigits(v any) error {
	text, _ := v.(string)
	return m.spend(min(len(text), maxDigits) / digitsPerStep)
}

// maxDigits is how long a text that is read as a whole number may be.
const maxDigits = 4300

func textToInt(text string, base int) (any, error) {
	if len(text) > maxDigits {
		return nil, fail("exceeds the limit of %d digits for integer string conversion", maxDigits)
	}
	wrong := fail("invalid literal for int() with base %d: %s", base, appendQuoted(nil, text))
	body := strings.TrimFunc(text, isBlank)
	sign := ""
	if body != "" && (body[0] == '-' || body[0] == '+') {
		sign, body = body[:1], body[1:]
	}
	prefix := strings.ToLower(body[:min(len(body), 2)])
	switch {
	case base == 0 && strings.Trim(body, "0_") != "" && len(body) > 1 && body[0] == '0' && isDigit(body[1]):
		return nil, wrong // 007
	case base == 0 && !strings.HasPrefix(body, "0"):
		base = 10
	case base == 0 && prefix != "0x" && prefix != "0o" && prefix != "0b":
		base = 10
	}
	for b, p := range map[int]string{16: "0x", 8: "0o", 2: "0b"} {
		if (base == b || base == 0) && prefix == p {
			base, body = b, strings.TrimPrefix(body[2:], "_")
			break
		}
	}
	if body == "" || body[0] == '_' || body[0] == '-' || body[0] == '+' || strings.HasSuffix(body, "_") ||
		strings.Contains(body, "__") {
		return nil, wrong
	}
	i, ok := new(big.Int).SetString(sign+strings.ReplaceAll(body, "_", ""), base)
	if !ok {
		return nil, wrong
	}
	return shrink(i)
}

func toFloat(m *machine, a arguments) (any, error) {
	args, err := a.take(0, "-x")
	if err != nil {
		return nil, err
	}
	if absent(args[0]) {
		return 0.0, nil
	}
	if err := m.readDigits(args[0]); err != nil {
		return nil, err
	}
	text, ok := args[0].(string)
	if !ok {
		return float(args[0])
	}
	wrong := fail("could not convert string to float")
	body := strings.TrimFunc(text, isBlank)
	if len(body) > maxDigits || strings.ContainsAny(body, "xXpP") || strings.HasPrefix(body, "_") ||
		strings.HasSuffix(body, "_") || strings.Contains(body, "__") {
		return nil, wrong
	}
	f, err := strconv.ParseFloat(strings.ReplaceAll(body, "_", ""), 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return nil, wrong
	}
	return f, nil
}

func absolute(m *machine, a arguments) (any, error) {
	args, err := a.take(1, "-x")
	if err != nil {
		return nil, err
	}
	if f, ok := args[0].(float64); ok {
		return math.Abs(f), nil
	}
	if d, ok := args[0].(delta); ok && d < 0 {
		return delta(0).minus(d)
	} else if ok {
		return d, nil
	}
	i, ok := whole(args[0])
	if !ok {
		return nil, fail("bad operand type for abs(): '%s'", typeName(args[0]))
	}
	return shrink(new(big.Int).Abs(i))
}

func power(m *machine, a arguments) (any, error) {
	args, err := a.take(2, "base", "exp", "mod")
	if err != nil {
		return nil, err
	}
	if none(args[2]) {
		return m.operate("**", args[0], args[1])
	}
	var parts [3]*big.Int
	for i, v := range args {
		var ok bool
		if parts[i], ok = whole(v); !ok {
			return nil, fail("pow() 3rd argument not allowed unless all arguments are integers")
		}
	}
	return m.powerModulo(parts[0], parts[1], parts[2])
}

// round rounds halves to the even neighbour. Without a number of digits it gives a whole number.
func round(_ *machine, a arguments) (any, error) {
	args, err := a.take(1, "number", "ndigits")
	if err != nil {
		return nil, err
	}
	digits, err := countArgument(args[1], 0)
	if none(args[1]) {
		digits, err = 0, nil
	}
	if err != nil {
		return nil, err
	}
	f, isFloat := args[0].(float64)
	switch {
	case isFloat && none(args[1]):
		return truncate(math.RoundToEven(f))
	case isFloat:
		return roundFloat(f, digits)
	}
	i, ok := whole(args[0])
	if !ok {
		return nil, fail("type %s doesn't define __round__ method", typeName(args[0]))
	}
	if digits >= 0 {
		return shrink(i)
	}
	return roundWhole(i, -digits)
}

func roundFloat(f float64, digits int64) (any, error) {
	switch {
	case math.IsNaN(f) || math.IsInf(f, 0) || f == 0 || digits > 323:
		return f, nil
	case digits < -308:
		return math.Copysign(0, f), nil
	}
	text := strconv.FormatFloat(f, 'f', int(max(digits, 0)), 64)
	if digits < 0 {
		text = roundedExponent(f, int(digits))
	}
	rounded, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return nil, fail("rounded value too large to represent")
	}
	return rounded, nil
}

// roundedExponent writes f rounded to tens, hundreds and so on, exactly.
func roundedExponent(f float64, digits int) string {
	const enough = 25 // digits after which the exponent is the true one
	_, exponent, _ := strings.Cut(strconv.FormatFloat(f, 'e', enough, 64), "e")
	place, _ := strconv.Atoi(exponent)
	switch kept := place + digits; {
	case kept >= 0:
		return strconv.FormatFloat(f, 'e', kept, 64)
	case kept == -1 && math.Abs(f) > 5*math.Pow10(place):
		return strconv.FormatFloat(math.Copysign(1, f), 'f', 0, 64) + "e" + strconv.Itoa(-digits)
	default:
		return strconv.FormatFloat(math.Copysign(0, f), 'f', 1, 64)
	}
}

// roundWhole rounds to a multiple of ten to the power of zeros.
func roundWhole(i *big.Int, zeros int64) (any, error) {
	if zeros > maxDigits {
		return int64(0), nil
	}
	unit := new(big.Int).Exp(big.NewInt(10), big.NewInt(zeros), nil)
	quotient, rest := floorDivide(i, unit)
	half := new(big.Int).Mul(rest, big.NewInt(2)).Cmp(unit)
	if half > 0 || half == 0 && quotient.Bit(0) == 1 {
		quotient.Add(quotient, big.NewInt(1))
	}
	return shrink(quotient.Mul(quotient, unit))
}
