package lazy

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/expr"
)

// units are the parts of a moment in the order in which they are written, with what stands before each but the first.
var units = []struct{ name, before, layout string }{
	{"year", "", "%Y"},
	{"month", "-", "%m"},
	{"day", "-", "%d"},
	{"hour", " ", "%H"},
	{"minute", ":", "%M"},
	{"second", ":", "%S"},
}

// currentTime gives the parts of the present moment that are asked for.
func currentTime(c Choice, env expr.Environment) (any, error) {
	form, _ := c.Value.(*stdops.Object)
	value, given := form.Get("time_unit")
	asked, ok := value.([]any)
	if given && !ok {
		return nil, fmt.Errorf("time_unit: %s is no list", expr.Text(value))
	}
	var layout strings.Builder
	for _, unit := range units {
		if given && !slices.Contains(asked, any(unit.name)) {
			continue
		}
		if layout.Len() > 0 {
			layout.WriteString(unit.before)
		}
		layout.WriteString(unit.layout)
	}
	return now(layout.String(), form.Text("time_zone"), env)
}

// formattedNow gives the present moment in a form of strftime.
func formattedNow(c Choice, env expr.Environment) (any, error) {
	form, _ := c.Value.(*stdops.Object)
	layout := form.Text("time_format")
	if layout == "" {
		layout = "%Y-%m-%d %H:%M:%S"
	}
	return now(layout, form.Text("time_zone"), env)
}

func now(layout, zone string, env expr.Environment) (any, error) {
	in, err := zoneOf(zone)
	if err != nil {
		return nil, err
	}
	env.Zone = in
	return strftime("datetime.datetime.now()", layout, "", env)
}

// formattedMoment gives a moment that somebody chose in a form of strftime.
func formattedMoment(c Choice, env expr.Environment) (any, error) {
	form, _ := c.Value.(*stdops.Object)
	moment := form.Text("datetime")
	if _, err := time.Parse(time.DateTime, moment); err != nil {
		return nil, fmt.Errorf("datetime: %.64q is not of the form YYYY-MM-DD HH:MM:SS", moment)
	}
	return strftime("datetime.datetime.strptime(moment, '%Y-%m-%d %H:%M:%S')", form.Text("datetime_format"), moment, env)
}

// strftime lets the evaluator of expressions write a moment, so that forms mean the same in both.
func strftime(of, layout, moment string, env expr.Environment) (any, error) {
	values := map[string]any{"layout": layout, "moment": moment}
	lookup := func(name string) (any, bool) { v, ok := values[name]; return v, ok }
	text := "${" + of + ".strftime(layout)}"
	out, err := expr.Render(text, lookup, env)
	if err != nil {
		return nil, err
	}
	if out == text {
		return nil, fmt.Errorf("%.64q is no form of a moment", layout)
	}
	return out, nil
}
