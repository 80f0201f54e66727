package sops

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/stdops/stdops"
)

const (
	mostIDs    = 50
	mostDigits = 40 // of an asked id
)

// askedID is an id as a caller asked for it.
type askedID struct {
	digits string // plain decimal, with a minus sign where it had one
	task   stdops.TaskID
}

// askedIDs reads task_id_list (docs/spec/api.md 1.4, 1.5): type, length, then every item. listed is false when the body
// has no such key; items that are null are dropped, repeats are merged.
func askedIDs(body *stdops.Object, most int, tooLong string) (asked []askedID, listed bool, err error) {
	value, ok := body.Get("task_id_list")
	if !ok {
		return nil, false, nil
	}
	list, ok := value.([]any)
	if !ok {
		return nil, true, invalid("task_id_list must be a list")
	}
	if len(list) > most {
		return nil, true, invalid("%s", tooLong)
	}
	asked = make([]askedID, 0, len(list))
	for _, item := range list {
		if item == nil {
			continue
		}
		digits, ok := taskIDDigits(item)
		if !ok {
			return nil, true, invalid("task_id_list contains invalid task id: %s", shown(item))
		}
		id := askedID{digits: digits, task: stdops.TaskID(number(digits))}
		if !slices.Contains(asked, id) {
			asked = append(asked, id)
		}
	}
	return asked, true, nil
}

// taskIDs gives the ids that a task can have.
func taskIDs(asked []askedID) []stdops.TaskID {
	ids := make([]stdops.TaskID, 0, len(asked))
	for _, id := range asked {
		if id.task > 0 {
			ids = append(ids, id.task)
		}
	}
	return ids
}

// missing gives the asked ids without an entry, in the order asked, as numbers however large they are.
func missing(asked []askedID, found map[stdops.TaskID]bool) []any {
	list := []any{}
	for _, id := range asked {
		if !found[id.task] {
			list = append(list, json.Number(id.digits))
		}
	}
	return list
}

// textID is what a text must look like to be an id.
var textID = regexp.MustCompile(`^[ \t\r\n]*([+-]?)([0-9]+)[ \t\r\n]*$`)

func taskIDDigits(item any) (string, bool) {
	switch v := item.(type) {
	case json.Number:
		return wholeNumber(v.String())
	case string:
		found := textID.FindStringSubmatch(v)
		if found == nil {
			return "", false
		}
		return plain(found[1] == "-", found[2])
	default:
		return "", false
	}
}

// wholeNumber gives the plain decimal form of a JSON number whose value is whole, however it is written (12.0, 1.2e1).
// It computes with the digits: a float would lose some, and an exponent may be meant to blow up.
func wholeNumber(literal string) (string, bool) {
	if len(literal) <= mostDigits && literal[0] != '0' && allDigits(literal) { // as nearly all are written
		return literal, true
	}
	negative := strings.HasPrefix(literal, "-")
	mantissa, exponent, hasExponent := strings.Cut(strings.ToLower(strings.TrimPrefix(literal, "-")), "e")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := strings.TrimLeft(whole+fraction, "0")
	if digits == "" {
		return "0", true
	}
	shift := 0
	if hasExponent {
		var err error
		if shift, err = strconv.Atoi(exponent); err != nil {
			return "", false
		}
	}
	trimmed := strings.TrimRight(digits, "0")
	zeros := shift - len(fraction) + len(digits) - len(trimmed) // that follow the last other digit
	if zeros < 0 || zeros > mostDigits {
		return "", false
	}
	return plain(negative, trimmed+strings.Repeat("0", zeros))
}

func plain(negative bool, digits string) (string, bool) {
	digits = strings.TrimLeft(digits, "0")
	switch {
	case digits == "":
		return "0", true
	case len(digits) > mostDigits:
		return "", false
	case negative:
		return "-" + digits, true
	default:
		return digits, true
	}
}

// shown gives an item of a request for a message.
func shown(item any) string { return stdops.Short(stdops.ValueText(item)) }
