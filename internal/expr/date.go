package expr

import (
	"cmp"
	"fmt"
	"time"
)

func compareInts(a, b int64) int { return cmp.Compare(a, b) }

// date is a datetime.date: the day that begins at this time of UTC.
type date struct{ t time.Time }

// known gives the time unless it lies outside of the years that Python knows.
func known(t time.Time) (time.Time, error) {
	if year := t.Year(); year < 1 || year > 9999 {
		return t, fail("date value out of range")
	}
	return t, nil
}

// fieldsTime makes a time of year, month, day, hour, minute, second and microsecond, each of which has to be possible.
func fieldsTime(f [7]int64) (time.Time, error) {
	if f[0] < 1 || f[0] > 9999 || f[1] < 1 || f[1] > 12 || f[2] < 1 || f[2] > 31 {
		return time.Time{}, fail("a part of the date is out of range")
	}
	if min(f[3], f[4], f[5], f[6]) < 0 || f[3] > 23 || f[4] > 59 || f[5] > 59 || f[6] > 999_999 {
		return time.Time{}, fail("a part of the time is out of range")
	}
	t := time.Date(int(f[0]), time.Month(f[1]), int(f[2]), int(f[3]), int(f[4]), int(f[5]), int(f[6])*1000, time.UTC)
	if t.Day() != int(f[2]) {
		return t, fail("day is out of range for month")
	}
	return t, nil
}

// timeFields is the reverse of fieldsTime.
func timeFields(t time.Time) [7]int64 {
	return [7]int64{
		int64(t.Year()), int64(t.Month()), int64(t.Day()), int64(t.Hour()), int64(t.Minute()), int64(t.Second()),
		int64(t.Nanosecond() / 1000),
	}
}

var timeNames = []string{"year", "month", "day", "hour", "minute", "second", "microsecond"}

// setFields puts arguments in the places of fields, where they were given.
func setFields(fields []int64, args []any) error {
	for i, v := range args {
		n, err := countArgument(v, fields[i])
		if err != nil {
			return err
		}
		fields[i] = n
	}
	return nil
}

func midnight(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
}

// wall gives the time that a clock at t's place shows, as a time of UTC, to the microsecond.
func wall(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond()/1000*1000, time.UTC)
}

func newDate(_ *machine, a arguments) (any, error) {
	args, err := a.take(3, timeNames[:3]...)
	if err != nil {
		return nil, err
	}
	var fields [7]int64
	if err := setFields(fields[:], args); err != nil {
		return nil, err
	}
	t, err := fieldsTime(fields)
	return date{t}, err
}

func (d date) kind() string { return "datetime.date" }

func (d date) text(quoted bool) (string, bool) {
	if quoted {
		return fmt.Sprintf("datetime.date(%d, %d, %d)", d.t.Year(), d.t.Month(), d.t.Day()), true
	}
	return d.t.Format(time.DateOnly), true
}

func (d date) member(name string) any {
	for i, field := range timeNames[:3] {
		if field == name {
			return timeFields(d.t)[i]
		}
	}
	if call := calendarMethods[name]; call != nil {
		return &bound{bind(call, d.t)}
	}
	return method(dateMethods, d, name)
}

func (d date) compareTo(other any) (int, bool) {
	o, ok := other.(date)
	return d.t.Compare(o.t), ok
}

func (d date) hashText() string { return "D" + d.t.Format(time.DateOnly) }

var dateMethods = map[string]func(*machine, date, arguments) (any, error){
	"strftime": func(m *machine, d date, a arguments) (any, error) {
		return m.formatted(stamp{wall: d.t, python: true}, a)
	},
	"isoformat": func(_ *machine, d date, a arguments) (any, error) {
		_, err := a.take(0)
		return d.t.Format(time.DateOnly), err
	},
	"timetuple": func(_ *machine, d date, a arguments) (any, error) {
		_, err := a.take(0)
		return timeRecord(stamp{wall: d.t}, -1), err
	},
	"replace": func(_ *machine, d date, a arguments) (any, error) {
		args, err := a.take(0, timeNames[:3]...)
		if err != nil {
			return nil, err
		}
		fields := timeFields(d.t)
		if err := setFields(fields[:], args); err != nil {
			return nil, err
		}
		t, err := fieldsTime(fields)
		return date{t}, err
	},
}

// calendarMethods are those that date and datetime have in common.
var calendarMethods = map[string]func(*machine, time.Time, arguments) (any, error){
	"weekday":    ofTime(func(t time.Time) any { return int64(mondays(t)) }),
	"isoweekday": ofTime(func(t time.Time) any { return int64(mondays(t) + 1) }),
	"toordinal":  ofTime(func(t time.Time) any { return midnight(t).Unix()/86400 + 719163 }),
	"ctime":      ofTime(func(t time.Time) any { return t.Format(time.ANSIC) }),
	"isocalendar": ofTime(func(t time.Time) any {
		year, week := t.ISOWeek()
		return &record{
			name: "datetime.IsoCalendarDate", fields: []string{"year", "week", "weekday"},
			items: tuple{int64(year), int64(week), int64(mondays(t) + 1)},
		}
	}),
}

// mondays gives the day of the week, 0 for Monday.
func mondays(t time.Time) int { return (int(t.Weekday()) + 6) % 7 }

// ofTime is a method without arguments.
func ofTime(apply func(time.Time) any) func(*machine, time.Time, arguments) (any, error) {
	return func(m *machine, t time.Time, a arguments) (any, error) {
		if _, err := a.take(0); err != nil {
			return nil, err
		}
		return apply(t), m.grow(4 * itemSize)
	}
}

// add moves by whole days, as Python does with the days of a timedelta.
func (d date) add(days int64) (any, error) {
	if days < -4_000_000 || days > 4_000_000 {
		return nil, fail("date value out of range")
	}
	t, err := known(d.t.AddDate(0, 0, int(days)))
	return date{t}, err
}

// parseDate is date.fromisoformat.
func parseDate(_ *machine, a arguments) (any, error) {
	args, err := a.take(1, "-date_string")
	if err != nil {
		return nil, err
	}
	s, err := textArgument(args[0])
	if err != nil {
		return nil, err
	}
	for _, layout := range []string{time.DateOnly, "20060102"} {
		if t, err := time.Parse(layout, s); err == nil && t.Year() > 0 {
			return date{t}, nil
		}
	}
	return nil, fail("Invalid isoformat string: %s", appendQuoted(nil, s))
}
