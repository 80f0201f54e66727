package expr

import (
	"errors"
	"math/big"
	"strings"
	"time"

	"github.com/stdops/stdops"
)

// Render puts values in place of the fragments of v (docs/spec/engine.md 6.3).
//
// A text that is nothing but ${name} becomes the value itself. In any other text each fragment becomes the text of its
// result; one that is unknown, forbidden or fails stays as it is. The text is gone through once, from left to right, and
// what was put in is not looked at again. Lists are rendered item by item, objects value by value.
//
// The error is a [*LimitError]. Besides the budgets of each fragment there are those of a call: what it puts in must not
// exceed 1 MiB, nor a text that something was put into, and its fragments together have ten times the steps of one. Only
// a v that is a single ${name} itself is given whatever its size.
func Render(v any, vars Lookup, env Environment) (any, error) {
	if s, ok := v.(string); ok {
		if value, ok := wholeValue(s, vars); ok {
			return value, nil
		}
	}
	return newRenderer(vars, env).value(v)
}

// wholeValue gives the variable when s is nothing but ${name}; the name is taken as written, with its blanks.
func wholeValue(s string, vars Lookup) (any, bool) {
	if name, ok := only(s); ok {
		return vars(name)
	}
	return nil, false
}

// renderer is one call of Render or Eval.
type renderer struct {
	vars    Lookup
	env     Environment
	now     func() time.Time // for the budget of time only
	steps   int              // left for all fragments
	room    int              // bytes left for all that is put in
	lenient bool             // what exceeds a budget stays as it is
	texts   map[string]rendered
}

// rendered is what a fragment became; ok is false when it stays.
type rendered struct {
	text string
	ok   bool
}

func newRenderer(vars Lookup, env Environment) *renderer {
	return &renderer{vars: vars, env: env, now: time.Now, steps: maxCallSteps, room: maxSize}
}

func (r *renderer) value(v any) (any, error) {
	switch v := v.(type) {
	case string:
		if value, ok := wholeValue(v, r.vars); ok {
			return value, r.take(expandedSize(value, r.room))
		}
		return r.text(v)
	case []any:
		list := make([]any, len(v))
		for i, item := range v {
			item, err := r.value(item)
			if err != nil {
				return nil, err
			}
			list[i] = item
		}
		return list, nil
	case *stdops.Object:
		object := &stdops.Object{}
		for _, key := range v.Keys() {
			value, _ := v.Get(key)
			value, err := r.value(value)
			if err != nil {
				return nil, err
			}
			object.Set(key, value)
		}
		return object, nil
	default:
		return v, nil
	}
}

// take pays for size bytes that are put in.
func (r *renderer) take(size int) error {
	if size > r.room {
		return &LimitError{limitSize}
	}
	r.room -= size
	return nil
}

// text renders the fragments of s.
func (r *renderer) text(s string) (string, error) {
	var b strings.Builder
	copied := 0
	for p := range places(s) {
		replacement, err := r.fragment(p.source(s))
		if err == nil && replacement.ok {
			err = r.take(len(replacement.text))
		}
		if err != nil && !r.lenient {
			return "", err
		}
		if err != nil || !replacement.ok {
			continue
		}
		b.WriteString(s[copied:p.start])
		b.WriteString(replacement.text)
		copied = p.end
	}
	if copied == 0 {
		return s, nil
	}
	if !r.lenient && b.Len()+len(s)-copied > maxSize {
		return "", &LimitError{limitSize}
	}
	b.WriteString(s[copied:])
	return b.String(), nil
}

// fragment gives the text of a fragment. One that occurs again is not evaluated again.
func (r *renderer) fragment(source string) (rendered, error) {
	if known, ok := r.texts[source]; ok {
		return known, nil
	}
	var result rendered
	ok, err := r.evaluate(compile(source), func(m *machine, v any) (err error) {
		result.text, err = m.text(v)
		return err
	})
	if err != nil {
		return rendered{}, err
	}
	result.ok = ok
	if r.texts == nil {
		r.texts = make(map[string]rendered)
	}
	r.texts[source] = result
	return result, nil
}

// evaluate evaluates a fragment and hands the result to use, which is still within the budgets. ok is false when the
// fragment stays as it is; the error is a [*LimitError].
func (r *renderer) evaluate(f *fragment, use func(m *machine, v any) error) (ok bool, err error) {
	if f.err != nil {
		return false, onlyLimit(f.err)
	}
	if f.refused {
		return false, nil
	}
	values, ok := f.bind(r.vars)
	if !ok {
		return false, nil
	}
	m := &machine{meter: newMeter(r.now, min(r.steps, maxSteps)), values: values, env: r.env}
	before := m.steps
	v, err := m.eval(f.tree)
	if err == nil {
		err = use(m, v)
	}
	r.steps -= before - m.steps
	return err == nil, onlyLimit(err)
}

// onlyLimit drops any other error than a [*LimitError].
func onlyLimit(err error) error {
	if limit, ok := errors.AsType[*LimitError](err); ok {
		return limit
	}
	return nil
}

// expandedSize gives about how long the text of v is, but counts no further than to a little over most. Parts that v
// holds several times count each time, as they do wherever v is written.
func expandedSize(v any, most int) int {
	switch v := v.(type) {
	case string:
		return len(v)
	case *big.Int:
		return v.BitLen() / 3
	case []any:
		size := 2 * len(v)
		for _, item := range v {
			if size > most {
				break
			}
			size += expandedSize(item, most-size)
		}
		return size
	case *stdops.Object:
		size := 4 * v.Len()
		for _, key := range v.Keys() {
			if size > most {
				break
			}
			value, _ := v.Get(key)
			size += len(key) + expandedSize(value, most-size)
		}
		return size
	default:
		return itemSize / 2
	}
}
