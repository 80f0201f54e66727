package expr

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
)

// delta is a timedelta, in microseconds.
type delta int64

const (
	second  delta = 1_000_000
	minute        = 60 * second
	hour          = 60 * minute
	fullDay       = 24 * hour
)

var errDelta = fail("a timedelta of that size is not known here")

// makeDelta gives the timedelta that is nearest to a number of microseconds; halves go to the even one.
func makeDelta(micros *big.Rat) (any, error) {
	quotient, rest := new(big.Int).DivMod(micros.Num(), micros.Denom(), new(big.Int))
	half := rest.Lsh(rest, 1).Cmp(micros.Denom())
	if half > 0 || half == 0 && quotient.Bit(0) == 1 {
		quotient.Add(quotient, big.NewInt(1))
	}
	if !quotient.IsInt64() {
		return nil, errDelta
	}
	return delta(quotient.Int64()), nil
}

// ratio gives a number exactly.
func ratio(v any) (*big.Rat, error) {
	if f, ok := v.(float64); ok {
		r := new(big.Rat).SetFloat64(f)
		if r == nil {
			return nil, fail("cannot convert float to integer")
		}
		return r, nil
	}
	i, ok := whole(v)
	if !ok {
		return nil, fail("unsupported type for a timedelta: '%s'", typeName(v))
	}
	return new(big.Rat).SetInt(i), nil
}

// deltaUnits are the units of the arguments, in the order in which Python adds them up.
var deltaUnits = []struct {
	argument int
	unit     delta
}{{2, 1}, {3, 1000}, {1, second}, {4, minute}, {5, hour}, {0, fullDay}, {6, 7 * fullDay}}

func newDelta(m *machine, a arguments) (any, error) {
	args, err := a.take(0, "days", "seconds", "microseconds", "milliseconds", "minutes", "hours", "weeks")
	if err != nil {
		return nil, err
	}
	total, rest := new(big.Int), 0.0
	for _, u := range deltaUnits {
		if absent(args[u.argument]) {
			continue
		}
		if err := m.spend(8); err != nil {
			return nil, err
		}
		part, left, err := inMicros(args[u.argument], u.unit)
		if err != nil {
			return nil, err
		}
		total.Add(total, part)
		rest += left
	}
	total.Add(total, roundedRest(rest, total.Bit(0)))
	if !total.IsInt64() {
		return nil, errDelta
	}
	return delta(total.Int64()), nil
}

// inMicros gives an amount of a unit in microseconds, and what is left of them. A fraction is a float all the way, so that
// it is as inexact as in Python.
func inMicros(v any, unit delta) (*big.Int, float64, error) {
	scale := big.NewInt(int64(unit))
	f, ok := v.(float64)
	if !ok {
		i, ok := whole(v)
		if !ok {
			return nil, 0, fail("unsupported type for a timedelta: '%s'", typeName(v))
		}
		return scale.Mul(scale, i), 0, nil
	}
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil, 0, fail("cannot convert float to integer")
	}
	full, fraction := math.Modf(f)
	more, rest := math.Modf(fraction * float64(unit))
	amount, _ := big.NewFloat(full).Int(nil)
	return amount.Add(amount.Mul(amount, scale), big.NewInt(int64(more))), rest, nil
}

// roundedRest rounds what is left; a half goes where the sum becomes even.
func roundedRest(rest float64, odd uint) *big.Int {
	rounded := math.Round(rest)
	if math.Abs(rounded-rest) == 0.5 {
		rounded = 2*math.Round((rest+float64(odd))/2) - float64(odd)
	}
	return big.NewInt(int64(rounded))
}

// parts gives days, seconds and microseconds; only the days can be negative.
func (d delta) parts() (days, seconds, micros int64) {
	days = int64(d / fullDay)
	rest := d % fullDay
	if rest < 0 {
		days--
		rest += fullDay
	}
	return days, int64(rest / second), int64(rest % second)
}

func (d delta) kind() string { return "datetime.timedelta" }

func (d delta) text(quoted bool) (string, bool) {
	days, seconds, micros := d.parts()
	if quoted {
		return d.call(days, seconds, micros), true
	}
	var b strings.Builder
	if days != 0 {
		fmt.Fprintf(&b, "%d day", days)
		if days != 1 && days != -1 {
			b.WriteByte('s')
		}
		b.WriteString(", ")
	}
	fmt.Fprintf(&b, "%d:%02d:%02d", seconds/3600, seconds/60%60, seconds%60)
	if micros != 0 {
		fmt.Fprintf(&b, ".%06d", micros)
	}
	return b.String(), true
}

func (d delta) call(days, seconds, micros int64) string {
	var args []string
	for i, n := range []int64{days, seconds, micros} {
		if n != 0 {
			args = append(args, []string{"days=", "seconds=", "microseconds="}[i]+strconv.FormatInt(n, 10))
		}
	}
	if args == nil {
		args = []string{"0"}
	}
	return "datetime.timedelta(" + strings.Join(args, ", ") + ")"
}

func (d delta) member(name string) any {
	days, seconds, micros := d.parts()
	switch name {
	case "days":
		return days
	case "seconds":
		return seconds
	case "microseconds":
		return micros
	case "total_seconds":
		return &bound{func(_ *machine, a arguments) (any, error) {
			_, err := a.take(0)
			return float64(d) / float64(second), err
		}}
	default:
		return missing{}
	}
}

func (d delta) compareTo(other any) (int, bool) {
	o, ok := other.(delta)
	return compareInts(int64(d), int64(o)), ok
}

func (d delta) hashText() string { return "d" + strconv.FormatInt(int64(d), 10) }

// plus adds, unless that goes beyond 64 bits.
func (d delta) plus(o delta) (any, error) {
	sum := d + o
	if (sum > d) != (o > 0) && o != 0 {
		return nil, errDelta
	}
	return sum, nil
}

func (d delta) minus(o delta) (any, error) {
	if o == math.MinInt64 {
		return nil, errDelta
	}
	return d.plus(-o)
}

// operateDelta gives `a operator b` where a is a timedelta, and b is one or a number.
func operateDelta(operator string, d delta, b any) (any, error) {
	o, isDelta := b.(delta)
	switch {
	case operator == "+" && isDelta:
		return d.plus(o)
	case operator == "-" && isDelta:
		return d.minus(o)
	case operator == "*" && isNumber(b):
		factor, err := ratio(b)
		if err != nil {
			return nil, err
		}
		return makeDelta(factor.Mul(factor, new(big.Rat).SetInt64(int64(d))))
	case isDelta && (operator == "/" || operator == "//" || operator == "%"):
		return divideDeltas(operator, d, o)
	case (operator == "/" || operator == "//") && isNumber(b):
		return divideDelta(operator, d, b)
	}
	return nil, errOperands(operator, d, b)
}

func divideDeltas(operator string, d, o delta) (any, error) {
	if o == 0 {
		return nil, fail("integer division or modulo by zero")
	}
	x, y := big.NewInt(int64(d)), big.NewInt(int64(o))
	quotient, rest := floorDivide(x, y)
	switch operator {
	case "//":
		return shrink(quotient)
	case "%":
		return delta(rest.Int64()), nil
	default:
		f, _ := new(big.Rat).SetFrac(x, y).Float64()
		return f, nil
	}
}

func divideDelta(operator string, d delta, b any) (any, error) {
	divisor, err := ratio(b)
	if err != nil {
		return nil, err
	}
	if _, isFloat := b.(float64); isFloat && operator == "//" {
		return nil, errOperands(operator, d, b)
	}
	if divisor.Sign() == 0 {
		return nil, fail("division by zero")
	}
	if operator == "/" {
		return makeDelta(new(big.Rat).Quo(new(big.Rat).SetInt64(int64(d)), divisor))
	}
	quotient, _ := floorDivide(big.NewInt(int64(d)), divisor.Num())
	if !quotient.IsInt64() {
		return nil, errDelta
	}
	return delta(quotient.Int64()), nil
}
