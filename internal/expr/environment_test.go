package expr

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stdops/stdops"
)

func renderText(t *testing.T, source string, vars Lookup, env Environment) string {
	t.Helper()
	got, err := Render("<"+source+">", vars, env)
	if err != nil {
		t.Fatalf("%s: %v", source, err)
	}
	return got.(string)
}

func TestChanceIsAnArgument(t *testing.T) {
	t.Parallel()
	const source = "${random.random()} ${random.choice(range(10**9))} ${random.sample(range(99), 5)} ${random.uniform(1, 9)}"
	with := func(seed uint64) string {
		return renderText(t, source, variables(), Environment{Random: rand.NewPCG(seed, 0)})
	}
	one, again, two := with(1), with(1), with(2)
	if one != again {
		t.Errorf("the same source gives %s, then %s", one, again)
	}
	if one == two {
		t.Errorf("different sources give the same text %s", one)
	}
	if got := renderText(t, "${random.random()}", variables(), Environment{}); got != "<${random.random()}>" {
		t.Errorf("without a source: %s", got)
	}
}

// TestZoneOfTheProject: a zone that has summer time; without any it is UTC.
func TestZoneOfTheProject(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip("this system knows no zones")
	}
	now := time.Date(2026, 7, 1, 22, 30, 0, 0, time.UTC)
	for _, test := range []struct {
		source string
		zone   *time.Location
		want   string
	}{
		{"${datetime.datetime.now()}", berlin, "2026-07-02 00:30:00"},
		{"${datetime.datetime.now()}", nil, "2026-07-01 22:30:00"},
		{"${datetime.date.today()}", berlin, "2026-07-02"},
		{"${datetime.datetime.utcnow()}", berlin, "2026-07-01 22:30:00"},
		{"${time.strftime('%H:%M %z %Z')}", berlin, "00:30 +0200 CEST"},
		{"${time.localtime().tm_isdst}${time.localtime(0).tm_isdst}", berlin, "10"},
		{"${time.strftime('%H %Z', time.localtime(0))}", berlin, "01 CET"},
		{"${datetime.datetime(2026, 1, 1).timestamp()}", berlin, "1767222000.0"},
		{"${datetime.datetime(2026, 7, 1).timestamp()}", berlin, "1782856800.0"},
		{"${datetime.datetime(2026, 7, 1).astimezone()}", berlin, "2026-07-01 00:00:00+02:00"},
		{"${time.mktime((2026, 7, 1, 0, 0, 0, 0, 0, -1))}", berlin, "1782856800.0"},
		{"${datetime.datetime.fromtimestamp(0)}", berlin, "1970-01-01 01:00:00"},
	} {
		if got := renderText(t, test.source, variables(), Environment{Now: now, Zone: test.zone}); got != "<"+test.want+">" {
			t.Errorf("%s in %v: %s, want %s", test.source, test.zone, got, test.want)
		}
	}
}

func TestVariablesHideFunctionsAndModules(t *testing.T) {
	t.Parallel()
	vars := variables("json", "j", "len", stdops.NewObject("a", int64(1)), "datetime", values(int64(1)), "set", "s", "os", stdops.NewObject("path", "p"))
	for source, want := range map[string]string{
		"${json.upper()}": "<J>", "${len['a']}": "<1>", "${datetime[0]}": "<1>", "${os.path}": "<p>", "${set + 'x'}": "<sx>",
		"${json.dumps(1)}": "<${json.dumps(1)}>", "${set([1])}": "<${set([1])}>", "${[json for json in [1]]}": "<[1]>",
		"${(lambda len: len)(2)}": "<2>",
	} {
		if got := renderText(t, source, vars, Environment{}); got != want {
			t.Errorf("%s: %s, want %s", source, got, want)
		}
	}
}
