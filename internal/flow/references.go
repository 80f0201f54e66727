package flow

import (
	"regexp"
	"strings"
)

// references gives the words of all ${…} fragments inside v that may name a variable: not inside quotes and not behind
// a dot. It may give more than are variables, never fewer.
func references(v any) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for text := range texts(v) {
			for _, fragment := range fragments(text) {
				for _, w := range words(fragment) {
					if !yield(w) {
						return
					}
				}
			}
		}
	}
}

// environment is how a script refers to a variable that it finds in its environment (docs/spec/engine.md 7.10).
var environment = regexp.MustCompile(`STDOPS_VAR_([A-Za-z_][A-Za-z0-9_]*)`)

// environmentNames gives the variables that texts inside v refer to by the names of their environment.
func environmentNames(v any) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for text := range texts(v) {
			for _, found := range environment.FindAllStringSubmatch(text, -1) {
				if !yield(found[1]) {
					return
				}
			}
		}
	}
}

// fragments gives the insides of the fragments of a text: ${, then one or more characters other than $ { } #, then }
// (docs/spec/engine.md 6.3).
func fragments(text string) []string {
	var list []string
	for {
		_, rest, ok := strings.Cut(text, "${")
		if !ok {
			return list
		}
		end := strings.IndexAny(rest, "${}#")
		if end < 0 {
			return list
		}
		if rest[end] == '}' {
			list = append(list, rest[:end])
		}
		text = rest[end:]
	}
}

func words(fragment string) []string {
	var list []string
	quote := byte(0)
	for i := 0; i < len(fragment); i++ {
		switch c := fragment[i]; {
		case quote != 0 && c == '\\':
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case wordByte(c):
			begin := i
			for i+1 < len(fragment) && wordByte(fragment[i+1]) {
				i++
			}
			if begin == 0 || fragment[begin-1] != '.' {
				list = append(list, fragment[begin:i+1])
			}
		}
	}
	return list
}

func wordByte(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}
