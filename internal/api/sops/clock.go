package sops

import "time"

// timeLayout is the form of every time in answers about status.
const timeLayout = "2006-01-02 15:04:05 -0700"

// clock appends times as texts. The times of a task often lie within one second, so the last text is kept.
type clock struct {
	zone   *time.Location
	second int64
	text   []byte // of second; nil before the first time
}

// append appends a time in quotes, "" for one that is absent.
func (c *clock) append(b []byte, t time.Time) []byte {
	b = append(b, '"')
	if !t.IsZero() {
		if second := t.Unix(); c.text == nil || second != c.second {
			c.second, c.text = second, t.In(c.zone).AppendFormat(c.text[:0], timeLayout)
		}
		b = append(b, c.text...)
	}
	return append(b, '"')
}

// timeText gives a time as text, "" for one that is absent.
func timeText(t time.Time, zone *time.Location) string {
	if t.IsZero() {
		return ""
	}
	return t.In(zone).Format(timeLayout)
}
