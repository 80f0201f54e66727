package expr

import (
	"fmt"
	"time"
)

// clock is a datetime.time: a time of the first day of 1900.
type clock struct {
	t    time.Time
	zone *zone
}

func clockOf(t time.Time, z *zone) clock {
	return clock{time.Date(1900, 1, 1, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC), z}
}

func newClock(_ *machine, a arguments) (any, error) {
	return clockOf(time.Time{}, nil).replace(a)
}

func (c clock) replace(a arguments) (any, error) {
	args, err := a.take(0, "hour", "minute", "second", "microsecond", "tzinfo")
	if err != nil {
		return nil, err
	}
	fields := timeFields(c.t)
	if err := setFields(fields[3:], args[:4]); err != nil {
		return nil, err
	}
	if !absent(args[4]) {
		if c.zone, err = zoneArgument(args[4]); err != nil {
			return nil, err
		}
	}
	c.t, err = fieldsTime(fields)
	return c, err
}

func (c clock) kind() string { return "datetime.time" }

func (c clock) text(quoted bool) (string, bool) {
	if quoted {
		return "datetime.time(" + clockArguments(c.t, c.zone) + ")", true
	}
	return isoClock(c.t, "auto") + c.zone.suffix(), true
}

// suffix gives the distance as it stands behind a time.
func (z *zone) suffix() string {
	if z == nil {
		return ""
	}
	return z.digits(":")
}

// clockArguments writes hour, minute and what else is not zero.
func clockArguments(t time.Time, z *zone) string {
	text := fmt.Sprintf("%d, %d", t.Hour(), t.Minute())
	micros := t.Nanosecond() / 1000
	if t.Second() != 0 || micros != 0 {
		text += fmt.Sprintf(", %d", t.Second())
	}
	if micros != 0 {
		text += fmt.Sprintf(", %d", micros)
	}
	if z != nil {
		quoted, _ := z.text(true)
		text += ", tzinfo=" + quoted
	}
	return text
}

var clockLayouts = map[string]string{
	"hours": "15", "minutes": "15:04", "seconds": time.TimeOnly, "milliseconds": "15:04:05.000", "microseconds": "15:04:05.000000",
}

// isoClock writes a time; "auto" writes microseconds where there are some. It is empty for a timespec that is not known.
func isoClock(t time.Time, timespec string) string {
	if timespec == "auto" {
		timespec = "seconds"
		if t.Nanosecond() != 0 {
			timespec = "microseconds"
		}
	}
	layout, ok := clockLayouts[timespec]
	if !ok {
		return ""
	}
	return t.Format(layout)
}

func (c clock) member(name string) any {
	for i, field := range timeNames[3:] {
		if field == name {
			return timeFields(c.t)[3+i]
		}
	}
	if name == "tzinfo" {
		return c.zone.value()
	}
	return method(clockMethods, c, name)
}

var clockMethods = map[string]func(*machine, clock, arguments) (any, error){
	"strftime": func(m *machine, c clock, a arguments) (any, error) {
		return m.formatted(stamp{wall: c.t, zone: c.zone, python: true}, a)
	},
	"replace": func(_ *machine, c clock, a arguments) (any, error) { return c.replace(a) },
	"isoformat": func(_ *machine, c clock, a arguments) (any, error) {
		args, err := a.take(0, "timespec")
		if err != nil {
			return nil, err
		}
		text, err := timespecText(c.t, args[0])
		return text + c.zone.suffix(), err
	},
}

func timespecText(t time.Time, v any) (string, error) {
	timespec := "auto"
	if !absent(v) {
		timespec, _ = v.(string)
	}
	text := isoClock(t, timespec)
	if text == "" {
		return "", fail("Unknown timespec value")
	}
	return text, nil
}

func (c clock) compareTo(other any) (int, bool) {
	o, ok := other.(clock)
	if !ok || (c.zone == nil) != (o.zone == nil) {
		return 0, false
	}
	return c.moment().Compare(o.moment()), true
}

func (c clock) moment() time.Time { return c.t.Add(-c.zone.duration()) }

func (z *zone) duration() time.Duration { return time.Duration(z.offsetOr(0)) * time.Microsecond }

func (c clock) hashText() string { return "c" + c.moment().Format(time.RFC3339Nano) }
