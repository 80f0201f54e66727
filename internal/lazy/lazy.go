package lazy

import (
	"fmt"
	"time"

	"github.com/stdops/stdops/internal/expr"
)

// Choice is what a constant holds.
type Choice struct {
	Value any // with the values of other variables put in
	Meta  any // the constant as its flow defines it, with the options to choose from; nil when there is none
}

// kind computes a value. An error says what is wrong with the choice.
type kind func(c Choice, env expr.Environment) (any, error)

// kinds are the lazy kinds of variables. They are computed each time that something takes them.
var kinds = map[string]kind{
	"select":                      selected,
	"text_value_select":           textAndValue,
	"password":                    asItIs,
	"time":                        hourAndMinute,
	"current_time":                currentTime,
	"format_support_current_time": formattedNow,
	"format_support_datetime":     formattedMoment,
}

// plain are the kinds whose value is what stands there.
var plain = map[string]bool{"": true, "input": true, "textarea": true, "int": true, "datetime": true, "date": true}

// Is reports whether values of a kind are computed.
func Is(customType string) bool { return kinds[customType] != nil }

// Known reports whether the kind is computed as in bk-sops, or needs no computing.
func Known(customType string) bool { return plain[customType] || Is(customType) }

// Value gives the value of a constant of a kind; of one that is not lazy it is what stands there.
func Value(customType string, c Choice, env expr.Environment) (any, error) {
	compute := kinds[customType]
	if compute == nil {
		return c.Value, nil
	}
	return compute(c, env)
}

func asItIs(c Choice, _ expr.Environment) (any, error) { return c.Value, nil }

// hourAndMinute cuts the seconds off a time of day.
func hourAndMinute(c Choice, _ expr.Environment) (any, error) {
	text, ok := c.Value.(string)
	if !ok {
		return nil, fmt.Errorf("time: %s is no text", expr.Text(c.Value))
	}
	const seconds = len(":05")
	runes := []rune(text)
	return string(runes[:max(0, len(runes)-seconds)]), nil
}

// zoneOf gives the zone of a name, the usual one for "".
func zoneOf(name string) (*time.Location, error) {
	if name == "" {
		name = usualZone
	}
	if name == "Local" { // whatever that is on this host
		return nil, fmt.Errorf("time_zone: unknown zone %s", name)
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("time_zone: unknown zone %.64s", name)
	}
	return zone, nil
}

// usualZone is the zone of moments of which the flow does not say it, as in bk-sops.
const usualZone = "Asia/Shanghai"
