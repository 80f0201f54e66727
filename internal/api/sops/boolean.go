package sops

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/stdops/stdops"
)

// boolWords are the words of docs/spec/api.md 1.4, in any letter case.
var boolWords = map[string]bool{
	"t": true, "y": true, "yes": true, "true": true, "on": true, "1": true,
	"f": false, "n": false, "no": false, "false": false, "off": false, "0": false,
}

// boolean reads a value that stands for true or false; known is false for any other.
func boolean(value any) (on, known bool) {
	switch v := value.(type) {
	case bool:
		return v, true
	case string:
		on, known = boolWords[strings.ToLower(v)]
		return on, known
	case int64:
		return v == 1, v == 0 || v == 1
	case float64:
		return v == 1, v == 0 || v == 1
	case json.Number:
		whole, ok := wholeNumber(v.String())
		return whole == "1", ok && (whole == "0" || whole == "1")
	default:
		return false, false
	}
}

// fieldErrors collects what is wrong with the fields of a body.
type fieldErrors map[string][]string

// flag reads a flag of a JSON body; an absent one is off.
func (f fieldErrors) flag(body *stdops.Object, name string) bool {
	value, ok := body.Get(name)
	if !ok {
		return false
	}
	if value == nil {
		f.add(name, "This field may not be null.")
		return false
	}
	on, known := boolean(value)
	if !known {
		f.add(name, "Must be a valid boolean.")
	}
	return on
}

// add tells that a field is wrong.
func (f fieldErrors) add(name, text string) { f[name] = append(f[name], text) }

// refusal gives one sentence for all of them, and the texts per field beside it.
func (f fieldErrors) refusal(code stdops.Code) error {
	if len(f) == 0 {
		return nil
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(f)) {
		parts = append(parts, name+": "+strings.Join(f[name], " "))
	}
	return &stdops.Error{Code: code, Message: strings.Join(parts, "; "), Fields: f}
}
