package flow

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops"
)

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	const flows = "S>EG EG>A>CG EG>SUB>CG CG>E"
	for _, c := range []struct{ name, path, value, want string }{
		{"no start event", "start_event", "", "start_event: is required"},
		{"no end event", "end_event", "", "end_event: is required"},
		{"no activities", "activities", "", "activities: is required"},
		{"no gateways", "gateways", "", "gateways: is required"},
		{"no constants", "constants", "", "constants: is required"},
		{"no outputs", "outputs", "", "outputs: is required"},
		{"start event null", "start_event", "null", "start_event: must be an object"},
		{"start event of another type", "start_event.type", `"EmptyEndEvent"`, `start_event.type: "EmptyEndEvent" is not EmptyStartEvent`},
		{"executable end event", "end_event.type", `"ExecutableEndEvent"`, `end_event.type: "ExecutableEndEvent" is not EmptyEndEvent`},
		{"start event without outgoing", "start_event.outgoing", "", "start_event.outgoing: is required"},
		{"start event with two flows", "start_event.outgoing", `["l1","l2"]`, "start_event.outgoing: must name exactly one flow"},
		{"end event with empty list", "end_event.incoming", "[]", "end_event.incoming: must name a flow"},
		{"event without name", "end_event.name", "", "end_event.name: is required"},
		{"activities a list", "activities", "[]", "activities: must be an object"},
		{"activity null", "activities.A", "null", "activities.A: must be an object"},
		{"empty name", "activities.A.name", `""`, "activities.A.name: must not be empty"},
		{"name of special characters", "activities.A.name", `"<$>"`, "activities.A.name: must not be empty"},
		{"name a number", "activities.A.name", "1", "activities.A.name: must be a string"},
		{"unknown type", "activities.A.type", `"Robot"`, `activities.A.type: "Robot" is not ServiceActivity or SubProcess`},
		{"no type", "activities.A.type", "", "activities.A.type: is required"},
		{"empty type", "activities.A.type", `""`, "activities.A.type: must not be empty"},
		{"gateway of an empty type", "gateways.CG.type", `""`, "gateways.CG.type: must not be empty"},
		{"event of an empty type", "end_event.type", `""`, "end_event.type: must not be empty"},
		{"no component", "activities.A.component", "", "activities.A.component: is required"},
		{"component null", "activities.A.component", "null", "activities.A.component: must be an object"},
		{"no code", "activities.A.component.code", "", "activities.A.component.code: is required"},
		{"empty code", "activities.A.component.code", `""`, "activities.A.component.code: must not be empty"},
		{"version a number", "activities.A.component.version", "1", "activities.A.component.version: must be a string"},
		{"input without hook", "activities.A.component.data.k", `{"value":1}`, "activities.A.component.data.k.hook: is required"},
		{"hook a text", "activities.A.component.data.k", `{"value":1,"hook":"x"}`, "activities.A.component.data.k.hook: must be true or false"},
		{"input without value", "activities.A.component.data.k", `{"hook":false}`, "activities.A.component.data.k.value: is required"},
		{"data a list", "activities.A.component.data", "[]", "activities.A.component.data: must be an object"},
		{"retry a number", "activities.A.auto_retry", "3", "activities.A.auto_retry: must be an object"},
		{"outgoing with two flows", "activities.A.outgoing", `["l2","l3"]`, "activities.A.outgoing: must name exactly one flow"},
		{"outgoing null", "activities.A.outgoing", "null", "activities.A.outgoing: must be a string or an array of strings"},
		{"incoming of numbers", "activities.A.incoming", "[1]", "activities.A.incoming: must hold non-empty strings only"},
		{"id under another key", "activities.A.id", `"B"`, `activities.A.id: "B" differs from the key "A"`},
		{"id of another node", "gateways.A", `{"id":"A","type":"ParallelGateway","name":"","incoming":"x","outgoing":"y"}`, `gateways.A.id: "A" is used by another node`},
		{"empty id", "start_event.id", `""`, "start_event.id: must not be empty"},
		{"id of signs", "start_event.id", `"--"`, `start_event.id: "--" holds no letter`},
		{"subprocess without tree", "activities.SUB.pipeline", "", "activities.SUB: a SubProcess needs template_id or pipeline"},
		{"subprocess with a bad tree", "activities.SUB.pipeline.end_event", "", "activities.SUB.pipeline.end_event: is required"},
		{"subprocess with a text as tree", "activities.SUB.pipeline", `"x"`, "activities.SUB.pipeline: must be an object"},
		{"gateway without conditions", "gateways.EG.conditions", "", "gateways.EG.conditions: is required"},
		{"condition without rule", "gateways.EG.conditions.l2", "{}", "gateways.EG.conditions.l2.evaluate: is required"},
		{"rule a boolean", "gateways.EG.conditions.l2.evaluate", "true", "gateways.EG.conditions.l2.evaluate: must be a string"},
		{"default without flow", "gateways.EG.default_condition", "{}", "gateways.EG.default_condition.flow_id: is required"},
		{"unknown gateway", "gateways.CG.type", `"MagicGateway"`, `gateways.CG.type: "MagicGateway" is no type of gateway`},
		{"converge with two flows", "gateways.CG.outgoing", `["l3","l2"]`, "gateways.CG.outgoing: must name exactly one flow"},
		{"flow without target", "flows.l1.target", "", "flows.l1.target: is required"},
		{"flow under another key", "flows.l1.id", `"l2"`, `flows.l1.id: "l2" differs`},
		{"constants a list", "constants", "[]", "constants: must be an object"},
		{"outputs an object", "outputs", "{}", "outputs: must be an array"},
		{"output a number", "outputs", "[1]", "outputs.0: must be a string"},
		{"source type", "constants.${v}", `{"key":"${v}","source_type":"magic"}`, "constants.${v}.source_type: must be one of"},
		{"show type", "constants.${v}", `{"key":"${v}","show_type":"maybe"}`, "constants.${v}.show_type: must be one of"},
		{"empty name of a constant", "constants.${v}", `{"key":"${v}","name":""}`, "constants.${v}.name: must have 1 to 50 characters"},
		{"index a text", "constants.${v}", `{"key":"${v}","index":"1"}`, "constants.${v}.index: must be a whole number"},
		{"source info a list", "constants.${v}", `{"key":"${v}","source_info":[]}`, "constants.${v}.source_info: must be an object"},
		{"source info of numbers", "constants.${v}", `{"key":"${v}","source_info":{"A":[1]}}`, "constants.${v}.source_info.A: must hold strings only"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := Parse(set(t, sketch(flows), c.path, c.value))
			if stdops.ErrorCode(err) != stdops.CodeInvalid || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

func TestParseRefusesNothing(t *testing.T) {
	t.Parallel()
	if _, err := Parse(nil); stdops.ErrorCode(err) != stdops.CodeInvalid {
		t.Errorf("got %v", err)
	}
}

func TestParseReportsAllProblems(t *testing.T) {
	t.Parallel()
	o := sketch("S>A>B>E")
	set(t, o, "start_event", "")
	set(t, o, "activities.A.component.code", "")
	set(t, o, "outputs", "{}")
	_, err := Parse(o)
	want := "start_event: is required,activities.A.component.code: is required,outputs: must be an array"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestParseBoundsItsMessage(t *testing.T) {
	t.Parallel()
	o := sketch("S>A>E")
	for _, name := range strings.Fields(strings.Repeat("x", 1000) + strings.Repeat(" y z", 1)) {
		set(t, o, "activities."+name, "null")
	}
	bad := &stdops.Object{}
	for i := range 10_000 {
		bad.Set(strings.Repeat("c", i%100+1)+string(rune('a'+i%26))+strings.Repeat("d", i/100), nil)
	}
	o.Set("constants", bad)
	_, err := Parse(o)
	if err == nil || len(err.Error()) > 10_000 || !strings.Contains(err.Error(), " more") {
		t.Errorf("message of %d bytes: %.200s", len(err.Error()), err)
	}
}

func TestParseLooseFillsIn(t *testing.T) {
	t.Parallel()
	o := sketch("S>A>E")
	for _, key := range []string{"gateways", "constants", "outputs"} {
		set(t, o, key, "")
	}
	if _, err := Parse(o); err == nil {
		t.Error("Parse accepted it")
	}
	tree, err := ParseLoose(o)
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{"gateways": "{}", "constants": "{}", "outputs": "[]"} {
		if got := text(t, at(t, tree.Template(), key)); got != want {
			t.Errorf("%s: got %s, want %s", key, got, want)
		}
	}
	o.Set("constants", []any{})
	if _, err := ParseLoose(o); err == nil {
		t.Error("accepted constants that are a list")
	}
}

func TestNamesAreCleaned(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, want string }{
		{`a<b>$c&d'e"f`, "abcdef"},
		{strings.Repeat("x", 60), strings.Repeat("x", 50)},
		{strings.Repeat("é", 60), strings.Repeat("é", 50)},
		{strings.Repeat("<", 60) + "ok", "ok"},
		{"日志 rotate", "日志 rotate"},
	} {
		o := sketch("S>A>SUB>PG PG>CG PG>CG CG>E")
		for _, path := range []string{"start_event", "activities.A", "activities.SUB.pipeline.activities.inner", "gateways.PG"} {
			at(t, o, path).(*stdops.Object).Set("name", c.name)
		}
		got := mustParse(t, o).Template()
		for _, path := range []string{"start_event", "activities.A", "activities.SUB.pipeline.activities.inner", "gateways.PG"} {
			if name := at(t, got, path+".name"); name != c.want {
				t.Errorf("%s: %q became %q, want %q", path, c.name, name, c.want)
			}
		}
	}
}

func TestTemplateRoundTrip(t *testing.T) {
	t.Parallel()
	o := sketch("S>EG EG>A>CG EG>SUB>CG CG>E")
	set(t, o, "activities.A.incoming", `"l2"`)
	set(t, o, "activities.A.mine", `[1,1.0,{"b":1,"a":null}]`)
	set(t, o, "my_field", `{"x":1}`)
	set(t, o, "id", `"nroot"`)
	set(t, o, "line", `[{"id":"l1","source":{"id":"S","arrow":"Right"},"target":{"id":"EG","arrow":"Left"}},null]`)
	set(t, o, "location", `[{"id":"A","type":"tasknode","x":1,"y":2}]`)
	constant(t, o, "${v}", `"1"`, "source_info", stdops.NewObject("A", []any{"k"}), "unknown", true)
	want := text(t, o)
	if diff := cmp.Diff(want, text(t, mustParse(t, o).Template())); diff != "" {
		t.Errorf("template (-want +got):\n%s", diff)
	}
}

func TestSingleFlowsInBothForms(t *testing.T) {
	t.Parallel()
	o := sketch("S>A>B>E")
	set(t, o, "start_event.outgoing", `["l1"]`)
	set(t, o, "activities.A.incoming", `"l1"`)
	set(t, o, "activities.A.outgoing", `["l2"]`)
	set(t, o, "end_event.incoming", `"l3"`)
	tree := mustParse(t, o)
	mustCompile(t, tree)
	got := tree.Echo(TaskIDs(7))
	a := stdops.NodeID(7, 3)
	for path, want := range map[string]any{
		"start_event.outgoing":          text(t, stdops.FlowID(7, 0)),
		"activities." + a + ".incoming": `["` + stdops.FlowID(7, 0) + `"]`,
		"activities." + a + ".outgoing": text(t, stdops.FlowID(7, 1)),
		"end_event.incoming":            `["` + stdops.FlowID(7, 2) + `"]`,
	} {
		if v := text(t, at(t, got, path)); v != want {
			t.Errorf("%s: got %s, want %s", path, v, want)
		}
	}
}
