package exchange

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/stdops/stdops"
)

// ignored tells what the row of a template sets and stdops does not keep with a flow.
func ignored(row *stdops.Object) []string {
	var keys []string
	for _, key := range []string{"notify_type", "notify_receivers", "executor_proxy", "labels", "ai_notify_type", "ai_notify_group"} {
		if v, _ := row.Get(key); says(v) {
			keys = append(keys, key)
		}
	}
	if v, _ := row.Get("default_flow_type"); v == string(stdops.FlowFunctional) {
		keys = append(keys, "default_flow_type")
	}
	return keys
}

// says reports whether a setting holds anything. Some are JSON inside of a text.
func says(v any) bool {
	switch v := v.(type) {
	case string:
		if inner, err := stdops.DecodeValue([]byte(v)); err == nil {
			if _, text := inner.(string); !text {
				return says(inner)
			}
		}
		return v != ""
	case []any:
		for _, item := range v {
			if says(item) {
				return true
			}
		}
		return false
	case *stdops.Object:
		for _, key := range v.Keys() {
			if item, _ := v.Get(key); says(item) {
				return true
			}
		}
		return false
	default:
		return stdops.Truth(v)
	}
}

func truth(o *stdops.Object, key string) bool {
	v, _ := o.Get(key)
	return stdops.Truth(v)
}

func wholeNumber(text string) (int64, error) { return strconv.ParseInt(text, 10, 64) }

// longestScheme is how many characters the name of a scheme has at most.
const longestScheme = 64

// readSchemes reads the saved selections of a flow.
func readSchemes(f *stdops.Object, at string) ([]Scheme, error) {
	value, _ := f.Get("schemes")
	if value == nil {
		return nil, nil
	}
	list, ok := value.([]any)
	if !ok {
		return nil, invalid("%s.schemes must be an array", at)
	}
	if len(list) > stdops.MostSchemes {
		return nil, invalid("%s.schemes: a flow has at most %d", at, stdops.MostSchemes)
	}
	var schemes []Scheme
	for i, item := range list {
		scheme, err := readScheme(item, fmt.Sprintf("%s.schemes.%d", at, i))
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(schemes, func(s Scheme) bool { return s.Name == scheme.Name }) {
			return nil, invalid("%s.schemes.%d.name: there are two schemes %s", at, i, stdops.Short(scheme.Name))
		}
		schemes = append(schemes, scheme)
	}
	return schemes, nil
}

// schemeName reports whether a text can be the name of a scheme, as it stands in the path under which schemes are changed.
func schemeName(name string) bool {
	size := utf8.RuneCountInString(name)
	return size <= longestScheme && strings.TrimSpace(name) != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return unicode.IsControl(r) || r == '\u2028' || r == '\u2029'
	})
}

func readScheme(item any, at string) (Scheme, error) {
	o, ok := item.(*stdops.Object)
	if !ok || o == nil {
		return Scheme{}, invalid("%s must be an object", at)
	}
	s := Scheme{Unique: o.Text("unique_id"), Name: o.Text("name")}
	if !schemeName(s.Name) {
		return s, invalid("%s.name must be a text of 1 to %d characters in one line", at, longestScheme)
	}
	id, _ := o.Get("id")
	s.ID, _ = id.(int64)
	value, err := stdops.Decoding{Values: mostUnfolded}.Decode(strings.NewReader(o.Text("data")))
	nodes, isList := value.([]any)
	if err != nil || !isList {
		return s, invalid("%s.data must be the JSON text of an array of node ids", at)
	}
	for _, node := range nodes {
		id, ok := node.(string)
		if !ok {
			return s, invalid("%s.data must hold texts only", at)
		}
		s.Nodes = append(s.Nodes, id)
	}
	return s, nil
}
