package expr

import (
	"math"
	"math/big"
	"slices"

	"github.com/stdops/stdops"
)

// comparer decides comparisons of conditions. Their conversions are those of docs/spec/engine.md 2.8; what remains is
// compared as Python does.
type comparer struct {
	m        *machine
	operands []boundValue
	context  *stdops.Object // where paths are looked up; nil: a path is its own text
}

func (c *comparer) compare(clause clause) (bool, error) {
	left, err := c.value(clause.left)
	if err != nil {
		return false, err
	}
	right, err := c.value(clause.right)
	if err != nil {
		return false, err
	}
	switch operator := clause.operator; operator {
	case "in", "notin":
		found, err := c.in(left, right)
		return found == (operator == "in"), err
	case "issuperset", "notissuperset":
		super, err := c.superset(left, right)
		return super == (operator == "issuperset"), err
	default:
		left, right, err := c.convert(left, right)
		if err != nil {
			return false, err
		}
		return c.m.compare(operator, left, right)
	}
}

// convert makes the sides alike: whole numbers, which cuts off fractions, or else texts. When one of them is no number
// they stay as they are.
func (c *comparer) convert(left, right any) (any, any, error) {
	if isWhole(left) {
		n, err := integer(right)
		if err != nil {
			return left, right, nil
		}
		return left, n, nil
	}
	if isWhole(right) {
		n, err := integer(left)
		if err != nil {
			return left, right, nil
		}
		return n, right, nil
	}
	_, isText := left.(string)
	_, otherText := right.(string)
	var err error
	switch {
	case isText:
		right, err = c.m.text(right)
	case otherText:
		left, err = c.m.text(left)
	}
	return left, right, err
}

func isWhole(v any) bool {
	_, ok := whole(v)
	return ok
}

// in looks for left in a list, to which the items are added that convert to the kind of left; or in a text.
func (c *comparer) in(left, right any) (bool, error) {
	box, ok := right.([]any)
	if !ok {
		return c.m.contains(right, left)
	}
	found, err := c.m.contains(box, left)
	if err != nil || found {
		return found, err
	}
	_, isText := left.(string)
	for _, item := range box {
		var converted any
		switch {
		case isWhole(left):
			converted, err = integer(item)
			if err != nil {
				continue
			}
		case isText:
			if converted, err = c.m.text(item); err != nil {
				return false, err
			}
		default:
			return false, nil
		}
		if same, err := c.m.equal(left, converted); err != nil || same {
			return same, err
		}
	}
	return false, nil
}

// superset decides whether left holds all items of right. A text is a list of one.
func (c *comparer) superset(left, right any) (bool, error) {
	held, err := c.members(left)
	if err != nil {
		return false, err
	}
	wanted, err := c.members(right)
	if err != nil {
		return false, err
	}
	if err := c.m.spend(len(held) + len(wanted)); err != nil {
		return false, err
	}
	set := make(map[any]bool, len(held))
	for _, v := range slices.Concat(held, wanted) {
		switch v.(type) {
		case []any, *stdops.Object:
			return false, fail("unhashable type: '%s'", typeName(v))
		}
	}
	for _, v := range held {
		set[member(v)] = true
	}
	return !slices.ContainsFunc(wanted, func(v any) bool { return !set[member(v)] }), nil
}

func (c *comparer) members(v any) ([]any, error) {
	switch v := v.(type) {
	case string:
		return []any{v}, nil
	case []any:
		return v, nil
	default:
		return nil, fail("'%s' object is not iterable", typeName(v))
	}
}

// bigMember keeps a large number apart from a text of the same digits.
type bigMember string

// member gives numbers that are equal the same form: 1, 1.0 and true are one member of a set.
func member(v any) any {
	if f, ok := v.(float64); ok && f == math.Trunc(f) && !math.IsInf(f, 0) {
		i, _ := big.NewFloat(f).Int(nil)
		v = i
	}
	if i, ok := whole(v); ok {
		if i.IsInt64() {
			return i.Int64()
		}
		return bigMember(i.String())
	}
	return v
}
