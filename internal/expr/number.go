package expr

import (
	"math"
	"math/big"
)

func isNumber(v any) bool {
	switch v.(type) {
	case bool, int64, *big.Int, float64:
		return true
	}
	return false
}

// v64 gives a whole number of 64 bits. A boolean is one too.
func v64(v any) (int64, bool) {
	switch v := v.(type) {
	case int64:
		return v, true
	case bool:
		if v {
			return 1, true
		}
		return 0, true
	}
	return 0, false
}

// whole gives a whole number of any size. The caller must not change it.
func whole(v any) (*big.Int, bool) {
	if i, ok := v64(v); ok {
		return big.NewInt(i), true
	}
	i, ok := v.(*big.Int)
	return i, ok
}

// float gives the nearest float of a number.
func float(v any) (float64, error) {
	if f, ok := v.(float64); ok {
		return f, nil
	}
	i, ok := whole(v)
	if !ok {
		return 0, fail("must be real number, not %s", typeName(v))
	}
	f, _ := new(big.Float).SetInt(i).Float64()
	if math.IsInf(f, 0) {
		return 0, fail("int too large to convert to float")
	}
	return f, nil
}

// shrink gives a whole number in the form in which values are kept.
func shrink(i *big.Int) (any, error) {
	if i.IsInt64() {
		return i.Int64(), nil
	}
	if i.BitLen() > maxIntBits {
		return nil, &LimitError{limitSize}
	}
	return i, nil
}

// truncate gives int(f).
func truncate(f float64) (any, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil, fail("cannot convert float %s to integer", floatText(f))
	}
	i, _ := big.NewFloat(math.Trunc(f)).Int(nil)
	return shrink(i)
}

func (m *machine) negate(v any) (any, error) {
	if f, ok := v.(float64); ok {
		return -f, nil
	}
	i, _ := whole(v)
	return shrink(new(big.Int).Neg(i))
}

// number computes with two numbers.
func (m *machine) number(operator string, a, b any) (any, error) {
	_, floatA := a.(float64)
	_, floatB := b.(float64)
	if operator == "|" || operator == "&" || operator == "^" {
		return m.bits(operator, a, b)
	}
	if floatA || floatB {
		x, err := float(a)
		if err != nil {
			return nil, err
		}
		y, err := float(b)
		if err != nil {
			return nil, err
		}
		return floats(operator, x, y)
	}
	if x, ok := v64(a); ok {
		if y, ok := v64(b); ok {
			if v, ok := small(operator, x, y); ok {
				return v, nil
			}
		}
	}
	x, _ := whole(a)
	y, _ := whole(b)
	return m.wholes(operator, x, y)
}

// bits gives what the operators of bits make of two whole numbers; of two booleans that is a boolean.
func (m *machine) bits(operator string, a, b any) (any, error) {
	x, ok := whole(a)
	y, alsoWhole := whole(b)
	if !ok || !alsoWhole {
		return nil, errOperands(operator, a, b)
	}
	result := new(big.Int)
	switch operator {
	case "|":
		result.Or(x, y)
	case "&":
		result.And(x, y)
	default:
		result.Xor(x, y)
	}
	_, boolA := a.(bool)
	_, boolB := b.(bool)
	if boolA && boolB {
		return result.Sign() != 0, nil
	}
	return shrink(result)
}

// small computes with whole numbers whose result surely fits 64 bits; ok is false for all others.
func small(operator string, x, y int64) (v any, ok bool) {
	const half = 1 << 31
	if x <= -half || x >= half || y <= -half || y >= half {
		return nil, false
	}
	switch operator {
	case "+":
		return x + y, true
	case "-":
		return x - y, true
	case "*":
		return x * y, true
	case "/":
		return float64(x) / float64(y), y != 0
	}
	return nil, false
}

func (m *machine) wholes(operator string, x, y *big.Int) (any, error) {
	if err := m.spend(len(x.Bits()) * len(y.Bits()) / clockEvery); err != nil {
		return nil, err
	}
	if err := m.grow((x.BitLen() + y.BitLen()) / 8); err != nil {
		return nil, err
	}
	switch operator {
	case "+":
		return shrink(new(big.Int).Add(x, y))
	case "-":
		return shrink(new(big.Int).Sub(x, y))
	case "*":
		if x.BitLen()+y.BitLen() > maxIntBits+1 {
			return nil, &LimitError{limitSize}
		}
		return shrink(new(big.Int).Mul(x, y))
	case "**":
		return m.power(x, y)
	}
	if y.Sign() == 0 {
		return nil, fail("division by zero")
	}
	switch operator {
	case "//":
		quotient, _ := floorDivide(x, y)
		return shrink(quotient)
	case "%":
		_, rest := floorDivide(x, y)
		return shrink(rest)
	default:
		f, _ := new(big.Rat).SetFrac(x, y).Float64()
		if math.IsInf(f, 0) {
			return nil, fail("integer division result too large for a float")
		}
		return f, nil
	}
}

// floorDivide rounds the quotient down, so that the rest has the sign of y.
func floorDivide(x, y *big.Int) (quotient, rest *big.Int) {
	quotient, rest = new(big.Int).QuoRem(x, y, new(big.Int))
	if rest.Sign() != 0 && rest.Sign() != y.Sign() {
		quotient.Sub(quotient, big.NewInt(1))
		rest.Add(rest, y)
	}
	return quotient, rest
}

func (m *machine) power(x, y *big.Int) (any, error) {
	if y.Sign() < 0 {
		base, err := float(x)
		if err != nil {
			return nil, err
		}
		exponent, err := float(y)
		if err != nil {
			return nil, err
		}
		return floats("**", base, exponent)
	}
	if x.BitLen() > 1 {
		if !y.IsInt64() || y.Int64() > maxIntBits || int64(x.BitLen()-1)*y.Int64() > maxIntBits {
			return nil, &LimitError{limitSize}
		}
		if err := m.grow(x.BitLen() * int(y.Int64()) / 8); err != nil {
			return nil, err
		}
		return shrink(new(big.Int).Exp(x, y, nil))
	}
	switch { // 0, 1 and -1 have any power, however large
	case y.Sign() == 0:
		return int64(1), nil
	case y.Bit(0) == 0:
		return x.Int64() * x.Int64(), nil
	default:
		return x.Int64(), nil
	}
}

// powerModulo is pow(x, y, modulo).
func (m *machine) powerModulo(x, y, modulo *big.Int) (any, error) {
	words := len(modulo.Bits())
	if err := m.spend(y.BitLen() * words * words / clockEvery); err != nil {
		return nil, err
	}
	if modulo.Sign() == 0 {
		return nil, fail("pow() 3rd argument cannot be 0")
	}
	result := new(big.Int).Exp(x, y, new(big.Int).Abs(modulo))
	if result == nil {
		return nil, fail("base is not invertible for the given modulus")
	}
	_, result = floorDivide(result, modulo)
	return shrink(result)
}

func floats(operator string, x, y float64) (any, error) {
	switch operator {
	case "+":
		return x + y, nil
	case "-":
		return x - y, nil
	case "*":
		return x * y, nil
	case "**":
		return floatPower(x, y)
	}
	if y == 0 {
		return nil, fail("float division by zero")
	}
	switch operator {
	case "/":
		return x / y, nil
	case "%":
		return floatModulo(x, y), nil
	default:
		return floatFloor(x, y), nil
	}
}

func floatModulo(x, y float64) float64 {
	rest := math.Mod(x, y)
	switch {
	case rest == 0:
		return math.Copysign(0, y)
	case rest < 0 != (y < 0):
		return rest + y
	default:
		return rest
	}
}

func floatFloor(x, y float64) float64 {
	quotient := (x - math.Mod(x, y)) / y
	if rest := math.Mod(x, y); rest != 0 && rest < 0 != (y < 0) {
		quotient--
	}
	if quotient == 0 {
		return math.Copysign(0, x/y)
	}
	floor := math.Floor(quotient)
	if quotient-floor > 0.5 {
		floor++
	}
	return floor
}

func floatPower(x, y float64) (any, error) {
	if x == 0 && y < 0 {
		return nil, fail("0.0 cannot be raised to a negative power")
	}
	if x < 0 && y != math.Trunc(y) && !math.IsInf(x, 0) && !math.IsInf(y, 0) && !math.IsNaN(y) {
		return nil, fail("complex numbers are not supported")
	}
	power := math.Pow(x, y)
	if math.IsInf(power, 0) && !math.IsInf(x, 0) && !math.IsInf(y, 0) {
		return nil, fail("numerical result out of range")
	}
	return power, nil
}
