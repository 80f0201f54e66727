package page

import (
	"fmt"
	"time"
	"unicode/utf8"
)

// cut shortens a text to at most limit letters and shows that it did.
func cut(text string, limit int) string {
	if utf8.RuneCountInString(text) <= limit {
		return text
	}
	n := 0
	for i := range text {
		if n == limit-1 {
			return text[:i] + "…"
		}
		n++
	}
	return text
}

// stamp is a moment as a page shows it; the zero value shows nothing.
type stamp struct {
	ISO   string // for machines
	Full  string
	Short string // without the date when it is today
}

// clock writes moments in one zone, seen from one moment.
type clock struct {
	now time.Time
}

func newClock(now time.Time, zone *time.Location) clock { return clock{now.In(zone)} }

func (c clock) stamp(t time.Time) stamp {
	if t.IsZero() {
		return stamp{}
	}
	t = t.In(c.now.Location())
	s := stamp{ISO: t.Format(time.RFC3339), Full: t.Format("2006-01-02 15:04:05 MST")}
	s.Short = t.Format("2006-01-02 15:04:05")
	if s.Short[:10] == c.now.Format(time.DateOnly) {
		s.Short = s.Short[11:]
	}
	return s
}

// zone names the zone and its distance from UTC.
func (c clock) zone() string {
	name := c.now.Location().String()
	if name == "Local" {
		name, _ = c.now.Zone()
	}
	if name == "UTC" {
		return name
	}
	return name + " (UTC" + c.now.Format("-07:00") + ")"
}

// duration writes whole seconds in the two largest units that they have.
func duration(seconds int64) string {
	switch {
	case seconds < 60:
		return fmt.Sprintf("%d s", seconds)
	case seconds < 3600:
		return fmt.Sprintf("%d min %02d s", seconds/60, seconds%60)
	case seconds < 86400:
		return fmt.Sprintf("%d h %02d min", seconds/3600, seconds%3600/60)
	default:
		return fmt.Sprintf("%d d %d h", seconds/86400, seconds%86400/3600)
	}
}
