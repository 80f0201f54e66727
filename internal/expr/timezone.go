package expr

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// zone is a datetime.timezone: a distance from UTC that does not change.
type zone struct {
	offset delta
	name   string // "" for the one that Python makes
	utc    bool   // timezone.utc itself
}

var utcZone = &zone{utc: true}

func newZone(_ *machine, a arguments) (any, error) {
	args, err := a.take(1, "offset", "name")
	if err != nil {
		return nil, err
	}
	offset, ok := args[0].(delta)
	if !ok || offset <= -fullDay || offset >= fullDay {
		return nil, fail("offset must be a timedelta strictly between -timedelta(hours=24) and timedelta(hours=24)")
	}
	z := &zone{offset: offset}
	if absent(args[1]) {
		z.utc = offset == 0
		return z, nil
	}
	z.name, err = textArgument(args[1])
	return z, err
}

func (z *zone) kind() string { return "datetime.timezone" }

func (z *zone) text(quoted bool) (string, bool) {
	switch {
	case !quoted:
		return z.label(), true
	case z.utc:
		return "datetime.timezone.utc", true
	}
	offset, _ := z.offset.text(true)
	if z.name != "" {
		offset += ", " + string(appendQuoted(nil, z.name))
	}
	return "datetime.timezone(" + offset + ")", true
}

// label gives the name of the zone.
func (z *zone) label() string {
	switch {
	case z.name != "":
		return z.name
	case z.offset == 0:
		return "UTC"
	default:
		return "UTC" + z.digits(":")
	}
}

// digits writes the distance as +08:00; seconds only where there are some.
func (z *zone) digits(separator string) string {
	sign, d := "+", z.offset
	if d < 0 {
		sign, d = "-", -d
	}
	text := fmt.Sprintf("%s%02d%s%02d", sign, d/hour, separator, d%hour/minute)
	if rest := d % minute; rest != 0 {
		text += fmt.Sprintf("%s%02d", separator, rest/second)
		if micros := rest % second; micros != 0 {
			text += fmt.Sprintf(".%06d", micros)
		}
	}
	return text
}

func (z *zone) member(string) any { return missing{} }

func (z *zone) compareTo(other any) (int, bool) {
	o, ok := other.(*zone)
	return compareInts(int64(z.offset), int64(o.offsetOr(0))), ok
}

func (z *zone) offsetOr(otherwise delta) delta {
	if z == nil {
		return otherwise
	}
	return z.offset
}

func (z *zone) hashText() string { return "z" + strconv.FormatInt(int64(z.offset), 10) }

// zoneOf gives the distance that a place has at a moment.
func zoneOf(t time.Time) *zone {
	name, offset := t.Zone()
	return &zone{offset: delta(offset) * second, name: name}
}

// zoneArgument reads an optional zone.
func zoneArgument(v any) (*zone, error) {
	if none(v) {
		return nil, nil
	}
	z, ok := v.(*zone)
	if !ok {
		return nil, fail("tzinfo argument must be None or of a tzinfo subclass, not type '%s'", typeName(v))
	}
	return z, nil
}

// value gives the zone as a value, None when there is none.
func (z *zone) value() any {
	if z == nil {
		return nil
	}
	return z
}

// parseZone reads +08:00, +0800, +08:00:30 or Z.
func parseZone(s string) (*zone, bool) {
	if s == "Z" || s == "z" {
		return utcZone, true
	}
	if len(s) < 5 || s[0] != '+' && s[0] != '-' {
		return nil, false
	}
	digits := strings.ReplaceAll(s[1:], ":", "")
	whole, fraction, _ := strings.Cut(digits, ".")
	if len(whole) != 4 && len(whole) != 6 || strings.Trim(whole+fraction, "0123456789") != "" || len(fraction) > 6 {
		return nil, false
	}
	n, _ := strconv.ParseInt((whole + "0000")[:6], 10, 64)
	micros, _ := strconv.ParseInt((fraction + "000000")[:6], 10, 64)
	offset := delta(n/10000)*hour + delta(n/100%100)*minute + delta(n%100)*second + delta(micros)
	if s[0] == '-' {
		offset = -offset
	}
	if offset <= -fullDay || offset >= fullDay {
		return nil, false
	}
	return &zone{offset: offset, utc: offset == 0}, true
}
