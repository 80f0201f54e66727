package expr

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// readers are the directives of strptime, as Python reads them.
var readers = map[byte]string{
	'd': `(?P<d>3[0-1]|[1-2]\d|0[1-9]|[1-9]| [1-9])`, 'f': `(?P<f>[0-9]{1,6})`, 'H': `(?P<H>2[0-3]|[0-1]\d|\d)`,
	'I': `(?P<I>1[0-2]|0[1-9]|[1-9])`, 'm': `(?P<m>1[0-2]|0[1-9]|[1-9])`, 'M': `(?P<M>[0-5]\d|\d)`,
	'j': `(?P<j>36[0-6]|3[0-5]\d|[1-2]\d\d|0[1-9]\d|00[1-9]|[1-9]\d|0[1-9]|[1-9])`,
	'S': `(?P<S>6[0-1]|[0-5]\d|\d)`, 'w': `(?P<w>[0-6])`, 'y': `(?P<y>\d\d)`, 'Y': `(?P<Y>\d\d\d\d)`, 'p': `(?P<p>am|pm)`,
	'z': `(?P<z>[+-]\d\d:?[0-5]\d(?::?[0-5]\d(?:\.\d{1,6})?)?|(?-i:Z))`, 'Z': `(?P<Z>utc|gmt)`, '%': `%`,
	'a': `(?P<a>` + names(7, func(i int) string { return time.Weekday(i).String()[:3] }) + `)`,
	'A': `(?P<A>` + names(7, func(i int) string { return time.Weekday(i).String() }) + `)`,
	'b': `(?P<b>` + names(12, func(i int) string { return time.Month(i + 1).String()[:3] }) + `)`,
	'B': `(?P<B>` + names(12, func(i int) string { return time.Month(i + 1).String() }) + `)`,
}

// layouts are the directives that stand for several.
var layouts = strings.NewReplacer("%%", "%%", "%c", "%a %b %d %H:%M:%S %Y", "%x", "%m/%d/%y", "%X", "%H:%M:%S")

func names(n int, name func(int) string) string {
	list := make([]string, n)
	for i := range list {
		list[i] = name(i)
	}
	return strings.Join(list, "|")
}

const blanks = `[\s\x{b}\x{1c}-\x{1f}\x{85}\p{Z}]+`

// timePattern makes the pattern of a layout.
func timePattern(layout string) (*regexp.Regexp, error) {
	var b strings.Builder
	b.WriteString(`^(?i:`)
	layout = layouts.Replace(layout)
	for layout != "" {
		rest := strings.TrimLeftFunc(layout, isBlank)
		switch {
		case len(rest) < len(layout):
			b.WriteString(blanks)
			layout = rest
		case layout[0] == '%':
			if len(layout) == 1 || readers[layout[1]] == "" {
				return nil, fail("a directive of the format is not known")
			}
			if layout[1] != '%' && strings.Count(layout, layout[:2]) > 1 {
				return nil, fail("a directive of the format stands there twice")
			}
			b.WriteString(readers[layout[1]])
			layout = layout[2:]
		default:
			end := strings.IndexFunc(layout, func(r rune) bool { return r == '%' || isBlank(r) })
			if end < 0 {
				end = len(layout)
			}
			b.WriteString(regexp.QuoteMeta(layout[:end]))
			layout = layout[end:]
		}
	}
	b.WriteByte(')')
	return regexp.Compile(b.String())
}

// parseTime is strptime.
func (m *machine) parseTime(text, format any) (stamp, error) {
	s, err := textArgument(text)
	if err != nil {
		return stamp{}, err
	}
	layout, err := textArgument(format)
	if err != nil {
		return stamp{}, err
	}
	// Each part of the layout reads a bounded part of the text, but for blanks.
	const patternStep = 4 // bytes of a layout that are made a pattern in a step
	if err := m.spend(100 + len(layout)/patternStep + len(layout)/bytesPerStep*len(s)); err != nil {
		return stamp{}, err
	}
	if err := m.grow(len(layout) * itemSize); err != nil {
		return stamp{}, err
	}
	pattern, err := timePattern(layout)
	if err != nil {
		return stamp{}, err
	}
	found := pattern.FindStringSubmatch(s)
	if found == nil || len(found[0]) != len(s) {
		return stamp{}, fail("time data does not match format")
	}
	parts := map[string]string{}
	for i, name := range pattern.SubexpNames() {
		if name != "" {
			parts[name] = found[i]
		}
	}
	return stampOf(parts)
}

// stampOf puts together what was read; what is missing is that of the first of January 1900.
func stampOf(parts map[string]string) (s stamp, err error) {
	number := func(name string, otherwise int64) int64 {
		if n, err := strconv.ParseInt(strings.TrimSpace(parts[name]), 10, 64); err == nil {
			return n
		}
		return otherwise
	}
	fields := [7]int64{number("Y", 1900), number("m", 1), number("d", 1), number("H", 0), number("M", 0), number("S", 0), 0}
	if y := number("y", -1); y >= 0 {
		fields[0] = y + 2000
		if y > 68 {
			fields[0] = y + 1900
		}
	}
	if twelve := number("I", -1); twelve >= 0 {
		fields[3] = twelve % 12
		if strings.EqualFold(parts["p"], "pm") {
			fields[3] += 12
		}
	}
	for i := range 12 {
		if name := time.Month(i + 1).String(); strings.EqualFold(parts["b"], name[:3]) || strings.EqualFold(parts["B"], name) {
			fields[1] = int64(i + 1)
		}
	}
	if f := parts["f"]; f != "" {
		fields[6], _ = strconv.ParseInt((f + "000000")[:6], 10, 64)
	}
	if z := parts["z"]; z != "" {
		var ok bool
		if s.zone, ok = parseZone(strings.ToUpper(z)); !ok {
			return s, fail("bad distance from UTC")
		}
	}
	if day := number("j", 0); day > 0 {
		first := time.Date(int(fields[0]), 1, int(day), 0, 0, 0, 0, time.UTC)
		fields[0], fields[1], fields[2] = int64(first.Year()), int64(first.Month()), int64(first.Day())
	}
	s.wall, err = fieldsTime(fields)
	return s, err
}
