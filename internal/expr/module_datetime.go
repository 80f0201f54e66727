package expr

import (
	"time"
)

// datetimeModule has the classes of the module datetime.
var datetimeModule = &namespace{name: "datetime", members: map[string]any{
	"datetime":  &namespace{name: "datetime.datetime", create: newDatetime, members: datetimeMembers()},
	"date":      &namespace{name: "datetime.date", create: newDate, members: dateMembers()},
	"time":      &namespace{name: "datetime.time", create: newClock},
	"timedelta": &namespace{name: "datetime.timedelta", create: newDelta},
	"timezone":  &namespace{name: "datetime.timezone", create: newZone, members: map[string]any{"utc": utcZone}},
	"UTC":       utcZone,
	"MINYEAR":   int64(1),
	"MAXYEAR":   int64(9999),
}}

func datetimeMembers() map[string]any {
	return functions(map[string]builtinCall{
		"now":              datetimeNow,
		"today":            datetimeToday,
		"utcnow":           datetimeUTCNow,
		"fromtimestamp":    datetimeFrom,
		"utcfromtimestamp": datetimeUTCFrom,
		"strptime":         datetimeParse,
		"fromisoformat":    parseDatetime,
		"combine":          combine,
		"fromordinal":      func(_ *machine, a arguments) (any, error) { t, err := ordinal(a); return datetime{t: t}, err },
	})
}

func dateMembers() map[string]any {
	return functions(map[string]builtinCall{
		"today": func(m *machine, a arguments) (any, error) {
			_, err := a.take(0)
			return date{midnight(m.env.now())}, err
		},
		"fromtimestamp": func(m *machine, a arguments) (any, error) {
			args, err := a.take(1, "-timestamp")
			if err != nil {
				return nil, err
			}
			t, err := fromSeconds(args[0])
			return date{midnight(m.env.local(t))}, err
		},
		"fromisoformat": parseDate,
		"fromordinal":   func(_ *machine, a arguments) (any, error) { t, err := ordinal(a); return date{t}, err },
	})
}

// ordinal reads the number of a day; the first of January of the year 1 is 1.
func ordinal(a arguments) (time.Time, error) {
	args, err := a.take(1, "-n")
	if err != nil {
		return time.Time{}, err
	}
	n, err := countArgument(args[0], 0)
	if err != nil || n < 1 || n > 3652059 {
		return time.Time{}, fail("ordinal must be >= 1 and at most 3652059")
	}
	return time.Unix((n-719163)*86400, 0).UTC(), nil
}

func datetimeNow(m *machine, a arguments) (any, error) {
	args, err := a.take(0, "tz")
	if err != nil {
		return nil, err
	}
	return m.at(m.env.Now, args[0])
}

// at gives a moment in a zone, or as clocks of the project show it.
func (m *machine) at(t time.Time, tz any) (any, error) {
	z, err := zoneArgument(tz)
	if err != nil {
		return nil, err
	}
	if z == nil {
		t, err := known(wall(m.env.local(t)))
		return datetime{t: t}, err
	}
	t, err = known(wall(t.UTC()).Add(z.duration()))
	return datetime{t, z}, err
}

func datetimeToday(m *machine, a arguments) (any, error) {
	if _, err := a.take(0); err != nil {
		return nil, err
	}
	return m.at(m.env.Now, nil)
}

func datetimeUTCNow(m *machine, a arguments) (any, error) {
	_, err := a.take(0)
	return datetime{t: wall(m.env.Now.UTC())}, err
}

func datetimeFrom(m *machine, a arguments) (any, error) {
	args, err := a.take(1, "timestamp", "tz")
	if err != nil {
		return nil, err
	}
	t, err := fromSeconds(args[0])
	if err != nil {
		return nil, err
	}
	return m.at(t, args[1])
}

func datetimeUTCFrom(_ *machine, a arguments) (any, error) {
	args, err := a.take(1, "-timestamp")
	if err != nil {
		return nil, err
	}
	t, err := fromSeconds(args[0])
	return datetime{t: t}, err
}

func datetimeParse(m *machine, a arguments) (any, error) {
	args, err := a.take(2, "-date_string", "-format")
	if err != nil {
		return nil, err
	}
	s, err := m.parseTime(args[0], args[1])
	if err != nil {
		return nil, err
	}
	return datetime{s.wall, s.zone}, nil
}

func combine(_ *machine, a arguments) (any, error) {
	args, err := a.take(2, "date", "time", "tzinfo")
	if err != nil {
		return nil, err
	}
	c, isClock := args[1].(clock)
	var day time.Time
	switch d := args[0].(type) {
	case date:
		day = d.t
	case datetime:
		day = midnight(d.t)
	default:
		isClock = false
	}
	if !isClock {
		return nil, fail("combine() takes a date and a time")
	}
	z := c.zone
	if !absent(args[2]) {
		if z, err = zoneArgument(args[2]); err != nil {
			return nil, err
		}
	}
	return datetime{day.Add(c.t.Sub(midnight(c.t))), z}, nil
}
