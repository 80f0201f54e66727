package lazy_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/expr"
	"github.com/stdops/stdops/internal/lazy"
)

// env is a moment shortly before midnight in a zone that no default names.
var env = expr.Environment{Now: time.Date(2026, 5, 4, 16, 5, 9, 0, time.UTC), Zone: time.FixedZone("", 3600)}

func decode(t *testing.T, text string) any {
	t.Helper()
	v, err := stdops.DecodeValue([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// value gives the JSON text of what a kind makes of a choice.
func value(t *testing.T, kind, chosen, meta string) (string, error) {
	t.Helper()
	c := lazy.Choice{Value: decode(t, chosen)}
	if meta != "" {
		c.Meta = decode(t, meta)
	}
	v, err := lazy.Value(kind, c, env)
	if err != nil {
		return "", err
	}
	text, err := stdops.EncodeValue(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text), nil
}

const fruits = `{"value": {"datasource": "0", "items_text": "[{\"text\": \"Apple\", \"value\": \"a\"}, {\"text\": \"Pear\", \"value\": \"p\"}, {\"text\": \"Three\", \"value\": 3}]"}}`

func TestValue(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ kind, chosen, meta, want string }{
		{"input", `"x"`, "", `"x"`},
		{"no such kind", `[1]`, "", `[1]`},
		{"int", `5`, "", `5`},
		{"select", `"a"`, "", `"a"`},
		{"select", `["a", "b"]`, "", `"a,b"`},
		{"select", `[1, true, null, 1.0]`, "", `"1,True,None,1.0"`},
		{"select", `[]`, "", `""`},
		{"password", `{"type": "password_value", "tag": "variable", "value": "rsa_str:::x"}`, "", `{"type":"password_value","tag":"variable","value":"rsa_str:::x"}`},
		{"password", `"s3cret"`, "", `"s3cret"`},
		{"time", `"09:30:15"`, "", `"09:30"`},
		{"time", `"1"`, "", `""`},
		{"text_value_select", `"a"`, fruits, `{"value":"a","text":"Apple","value_not_selected":"p,3","text_not_selected":"Pear,Three"}`},
		{"text_value_select", `["p", "a", "3"]`, fruits, `{"value":"a,p,3","text":"Apple,Pear,Three","value_not_selected":"","text_not_selected":""}`},
		{"text_value_select", `[]`, fruits, `{"value":"","text":"","value_not_selected":"a,p,3","text_not_selected":"Apple,Pear,Three"}`},
		{"text_value_select", `"x"`, `{"value": {"datasource": "1", "items_text": "http://example"}}`, `{"value":"","text":"","value_not_selected":"","text_not_selected":""}`},
		{"text_value_select", `"x"`, `{"value": {"datasource": "1", "remote_data": [{"text": "X", "value": "x"}]}}`, `{"value":"x","text":"X","value_not_selected":"","text_not_selected":""}`},
		{"current_time", `{}`, "", `"2026-05-05 00:05:09"`},
		{"current_time", `""`, "", `"2026-05-05 00:05:09"`},
		{"current_time", `{"time_unit": ["year", "day", "hour", "second"], "time_zone": "UTC"}`, "", `"2026-04 16:09"`},
		{"current_time", `{"time_unit": ["minute", "hour"], "time_zone": "UTC"}`, "", `"16:05"`},
		{"current_time", `{"time_unit": []}`, "", `""`},
		{"format_support_current_time", `{}`, "", `"2026-05-05 00:05:09"`},
		{"format_support_current_time", `{"time_format": "%Y%m%d%H%M", "time_zone": "Europe/Berlin"}`, "", `"202605041805"`},
		{"format_support_datetime", `{"datetime": "2026-01-02 03:04:05", "datetime_format": "%d/%m/%y %H:%M"}`, "", `"02/01/26 03:04"`},
	} {
		got, err := value(t, c.kind, c.chosen, c.meta)
		if err != nil || got != c.want {
			t.Errorf("%s of %s: %s, %v; want %s", c.kind, c.chosen, got, err, c.want)
		}
	}
}

func TestValueRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ kind, chosen, meta, want string }{
		{"time", `5`, "", "time: 5 is no text"},
		{"current_time", `{"time_unit": "year"}`, "", "time_unit: year is no list"},
		{"current_time", `{"time_zone": "Mars/X"}`, "", "time_zone: unknown zone Mars/X"},
		{"format_support_current_time", `{"time_zone": "Local"}`, "", "time_zone: unknown zone Local"},
		{"format_support_datetime", `{"datetime": "today"}`, "", `datetime: "today" is not of the form YYYY-MM-DD HH:MM:SS`},
		{"text_value_select", `"a"`, "", "items_text: no list of options"},
		{"text_value_select", `"a"`, `{"value": {"items_text": "["}}`, "items_text: no JSON: unexpected EOF at byte 1"},
		{"text_value_select", `"a"`, `{"value": {"items_text": [{"text": "A"}]}}`, "items_text: an option without text or value"},
	} {
		_, err := value(t, c.kind, c.chosen, c.meta)
		if err == nil {
			t.Errorf("%s of %s was accepted", c.kind, c.chosen)
		} else if diff := cmp.Diff(c.want, err.Error()); diff != "" {
			t.Errorf("%s of %s (-want +got):\n%s", c.kind, c.chosen, diff)
		}
	}
}

func TestKnown(t *testing.T) {
	t.Parallel()
	for kind, want := range map[string][2]bool{
		"": {true, false}, "input": {true, false}, "select": {true, true}, "password": {true, true}, "ip_selector": {false, false},
	} {
		if got := [2]bool{lazy.Known(kind), lazy.Is(kind)}; got != want {
			t.Errorf("%q: known and lazy %v, want %v", kind, got, want)
		}
	}
}
