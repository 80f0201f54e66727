package conformance

import (
	"math/big"
	"strings"

	"github.com/stdops/stdops"
)

// kind gives the word that case files use for the JSON type of a value.
func kind(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "bool"
	case int64, *big.Int:
		return "int"
	case float64:
		return "float"
	case string:
		return "str"
	case []any:
		return "list"
	case *stdops.Object:
		return "dict"
	}
	return "none"
}

// equal compares two values: numbers by their amount, lists item by item, objects without regard to order.
func equal(a, b any) bool {
	if x, y := amount(a), amount(b); x != nil && y != nil {
		return x.Cmp(y) == 0
	}
	switch a := a.(type) {
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for i := range a {
			if !equal(a[i], b[i]) {
				return false
			}
		}
		return true
	case *stdops.Object:
		b, ok := b.(*stdops.Object)
		return ok && equalObjects(a, b)
	}
	return kind(a) == kind(b) && kind(a) != "int" && a == b
}

func equalObjects(a, b *stdops.Object) bool {
	if a.Len() != b.Len() {
		return false
	}
	for _, key := range a.Keys() {
		x, _ := a.Get(key)
		y, ok := b.Get(key)
		if !ok || !equal(x, y) {
			return false
		}
	}
	return true
}

// amount gives the exact amount of a number, nil for anything else.
func amount(v any) *big.Rat {
	switch v := v.(type) {
	case int64:
		return new(big.Rat).SetInt64(v)
	case *big.Int:
		return new(big.Rat).SetInt(v)
	case float64:
		return new(big.Rat).SetFloat64(v)
	}
	return nil
}

// greater reports a > b for two numbers or two texts; other pairs have no order.
func greater(a, b any) bool {
	if x, y := amount(a), amount(b); x != nil && y != nil {
		return x.Cmp(y) > 0
	}
	x, xok := a.(string)
	y, yok := b.(string)
	return xok && yok && x > y
}

// size gives the length of a text (in characters), list or object; ok is false for values without one.
func size(v any) (n int, ok bool) {
	switch v := v.(type) {
	case string:
		return len([]rune(v)), true
	case []any:
		return len(v), true
	case *stdops.Object:
		return v.Len(), true
	}
	return 0, false
}

// contains reports whether a list holds item, an object has it as a key, or a text as a part.
func contains(v, item any) bool {
	text, isText := item.(string)
	switch v := v.(type) {
	case string:
		return isText && strings.Contains(v, text)
	case *stdops.Object:
		_, has := v.Get(text)
		return isText && has
	case []any:
		for _, have := range v {
			if equal(have, item) {
				return true
			}
		}
	}
	return false
}

// clone copies a value so deeply that changes of the copy do not show in the original.
func clone(v any) any {
	switch v := v.(type) {
	case []any:
		list := make([]any, len(v))
		for i, item := range v {
			list[i] = clone(item)
		}
		return list
	case *stdops.Object:
		object := &stdops.Object{}
		for _, key := range v.Keys() {
			item, _ := v.Get(key)
			object.Set(key, clone(item))
		}
		return object
	}
	return v
}

// child gives the object under key; a missing key and any other value give an empty object.
func child(o *stdops.Object, key string) *stdops.Object {
	v, _ := o.Get(key)
	if c, ok := v.(*stdops.Object); ok {
		return c
	}
	return &stdops.Object{}
}

// list gives the list under key, nil when there is none.
func list(o *stdops.Object, key string) []any {
	v, _ := o.Get(key)
	l, _ := v.([]any)
	return l
}

// get gives the value under key, or other when the key is missing.
func get(o *stdops.Object, key string, other any) any {
	if v, ok := o.Get(key); ok {
		return v
	}
	return other
}

// has reports whether o has any of the keys.
func has(o *stdops.Object, keys ...string) bool {
	for _, key := range keys {
		if _, ok := o.Get(key); ok {
			return true
		}
	}
	return false
}

// update puts every key of more into o.
func update(o, more *stdops.Object) {
	for _, key := range more.Keys() {
		v, _ := more.Get(key)
		o.Set(key, v)
	}
}

// merged gives a new object with the keys of all, later ones winning.
func merged(all ...*stdops.Object) *stdops.Object {
	o := &stdops.Object{}
	for _, one := range all {
		update(o, one)
	}
	return o
}
