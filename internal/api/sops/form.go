package sops

import (
	"errors"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/stdops/stdops"
)

// longestKeyword is how many characters a part of a name may have; no name has more.
const longestKeyword = 128

// formFlag reads a filter that is on or off (docs/spec/api.md 4.1): any text but these few is on, and an empty one is off
// here, not absent.
func (c *call) formFlag(name string) (on, given bool) {
	if !c.posted {
		if !c.query.Has(name) {
			return false, false
		}
		return formTruth(c.query.Get(name)), true
	}
	value, given := c.body.Object.Get(name)
	if !given || value == nil {
		return false, false
	}
	return formTruth(c.text(name)), true
}

func formTruth(text string) bool {
	return text != "" && text != "0" && text != "false" && text != "False"
}

const (
	usualPage   = 100 // entries of a page, when a caller does not say
	longestPage = 200
)

// paging reads offset and limit (docs/spec/api.md 4.1). A limit beyond the longest page is cut without a word.
func (c *call) paging() (offset int64, limit int, err error) {
	offset, err = c.pagingNumber("offset", 0)
	if err != nil {
		return 0, 0, err
	}
	size, err := c.pagingNumber("limit", usualPage)
	if err != nil {
		return 0, 0, err
	}
	if offset < 0 || size < 0 {
		return 0, 0, errPaging("offset and limit must be greater or equal to 0.")
	}
	return offset, int(min(size, longestPage)), nil
}

func (c *call) pagingNumber(name string, usual int64) (int64, error) {
	text := strings.TrimSpace(c.text(name))
	if text == "" {
		return usual, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) { // n is the furthest number then: a page behind all others
		return 0, errPaging(name + " must be a whole number, not " + shown(text))
	}
	return n, nil
}

func errPaging(text string) error {
	return stdops.Errorf(stdops.CodeRefused, "[API] pagination error: %s", text)
}

// longestZone is how long the name of a zone may be.
const longestZone = 64

// expectedZone reads the zone in which a caller wants to see times, nil when it does not say.
func (c *call) expectedZone() (*time.Location, error) {
	name := c.text("expected_timezone")
	if name == "" {
		return nil, nil
	}
	if len(name) <= longestZone && name != "Local" { // which would be the zone of the host, whatever that is
		if zone, err := time.LoadLocation(name); err == nil {
			return zone, nil
		}
	}
	return nil, stdops.Errorf(stdops.CodeInvalidForm, "expected_timezone %s is unknown.", shown(name))
}

// momentLayouts are the forms of a moment in a request (docs/spec/api.md 4.1). Go reads a fraction of the second after
// each of them.
var momentLayouts = []string{
	time.DateTime, "2006-01-02 15:04", "2006-01-02 15:04:05 -0700", "2006-01-02 15:04:05-0700",
	"2006-01-02 15:04 -0700", "2006-01-02 15:04-0700", "2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05",
}

// parseMoment reads a moment. One without an offset is of the zone of the server; a date alone means its first moment,
// or as an end its last one.
func parseMoment(text string, zone *time.Location, end bool) (time.Time, bool) {
	if day, err := time.ParseInLocation(time.DateOnly, text, zone); err == nil {
		if end {
			day = day.AddDate(0, 0, 1).Add(-time.Microsecond)
		}
		return day, storable(day)
	}
	for _, layout := range momentLayouts {
		if moment, err := time.ParseInLocation(layout, text, zone); err == nil {
			return moment, storable(moment)
		}
	}
	return time.Time{}, false
}

// storable reports whether a moment is one that a task can have, and none that stands for no moment at all.
func storable(moment time.Time) bool { return moment.Year() > 0 && !moment.IsZero() }

// moment reads a moment among the filters of a list.
func (c *call) moment(name string, end bool, wrong fieldErrors) time.Time {
	text := c.text(name)
	if text == "" {
		return time.Time{}
	}
	moment, ok := parseMoment(text, c.sops.zone, end)
	if !ok {
		wrong.add(name, "Enter a valid date/time.")
	}
	return moment
}

// option reads a flag among the parameters, where text that is none is refused; an empty one counts as absent.
func (c *call) option(name string, wrong fieldErrors) bool {
	value, given := c.parameter(name)
	if !given || value == nil || value == "" {
		return false
	}
	on, known := boolean(value)
	if !known {
		wrong.add(name, "Must be a valid boolean.")
	}
	return on
}

// keyword reads a part of a name.
func (c *call) keyword(name string, wrong fieldErrors) string {
	text := c.text(name)
	if utf8.RuneCountInString(text) > longestKeyword {
		wrong.add(name, "Ensure this value has at most "+strconv.Itoa(longestKeyword)+" characters.")
	}
	return text
}

// listTime gives a time of a list of tasks: in the zone that the caller named, as text, or else as bk-sops does by itself.
func listTime(t time.Time, zone *time.Location) any {
	switch {
	case zone != nil:
		return timeText(t, zone)
	case t.IsZero():
		return nil
	case t.Nanosecond()/int(time.Microsecond) == 0:
		return t.UTC().Format("2006-01-02T15:04:05Z")
	default:
		return t.UTC().Format("2006-01-02T15:04:05.000Z")
	}
}
