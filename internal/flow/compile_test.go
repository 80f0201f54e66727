package flow

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stdops/stdops"
)

func TestIndexesFollowTheDocument(t *testing.T) {
	t.Parallel()
	g := mustCompile(t, mustParse(t, sketch("S>PG PG>SUB1>CG PG>B>SUB2>CG CG>E")))
	type row struct {
		Kind   string
		Name   string
		Parent stdops.NodeIndex
		Out    []stdops.NodeIndex
		In     int
	}
	var got []row
	for _, n := range g.Nodes {
		r := row{Kind: n.Kind.String(), Name: n.Name, Parent: n.Parent, In: n.In}
		for _, e := range n.Out {
			r.Out = append(r.Out, e.Target)
		}
		got = append(got, r)
	}
	type out = []stdops.NodeIndex
	want := []row{
		{Kind: "Pipeline"},
		{"EmptyStartEvent", "S", 0, out{6}, 0},
		{"EmptyEndEvent", "E", 0, nil, 1},
		{"SubProcess", "SUB1", 0, out{7}, 1},
		{"ServiceActivity", "B", 0, out{5}, 1},
		{"SubProcess", "SUB2", 0, out{7}, 1},
		{"ParallelGateway", "PG", 0, out{3, 4}, 1},
		{"ConvergeGateway", "CG", 0, out{2}, 2},
		{"EmptyStartEvent", "S", 3, out{10}, 0},
		{"EmptyEndEvent", "E", 3, nil, 1},
		{"ServiceActivity", "inner", 3, out{9}, 1},
		{"EmptyStartEvent", "S", 5, out{13}, 0},
		{"EmptyEndEvent", "E", 5, nil, 1},
		{"ServiceActivity", "inner", 5, out{12}, 1},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("nodes (-want +got):\n%s", diff)
	}
	if g.Nodes[6].Converge != 7 || g.Nodes[3].Converge != NoNode {
		t.Errorf("converge of PG %d, of SUB1 %d", g.Nodes[6].Converge, g.Nodes[3].Converge)
	}
	if diff := cmp.Diff([]stdops.NodeIndex{11, 12, 13}, g.Nodes[5].Pipeline.Children); diff != "" {
		t.Errorf("children of SUB2 (-want +got):\n%s", diff)
	}
	if p := g.Nodes[5].Pipeline; p.Start != 11 || p.End != 12 {
		t.Errorf("events of SUB2: %d, %d", p.Start, p.End)
	}
	if diff := cmp.Diff(Flow{Source: 11, Target: 13}, g.Flows[g.Nodes[11].Out[0].Flow]); diff != "" {
		t.Errorf("flow (-want +got):\n%s", diff)
	}
}

func TestBranchesInTheOrderOfConditions(t *testing.T) {
	t.Parallel()
	o := sketch("S>EG EG>A>CG EG>B>CG EG>D>CG CG>E")
	set(t, o, "gateways.EG.conditions", `{"l6":{"evaluate":"c"},"l2":{"evaluate":"a"},"l4":{"evaluate":"b"}}`)
	n := mustCompile(t, mustParse(t, o)).Nodes[6]
	var got []string
	for _, b := range n.Branches {
		got = append(got, b.Evaluate)
	}
	if diff := cmp.Diff([]string{"c", "a", "b"}, got); diff != "" {
		t.Errorf("conditions (-want +got):\n%s", diff)
	}
	if n.Branches[0].Edge != n.Out[2] {
		t.Errorf("first condition opens %v, want %v", n.Branches[0].Edge, n.Out[2])
	}
}

func TestActivities(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, fields string
		want         Activity
	}{
		{"defaults", `{}`, Activity{Skippable: true, Retryable: true}},
		{"not skippable", `{"skippable":false,"retryable":false}`, Activity{}},
		{"old names", `{"isSkipped":false,"can_retry":false}`, Activity{}},
		{"new names win", `{"isSkipped":false,"can_retry":false,"skippable":true,"retryable":true}`, Activity{Skippable: true, Retryable: true}},
		{"ignored errors force skippable", `{"error_ignorable":true,"isSkipped":false}`, Activity{Skippable: true, Retryable: true, IgnoreErrors: true}},
		{"executor", `{"executor_proxy":"bob"}`, Activity{Skippable: true, Retryable: true, Executor: "bob"}},
		{
			"version", `{"component":{"code":"debug_node","version":"2.0","data":{"a":{"hook":false,"value":1.0},"b":{"hook":true,"value":"${v}","need_render":false}}}}`,
			Activity{Skippable: true, Retryable: true, Version: "2.0", Inputs: []Input{{"a", 1.0, true}, {"b", "${v}", false}}},
		},
		{"empty version", `{"component":{"code":"debug_node","version":"","data":{}}}`, Activity{Skippable: true, Retryable: true}},
		{"retry", `{"auto_retry":{"enable":true,"times":2,"interval":0}}`, Activity{Skippable: true, Retryable: true, AutoRetry: AutoRetry{Times: 2}}},
		{
			"time limit", `{"timeout_config":{"enable":true,"seconds":7,"action":"forced_fail_and_skip"}}`,
			Activity{Skippable: true, Retryable: true, Timeout: Timeout{After: 7 * time.Second, ThenSkip: true}},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := sketch("S>A>E")
			extra := value(t, c.fields).(*stdops.Object)
			for _, key := range extra.Keys() {
				v, _ := extra.Get(key)
				at(t, o, "activities.A").(*stdops.Object).Set(key, v)
			}
			c.want.Code = "debug_node"
			if c.want.Version == "" {
				c.want.Version = "legacy"
			}
			if diff := cmp.Diff(&c.want, mustCompile(t, mustParse(t, o)).Nodes[3].Activity); diff != "" {
				t.Errorf("activity (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAutoRetryNumbers(t *testing.T) {
	t.Parallel()
	for policy, want := range map[string]AutoRetry{
		`{"enable":true,"times":2}`:                     {Times: 2},
		`{"enable":true,"times":12,"interval":4}`:       {Times: 10, Interval: 4 * time.Second},
		`{"enable":true,"times":-1}`:                    {Times: 1},
		`{"enable":true,"times":20,"interval":70}`:      {Times: 10, Interval: time.Minute},
		`{"enable":true}`:                               {Times: 10},
		`{"enable":true,"times":"3","interval":" -5 "}`: {Times: 3, Interval: 5 * time.Second},
		`{"enable":true,"times":"x","interval":"x"}`:    {Times: 10, Interval: time.Minute},
		`{"enable":true,"times":null,"interval":null}`:  {Times: 10, Interval: time.Minute},
		`{"enable":true,"times":2.9,"interval":1e300}`:  {Times: 2, Interval: time.Minute},
		`{"enable":true,"times":-9223372036854775808}`:  {Times: 10},
		`{"enable":true,"times":99999999999999999999}`:  {Times: 10},
		`{"enable":true,"times":0}`:                     {},
		`{"enable":1,"times":1}`:                        {Times: 1},
		`{"enable":false,"times":2}`:                    {},
		`{"enabled":true,"times":2}`:                    {},
	} {
		if got := autoRetryOf(stdops.NewObject("auto_retry", value(t, policy))); got != want {
			t.Errorf("%s: got %v, want %v", policy, got, want)
		}
	}
}

func TestTimeLimits(t *testing.T) {
	t.Parallel()
	for policy, want := range map[string]Timeout{
		`{"enable":true,"seconds":10}`:                                {After: 10 * time.Second},
		`{"enable":true,"seconds":10,"action":"forced_fail"}`:         {After: 10 * time.Second},
		`{"enable":true,"seconds":1,"action":"forced_fail_and_skip"}`: {After: time.Second, ThenSkip: true},
		`{"enable":true,"seconds":"10"}`:                              {},
		`{"enable":true,"seconds":0}`:                                 {},
		`{"enable":true,"seconds":-3}`:                                {},
		`{"enable":true}`:                                             {},
		`{"enable":true,"seconds":9223372036854775807}`:               {After: longestTimeLimit * time.Second},
		`{"enable":true,"seconds":-99999999999999999999}`:             {},
		`{"enable":false,"seconds":10}`:                               {},
	} {
		if got := timeoutOf(stdops.NewObject("timeout_config", value(t, policy))); got != want {
			t.Errorf("%s: got %v, want %v", policy, got, want)
		}
	}
}

// A graph is compiled from the tree that was sent when its first task is made, and from the stored form later.
func TestStoredFormCompilesToTheSameGraph(t *testing.T) {
	t.Parallel()
	o := sketch("S>A>PG PG>B>CG PG>C>CG CG>E")
	set(t, o, "gateways.CG.converge_gateway_id", `"n1"`)
	constant(t, o, "${o}", `null`, "source_type", "component_outputs", "source_info", value(t, `{"ghost":["x"],"A":["y"]}`))
	constant(t, o, "${p}", `null`, "source_type", "component_outputs", "source_info", value(t, `{"A":[],"B":["y"]}`))
	tree := mustParse(t, o)
	sent := mustCompile(t, tree)
	body, err := tree.Body()
	if err != nil {
		t.Fatal(err)
	}
	stored, err := ParseBody(body)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Compile(stored)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sent.Nodes, again.Nodes); diff != "" {
		t.Errorf("(-sent +stored):\n%s", diff)
	}
	if diff := cmp.Diff([]Mapping{{"y", "o"}}, sent.Nodes[3].Activity.Outputs); diff != "" {
		t.Errorf("outputs of A (-want +got):\n%s", diff)
	}
}

func TestVariablesOfTheRoot(t *testing.T) {
	t.Parallel()
	o := sketch("S>A>SUB>E")
	constant(t, o, "${v}", `"1"`, "pre_render_mako", true)
	constant(t, o, "${h}", `[]`, "show_type", "hide", "custom_type", "select", "meta", "m")
	constant(t, o, "${o}", `""`, "source_type", "component_outputs", "source_info", value(t, `{"A":["_loop","x"],"SUB":["y"]}`), "pre_render_mako", true)
	constant(t, o, "${p}", `""`, "source_type", "component_outputs", "source_info", value(t, `{"SUB":["${inner}"]}`))
	constant(t, o, "${q}", `""`, "source_type", "component_outputs")
	constant(t, o, "${r}", `""`, "source_type", "component_outputs", "source_info", value(t, `{"ghost":["x"]}`))
	o.Set("outputs", []any{"${o}", "${v}"})
	g := mustCompile(t, mustParse(t, o))
	p := g.Nodes[0].Pipeline
	want := map[string]Variable{
		"v": {CustomType: "input", SourceType: "custom", Shown: true, PreRender: true},
		"h": {CustomType: "select", SourceType: "custom", Meta: "m"},
		"o": {CustomType: "input", SourceType: "component_outputs", Shown: true, Output: true},
		"p": {CustomType: "input", SourceType: "component_outputs", Shown: true, Output: true},
		"q": {CustomType: "input", SourceType: "component_outputs", Shown: true, Output: true},
		"r": {CustomType: "input", SourceType: "component_outputs", Shown: true, Output: true},
	}
	if diff := cmp.Diff(want, p.Variables); diff != "" {
		t.Errorf("variables (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"v", "h", "o", "p", "q", "r"}, p.Order); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"o", "v"}, p.Outputs); diff != "" {
		t.Errorf("outputs (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]Mapping{{"_loop", "o"}}, g.Nodes[3].Activity.Outputs); diff != "" {
		t.Errorf("outputs of A (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]Mapping{{"inner", "p"}}, g.Nodes[4].Pipeline.Mapping); diff != "" {
		t.Errorf("outputs of SUB (-want +got):\n%s", diff)
	}
}

func TestParametersOfASubprocess(t *testing.T) {
	t.Parallel()
	o := sketch("S>SUB>E")
	constant(t, o, "${v}", `"1"`)
	constant(t, o, "${hooked}", `"1"`, "source_type", "component_inputs", "source_info", value(t, `{"SUB":["${c}"]}`))
	inner := at(t, o, "activities.SUB.pipeline").(*stdops.Object)
	constant(t, inner, "${a}", `"${v} x"`)
	constant(t, inner, "${b}", `[1]`, "need_render", false, "custom_type", "select", "meta", "m")
	constant(t, inner, "${c}", `"${hooked}"`, "custom_type", "select", "meta", "m")
	constant(t, inner, "${d}", `"default"`, "show_type", "hide")
	p := mustCompile(t, mustParse(t, o)).Nodes[3].Pipeline
	want := []Param{
		{Key: "a", Value: "${v} x", Render: true, CustomType: "input"},
		{Key: "b", Value: []any{int64(1)}, CustomType: "select", Meta: "m"},
		{Key: "c", Value: "${hooked}", Render: true},
	}
	if diff := cmp.Diff(want, p.Params); diff != "" {
		t.Errorf("params (-want +got):\n%s", diff)
	}
	if v := p.Variables["d"]; v.Value != "default" || v.Shown {
		t.Errorf("d: %v", v)
	}
}

func TestCompileRefusesWhatIsNotUnfolded(t *testing.T) {
	t.Parallel()
	o := set(t, sketch("S>SUB>E"), "activities.SUB.pipeline", "")
	set(t, o, "activities.SUB.template_id", "4")
	tree := mustParse(t, o)
	if err := tree.Validate(); err != nil {
		t.Fatal(err)
	}
	if _, err := Compile(tree); err == nil {
		t.Error("compiled")
	}
}

func TestPlugins(t *testing.T) {
	t.Parallel()
	o := set(t, sketch("S>SUB>A>E"), "activities.A.component.version", `"2.0"`)
	want := []PluginRef{
		{"debug_node", "2.0", "activities.A.component.code"},
		{"debug_node", "legacy", "activities.SUB.pipeline.activities.inner.component.code"},
	}
	if diff := cmp.Diff(want, mustParse(t, o).Plugins()); diff != "" {
		t.Errorf("plugins (-want +got):\n%s", diff)
	}
}
