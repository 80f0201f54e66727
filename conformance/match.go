package conformance

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/stdops/stdops"
)

// mismatch is one failed expectation: where it was, what was expected, what was seen. Texts that begin with "<" are
// descriptions ("<missing>"), everything else is shown as JSON.
type mismatch struct {
	field         string
	expected, got any
}

// Error names the field and both sides.
func (m *mismatch) Error() string {
	return fmt.Sprintf("%s: expected %s, got %s", m.field, brief(m.expected), brief(m.got))
}

// brief shows a value as JSON, cut where it would flood the report.
func brief(v any) string {
	const limit = 600
	text, ok := v.(string)
	if !ok || !strings.HasPrefix(text, "<") {
		raw, err := stdops.EncodeValue(v)
		if err != nil {
			return err.Error()
		}
		text = string(raw)
	}
	if runes := []rune(text); len(runes) > limit {
		return fmt.Sprintf("%s…(%d more)", string(runes[:limit]), len(runes)-limit)
	}
	return text
}

// matcher compares expected with received values; saved holds the values that a case kept for later.
type matcher struct {
	saved map[string]any
}

// match compares objects as subsets, lists item by item and plain values exactly (numbers by amount). An expected
// object with a key "$…" is one of the special forms of the README ("${…}" is the key of a constant, not a form).
func (m matcher) match(expected, got any, field string) error {
	switch expected := expected.(type) {
	case *stdops.Object:
		if isSpecial(expected) {
			return m.special(expected, got, field)
		}
		return m.object(expected, got, field)
	case []any:
		return m.list(expected, got, field)
	}
	if !equal(expected, got) {
		return &mismatch{field, expected, got}
	}
	return nil
}

func isSpecial(o *stdops.Object) bool {
	for _, key := range o.Keys() {
		if strings.HasPrefix(key, "$") && !strings.HasPrefix(key, "${") {
			return true
		}
	}
	return false
}

func (m matcher) object(expected *stdops.Object, got any, field string) error {
	have, ok := got.(*stdops.Object)
	if !ok {
		return &mismatch{field, expected, got}
	}
	for _, key := range expected.Keys() {
		want, _ := expected.Get(key)
		value, found := have.Get(key)
		place := field + "." + key
		switch {
		case wantsAbsent(want) && found:
			return &mismatch{place, "<absent>", value}
		case wantsAbsent(want):
		case !found:
			return &mismatch{place, want, "<missing>"}
		default:
			if err := m.match(want, value, place); err != nil {
				return err
			}
		}
	}
	return nil
}

func wantsAbsent(want any) bool {
	return equal(want, stdops.NewObject("$absent", true))
}

func (m matcher) list(expected []any, got any, field string) error {
	have, ok := got.([]any)
	if !ok || len(have) != len(expected) {
		return &mismatch{field, expected, got}
	}
	for i, want := range expected {
		if err := m.match(want, have[i], fmt.Sprintf("%s[%d]", field, i)); err != nil {
			return err
		}
	}
	return nil
}

func (m matcher) special(expected *stdops.Object, got any, field string) error {
	for _, word := range expected.Keys() {
		arg, _ := expected.Get(word)
		var fits bool
		var err error
		switch word {
		case "$same", "$not", "$gt":
			fits, err = m.againstSaved(word, arg, got)
		case "$each":
			fits, err = true, m.each(arg, got, field)
		case "$any":
			fits, err = m.some(arg, got)
		default:
			fits, err = fitsForm(word, arg, got)
		}
		if err != nil {
			return err
		}
		if !fits {
			return &mismatch{field, expected, got}
		}
	}
	return nil
}

func (m matcher) againstSaved(word string, arg, got any) (bool, error) {
	name, _ := arg.(string)
	saved, ok := m.saved[name]
	if !ok {
		return false, fmt.Errorf("%s: nothing was saved as %q", word, name)
	}
	switch word {
	case "$same":
		return equal(got, saved), nil
	case "$not":
		return !equal(got, saved), nil
	default:
		return greater(got, saved), nil
	}
}

func (m matcher) each(want, got any, field string) error {
	items, ok := got.([]any)
	if !ok {
		return &mismatch{field, "<list>", got}
	}
	for i, item := range items {
		if err := m.match(want, item, fmt.Sprintf("%s[%d]", field, i)); err != nil {
			return err
		}
	}
	return nil
}

func (m matcher) some(want, got any) (bool, error) {
	items, _ := got.([]any)
	for _, item := range items {
		err := m.match(want, item, "item")
		if err == nil {
			return true, nil
		}
		if differs := (*mismatch)(nil); !errors.As(err, &differs) {
			return false, err
		}
	}
	return false, nil
}

// fitsForm judges the special forms that need nothing but their argument and the received value.
func fitsForm(word string, arg, got any) (bool, error) {
	switch word {
	case "$re":
		return fitsPattern(arg, got)
	case "$type":
		words, _ := arg.(string)
		return contains(anys(strings.Split(words, "|")), kind(got)), nil
	case "$in":
		return contains(arg, got), nil
	case "$len", "$max_len":
		return fitsSize(word, arg, got), nil
	case "$desc":
		return descends(arg, got), nil
	case "$has", "$lacks":
		return fitsMembers(word, arg, got), nil
	case "$keys":
		return hasExactly(arg, got), nil
	case "$between":
		return isBetween(arg, got), nil
	case "$exact":
		return equal(arg, got), nil
	case "$absent":
		return false, nil // reached only where a value is present
	}
	return false, fmt.Errorf("unknown matcher %s", word)
}

func fitsPattern(arg, got any) (bool, error) {
	pattern, _ := arg.(string)
	re, err := regexp.Compile("(?s)" + pattern)
	if err != nil {
		return false, err
	}
	text, ok := got.(string)
	return ok && re.MatchString(text), nil
}

func fitsSize(word string, arg, got any) bool {
	limit, _ := arg.(int64)
	n, ok := size(got)
	return ok && (int64(n) == limit || word == "$max_len" && int64(n) < limit)
}

// descends reports whether the items of got stand strictly descending by one of their keys.
func descends(arg, got any) bool {
	key, _ := arg.(string)
	items, ok := got.([]any)
	if !ok {
		return false
	}
	var before any
	for i, item := range items {
		object, _ := item.(*stdops.Object)
		value, found := object.Get(key)
		if !found || i > 0 && !greater(before, value) {
			return false
		}
		before = value
	}
	return true
}

func fitsMembers(word string, arg, got any) bool {
	members, _ := arg.([]any)
	for _, member := range members {
		if contains(got, member) != (word == "$has") {
			return false
		}
	}
	return true
}

func hasExactly(arg, got any) bool {
	keys, _ := arg.([]any)
	object, ok := got.(*stdops.Object)
	if !ok || object.Len() != len(keys) {
		return false
	}
	return fitsMembers("$has", arg, got)
}

func isBetween(arg, got any) bool {
	bounds, _ := arg.([]any)
	return len(bounds) == 2 && amount(got) != nil && !greater(bounds[0], got) && !greater(got, bounds[1])
}

func anys(words []string) []any {
	list := make([]any, len(words))
	for i, word := range words {
		list[i] = word
	}
	return list
}
