package stdops

import (
	"slices"
	"strings"
)

// Hidden stands where a secret was.
const Hidden = "******"

// Secrets are texts that are not to be shown, the longest first.
type Secrets []string

// shortestSecret is how long a secret has to be to be looked for inside of other texts: a shorter one is part of too many.
const shortestSecret = 4

// SecretsOf gives what must not be shown of the value of a secret variable: the text, or that inside of the object in
// which forms of bk-sops send a password (docs/spec/engine.md 6.9). What names other variables is no secret itself.
func SecretsOf(values ...any) Secrets {
	var secrets Secrets
	for _, value := range values {
		if o, ok := value.(*Object); ok {
			value, _ = o.Get("value")
		}
		if text, ok := value.(string); ok && text != "" && !strings.Contains(text, "${") {
			secrets = append(secrets, text)
		}
	}
	slices.SortStableFunc(secrets, func(a, b string) int { return len(b) - len(a) })
	return slices.Compact(secrets)
}

// Text gives a text without secrets.
func (s Secrets) Text(text string) string {
	if slices.Contains(s, text) {
		return Hidden
	}
	shown := ""
	for {
		before, after, found := s.Cut(text)
		if !found {
			return shown + text
		}
		shown, text = shown+before+Hidden, after
	}
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
