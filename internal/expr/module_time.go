package expr

import (
	"time"
)

// timeModule has no sleep: rendering waits for nothing.
var timeModule = &namespace{name: "time", members: functions(map[string]builtinCall{
	"time": func(m *machine, a arguments) (any, error) {
		_, err := a.take(0)
		return float64(m.env.Now.UnixNano()) / 1e9, err
	},
	"time_ns": func(m *machine, a arguments) (any, error) {
		_, err := a.take(0)
		return m.env.Now.UnixNano(), err
	},
	"localtime": func(m *machine, a arguments) (any, error) { return m.broken(a, m.env.local) },
	"gmtime":    func(m *machine, a arguments) (any, error) { return m.broken(a, time.Time.UTC) },
	"mktime":    makeSeconds,
	"strftime":  timeFormat,
	"strptime":  timeParse,
	"asctime":   timeASCII,
	"ctime": func(m *machine, a arguments) (any, error) {
		t, err := m.secondsArgument(a)
		return m.env.local(t).Format(time.ANSIC), err
	},
})}

var timeRecordFields = []string{
	"tm_year", "tm_mon", "tm_mday", "tm_hour", "tm_min", "tm_sec", "tm_wday", "tm_yday", "tm_isdst",
}

// timeRecord gives the struct_time of a time.
func timeRecord(s stamp, summer int64) *record {
	fields := timeFields(s.wall)
	r := &record{name: "time.struct_time", fields: timeRecordFields, hidden: map[string]any{"tm_zone": nil, "tm_gmtoff": nil}}
	for _, n := range fields[:6] {
		r.items = append(r.items, n)
	}
	r.items = append(r.items, int64(mondays(s.wall)), int64(s.wall.YearDay()), summer)
	if s.zone != nil {
		r.hidden["tm_zone"], r.hidden["tm_gmtoff"] = s.zone.label(), int64(s.zone.offset/second)
	}
	return r
}

// secondsArgument reads seconds since 1970; without any it is now.
func (m *machine) secondsArgument(a arguments) (time.Time, error) {
	args, err := a.take(0, "-secs")
	if err != nil || none(args[0]) {
		return m.env.Now, err
	}
	t, err := fromSeconds(args[0])
	return t, err
}

// broken gives the struct_time of a moment at a place.
func (m *machine) broken(a arguments, in func(time.Time) time.Time) (any, error) {
	t, err := m.secondsArgument(a)
	if err != nil {
		return nil, err
	}
	t = in(t.Truncate(time.Second))
	summer := int64(0)
	if t.IsDST() {
		summer = 1
	}
	return timeRecord(stamp{wall: wall(t), zone: zoneOf(t)}, summer), m.grow(itemSize * itemSize)
}

// stampArgument reads a struct_time, or a tuple like one; without any it is now.
func (m *machine) stampArgument(v any) (stamp, error) {
	if absent(v) {
		now := m.env.now()
		return stamp{wall: wall(now), zone: zoneOf(now)}, nil
	}
	items, ok := plain(v).(tuple)
	if !ok || len(items) != len(timeRecordFields) {
		return stamp{}, fail("Tuple or struct_time argument required")
	}
	var fields [7]int64
	if err := setFields(fields[:], items[:6]); err != nil {
		return stamp{}, err
	}
	t, err := fieldsTime(fields)
	s := stamp{wall: t}
	here := datetime{t: t}.local(m)
	s.zone = zoneOf(here)
	if r, ok := v.(*record); ok {
		name, named := r.hidden["tm_zone"].(string)
		offset, known := r.hidden["tm_gmtoff"].(int64)
		if named && known {
			s.zone = &zone{offset: delta(offset) * second, name: name}
		}
	}
	return s, err
}

func makeSeconds(m *machine, a arguments) (any, error) {
	args, err := a.take(1, "-t")
	if err != nil {
		return nil, err
	}
	s, err := m.stampArgument(args[0])
	if err != nil {
		return nil, err
	}
	return float64(datetime{t: s.wall}.local(m).Unix()), nil
}

func timeFormat(m *machine, a arguments) (any, error) {
	args, err := a.take(1, "-format", "-t")
	if err != nil {
		return nil, err
	}
	layout, err := textArgument(args[0])
	if err != nil {
		return nil, err
	}
	s, err := m.stampArgument(args[1])
	if err != nil {
		return nil, err
	}
	return m.strftime(layout, s)
}

func timeParse(m *machine, a arguments) (any, error) {
	args, err := a.take(1, "-string", "-format")
	if err != nil {
		return nil, err
	}
	if absent(args[1]) {
		args[1] = "%a %b %d %H:%M:%S %Y"
	}
	s, err := m.parseTime(args[0], args[1])
	if err != nil {
		return nil, err
	}
	return timeRecord(s, -1), m.grow(itemSize * itemSize)
}

func timeASCII(m *machine, a arguments) (any, error) {
	args, err := a.take(0, "-t")
	if err != nil {
		return nil, err
	}
	s, err := m.stampArgument(args[0])
	if err != nil {
		return nil, err
	}
	return s.wall.Format(time.ANSIC), nil
}
