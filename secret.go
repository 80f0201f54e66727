package stdops

import (
	"cmp"
	"encoding/json"
	"math/big"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Hidden stands where a secret was.
const Hidden = "******"

// Secrets are texts that are not to be shown, the longest first.
type Secrets []string

// shortestSecret is how long a secret has to be to be looked for inside of other texts: a shorter one is part of too many.
const shortestSecret = 4

// SecretsOf gives what must not be shown of the value of a secret variable: the text, or that inside of the object in
// which forms of bk-sops send a password (docs/spec/engine.md 6.9). A text that is the name of another variable and
// nothing else is no secret itself.
func SecretsOf(values ...any) Secrets {
	var secrets Secrets
	for _, value := range values {
		if o, ok := value.(*Object); ok {
			value, _ = o.Get("value")
		}
		text, ok := value.(string)
		if !ok {
			text = digits(value)
		}
		if text != "" && !nameOnly.MatchString(text) {
			secrets = append(append(secrets, text), otherForms(text)...)
		}
	}
	slices.SortFunc(secrets, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	return slices.Compact(secrets)
}

var nameOnly = regexp.MustCompile(`^\$\{[^${}#]+\}$`)

// digits gives the text of a number that is long enough to be looked for, "" of anything else.
func digits(v any) string {
	switch v.(type) {
	case int64, float64, *big.Int:
		if text, err := EncodeValue(v); err == nil && len(text) >= shortestSecret {
			return string(text)
		}
	default:
	}
	return ""
}

// pythonForm writes a text as Python prints it inside of a list.
var pythonForm = strings.NewReplacer("\\", `\\`, "\n", `\n`, "\r", `\r`, "\t", `\t`)

// otherForms gives a text as it stands inside of texts that quote it: JSON, lists as Python prints them, messages of Go,
// addresses.
func otherForms(text string) []string {
	if !strings.ContainsFunc(text, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_' && r != '.'
	}) {
		return nil
	}
	own, _ := EncodeValue(text)
	other, _ := json.Marshal(text)
	quoted, python := strconv.Quote(text), pythonForm.Replace(text)
	forms := []string{
		string(own[1 : len(own)-1]), string(other[1 : len(other)-1]), quoted[1 : len(quoted)-1],
		python, strings.ReplaceAll(python, "'", `\'`), url.QueryEscape(text), url.PathEscape(text),
	}
	return slices.DeleteFunc(forms, func(form string) bool { return form == text })
}

// Text gives a text without secrets.
func (s Secrets) Text(text string) string {
	if slices.Contains(s, text) {
		return Hidden
	}
	var found []spot
	for _, secret := range s {
		if at := strings.Index(text, secret); len(secret) >= shortestSecret && at >= 0 {
			found = append(found, spot{secret, at})
		}
	}
	if len(found) == 0 {
		return text
	}
	var shown strings.Builder
	done := 0
	for len(found) > 0 {
		first := slices.MinFunc(found, func(a, b spot) int { return a.at - b.at })
		shown.WriteString(text[done:first.at])
		shown.WriteString(Hidden)
		done = first.at + len(first.secret)
		found = ahead(found, text, done)
	}
	shown.WriteString(text[done:])
	return shown.String()
}

// spot is where a secret stands next in a text.
type spot struct {
	secret string
	at     int
}

// ahead moves spots that were passed to where their secrets stand next: each place of a text is looked at once for each
// secret, however many there are in it.
func ahead(found []spot, text string, done int) []spot {
	left := found[:0]
	for _, f := range found {
		if f.at < done {
			at := strings.Index(text[done:], f.secret)
			if at < 0 {
				continue
			}
			f.at = done + at
		}
		left = append(left, f)
	}
	return left
}

// Cut cuts a text around the first secret inside of it, the longest of those that begin there.
func (s Secrets) Cut(text string) (before, after string, found bool) {
	begin, end := len(text), len(text)
	for _, secret := range s {
		if at := strings.Index(text, secret); len(secret) >= shortestSecret && at >= 0 && at < begin {
			begin, end, found = at, at+len(secret), true
		}
	}
	return text[:begin], text[end:], found
}

// Begun gives how many bytes at the end of a text may be the beginning of a secret.
func (s Secrets) Begun(text string) (most int) {
	for _, secret := range s {
		if len(secret) < shortestSecret {
			continue
		}
		for n := min(len(secret)-1, len(text)); n > most; n-- {
			if strings.HasPrefix(secret, text[len(text)-n:]) {
				most = n
			}
		}
	}
	return most
}

// Value gives a JSON value without secrets; v itself is not changed.
func (s Secrets) Value(v any) any {
	if len(s) == 0 {
		return v
	}
	switch v := v.(type) {
	case string:
		return s.Text(v)
	case []any:
		list := make([]any, len(v))
		for i, item := range v {
			list[i] = s.Value(item)
		}
		return list
	case *Object:
		return s.Object(v)
	default:
		if text := digits(v); text != "" && slices.Contains(s, text) {
			return Hidden
		}
		return v
	}
}

// Object gives an object without secrets in its values; o itself is not changed.
func (s Secrets) Object(o *Object) *Object {
	if len(s) == 0 || o == nil {
		return o
	}
	shown := &Object{}
	for _, key := range o.Keys() {
		value, _ := o.Get(key)
		shown.Set(key, s.Value(value))
	}
	return shown
}
