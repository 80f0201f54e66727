package exchange_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/stdops/stdops"
	"github.com/stdops/stdops/internal/exchange"
)

// exampleYAML gives the stream of docs/spec/api.md 4.14.2.
func exampleYAML(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile("testdata/example.yaml")
	must(t, err)
	return string(text)
}

func nothingStored(stdops.TemplateID, string) (exchange.Known, error) {
	return exchange.Known{}, stdops.Errorf(stdops.CodeNotFound, "no such flow")
}

func readYAML(t testing.TB, text string) *exchange.Set {
	t.Helper()
	set, err := exchange.ReadYAML(text, nothingStored)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return set
}

func TestExampleYAML(t *testing.T) {
	t.Parallel()
	set := readYAML(t, exampleYAML(t))
	if len(set.Flows) != 2 || set.Flows[0].Name != "等待" || set.Flows[1].Name != "rotate logs" {
		t.Fatalf("%+v", set.Flows)
	}
	trees := place(t, set, placing(set))
	node := func(i stdops.NodeIndex) string { return stdops.TemplateNodeID(102, i) }
	gate := at(trees[1], "gateways "+node(4))
	condition := gate.Text("type")
	for _, id := range at(gate, "conditions").Keys() {
		condition += " " + at(gate, "conditions "+id).Text("evaluate") + " → " + at(trees[1], "flows "+id).Text("target")
	}
	if want := `ExclusiveGateway ${mode} == "long" → ` + node(3); condition != want {
		t.Errorf("gateway %s, want %s", condition, want)
	}
	fallback := at(gate, "default_condition").Text("flow_id")
	if to := at(trees[1], "flows "+fallback).Text("target"); to != node(5) {
		t.Errorf("the default leads to %s", to)
	}
	sub := at(trees[1], "activities "+node(3))
	wait := at(sub, "constants ${wait}")
	if id, _ := sub.Get("template_id"); id != int64(101) || wait.Text("value") != "3" || at(wait, "source_info").Keys()[0] != stdops.TemplateNodeID(101, 3) {
		t.Errorf("subprocess %v", sub)
	}
	mode := at(trees[1], "constants ${mode}")
	if mode.Text("custom_type") != "input" || mode.Text("source_tag") != "input.input" || mode.Text("source_type") != "custom" {
		t.Errorf("constant %v", mode)
	}
	pause := at(trees[0], "activities "+stdops.TemplateNodeID(101, 3))
	input := at(pause, "component data bk_timing")
	hook, _ := input.Get("hook")
	skippable, _ := pause.Get("skippable")
	ignorable, _ := pause.Get("error_ignorable")
	if input.Text("value") != "${wait}" || hook != true || skippable != true || ignorable != false {
		t.Errorf("activity %v", pause)
	}
}

func TestExampleIsWrittenAsItIs(t *testing.T) {
	t.Parallel()
	set := readYAML(t, exampleYAML(t))
	p := placing(set)
	flows := stored(set, p, place(t, set, p))
	slices.Reverse(flows)
	text, err := exchange.WriteYAML(flows)
	must(t, err)
	if diff := cmp.Diff(exampleYAML(t), text); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// Texts that a reader of YAML 1.1, such as that of bk-sops, would take for something else have quotes.
func TestOddTextsAreQuoted(t *testing.T) {
	t.Parallel()
	for _, odd := range []string{"yes", "No", "off", "012", "1_000", "2026-01-01", "12:30:45", "=", "<<", "~", "", "1e3", ".5", "-x"} {
		set := readYAML(t, strings.Replace(exampleYAML(t), "value: short", "value: '"+odd+"'", 1))
		p := placing(set)
		text, err := exchange.WriteYAML(stored(set, p, place(t, set, p)))
		must(t, err)
		if !strings.Contains(text, "value: '"+odd+"'") && !strings.Contains(text, `value: "`+odd+`"`) {
			t.Errorf("%q has no quotes:\n%s", odd, text)
		}
	}
}

func TestYAMLFields(t *testing.T) {
	t.Parallel()
	set := readYAML(t, `
schema_version: v1
meta: {name: n, id: a, description: about}
spec:
  nodes:
  - {id: s, type: EmptyStartEvent}
  - id: x
    type: ServiceActivity
    name: x
    optional: false
    ignore_error: true
    can_retry: false
    can_skip: no-is-a-text
    timeout_config: {enable: true, seconds: 0o17, action: forced_fail}
    component:
      code: c
      data:
        plain: {value: [1, 0x1F, 1.5, ~, yes, "1"], need_render: false}
        shared: {key: "${k}", name: k, value: v, hide: true}
        again: {key: "${k}", name: other}
    output:
      out: {key: "${o}", name: o}
  - {id: e, type: EmptyEndEvent}
  constants:
    ${c}: {name: c, value: {a: b}, type: select, is_meta: true, desc: d}
  dummy_component_inputs:
    ${d}: {name: d, value: 1}
  outputs: ["${o}"]
`)
	tree := place(t, set, placing(set))[0]
	node := stdops.TemplateNodeID(101, 3)
	x := at(tree, "activities "+node)
	got := map[string]any{"about": set.Flows[0].Description}
	for _, key := range []string{"optional", "error_ignorable", "retryable", "skippable"} {
		got[key], _ = x.Get(key)
	}
	for name, o := range map[string]*stdops.Object{
		"timeout": at(x, "timeout_config"), "data": at(x, "component data"), "k": at(tree, "constants ${k}"), "o": at(tree, "constants ${o} source_info"),
		"c": at(tree, "constants ${c}"), "d": at(tree, "constants ${d}"),
	} {
		text, err := stdops.EncodeValue(o)
		must(t, err)
		got[name] = string(text)
	}
	want := map[string]any{
		"about": "about", "optional": false, "error_ignorable": true, "retryable": false, "skippable": true,
		"timeout": `{"enable":true,"seconds":15,"action":"forced_fail"}`,
		"data": `{"plain":{"hook":false,"need_render":true,"value":[1,31,1.5,null,"yes","1"]},` +
			`"shared":{"hook":true,"need_render":true,"value":"${k}"},"again":{"hook":true,"need_render":true,"value":"${k}"}}`,
		"k": `{"key":"${k}","name":"k","desc":"","index":0,"value":"v","show_type":"hide","source_type":"component_inputs",` +
			`"source_tag":"c.shared","source_info":{"` + node + `":["shared","again"]},"custom_type":"","validation":"","version":"legacy","is_meta":false}`,
		"o": `{"` + node + `":["out"]}`,
		"c": `{"key":"${c}","name":"c","desc":"d","index":2,"value":{"a":"b"},"show_type":"show","source_type":"custom",` +
			`"source_tag":"select.select","source_info":{},"custom_type":"select","validation":"","version":"legacy","is_meta":true}`,
		"d": `{"key":"${d}","name":"d","desc":"","index":3,"value":1,"show_type":"show","source_type":"component_inputs",` +
			`"source_tag":"","source_info":{},"custom_type":"","validation":"","version":"legacy","is_meta":false}`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestYAMLOfStoredChildren(t *testing.T) {
	t.Parallel()
	const text = "schema_version: v1\nmeta: {name: n}\nspec:\n  nodes:\n  - {id: s, type: EmptyStartEvent}\n" +
		"  - {id: x, type: SubProcess, name: x, template_id: 7, template_source: common, data: {\"${a}\": {value: 2}}}\n  - {id: e, type: EmptyEndEvent}\n"
	child := lineOf(1, func(*stdops.Object) {})
	child.Set("constants", stdops.NewObject("${a}", stdops.NewObject("key", "${a}", "name", "a", "value", "1"),
		"${o}", stdops.NewObject("key", "${o}", "name", "o", "value", "", "source_type", "component_outputs")))
	set, err := exchange.ReadYAML(text, func(id stdops.TemplateID, source string) (exchange.Known, error) {
		if id != 7 || source != "common" {
			return exchange.Known{}, stdops.Errorf(stdops.CodeNotFound, "asked for %d of %q", id, source)
		}
		return exchange.Known{Tree: child, Version: "v7", Source: "common"}, nil
	})
	must(t, err)
	sub := at(place(t, set, placing(set))[0], "activities "+stdops.TemplateNodeID(101, 3))
	value, _ := at(sub, "constants ${a}").Get("value")
	if id, _ := sub.Get("template_id"); id != int64(7) || sub.Text("version") != "v7" || value != int64(2) || at(sub, "constants").Len() != 1 {
		t.Errorf("%v", sub)
	}
	if was := at(child, "constants ${a}").Text("value"); was != "1" {
		t.Errorf("the stored flow has changed: %s", was)
	}
}

func TestYAMLRefusals(t *testing.T) {
	t.Parallel()
	const head = "schema_version: v1\nmeta: {name: n, id: a}\nspec:\n  nodes:\n"
	const start, end = "  - {id: s, type: EmptyStartEvent}\n", "  - {id: e, type: EmptyEndEvent}\n"
	const activity = "  - {id: x, type: ServiceActivity, name: x, component: {code: c}}\n"
	for name, c := range map[string]struct{ text, want string }{
		"nothing":            {"", "no valid template"},
		"no object":          {"- 1", "line 1, column 1: a document must be an object"},
		"no YAML":            {"a: [1", "line 2, column 1: did not find"},
		"tab":                {"a:\n\tb: 1", "line 2, column 1: found character"},
		"anchor":             {"a: &x 1", "line 1, column 4: anchors are not allowed"},
		"alias":              {"a: &x 1\nb: *x", "anchors are not allowed"},
		"tag":                {"a: !!python/object:os.system 1", "line 1, column 4: tags are not allowed"},
		"standard tag":       {"a: !!str 1", "tags are not allowed"},
		"merge":              {"<<: {a: 1}", "line 1, column 1: merge keys are not allowed"},
		"twice":              {"a: 1\na: 2", `line 2, column 1: the key "a" is there already, in line 1`},
		"key":                {"[a]: 1", "a key must be a text"},
		"not a number":       {"a: .nan", "line 1, column 4: .nan is no number"},
		"no version":         {"a: 1", "line 1, column 1: schema_version is required"},
		"version":            {"schema_version: v2", "line 1, column 17: schema_version must be v1"},
		"no meta":            {"schema_version: v1", "line 1, column 1: meta is required"},
		"no name":            {"schema_version: v1\nmeta: {id: a}\nspec: {}", "line 2, column 7: name is required"},
		"no spec":            {"schema_version: v1\nmeta: {name: a}", "spec is required"},
		"no nodes":           {"schema_version: v1\nmeta: {name: a}\nspec: {}", "line 3, column 7: nodes is required"},
		"no id":              {head + "  - {type: EmptyStartEvent}", "line 5, column 5: id is required"},
		"no type":            {head + "  - {id: a}", "line 5, column 5: type is required"},
		"type":               {head + "  - {id: a, type: Other}", `line 5, column 19: "Other" is no type of node`},
		"same node":          {head + start + "  - {id: s, type: EmptyEndEvent}", "line 6, column 10: the id"},
		"two starts":         {head + start + "  - {id: t, type: EmptyStartEvent}", "line 6, column 5: there is another node"},
		"no component":       {head + start + "  - {id: x, type: ServiceActivity, name: x}\n" + end, "line 6, column 5: component is required"},
		"next of nothing":    {head + "  - {id: s, type: EmptyStartEvent, next: [y]}\n" + end, `line 5, column 43: there is no node "y"`},
		"two next":           {head + "  - {id: s, type: EmptyStartEvent, next: [x, e]}\n" + activity + end, "line 5, column 5: a node of type EmptyStartEvent has one successor"},
		"next of the end":    {head + start + activity + "  - {id: e, type: EmptyEndEvent, next: [x]}\n", "line 7, column 40: nothing follows the end event"},
		"to the start":       {head + start + "  - {id: x, type: ServiceActivity, name: x, component: {code: c}, next: [s]}\n" + end, "nothing leads to the start event"},
		"nothing after":      {head + start + activity, "line 6, column 5: nothing follows this node"},
		"no end":             {head + start + activity + "  - {id: g, type: ConvergeGateway, next: [x]}\n", "line 1, column 1: template n: end_event: is required"},
		"condition":          {head + start + "  - {id: g, type: ExclusiveGateway, next: [x, e], conditions: {y: {evaluate: a}}}\n" + activity + end, `line 6, column 64: "y" does not follow this gateway`},
		"unknown template":   {head + start + "  - {id: x, type: SubProcess, name: x, template_id: b}\n" + end, `line 6, column 53: there is no template "b"`},
		"unknown number":     {head + start + "  - {id: x, type: SubProcess, name: x, template_id: 9}\n" + end, "line 6, column 53: no such flow"},
		"cycle":              {head + start + "  - {id: x, type: SubProcess, name: x, template_id: a}\n" + end, "line 6, column 53: the template contains itself"},
		"same document":      {head + start + activity + end + "---\n" + head + start + activity + end, "that of another document too"},
		"input":              {head + start + "  - {id: x, type: ServiceActivity, name: x, component: {code: c, data: {i: {}}}}\n" + end, "i needs value or key"},
		"kinds of constants": {head + start + "  - {id: x, type: ServiceActivity, name: x, component: {code: c, data: {i: {key: k}}}, output: {o: {key: k}}}\n" + end, "k is another kind of constant elsewhere"},
		"no UTF-8":           {"a: \xff", "no UTF-8"},
	} {
		_, err := exchange.ReadYAML(c.text, nothingStored)
		if stdops.ErrorCode(err) != stdops.CodeInvalid || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// Texts that would take a thousand times their size are refused while little was built of them.
func TestYAMLBombs(t *testing.T) { //nolint:paralleltest // it counts what is allocated
	laughs := "a: &a [x]\n"
	for i := range 30 {
		laughs += fmt.Sprintf("%c: &%[1]c [*%c,*%[2]c,*%[2]c,*%[2]c]\n", 'b'+i%24, 'a'+i%24)
	}
	child := "schema_version: v1\nmeta: {name: c, id: c}\nspec:\n  nodes:\n  - {id: s, type: EmptyStartEvent}\n" +
		"  - {id: x, type: ServiceActivity, name: x, component: {code: c}}\n  - {id: e, type: EmptyEndEvent}\n  constants:\n"
	for i := range 2000 {
		child += fmt.Sprintf("    ${c%d}: {name: c}\n", i)
	}
	parent := "---\nschema_version: v1\nmeta: {name: p, id: p}\nspec:\n  nodes:\n  - {id: s, type: EmptyStartEvent}\n"
	for i := range 5000 {
		parent += fmt.Sprintf("  - {id: x%d, type: SubProcess, name: x, template_id: c}\n", i)
	}
	for name, c := range map[string]struct {
		text string
		most uint64
	}{
		"laughs":    {laughs, 8 << 20},
		"deep":      {strings.Repeat("[", 150_000), 64 << 20},
		"dashes":    {strings.Repeat("- ", 1<<20), 64 << 20},
		"signs":     {"[" + strings.Repeat("a,", 1<<20) + "]", 8 << 20},
		"long":      {"a: '" + strings.Repeat("x", 8<<20) + "'", 32 << 20},
		"constants": {child + parent + "  - {id: e, type: EmptyEndEvent}\n", 768 << 20}, // a third of it without the race detector
	} {
		var err error
		used := allocated(func() { _, err = exchange.ReadYAML(c.text, nothingStored) })
		if stdops.ErrorCode(err) != stdops.CodeInvalid || used > c.most {
			t.Errorf("%s: %.100v after %d MiB for %d KiB", name, err, used>>20, len(c.text)>>10)
		}
	}
}

// A stream that is written, read and written again is the same text, and what it says is what the flows are.
func TestYAMLComesBackTheSame(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		set, err := exchange.ReadBundle(envelope(t, drawBundle(r)), exchange.Reading{})
		if err != nil {
			r.Fatal(err)
		}
		p := placing(set)
		text, err := exchange.WriteYAML(stored(set, p, place(t, set, p)))
		if err != nil {
			r.Fatal(err)
		}
		read, err := exchange.ReadYAML(text, nothingStored)
		if err != nil {
			r.Fatalf("%v\n%s", err, text)
		}
		p = samePlaces(set, read, p)
		trees := place(t, read, p)
		again, err := exchange.WriteYAML(stored(read, p, trees))
		if err != nil {
			r.Fatal(err)
		}
		if diff := cmp.Diff(text, again); diff != "" {
			r.Fatalf("(-first +second)\n%s", diff)
		}
	})
}
