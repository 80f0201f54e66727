package expr

import (
	"fmt"
	"math"
	"math/big"
	"strings"
	"time"
)

// datetime is a datetime.datetime: what a clock shows, as a time of UTC, and where it hangs, if that is known.
type datetime struct {
	t    time.Time
	zone *zone
}

func newDatetime(_ *machine, a arguments) (any, error) {
	args, err := a.take(3, "year", "month", "day", "hour", "minute", "second", "microsecond", "tzinfo")
	if err != nil {
		return nil, err
	}
	var d datetime
	var fields [7]int64
	if err := setFields(fields[:], args[:7]); err != nil {
		return nil, err
	}
	if d.zone, err = zoneArgument(args[7]); err != nil {
		return nil, err
	}
	d.t, err = fieldsTime(fields)
	return d, err
}

func (d datetime) kind() string { return "datetime.datetime" }

func (d datetime) text(quoted bool) (string, bool) {
	if quoted {
		return fmt.Sprintf("datetime.datetime(%d, %d, %d, %s)", d.t.Year(), d.t.Month(), d.t.Day(), clockArguments(d.t, d.zone)), true
	}
	return d.iso(" "), true
}

func (d datetime) iso(separator string) string {
	return d.t.Format(time.DateOnly) + separator + isoClock(d.t, "auto") + d.zone.suffix()
}

func (d datetime) member(name string) any {
	for i, field := range timeNames {
		if field == name {
			return timeFields(d.t)[i]
		}
	}
	if call := calendarMethods[name]; call != nil {
		return &bound{bind(call, d.t)}
	}
	if name == "tzinfo" {
		return d.zone.value()
	}
	return method(datetimeMethods, d, name)
}

// moment gives the time in the world; without a zone the difference to another one is right all the same.
func (d datetime) moment() time.Time { return d.t.Add(-d.zone.duration()) }

func (d datetime) compareTo(other any) (int, bool) {
	o, ok := other.(datetime)
	if !ok || (d.zone == nil) != (o.zone == nil) {
		return 0, false
	}
	return d.moment().Compare(o.moment()), true
}

func (d datetime) hashText() string {
	return fmt.Sprintf("T%t%s", d.zone == nil, d.moment().Format(time.RFC3339Nano))
}

// add moves by a timedelta.
func (d datetime) add(by delta) (any, error) {
	days, seconds, micros := by.parts()
	if days < -4_000_000 || days > 4_000_000 {
		return nil, fail("date value out of range")
	}
	t := d.t.AddDate(0, 0, int(days)).Add(time.Duration(seconds)*time.Second + time.Duration(micros)*time.Microsecond)
	t, err := known(t)
	return datetime{t, d.zone}, err
}

// minus gives the time between two.
func (d datetime) minus(o datetime) (any, error) {
	if (d.zone == nil) != (o.zone == nil) {
		return nil, fail("can't subtract offset-naive and offset-aware datetimes")
	}
	x, y := d.moment(), o.moment()
	return delta(x.Unix()-y.Unix())*second + delta(x.Nanosecond()-y.Nanosecond())/1000, nil
}

// in gives the same moment in another zone.
func (d datetime) in(m *machine, z *zone) (any, error) {
	moment := d.moment()
	if d.zone == nil {
		moment = d.local(m)
	}
	if z == nil {
		z = zoneOf(m.env.local(moment))
	}
	t, err := known(moment.UTC().Add(z.duration()))
	return datetime{t, z}, err
}

// local takes a clock without a place for one in the zone of the project.
func (d datetime) local(m *machine) time.Time {
	place := m.env.Zone
	if place == nil {
		place = time.UTC
	}
	t := d.t
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), place)
}

var datetimeMethods = map[string]func(*machine, datetime, arguments) (any, error){
	"strftime": func(m *machine, d datetime, a arguments) (any, error) {
		return m.formatted(stamp{wall: d.t, zone: d.zone, python: true}, a)
	},
	"isoformat": datetimeISO,
	"timestamp": datetimeStamp,
	"date":      ofDatetime(func(d datetime) any { return date{midnight(d.t)} }),
	"time":      ofDatetime(func(d datetime) any { return clockOf(d.t, nil) }),
	"timetz":    ofDatetime(func(d datetime) any { return clockOf(d.t, d.zone) }),
	"timetuple": ofDatetime(func(d datetime) any { return timeRecord(stamp{wall: d.t, zone: d.zone}, -1) }),
	"utcoffset": ofDatetime(func(d datetime) any {
		if d.zone == nil {
			return nil
		}
		return d.zone.offset
	}),
	"tzname": ofDatetime(func(d datetime) any {
		if d.zone == nil {
			return nil
		}
		return d.zone.label()
	}),
	"replace": datetimeReplace,
	"astimezone": func(m *machine, d datetime, a arguments) (any, error) {
		args, err := a.take(0, "tz")
		if err != nil {
			return nil, err
		}
		z, err := zoneArgument(args[0])
		if err != nil {
			return nil, err
		}
		return d.in(m, z)
	},
}

func ofDatetime(apply func(datetime) any) func(*machine, datetime, arguments) (any, error) {
	return func(_ *machine, d datetime, a arguments) (any, error) {
		_, err := a.take(0)
		return apply(d), err
	}
}

func datetimeISO(_ *machine, d datetime, a arguments) (any, error) {
	args, err := a.take(0, "sep", "timespec")
	if err != nil {
		return nil, err
	}
	separator := "T"
	if !absent(args[0]) {
		if separator, err = textArgument(args[0]); err != nil || runeCount(separator) != 1 {
			return nil, fail("isoformat() argument 1 must be a unicode character")
		}
	}
	text, err := timespecText(d.t, args[1])
	return d.t.Format(time.DateOnly) + separator + text + d.zone.suffix(), err
}

func datetimeStamp(m *machine, d datetime, a arguments) (any, error) {
	if _, err := a.take(0); err != nil {
		return nil, err
	}
	moment := d.moment()
	if d.zone == nil {
		moment = d.local(m)
	}
	return float64(moment.UnixMicro()) / 1e6, nil
}

func datetimeReplace(_ *machine, d datetime, a arguments) (any, error) {
	args, err := a.take(0, "year", "month", "day", "hour", "minute", "second", "microsecond", "tzinfo")
	if err != nil {
		return nil, err
	}
	fields := timeFields(d.t)
	if err := setFields(fields[:], args[:7]); err != nil {
		return nil, err
	}
	if !absent(args[7]) {
		if d.zone, err = zoneArgument(args[7]); err != nil {
			return nil, err
		}
	}
	d.t, err = fieldsTime(fields)
	return d, err
}

// fromSeconds reads seconds since 1970, which may have a fraction; it is rounded to microseconds, halves to the even one.
func fromSeconds(v any) (time.Time, error) {
	amount, err := ratio(v)
	if err != nil {
		return time.Time{}, err
	}
	micros, err := makeDelta(amount.Mul(amount, new(big.Rat).SetInt64(int64(second))))
	if err != nil {
		return time.Time{}, err
	}
	return known(time.UnixMicro(int64(micros.(delta))).UTC())
}

// operateTimes gives `a operator b` where one of them is a date, a datetime or a timedelta.
func operateTimes(operator string, a, b any) (any, error) {
	by, byDelta := b.(delta)
	switch a := a.(type) {
	case delta:
		switch b := b.(type) {
		case date, datetime:
			if operator == "+" {
				return operateTimes("+", b, a)
			}
			return nil, errOperands(operator, a, b)
		}
		return operateDelta(operator, a, b)
	case date:
		days, _, _ := by.parts()
		o, isDate := b.(date)
		switch {
		case operator == "+" && byDelta:
			return a.add(days)
		case operator == "-" && byDelta:
			return a.add(-days)
		case operator == "-" && isDate:
			return delta(a.t.Unix()-o.t.Unix()) * second, nil
		}
	case datetime:
		o, isDatetime := b.(datetime)
		switch {
		case operator == "+" && byDelta:
			return a.add(by)
		case operator == "-" && byDelta && by != math.MinInt64:
			return a.add(-by)
		case operator == "-" && isDatetime:
			return a.minus(o)
		}
	}
	if d, ok := b.(delta); ok && operator == "*" && isNumber(a) {
		return operateDelta("*", d, a)
	}
	return nil, errOperands(operator, a, b)
}

// isTime reports whether operateTimes decides about v.
func isTime(v any) bool {
	switch v.(type) {
	case date, datetime, delta:
		return true
	}
	return false
}

// parseDatetime is datetime.fromisoformat, of texts with dashes and colons.
func parseDatetime(m *machine, a arguments) (any, error) {
	args, err := a.take(1, "-date_string")
	if err != nil {
		return nil, err
	}
	s, err := textArgument(args[0])
	if err != nil {
		return nil, err
	}
	wrong := fail("Invalid isoformat string: %s", appendQuoted(nil, s[:min(len(s), 100)]))
	if len(s) < len(time.DateOnly) || len(s) > 40 {
		return nil, wrong
	}
	var d datetime
	rest := s[len(time.DateOnly):]
	layout := time.DateOnly
	if rest != "" {
		separator := byteOffset(rest, 1)
		rest = rest[separator:]
		if at := strings.IndexAny(rest, "+-Z"); at >= 0 {
			var ok bool
			if d.zone, ok = parseZone(rest[at:]); !ok {
				return nil, wrong
			}
			rest = rest[:at]
		}
		layout += "T" + clockLayout(rest)
		s = s[:len(time.DateOnly)] + "T" + rest
	}
	d.t, err = time.Parse(layout, s)
	if err != nil || d.t.Year() < 1 {
		return nil, wrong
	}
	d.t = wall(d.t)
	return d, nil
}

// clockLayout gives how a time is written that has the length of s.
func clockLayout(s string) string {
	switch len(s) {
	case 2:
		return "15"
	case 5:
		return "15:04"
	case 8:
		return time.TimeOnly
	default:
		return time.TimeOnly + "." + strings.Repeat("0", max(len(s)-9, 1))
	}
}
