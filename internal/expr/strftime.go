package expr

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// stamp is a time that is written or read by a layout.
type stamp struct {
	wall   time.Time // what a clock shows, as a time of UTC
	zone   *zone
	python bool // %f is known, as it is to the classes of the module datetime
}

// formatted is the method strftime.
func (m *machine) formatted(s stamp, a arguments) (any, error) {
	args, err := a.take(1, "format")
	if err != nil {
		return nil, err
	}
	layout, err := textArgument(args[0])
	if err != nil {
		return nil, err
	}
	return m.strftime(layout, s)
}

// strftime writes a time as the C library does in its own locale.
func (m *machine) strftime(layout string, s stamp) (any, error) {
	w := writer{meter: &m.meter}
	for {
		i := strings.IndexByte(layout, '%')
		if i < 0 || i+1 == len(layout) {
			break
		}
		if err := w.write(layout[:i]); err != nil {
			return nil, err
		}
		text, used := s.directive(layout[i:])
		if err := w.write(text); err != nil {
			return nil, err
		}
		if err := m.spend(1); err != nil {
			return nil, err
		}
		layout = layout[i+used:]
	}
	if err := w.write(layout); err != nil {
		return nil, err
	}
	return string(w.b), m.grow(len(w.b))
}

// directive writes what layout begins with, as %-d; one that is not known stays.
func (s stamp) directive(layout string) (text string, used int) {
	used = 1
	var flag byte
	if strings.IndexByte("-_0^", layout[used]) >= 0 && used+1 < len(layout) {
		flag = layout[used]
		used++
	}
	letter := layout[used]
	used++
	if number, width, pad, ok := s.number(letter); ok {
		switch flag {
		case '-':
			width = 0
		case '_':
			pad = ' '
		case '0':
			pad = '0'
		}
		text = strconv.Itoa(number)
		return strings.Repeat(string(pad), max(width-len(text), 0)) + text, used
	}
	text, ok := s.words(letter)
	switch {
	case !ok:
		return layout[:used], used
	case flag == '^':
		return strings.ToUpper(text), used
	default:
		return text, used
	}
}

// number gives the directives that are numbers, with their width and what they are filled up with.
func (s stamp) number(letter byte) (n, width int, pad rune, ok bool) {
	t := s.wall
	isoYear, isoWeek := t.ISOWeek()
	twelve := (t.Hour()+11)%12 + 1
	switch letter {
	case 'd':
		return t.Day(), 2, '0', true
	case 'e':
		return t.Day(), 2, ' ', true
	case 'H':
		return t.Hour(), 2, '0', true
	case 'k':
		return t.Hour(), 2, ' ', true
	case 'I':
		return twelve, 2, '0', true
	case 'l':
		return twelve, 2, ' ', true
	case 'j':
		return t.YearDay(), 3, '0', true
	case 'm':
		return int(t.Month()), 2, '0', true
	case 'M':
		return t.Minute(), 2, '0', true
	case 'S':
		return t.Second(), 2, '0', true
	case 'f':
		return t.Nanosecond() / 1000, 6, '0', s.python
	case 'y':
		return t.Year() % 100, 2, '0', true
	case 'C':
		return t.Year() / 100, 2, '0', true
	case 'Y':
		return t.Year(), 0, '0', true
	case 'G':
		return isoYear, 0, '0', true
	case 'g':
		return isoYear % 100, 2, '0', true
	case 'V':
		return isoWeek, 2, '0', true
	case 'u':
		return mondays(t) + 1, 1, '0', true
	case 'w':
		return int(t.Weekday()), 1, '0', true
	case 'U':
		return (t.YearDay() + 6 - int(t.Weekday())) / 7, 2, '0', true
	case 'W':
		return (t.YearDay() + 6 - mondays(t)) / 7, 2, '0', true
	}
	return 0, 0, 0, false
}

// words gives the directives that are texts.
func (s stamp) words(letter byte) (string, bool) {
	t := s.wall
	switch letter {
	case '%':
		return "%", true
	case 'n':
		return "\n", true
	case 't':
		return "\t", true
	case 'a':
		return t.Weekday().String()[:3], true
	case 'A':
		return t.Weekday().String(), true
	case 'b', 'h':
		return t.Month().String()[:3], true
	case 'B':
		return t.Month().String(), true
	case 'p':
		return t.Format("PM"), true
	case 'P':
		return t.Format("pm"), true
	case 'c':
		return t.Format("Mon Jan _2 15:04:05 ") + strconv.Itoa(t.Year()), true
	case 'x', 'D':
		return fmt.Sprintf("%02d/%02d/%02d", t.Month(), t.Day(), t.Year()%100), true
	case 'X', 'T':
		return t.Format(time.TimeOnly), true
	case 'R':
		return t.Format("15:04"), true
	case 'r':
		return t.Format("03:04:05 PM"), true
	case 'F':
		return strconv.Itoa(t.Year()) + t.Format("-01-02"), true
	case 'z':
		if s.zone == nil {
			return "", true
		}
		return s.zone.digits(""), true
	case 'Z':
		if s.zone == nil {
			return "", true
		}
		return s.zone.label(), true
	}
	return "", false
}
