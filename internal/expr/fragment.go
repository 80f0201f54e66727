package expr

import (
	"errors"
	"iter"
	"strings"

	"github.com/stdops/stdops"
)

// Lookup gives the value of a variable by its name without ${ and }; ok is false when there is none.
type Lookup func(name string) (value any, ok bool)

// place is where a fragment stands in a text: from the $ up to behind the }.
type place struct{ start, end int }

func (p place) source(s string) string { return s[p.start+2 : p.end-1] }

// places finds the fragments of s: ${, then one or more signs other than $ { } #, then } (docs/spec/engine.md 6.3).
func places(s string) iter.Seq[place] {
	return func(yield func(place) bool) {
		for at := 0; ; {
			start := strings.Index(s[at:], "${")
			if start < 0 {
				return
			}
			start += at
			inside := start + 2
			n := strings.IndexAny(s[inside:], "${}#")
			if n < 0 {
				return
			}
			at = inside + n
			if s[at] == '}' && n > 0 {
				at++
				if !yield(place{start, at}) {
					return
				}
			}
		}
	}
}

// only gives the inside of the fragment when s is nothing but one.
func only(s string) (source string, ok bool) {
	for p := range places(s) {
		if p.start == 0 && p.end == len(s) {
			return p.source(s), true
		}
		break
	}
	return "", false
}

// fragment is a parsed fragment.
type fragment struct {
	tree    node
	names   []string
	refused bool  // 6.4.2: stays literal
	err     error // errSyntax: stays literal; or a *LimitError
}

func compile(source string) *fragment {
	if len(source) > maxSource {
		return &fragment{err: &LimitError{limitSource}}
	}
	if isName(source) { // as most are: nothing that a parser is needed for
		return &fragment{tree: &name{slot: 0}, names: []string{source}, refused: refusedName(source)}
	}
	tree, p, err := parse(source)
	return &fragment{tree: tree, names: p.names, refused: p.refused, err: err}
}

// bind gives the values of the names, by slot; ok is false when one is missing. All names have to be there, also those
// of branches that are not taken.
func (f *fragment) bind(vars Lookup) (values []any, ok bool) {
	values = make([]any, len(f.names))
	for i, name := range f.names {
		value, ok := vars(name)
		if !ok {
			if value = builtin(name); value == nil {
				return nil, false
			}
		}
		values[i] = value
	}
	return values, true
}

// builtin gives a function or module, nil when there is none of that name.
func builtin(name string) any {
	if f, ok := builtins[name]; ok {
		return f
	}
	if n, ok := modules[name]; ok {
		return n
	}
	return nil
}

// References lists the root names that the fragments of v use, without ${ and }, in order of appearance: the names of
// variables, and of functions and modules such as int. Lists and objects are searched too, but not the keys of objects.
func References(v any) []string { return namesOf(fragments(v)) }

func namesOf(fragments iter.Seq[*fragment]) []string {
	var names []string
	seen := map[string]bool{}
	for f := range fragments {
		if errors.Is(f.err, errSyntax) {
			continue
		}
		for _, name := range f.names {
			if !seen[name] {
				seen[name] = true
				names = append(names, name)
			}
		}
	}
	return names
}

// HasReference reports whether v has to be rendered: one of its fragments uses a name, or exceeds a budget, which is
// for the rendering to say.
func HasReference(v any) bool {
	for f := range fragments(v) {
		if f.err == nil && len(f.names) > 0 || f.err != nil && !errors.Is(f.err, errSyntax) {
			return true
		}
	}
	return false
}

// Literal lists the fragments of v that stay as they are whatever variables there are: those that are forbidden, and those
// that are no expression here (docs/spec/engine.md 6.4).
func Literal(v any) []string {
	var list []string
	eachText(v, func(text string) {
		for p := range places(text) {
			if f := compile(p.source(text)); f.refused || f.err != nil {
				list = append(list, text[p.start:p.end])
			}
		}
	})
	return list
}

func eachText(v any, do func(string)) {
	switch v := v.(type) {
	case string:
		do(v)
	case []any:
		for _, item := range v {
			eachText(item, do)
		}
	case *stdops.Object:
		for _, key := range v.Keys() {
			value, _ := v.Get(key)
			eachText(value, do)
		}
	}
}

// fragments gives all fragments of a value.
func fragments(v any) iter.Seq[*fragment] {
	return func(yield func(*fragment) bool) { eachFragment(v, yield) }
}

func eachFragment(v any, yield func(*fragment) bool) bool {
	switch v := v.(type) {
	case string:
		for p := range places(v) {
			if !yield(compile(p.source(v))) {
				return false
			}
		}
	case []any:
		for _, item := range v {
			if !eachFragment(item, yield) {
				return false
			}
		}
	case *stdops.Object:
		for _, key := range v.Keys() {
			if value, _ := v.Get(key); !eachFragment(value, yield) {
				return false
			}
		}
	}
	return true
}
