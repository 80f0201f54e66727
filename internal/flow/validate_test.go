package flow

import (
	"strings"
	"testing"

	"github.com/stdops/stdops"
)

func TestConstantRules(t *testing.T) {
	t.Parallel()
	type fields = []any
	for _, c := range []struct {
		name   string
		values map[string]string
		fields fields
		output string
		want   string // "" = accepted
	}{
		{name: "plain", values: map[string]string{"${v}": `"1"`}, output: "${v}"},
		{name: "key property differs", values: map[string]string{"${v}": `"1"`}, fields: fields{"key", "${w}"}, want: "constants ${v} key property value: ${w} not matched"},
		{name: "project constant", values: map[string]string{"${_env_x}": `"1"`}, want: "invalid key: ${_env_x}"},
		{name: "system variable", values: map[string]string{"${_system.x}": `"1"`}, want: "invalid key: ${_system.x}"},
		{name: "system without dot", values: map[string]string{"${_system}": `"1"`}},
		{name: "no braces", values: map[string]string{"key": `"1"`}, want: "invalid key: key"},
		{name: "line break behind", values: map[string]string{"${v}\n": `"1"`}, want: "invalid key: ${v}"},
		{name: "letters beyond ASCII", values: map[string]string{"${é}": `"1"`}, want: "invalid key: ${é}"},
		{name: "long key", values: map[string]string{"${" + strings.Repeat("k", 126) + "}": `"1"`}, want: "longer than 128"},
		{name: "output without braces", values: map[string]string{"${v}": `"1"`}, output: "v", want: "outputs: invalid outputs key: v"},
		{name: "output of the project", values: map[string]string{"${v}": `"1"`}, output: "${_env_v}", want: "invalid outputs key: ${_env_v}"},
		{name: "refers to itself", values: map[string]string{"${v}": `"x ${v}"`}, want: "constants.${v}.value: constants refer to themselves: ${v}"},
		{name: "refers to itself deep inside", values: map[string]string{"${v}": `[{"a":["${v}"]}]`}, want: "refer to themselves: ${v}"},
		{name: "refers to itself in a key", values: map[string]string{"${v}": `{"${v}":1}`}, want: "refer to themselves: ${v}"},
		{name: "an expression over itself is not seen", values: map[string]string{"${v}": `"${v+1}"`}},
		{name: "circle of two", values: map[string]string{"${v}": `"${w}"`, "${w}": `"a${v}b"`}, want: "constants.${"},
		{name: "circle of three", values: map[string]string{"${u}": `"${v}"`, "${v}": `"${w}"`, "${w}": `"${u}"`}, want: "refer to each other in a circle"},
		{name: "two ways to one", values: map[string]string{"${u}": `"${v}${w}"`, "${v}": `"${w}"`, "${w}": `"1"`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := sketch("S>A>E")
			for key, v := range c.values {
				constant(t, o, key, v, c.fields...)
			}
			if c.output != "" {
				o.Set("outputs", []any{c.output})
			}
			err := mustParse(t, o).Validate()
			if c.want == "" && err != nil {
				t.Errorf("refused: %v", err)
			}
			if c.want != "" && (stdops.ErrorCode(err) != stdops.CodeInvalid || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

func TestKeyProblemsAreReportedTogether(t *testing.T) {
	t.Parallel()
	o := sketch("S>A>E")
	constant(t, o, "a", `"1"`)
	constant(t, o, "b", `"1"`)
	err := mustParse(t, o).Validate()
	if want := "constants.a: invalid key: a\nconstants.b: invalid key: b"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// A value that enters a subprocess belongs to the level around it, where the key is another variable.
func TestSameKeyOnTwoLevels(t *testing.T) {
	t.Parallel()
	o := sketch("S>SUB>E")
	constant(t, o, "${k}", `"1"`)
	inner := at(t, o, "activities.SUB.pipeline").(*stdops.Object)
	constant(t, inner, "${k}", `"${k}"`)
	if err := mustParse(t, o).Validate(); err != nil {
		t.Errorf("refused: %v", err)
	}
	constant(t, inner, "${k}", `"${k}"`, "show_type", "hide")
	err := mustParse(t, o).Validate()
	if want := "activities.SUB.pipeline.constants.${k}.value: "; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestSubprocessIsCheckedFirst(t *testing.T) {
	t.Parallel()
	o := sketch("S>PG PG>SUB>E PG>B>E")
	at(t, o, "activities.SUB").(*stdops.Object).Set("pipeline", sketch("S>PG PG>A>E PG>B>E"))
	err := mustParse(t, o).Validate()
	if want := "activities.SUB.pipeline.gateways.PG: "; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestPolicies(t *testing.T) {
	t.Parallel()
	const clash = "activities.A.timeout_config: timeout_config can not be enabled with error_ignorable or auto_retry at the same time"
	for _, c := range []struct{ name, fields, want string }{
		{"timeout alone", `{"timeout_config":{"enable":true,"seconds":5}}`, ""},
		{"timeout and ignored errors", `{"timeout_config":{"enable":true,"seconds":5},"error_ignorable":true}`, clash},
		{"timeout and retry", `{"timeout_config":{"enable":true,"seconds":5},"auto_retry":{"enable":true}}`, clash},
		{"timeout off and retry", `{"timeout_config":{"enable":false,"seconds":5},"auto_retry":{"enable":true}}`, ""},
		{"timeout and retry off", `{"timeout_config":{"enable":true,"seconds":5},"auto_retry":{"enable":false}}`, ""},
		{"unknown action", `{"timeout_config":{"enable":true,"seconds":5,"action":"x"}}`, "activities.A.timeout_config.action: must be"},
		{
			"parameter and rendering", `{"component":{"code":"c","data":{"k":{"hook":false,"value":1,"is_param":true,"need_render":true}}}}`,
			"activities.A.component.data.k: is_param and need_render cannot be selected at the same time",
		},
		{"parameter without rendering", `{"component":{"code":"c","data":{"k":{"hook":false,"value":1,"is_param":true,"need_render":false}}}}`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := sketch("S>A>E")
			extra := value(t, c.fields).(*stdops.Object)
			for _, key := range extra.Keys() {
				v, _ := extra.Get(key)
				at(t, o, "activities.A").(*stdops.Object).Set(key, v)
			}
			err := mustParse(t, o).Validate()
			if (c.want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}
